/* SPDX-License-Identifier: MIT */
/*
 * A PipeWire graph as the device: the node "Tutti" with ports in_1.., out_1.., linked in order with
 * the default sink and source, or with a device by name. It never starts a server, and whatever
 * waits for one has a limit: "auto" passes over a server that is absent or hangs.
 *
 * The node is in the graph from open to close, so that the graph's period is known from its own
 * calls; between stop and start a gate keeps cycles out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/graph/graph_list.h"
#include "backend/graph/graph_open.h"
#include "backend/graph/graph_stream.h"
#include "backend/pipewire/pipewire_stream.h"
#include "base/log.h"
#include "base/utf8.h"

enum {
    LIST_LIMIT_MS = 500,
    OPEN_LIMIT_MS = 3000,
    CALL_LIMIT_MS = OPEN_LIMIT_MS + 1000, /* what waits for the server within has its own limit */
    CLOSE_LIMIT_MS = 1500,
    LINK_LIMIT_MS = 1000,
    FOLLOW_LIMIT_MS = 300, /* in which a graph that can give a period has done so */
};

static struct graph_server pipewire = {.name = "PipeWire",
                                       .log_name = "pipewire",
                                       .library = PIPEWIRE_LIBRARY,
                                       .open_limit_ms = CALL_LIMIT_MS,
                                       .close_limit_ms = CLOSE_LIMIT_MS};

static uint64_t
in_ms(unsigned ms)
{
    return os_now_ns() + (uint64_t)ms * OS_NS_PER_MS;
}

/* ---- listing ---- */

static void
look_at(struct graph_listing *listing, struct pipewire_server *server)
{
    pipewire_server_lock(server);
    listing->count = pipewire_registry_devices(server, listing->devices, GRAPH_LIST_DEVICES);
    pipewire_server_unlock(server);
    listing->found = true;
}

static void
look(struct graph_listing *listing, struct graph *graph)
{
    look_at(listing, &((struct backend_stream *)graph)->server);
}

static void
ask(void *arg)
{
    struct graph_listing *listing = arg;
    struct pipewire_server *server = calloc(1, sizeof(*server));
    if (!server) {
        return;
    }
    server->api = listing->api;
    if (pipewire_server_open(server, listing->which, in_ms(LIST_LIMIT_MS), &listing->hangs) ==
        TUTTI_OK) {
        look_at(listing, server);
    }
    pipewire_server_close(server);
    free(server);
}

static enum tutti_status
pipewire_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    static const struct graph_lister lister = {
        .server = &pipewire, .limit_ms = CALL_LIMIT_MS, .ask = ask, .look = look};
    struct graph_list_settings settings = {
        .api = pipewire_api_load(),
        .which = config->pipewire_remote,
        .inputs = config->pipewire_inputs,
        .outputs = config->pipewire_outputs,
        .may_set_period = config->pipewire_set_period,
    };
    return graph_list(&lister, &settings, devices, count);
}

/* ---- closing ---- */

static void
end(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    const struct pipewire_api *api = stream->server.api;
    if (stream->filter) {
        pipewire_server_lock(&stream->server);
        stream->follows = false;
        pipewire_links_free(stream);
        api->filter_destroy(stream->filter);
        stream->filter = NULL;
        pipewire_server_unlock(&stream->server);
    }
    pipewire_server_close(&stream->server);
}

static void
pipewire_close(struct backend_stream *stream)
{
    graph_close(&pipewire, &stream->graph, CLOSE_LIMIT_MS);
}

/* ---- what the graph tells ---- */

static void
on_broke(void *user, const char *reason)
{
    struct backend_stream *stream = user;
    graph_watch_tell_shutdown(&stream->graph, reason);
}

static uint32_t
id_of(const struct pipewire_node *node)
{
    return node ? node->id : SPA_ID_INVALID;
}

/* A graph's measure. */
static void
measure(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    uint32_t capture, playback;
    pipewire_server_lock(&stream->server);
    graph_set_period(graph, atomic_load(&graph->period));
    pipewire_links_measure(stream, &capture, &playback);
    stream->told_capture = capture;
    stream->told_playback = playback;
    pipewire_server_unlock(&stream->server);
    graph_set_latencies(graph, capture, playback);
}

/* On the loop's thread: something in the graph is new, gone or different. */
static void
on_changed(void *user)
{
    struct backend_stream *stream = user;
    struct pipewire_target target;
    uint32_t capture, playback;
    if (!stream->follows || !stream->connect) {
        return;
    }
    if (!pipewire_registry_target(&stream->server, stream->device, &target)) {
        graph_watch_tell_shutdown(&stream->graph, "the device went away");
        return;
    }
    if (id_of(target.sink) != stream->sink || id_of(target.source) != stream->source) {
        if (stream->is_named) {
            graph_watch_tell_shutdown(&stream->graph, "the device went away, or a part of it");
        } else {
            graph_watch_tell(&stream->graph, GRAPH_NEWS_DEFAULT);
        }
        return;
    }
    pipewire_links_measure(stream, &capture, &playback);
    if (capture != stream->told_capture || playback != stream->told_playback) {
        graph_watch_tell(&stream->graph, GRAPH_NEWS_LATENCY);
    }
}

/* A graph's look_again. */
static bool
look_again(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    pipewire_server_lock(&stream->server);
    stream->follows = true;
    on_changed(stream);
    pipewire_server_unlock(&stream->server);
    if (atomic_load(&stream->rate) != (uint32_t)graph->info.rate_hz) {
        graph_watch_tell(graph, GRAPH_NEWS_RATE);
    }
    return !atomic_load(&stream->server.gone);
}

/* ---- opening ---- */

/* The node's ports in one direction; without a node there is nothing to count by. */
static uint32_t
count_ports(struct pipewire_server *server, const struct pipewire_node *node,
            enum pw_direction direction)
{
    return node ? pipewire_registry_ports(server, node->id, direction, NULL, BACKEND_MAX_CHANNELS)
                : GRAPH_PORTS_WITHOUT_DEVICE;
}

/* Which device, and how many ports. Under the lock. */
static enum tutti_status
choose(struct backend_stream *stream, const struct graph_opening *opening, char error[256])
{
    const struct config *config = &opening->config;
    struct backend_info *info = &stream->graph.info;
    struct pipewire_target target;
    if (!pipewire_registry_target(&stream->server, stream->device, &target)) {
        snprintf(error, 256, "there is no device '%.100s' in PipeWire's graph", stream->device);
        return TUTTI_NO_DEVICE;
    }
    stream->sink = id_of(target.sink);
    stream->source = id_of(target.source);
    info->inputs = graph_choose_count(
        config->pipewire_inputs, count_ports(&stream->server, target.source, PW_DIRECTION_OUTPUT),
        opening->request.max_inputs);
    info->outputs = graph_choose_count(
        config->pipewire_outputs, count_ports(&stream->server, target.sink, PW_DIRECTION_INPUT),
        opening->request.max_outputs);
    if (!stream->connect) {
        stream->sink = stream->source = SPA_ID_INVALID;
    }
    if (info->inputs + info->outputs == 0) {
        snprintf(error, 256, "[pipewire] asks for neither inputs nor outputs");
        return TUTTI_BAD_CONFIG;
    }
    return TUTTI_OK;
}

/* Waits till ready(stream) or the deadline. */
static bool
await(struct backend_stream *stream, bool (*ready)(struct backend_stream *stream),
      uint64_t deadline_ns)
{
    while (!ready(stream)) {
        if (os_now_ns() > deadline_ns || atomic_load(&stream->server.gone)) {
            return false;
        }
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
    return true;
}

static bool
is_called(struct backend_stream *stream)
{
    return atomic_load_explicit(&stream->graph.calls, memory_order_acquire) > 0 &&
           atomic_load(&stream->rate) > 0;
}

static bool
is_in_registry(struct backend_stream *stream)
{
    const struct backend_info *info = &stream->graph.info;
    pipewire_server_lock(&stream->server);
    uint32_t self = stream->server.api->filter_get_node_id(stream->filter);
    bool all = self != SPA_ID_INVALID &&
               pipewire_registry_ports(&stream->server, self, PW_DIRECTION_INPUT, NULL,
                                       BACKEND_MAX_CHANNELS) == info->inputs &&
               pipewire_registry_ports(&stream->server, self, PW_DIRECTION_OUTPUT, NULL,
                                       BACKEND_MAX_CHANNELS) == info->outputs;
    pipewire_server_unlock(&stream->server);
    return all;
}

static bool
is_linked(struct backend_stream *stream)
{
    return pipewire_links_settled(stream);
}

static bool
has_wanted_period(struct backend_stream *stream)
{
    return atomic_load(&stream->graph.period) == stream->wanted_period;
}

/* False: the graph does not give it. */
static bool
await_period(struct backend_stream *stream, uint32_t period_frames)
{
    stream->wanted_period = period_frames;
    return !period_frames || !stream->graph.may_set_period ||
           await(stream, has_wanted_period, in_ms(FOLLOW_LIMIT_MS));
}

static void
ask_for_period(struct backend_stream *stream, uint32_t period_frames)
{
    pipewire_server_lock(&stream->server);
    pipewire_filter_ask(stream, period_frames);
    pipewire_server_unlock(&stream->server);
}

/* A graph's ask_for_period. */
static enum tutti_status
request_period(struct graph *graph, uint32_t period_frames, uint32_t former_frames)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    if (!period_frames) {
        return TUTTI_OK;
    }
    ask_for_period(stream, period_frames);
    if (await_period(stream, period_frames)) {
        return TUTTI_OK;
    }
    /* No request stays that the graph would fulfil one day, unexpected. */
    ask_for_period(stream, former_frames ? former_frames : atomic_load(&graph->period));
    return TUTTI_UNSUPPORTED;
}

static enum tutti_status
join_graph(struct backend_stream *stream, struct graph_opening *opening, uint64_t deadline_ns)
{
    struct pipewire_server *server = &stream->server;
    pipewire_server_lock(server);
    enum tutti_status status = choose(stream, opening, opening->error);
    if (status == TUTTI_OK) {
        status = pipewire_filter_open(stream, opening->request.rate_hz,
                                      opening->request.period_frames, opening->error);
    }
    pipewire_server_unlock(server);
    if (status != TUTTI_OK) {
        return status;
    }
    if (!await(stream, is_in_registry, deadline_ns)) {
        snprintf(opening->error, sizeof(opening->error),
                 "the PipeWire server does not answer; it hangs");
        return TUTTI_NO_DEVICE;
    }
    pipewire_server_lock(server);
    if (stream->connect) {
        pipewire_links_make(stream);
        pipewire_links_watch_latency(stream);
    }
    pipewire_server_unlock(server);
    pipewire_server_sync(server, deadline_ns);
    if (!await(stream, is_linked, in_ms(LINK_LIMIT_MS))) {
        log_warning("pipewire: the device's links take their time");
    }
    if (!await(stream, is_called, deadline_ns)) {
        snprintf(opening->error, sizeof(opening->error),
                 "PipeWire's graph does not run: it has no device, and no driver without one");
        return TUTTI_NO_DEVICE;
    }
    return TUTTI_OK;
}

static void
run_opening(struct graph_opening *opening)
{
    struct backend_stream *stream = (struct backend_stream *)opening->graph;
    uint64_t deadline_ns = in_ms(OPEN_LIMIT_MS);
    bool hangs;
    opening->status = pipewire_server_open(&stream->server, opening->config.pipewire_remote,
                                           in_ms(LIST_LIMIT_MS), &hangs);
    if (opening->status != TUTTI_OK) {
        snprintf(opening->error, sizeof(opening->error), "%s",
                 hangs ? "the PipeWire server does not answer; it hangs"
                       : "no PipeWire server runs; start one, or choose another backend");
        return;
    }
    opening->status = join_graph(stream, opening, deadline_ns);
    if (opening->status != TUTTI_OK) {
        return;
    }
    await_period(stream, opening->request.period_frames);
    graph_describe(&stream->graph, stream->device, atomic_load(&stream->rate));
    measure(&stream->graph);
    graph_judge_opening(opening, "PipeWire's quantum");
}

static struct backend_stream *
new_stream(const struct pipewire_api *api, const struct backend_request *request,
           const struct backend_callbacks *callbacks)
{
    struct backend_stream *stream = calloc(1, sizeof(*stream));
    if (stream) {
        const struct config *config = request->config;
        graph_init(&stream->graph, "PipeWire", callbacks, (unsigned)config->pipewire_budget);
        stream->graph.end = end;
        stream->graph.ask_for_period = request_period;
        stream->graph.measure = measure;
        stream->graph.look_again = look_again;
        stream->server.api = api;
        stream->server.user = stream;
        stream->server.changed = on_changed;
        stream->server.broke = on_broke;
        stream->graph.may_set_period = config->pipewire_set_period;
        stream->force = config->pipewire_force;
        stream->connect = config->pipewire_connect;
        utf8_copy(stream->device, sizeof(stream->device),
                  request->device[0] ? request->device : pipewire_default_device);
        stream->is_named = strcmp(stream->device, pipewire_default_device) != 0;
    }
    return stream;
}

static enum tutti_status
pipewire_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
              struct backend_stream **streams, unsigned *count, char error[256])
{
    const struct pipewire_api *api = pipewire_api_load();
    enum tutti_status status = graph_may_open(&pipewire, api != NULL, error);
    if (status != TUTTI_OK) {
        return status;
    }
    struct backend_stream *stream = new_stream(api, request, callbacks);
    if (!stream) {
        return TUTTI_NO_MEMORY;
    }
    status = graph_open(&pipewire, &stream->graph, request, run_opening, error);
    if (status == TUTTI_OK) {
        look_again(&stream->graph);
        streams[0] = stream;
        *count = 1;
    }
    return status;
}

const struct backend backend_pipewire = {
    .name = "pipewire",
    .description = "PipeWire graph",
    .list = pipewire_list,
    .open = pipewire_open,
    .info = graph_stream_info,
    .start = graph_stream_start,
    .stop = graph_stream_stop,
    .close = pipewire_close,
    .set_period = graph_stream_set_period,
    .request_period = graph_stream_request_period,
};
