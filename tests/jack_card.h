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
#include "graph_card.h"

struct jack_card {
    struct graph_card memory;
    const struct jack_api *api;
    jack_client_t *in, *out; /* before and after Tutti in the graph */
    jack_port_t *capture[CARD_CAPTURES], *playback[CARD_PLAYBACKS];
    uint32_t capture_latency, playback_latency; /* told; their sum is the cable's length */
};

/** Registers it. Failures end the test. */
void jack_card_open(struct jack_card *card, uint32_t capture_latency, uint32_t playback_latency);
/** The same with a pause before the playback ports, and one before the clients are active. */
void jack_card_open_slowly(struct jack_card *card, uint32_t capture_latency,
                           uint32_t playback_latency, unsigned pause_ms);
void jack_card_close(struct jack_card *card);

#endif
