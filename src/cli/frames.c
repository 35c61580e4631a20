/* SPDX-License-Identifier: MIT */
/* A ring of audio frames. See frames.h. */
#include "cli/frames.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
frames_init(struct frames *ring, uint32_t channels, uint32_t frames)
{
    uint32_t capacity = 1;

    while (capacity < frames) {
        capacity *= 2;
    }
    ring->samples = calloc((size_t)capacity * channels, sizeof(*ring->samples));
    if (!ring->samples) {
        return false;
    }
    ring->channels = channels;
    ring->capacity = capacity;
    atomic_init(&ring->written, 0);
    atomic_init(&ring->read, 0);
    return true;
}

void
frames_fini(struct frames *ring)
{
    free(ring->samples);
    ring->samples = NULL;
}

uint32_t
frames_writable(const struct frames *ring)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);

    return ring->capacity - (uint32_t)(written - read);
}

uint32_t
frames_readable(const struct frames *ring)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);

    return (uint32_t)(written - read);
}

static float *
frame_at(const struct frames *ring, uint64_t frame)
{
    return ring->samples + (frame & (ring->capacity - 1)) * ring->channels;
}

/* Frames from `from` on before the memory wraps, at most count. */
static uint32_t
until_wrap(const struct frames *ring, uint64_t from, uint32_t count)
{
    uint32_t rest = ring->capacity - (uint32_t)(from & (ring->capacity - 1));

    return count < rest ? count : rest;
}

void
frames_write(struct frames *ring, const float *samples, uint32_t count)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint32_t first = until_wrap(ring, at, count);
    size_t frame = ring->channels * sizeof(*samples);

    memcpy(frame_at(ring, at), samples, first * frame);
    memcpy(frame_at(ring, at + first), samples + (size_t)first * ring->channels,
           (count - first) * frame);
    frames_put_done(ring, count);
}

void
frames_read(struct frames *ring, float *samples, uint32_t count)
{
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint32_t first = until_wrap(ring, at, count);
    size_t frame = ring->channels * sizeof(*samples);

    memcpy(samples, frame_at(ring, at), first * frame);
    memcpy(samples + (size_t)first * ring->channels, frame_at(ring, at + first),
           (count - first) * frame);
    frames_get_done(ring, count);
}

void
frames_put_channel(struct frames *ring, uint32_t channel, const float *samples, uint32_t count)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        frame_at(ring, at + i)[channel] = samples[i];
    }
}

void
frames_put_done(struct frames *ring, uint32_t count)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);

    atomic_store_explicit(&ring->written, at + count, memory_order_release);
}

void
frames_get_channel(const struct frames *ring, uint32_t channel, float *samples, uint32_t count)
{
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        samples[i] = frame_at(ring, at + i)[channel];
    }
}

void
frames_get_done(struct frames *ring, uint32_t count)
{
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);

    atomic_store_explicit(&ring->read, at + count, memory_order_release);
}

void
peak_put(struct peak *peak, const float *samples, uint32_t count)
{
    float loudest = 0;

    for (uint32_t i = 0; i < count; i++) {
        float size = fabsf(samples[i]);
        loudest = size > loudest ? size : loudest;
    }
    if (loudest > atomic_load_explicit(&peak->value, memory_order_relaxed)) {
        atomic_store_explicit(&peak->value, loudest, memory_order_relaxed);
    }
}

float
peak_take(struct peak *peak)
{
    return atomic_exchange_explicit(&peak->value, 0.0F, memory_order_relaxed);
}
