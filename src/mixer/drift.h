/* SPDX-License-Identifier: MIT */
/*
 * Where frames of one clock are read on another: from the writer's anchors and the reader's own
 * time stamps, the position of each block of the reader and the ratio within it. Pure: time is
 * given.
 *
 * A block of the reader that is complete at time t ends at the writer's frame
 *
 *     anchor.frame + (t - delay - anchor.time) * rate
 *
 * A loop of second order follows this line through the jitter of both stamps. It begins as the line
 * through all stamps by least squares: its bandwidth falls with the time that it has seen, from
 * 1.6 Hz after a quarter of a second to 0.03 Hz after twelve seconds, and stays there. When the
 * errors of half a second lie to one side further than jitter explains, a clock has changed its
 * speed; then, and after a loss, bandwidth is 4 Hz and falls again. So a change is followed within
 * some seconds, and a loop that has seen no change lets almost nothing of the jitter through.
 * Reading follows the loop with three poles at about twice its bandwidth.
 */
#ifndef TUTTI_MIXER_DRIFT_H
#define TUTTI_MIXER_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

/* A moment of the writer's clock. */
struct drift_anchor {
    uint64_t frame; /* that begins at time_ns: all before it were complete then; lost ones count */
    uint64_t time_ns;
    double rate_hz; /* nominal */
    uint64_t lost;  /* frames lost so far */
    uint32_t epoch; /* the line of frames and time is broken where this changes */
};

struct drift_setup {
    double writer_hz, reader_hz; /* nominal */
    uint32_t reader_frames;      /* of a block */
    double delay_s;
    double bandwidth_hz; /* of the loop when all is quiet; 0: 0.03 */
    bool same_clock;     /* the ratio is exactly 1 then; the rates are equal */
};

/* A place between the writer's frames. */
struct drift_place {
    uint64_t frame;
    uint32_t fraction; /* of 2^32 */
};

enum drift_verdict {
    DRIFT_FOLLOWS,
    DRIFT_COASTS, /* no stamp, or one too far off to be believed */
    DRIFT_JUMPED, /* several such: the line is another one now */
};

struct drift {
    /* set at the start */
    double nominal, delay_s, reader_frames, block_s;
    uint32_t most_stamps, fresh_stamps; /* that the loop remembers: at most; after a change */
    bool same_clock;
    /* the writer's clock */
    struct drift_anchor anchor;         /* the last one seen */
    double writer_hz, seen_s, anchor_s; /* as measured, over so many seconds; between anchors */
    /* the loop */
    struct drift_place place; /* of the next block's first frame */
    double lead;              /* of the loop before that place, in frames */
    double speed;             /* writer frames per reader frame */
    double mean, square;      /* of the errors */
    uint32_t stamps, strange; /* remembered; not believed, in a row */
    /* reading */
    double reading, pull; /* its speed, and how that changes a second */
    uint64_t step;        /* the same speed, 32.32 */
};

/** Nothing is known yet. */
void drift_init(struct drift *drift, const struct drift_setup *setup);

/** Forgets the writer's line, before filling again. */
void drift_restart(struct drift *drift);

/** A block of so many frames is complete at time_ns (0: no stamp). filling: the place is set, where
 * it otherwise follows. */
enum drift_verdict drift_follow(struct drift *drift, const struct drift_anchor *anchor,
                                uint64_t time_ns, uint32_t frames, bool filling);

/** So many frames of the reader were read, or lost. */
void drift_advance(struct drift *drift, uint32_t frames);

/** How much faster the writer's clock is, against the nominal rates. */
double drift_ppm(const struct drift *drift);

/** The place so many steps further. */
struct drift_place drift_step(struct drift_place place, uint64_t step, uint32_t frames);

#endif
