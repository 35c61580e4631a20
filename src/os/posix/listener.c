/* SPDX-License-Identifier: MIT */
/*
 * The engine's listening end: a SOCK_SEQPACKET socket in the runtime folder, ours or a service
 * manager's. The latter goes on listening when we are gone, so its file stays.
 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { BACKLOG = 128 };

struct os_listener {
    int fd;
    int wake_fd;  /* readable for good once woken */
    int spare_fd; /* given up for a program that can only be turned away; -1: is given up */
    dev_t device; /* of the socket's file: at close we remove ours and nobody else's */
    ino_t inode;
    char path[POSIX_PATH_BYTES]; /* "": a service manager's, which stays */
};

enum tutti_status
link_address_init(struct link_address *address)
{
    char dir[POSIX_PATH_BYTES];
    const enum tutti_status status = os_runtime_dir(dir, sizeof(dir));
    if (status != TUTTI_OK) {
        return status;
    }
    address->dir_fd = -1;
    address->sockaddr = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!posix_path_join(address->path, sizeof(address->path), dir, "engine")) {
        return TUTTI_IO;
    }
    char *to = address->sockaddr.sun_path;
    const size_t room = sizeof(address->sockaddr.sun_path);
    if (strlen(address->path) < room) {
        memcpy(to, address->path, strlen(address->path) + 1);
        return TUTTI_OK;
    }
    /* a socket's name holds 107 bytes, a folder's more: reach it through a descriptor */
    address->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (address->dir_fd < 0) {
        log_error("cannot open the runtime folder %s: %s", dir, strerror(errno));
        return TUTTI_IO;
    }
    snprintf(to, room, "/proc/self/fd/%d/engine", address->dir_fd);
    return TUTTI_OK;
}

void
link_address_fini(struct link_address *address)
{
    if (address->dir_fd >= 0) {
        close(address->dir_fd);
    }
}

static bool
bind_and_listen(struct os_listener *listener, const struct link_address *address)
{
    struct stat status;
    if (bind(listener->fd, (const struct sockaddr *)&address->sockaddr,
             sizeof(address->sockaddr)) != 0 ||
        chmod(address->path, S_IRUSR | S_IWUSR) != 0 || stat(address->path, &status) != 0 ||
        listen(listener->fd, BACKLOG) != 0) {
        return false;
    }
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    memcpy(listener->path, address->path, sizeof(listener->path));
    return true;
}

/* A socket of our own at the address. */
static bool
open_own(struct os_listener *listener, const struct link_address *address)
{
    listener->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0) {
        return false;
    }
    /* the engine lock is the caller's, so a socket that lies here is a dead engine's */
    if (unlink(address->path) != 0 && errno != ENOENT) {
        return false;
    }
    return bind_and_listen(listener, address);
}

static void
keep_spare(struct os_listener *listener)
{
    if (listener->spare_fd < 0) {
        listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

enum tutti_status
os_listener_open(struct os_listener **out)
{
    struct link_address address;
    int inherited = -1;
    enum tutti_status status = link_address_init(&address);
    if (status != TUTTI_OK) {
        return status;
    }
    status = link_inherited_listener(&inherited, address.path);
    if (status != TUTTI_OK) {
        goto out_address;
    }
    status = TUTTI_IO;
    struct os_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        goto out_address;
    }
    listener->fd = inherited;
    listener->spare_fd = -1;
    listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->wake_fd < 0) {
        goto out_listener;
    }

    /* Listening again is how programs learn our process and not the service manager's: a program
     * that connects sees the one that listened last. */
    if (inherited >= 0 ? listen(listener->fd, BACKLOG) != 0 : !open_own(listener, &address)) {
        goto out_listener;
    }
    keep_spare(listener);
    link_address_fini(&address);
    *out = listener;
    return TUTTI_OK;

out_listener:
    log_error("cannot listen at %s: %s", address.path, strerror(errno));
    if (listener->wake_fd >= 0) {
        close(listener->wake_fd);
    }
    if (listener->fd >= 0) {
        close(listener->fd);
    }
    free(listener);
out_address:
    link_address_fini(&address);
    return status;
}

/* No descriptor is left, but this one. */
static enum tutti_status
accept_with_spare(struct os_listener *listener, struct os_link **out)
{
    log_error("no file descriptor is left for another program; raise the limit (ulimit -n)");
    close(listener->spare_fd);
    listener->spare_fd = -1;
    const int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return TUTTI_IO;
    }
    const enum tutti_status status = link_adopt(out, fd);
    return status == TUTTI_OK ? TUTTI_FULL : status;
}

enum tutti_status
os_listener_accept(struct os_listener *listener, struct os_link **out, uint64_t deadline_ns)
{
    keep_spare(listener);
    for (;;) {
        struct pollfd fds[2] = {{.fd = listener->wake_fd, .events = POLLIN},
                                {.fd = listener->fd, .events = POLLIN}};
        const int ready = posix_poll_until(fds, 2, deadline_ns);
        if (ready == 0) {
            return TUTTI_TIMEOUT;
        }
        if (ready > 0 && fds[0].revents != 0) {
            return TUTTI_CLOSED;
        }
        const int fd =
            ready < 0 ? -1 : accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            return link_adopt(out, fd);
        }
        if ((errno == EMFILE || errno == ENFILE) && listener->spare_fd >= 0) {
            return accept_with_spare(listener, out);
        }
        if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
            log_error("cannot accept a program: %s", strerror(errno));
            return TUTTI_IO;
        }
    }
}

void
os_listener_wake(struct os_listener *listener)
{
    /* called by signal handlers too */
    const int error = errno;
    const uint64_t one = 1;
    (void)!write(listener->wake_fd, &one, sizeof(one));
    errno = error;
}

void
os_listener_close(struct os_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    struct stat status;
    if (listener->path[0] != '\0' && stat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode) {
        (void)unlink(listener->path);
    }
    close(listener->fd);
    close(listener->wake_fd);
    if (listener->spare_fd >= 0) {
        close(listener->spare_fd);
    }
    free(listener);
}
