/* SPDX-License-Identifier: MIT */
/*
 * A ring with two guards, both of the writer's alone:
 *
 * 1. version is odd while the news are written. A reader that finds it even and the same before and
 *    after has news of one write. They are published after the samples, so they carry them.
 * 2. reserved says which frames are being overwritten, before the first of them is. A reader that
 *    has copied looks at it: what is `capacity` frames behind it may be new.
 *
 * Samples and news are atomic words read and written in no order; the fences give them one.
 * tests/test_feed_ring.c runs the interleavings, with each fence taken away once.
 */
#include "mixer/feed_ring.h"

#include <string.h>

/* A test that explores schedules defines all three. */
#ifndef FEED_LOAD
#define FEED_LOAD(word, order) atomic_load_explicit(word, order)
#define FEED_STORE(word, value, order) atomic_store_explicit(word, value, order)
#define FEED_FENCE(order) atomic_thread_fence(order)
#endif

enum { TRIES = 4 }; /* for the news: the writer is at them for some ten nanoseconds */

void
feed_ring_init(struct feed_ring *ring, _Atomic uint32_t *samples, unsigned channels,
               uint32_t capacity)
{
    memset(ring, 0, sizeof(*ring));
    ring->samples = samples;
    ring->channels = channels;
    ring->capacity = capacity;
}

void
feed_ring_write(struct feed_ring *ring, const float *const *from, uint32_t frames,
                const struct feed_news *news)
{
    uint64_t words[FEED_NEWS_WORDS] = {0};
    uint64_t first = news->end - frames;
    uint32_t version = FEED_LOAD(&ring->version, memory_order_relaxed);
    memcpy(words, news, sizeof(*news));
    FEED_STORE(&ring->reserved, news->end, memory_order_relaxed);
    /* Partner: the fence in feed_ring_read(). Who sees a sample sees that it was reserved. */
    FEED_FENCE(memory_order_release);
    for (unsigned c = 0; c < ring->channels; c++) {
        _Atomic uint32_t *samples = ring->samples + (size_t)c * ring->capacity;
        for (uint32_t i = 0; i < frames; i++) {
            uint32_t bits;
            memcpy(&bits, &from[c][i], sizeof(bits));
            FEED_STORE(&samples[(first + i) & (ring->capacity - 1)], bits, memory_order_relaxed);
        }
    }
    FEED_STORE(&ring->version, version + 1, memory_order_relaxed);
    /* Partner: the second fence in feed_ring_news(). Who sees a word sees an odd version. */
    FEED_FENCE(memory_order_release);
    for (unsigned w = 0; w < FEED_NEWS_WORDS; w++) {
        FEED_STORE(&ring->news[w], words[w], memory_order_relaxed);
    }
    /* Partner: the load in feed_ring_news(). Carries the news, and the samples. */
    FEED_STORE(&ring->version, version + 2, memory_order_release);
}

bool
feed_ring_news(const struct feed_ring *ring, struct feed_news *news)
{
    uint64_t words[FEED_NEWS_WORDS];
    for (unsigned n = 0; n < TRIES; n++) {
        uint32_t version = FEED_LOAD(&ring->version, memory_order_acquire);
        if (version == 0) {
            return false;
        }
        for (unsigned w = 0; w < FEED_NEWS_WORDS; w++) {
            words[w] = FEED_LOAD(&ring->news[w], memory_order_relaxed);
        }
        FEED_FENCE(memory_order_acquire);
        if (version % 2 == 0 && FEED_LOAD(&ring->version, memory_order_relaxed) == version) {
            memcpy(news, words, sizeof(*news));
            return true;
        }
    }
    return false;
}

bool
feed_ring_read(const struct feed_ring *ring, float *const *to, uint64_t first, uint32_t frames)
{
    for (unsigned c = 0; c < ring->channels; c++) {
        const _Atomic uint32_t *samples = ring->samples + (size_t)c * ring->capacity;
        for (uint32_t i = 0; i < frames; i++) {
            uint32_t bits =
                FEED_LOAD(&samples[(first + i) & (ring->capacity - 1)], memory_order_relaxed);
            memcpy(&to[c][i], &bits, sizeof(bits));
        }
    }
    FEED_FENCE(memory_order_acquire);
    uint64_t reserved = FEED_LOAD(&ring->reserved, memory_order_relaxed);
    return reserved - first <= ring->capacity;
}
