/* SPDX-License-Identifier: MIT */
/*
 * Wake-ups: a word of shared memory, and an auto-reset event that carries no meaning of its own. A
 * post that nobody waited for leaves the event set, and the next wait returns early for it.
 */
#include "bridge.h"

#include <stdlib.h>

/* A plain wait ends on a tick of the system's clock (up to 15.6 ms late) but costs one call instead
 * of two: it serves while the deadline is farther than this, and leaves half of it to the timer. */
enum { FAR_NS = 50 * OS_NS_PER_MS };

enum tutti_status
os_wake_init(struct os_wake *wake, _Atomic uint32_t *word)
{
    if (bridge_is_on()) {
        *wake = (struct os_wake){.word = word};
        return bridge_pipe_create(&wake->event);
    }
    const HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (event == NULL) {
        win32_log_failure("create an event", GetLastError());
        return TUTTI_NO_MEMORY;
    }
    *wake = (struct os_wake){.word = word, .event = (os_handle)event};
    return TUTTI_OK;
}

enum tutti_status
os_wake_adopt(struct os_wake *wake, _Atomic uint32_t *word, os_handle event)
{
    if (event == OS_NO_HANDLE) {
        return TUTTI_PROTOCOL;
    }
    if (bridge_owns(event)) {
        *wake = (struct os_wake){.word = word, .event = event};
        if (bridge_pipe_open(event)) {
            return TUTTI_OK;
        }
        os_wake_fini(wake);
        return TUTTI_PROTOCOL;
    }
    if (win32_object_type((HANDLE)event) != WIN32_OBJECT_EVENT) {
        CloseHandle((HANDLE)event);
        return TUTTI_PROTOCOL;
    }
    *wake = (struct os_wake){.word = word, .event = event};
    return TUTTI_OK;
}

void
os_wake_fini(struct os_wake *wake)
{
    if (wake->word != NULL) {
        os_handle_close(wake->event);
    }
    *wake = (struct os_wake){.event = OS_NO_HANDLE};
}

void
os_wake_post(struct os_wake *wake)
{
    /* seen by the waiter's acquire load in os_wake_wait(): what the poster wrote before is visible
     */
    atomic_fetch_add_explicit(wake->word, 1, memory_order_acq_rel);
    if (bridge_owns(wake->event)) {
        bridge_pipe_post(wake->event);
    } else {
        SetEvent((HANDLE)wake->event);
    }
}

static void
wait_for_event(HANDLE event, uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX) {
        WaitForSingleObject(event, INFINITE);
        return;
    }
    for (;;) {
        const uint64_t now = os_now_ns();
        if (now >= deadline_ns) {
            return;
        }
        const uint64_t left_ns = deadline_ns - now;
        if (left_ns > FAR_NS) {
            const DWORD ms = win32_timeout_ms(deadline_ns - FAR_NS / 2);
            if (WaitForSingleObject(event, ms) != WAIT_TIMEOUT) {
                return;
            }
            continue;
        }
        const HANDLE timer = win32_set_timer(left_ns);
        if (timer == NULL) {
            WaitForSingleObject(event, win32_timeout_ms(deadline_ns));
            return;
        }
        const HANDLE both[2] = {event, timer};
        WaitForMultipleObjects(2, both, FALSE, INFINITE);
        return;
    }
}

bool
os_wake_wait(struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    if (bridge_owns(wake->event)) {
        return bridge_pipe_wait(wake->event, wake->word, seen, deadline_ns);
    }
    if (atomic_load_explicit(wake->word, memory_order_acquire) != seen) {
        return true;
    }
    wait_for_event((HANDLE)wake->event, deadline_ns);
    return atomic_load_explicit(wake->word, memory_order_acquire) != seen;
}
