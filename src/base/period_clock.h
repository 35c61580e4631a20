/* SPDX-License-Identifier: MIT */
/*
 * When periods were complete, smoothly, and what was lost when the device stood still: a loop on
 * the moments at which periods were seen. Pure.
 */
#ifndef TUTTI_PERIOD_CLOCK_H
#define TUTTI_PERIOD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dll.h"

struct period_clock {
    struct dll loop;
    double owed_frames; /* lost, and less than the half period that can be told */
    uint64_t last_ns;   /* told last; 0: nothing yet */
    uint32_t period_frames;
    bool restarted; /* the device's frames begin anew at the next tick */
};

struct period_moment {
    uint64_t time_ns;     /* when the period was complete; grows strictly from call to call */
    uint64_t lost_frames; /* before it; whole periods, for programs keep their places in them */
    bool xrun;
};

/** Begins anew: the first period is where it is, and nothing was lost before it. */
void period_clock_start(struct period_clock *clock, double rate_hz, uint32_t period_frames);

/** The device stopped and was started again: the next tick sees by the time that has passed what
 * was lost. Real time. */
void period_clock_restart(struct period_clock *clock);

/** A period of the device, complete at ready_ns as far as it was seen. Real time. */
struct period_moment period_clock_tick(struct period_clock *clock, uint64_t ready_ns);

/** While the device stands still: true, and the moment, when a period is due by the nominal rate.
 * Real time. */
bool period_clock_pace(struct period_clock *clock, uint64_t now_ns, struct period_moment *moment);

#endif
