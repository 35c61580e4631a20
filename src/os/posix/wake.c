/* SPDX-License-Identifier: MIT */
/*
 * Wake-ups: a futex on a word of shared memory, so never FUTEX_PRIVATE. What Windows programs under
 * Wine have in its place is in bells.c.
 *
 * A post always makes the system call. Leaving it out when nobody waits needs a second word that
 * says so, and that word would be the peer's to falsify. It wakes one waiter, for there is one: a
 * peer that parks thousands of threads on the word would make each post take milliseconds. A thread
 * that waits on another's word may take a wake-up from it: the engine looks again in time without.
 */
#include "posix.h"

#include <assert.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is a plain 32-bit word");

enum tutti_status
os_wake_init(struct os_wake *wake, _Atomic uint32_t *word)
{
    *wake = (struct os_wake){.word = word, .event = OS_NO_HANDLE};
    return TUTTI_OK;
}

enum tutti_status
os_wake_adopt(struct os_wake *wake, _Atomic uint32_t *word, os_handle event)
{
    os_wake_init(wake, word);
    if (event == OS_NO_HANDLE) {
        return TUTTI_OK;
    }
    close((int)event);
    log_warning("a peer wants to be woken by more than a word: refused");
    return TUTTI_PROTOCOL;
}

void
os_wake_fini(struct os_wake *wake)
{
    *wake = (struct os_wake){.event = OS_NO_HANDLE};
}

void
os_wake_post(struct os_wake *wake)
{
    /* seen by the waiter's acquire load in os_wake_wait(): what the poster wrote before is visible
     */
    atomic_fetch_add(wake->word, 1);
    syscall(SYS_futex, wake->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool
os_wake_wait(struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    if (atomic_load(wake->word) != seen) {
        return true;
    }
    const struct timespec at = posix_timespec(deadline_ns);
    /* the bitset form takes an absolute time of CLOCK_MONOTONIC; the kernel compares the word
     * again. One wait only: a waiter that was woken looks at the protocol's own words, whatever
     * this says. */
    syscall(SYS_futex, wake->word, FUTEX_WAIT_BITSET, seen, deadline_ns == UINT64_MAX ? NULL : &at,
            NULL, FUTEX_BITSET_MATCH_ANY);
    return atomic_load_explicit(wake->word, memory_order_acquire) != seen;
}
