/* SPDX-License-Identifier: MIT */
/* Which clients are read in another mix than the one that they play in, and the feeds for that. */
#ifndef TUTTI_ENGINE_FEEDS_H
#define TUTTI_ENGINE_FEEDS_H

#include <stdint.h>

#include "mixer/cycle_feed.h"

struct engine;
struct mix;

/* All that one mix reads of one client of another mix. */
struct engine_feed {
    struct mix *from, *to;
    uint32_t client_id;
    uint32_t channel[PROTO_MAX_CHANNELS]; /* of the client's outputs */
    struct feed_setup setup;
    unsigned users; /* cycles that may still use it */
    struct cycle_feed cycle;
    void *memory, *pointers;
};

/* Written by feeds.c alone. */
struct feeds {
    struct engine_feed **feed;
    uint32_t feed_count, feed_capacity;
};

/** Makes the feeds that the present clients, buses and devices want, and retires the others; the
 * mixes concerned get plans with them. */
void feeds_update(struct engine *engine);
void feeds_fini(struct engine *engine);

#endif
