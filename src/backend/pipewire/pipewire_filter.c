/* SPDX-License-Identifier: MIT */
/*
 * What the stream is in PipeWire's graph: the node "Tutti" with mono ports, and what the graph's
 * real-time thread calls. There the engine's cycle runs on the ports' own memory; nothing on that
 * thread allocates, locks, logs or calls the server.
 */
#include "backend/pipewire/pipewire_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* ---- the real-time thread ---- */

/* Ports hold what was in their memory before: silence has to be written. Inputs are taken, too, for
 * their memory goes back to its writer only then. */
static void
be_silent(struct backend_stream *stream, uint32_t frames)
{
    for (uint32_t c = 0; c < stream->graph.info.inputs; c++) {
        stream->server.api->filter_get_dsp_buffer(stream->in_port[c], frames);
    }
    for (uint32_t c = 0; c < stream->graph.info.outputs; c++) {
        float *to = stream->server.api->filter_get_dsp_buffer(stream->out_port[c], frames);
        if (to) {
            memset(to, 0, frames * sizeof(float));
        }
    }
}

/* A port that nothing is linked to has no memory. */
static void
find_memory(struct backend_stream *stream, struct backend_area *areas, void *const *ports,
            uint32_t count, uint32_t frames, float *instead)
{
    for (uint32_t c = 0; c < count; c++) {
        void *memory = stream->server.api->filter_get_dsp_buffer(ports[c], frames);
        areas[c].first = memory ? memory : instead;
        areas[c].stride_bytes = sizeof(float);
    }
}

/* What changed since the last period, for the watch. */
static void
note(struct backend_stream *stream, const struct spa_io_clock *clock)
{
    uint32_t frames = (uint32_t)clock->duration, rate_hz = clock->rate.denom;
    if (frames != atomic_load_explicit(&stream->graph.period, memory_order_relaxed)) {
        atomic_store_explicit(&stream->graph.period, frames, memory_order_release);
        graph_watch_tell(&stream->graph, 0);
    }
    if (rate_hz && rate_hz != atomic_load_explicit(&stream->rate, memory_order_relaxed)) {
        atomic_store_explicit(&stream->rate, rate_hz, memory_order_release);
        /* before control knows a period it reads the rate itself */
        if (atomic_load_explicit(&stream->graph.known_period, memory_order_acquire)) {
            graph_watch_tell(&stream->graph, GRAPH_NEWS_RATE);
        }
    }
}

/* True when a cycle has filled the ports. */
static bool
run_period(struct backend_stream *stream, const struct spa_io_clock *clock)
{
    struct graph *graph = &stream->graph;
    struct backend_moment moment;
    uint64_t now_ns = os_now_ns();
    double since_ns = (double)now_ns - (double)clock->nsec;
    uint32_t frames = (uint32_t)clock->duration;
    bool believed = backend_clock_believes(&graph->clock.time, since_ns); /* the driver's moment */
    struct graph_turn turn = {
        .frames = frames,
        .renders = clock->flags & SPA_IO_CLOCK_FLAG_FREEWHEEL,
        .anew = clock->id != stream->clock_id,
        .woke_ns = believed ? clock->nsec : now_ns,
        .frame = (uint32_t)clock->position,
    };
    stream->clock_id = clock->id;
    if (clock->rate.denom != (uint32_t)graph->info.rate_hz || !graph_turn(graph, &turn, &moment)) {
        return false;
    }
    find_memory(stream, graph->in, stream->in_port, graph->info.inputs, frames, stream->silence);
    find_memory(stream, graph->out, stream->out_port, graph->info.outputs, frames, stream->nowhere);
    graph_cycle(graph, &moment);
    return true;
}

static void
on_process(void *data, struct spa_io_position *position)
{
    struct backend_stream *stream = data;
    bool filled = false;
    if (!position) {
        return;
    }
    note(stream, &position->clock);
    /* Partner: the acquire load of who waits for the first period. */
    atomic_fetch_add_explicit(&stream->graph.calls, 1, memory_order_release);
    if (graph_enter(&stream->graph)) {
        filled = run_period(stream, &position->clock);
        graph_leave(&stream->graph);
    }
    if (!filled) {
        be_silent(stream, (uint32_t)position->clock.duration);
    }
}

/* ---- the node ---- */

static void
on_state(void *data, enum pw_filter_state old, enum pw_filter_state state, const char *error)
{
    struct backend_stream *stream = data;
    (void)old;
    if (state == PW_FILTER_STATE_ERROR) {
        log_warning("pipewire: %s", error ? error : "the node failed");
    } else if (state == PW_FILTER_STATE_UNCONNECTED && stream->follows) {
        graph_watch_tell_shutdown(&stream->graph, "the server removed our node");
    }
}

static const struct pw_filter_events filter_events = {
    .version = PW_VERSION_FILTER_EVENTS,
    .state_changed = on_state,
    .process = on_process,
};

enum { REQUEST_TEXT_BYTES = 32, REQUEST_ITEMS = 4 };

struct request {
    char text[REQUEST_ITEMS][REQUEST_TEXT_BYTES];
    struct spa_dict_item item[REQUEST_ITEMS];
    unsigned count;
};

static void
add(struct request *request, const char *key, const char *format, uint32_t a, uint32_t b)
{
    char *text = request->text[request->count];
    snprintf(text, REQUEST_TEXT_BYTES, format, a, b);
    request->item[request->count++] = SPA_DICT_ITEM_INIT(key, text);
}

/* What the graph is asked for: a wish, which yields to others', or an order, which does not. */
static void
fill_request(const struct backend_stream *stream, struct request *request, uint32_t rate_hz,
             uint32_t period_frames)
{
    uint32_t present_hz =
        stream->server.forced_rate_hz ? stream->server.forced_rate_hz : stream->server.rate_hz;
    uint32_t unit_hz = rate_hz ? rate_hz : present_hz ? present_hz : 48000;
    request->count = 0;
    if (!stream->graph.may_set_period) {
        return;
    }
    if (rate_hz) {
        add(request, PW_KEY_NODE_RATE, "%u/%u", 1, rate_hz);
    }
    if (period_frames) {
        add(request, PW_KEY_NODE_LATENCY, "%u/%u", period_frames, unit_hz);
    }
    if (rate_hz && stream->force) {
        add(request, PW_KEY_NODE_FORCE_RATE, "%u", rate_hz, 0);
    }
    if (period_frames && stream->force) {
        add(request, PW_KEY_NODE_FORCE_QUANTUM, "%u", period_frames, 0);
    }
}

void
pipewire_filter_ask(struct backend_stream *stream, uint32_t period_frames)
{
    struct request request;
    fill_request(stream, &request, (uint32_t)stream->graph.info.rate_hz, period_frames);
    struct spa_dict dict = SPA_DICT_INIT(request.item, request.count);
    stream->server.api->filter_update_properties(stream->filter, NULL, &dict);
}

static bool
add_ports(struct backend_stream *stream, void **ports, uint32_t count, const char *prefix,
          enum pw_direction direction)
{
    const struct pipewire_api *api = stream->server.api;
    for (uint32_t c = 0; c < count; c++) {
        char name[32];
        snprintf(name, sizeof(name), "%s_%u", prefix, c + 1);
        struct spa_dict_item items[2] = {
            SPA_DICT_ITEM_INIT(PW_KEY_FORMAT_DSP, "32 bit float mono audio"),
            SPA_DICT_ITEM_INIT(PW_KEY_PORT_NAME, name),
        };
        struct spa_dict dict = SPA_DICT_INIT(items, 2);
        ports[c] = api->filter_add_port(stream->filter, direction, PW_FILTER_PORT_FLAG_MAP_BUFFERS,
                                        sizeof(uint32_t), api->properties_new_dict(&dict), NULL, 0);
        if (!ports[c]) {
            return false;
        }
    }
    return true;
}

enum tutti_status
pipewire_filter_open(struct backend_stream *stream, double rate_hz, uint32_t period_frames,
                     char error[256])
{
    const struct pipewire_api *api = stream->server.api;
    struct request request;
    struct spa_dict_item items[8 + REQUEST_ITEMS] = {
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_NAME, "Tutti"),
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_DESCRIPTION, "Tutti"),
        SPA_DICT_ITEM_INIT(PW_KEY_MEDIA_TYPE, "Audio"),
        SPA_DICT_ITEM_INIT(PW_KEY_MEDIA_CATEGORY, "Duplex"),
        SPA_DICT_ITEM_INIT(PW_KEY_MEDIA_ROLE, "DSP"),
        /* in the graph, and called, whatever is linked */
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_ALWAYS_PROCESS, "true"),
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_WANT_DRIVER, "true"),
        /* links are ours or a person's, not the session manager's */
        SPA_DICT_ITEM_INIT(PW_KEY_NODE_AUTOCONNECT, "false"),
    };
    fill_request(stream, &request, (uint32_t)rate_hz, period_frames);
    memcpy(&items[8], request.item, request.count * sizeof(items[0]));
    struct spa_dict dict = SPA_DICT_INIT(items, 8 + request.count);
    stream->filter = api->filter_new(stream->server.core, "Tutti", api->properties_new_dict(&dict));
    if (!stream->filter) {
        snprintf(error, 256, "PipeWire did not make the node 'Tutti'");
        return TUTTI_DEVICE_FAILED;
    }
    api->filter_add_listener(stream->filter, &stream->filter_hook, &filter_events, stream);
    if (!add_ports(stream, stream->in_port, stream->graph.info.inputs, "in", PW_DIRECTION_INPUT) ||
        !add_ports(stream, stream->out_port, stream->graph.info.outputs, "out",
                   PW_DIRECTION_OUTPUT)) {
        snprintf(error, 256,
                 "PipeWire has no room for the ports; ask for fewer ([pipewire] "
                 "inputs, outputs)");
        return TUTTI_FULL;
    }
    if (api->filter_connect(stream->filter, PW_FILTER_FLAG_RT_PROCESS, NULL, 0) < 0) {
        snprintf(error, 256, "PipeWire did not take the node 'Tutti' into its graph");
        return TUTTI_DEVICE_FAILED;
    }
    return TUTTI_OK;
}
