/* SPDX-License-Identifier: MIT */
/*
 * The memory of a sound card that lives in a graph server (JACK, PipeWire): what was played at each
 * frame of the server, and what its inputs hear of it through a cable. Its third input says which
 * frame it is.
 */
#ifndef TUTTI_TEST_GRAPH_CARD_H
#define TUTTI_TEST_GRAPH_CARD_H

#include <stdint.h>

enum {
    CARD_PLAYBACKS = 2,
    CARD_CAPTURES = 3,     /* two of the cable, and one that says which frame it is */
    CARD_FRAMES = 1 << 20, /* remembered, and counted before it wraps */
};
/* Numbers travel as samples below full scale, exactly: 1 + the number, times this. */
#define CARD_UNIT (1.0f / (2 * CARD_FRAMES))

struct graph_card {
    uint32_t cable; /* frames from the graph's output to its input: the card's two latencies */
    /* by frame of the server, modulo CARD_FRAMES */
    float *played[CARD_PLAYBACKS];
    uint32_t *played_frame; /* 1 + the frame whose samples these are; 0: none */
};

/** Failures end the test. */
void graph_card_init(struct graph_card *card);
void graph_card_fini(struct graph_card *card);
/** A period of the inputs that begins at the frame now; to[c] may be NULL. Real time. */
void graph_card_capture(const struct graph_card *card, uint32_t now, uint32_t frames,
                        float *const to[CARD_CAPTURES]);
/** A period of the outputs; from[c] may be NULL: silence. Real time. */
void graph_card_play(struct graph_card *card, uint32_t now, uint32_t frames,
                     const float *const from[CARD_PLAYBACKS]);
/** What was played at a frame (modulo CARD_FRAMES); 0 when nothing was. Any thread. */
float graph_card_played(const struct graph_card *card, unsigned channel, uint32_t frame);

#endif
