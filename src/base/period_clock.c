/* SPDX-License-Identifier: MIT */
/* Smooth time of periods: a delay-locked loop of second order. */
#include "base/period_clock.h"

#include <math.h>

void
period_clock_start(struct period_clock *clock, double rate_hz, uint32_t period_frames)
{
    *clock = (struct period_clock){.period_frames = period_frames};
    dll_init(&clock->loop, period_frames * 1e9 / rate_hz);
}

void
period_clock_restart(struct period_clock *clock)
{
    clock->restarted = true;
}

/* What has passed beyond the expected moment, in whole periods; the rest is kept for the next time,
 * so that positions stay with time however often the device stops. */
static uint64_t
settle_lag(struct period_clock *clock, double lag_ns)
{
    double lag = lag_ns / clock->loop.nominal_ns * clock->period_frames + clock->owed_frames;
    double periods = lag > 0 ? floor(lag / clock->period_frames + 0.5) : 0;
    clock->owed_frames =
        dll_within(lag - periods * clock->period_frames, clock->period_frames / 2.0);
    return (uint64_t)periods * clock->period_frames;
}

static uint64_t
tell(struct period_clock *clock)
{
    uint64_t time_ns = clock->loop.next_ns > 0 ? (uint64_t)clock->loop.next_ns : 0;
    clock->last_ns = time_ns > clock->last_ns ? time_ns : clock->last_ns + 1;
    return clock->last_ns;
}

struct period_moment
period_clock_tick(struct period_clock *clock, uint64_t ready_ns)
{
    struct period_moment moment = {0};
    if (!clock->last_ns) {
        clock->loop.next_ns = (double)ready_ns;
    } else if (clock->restarted) {
        moment.lost_frames = settle_lag(clock, (double)ready_ns - clock->loop.next_ns);
        moment.xrun = true;
        clock->loop.next_ns = (double)ready_ns;
    }
    clock->restarted = false;
    moment.time_ns = tell(clock);
    dll_follow(&clock->loop, (double)ready_ns - clock->loop.next_ns);
    return moment;
}

bool
period_clock_pace(struct period_clock *clock, uint64_t now_ns, struct period_moment *moment)
{
    if (!clock->last_ns) {
        clock->loop.next_ns = (double)now_ns;
    }
    double late_ns = (double)now_ns - clock->loop.next_ns;
    if (late_ns < 0) {
        return false;
    }
    double missed = floor(late_ns / clock->loop.nominal_ns);
    clock->loop.next_ns += missed * clock->loop.nominal_ns;
    *moment = (struct period_moment){
        .lost_frames = (uint64_t)missed * clock->period_frames,
        .xrun = missed > 0,
    };
    moment->time_ns = tell(clock);
    clock->loop.next_ns += clock->loop.nominal_ns;
    return true;
}
