/* SPDX-License-Identifier: MIT */
#include "bridge/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { OBJECTS_MAX = 256, PATH_BYTES = 300 };

static struct {
    struct os_mutex lock;
    int fd[OBJECTS_MAX]; /* -1: free; the id is one more than the index */
} objects;

void
objects_init(void)
{
    os_mutex_init(&objects.lock);
    for (unsigned i = 0; i < OBJECTS_MAX; i++) {
        objects.fd[i] = -1;
    }
}

bool
objects_put(int fd, struct bridge_object *object)
{
    struct stat status;
    unsigned at = 0;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return false;
    }
    os_mutex_lock(&objects.lock);
    while (at < OBJECTS_MAX && objects.fd[at] >= 0) {
        at++;
    }
    if (at < OBJECTS_MAX) {
        objects.fd[at] = fd;
    }
    os_mutex_unlock(&objects.lock);
    if (at == OBJECTS_MAX) {
        log_error("no room for another pipe or memory file");
        close(fd);
        return false;
    }
    *object = (struct bridge_object){
        .id = at + 1, .fd = fd, .device = status.st_dev, .inode = status.st_ino};
    return true;
}

int
objects_get(uint32_t id)
{
    int fd = -1;
    os_mutex_lock(&objects.lock);
    if (id >= 1 && id <= OBJECTS_MAX) {
        fd = objects.fd[id - 1];
    }
    os_mutex_unlock(&objects.lock);
    return fd;
}

void
objects_close(uint32_t id)
{
    os_mutex_lock(&objects.lock);
    if (id >= 1 && id <= OBJECTS_MAX && objects.fd[id - 1] >= 0) {
        close(objects.fd[id - 1]);
        objects.fd[id - 1] = -1;
    }
    os_mutex_unlock(&objects.lock);
}

/* ---- making ---- */

bool
objects_make_memory(uint64_t size_bytes, struct bridge_object *object)
{
    struct os_shm shm;
    if (size_bytes > SIZE_MAX || os_shm_create(&shm, (size_t)size_bytes) != TUTTI_OK) {
        return false;
    }
    const bool put = objects_put((int)os_handle_duplicate(shm.handle), object);
    os_shm_close(&shm);
    return put;
}

bool
objects_make_pipe(struct bridge_object *object)
{
    int ends[2];
    char path[PATH_BYTES];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    /* one descriptor for both ways, so that it stays a pipe whichever end has gone */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    const int both = open(path, O_RDWR | O_CLOEXEC);
    close(ends[0]);
    close(ends[1]);
    return objects_put(both, object);
}

/* ---- finding ---- */

static int
find_in_process(const char *pid, const struct bridge_object *lost)
{
    char folder[PATH_BYTES], path[2 * PATH_BYTES];
    struct stat status;
    int fd = -1;
    snprintf(folder, sizeof(folder), "/proc/%s/fd", pid);
    DIR *const files = opendir(folder);
    if (files == NULL) {
        return -1;
    }
    for (const struct dirent *entry; fd < 0 && (entry = readdir(files)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (stat(path, &status) == 0 && status.st_dev == lost->device &&
            status.st_ino == lost->inode) {
            fd = open(path, O_RDWR | O_CLOEXEC);
        }
    }
    closedir(files);
    return fd;
}

bool
objects_find(const struct bridge_object *lost, struct bridge_object *found)
{
    int fd = -1;
    DIR *const processes = opendir("/proc");
    if (processes == NULL) {
        return false;
    }
    for (const struct dirent *entry; fd < 0 && (entry = readdir(processes)) != NULL;) {
        if (os_process_is_ours((uint32_t)strtoul(entry->d_name, NULL, 10))) {
            fd = find_in_process(entry->d_name, lost);
        }
    }
    closedir(processes);
    return objects_put(fd, found);
}
