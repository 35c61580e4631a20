/* SPDX-License-Identifier: MIT */
/* Virtual clocks and the judge of what is heard; clock_world.h says what it does. */
#include "clock_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/feed.h"

enum { MOST_TONE = 1920, SEGMENTS_PER_S = 4 };

static const double pi = 3.14159265358979323846;
static const double tone_hz = 1000, amplitude = 0.5;
static const double late_s = 0.001, stamp_s = 20e-6; /* one way and the other */
static const double missing_each_s = 60;
static const double settled_s = 10, settled_frames = 0.5;
static const double epoch_s = 1; /* stamps of 0 mean something else */

/* ---- clocks ---- */

struct clock {
    const struct world_clock *setup;
    unsigned pieces; /* of one speed each */
    struct {
        double begin_s, begin_frame, hz;
    } piece[WORLD_CHANGES + 1];
    /* the next block */
    uint64_t end_frame;
    double time_s, wake_s;
    uint32_t lost;
    unsigned losses;
    double stamp_missing_s;
    float tone[MOST_TONE];
    uint32_t tone_frames;
    uint64_t skipped; /* frames that the tone lacks */
};

static void
clock_begin(struct clock *clock, const struct world_clock *setup)
{
    double ppm = setup->ppm;
    *clock = (struct clock){.setup = setup, .stamp_missing_s = missing_each_s / 2};
    clock->pieces = setup->step_count + 1;
    for (unsigned i = 0; i < clock->pieces; i++) {
        double begin_s = i ? setup->step[i - 1].at_s : setup->start_s;
        ppm += i ? setup->step[i - 1].ppm : 0;
        clock->piece[i].begin_s = begin_s;
        clock->piece[i].hz = setup->rate_hz * (1 + ppm * 1e-6);
        if (i) {
            clock->piece[i].begin_frame =
                clock->piece[i - 1].begin_frame +
                (begin_s - clock->piece[i - 1].begin_s) * clock->piece[i - 1].hz;
        }
    }
    clock->tone_frames = (uint32_t)(setup->rate_hz / 100);
    for (uint32_t i = 0; i < clock->tone_frames; i++) {
        clock->tone[i] = (float)(amplitude * sin(2 * pi * tone_hz / setup->rate_hz * i));
    }
}

static double
frame_at(const struct clock *clock, double time_s)
{
    unsigned i = clock->pieces - 1;
    while (i && clock->piece[i].begin_s > time_s) {
        i--;
    }
    return clock->piece[i].begin_frame + (time_s - clock->piece[i].begin_s) * clock->piece[i].hz;
}

static double
time_at(const struct clock *clock, double frame)
{
    unsigned i = clock->pieces - 1;
    while (i && clock->piece[i].begin_frame > frame) {
        i--;
    }
    return clock->piece[i].begin_s + (frame - clock->piece[i].begin_frame) / clock->piece[i].hz;
}

/* ---- the judge ---- */

struct sine {
    double in_phase, across, residual;
};

struct judge {
    const struct clock *from, *to;
    const struct world_setup *setup;
    double delay_s;
    uint64_t frame; /* of the reader: the next */
    double last[2]; /* samples */
    unsigned fresh; /* samples since they belong together */
    float *segment;
    uint32_t length, held;
    double pitch[SEGMENTS_PER_S]; /* squares of errors in cents */
    unsigned pitches;
    double least, most;
    struct world_verdict verdict;
    world_watch *watch;
    void *user;
    unsigned link;
};

/* The sine of omega a frame nearest to the samples; phases are those of the middle of the segment,
 * which is frame 0. */
static struct sine
nearest_sine(const float *samples, int first, int count, double omega)
{
    double ss = 0, sc = 0, cc = 0, sy = 0, cy = 0, yy = 0;
    double s = sin(omega * first), c = cos(omega * first);
    double turn_s = sin(omega), turn_c = cos(omega);
    for (int i = 0; i < count; i++) {
        double y = (double)samples[i];
        ss += s * s;
        sc += s * c;
        cc += c * c;
        sy += s * y;
        cy += c * y;
        double next = s * turn_c + c * turn_s;
        c = c * turn_c - s * turn_s;
        s = next;
    }
    double det = ss * cc - sc * sc;
    struct sine sine = {(sy * cc - cy * sc) / det, (cy * ss - sy * sc) / det, 0};
    s = sin(omega * first);
    c = cos(omega * first);
    for (int i = 0; i < count; i++) {
        double left = (double)samples[i] - sine.in_phase * s - sine.across * c;
        yy += left * left;
        double next = s * turn_c + c * turn_s;
        c = c * turn_c - s * turn_s;
        s = next;
    }
    sine.residual = sqrt(yy / count);
    return sine;
}

static double
phase_of(struct sine sine)
{
    return atan2(sine.across, sine.in_phase);
}

/* By which the tone's frequency differs from omega: its phase in the two halves. */
static double
turn_between(const float *samples, int length, double omega)
{
    int half = length / 2;
    double one = phase_of(nearest_sine(samples, -half, half, omega));
    double two = phase_of(nearest_sine(samples + half, 0, half, omega));
    return remainder(two - one, 2 * pi) / half;
}

/* How long ago the last start, step or loss of either clock was. */
static double
quiet_for(const struct judge *judge, double time_s)
{
    double last = 0;
    for (unsigned side = 0; side < 2; side++) {
        const struct world_clock *clock = side ? judge->from->setup : judge->to->setup;
        last = fmax(last, clock->start_s);
        for (unsigned i = 0; i < clock->step_count; i++) {
            double at_s = clock->step[i].at_s;
            last = at_s <= time_s ? fmax(last, at_s) : last;
        }
        for (unsigned i = 0; i < clock->loss_count; i++) {
            double at_s = clock->loss[i].at_s;
            last = at_s <= time_s ? fmax(last, at_s) : last;
        }
    }
    return time_s - last;
}

static void
judge_pitch(struct judge *judge, double cents)
{
    judge->pitch[judge->pitches++ % SEGMENTS_PER_S] = cents * cents;
    if (judge->pitches >= SEGMENTS_PER_S) {
        double sum = 0;
        for (unsigned i = 0; i < SEGMENTS_PER_S; i++) {
            sum += judge->pitch[i];
        }
        double rms = sqrt(sum / SEGMENTS_PER_S);
        judge->verdict.wobble_cents = fmax(judge->verdict.wobble_cents, rms);
    }
}

static void
judge_segment(struct judge *judge)
{
    int length = (int)judge->length;
    double middle = (double)judge->frame - length / 2.0;
    double begin_s = time_at(judge->to, middle - length / 2.0) - judge->delay_s;
    double end_s = time_at(judge->to, middle + length / 2.0) - judge->delay_s;
    double turn = 2 * pi * tone_hz / judge->from->setup->rate_hz; /* a frame of the writer's */
    double expected =
        turn * (frame_at(judge->from, end_s) - frame_at(judge->from, begin_s)) / length;
    double omega = expected + turn_between(judge->segment, length, expected);
    omega += turn_between(judge->segment, length, omega);
    struct sine sine = nearest_sine(judge->segment, -length / 2, length, omega);
    double time_s = time_at(judge->to, middle);
    double quiet_s = quiet_for(judge, time_s + 0.5 / SEGMENTS_PER_S) - 1.0 / SEGMENTS_PER_S;
    double loudness = hypot(sine.in_phase, sine.across);
    double true_frame = frame_at(judge->from, time_s - judge->delay_s);
    double error = remainder(true_frame * turn - phase_of(sine), 2 * pi) / turn;
    bool off = loudness < 0.9 * amplitude || fabs(error) > settled_frames;
    struct world_verdict *verdict = &judge->verdict;
    verdict->settle_s = off ? fmax(verdict->settle_s, quiet_s) : verdict->settle_s;
    if (quiet_s < settled_s) {
        judge->pitches = 0;
    } else {
        verdict->seconds += 1.0 / SEGMENTS_PER_S;
        verdict->residual_db =
            fmax(verdict->residual_db, 20 * log10(sine.residual * 1.41421356 / amplitude));
        judge->least = fmin(judge->least, error);
        judge->most = fmax(judge->most, error);
        judge_pitch(judge, 1200 * log2(omega / expected));
    }
    if (judge->watch && loudness > 0.9 * amplitude) {
        judge->watch(judge->user, judge->link, time_s, error);
    }
}

/* A tone bends by at most its amplitude times the square of its turn a frame; a fade adds less than
 * half of that. One frame too many or too few bends it two and a half times as much and more. */
static void
judge_samples(struct judge *judge, const float *samples, uint32_t frames)
{
    double turn = 2 * pi * tone_hz / judge->to->setup->rate_hz;
    double most = 1.6 * amplitude * turn * turn;
    for (uint32_t i = 0; i < frames; i++) {
        double sample = (double)samples[i];
        double bend = sample - 2 * judge->last[0] + judge->last[1];
        judge->verdict.discontinuities += judge->fresh >= 2 && !(fabs(bend) <= most);
        judge->last[1] = judge->last[0];
        judge->last[0] = sample;
        judge->fresh++;
        judge->segment[judge->held++] = samples[i];
        judge->frame++;
        if (judge->held == judge->length) {
            judge_segment(judge);
            judge->held = 0;
        }
    }
}

/* ---- the world ---- */

struct world {
    const struct world_setup *setup;
    uint64_t state;
    struct clock clock[WORLD_CLOCKS];
    struct link {
        struct feed feed;
        void *memory;
        struct judge judge;
    } link[WORLD_LINKS];
};

/* From -1 to 1. */
static double
jitter(struct world *world)
{
    world->state ^= world->state << 13;
    world->state ^= world->state >> 7;
    world->state ^= world->state << 17;
    return (double)(world->state >> 11) / 4503599627370496.0 - 1;
}

static void
plan_block(struct world *world, struct clock *clock)
{
    const struct world_clock *setup = clock->setup;
    double last_s = clock->wake_s;
    clock->lost = 0;
    if (clock->losses < setup->loss_count && clock->time_s >= setup->loss[clock->losses].at_s) {
        clock->lost = setup->loss[clock->losses++].frames;
    }
    clock->end_frame += clock->lost + setup->frames;
    clock->time_s = time_at(clock, (double)clock->end_frame);
    clock->wake_s = fmax(last_s, clock->time_s + late_s + late_s * jitter(world));
}

static void
open_link(struct world *world, unsigned at, world_watch *watch, void *user)
{
    const struct world_setup *setup = world->setup;
    struct link *link = &world->link[at];
    const struct clock *from = &world->clock[setup->link[at].from];
    const struct clock *to = &world->clock[setup->link[at].to];
    struct feed_setup feed = {
        .channels = 1,
        .writer_hz = from->setup->rate_hz,
        .reader_hz = to->setup->rate_hz,
        .writer_frames = from->setup->frames,
        .reader_frames = to->setup->frames,
        .bandwidth_hz = setup->bandwidth_hz,
        .same_clock = setup->ratio_fixed,
    };
    uint32_t length = (uint32_t)to->setup->rate_hz / SEGMENTS_PER_S / 2 * 2;
    link->memory = malloc(feed_bytes(&feed));
    link->judge = (struct judge){.from = from,
                                 .to = to,
                                 .setup = setup,
                                 .segment = calloc(length, sizeof(float)),
                                 .length = length,
                                 .verdict = {.residual_db = -200},
                                 .least = 1e9,
                                 .most = -1e9,
                                 .watch = watch,
                                 .user = user,
                                 .link = at};
    if (!link->memory || !link->judge.segment) {
        abort();
    }
    feed_init(&link->feed, link->memory, &feed);
    link->judge.delay_s = feed_delay_frames(&link->feed) / to->setup->rate_hz;
}

static void
read_block(struct world *world, struct link *link, const struct feed_stamp *stamp)
{
    float block[FEED_MOST_FRAMES];
    float *to = block;
    uint32_t frames = link->judge.to->setup->frames;
    if (stamp->lost_frames) {
        link->judge.frame += stamp->lost_frames;
        link->judge.held = link->judge.fresh = 0;
    }
    feed_read(&link->feed, &to, frames, stamp);
    judge_samples(&link->judge, block, frames);
}

static void
write_block(struct world *world, struct clock *clock, struct link *link,
            const struct feed_stamp *stamp)
{
    float block[FEED_MOST_FRAMES];
    const float *from = block;
    uint32_t frames = clock->setup->frames;
    uint64_t first = clock->end_frame - frames + clock->skipped;
    for (uint32_t i = 0; i < frames; i++) {
        block[i] = clock->tone[(first + i) % clock->tone_frames];
    }
    feed_write(&link->feed, &from, frames, stamp);
}

static void
run_block(struct world *world, struct clock *clock)
{
    const struct world_setup *setup = world->setup;
    double stamp_at_s = clock->time_s + epoch_s + stamp_s * jitter(world);
    struct feed_stamp stamp = {.time_ns = (uint64_t)(stamp_at_s * 1e9), .lost_frames = clock->lost};
    if (clock->time_s >= clock->stamp_missing_s) {
        clock->stamp_missing_s += missing_each_s;
        stamp.time_ns = 0;
    }
    if (setup->drop_at_s > 0 && clock->time_s > setup->drop_at_s) {
        clock->skipped = 1;
    }
    for (unsigned i = 0; i < setup->link_count; i++) {
        if (&world->clock[setup->link[i].to] == clock) {
            read_block(world, &world->link[i], &stamp);
        }
        if (&world->clock[setup->link[i].from] == clock) {
            write_block(world, clock, &world->link[i], &stamp);
        }
    }
}

static void
take_worst(struct world_verdict *worst, const struct judge *judge)
{
    const struct world_verdict *verdict = &judge->verdict;
    worst->discontinuities += verdict->discontinuities;
    worst->settle_s = fmax(worst->settle_s, verdict->settle_s);
    worst->wobble_cents = fmax(worst->wobble_cents, verdict->wobble_cents);
    worst->residual_db = fmax(worst->residual_db, verdict->residual_db);
    worst->delay_spread_frames = fmax(worst->delay_spread_frames, judge->most - judge->least);
    worst->seconds += verdict->seconds;
}

struct world_verdict
world_run_watched(const struct world_setup *setup, world_watch *watch, void *user)
{
    struct world *world = calloc(1, sizeof(*world));
    struct world_verdict worst = {.residual_db = -200};
    if (!world) {
        abort();
    }
    world->setup = setup;
    world->state = setup->seed * UINT64_C(0x9E3779B97F4A7C15) + 88172645463325252u;
    for (unsigned i = 0; i < setup->clock_count; i++) {
        clock_begin(&world->clock[i], &setup->clock[i]);
        plan_block(world, &world->clock[i]);
    }
    for (unsigned i = 0; i < setup->link_count; i++) {
        open_link(world, i, watch, user);
    }
    for (;;) {
        struct clock *next = &world->clock[0];
        for (unsigned i = 1; i < setup->clock_count; i++) {
            next = world->clock[i].wake_s < next->wake_s ? &world->clock[i] : next;
        }
        if (next->wake_s > setup->seconds) {
            break;
        }
        run_block(world, next);
        plan_block(world, next);
    }
    for (unsigned i = 0; i < setup->link_count; i++) {
        take_worst(&worst, &world->link[i].judge);
        free(world->link[i].judge.segment);
        free(world->link[i].memory);
    }
    free(world);
    return worst;
}

struct world_verdict
world_run(const struct world_setup *setup)
{
    return world_run_watched(setup, NULL, NULL);
}
