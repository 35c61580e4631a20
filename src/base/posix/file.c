/* SPDX-License-Identifier: MIT */
/* Files on POSIX systems: paths are bytes. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1100, LINKS = 40 };

bool
file_is_windows(void)
{
    return false;
}

FILE *
file_open(const char *path, const char *mode)
{
    return fopen(path, mode);
}

/* Opening a pipe would wait for a writer. */
FILE *
file_open_regular(const char *path)
{
    struct stat state;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (file < 0) {
        errno = errno == ENXIO ? ENODEV : errno; /* a socket */
        return NULL;
    }
    bool regular = fstat(file, &state) == 0 && S_ISREG(state.st_mode);
    FILE *stream = regular ? fdopen(file, "rb") : NULL;
    int reason = regular ? errno : ENODEV;
    if (!stream) {
        close(file);
        errno = reason;
    }
    return stream;
}

static _Atomic int spare = -1;

void
file_keep_spare(void)
{
    atomic_store(&spare, open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static int
open_to_append(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
}

bool
file_append(const char *path, const void *data, size_t bytes, uint64_t *size_bytes)
{
    struct stat state = {0};
    int kept = -1, file = open_to_append(path);
    if (file < 0 && (errno == EMFILE || errno == ENFILE)) {
        kept = atomic_exchange(&spare, -1);
        if (kept >= 0) {
            close(kept);
            file = open_to_append(path);
        }
    }
    if (file < 0) {
        return false;
    }
    bool written = write(file, data, bytes) == (ssize_t)bytes && fstat(file, &state) == 0;
    if ((state.st_mode & 0600) != 0600) { /* the umask of the program that we are in */
        (void)fchmod(file, 0600);
    }
    /* the file's descriptor is the next spare one: nobody can take it in between */
    if (kept >= 0) {
        atomic_store(&spare, file);
    } else {
        close(file);
    }
    *size_bytes = (uint64_t)state.st_size;
    return written;
}

/* What a link says, from its own folder. 1: target is that; 0: path is no link; -1, with errno. */
static int
follow_once(const char *path, char *target, size_t bytes)
{
    char said[PATH_BYTES];
    ssize_t length = readlink(path, said, sizeof(said));
    if (length < 0) {
        return 0; /* the caller that opens it finds out more */
    }
    const char *slash = strrchr(path, '/');
    size_t folder = slash && said[0] != '/' ? (size_t)(slash - path) + 1 : 0;
    if ((size_t)length >= sizeof(said) || folder + (size_t)length >= bytes) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(target, path, folder);
    memcpy(target + folder, said, (size_t)length);
    target[folder + (size_t)length] = '\0';
    return 1;
}

bool
file_follow(const char *path, char *target, size_t bytes)
{
    char at[PATH_BYTES];
    if (strlen(path) >= bytes || strlen(path) >= sizeof(at)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(target, path, strlen(path) + 1);
    for (unsigned links = 0; links < LINKS; links++) {
        memcpy(at, target, strlen(target) + 1);
        int more = follow_once(at, target, bytes < sizeof(at) ? bytes : sizeof(at));
        if (more <= 0) {
            return more == 0;
        }
    }
    errno = ELOOP;
    return false;
}

bool
file_replace(const char *from, const char *to)
{
    return rename(from, to) == 0;
}

bool
file_replace_read(const char *from, const char *to)
{
    return file_replace(from, to);
}

/* The folder itself is locked: no further file lies about, and what is renamed keeps no lock. */
intptr_t
file_claim(const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (length >= sizeof(folder)) {
        return 0;
    }
    memcpy(folder, length ? path : ".", length ? length : 1);
    folder[length ? length : 1] = '\0';
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    /* A file system without locks: as if nobody else was there. */
    if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(file);
        return 0;
    }
    return (intptr_t)file + 1;
}

void
file_unclaim(intptr_t claim)
{
    close((int)claim - 1);
}

bool
file_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT;
}

static uint64_t
nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000U + (uint64_t)time->tv_nsec;
}

void
file_look(const char *path, struct file_stamp *stamp)
{
    struct stat state;
    *stamp = (struct file_stamp){0};
    if (stat(path, &state) == 0) {
        stamp->there = true;
        stamp->size_bytes = (uint64_t)state.st_size;
        stamp->changed = nanoseconds(&state.st_mtim);
        stamp->identity = (uint64_t)state.st_ino;
        stamp->volume = (uint64_t)state.st_dev;
        stamp->entry_changed = nanoseconds(&state.st_ctim);
    }
}
