/* SPDX-License-Identifier: MIT */
/*
 * A lock by name: flock on a file of the runtime folder. Each taking opens the file again, so that
 * threads of one process exclude each other too, and the system releases it when the holder dies.
 *
 * flock cannot wait with a timeout and must not be given one by a signal inside somebody else's
 * program, so waiting asks again at growing intervals.
 */
#include "posix.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_PAUSE_NS = 500000, LONGEST_PAUSE_NS = 8000000 };

struct os_lock {
    int fd;
};

/* A folder that was tidied up while we waited holds another file of this name, or none: a lock on
 * the old one would exclude nobody. */
static bool
is_still_the_file(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* OK, TIMEOUT when somebody else holds it now, REFUSED. */
static enum tutti_status
try_once(const char *path, int *out)
{
    for (;;) {
        const int fd =
            posix_free_fd(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
        if (fd < 0) {
            log_error("cannot open the lock %s: %s", path, strerror(errno));
            return TUTTI_REFUSED;
        }
        /* the program's umask may have taken our own rights, for the next one that comes */
        (void)fchmod(fd, S_IRUSR | S_IWUSR);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            close(fd);
            if (error == EINTR) {
                continue;
            }
            if (error == EWOULDBLOCK) {
                return TUTTI_TIMEOUT;
            }
            log_error("cannot lock %s: %s", path, strerror(error));
            return TUTTI_REFUSED;
        }
        if (is_still_the_file(fd, path)) {
            *out = fd;
            return TUTTI_OK;
        }
        close(fd);
    }
}

static enum tutti_status
take(const char *path, uint64_t deadline_ns, int *out)
{
    uint64_t pause_ns = FIRST_PAUSE_NS;
    for (;;) {
        const enum tutti_status status = try_once(path, out);
        const uint64_t now = os_now_ns();
        if (status != TUTTI_TIMEOUT || now >= deadline_ns) {
            return status;
        }
        os_sleep_until_ns(deadline_ns - now < pause_ns ? deadline_ns : now + pause_ns);
        if (pause_ns < LONGEST_PAUSE_NS) {
            pause_ns *= 2;
        }
    }
}

enum tutti_status
os_lock_take(struct os_lock **out, const char *name, uint64_t deadline_ns)
{
    assert(strchr(name, '/') == NULL);
    char dir[POSIX_PATH_BYTES], path[POSIX_PATH_BYTES + 64];
    if (os_runtime_dir(dir, sizeof(dir)) != TUTTI_OK) {
        return TUTTI_REFUSED;
    }
    const int length = snprintf(path, sizeof(path), "%s/%s.lock", dir, name);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        return TUTTI_REFUSED;
    }

    struct os_lock *lock = malloc(sizeof(*lock));
    if (lock == NULL) {
        return TUTTI_NO_MEMORY;
    }
    const enum tutti_status status = take(path, deadline_ns, &lock->fd);
    if (status != TUTTI_OK) {
        free(lock);
        return status;
    }
    *out = lock;
    return TUTTI_OK;
}

void
os_lock_release(struct os_lock *lock)
{
    if (lock == NULL) {
        return;
    }
    /* in so many words: a child that the program forked holds the same open file */
    flock(lock->fd, LOCK_UN);
    close(lock->fd);
    free(lock);
}
