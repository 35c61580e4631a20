/* SPDX-License-Identifier: MIT */
/*
 * What the stream is connected with: links of its own from the source's ports to in_1.. and from
 * out_1.. to the sink's, made by the server's link factory, with or without a session manager; and
 * the latency of those ports, as the device tells it. Links end with the stream; one that a person
 * cuts stays cut.
 */
#include "backend/pipewire/pipewire_stream.h"

#include <stdio.h>

#include <pipewire/link.h>

#include "base/log.h"

static void
on_info(void *data, const struct pw_link_info *info)
{
    struct pipewire_link *link = data;
    if (info->state == PW_LINK_STATE_ACTIVE || info->state == PW_LINK_STATE_ERROR) {
        atomic_store_explicit(&link->settled, true, memory_order_release);
    }
    if (info->state == PW_LINK_STATE_ERROR) {
        log_warning("pipewire: a link failed: %s", info->error ? info->error : "no reason given");
    }
}

static void
let_go(struct pipewire_link *link)
{
    struct pw_proxy *proxy = link->proxy;
    if (proxy) {
        link->proxy = NULL;
        spa_hook_remove(&link->hook);
        spa_hook_remove(&link->proxy_hook);
        link->api->proxy_destroy(proxy);
    }
    atomic_store_explicit(&link->settled, true, memory_order_release);
}

static void
on_removed(void *data)
{
    let_go(data);
}

static void
on_error(void *data, int seq, int res, const char *message)
{
    struct pipewire_link *link = data;
    (void)seq;
    (void)res;
    log_warning("pipewire: cannot connect a port: %s", message);
    atomic_store_explicit(&link->settled, true, memory_order_release);
}

static const struct pw_link_events link_events = {
    .version = PW_VERSION_LINK_EVENTS,
    .info = on_info,
};
static const struct pw_proxy_events proxy_events = {
    .version = PW_VERSION_PROXY_EVENTS,
    .removed = on_removed,
    .error = on_error,
};

static void
make(struct backend_stream *stream, struct pipewire_link *link, const struct pipewire_port *from,
     const struct pipewire_port *to)
{
    char text[4][16];
    const uint32_t ids[4] = {from->node, from->id, to->node, to->id};
    const char *const keys[4] = {PW_KEY_LINK_OUTPUT_NODE, PW_KEY_LINK_OUTPUT_PORT,
                                 PW_KEY_LINK_INPUT_NODE, PW_KEY_LINK_INPUT_PORT};
    struct spa_dict_item items[4];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(text[i], sizeof(text[i]), "%u", ids[i]);
        items[i] = SPA_DICT_ITEM_INIT(keys[i], text[i]);
    }
    struct spa_dict dict = SPA_DICT_INIT(items, 4);
    link->api = stream->server.api;
    atomic_store(&link->settled, false);
    link->proxy = pw_core_create_object(stream->server.core, "link-factory", PW_TYPE_INTERFACE_Link,
                                        PW_VERSION_LINK, &dict, 0);
    if (!link->proxy) {
        log_warning("pipewire: the server makes no links");
        atomic_store(&link->settled, true);
        return;
    }
    pw_link_add_listener((struct pw_link *)link->proxy, &link->hook, &link_events, link);
    /* through the table: pw_proxy_add_listener() is not inline */
    link->api->proxy_add_listener(link->proxy, &link->proxy_hook, &proxy_events, link);
}

void
pipewire_links_make(struct backend_stream *stream)
{
    struct pipewire_server *server = &stream->server;
    const struct backend_info *info = &stream->graph.info;
    uint32_t self = server->api->filter_get_node_id(stream->filter), own, theirs;
    struct pipewire_port *mine[BACKEND_MAX_CHANNELS], *device[BACKEND_MAX_CHANNELS];
    own = pipewire_registry_ports(server, self, PW_DIRECTION_INPUT, mine, info->inputs);
    theirs = pipewire_registry_ports(server, stream->source, PW_DIRECTION_OUTPUT, device,
                                     BACKEND_MAX_CHANNELS);
    for (uint32_t c = 0; c < own && c < theirs; c++) {
        make(stream, &stream->in_link[c], device[c], mine[c]);
    }
    own = pipewire_registry_ports(server, self, PW_DIRECTION_OUTPUT, mine, info->outputs);
    theirs = pipewire_registry_ports(server, stream->sink, PW_DIRECTION_INPUT, device,
                                     BACKEND_MAX_CHANNELS);
    for (uint32_t c = 0; c < own && c < theirs; c++) {
        make(stream, &stream->out_link[c], mine[c], device[c]);
    }
}

bool
pipewire_links_settled(const struct backend_stream *stream)
{
    bool settled = true;
    for (uint32_t c = 0; c < BACKEND_MAX_CHANNELS; c++) {
        const struct pipewire_link *in = &stream->in_link[c], *out = &stream->out_link[c];
        settled &= !in->proxy || atomic_load_explicit(&in->settled, memory_order_acquire);
        settled &= !out->proxy || atomic_load_explicit(&out->settled, memory_order_acquire);
    }
    return settled;
}

void
pipewire_links_free(struct backend_stream *stream)
{
    for (uint32_t c = 0; c < BACKEND_MAX_CHANNELS; c++) {
        let_go(&stream->in_link[c]);
        let_go(&stream->out_link[c]);
    }
}

/* ---- latency ---- */

void
pipewire_links_watch_latency(struct backend_stream *stream)
{
    struct pipewire_server *server = &stream->server;
    struct pipewire_port *device[BACKEND_MAX_CHANNELS];
    uint32_t count = pipewire_registry_ports(server, stream->source, PW_DIRECTION_OUTPUT, device,
                                             stream->graph.info.inputs);
    for (uint32_t c = 0; c < count; c++) {
        pipewire_registry_watch_latency(server, device[c]);
    }
    count = pipewire_registry_ports(server, stream->sink, PW_DIRECTION_INPUT, device,
                                    stream->graph.info.outputs);
    for (uint32_t c = 0; c < count; c++) {
        pipewire_registry_watch_latency(server, device[c]);
    }
}

/* The greatest of them: a promise for all. Parts of it are in periods, frames and time. */
static uint32_t
greatest(const struct backend_stream *stream, struct pipewire_port *const *ports, uint32_t count)
{
    const struct backend_info *info = &stream->graph.info;
    double most = 0;
    for (uint32_t c = 0; c < count; c++) {
        const struct spa_latency_info *latency = &ports[c]->latency;
        double frames = (double)latency->max_quantum * info->period_frames + latency->max_rate +
                        (double)latency->max_ns * info->rate_hz * 1e-9;
        most = frames > most ? frames : most;
    }
    return most < 1e6 ? (uint32_t)(most + 0.5) : 1000000;
}

void
pipewire_links_measure(struct backend_stream *stream, uint32_t *capture, uint32_t *playback)
{
    struct pipewire_server *server = &stream->server;
    struct pipewire_port *device[BACKEND_MAX_CHANNELS];
    uint32_t count = pipewire_registry_ports(server, stream->source, PW_DIRECTION_OUTPUT, device,
                                             stream->graph.info.inputs);
    *capture = greatest(stream, device, count);
    count = pipewire_registry_ports(server, stream->sink, PW_DIRECTION_INPUT, device,
                                    stream->graph.info.outputs);
    *playback = greatest(stream, device, count);
}
