/* SPDX-License-Identifier: MIT */
/*
 * The loop that follows another clock; drift.h says what it does.
 *
 * The bandwidths are those that clock_world.c asks for: stamps that are off by 20 us either way
 * must leave less than -100 dB beside a tone of 1 kHz, which is a change of the ratio by less than
 * 1 ppm a second; and a step of 20 ppm must cost less than half a frame after ten seconds. A loop
 * of one bandwidth cannot do both: at 0.05 Hz it leaves -90 dB, and 0.4 frames.
 */
#include "mixer/drift.h"

#include <math.h>

static const double pi = 3.14159265358979323846;
static const double unit = 4294967296.0;         /* of a place's fraction */
static const double usual_hz = 0.03;             /* bandwidth of the loop when all is quiet */
static const double fresh_hz = 4;                /* after a change */
static const double damping = 0.816;             /* that least squares have: sqrt(2 / 3) */
static const double ease_ratio = 1.8;            /* of reading's bandwidth to the loop's */
static const double most_off = 500e-6;           /* a clock's speed against the nominal one */
static const double most_error_s = 500e-6;       /* of a stamp that is believed */
static const uint32_t most_strange = 8;          /* in a row */
static const double writer_s = 4, first_s = 0.5; /* over which the writer's rate is taken */
static const double mean_s = 0.5, square_s = 5;  /* over which errors are looked at */
static const double most_mean = 5.5;     /* in deviations of such a mean, when nothing changed */
static const double least_mean_s = 6e-6; /* and never for less */

static double
within(double value, double middle, double most)
{
    double least = middle - most;
    most = middle + most;
    return value > most ? most : value < least ? least : value;
}

/* Stamps after which least squares have the weights of a loop of that bandwidth. */
static double
stamps_at(double bandwidth_hz, double block_s)
{
    return 4 / (2 * damping * 2 * pi * bandwidth_hz * block_s) + 2;
}

static void
set_step(struct drift *drift)
{
    drift->reading = within(drift->reading, drift->nominal, drift->nominal * most_off);
    drift->step = drift->same_clock ? UINT64_C(1) << 32 : (uint64_t)(drift->reading * unit + 0.5);
}

void
drift_init(struct drift *drift, const struct drift_setup *setup)
{
    double block_s = setup->reader_frames / setup->reader_hz;
    double bandwidth_hz = setup->bandwidth_hz > 0 ? setup->bandwidth_hz : usual_hz;
    *drift = (struct drift){
        .nominal = setup->writer_hz / setup->reader_hz,
        .delay_s = setup->delay_s,
        .reader_frames = setup->reader_frames,
        .block_s = block_s,
        .most_stamps = (uint32_t)stamps_at(bandwidth_hz, block_s),
        .fresh_stamps = (uint32_t)stamps_at(fresh_hz, block_s),
        .same_clock = setup->same_clock,
        .writer_hz = setup->writer_hz,
    };
    drift_restart(drift);
}

void
drift_restart(struct drift *drift)
{
    drift->anchor = (struct drift_anchor){0};
    drift->stamps = drift->strange = 0;
    drift->lead = drift->pull = drift->seen_s = drift->mean = drift->square = 0;
    drift->speed = drift->reading = drift->nominal;
    set_step(drift);
}

/* Something changed: the next stamps count more. */
static void
loosen(struct drift *drift)
{
    drift->stamps = drift->stamps < drift->fresh_stamps ? drift->stamps : drift->fresh_stamps;
    drift->mean = 0;
}

/* The writer's own rate, from how far it came since the last anchor. */
static void
follow_writer(struct drift *drift, const struct drift_anchor *anchor)
{
    const struct drift_anchor *last = &drift->anchor;
    bool lost = last->time_ns && anchor->lost != last->lost;
    if (lost) {
        loosen(drift);
    } else if (last->time_ns && anchor->time_ns > last->time_ns) {
        double passed_s = (double)(anchor->time_ns - last->time_ns) * 1e-9;
        double frames = (double)(int64_t)(anchor->frame - last->frame);
        drift->anchor_s = passed_s;
        double error = frames - passed_s * drift->writer_hz;
        drift->seen_s += passed_s;
        double over = drift->seen_s < first_s ? first_s : drift->seen_s;
        over = over > writer_s ? writer_s : over;
        if (fabs(error) < most_error_s * anchor->rate_hz) {
            drift->writer_hz = within(drift->writer_hz + error / over, anchor->rate_hz,
                                      anchor->rate_hz * most_off);
        }
    }
    if (anchor->time_ns != last->time_ns) {
        drift->anchor = *anchor;
    }
}

/* From the loop to where the block should begin. */
static double
error_of(const struct drift *drift, uint64_t time_ns, uint32_t frames)
{
    const struct drift_anchor *anchor = &drift->anchor;
    double since_s = (double)(int64_t)(time_ns - anchor->time_ns) * 1e-9 - drift->delay_s;
    double end = (double)(int64_t)(anchor->frame - drift->place.frame) -
                 drift->place.fraction / unit + since_s * drift->writer_hz;
    return end - frames * drift->speed - drift->lead;
}

/* Sets the place so far away. */
static void
move_place(struct drift *drift, double frames)
{
    int64_t whole = (int64_t)frames - (frames < 0); /* at most that */
    double rest = (frames - (double)whole) * unit + drift->place.fraction;
    uint64_t fraction = (uint64_t)rest;
    drift->place.frame += (uint64_t)whole + (fraction >> 32);
    drift->place.fraction = (uint32_t)fraction;
}

/* True when errors of the last half second are all to one side: another speed. */
static bool
is_off(struct drift *drift, double error)
{
    double stamp_s = drift->block_s > drift->anchor_s ? drift->block_s : drift->anchor_s;
    drift->mean += (error - drift->mean) * within(drift->block_s / mean_s, 0, 0.5);
    drift->square += (error * error - drift->square) * within(drift->block_s / square_s, 0, 0.5);
    double least = least_mean_s * drift->writer_hz;
    double deviation = drift->square * stamp_s / (2 * mean_s);
    return drift->mean * drift->mean > least * least + most_mean * most_mean * deviation;
}

static void
correct(struct drift *drift, double error)
{
    if (drift->stamps > drift->fresh_stamps && is_off(drift, error)) {
        loosen(drift);
    }
    drift->stamps += drift->stamps < drift->most_stamps;
    double n = drift->stamps;
    drift->lead += 2 * (2 * n - 1) / (n * (n + 1)) * error;
    if (n > 1 && !drift->same_clock) {
        drift->speed += 6 / (n * (n + 1)) * error / drift->reader_frames;
    }
}

/* Reading follows the loop's place and speed, smoothly: three poles at one frequency. */
static void
ease(struct drift *drift)
{
    double t = drift->block_s;
    double p = ease_ratio * 4 / (2 * damping * drift->stamps * t);
    p = p * t < 0.3 ? p : 0.3 / t;
    double behind = drift->lead / drift->reader_frames * t; /* per frame, for a second */
    double pull = 3 * p * p * (drift->speed - drift->reading) + p * p * p * behind;
    drift->pull += t * (pull - 3 * p * drift->pull);
    drift->reading += t * drift->pull;
}

enum drift_verdict
drift_follow(struct drift *drift, const struct drift_anchor *anchor, uint64_t time_ns,
             uint32_t frames, bool filling)
{
    follow_writer(drift, anchor);
    bool believed = time_ns != 0 && drift->anchor.time_ns != 0;
    double error = believed ? error_of(drift, time_ns, frames) : 0;
    if (drift->stamps && fabs(error) > most_error_s * anchor->rate_hz) {
        believed = false;
        drift->strange++;
    } else if (believed) {
        drift->strange = 0;
        correct(drift, error);
    }
    if (filling) {
        double half = drift->same_clock ? 0.5 : 0;
        move_place(drift, drift->lead + half);
        drift->lead = 0;
        drift->reading = drift->speed;
        if (drift->same_clock) { /* the nearest whole frame; what is left is jitter */
            drift->lead = drift->place.fraction / unit - half;
            drift->place.fraction = 0;
        }
    } else {
        ease(drift);
    }
    set_step(drift);
    return drift->strange >= most_strange ? DRIFT_JUMPED : believed ? DRIFT_FOLLOWS : DRIFT_COASTS;
}

struct drift_place
drift_step(struct drift_place place, uint64_t step, uint32_t frames)
{
    uint64_t moved = place.fraction + step * frames;
    return (struct drift_place){place.frame + (moved >> 32), (uint32_t)moved};
}

void
drift_advance(struct drift *drift, uint32_t frames)
{
    drift->lead += (drift->speed - (double)drift->step / unit) * frames;
    drift->place = drift_step(drift->place, drift->step, frames);
}

double
drift_ppm(const struct drift *drift)
{
    return (drift->speed / drift->nominal - 1) * 1e6;
}
