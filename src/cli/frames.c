/* SPDX-License-Identifier: MIT */
/* A ring of audio frames by channel. See frames.h. */
#include "cli/frames.h"

#include <math.h>
#include <stdlib.h>

bool
frames_init(struct frames *frames, uint32_t channels, uint32_t count)
{
    uint32_t capacity = ring_capacity(count);

    frames->samples = calloc((size_t)capacity * channels, sizeof(*frames->samples));
    if (!frames->samples) {
        return false;
    }
    frames->channels = channels;
    ring_init(&frames->ring, frames->samples, channels * (uint32_t)sizeof(*frames->samples),
              capacity);
    return true;
}

void
frames_fini(struct frames *frames)
{
    free(frames->samples);
    frames->samples = NULL;
}

void
frames_put_channel(struct frames *frames, uint32_t channel, const float *samples, uint32_t count)
{
    struct ring_region region = ring_write_region(&frames->ring, count);

    for (unsigned r = 0; r < 2; r++) {
        float *to = region.run[r];
        for (uint32_t i = 0; i < region.count[r]; i++) {
            to[(size_t)i * frames->channels + channel] = *samples++;
        }
    }
}

void
frames_get_channel(const struct frames *frames, uint32_t channel, float *samples, uint32_t count)
{
    struct ring_region region = ring_read_region(&frames->ring, count);

    for (unsigned r = 0; r < 2; r++) {
        const float *from = region.run[r];
        for (uint32_t i = 0; i < region.count[r]; i++) {
            *samples++ = from[(size_t)i * frames->channels + channel];
        }
    }
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
