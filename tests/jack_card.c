/* SPDX-License-Identifier: MIT */
/* A sound card made of two JACK clients. */
#include "jack_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The third capture port: the number of the frame, never 0. */
static float
name_of(uint32_t frame)
{
    return (float)(frame % CARD_FRAMES + 1) * CARD_UNIT;
}

static int
on_capture(uint32_t frames, void *arg)
{
    struct jack_card *card = arg;
    uint32_t now = card->api->last_frame_time(card->in);
    uint32_t cable = card->capture_latency + card->playback_latency;
    float *to[CARD_CAPTURES];
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        to[c] = card->api->port_get_buffer(card->capture[c], frames);
    }
    for (uint32_t i = 0; i < frames; i++) {
        for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
            to[c][i] = jack_card_played(card, c, now + i - cable);
        }
        to[CARD_CAPTURES - 1][i] = name_of(now + i);
    }
    return 0;
}

static int
on_playback(uint32_t frames, void *arg)
{
    struct jack_card *card = arg;
    uint32_t now = card->api->last_frame_time(card->out);
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        const float *from = card->api->port_get_buffer(card->playback[c], frames);
        for (uint32_t i = 0; i < frames; i++) {
            card->played[c][(now + i) % CARD_FRAMES] = from[i];
        }
    }
    for (uint32_t i = 0; i < frames; i++) {
        card->played_frame[(now + i) % CARD_FRAMES] = (now + i) % CARD_FRAMES + 1;
    }
    return 0;
}

float
jack_card_played(const struct jack_card *card, unsigned channel, uint32_t frame)
{
    uint32_t at = frame % CARD_FRAMES;
    return card->played_frame[at] == at + 1 ? card->played[channel][at] : 0;
}

static void
tell_latency(int mode, void *arg)
{
    struct jack_card *card = arg;
    struct jack_latency_range in = {card->capture_latency, card->capture_latency};
    struct jack_latency_range out = {card->playback_latency, card->playback_latency};
    for (unsigned c = 0; c < CARD_CAPTURES && mode == JACK_LATENCY_CAPTURE; c++) {
        card->api->port_set_latency_range(card->capture[c], mode, &in);
    }
    for (unsigned c = 0; c < CARD_PLAYBACKS && mode == JACK_LATENCY_PLAYBACK; c++) {
        card->api->port_set_latency_range(card->playback[c], mode, &out);
    }
}

static struct jack_client *
open_half(struct jack_card *card, const char *name, jack_process_fn process)
{
    int status;
    struct jack_client *client = card->api->client_open(name, JACK_OPTION_NO_START_SERVER, &status);
    assert_non_null(client);
    card->api->set_process_callback(client, process, card);
    card->api->set_latency_callback(client, tell_latency, card);
    return client;
}

void
jack_card_open(struct jack_card *card, uint32_t capture_latency, uint32_t playback_latency)
{
    memset(card, 0, sizeof(*card));
    card->api = jack_api_load();
    assert_non_null(card->api);
    card->capture_latency = capture_latency;
    card->playback_latency = playback_latency;
    card->played_frame = calloc(CARD_FRAMES, sizeof(uint32_t));
    assert_non_null(card->played_frame);
    card->in = open_half(card, "card-in", on_capture);
    card->out = open_half(card, "card-out", on_playback);
    unsigned long hardware = JACK_PORT_IS_PHYSICAL | JACK_PORT_IS_TERMINAL;
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        char name[16];
        snprintf(name, sizeof(name), "capture_%u", c + 1);
        card->capture[c] = card->api->port_register(card->in, name, JACK_AUDIO_TYPE,
                                                    JACK_PORT_IS_OUTPUT | hardware, 0);
        assert_non_null(card->capture[c]);
    }
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        char name[16];
        snprintf(name, sizeof(name), "playback_%u", c + 1);
        card->playback[c] = card->api->port_register(card->out, name, JACK_AUDIO_TYPE,
                                                     JACK_PORT_IS_INPUT | hardware, 0);
        assert_non_null(card->playback[c]);
        card->played[c] = calloc(CARD_FRAMES, sizeof(float));
        assert_non_null(card->played[c]);
    }
    tell_latency(JACK_LATENCY_CAPTURE, card);
    tell_latency(JACK_LATENCY_PLAYBACK, card);
    assert_int_equal(card->api->activate(card->in), 0);
    assert_int_equal(card->api->activate(card->out), 0);
}

void
jack_card_close(struct jack_card *card)
{
    card->api->deactivate(card->in);
    card->api->deactivate(card->out);
    card->api->client_close(card->in);
    card->api->client_close(card->out);
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        free(card->played[c]);
    }
    free(card->played_frame);
}
