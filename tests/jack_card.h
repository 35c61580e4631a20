/* SPDX-License-Identifier: MIT */
/*
 * A sound card made of two JACK clients, for a server without ports of its own: what is played
 * into its physical playback ports comes out of its capture ports a known number of frames later,
 * which it tells as the latencies of the two. It records what it is given. The ground truth for
 * the JACK backend.
 */
#ifndef TUTTI_TEST_JACK_CARD_H
#define TUTTI_TEST_JACK_CARD_H

#include <stdint.h>

#include "backend/jack/jack_api.h"

enum {
    CARD_PLAYBACKS = 2,
    CARD_CAPTURES = 3,     /* two of the cable, and one that says which frame it is */
    CARD_FRAMES = 1 << 20, /* remembered, and counted before it wraps */
};
/* Numbers travel as samples below full scale, exactly: 1 + the number, times this. */
#define CARD_UNIT (1.0f / (2 * CARD_FRAMES))

struct jack_card {
    const struct jack_api *api;
    struct jack_client *in, *out; /* before and after Tutti in the graph */
    struct jack_port *capture[CARD_CAPTURES], *playback[CARD_PLAYBACKS];
    uint32_t capture_latency, playback_latency; /* told; their sum is the cable's length */
    /* by frame of the server, modulo CARD_FRAMES */
    float *played[CARD_PLAYBACKS];
    uint32_t *played_frame; /* 1 + the frame whose samples these are; 0: none */
};

/** Registers it. Failures end the test. */
void jack_card_open(struct jack_card *card, uint32_t capture_latency, uint32_t playback_latency);
void jack_card_close(struct jack_card *card);
/** What was played at a frame (modulo CARD_FRAMES); 0 when nothing was. Any thread. */
float jack_card_played(const struct jack_card *card, unsigned channel, uint32_t frame);

#endif
