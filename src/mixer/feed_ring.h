/* SPDX-License-Identifier: MIT */
/*
 * Frames from one thread to another that may be late, early or stopped: a planar ring whose writer
 * waits for nobody and looks at nothing of the reader's, and what is known of its frames (news),
 * published once per write. A reader that is too slow learns so after it has copied. All functions
 * are wait-free and real time but feed_ring_init().
 */
#ifndef TUTTI_MIXER_FEED_RING_H
#define TUTTI_MIXER_FEED_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mixer/drift.h"

/* What the writer says. Frames are counted from 0 on, lost ones included. */
struct feed_news {
    uint64_t end;        /* behind the last frame that is there */
    uint64_t hole_begin; /* frames from here to hole_end are not there, or not all of them; */
    uint64_t hole_last;  /* those from here to hole_end are not there at all */
    uint64_t hole_end;
    struct drift_anchor anchor;
};

enum { FEED_NEWS_WORDS = (sizeof(struct feed_news) + 7) / 8 };

struct feed_ring {
    /* written by the writer's thread alone */
    _Atomic uint64_t reserved; /* frames before this may be written any moment */
    _Atomic uint32_t version;  /* of the news; odd while they are written */
    _Atomic uint64_t news[FEED_NEWS_WORDS];
    /* never changed */
    unsigned channels;
    uint32_t capacity; /* frames; a power of two */
    _Atomic uint32_t *samples;
};

/** capacity: a power of two. samples: channels * capacity, outlives the ring. */
void feed_ring_init(struct feed_ring *ring, _Atomic uint32_t *samples, unsigned channels,
                    uint32_t capacity);

/** Writes the frames that end at news->end, at most `capacity`, and then the news. Writer's. */
void feed_ring_write(struct feed_ring *ring, const float *const *from, uint32_t frames,
                     const struct feed_news *news);

/** The last news, whole. False, and untouched: there are none, or the writer is at it. Reader's. */
bool feed_ring_news(const struct feed_ring *ring, struct feed_news *news);

/** Copies frames that the news say are there. False: they were overwritten meanwhile, and what was
 * copied is worth nothing. Reader's. */
bool feed_ring_read(const struct feed_ring *ring, float *const *to, uint64_t first,
                    uint32_t frames);

#endif
