/* SPDX-License-Identifier: MIT */
/*
 * Frames of one clock read on another: the writer's thread brings its blocks, the reader's takes
 * blocks of its own size on its own clock, and neither waits for the other. What the reader gets is
 * the writer's signal, delay_frames later, whatever the two clocks do.
 *
 * A reader begins with silence (EMPTY, then FILLING while it learns the other clock) and fades in.
 * Frames that the writer lost are silence of that length, faded on both sides, and so are frames
 * that are not there in time; the delay stays. When the writer's last stamp is older than four of
 * its periods, or its line of frames and time breaks (epoch, or a jump that no drift explains), the
 * reader fades out and fills again. A fade takes 5 ms. Where no frames are left to fade out,
 * reading slows down to a stand within those that are.
 *
 * On one clock the ratio is exactly 1 and the samples are the writer's, bit for bit.
 */
#ifndef TUTTI_MIXER_FEED_H
#define TUTTI_MIXER_FEED_H

#include "dsp/resample.h"
#include "mixer/feed_ring.h"

enum {
    FEED_MOST_FRAMES = 8192,  /* of a block, on either side */
    FEED_MOST_CHANNELS = 256, /* PROTO_MAX_CHANNELS */
};

struct feed_setup {
    unsigned channels;
    double writer_hz, reader_hz;           /* nominal; at most a factor of 4 apart */
    uint32_t writer_frames, reader_frames; /* of a block, at most */
    double bandwidth_hz;                   /* of the loop (drift.h); 0: the usual one */
    bool same_clock;                       /* of one rate then */
};

/* Of a block. */
struct feed_stamp {
    uint64_t time_ns;     /* when it was complete; 0: unknown */
    uint32_t lost_frames; /* of the clock, that went by before it without a block */
    uint32_t epoch;       /* changes where the line of frames and time breaks: a device reopened */
};

enum feed_state { FEED_EMPTY, FEED_FILLING, FEED_RUNNING };

/* Reading while it fades out: slower and slower for so many frames, then it stands. */
struct feed_stop {
    struct drift_place place;
    uint64_t step, bend; /* a frame; by which step shrinks */
    uint32_t moves;
};

struct feed_reader {
    /* set at the start */
    struct resampler resampler; /* not on one clock */
    uint32_t before, after;     /* frames around a position that its sample is made of */
    float fade;                 /* of the gain, a frame */
    float **scratch;            /* per channel: what a block is made of */
    /* the reader's thread */
    struct drift drift;
    struct feed_news news; /* the last that were whole */
    enum feed_state state;
    uint32_t epoch, own_epoch; /* that it runs on */
    uint32_t filled;           /* frames since it fills */
    bool stale;                /* the last stamp is too old */
    bool leaving;              /* to fill again, after fading out */
    bool stopping;             /* fades out */
    float gain;
    struct feed_stop stop;
};

struct feed {
    struct feed_ring ring;
    struct feed_setup setup;
    uint32_t delay_frames; /* of the reader */
    uint32_t reach_frames; /* of the writer: no reader is further behind */
    uint64_t stale_ns;
    struct feed_news written; /* the writer's own */
    struct feed_reader reader;
    /* counted by the reader, for anyone */
    _Atomic uint32_t state;          /* enum feed_state */
    _Atomic uint32_t starved;        /* blocks for which frames were not there in time */
    _Atomic uint32_t fillings;       /* begun so far */
    _Atomic int32_t ppm_thousandths; /* by which the writer's clock is faster */
};

/** Memory that a feed with this setup wants. */
size_t feed_bytes(const struct feed_setup *setup);

/** memory: feed_bytes(), zeroed or not, aligned for any type; outlives the feed. Not real time. */
void feed_init(struct feed *feed, void *memory, const struct feed_setup *setup);

/** From a sample that the writer wrote to the same one read: frames of the reader, between the ends
 * of their blocks. Constant. */
uint32_t feed_delay_frames(const struct feed *feed);

/** A block of the writer's. Its thread, real time. */
void feed_write(struct feed *feed, const float *const *from, uint32_t frames,
                const struct feed_stamp *stamp);

/** A block of the reader's. Its thread, real time. */
void feed_read(struct feed *feed, float *const *to, uint32_t frames,
               const struct feed_stamp *stamp);

#endif
