/* SPDX-License-Identifier: MIT */
/*
 * What a client of one master plays, for clients of another one: the writing cycle pushes its buses
 * into a feed after mixing, the reading cycle pulls them into buses of its own before it calls
 * clients. Neither waits for the other.
 */
#ifndef TUTTI_MIXER_CYCLE_FEED_H
#define TUTTI_MIXER_CYCLE_FEED_H

#include "mixer/cycle.h"
#include "mixer/feed.h"

/* Made by control for two cycles; freed when both have passed a command without it. */
struct cycle_feed {
    struct feed feed;
    uint32_t channels;
    const float **from; /* the writer's buses: CYCLE_RING_FRAMES each */
    float **into;       /* the reader's */
    /* A block of each channel, BACKEND_MAX_PERIOD_FRAMES long: of the writer's cycle, of the
     * reader's. */
    float **written, **read;
    /* Where the next block begins, in the frames of each cycle; begun: there was one. */
    int64_t write_pos, read_pos;
    bool write_begun, read_begun;
};

/** Gives a block to each feed of the plan that is pushed. After mixing, on the cycle's thread. */
void cycle_feed_push(const struct cycle *cycle, uint32_t frames);
/** Takes a block from each feed of the plan that is pulled, up to the cycle's position. Before
 * clients are called, on the cycle's thread. */
void cycle_feed_pull(const struct cycle *cycle, uint32_t frames);

#endif
