/* SPDX-License-Identifier: MIT */
#include "bridge/host.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "os/os.h"

enum { PATH_BYTES = 300, GRACE_MS = 200 };

static struct {
    uint32_t pid;
    int program, server; /* pidfds */
} host;

/* wineserver, wineserver64, wineserver32: whatever this Wine calls it. */
static bool
is_wine_server(uint32_t pid)
{
    static const char name[] = "wineserver";
    char path[PATH_BYTES], text[sizeof(name)] = "";
    snprintf(path, sizeof(path), "/proc/%u/comm", (unsigned)pid);
    FILE *const file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    const bool read = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    return read && strcmp(text, name) == 0;
}

static bool
has_open(uint32_t pid, const struct stat *what)
{
    char folder[PATH_BYTES], path[2 * PATH_BYTES];
    struct stat status;
    bool found = false;
    snprintf(folder, sizeof(folder), "/proc/%u/fd", (unsigned)pid);
    DIR *const files = opendir(folder);
    if (files == NULL) {
        return false;
    }
    for (const struct dirent *entry; !found && (entry = readdir(files)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        found = stat(path, &status) == 0 && status.st_dev == what->st_dev &&
                status.st_ino == what->st_ino;
    }
    closedir(files);
    return found;
}

/* Of the Wine servers of this user, of which each prefix has its own, the one that serves the
 * program; 0: none was found. */
static uint32_t
find_server(int pipe)
{
    struct stat what;
    uint32_t found = 0;
    DIR *const processes = fstat(pipe, &what) == 0 ? opendir("/proc") : NULL;
    if (processes == NULL) {
        return 0;
    }
    for (const struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;) {
        const uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (os_process_is_ours(pid) && is_wine_server(pid) && has_open(pid, &what)) {
            found = pid;
        }
    }
    closedir(processes);
    return found;
}

static bool
await_end(int process, int timeout_ms)
{
    struct pollfd end = {.fd = process, .events = POLLIN};
    int ready;
    do {
        ready = poll(&end, 1, timeout_ms);
    } while (ready < 0);
    return ready == 1;
}

static void
watch(void *arg)
{
    struct pollfd ends[] = {{.fd = host.program, .events = POLLIN},
                            {.fd = host.server, .events = POLLIN}};
    (void)arg;
    while (poll(ends, 2, -1) < 0) {
        continue;
    }
    /* Its pipe tells of the program's end mostly, but not when it was started without standard
     * streams: then Wine's server holds what it would notice the end by. A program that ends in
     * order may be a little behind its server. */
    if (ends[0].revents == 0 && !await_end(host.program, GRACE_MS)) {
        log_warning("bridge: Wine's server has ended, and with it the main thread of process %u: "
                    "ending the rest of it",
                    (unsigned)host.pid);
        (void)syscall(SYS_pidfd_send_signal, host.program, SIGKILL, NULL, 0);
    }
    /* engine, locks and memory see the end of this process */
    _exit(0);
}

void
host_watch(uint32_t pid, int pipe)
{
    struct os_thread *thread;
    const uint32_t server = find_server(pipe);
    if (pid == 0) {
        return;
    }
    host.pid = pid;
    host.program = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    /* -1: not found, and not waited for */
    host.server = server != 0 ? (int)syscall(SYS_pidfd_open, (pid_t)server, 0) : -1;
    if (host.program >= 0) {
        (void)os_thread_start(&thread, "bridge-host", OS_PRIORITY_NORMAL, watch, NULL);
    }
}
