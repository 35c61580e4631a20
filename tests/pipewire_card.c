/* SPDX-License-Identifier: MIT */
/* A sound card made of two PipeWire nodes. */
#include "pipewire_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os/os.h"

enum { ANSWER_MS = 20000 };

/* Its length is what the card tells: a period and its two latencies. */
static void
set_cable(struct pipewire_card *card, uint32_t frames)
{
    card->memory.cable = frames + card->capture_latency + card->playback_latency;
}

static void
on_capture(void *data, struct spa_io_position *position)
{
    struct pipewire_card *card = data;
    uint32_t frames = (uint32_t)position->clock.duration;
    float *to[CARD_CAPTURES];
    set_cable(card, frames);
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        to[c] = card->server.api->filter_get_dsp_buffer(card->capture[c], frames);
    }
    graph_card_capture(&card->memory, (uint32_t)position->clock.position, frames, to);
}

static void
on_playback(void *data, struct spa_io_position *position)
{
    struct pipewire_card *card = data;
    uint32_t frames = (uint32_t)position->clock.duration;
    const float *from[CARD_PLAYBACKS];
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        from[c] = card->server.api->filter_get_dsp_buffer(card->playback[c], frames);
    }
    graph_card_play(&card->memory, (uint32_t)position->clock.position, frames, from);
}

static const struct pw_filter_events capture_events = {
    .version = PW_VERSION_FILTER_EVENTS,
    .process = on_capture,
};
static const struct pw_filter_events playback_events = {
    .version = PW_VERSION_FILTER_EVENTS,
    .process = on_playback,
};

static void
tell_latency(struct pipewire_card *card, struct pw_filter *filter, void *port, bool capture)
{
    uint8_t memory[1024];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
    struct spa_latency_info latency = {
        .direction = capture ? SPA_DIRECTION_OUTPUT : SPA_DIRECTION_INPUT,
        .min_quantum = capture ? 1 : 0,
        .max_quantum = capture ? 1 : 0,
        .min_rate = capture ? card->capture_latency : card->playback_latency,
        .max_rate = capture ? card->capture_latency : card->playback_latency,
    };
    const struct spa_pod *params[1] = {
        spa_latency_build(&builder, SPA_PARAM_Latency, &latency),
    };
    card->server.api->filter_update_params(filter, port, params, 1);
}

static struct pw_filter *
open_half(struct pipewire_card *card, const char *name, const char *class, struct spa_hook *hook,
          const struct pw_filter_events *events)
{
    const struct pipewire_api *api = card->server.api;
    struct spa_dict_item items[] = {
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_NAME, name),
        SPA_DICT_ITEM_INIT(PW_KEY_MEDIA_CLASS, class),
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_ALWAYS_PROCESS, "true"),
        SPA_DICT_ITEM_INIT(PW_KEY_PRIORITY_SESSION, "2000"),
    };
    struct spa_dict dict = SPA_DICT_INIT_ARRAY(items);
    struct pw_filter *filter =
        api->filter_new(card->server.core, name, api->properties_new_dict(&dict));
    assert_non_null(filter);
    api->filter_add_listener(filter, hook, events, card);
    return filter;
}

static void *
add_port(struct pipewire_card *card, struct pw_filter *filter, const char *prefix, unsigned number)
{
    bool capture = filter == card->in;
    char name[16];
    snprintf(name, sizeof(name), "%s_%u", prefix, number);
    struct spa_dict_item items[] = {
        SPA_DICT_ITEM_INIT(PW_KEY_FORMAT_DSP, "32 bit float mono audio"),
        SPA_DICT_ITEM_INIT(PW_KEY_PORT_NAME, name),
    };
    struct spa_dict dict = SPA_DICT_INIT_ARRAY(items);
    void *port = card->server.api->filter_add_port(
        filter, capture ? PW_DIRECTION_OUTPUT : PW_DIRECTION_INPUT, PW_FILTER_PORT_FLAG_MAP_BUFFERS,
        sizeof(uint32_t), card->server.api->properties_new_dict(&dict), NULL, 0);
    assert_non_null(port);
    tell_latency(card, filter, port, capture);
    return port;
}

void
pipewire_card_open(struct pipewire_card *card, uint32_t capture_latency, uint32_t playback_latency)
{
    const enum pw_filter_flags flags = PW_FILTER_FLAG_RT_PROCESS | PW_FILTER_FLAG_CUSTOM_LATENCY;
    uint64_t deadline_ns = os_now_ns() + (uint64_t)ANSWER_MS * OS_NS_PER_MS;
    bool hangs;
    memset(card, 0, sizeof(*card));
    graph_card_init(&card->memory);
    card->capture_latency = capture_latency;
    card->playback_latency = playback_latency;
    card->server.api = pipewire_api_load();
    assert_non_null(card->server.api);
    assert_int_equal(pipewire_server_open(&card->server, "", deadline_ns, &hangs), TUTTI_OK);
    pipewire_server_lock(&card->server);
    card->in = open_half(card, "card-in", "Audio/Source", &card->in_hook, &capture_events);
    card->out = open_half(card, "card-out", "Audio/Sink", &card->out_hook, &playback_events);
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        card->capture[c] = add_port(card, card->in, "capture", c + 1);
    }
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        card->playback[c] = add_port(card, card->out, "playback", c + 1);
    }
    assert_int_equal(card->server.api->filter_connect(card->in, flags, NULL, 0), 0);
    assert_int_equal(card->server.api->filter_connect(card->out, flags, NULL, 0), 0);
    pipewire_server_unlock(&card->server);
    for (unsigned ports = 0; ports < CARD_CAPTURES + CARD_PLAYBACKS;) {
        assert_true(os_now_ns() < deadline_ns);
        assert_true(pipewire_server_sync(&card->server, deadline_ns));
        pipewire_server_lock(&card->server);
        ports =
            pipewire_registry_ports(&card->server, card->server.api->filter_get_node_id(card->in),
                                    PW_DIRECTION_OUTPUT, NULL, CARD_CAPTURES) +
            pipewire_registry_ports(&card->server, card->server.api->filter_get_node_id(card->out),
                                    PW_DIRECTION_INPUT, NULL, CARD_PLAYBACKS);
        pipewire_server_unlock(&card->server);
    }
}

void
pipewire_card_set_latency(struct pipewire_card *card, uint32_t capture_latency,
                          uint32_t playback_latency)
{
    pipewire_server_lock(&card->server);
    card->capture_latency = capture_latency;
    card->playback_latency = playback_latency;
    for (unsigned c = 0; c < CARD_CAPTURES; c++) {
        tell_latency(card, card->in, card->capture[c], true);
    }
    for (unsigned c = 0; c < CARD_PLAYBACKS; c++) {
        tell_latency(card, card->out, card->playback[c], false);
    }
    pipewire_server_unlock(&card->server);
}

void
pipewire_card_close(struct pipewire_card *card)
{
    pipewire_server_lock(&card->server);
    card->server.api->filter_destroy(card->in);
    card->server.api->filter_destroy(card->out);
    pipewire_server_unlock(&card->server);
    pipewire_server_close(&card->server);
    graph_card_fini(&card->memory);
}
