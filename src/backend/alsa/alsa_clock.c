/* SPDX-License-Identifier: MIT */
/* Smooth time of periods: a delay-locked loop of second order. */
#include "backend/alsa/alsa_clock.h"

#include <math.h>

static const double bandwidth_hz = 0.5;
static const double most_ppm = 10000; /* by which a clock may be off */

void
alsa_clock_start(struct alsa_clock *clock, double rate_hz, uint32_t period_frames)
{
    double nominal_ns = period_frames * 1e9 / rate_hz;
    double omega = 2 * 3.14159265358979 * bandwidth_hz * nominal_ns * 1e-9;
    *clock = (struct alsa_clock){
        .nominal_ns = nominal_ns,
        .period_ns = nominal_ns,
        .weight = omega < 0.35 ? omega : 0.35,
        .period_frames = period_frames,
    };
}

void
alsa_clock_restart(struct alsa_clock *clock)
{
    clock->restarted = true;
}

static double
within(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* Follows an error of the prediction: half a period at most, so that time never turns back. */
static void
follow(struct alsa_clock *clock, double error_ns)
{
    double error = within(error_ns, clock->nominal_ns / 2);
    double w = clock->weight;
    clock->next_ns += clock->period_ns + 1.41421356 * w * error;
    clock->period_ns += w * w * error;
    clock->period_ns = clock->nominal_ns + within(clock->period_ns - clock->nominal_ns,
                                                  clock->nominal_ns * most_ppm * 1e-6);
}

/* What has passed beyond the expected moment, in whole periods; the rest is kept for the next time,
 * so that positions stay with time however often the device stops. */
static uint64_t
settle_lag(struct alsa_clock *clock, double lag_ns)
{
    double lag = lag_ns / clock->nominal_ns * clock->period_frames + clock->owed_frames;
    double periods = lag > 0 ? floor(lag / clock->period_frames + 0.5) : 0;
    clock->owed_frames = within(lag - periods * clock->period_frames, clock->period_frames / 2.0);
    return (uint64_t)periods * clock->period_frames;
}

static uint64_t
tell(struct alsa_clock *clock)
{
    uint64_t time_ns = clock->next_ns > 0 ? (uint64_t)clock->next_ns : 0;
    clock->last_ns = time_ns > clock->last_ns ? time_ns : clock->last_ns + 1;
    return clock->last_ns;
}

struct alsa_moment
alsa_clock_tick(struct alsa_clock *clock, uint64_t ready_ns)
{
    struct alsa_moment moment = {0};
    if (!clock->last_ns) {
        clock->next_ns = (double)ready_ns;
    } else if (clock->restarted) {
        moment.lost_frames = settle_lag(clock, (double)ready_ns - clock->next_ns);
        moment.xrun = true;
        clock->next_ns = (double)ready_ns;
    }
    clock->restarted = false;
    moment.time_ns = tell(clock);
    follow(clock, (double)ready_ns - clock->next_ns);
    return moment;
}

bool
alsa_clock_pace(struct alsa_clock *clock, uint64_t now_ns, struct alsa_moment *moment)
{
    if (!clock->last_ns) {
        clock->next_ns = (double)now_ns;
    }
    double late_ns = (double)now_ns - clock->next_ns;
    if (late_ns < 0) {
        return false;
    }
    double missed = floor(late_ns / clock->nominal_ns);
    clock->next_ns += missed * clock->nominal_ns;
    *moment = (struct alsa_moment){
        .lost_frames = (uint64_t)missed * clock->period_frames,
        .xrun = missed > 0,
    };
    moment->time_ns = tell(clock);
    clock->next_ns += clock->nominal_ns;
    return true;
}
