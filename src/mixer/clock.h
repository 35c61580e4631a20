/* SPDX-License-Identifier: MIT */
/* The time that the cycle lives by: the system's, or one that a test steps. */
#ifndef TUTTI_MIXER_CLOCK_H
#define TUTTI_MIXER_CLOCK_H

#include "os/os_realtime.h"

/* Time and waiting, injected. */
struct cycle_clock {
    void *user;
    uint64_t (*now_ns)(void *user);
    /** Waits until wake's word differs from seen or now_ns() >= deadline_ns; may return early. */
    void (*wait)(void *user, struct os_wake *wake, uint32_t seen, uint64_t deadline_ns);
};

#endif
