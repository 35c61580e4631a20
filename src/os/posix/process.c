/* SPDX-License-Identifier: MIT */
/*
 * Processes: starting one that outlives us, asking whether one lives, ending one.
 *
 * We live in other people's programs, with threads, signal handlers and open files of theirs.
 * Between fork and exec only async-signal-safe calls are made, and everything they need is prepared
 * before.
 */
#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

enum {
    KILL_WAIT_MS = 1000,
    THREADS_FIELD = 20, /* of /proc/PID/stat, counted from 1 */
};

uint32_t
os_process_id(void)
{
    return (uint32_t)getpid();
}

bool
os_process_is_ours(uint32_t pid)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof(path), "/proc/%u", pid);
    return pid != 0 && stat(path, &status) == 0 && status.st_uid == geteuid();
}

/* Of a line of /proc/PID/maps: address, rights, offset, major:minor of the device, inode. */
bool
os_process_maps(uint32_t pid, const struct os_shm *shm)
{
    char path[64], line[POSIX_PATH_BYTES];
    struct stat status;
    bool found = false;
    if (pid == os_process_id() || !os_process_is_ours(pid) || shm->base == NULL ||
        fstat((int)shm->handle, &status) != 0) {
        return false;
    }
    snprintf(path, sizeof(path), "/proc/%u/maps", pid);
    FILE *const file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        unsigned upper, lower;
        unsigned long long inode;
        found = sscanf(line, "%*s %*s %*s %x:%x %llu", &upper, &lower, &inode) == 3 &&
                inode == status.st_ino && upper == major(status.st_dev) &&
                lower == minor(status.st_dev);
    }
    fclose(file);
    return found;
}

/* ---- starting ---- */

struct spawn {
    const char *path;
    char *const *argv;
    char **environment;
    char dir[POSIX_PATH_BYTES];
    int null_fd;   /* of /dev/null */
    int report_fd; /* a struct report goes in; closed by a successful exec */
    rlim_t fd_limit;
};

/* What a child tells the starter, in one piece: why it failed, or which process its own child is.
 */
struct report {
    int error; /* errno; 0: none */
    pid_t pid; /* 0: none */
};

_Noreturn static void
report_and_exit(int fd)
{
    const struct report report = {.error = errno};
    /* if even that cannot be written, the starter sees the end of the pipe and later no engine */
    (void)!write(fd, &report, sizeof(report));
    _exit(127);
}

static void
close_from(int first, rlim_t limit)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0) {
        return;
    }
    for (rlim_t fd = (rlim_t)first; fd < limit; fd++) {
        close((int)fd);
    }
}

/* A child that the program does not get to know: its end raises no SIGCHLD, and waiting for any
 * child does not find it. Without libc, whose fork() runs the program's own handlers. */
static pid_t
fork_quietly(void)
{
    return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

/* Runs in the grandchild. */
_Noreturn static void
become_the_program(const struct spawn *spawn)
{
    int report = spawn->report_fd;
    if (chdir(spawn->dir) != 0) {
        report_and_exit(report);
    }
    for (int fd = 0; fd < POSIX_FIRST_FREE_FD; fd++) {
        if (dup2(spawn->null_fd, fd) < 0) {
            report_and_exit(report);
        }
    }
    if (report != POSIX_FIRST_FREE_FD) {
        if (dup3(report, POSIX_FIRST_FREE_FD, O_CLOEXEC) < 0) {
            report_and_exit(report);
        }
        report = POSIX_FIRST_FREE_FD;
    }
    close_from(POSIX_FIRST_FREE_FD + 1, spawn->fd_limit);

    posix_clean_process();
    execve(spawn->path, spawn->argv, spawn->environment);
    report_and_exit(report);
}

/* Runs in the child, which ends at once: the grandchild has no parent but init. */
_Noreturn static void
detach(const struct spawn *spawn)
{
    if (setsid() < 0) {
        report_and_exit(spawn->report_fd);
    }
    const pid_t child = fork_quietly();
    if (child < 0) {
        report_and_exit(spawn->report_fd);
    }
    if (child == 0) {
        become_the_program(spawn);
    }
    const struct report report = {.pid = child};
    (void)!write(spawn->report_fd, &report, sizeof(report));
    _exit(0);
}

/* Everything the children report till the end of the pipe: the errno, 0: none. *pid: the program's,
 * 0: not known. */
static int
read_reports(int fd, uint32_t *pid)
{
    struct report report;
    int error = 0;
    for (;;) {
        const ssize_t got = read(fd, &report, sizeof(report));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof(report)) {
            return error;
        }
        if (report.pid > 0) {
            *pid = (uint32_t)report.pid;
        } else {
            error = report.error;
        }
    }
}

/* 0, or the errno that a child reported. */
static int
run_spawn(struct spawn *spawn, int read_fd, uint32_t *pid)
{
    /* no handler of the program may run in the child, which shares its state but not its threads */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = fork_quietly();
    if (child == 0) {
        detach(spawn);
    }
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child < 0) {
        return error;
    }

    close(spawn->report_fd);
    spawn->report_fd = -1;
    while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR) {
        continue;
    }
    return read_reports(read_fd, pid);
}

/* What the dynamic loader puts into the program is not for everybody's engine. */
static char **
make_environment(void)
{
    static const char *const left_out[] = {"LD_PRELOAD=", "LD_AUDIT=", "LD_DEBUG=", "LD_PROFILE="};
    size_t count = 0, kept = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **const made = calloc(count + 1, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        bool keep = true;
        for (size_t n = 0; n < sizeof(left_out) / sizeof(left_out[0]); n++) {
            keep = keep && strncmp(environ[i], left_out[n], strlen(left_out[n])) != 0;
        }
        if (keep) {
            made[kept++] = environ[i];
        }
    }
    return made;
}

enum tutti_status
os_process_spawn(const char *path, const char *const *argv, uint32_t *pid)
{
    struct rlimit limit = {.rlim_cur = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    struct spawn spawn = {
        .path = path,
        .argv = (char *const *)argv, /* as execve() has it; it does not write there */
        .null_fd = -1,
        .report_fd = -1,
        .fd_limit = limit.rlim_cur,
    };
    if (os_runtime_dir(spawn.dir, sizeof(spawn.dir)) != TUTTI_OK) {
        return TUTTI_NO_ENGINE;
    }
    spawn.environment = make_environment();
    if (spawn.environment == NULL) {
        return TUTTI_NO_ENGINE;
    }

    int report[2] = {-1, -1};
    uint32_t started = 0;
    int error;
    if (pipe2(report, O_CLOEXEC) != 0) {
        error = errno;
        goto out;
    }
    spawn.report_fd = posix_free_fd(report[1]);
    spawn.null_fd = posix_free_fd(open("/dev/null", O_RDWR | O_CLOEXEC));
    error =
        spawn.report_fd < 0 || spawn.null_fd < 0 ? errno : run_spawn(&spawn, report[0], &started);

out:
    if (spawn.null_fd >= 0) {
        close(spawn.null_fd);
    }
    if (spawn.report_fd >= 0) {
        close(spawn.report_fd);
    }
    if (report[0] >= 0) {
        close(report[0]);
    }
    free(spawn.environment);
    if (error == 0) {
        *pid = started;
        return TUTTI_OK;
    }
    log_error("cannot start %s: %s", path, strerror(error));
    return TUTTI_NO_ENGINE;
}

/* ---- watching and ending ---- */

/* What /proc/PID/stat says. state: 0 when there is no such process, '?' when it is unknown. */
struct process_look {
    int state;
    unsigned long threads;
};

static struct process_look
look_at_process(uint32_t pid)
{
    char path[64], text[512];
    struct process_look look = {.state = '?'};
    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        look.state = errno == ENOENT ? 0 : '?';
        return look;
    }
    const ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0) {
        return (struct process_look){0};
    } /* gone between open and read */
    text[length] = '\0';
    /* the name stands in parentheses and may hold some itself */
    const char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ') {
        return look;
    }
    look.state = at[2];
    at++;
    for (unsigned field = 3; at != NULL && field < THREADS_FIELD; field++) {
        at = strchr(at + 1, ' ');
    }
    look.threads = at != NULL ? strtoul(at, NULL, 10) : 0;
    return look;
}

bool
os_process_alive(uint32_t pid)
{
    if (pid == 0 || pid > INT32_MAX) {
        return false;
    }
    if (kill((pid_t)pid, 0) != 0 && errno != EPERM) {
        return false;
    }
    const struct process_look look = look_at_process(pid);
    /* the state is its first thread's, which may have ended before the others */
    if (look.state == 'Z' || look.state == 'X') {
        return look.threads > 1;
    }
    /* with /proc mounted elsewhere or hidden, what kill() said stands */
    return look.state != 0 || access("/proc/self/stat", F_OK) != 0;
}

/* Where the link to its executable leads. A thread that has ended shows none, and the first one may
 * have ended before the others. */
static bool
read_image(uint32_t pid, char path[POSIX_PATH_BYTES])
{
    char link[128];
    ssize_t length;
    snprintf(link, sizeof(link), "/proc/%u/exe", pid);
    length = readlink(link, path, POSIX_PATH_BYTES - 1);
    snprintf(link, sizeof(link), "/proc/%u/task", pid);
    DIR *const tasks = length <= 0 ? opendir(link) : NULL;
    for (const struct dirent *entry; tasks != NULL && length <= 0 && (entry = readdir(tasks));) {
        snprintf(link, sizeof(link), "/proc/%u/task/%.32s/exe", pid, entry->d_name);
        length = readlink(link, path, POSIX_PATH_BYTES - 1);
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    path[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool
has_image_name(uint32_t pid, const char *image_name)
{
    char path[POSIX_PATH_BYTES];
    if (!read_image(pid, path)) {
        return false;
    }

    /* what the kernel appends when the file was replaced, by an update for instance */
    static const char deleted[] = " (deleted)";
    const size_t length = strlen(path), suffix = sizeof(deleted) - 1;
    if (length > suffix && strcmp(path + length - suffix, deleted) == 0) {
        path[length - suffix] = '\0';
    }

    const char *separator = strrchr(path, '/');
    char *name = separator != NULL ? path + (separator - path) + 1 : path;
    char *extension = strrchr(name, '.');
    if (extension != NULL && extension != name) {
        *extension = '\0';
    }
    return strcmp(name, image_name) == 0;
}

/* Kills through a descriptor of the process, so that a successor with the same id is safe; without
 * pidfd (before Linux 5.3) through the id. */
static bool
kill_and_wait(uint32_t pid, int pidfd)
{
    const uint64_t deadline_ns = os_now_ns() + (uint64_t)KILL_WAIT_MS * OS_NS_PER_MS;
    if (pidfd >= 0) {
        struct pollfd end = {.fd = pidfd, .events = POLLIN};
        if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) != 0 && errno != ESRCH) {
            return false;
        }
        return posix_poll_until(&end, 1, deadline_ns) == 1;
    }
    if (kill((pid_t)pid, SIGKILL) != 0 && errno != ESRCH) {
        return false;
    }
    while (os_process_alive(pid)) {
        if (os_now_ns() >= deadline_ns) {
            return false;
        }
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
    return true;
}

bool
os_process_kill(uint32_t pid, const char *image_name)
{
    if (!os_process_alive(pid)) {
        return true;
    }
    const int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    bool gone;
    if (has_image_name(pid, image_name)) {
        gone = kill_and_wait(pid, pidfd);
        if (!gone) {
            log_warning("process %u (%s) cannot be ended", pid, image_name);
        }
    } else {
        gone = !os_process_alive(pid);
    }
    if (pidfd >= 0) {
        close(pidfd);
    }
    return gone;
}

void
os_process_raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void
os_process_settle_heap(void)
{
#ifdef M_ARENA_MAX /* glibc: one heap, and every large block by itself, whatever was freed before  \
                    */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 10);
#endif
}
