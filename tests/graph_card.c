/* SPDX-License-Identifier: MIT */
/* The memory of a sound card in a graph. */
#include "graph_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
graph_card_init(struct graph_card *card)
{
    memset(card, 0, sizeof(*card));
    card->played_frame = calloc(CARD_FRAMES, sizeof(uint32_t));
    assert_non_null(card->played_frame);
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        card->played[c] = calloc(CARD_FRAMES, sizeof(float));
        assert_non_null(card->played[c]);
    }
}

void
graph_card_fini(struct graph_card *card)
{
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        free(card->played[c]);
    }
    free(card->played_frame);
}

/* The third capture port: the number of the frame, never 0. */
static float
name_of(uint32_t frame)
{
    return (float)(frame % CARD_FRAMES + 1) * CARD_UNIT;
}

float
graph_card_played(const struct graph_card *card, unsigned channel, uint32_t frame)
{
    uint32_t at = frame % CARD_FRAMES;
    return card->played_frame[at] == at + 1 ? card->played[channel][at] : 0;
}

void
graph_card_capture(const struct graph_card *card, uint32_t now, uint32_t frames,
                   float *const to[CARD_CAPTURES])
{
    for (uint32_t i = 0; i < frames; i++) {
        for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
            if (to[c]) {
                to[c][i] = graph_card_played(card, c, now + i - card->cable);
            }
        }
        if (to[CARD_CAPTURES - 1]) {
            to[CARD_CAPTURES - 1][i] = name_of(now + i);
        }
    }
}

void
graph_card_play(struct graph_card *card, uint32_t now, uint32_t frames,
                const float *const from[CARD_PLAYBACKS])
{
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            card->played[c][(now + i) % CARD_FRAMES] = from[c] ? from[c][i] : 0;
        }
    }
    for (uint32_t i = 0; i < frames; i++) {
        card->played_frame[(now + i) % CARD_FRAMES] = (now + i) % CARD_FRAMES + 1;
    }
}
