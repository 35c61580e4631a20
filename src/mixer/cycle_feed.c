/* SPDX-License-Identifier: MIT */
#include "mixer/cycle_feed.h"

#include <string.h>

/* A ring's frames from `first` on, which may lie across its end. */
static void
copy_out(const float *ring, int64_t first, float *to, uint32_t frames)
{
    uint32_t at = (uint32_t)first & (CYCLE_RING_FRAMES - 1);
    uint32_t head = CYCLE_RING_FRAMES - at < frames ? CYCLE_RING_FRAMES - at : frames;
    memcpy(to, ring + at, head * sizeof(float));
    memcpy(to + head, ring, (frames - head) * sizeof(float));
}

static void
copy_in(float *ring, int64_t first, const float *from, uint32_t frames)
{
    uint32_t at = (uint32_t)first & (CYCLE_RING_FRAMES - 1);
    uint32_t head = CYCLE_RING_FRAMES - at < frames ? CYCLE_RING_FRAMES - at : frames;
    memcpy(ring + at, from, head * sizeof(float));
    memcpy(ring, from + head, (frames - head) * sizeof(float));
}

static uint32_t
lost_since(int64_t expected, int64_t found, bool begun)
{
    int64_t lost = begun ? found - expected : 0;
    return lost < 0 ? 0 : lost > UINT32_MAX ? UINT32_MAX : (uint32_t)lost;
}

static void
push(const struct cycle *cycle, struct cycle_feed *feed, uint32_t frames)
{
    /* A block is there when the period ends at the latest: so long clients may take to answer. */
    struct feed_stamp stamp = {
        .time_ns = cycle->time_ns + (uint64_t)((double)frames * 1e9 / cycle->rate_hz),
        .lost_frames = lost_since(feed->write_pos, cycle->pos, feed->write_begun),
    };
    for (uint32_t c = 0; c < feed->channels; c++) {
        copy_out(feed->from[c], cycle->pos, feed->written[c], frames);
    }
    feed_write(&feed->feed, (const float *const *)feed->written, frames, &stamp);
    feed->write_pos = cycle->pos + frames;
    feed->write_begun = true;
}

static void
pull(const struct cycle *cycle, struct cycle_feed *feed, uint32_t frames)
{
    int64_t first = cycle->pos - frames;
    struct feed_stamp stamp = {
        .time_ns = cycle->time_ns,
        .lost_frames = lost_since(feed->read_pos, first, feed->read_begun),
    };
    feed_read(&feed->feed, feed->read, frames, &stamp);
    for (uint32_t c = 0; c < feed->channels; c++) {
        copy_in(feed->into[c], first, feed->read[c], frames);
    }
    feed->read_pos = cycle->pos;
    feed->read_begun = true;
}

void
cycle_feed_push(const struct cycle *cycle, uint32_t frames)
{
    const struct cycle_plan *plan = cycle->plan;
    for (uint32_t f = 0; plan && f < plan->push_count; f++) {
        push(cycle, plan->push[f], frames);
    }
}

void
cycle_feed_pull(const struct cycle *cycle, uint32_t frames)
{
    const struct cycle_plan *plan = cycle->plan;
    for (uint32_t f = 0; plan && f < plan->pull_count; f++) {
        pull(cycle, plan->pull[f], frames);
    }
}
