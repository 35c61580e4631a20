/* SPDX-License-Identifier: MIT */
/* What a server lost, by its counts and by time. */
#include "backend/graph/graph_clock.h"

enum {
    LATE_CYCLES = 128, /* so many far behind: time was lost and nobody told */
    QUIET_CYCLES = 16, /* the news of an xrun comes some cycles after it */
};

void
graph_clock_start(struct graph_clock *clock, double rate_hz, uint32_t period_frames)
{
    *clock = (struct graph_clock){0};
    backend_clock_start(&clock->time, rate_hz, period_frames);
}

/* True when the loop's lag behind the server is time that was lost. */
static bool
lag_is_loss(struct graph_clock *clock, double late_ns, bool told)
{
    double period_ns = clock->time.loop.nominal_ns;
    if (late_ns < period_ns / 2) {
        clock->late_cycles = 0;
        return false;
    }
    /* A machine that stalled runs the cycles it owes at once: only an xrun, or a lag that stays,
     * says that they will not come. */
    clock->late_cycles += late_ns > 1.5 * period_ns;
    return told || clock->late_cycles >= LATE_CYCLES;
}

struct backend_moment
graph_clock_tick(struct graph_clock *clock, uint64_t woke_ns, uint32_t frame, uint32_t xruns)
{
    bool told = clock->counting && xruns != clock->xruns;
    if (!clock->counting) {
        backend_clock_catch_up(&clock->time, woke_ns); /* back from pacing */
    } else if ((int32_t)(frame - clock->expected_frame) > 0) {
        backend_clock_skip(&clock->time, frame - clock->expected_frame);
    }
    if (lag_is_loss(clock, backend_clock_late_ns(&clock->time, woke_ns), told)) {
        backend_clock_catch_up(&clock->time, woke_ns);
        clock->late_cycles = 0;
    }
    struct backend_moment moment = backend_clock_tick(&clock->time, woke_ns, 0);
    moment.xrun |= told && !clock->quiet_cycles;
    clock->quiet_cycles -= clock->quiet_cycles > 0;
    if (moment.xrun) {
        clock->quiet_cycles = QUIET_CYCLES;
    }
    clock->xruns = xruns;
    clock->expected_frame = frame + clock->time.period_frames;
    clock->counting = true;
    return moment;
}

void
graph_clock_forget_frames(struct graph_clock *clock)
{
    clock->counting = false;
}

bool
graph_clock_pace(struct graph_clock *clock, uint64_t now_ns, struct backend_moment *moment)
{
    clock->counting = false;
    return backend_clock_pace(&clock->time, now_ns, moment);
}
