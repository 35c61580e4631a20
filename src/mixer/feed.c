/* SPDX-License-Identifier: MIT */
/* The reader's state, what it plays of the writer's frames, and its fades; feed.h says what it
 * does. */
#include "mixer/feed.h"

#include <assert.h>
#include <string.h>

static const double margin_s = 0.0021; /* by which threads may run late, and stamps be off */
static const double fade_s = 0.005;
static const double filling_s = 0.25;
static const double most_off = 500e-6; /* a clock's speed against the nominal one */

enum {
    STOP_FRAMES = 16, /* kept ahead: within these reading can slow down without a click */
    STALE_PERIODS = 4,
    LEAST_STAMPS = 4, /* to fill */
};

/* ---- memory ---- */

struct plan {
    unsigned taps; /* 0 on one clock */
    uint32_t before, after, delay_frames, reach_frames, capacity, scratch_frames;
};

static struct plan
plan_of(const struct feed_setup *setup)
{
    struct plan plan = {.after = 1};
    double ratio = setup->writer_hz / setup->reader_hz;
    if (!setup->same_clock) {
        plan.taps = resample_taps(ratio * (1 + most_off));
        plan.before = plan.taps / 2 - 1;
        plan.after = plan.taps / 2;
    }
    double reader_frames = setup->reader_frames * ratio; /* all frames here are the writer's */
    double most = setup->writer_frames > reader_frames ? setup->writer_frames : reader_frames;
    double delay = most + margin_s * setup->writer_hz + plan.after + STOP_FRAMES;
    plan.delay_frames = (uint32_t)(delay / ratio) + 1;
    double reach = delay + reader_frames + setup->writer_frames + plan.before + plan.after;
    plan.reach_frames = (uint32_t)reach + 1;
    plan.capacity = 1;
    while (plan.capacity < 2 * plan.reach_frames) {
        plan.capacity *= 2;
    }
    plan.scratch_frames = (uint32_t)(reader_frames * (1 + most_off)) + plan.before + plan.after + 3;
    return plan;
}

size_t
feed_bytes(const struct feed_setup *setup)
{
    struct plan plan = plan_of(setup);
    size_t table = setup->same_clock ? 0 : resample_bytes(plan.taps);
    size_t frames = (size_t)plan.capacity + plan.scratch_frames;
    return setup->channels * (sizeof(float *) + frames * sizeof(float)) + table;
}

void
feed_init(struct feed *feed, void *memory, const struct feed_setup *setup)
{
    struct plan plan = plan_of(setup);
    struct feed_reader *reader = &feed->reader;
    assert(!setup->same_clock || setup->writer_hz == setup->reader_hz);
    memset(feed, 0, sizeof(*feed));
    memset(memory, 0, feed_bytes(setup));
    feed->setup = *setup;
    feed->delay_frames = plan.delay_frames;
    feed->reach_frames = plan.reach_frames;
    feed->stale_ns = (uint64_t)(STALE_PERIODS * 1e9 * setup->writer_frames / setup->writer_hz);
    reader->scratch = memory;
    float *floats = (float *)(void *)(reader->scratch + setup->channels);
    for (unsigned c = 0; c < setup->channels; c++, floats += plan.scratch_frames) {
        reader->scratch[c] = floats;
    }
    feed_ring_init(&feed->ring, (_Atomic uint32_t *)(void *)floats, setup->channels, plan.capacity);
    floats += (size_t)setup->channels * plan.capacity;
    double ratio = setup->writer_hz / setup->reader_hz;
    if (!setup->same_clock) {
        resample_init(&reader->resampler, floats, plan.taps, ratio * (1 + most_off));
    }
    reader->before = plan.before;
    reader->after = plan.after;
    reader->fade = (float)(1 / (fade_s * setup->reader_hz));
    reader->stale = true;
    drift_init(&reader->drift,
               &(struct drift_setup){.writer_hz = setup->writer_hz,
                                     .reader_hz = setup->reader_hz,
                                     .reader_frames = setup->reader_frames,
                                     .delay_s = plan.delay_frames / setup->reader_hz,
                                     .bandwidth_hz = setup->bandwidth_hz,
                                     .same_clock = setup->same_clock});
}

uint32_t
feed_delay_frames(const struct feed *feed)
{
    return feed->delay_frames;
}

/* ---- the writer ---- */

/* Frames are missing from the end so far on. A reader may still be before the last such place: then
 * both are one to it. */
static void
make_hole(struct feed *feed, uint32_t frames)
{
    struct feed_news *news = &feed->written;
    if (news->end - news->hole_end > feed->reach_frames) {
        news->hole_begin = news->end;
    }
    news->hole_last = news->end;
    news->end += frames;
    news->hole_end = news->end;
}

void
feed_write(struct feed *feed, const float *const *from, uint32_t frames,
           const struct feed_stamp *stamp)
{
    struct feed_news *news = &feed->written;
    struct drift_anchor *anchor = &news->anchor;
    assert(frames <= feed->setup.writer_frames);
    if (stamp->lost_frames || stamp->epoch != anchor->epoch) {
        make_hole(feed, stamp->lost_frames);
        anchor->lost += stamp->lost_frames;
    }
    if (stamp->epoch != anchor->epoch) {
        anchor->epoch = stamp->epoch;
        anchor->time_ns = 0;
    }
    news->end += frames;
    if (stamp->time_ns) {
        anchor->frame = news->end;
        anchor->time_ns = stamp->time_ns;
        anchor->rate_hz = feed->setup.writer_hz;
    }
    feed_ring_write(&feed->ring, from, frames, news);
}

/* ---- the reader: what is there ---- */

static int64_t
ahead(uint64_t frame, struct drift_place place)
{
    return (int64_t)(frame - place.frame);
}

static bool
in_hole(const struct feed_reader *reader, struct drift_place place)
{
    const struct feed_news *news = &reader->news;
    uint64_t begin = reader->gain > 0 ? news->hole_last : news->hole_begin;
    return ahead(begin, place) <= 0 && ahead(news->hole_end + reader->before, place) > 0;
}

/* The first frame that is not there, for a place outside of holes. A reader that is heard has
 * passed all holes but the last. */
static uint64_t
first_missing(const struct feed_reader *reader, struct drift_place place)
{
    const struct feed_news *news = &reader->news;
    uint64_t begin = reader->gain > 0 ? news->hole_last : news->hole_begin;
    return ahead(begin, place) > 0 ? begin : news->end;
}

/* ---- the reader: sound ---- */

static uint32_t
be_silent(const struct feed *feed, float *const *to, uint32_t at, uint32_t frames)
{
    for (unsigned c = 0; c < feed->setup.channels; c++) {
        memset(to[c] + at, 0, frames * sizeof(float));
    }
    return frames;
}

/* On one clock places are whole but while it stops; straight lines do there. */
static void
read_lines(const struct resample_block *block)
{
    uint64_t position = block->position, step = (uint64_t)block->step;
    for (size_t i = 0; i < block->frames; i++) {
        size_t frame = (size_t)(position >> 32);
        float share = (float)(uint32_t)position / 4294967296.0f;
        for (unsigned c = 0; c < block->channels; c++) {
            const float *from = block->from[c] + frame;
            block->to[c][i] = share > 0 ? from[0] + share * (from[1] - from[0]) : from[0];
        }
        position += step;
        step += (uint64_t)block->bend;
    }
}

/* Reads so many frames as the path says. False: the writer was faster. */
static bool
read_path(struct feed *feed, float *const *to, uint32_t frames, const struct feed_stop *path)
{
    struct feed_reader *reader = &feed->reader;
    uint64_t steps = frames - 1;
    uint64_t moved = path->place.fraction + steps * path->step;
    if (steps > 1) {
        moved -= steps * (steps - 1) / 2 * path->bend;
    }
    uint32_t wanted = reader->before + (uint32_t)(moved >> 32) + reader->after + 1;
    struct resample_block block = {
        .to = to,
        .from = (const float *const *)reader->scratch,
        .channels = feed->setup.channels,
        .frames = frames,
        .position = (uint64_t)reader->before << 32 | path->place.fraction,
        .step = (int64_t)path->step,
        .bend = -(int64_t)path->bend,
    };
    if (!feed_ring_read(&feed->ring, reader->scratch, path->place.frame - reader->before, wanted)) {
        return false;
    }
    if (feed->setup.same_clock) {
        read_lines(&block);
    } else {
        resample_read(&reader->resampler, &block);
    }
    return true;
}

/* Sound on a path from frame `at` of the block on, its gain changing by `slope` a frame. */
static void
sound(struct feed *feed, float *const *to, uint32_t frames, const struct feed_stop *path,
      float slope)
{
    struct feed_reader *reader = &feed->reader;
    if (!read_path(feed, to, frames, path)) {
        be_silent(feed, to, 0, frames);
        atomic_fetch_add_explicit(&feed->starved, 1, memory_order_relaxed);
        reader->stopping = false;
        reader->gain = 0;
        return;
    }
    for (uint32_t i = 0; i < frames && !(slope > 0 && reader->gain == 1); i++) {
        float gain = reader->gain + slope;
        reader->gain = gain > 1 ? 1 : gain < 0 ? 0 : gain;
        for (unsigned c = 0; c < feed->setup.channels; c++) {
            to[c][i] *= reader->gain;
        }
    }
    reader->stopping = reader->stopping && reader->gain > 0;
}

/* From this place on, up to the first frame that is missing. */
static void
begin_stop(struct feed_reader *reader, struct drift_place place)
{
    uint64_t step = reader->drift.step;
    int64_t frames = ahead(first_missing(reader, place), place) - reader->after - 1;
    uint64_t room = frames > 0 ? ((uint64_t)frames << 32) - place.fraction : 0;
    uint64_t moves = (uint64_t)(reader->gain / reader->fade) + 1;
    /* n frames, slower by the same step each time, come half as far as at full speed */
    uint64_t fit = room / step * 2;
    moves = fit < moves ? fit : moves;
    reader->stopping = true;
    reader->stop = (struct feed_stop){.place = place, .moves = (uint32_t)moves};
    if (moves) {
        reader->stop.step = step;
        reader->stop.bend = step / moves;
    }
}

static uint32_t
go_on_stopping(struct feed *feed, float *const *to, uint32_t frames)
{
    struct feed_reader *reader = &feed->reader;
    struct feed_stop *stop = &reader->stop;
    uint32_t left = (uint32_t)(reader->gain / reader->fade) + 1;
    frames = frames < left ? frames : left;
    frames = stop->moves && stop->moves < frames ? stop->moves : frames;
    sound(feed, to, frames, stop, -reader->fade);
    if (stop->moves) {
        uint64_t n = frames;
        uint64_t moved = stop->place.fraction + n * stop->step - n * (n - 1) / 2 * stop->bend;
        stop->place = (struct drift_place){stop->place.frame + (moved >> 32), (uint32_t)moved};
        stop->step -= n * stop->bend;
        stop->moves -= frames;
    }
    if (!stop->moves) {
        stop->step = stop->bend = 0;
    }
    return frames;
}

/* How many frames from the place on lie before that frame. */
static uint32_t
frames_before(const struct feed_reader *reader, struct drift_place place, uint64_t frame,
              uint32_t most)
{
    uint64_t way = ((uint64_t)ahead(frame, place) << 32) - place.fraction;
    uint64_t count = (way + reader->drift.step - 1) / reader->drift.step;
    return count < most ? (uint32_t)count : most;
}

/* Plays on, or is silent, or begins to stop (0 frames then). */
static uint32_t
go_on(struct feed *feed, float *const *to, uint32_t frames, struct drift_place place)
{
    struct feed_reader *reader = &feed->reader;
    if (in_hole(reader, place)) {
        reader->gain = 0;
        uint64_t end = reader->news.hole_end + reader->before;
        return be_silent(feed, to, 0, frames_before(reader, place, end, frames));
    }
    struct drift_place last = drift_step(place, reader->drift.step, frames - 1);
    uint64_t missing = first_missing(reader, place);
    bool there = ahead(missing, last) > (int64_t)reader->after + STOP_FRAMES;
    if (!there && missing == reader->news.end) {
        atomic_fetch_add_explicit(&feed->starved, 1, memory_order_relaxed);
    }
    if (there && !reader->leaving) {
        struct feed_stop path = {.place = place, .step = reader->drift.step};
        sound(feed, to, frames, &path, reader->fade);
        return frames;
    }
    if (reader->gain > 0) {
        begin_stop(reader, place);
        return 0;
    }
    return be_silent(feed, to, 0, frames);
}

static void
play(struct feed *feed, float *const *to, uint32_t frames)
{
    struct feed_reader *reader = &feed->reader;
    float *at[FEED_MOST_CHANNELS];
    uint32_t done = 0;
    while (done < frames) {
        for (unsigned c = 0; c < feed->setup.channels; c++) {
            at[c] = to[c] + done;
        }
        struct drift_place place = drift_step(reader->drift.place, reader->drift.step, done);
        done += reader->stopping ? go_on_stopping(feed, at, frames - done)
                                 : go_on(feed, at, frames - done, place);
    }
}

/* ---- the reader: states ---- */

static void
begin_filling(struct feed *feed, uint32_t own_epoch)
{
    struct feed_reader *reader = &feed->reader;
    reader->state = FEED_FILLING;
    reader->epoch = reader->news.anchor.epoch;
    reader->own_epoch = own_epoch;
    reader->filled = 0;
    reader->gain = 0;
    reader->leaving = reader->stopping = false;
    drift_restart(&reader->drift);
    atomic_fetch_add_explicit(&feed->fillings, 1, memory_order_relaxed);
}

static void
fill(struct feed *feed, uint32_t frames, const struct feed_stamp *stamp)
{
    struct feed_reader *reader = &feed->reader;
    enum drift_verdict verdict =
        drift_follow(&reader->drift, &reader->news.anchor, stamp->time_ns, frames, true);
    reader->filled += frames + stamp->lost_frames;
    if (verdict == DRIFT_JUMPED) {
        reader->state = FEED_EMPTY;
    } else if (reader->filled >= filling_s * feed->setup.reader_hz &&
               reader->drift.stamps >= LEAST_STAMPS) {
        reader->state = FEED_RUNNING;
    }
}

/* Takes the news, and what follows from them and from the reader's own stamp. */
static void
listen(struct feed *feed, uint32_t frames, const struct feed_stamp *stamp)
{
    struct feed_reader *reader = &feed->reader;
    feed_ring_news(&feed->ring, &reader->news);
    const struct drift_anchor *anchor = &reader->news.anchor;
    if (stamp->time_ns) {
        int64_t age_ns = (int64_t)(stamp->time_ns - anchor->time_ns);
        reader->stale = !anchor->time_ns || age_ns > (int64_t)feed->stale_ns;
    }
    bool broken = reader->stale || anchor->epoch != reader->epoch ||
                  stamp->epoch != reader->own_epoch || stamp->lost_frames > FEED_MOST_FRAMES;
    if (reader->state == FEED_RUNNING) {
        reader->leaving |= broken;
        reader->leaving |= !reader->leaving && drift_follow(&reader->drift, anchor, stamp->time_ns,
                                                            frames, false) == DRIFT_JUMPED;
    }
    bool left = reader->state == FEED_RUNNING && reader->leaving && !(reader->gain > 0);
    if (left || (reader->state == FEED_FILLING && broken)) {
        reader->state = FEED_EMPTY;
    }
    if (reader->state == FEED_EMPTY && !reader->stale) {
        begin_filling(feed, stamp->epoch);
    }
    if (reader->state == FEED_FILLING) {
        fill(feed, frames, stamp);
    }
}

void
feed_read(struct feed *feed, float *const *to, uint32_t frames, const struct feed_stamp *stamp)
{
    struct feed_reader *reader = &feed->reader;
    assert(frames <= feed->setup.reader_frames);
    if (stamp->lost_frames <= FEED_MOST_FRAMES) {
        drift_advance(&reader->drift, stamp->lost_frames);
    }
    listen(feed, frames, stamp);
    if (reader->state == FEED_RUNNING) {
        play(feed, to, frames);
    } else {
        be_silent(feed, to, 0, frames);
    }
    drift_advance(&reader->drift, frames);
    atomic_store_explicit(&feed->state, (uint32_t)reader->state, memory_order_relaxed);
    atomic_store_explicit(&feed->ppm_thousandths, (int32_t)(drift_ppm(&reader->drift) * 1000),
                          memory_order_relaxed);
}
