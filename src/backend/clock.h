/* SPDX-License-Identifier: MIT */
/*
 * The time that cycles carry: smooth, true after the device stood still, never backward. A loop
 * follows the pairs that a device shows, its count of frames and the moment of that count, which
 * come with jitter. Each moment keeps its raw pair: who measures how fast the device's clock runs
 * must not do it on what is smooth already. Pure, but for the cycle that it calls.
 */
#ifndef TUTTI_BACKEND_CLOCK_H
#define TUTTI_BACKEND_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/dll.h"

struct backend_clock {
    struct dll loop;
    uint64_t frames;      /* of the device, at the end of its last period; lost ones count */
    uint64_t lost_frames; /* since then, to be reported by the next moment */
    uint64_t last_ns;     /* the last moment */
    double owed_frames;   /* lost, and less than the half period that can be reported */
    uint32_t period_frames;
    bool begun;     /* loop.next_ns is meant */
    bool restarted; /* the device's frames begin again at the next tick */
};

/* A period of a device, or one in its place while it stands still. */
struct backend_moment {
    uint64_t time_ns;     /* when the period was complete; grows strictly from call to call */
    uint64_t lost_frames; /* before it */
    bool xrun;
    uint64_t device_frames, device_time_ns; /* as in backend_cycle */
};

/** Begins again: the first period is where it is, and nothing was lost before it. */
void backend_clock_start(struct backend_clock *clock, double rate_hz, uint32_t period_frames);

/** The device stopped and was started again: the next tick sees by the time that has passed what
 * was lost, in whole periods, for programs keep their places in them. Real time. */
void backend_clock_restart(struct backend_clock *clock);

/** So many frames of the device went by without us. Real time. */
void backend_clock_skip(struct backend_clock *clock, uint32_t frames);
/** The device went on without us, nobody knows how far: as many periods as time says at seen_ns, to
 * the nearest. Real time. */
void backend_clock_catch_up(struct backend_clock *clock, uint64_t seen_ns);

/** The next period of the device. The device was ahead_frames beyond the end of it at
 * device_time_ns. Real time. */
struct backend_moment backend_clock_tick(struct backend_clock *clock, uint64_t device_time_ns,
                                         uint32_t ahead_frames);

/** While the device stands still: true, and the moment, when a period is due by the nominal rate.
 * Real time. */
bool backend_clock_pace(struct backend_clock *clock, uint64_t now_ns,
                        struct backend_moment *moment);

/** When the next period is due. */
uint64_t backend_clock_due_ns(const struct backend_clock *clock);
/** How long after it was due a period was seen at seen_ns; 0 before the first one. */
double backend_clock_late_ns(const struct backend_clock *clock, uint64_t seen_ns);
/** True when a device may mean a moment that lies so far back: neither in the future nor some
 * periods ago. */
bool backend_clock_believes(const struct backend_clock *clock, double since_ns);

/** Calls the engine for a moment. cycle: in, out, frames and start_ns are set. Real time. */
void backend_clock_call(const struct backend_callbacks *callbacks,
                        const struct backend_moment *moment, struct backend_cycle *cycle);

#endif
