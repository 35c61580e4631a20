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

#include "os/os.h"

static int
on_capture(uint32_t frames, void *arg)
{
    struct jack_card *card = arg;
    float *to[CARD_CAPTURES];
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        to[c] = card->api->port_get_buffer(card->capture[c], frames);
    }
    graph_card_capture(&card->memory, card->api->last_frame_time(card->in), frames, to);
    return 0;
}

static int
on_playback(uint32_t frames, void *arg)
{
    struct jack_card *card = arg;
    const float *from[CARD_PLAYBACKS];
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        from[c] = card->api->port_get_buffer(card->playback[c], frames);
    }
    graph_card_play(&card->memory, card->api->last_frame_time(card->out), frames, from);
    return 0;
}

static void
tell_latency(jack_latency_callback_mode_t mode, void *arg)
{
    struct jack_card *card = arg;
    jack_latency_range_t in = {card->capture_latency, card->capture_latency};
    jack_latency_range_t out = {card->playback_latency, card->playback_latency};
    for (unsigned c = 0; c < CARD_CAPTURES && mode == JackCaptureLatency; c++) {
        card->api->port_set_latency_range(card->capture[c], mode, &in);
    }
    for (unsigned c = 0; c < CARD_PLAYBACKS && mode == JackPlaybackLatency; c++) {
        card->api->port_set_latency_range(card->playback[c], mode, &out);
    }
}

static jack_client_t *
open_half(struct jack_card *card, const char *name, JackProcessCallback process)
{
    jack_status_t status;
    jack_client_t *client = card->api->client_open(name, JackNoStartServer, &status);
    assert_non_null(client);
    card->api->set_process_callback(client, process, card);
    card->api->set_latency_callback(client, tell_latency, card);
    return client;
}

static void
pause_for(unsigned ms)
{
    os_sleep_until_ns(os_now_ns() + ms * OS_NS_PER_MS);
}

void
jack_card_open(struct jack_card *card, uint32_t capture_latency, uint32_t playback_latency)
{
    jack_card_open_slowly(card, capture_latency, playback_latency, 0);
}

void
jack_card_open_slowly(struct jack_card *card, uint32_t capture_latency, uint32_t playback_latency,
                      unsigned pause_ms)
{
    memset(card, 0, sizeof(*card));
    graph_card_init(&card->memory);
    card->memory.cable = capture_latency + playback_latency;
    card->api = jack_api_load();
    assert_non_null(card->api);
    card->capture_latency = capture_latency;
    card->playback_latency = playback_latency;
    card->in = open_half(card, "card-in", on_capture);
    card->out = open_half(card, "card-out", on_playback);
    unsigned long hardware = JackPortIsPhysical | JackPortIsTerminal;
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        char name[16];
        snprintf(name, sizeof(name), "capture_%u", c + 1);
        card->capture[c] = card->api->port_register(card->in, name, JACK_DEFAULT_AUDIO_TYPE,
                                                    JackPortIsOutput | hardware, 0);
        assert_non_null(card->capture[c]);
    }
    pause_for(pause_ms);
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        char name[16];
        snprintf(name, sizeof(name), "playback_%u", c + 1);
        card->playback[c] = card->api->port_register(card->out, name, JACK_DEFAULT_AUDIO_TYPE,
                                                     JackPortIsInput | hardware, 0);
        assert_non_null(card->playback[c]);
    }
    pause_for(pause_ms);
    tell_latency(JackCaptureLatency, card);
    tell_latency(JackPlaybackLatency, card);
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
    graph_card_fini(&card->memory);
}
