/* SPDX-License-Identifier: MIT */
/*
 * One end of the control link: a connected SOCK_SEQPACKET socket. Each packet begins with a leader
 * of our own that says at which positions handles travel; the handles themselves go along as
 * SCM_RIGHTS.
 *
 * The socket keeps packets whole, so several threads send without a lock. It never blocks: waiting
 * is poll()'s, which a peer's death, however sudden, ends at once.
 */
#include "link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"

struct leader {
    uint32_t message_bytes;
    uint32_t handle_mask; /* bit n: handle n travels */
};
static_assert(sizeof(struct leader) == 8, "the same from 32- and 64-bit programs");

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

struct os_link {
    int fd;
    int process; /* pidfd of the other side; -1: its end shows by the link alone */
    uint32_t peer_pid;
    atomic_bool shut; /* set by os_link_shutdown() or after a packet that cannot be trusted */
};

/* Room for the control message, aligned as its header asks. */
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * OS_LINK_MAX_HANDLES)];
};

/* Its children may have the link as well, so that the link says nothing of its end. -1: it cannot
 * be watched, or *gone. */
static int
watch_process(int fd, pid_t pid, bool *gone)
{
    int process;
    socklen_t bytes = sizeof(process);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &bytes) != 0) {
        process = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    }
    *gone = process < 0 && errno == ESRCH;
    return posix_free_fd(process);
}

static enum tutti_status
adopt(struct os_link **out, int fd, struct ucred *peer)
{
    socklen_t peer_bytes = sizeof(*peer);
    enum tutti_status status = TUTTI_REFUSED;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &peer_bytes) != 0 || peer->uid != geteuid()) {
        log_warning("the other side of the link is not this user's: refused");
        goto out;
    }
    status = TUTTI_NO_MEMORY;
    struct os_link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        goto out;
    }
    link->fd = fd;
    link->process = -1;
    link->peer_pid = peer->pid > 0 ? (uint32_t)peer->pid : 0;
    *out = link;
    return TUTTI_OK;

out:
    close(fd);
    return status;
}

enum tutti_status
link_adopt(struct os_link **out, int fd)
{
    struct ucred peer;
    bool gone;
    const enum tutti_status status = adopt(out, fd, &peer);
    if (status != TUTTI_OK) {
        return status;
    }
    (*out)->process = watch_process(fd, peer.pid, &gone);
    if (gone) {
        shutdown(fd, SHUT_RDWR); /* what it said before is still received */
    }
    return TUTTI_OK;
}

/* Waits for room in the listener's queue until the deadline. 0 or errno. */
static int
connect_until(int fd, const struct link_address *address, uint64_t deadline_ns)
{
    for (;;) {
        const uint64_t now = os_now_ns();
        const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
        /* rounded up, because 0 means for ever */
        struct timeval timeout = {.tv_sec = (time_t)(left / OS_NS_PER_S),
                                  .tv_usec = (suseconds_t)(left % OS_NS_PER_S / 1000) + 1};
        if (timeout.tv_usec >= 1000000) {
            timeout.tv_usec = 999999;
        }
        if (deadline_ns == UINT64_MAX) {
            timeout = (struct timeval){0};
        }
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0) {
            return errno;
        }
        if (connect(fd, (const struct sockaddr *)&address->sockaddr, sizeof(address->sockaddr)) ==
            0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

static enum tutti_status
connect_status(int error, const char *path)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return TUTTI_NO_ENGINE; /* the ordinary case: nobody has started it yet */
    case EAGAIN:
        return TUTTI_TIMEOUT;
    default:
        log_error("cannot connect to %s: %s", path, strerror(error));
        return TUTTI_REFUSED;
    }
}

enum tutti_status
os_link_connect(struct os_link **out, uint64_t deadline_ns)
{
    struct link_address address;
    /* a folder that cannot be had is not this user's engine either */
    if (link_address_init(&address) != TUTTI_OK) {
        return TUTTI_REFUSED;
    }
    const int fd = posix_free_fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const int error = fd < 0 ? errno : connect_until(fd, &address, deadline_ns);
    link_address_fini(&address);
    if (error != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return connect_status(error, address.path);
    }
    /* The process is not watched: behind the socket of a service manager it may be an engine that
     * ended, whose successor will take the link. */
    struct ucred peer;
    return adopt(out, fd, &peer);
}

/* ---- sending ---- */

/* Fills in the handles. False when the count is beyond the limit. */
static bool
attach_handles(struct msghdr *packet, union control *control, struct leader *leader,
               const os_handle *handles, unsigned handle_count)
{
    int fds[OS_LINK_MAX_HANDLES];
    unsigned count = 0;
    if (handle_count > OS_LINK_MAX_HANDLES) {
        return false;
    }
    for (unsigned i = 0; i < handle_count; i++) {
        if (handles[i] == OS_NO_HANDLE) {
            continue;
        }
        leader->handle_mask |= 1u << i;
        fds[count++] = (int)handles[i];
    }
    if (count == 0) {
        return true;
    }
    memset(control, 0, sizeof(*control));
    packet->msg_control = control;
    packet->msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    return true;
}

static enum tutti_status
send_status(int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return TUTTI_CLOSED;
    case EBADF:
    case ETOOMANYREFS:
        log_error("handles cannot be sent: %s", strerror(error));
        return TUTTI_REFUSED;
    default:
        log_error("cannot send on the link: %s", strerror(error));
        return TUTTI_CLOSED;
    }
}

enum tutti_status
os_link_send(struct os_link *link, const void *message, size_t message_bytes,
             const os_handle *handles, unsigned handle_count, uint64_t deadline_ns)
{
    if (message_bytes == 0 || message_bytes > OS_LINK_MAX_MESSAGE_BYTES) {
        return TUTTI_INVALID_ARGUMENT;
    }
    struct leader leader = {.message_bytes = (uint32_t)message_bytes};
    struct iovec parts[2] = {{.iov_base = &leader, .iov_len = sizeof(leader)},
                             {.iov_base = (void *)message, .iov_len = message_bytes}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    union control control;
    if (!attach_handles(&packet, &control, &leader, handles, handle_count)) {
        return TUTTI_INVALID_ARGUMENT;
    }

    for (;;) {
        if (atomic_load(&link->shut)) {
            return TUTTI_CLOSED;
        }
        if (sendmsg(link->fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
            return TUTTI_OK;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            return send_status(errno);
        }
        struct pollfd writable = {.fd = link->fd, .events = POLLOUT};
        if (posix_poll_until(&writable, 1, deadline_ns) == 0) {
            return TUTTI_TIMEOUT;
        }
    }
}

/* ---- receiving ---- */

/* Takes every descriptor out of a packet, whatever process sent it; those beyond the limit are
 * closed. */
static unsigned
take_fds(struct msghdr *packet, int fds[OS_LINK_MAX_HANDLES])
{
    unsigned count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(packet); header != NULL;
         header = CMSG_NXTHDR(packet, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
            if (count < OS_LINK_MAX_HANDLES) {
                fds[count++] = posix_free_fd(fd);
            } else {
                close(fd);
            }
        }
    }
    return count;
}

/* What is wrong with a packet as a whole; NULL when it is sound. */
static const char *
objection(const struct msghdr *packet, size_t packet_bytes, const struct leader *leader,
          unsigned fd_count)
{
    if ((packet->msg_flags & MSG_TRUNC) != 0) {
        return "longer than there is room";
    }
    if ((packet->msg_flags & MSG_CTRUNC) != 0) {
        return "with more handles than fit";
    }
    if (packet_bytes < sizeof(*leader) || leader->message_bytes != packet_bytes - sizeof(*leader) ||
        leader->message_bytes == 0) {
        return "of another length than it says";
    }
    if (leader->handle_mask >> OS_LINK_MAX_HANDLES != 0 ||
        (unsigned)__builtin_popcount(leader->handle_mask) != fd_count) {
        return "with other handles than it says";
    }
    return NULL;
}

/* Of the handles that a sound packet announces, some did not come: this process may have no more.
 */
static bool
lacks_descriptors(const struct msghdr *packet, size_t packet_bytes, const struct leader *leader,
                  unsigned fd_count)
{
    return (packet->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == MSG_CTRUNC &&
           packet_bytes > sizeof(*leader) &&
           leader->message_bytes == packet_bytes - sizeof(*leader) &&
           leader->handle_mask >> OS_LINK_MAX_HANDLES == 0 &&
           (unsigned)__builtin_popcount(leader->handle_mask) > fd_count;
}

static enum tutti_status
receive_packet(struct os_link *link, void *message, size_t message_room, size_t *message_bytes,
               os_handle *handles)
{
    struct leader leader = {0};
    union control control;
    struct iovec parts[2] = {{.iov_base = &leader, .iov_len = sizeof(leader)},
                             {.iov_base = message, .iov_len = message_room}};
    struct msghdr packet = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    const ssize_t got = recvmsg(link->fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) {
        /* a peer that closed with packets of ours unread is reported by this error once, before
         * what it had sent: its last words come with the next call */
        return errno == EAGAIN || errno == EINTR || errno == ECONNRESET ? TUTTI_TIMEOUT
                                                                        : TUTTI_CLOSED;
    }
    int fds[OS_LINK_MAX_HANDLES] = {-1, -1, -1, -1};
    const unsigned fd_count = take_fds(&packet, fds);
    const char *why = objection(&packet, (size_t)got, &leader, fd_count);
    const bool full = lacks_descriptors(&packet, (size_t)got, &leader, fd_count);
    if (got == 0 || why != NULL) {
        for (unsigned i = 0; i < fd_count; i++) {
            close(fds[i]);
        }
        if (got == 0) {
            return TUTTI_CLOSED;
        }
        if (full) {
            log_error("no file descriptor is left for what process %u sent; raise the limit "
                      "(ulimit -n)",
                      link->peer_pid);
            for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
                handles[i] = OS_NO_HANDLE;
            }
            *message_bytes = leader.message_bytes;
            return TUTTI_FULL;
        }
        log_warning("process %u sent a packet %s", link->peer_pid, why);
        os_link_shutdown(link);
        return TUTTI_PROTOCOL;
    }
    unsigned next = 0;
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        handles[i] = (leader.handle_mask >> i & 1u) != 0 ? (os_handle)fds[next++] : OS_NO_HANDLE;
    }
    *message_bytes = leader.message_bytes;
    return TUTTI_OK;
}

/* The process ended. What it said before is still received, what its children say is not. */
static void
end_with_process(struct os_link *link)
{
    shutdown(link->fd, SHUT_RDWR);
    close(link->process);
    link->process = -1;
}

enum tutti_status
os_link_recv(struct os_link *link, void *message, size_t message_room, size_t *message_bytes,
             os_handle *handles, uint64_t deadline_ns)
{
    for (;;) {
        if (atomic_load(&link->shut)) {
            return TUTTI_CLOSED;
        }
        const enum tutti_status status =
            receive_packet(link, message, message_room, message_bytes, handles);
        if (status != TUTTI_TIMEOUT) {
            return status;
        }
        struct pollfd fds[2] = {{.fd = link->fd, .events = POLLIN},
                                {.fd = link->process, .events = POLLIN}};
        const int ready = posix_poll_until(fds, 2, deadline_ns);
        if (ready == 0) {
            return TUTTI_TIMEOUT;
        }
        if (ready > 0 && fds[1].revents != 0) {
            end_with_process(link);
        }
    }
}

/* ---- ending ---- */

void
os_link_shutdown(struct os_link *link)
{
    atomic_store(&link->shut, true);
    shutdown(link->fd, SHUT_RDWR);
}

void
os_link_close(struct os_link *link)
{
    if (link == NULL) {
        return;
    }
    if (link->process >= 0) {
        close(link->process);
    }
    close(link->fd);
    free(link);
}

uint32_t
os_link_peer_pid(const struct os_link *link)
{
    return link->peer_pid;
}

uint32_t
os_link_host_pid(void)
{
    return 0;
}

int64_t
os_link_clock_offset_ns(void)
{
    return 0;
}

enum tutti_status
os_link_runtime_dir(char *path, size_t path_bytes)
{
    return os_runtime_dir(path, path_bytes);
}
