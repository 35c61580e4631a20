/* SPDX-License-Identifier: MIT */
/*
 * A sound card made of two PipeWire nodes, one before and one after Tutti in the graph: a source
 * with the card's inputs and a sink with its outputs, which tell latencies as a real card's do.
 */
#ifndef TUTTI_TEST_PIPEWIRE_CARD_H
#define TUTTI_TEST_PIPEWIRE_CARD_H

#include "backend/pipewire/pipewire_server.h"
#include "graph_card.h"

struct pipewire_card {
    struct graph_card memory;
    struct pipewire_server server;
    struct pw_filter *in, *out; /* before and after Tutti in the graph */
    struct spa_hook in_hook, out_hook;
    void *capture[CARD_CAPTURES], *playback[CARD_PLAYBACKS];
    uint32_t capture_latency, playback_latency; /* told: the first on top of a period */
};

/** Makes it, with a connection of its own. Failures end the test. */
void pipewire_card_open(struct pipewire_card *card, uint32_t capture_latency,
                        uint32_t playback_latency);
void pipewire_card_close(struct pipewire_card *card);
/** Tells other latencies from now on. */
void pipewire_card_set_latency(struct pipewire_card *card, uint32_t capture_latency,
                               uint32_t playback_latency);

#endif
