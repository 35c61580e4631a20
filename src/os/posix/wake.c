/* SPDX-License-Identifier: MIT */
/*
 * Wake-ups: a futex on a word of shared memory, so never FUTEX_PRIVATE. Beside it, for Windows
 * programs under Wine, a pipe: they can read and write one without Wine's server.
 *
 * A post always makes the system call. Leaving it out when nobody waits needs a second word that
 * says so, and that word would be the peer's to falsify. It wakes one waiter, for there is one: a
 * peer that parks thousands of threads on the word would make each post take milliseconds. A thread
 * that waits on another's word may take a wake-up from it: the engine looks again in time without.
 */
#include "posix.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

enum { PIPE_BYTES = 65536 }; /* that a pipe holds: emptied at once, whoever filled it */

static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is a plain 32-bit word");

enum tutti_status
os_wake_init(struct os_wake *wake, _Atomic uint32_t *word)
{
    *wake = (struct os_wake){.word = word, .event = OS_NO_HANDLE, .ear = OS_NO_HANDLE};
    return TUTTI_OK;
}

enum tutti_status
os_wake_init_common(struct os_wake *wake, _Atomic uint32_t *word, _Atomic uint32_t *by_event)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        log_error("cannot make a pipe: %s", strerror(errno));
        return TUTTI_NO_MEMORY;
    }
    *wake = (struct os_wake){.word = word, .event = ends[1], .ear = ends[0], .by_event = by_event};
    return TUTTI_OK;
}

void
os_wake_use_event(struct os_wake *wake, bool use)
{
    atomic_store(&wake->listens, use);
    /* Between the two stores a post may go where nobody listens. The word has counted it: it is
     * heard with the next one, or at the waiter's deadline. */
    atomic_store(wake->by_event, use);
}

/* Ends of our own of the same pipe: whether writing to it waits is not the peer's to decide, and as
 * long as we could read it ourselves, writing is no error when the peer has gone. */
static int
open_pipe(int fd)
{
    char path[32];
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return posix_free_fd(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

enum tutti_status
os_wake_adopt(struct os_wake *wake, _Atomic uint32_t *word, os_handle event,
              _Atomic uint32_t *by_event)
{
    os_wake_init(wake, word);
    if (event == OS_NO_HANDLE)
        return TUTTI_OK;
    const int fd = open_pipe((int)event);
    close((int)event);
    if (fd < 0) {
        log_warning("what a peer wants to be woken by is no pipe: refused");
        return TUTTI_PROTOCOL;
    }
    wake->event = fd;
    wake->by_event = by_event;
    return TUTTI_OK;
}

void
os_wake_fini(struct os_wake *wake)
{
    if (wake->word != NULL) {
        os_handle_close(wake->event);
        os_handle_close(wake->ear);
    }
    *wake = (struct os_wake){.event = OS_NO_HANDLE, .ear = OS_NO_HANDLE};
}

void
os_wake_post(struct os_wake *wake)
{
    /* seen by the waiter's acquire load in os_wake_wait(): what the poster wrote before is visible
     */
    atomic_fetch_add(wake->word, 1);
    if (wake->event != OS_NO_HANDLE && (wake->by_event == NULL || atomic_load(wake->by_event)))
        /* a pipe that is full wakes its reader without this byte */
        (void)!write((int)wake->event, "", 1);
    else
        syscall(SYS_futex, wake->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void
listen_to_pipe(int fd, uint64_t deadline_ns)
{
    char bytes[PIPE_BYTES];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (posix_poll_until(&readable, 1, deadline_ns) > 0)
        (void)!read(fd, bytes, sizeof bytes);
}

bool
os_wake_wait(struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    const bool listens = atomic_load(&wake->listens);
    if (atomic_load(wake->word) != seen)
        return true;
    if (listens) {
        listen_to_pipe((int)wake->ear, deadline_ns);
        return atomic_load_explicit(wake->word, memory_order_acquire) != seen;
    }
    const struct timespec at = posix_timespec(deadline_ns);
    /* the bitset form takes an absolute time of CLOCK_MONOTONIC; the kernel compares the word
     * again. One wait only: a waiter that was woken looks at the protocol's own words, whatever
     * this says. */
    syscall(SYS_futex, wake->word, FUTEX_WAIT_BITSET, seen, deadline_ns == UINT64_MAX ? NULL : &at,
            NULL, FUTEX_BITSET_MATCH_ANY);
    return atomic_load_explicit(wake->word, memory_order_acquire) != seen;
}
