/* SPDX-License-Identifier: MIT */
/*
 * Clocks that drift apart, on virtual time, with a feed between each two that are linked: their
 * threads wake late, their stamps jitter, some are missing, frames are lost. Each writer plays a
 * tone of 1 kHz. What comes out on a reader is judged by its samples against the time that the two
 * clocks truly have; nothing that the feed says of itself counts but its delay.
 */
#ifndef TUTTI_TESTS_CLOCK_WORLD_H
#define TUTTI_TESTS_CLOCK_WORLD_H

#include <stdbool.h>
#include <stdint.h>

enum { WORLD_CLOCKS = 4, WORLD_LINKS = 4, WORLD_CHANGES = 64 };

struct world_clock {
    double rate_hz;  /* nominal */
    uint32_t frames; /* of a block */
    double ppm;      /* by which it is faster, at first */
    double start_s;
    /* by so much faster or slower from then on */
    unsigned step_count;
    struct {
        double at_s, ppm;
    } step[WORLD_CHANGES];
    /* so many frames go by without a block */
    unsigned loss_count;
    struct {
        double at_s;
        uint32_t frames;
    } loss[WORLD_CHANGES];
};

struct world_setup {
    unsigned clock_count, link_count;
    struct world_clock clock[WORLD_CLOCKS];
    struct {
        unsigned from, to;
    } link[WORLD_LINKS];
    double seconds;
    uint64_t seed;
    double bandwidth_hz; /* of the loops; 0: the usual one */
    bool ratio_fixed;    /* the feeds believe that all is one clock */
    double drop_at_s;    /* > 0: the writers' signal lacks one frame from then on */
};

/* Of the worst of all links. What is judged "outside" is so from 10 s after each start, step and
 * loss on. */
struct world_verdict {
    unsigned discontinuities;   /* samples that bend more than a tone or a fade can */
    double settle_s;            /* the longest that the delay was off by more than half a frame */
    double wobble_cents;        /* outside: rms of the pitch's error over a second */
    double residual_db;         /* outside: beside the sine nearest to a quarter of a second */
    double delay_spread_frames; /* outside: from the least to the greatest error of the delay */
    double seconds;             /* judged outside */
};

struct world_verdict world_run(const struct world_setup *setup);

/** Errors of the delay so far, one each quarter of a second, of a link: for a picture. */
typedef void world_watch(void *user, unsigned link, double time_s, double error_frames);
struct world_verdict world_run_watched(const struct world_setup *setup, world_watch *watch,
                                       void *user);

#endif
