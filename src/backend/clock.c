/* SPDX-License-Identifier: MIT */
/* Smooth time of a device's periods: a delay-locked loop of second order on what it shows. */
#include "backend/clock.h"

#include <math.h>

enum { MOST_PERIODS_AGO = 4 };

void
backend_clock_start(struct backend_clock *clock, double rate_hz, uint32_t period_frames)
{
    *clock = (struct backend_clock){.period_frames = period_frames};
    dll_init(&clock->loop, period_frames * 1e9 / rate_hz);
}

void
backend_clock_restart(struct backend_clock *clock)
{
    clock->restarted = true;
}

/* ---- lost time ---- */

static void
lose(struct backend_clock *clock, uint64_t frames)
{
    clock->frames += frames;
    clock->lost_frames += frames;
}

void
backend_clock_skip(struct backend_clock *clock, uint32_t frames)
{
    clock->loop.next_ns += frames * clock->loop.period_ns / clock->period_frames;
    lose(clock, frames);
}

void
backend_clock_catch_up(struct backend_clock *clock, uint64_t seen_ns)
{
    double late_ns = backend_clock_late_ns(clock, seen_ns);
    double periods = late_ns > 0 ? floor(late_ns / clock->loop.nominal_ns + 0.5) : 0;
    clock->loop.next_ns += periods * clock->loop.nominal_ns;
    lose(clock, (uint64_t)periods * clock->period_frames);
}

/* What has passed beyond the expected moment, in whole periods; the rest is kept for the next time,
 * so that positions stay with time however often the device stops. */
static void
settle_lag(struct backend_clock *clock, uint64_t ready_ns)
{
    double lag_ns = backend_clock_late_ns(clock, ready_ns);
    double lag = lag_ns / clock->loop.nominal_ns * clock->period_frames + clock->owed_frames;
    double periods = lag > 0 ? floor(lag / clock->period_frames + 0.5) : 0;
    clock->owed_frames =
        dll_within(lag - periods * clock->period_frames, clock->period_frames / 2.0);
    clock->loop.next_ns = (double)ready_ns;
    lose(clock, (uint64_t)periods * clock->period_frames);
}

/* ---- periods ---- */

static void
begin(struct backend_clock *clock, uint64_t first_ns)
{
    if (!clock->begun) {
        clock->begun = true;
        clock->loop.next_ns = (double)first_ns;
    }
}

/* The period that is due, with what was lost before it. */
static struct backend_moment
take_period(struct backend_clock *clock)
{
    uint64_t time_ns = backend_clock_due_ns(clock);
    clock->last_ns = time_ns > clock->last_ns ? time_ns : clock->last_ns + 1;
    clock->frames += clock->period_frames;
    struct backend_moment moment = {
        .time_ns = clock->last_ns,
        .lost_frames = clock->lost_frames,
        .xrun = clock->lost_frames > 0,
        .device_frames = clock->frames,
    };
    clock->lost_frames = 0;
    return moment;
}

struct backend_moment
backend_clock_tick(struct backend_clock *clock, uint64_t device_time_ns, uint32_t ahead_frames)
{
    double frame_ns = clock->loop.nominal_ns / clock->period_frames;
    uint64_t ready_ns = device_time_ns - (uint64_t)(ahead_frames * frame_ns);
    bool restarted = clock->begun && clock->restarted;
    begin(clock, ready_ns);
    clock->restarted = false;
    if (restarted) {
        settle_lag(clock, ready_ns);
    }
    struct backend_moment moment = take_period(clock);
    moment.xrun |= restarted;
    moment.device_frames += ahead_frames;
    moment.device_time_ns = device_time_ns;
    dll_follow(&clock->loop, backend_clock_late_ns(clock, ready_ns));
    return moment;
}

bool
backend_clock_pace(struct backend_clock *clock, uint64_t now_ns, struct backend_moment *moment)
{
    begin(clock, now_ns);
    double late_ns = backend_clock_late_ns(clock, now_ns);
    if (late_ns < 0) {
        return false;
    }
    double missed = floor(late_ns / clock->loop.nominal_ns);
    clock->loop.next_ns += missed * clock->loop.nominal_ns;
    lose(clock, (uint64_t)missed * clock->period_frames);
    *moment = take_period(clock);
    clock->loop.next_ns += clock->loop.nominal_ns;
    return true;
}

uint64_t
backend_clock_due_ns(const struct backend_clock *clock)
{
    return clock->loop.next_ns > 0 ? (uint64_t)clock->loop.next_ns : 0;
}

double
backend_clock_late_ns(const struct backend_clock *clock, uint64_t seen_ns)
{
    return clock->begun ? (double)seen_ns - clock->loop.next_ns : 0;
}

bool
backend_clock_believes(const struct backend_clock *clock, double since_ns)
{
    return since_ns >= 0 && since_ns < MOST_PERIODS_AGO * clock->loop.nominal_ns;
}

/* ---- cycles ---- */

void
backend_clock_call(const struct backend_callbacks *callbacks, const struct backend_moment *moment,
                   struct backend_cycle *cycle)
{
    cycle->flags = moment->xrun ? BACKEND_CYCLE_XRUN : 0;
    cycle->time_ns = moment->time_ns;
    cycle->lost_frames = moment->lost_frames;
    cycle->device_frames = moment->device_frames;
    cycle->device_time_ns = moment->device_time_ns;
    callbacks->cycle(callbacks->user, cycle);
}
