/* SPDX-License-Identifier: MIT */
/*
 * When a cycle began, smoothly (backend/clock.h), and what was lost before it: from the moment at
 * which the server woke, its count of frames and its count of xruns. Pure.
 *
 * Servers' own smooth time is not used: after an xrun jackd (jack_get_cycle_times) neither counts
 * the lost frames nor moves that time, which then limps behind for seconds.
 */
#ifndef TUTTI_BACKEND_GRAPH_CLOCK_H
#define TUTTI_BACKEND_GRAPH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/clock.h"

struct graph_clock {
    struct backend_clock time;
    uint32_t expected_frame; /* the server's count at the next cycle */
    uint32_t xruns;          /* seen */
    unsigned late_cycles;    /* in a row far behind, without an xrun */
    unsigned quiet_cycles;   /* in which an xrun is the news of a loss that was seen already */
    bool counting;           /* expected_frame and xruns are of the present server time */
};

/** Begins anew: the first cycle is where it is, and nothing was lost before it. */
void graph_clock_start(struct graph_clock *clock, double rate_hz, uint32_t period_frames);

/** A cycle of the server: woke_ns, when it began; frame, its count of frames; xruns, how many were
 * told so far. Real time. */
struct backend_moment graph_clock_tick(struct graph_clock *clock, uint64_t woke_ns, uint32_t frame,
                                       uint32_t xruns);

/** The server's next count of frames has nothing to do with the last: time alone tells what was
 * lost. Real time. */
void graph_clock_forget_frames(struct graph_clock *clock);

/** While the server's frames do not follow time (it renders): true, and the moment, when a period
 * is due by the nominal rate. The next tick sees as lost what passed beyond. Real time. */
bool graph_clock_pace(struct graph_clock *clock, uint64_t now_ns, struct backend_moment *moment);

#endif
