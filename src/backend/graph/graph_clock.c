/* SPDX-License-Identifier: MIT */
/* Smooth time of cycles: a delay-locked loop of second order on the moments at which the server
 * woke. */
#include "backend/graph/graph_clock.h"

#include <math.h>

enum {
    LATE_CYCLES = 128, /* so many far behind: time was lost and nobody told */
    QUIET_CYCLES = 16, /* the news of an xrun comes some cycles after it */
};
void
graph_clock_start(struct graph_clock *clock, double rate_hz, uint32_t period_frames)
{
    *clock = (struct graph_clock){.period_frames = period_frames};
    dll_init(&clock->loop, period_frames * 1e9 / rate_hz);
}

/* Whole periods that lie in ns, to the nearest. */
static double
periods_in(const struct graph_clock *clock, double ns)
{
    return ns > 0 ? floor(ns / clock->loop.nominal_ns + 0.5) : 0;
}

/* True when the loop's lag behind the server is time that was lost. */
static bool
lag_is_loss(struct graph_clock *clock, double error_ns, bool told)
{
    if (error_ns < clock->loop.nominal_ns / 2) {
        clock->late_cycles = 0;
        return false;
    }
    /* A machine that stalled runs the cycles it owes at once: only an xrun, or a lag that stays,
     * says that they will not come. */
    clock->late_cycles += error_ns > 1.5 * clock->loop.nominal_ns;
    return told || clock->late_cycles >= LATE_CYCLES;
}

struct graph_moment
graph_clock_tick(struct graph_clock *clock, uint64_t woke_ns, uint32_t frame, uint32_t xruns)
{
    struct graph_moment moment = {0};
    if (!clock->begun) {
        clock->begun = true;
        clock->loop.next_ns = (double)woke_ns;
    } else if (!clock->counting) {
        /* Back from pacing: by time alone. */
        double passed = periods_in(clock, (double)woke_ns - clock->loop.next_ns);
        clock->loop.next_ns += passed * clock->loop.nominal_ns;
        moment.lost_frames = (uint64_t)passed * clock->period_frames;
    } else {
        /* Cycles that the server ran without us. */
        int32_t skipped = (int32_t)(frame - clock->expected_frame);
        if (skipped > 0) {
            moment.lost_frames = (uint64_t)skipped;
            clock->loop.next_ns += skipped * clock->loop.period_ns / clock->period_frames;
        }
    }
    bool told = clock->counting && xruns != clock->xruns;
    if (lag_is_loss(clock, (double)woke_ns - clock->loop.next_ns, told)) {
        double passed = periods_in(clock, (double)woke_ns - clock->loop.next_ns);
        clock->loop.next_ns += passed * clock->loop.nominal_ns;
        moment.lost_frames += (uint64_t)passed * clock->period_frames;
        clock->late_cycles = 0;
    }
    moment.xrun = moment.lost_frames || (told && !clock->quiet_cycles);
    clock->quiet_cycles -= clock->quiet_cycles > 0;
    if (moment.xrun) {
        clock->quiet_cycles = QUIET_CYCLES;
    }
    moment.time_ns = (uint64_t)clock->loop.next_ns;
    clock->xruns = xruns;
    clock->expected_frame = frame + clock->period_frames;
    clock->counting = true;
    dll_follow(&clock->loop, (double)woke_ns - clock->loop.next_ns);
    return moment;
}

void
graph_clock_forget_frames(struct graph_clock *clock)
{
    clock->counting = false;
}

bool
graph_clock_pace(struct graph_clock *clock, uint64_t now_ns, struct graph_moment *moment)
{
    if (!clock->begun) {
        clock->begun = true;
        clock->loop.next_ns = (double)now_ns;
    }
    clock->counting = false;
    double late_ns = (double)now_ns - clock->loop.next_ns;
    if (late_ns < 0) {
        return false;
    }
    double missed = floor(late_ns / clock->loop.nominal_ns);
    clock->loop.next_ns += missed * clock->loop.nominal_ns;
    *moment = (struct graph_moment){
        .time_ns = (uint64_t)clock->loop.next_ns,
        .lost_frames = (uint64_t)missed * clock->period_frames,
        .xrun = missed > 0,
    };
    clock->loop.next_ns += clock->loop.nominal_ns;
    return true;
}
