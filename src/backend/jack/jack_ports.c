/* SPDX-License-Identifier: MIT */
/*
 * What the stream is in JACK's graph: its ports, the physical ports that they are connected with,
 * and the latencies of those. Ports are named by what the server says they are called, for a server
 * may rename a client whose name is taken.
 */
#include "backend/jack/jack_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* of the watch */
enum { SETTLING_TURNS = 3, CONNECTING_TURNS = 200 };

uint32_t
jack_ports_find(const struct jack_api *api, jack_client_t *client, unsigned long flags,
                const char ***names)
{
    uint32_t count = 0;
    *names = api->get_ports(client, NULL, JACK_DEFAULT_AUDIO_TYPE, flags | JackPortIsPhysical);
    while (*names && (*names)[count]) {
        count++;
    }
    return count;
}

static enum tutti_status
register_ports(struct backend_stream *stream, jack_port_t **ports, uint32_t count,
               const char *prefix, unsigned long flag, char error[256])
{
    for (uint32_t c = 0; c < count; c++) {
        char name[32];
        snprintf(name, sizeof(name), "%s_%u", prefix, c + 1);
        ports[c] =
            stream->api->port_register(stream->client, name, JACK_DEFAULT_AUDIO_TYPE, flag, 0);
        if (!ports[c]) {
            snprintf(error, 256,
                     "the JACK server has no room for the port '%s'; give it more (jackd -p) or "
                     "Tutti fewer ([jack] inputs, outputs)",
                     name);
            return TUTTI_FULL;
        }
    }
    return TUTTI_OK;
}

enum tutti_status
jack_ports_open(struct backend_stream *stream, const struct backend_request *request,
                char error[256])
{
    const struct config *config = request->config;
    struct backend_info *info = &stream->graph.info;
    uint32_t captures =
        jack_ports_find(stream->api, stream->client, JackPortIsOutput, &stream->capture);
    uint32_t playbacks =
        jack_ports_find(stream->api, stream->client, JackPortIsInput, &stream->playback);
    stream->lacks_inputs = !captures && config->jack_inputs != 0;
    stream->lacks_outputs = !playbacks && config->jack_outputs != 0;
    if (!captures && !playbacks) {
        /* nothing to go by: a server of programs alone */
        captures = playbacks = GRAPH_PORTS_WITHOUT_DEVICE;
    }
    info->inputs = graph_choose_count(config->jack_inputs, captures, request->max_inputs);
    info->outputs = graph_choose_count(config->jack_outputs, playbacks, request->max_outputs);
    if (!config->jack_connect) {
        stream->api->free(stream->capture);
        stream->api->free(stream->playback);
        stream->capture = stream->playback = NULL;
    }
    if (info->inputs + info->outputs == 0) {
        snprintf(error, 256, "[jack] asks for neither inputs nor outputs");
        return TUTTI_BAD_CONFIG;
    }
    enum tutti_status status =
        register_ports(stream, stream->in_port, info->inputs, "in", JackPortIsInput, error);
    if (status == TUTTI_OK) {
        status =
            register_ports(stream, stream->out_port, info->outputs, "out", JackPortIsOutput, error);
    }
    return status;
}

/* Asks nobody: libjack knows. */
static bool
has_physical(const struct backend_stream *stream, unsigned long flags)
{
    const char **names;
    uint32_t count = jack_ports_find(stream->api, stream->client, flags, &names);
    stream->api->free(names);
    return count > 0;
}

/* A server of the network has no device until it has found the other machine, and again when the
 * cable was out. A driver registers its ports one by one: looked at when none has come or gone for
 * some turns. */
static bool
came_late(struct backend_stream *stream)
{
    uint32_t registrations = atomic_load_explicit(&stream->registrations, memory_order_relaxed);
    bool changed = registrations != stream->known_registrations;
    if (!changed && !stream->settling_turns) {
        return false;
    }
    stream->known_registrations = registrations;
    stream->settling_turns = changed ? SETTLING_TURNS : stream->settling_turns - 1;
    bool inputs = has_physical(stream, JackPortIsOutput);
    bool outputs = has_physical(stream, JackPortIsInput);
    if (!inputs && !outputs) {
        /* the card was taken away */
        stream->lacks_inputs |= stream->graph.info.inputs > 0;
        stream->lacks_outputs |= stream->graph.info.outputs > 0;
    }
    return !stream->settling_turns &&
           ((stream->lacks_inputs && inputs) || (stream->lacks_outputs && outputs));
}

/* ---- connections ---- */

/* How many could not be connected. */
static unsigned
connect_in_order(struct backend_stream *stream, jack_port_t *const *ports, uint32_t count,
                 const char *const *physical, bool to_us)
{
    unsigned failures = 0;
    for (uint32_t c = 0; c < count && physical && physical[c]; c++) {
        const char *own = stream->api->port_name(ports[c]);
        const char *source = to_us ? physical[c] : own;
        const char *destination = to_us ? own : physical[c];
        int failure = stream->api->connect(stream->client, source, destination);
        failures += failure && failure != EEXIST;
        log_debug("jack: %s -> %s (%d)", source, destination, failure);
    }
    return failures;
}

static unsigned
connect_all(struct backend_stream *stream)
{
    const struct backend_info *info = &stream->graph.info;
    return connect_in_order(stream, stream->in_port, info->inputs, stream->capture, true) +
           connect_in_order(stream, stream->out_port, info->outputs, stream->playback, false);
}

void
jack_ports_connect(struct backend_stream *stream)
{
    if (connect_all(stream)) {
        atomic_store(&stream->connecting_turns, CONNECTING_TURNS);
    }
}

/* Ports of a client that is not active yet cannot be connected, and a driver may take its time
 * between the one and the other. */
static void
connect_rest(struct backend_stream *stream)
{
    unsigned turns = atomic_load(&stream->connecting_turns);
    if (!turns) {
        return;
    }
    unsigned failures = connect_all(stream);
    atomic_store(&stream->connecting_turns, failures ? turns - 1 : 0);
    if (failures && turns == 1) {
        log_warning("jack: the server does not connect %u of our ports with its physical ones; "
                    "connect them in a patchbay",
                    failures);
    }
}

/* ---- latency ---- */

/* The greatest latency of the physical ports that belong to ours: a promise for all of them. */
static uint32_t
greatest_latency(struct backend_stream *stream, const char *const *physical, uint32_t count,
                 jack_latency_callback_mode_t mode)
{
    uint32_t greatest = 0;
    for (uint32_t c = 0; c < count && physical && physical[c]; c++) {
        jack_latency_range_t range = {0, 0};
        jack_port_t *port = stream->api->port_by_name(stream->client, physical[c]);
        if (port) {
            stream->api->port_get_latency_range(port, mode, &range);
        }
        if (range.max > greatest) {
            greatest = range.max;
        }
    }
    return greatest;
}

static void
read_latency(struct backend_stream *stream, uint32_t *capture, uint32_t *playback)
{
    const struct backend_info *info = &stream->graph.info;
    *capture = greatest_latency(stream, stream->capture, info->inputs, JackCaptureLatency);
    *playback = greatest_latency(stream, stream->playback, info->outputs, JackPlaybackLatency);
}

void
jack_ports_measure(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    uint32_t capture, playback;
    graph_set_period(graph, stream->api->get_buffer_size(stream->client));
    read_latency(stream, &capture, &playback);
    atomic_store(&stream->told_capture, capture);
    atomic_store(&stream->told_playback, playback);
    graph_set_latencies(graph, capture, playback);
}

/* Told in each turn until control has taken it over. */
static void
look_at_latency(struct backend_stream *stream)
{
    uint32_t calls = atomic_load_explicit(&stream->latency_calls, memory_order_relaxed);
    uint32_t capture, playback;
    if (calls == stream->known_latency_calls) {
        return;
    }
    read_latency(stream, &capture, &playback);
    if (capture == atomic_load(&stream->told_capture) &&
        playback == atomic_load(&stream->told_playback)) {
        stream->known_latency_calls = calls;
    } else {
        graph_watch_tell(&stream->graph, GRAPH_NEWS_LATENCY);
    }
}

void
jack_ports_tell_latency(jack_latency_callback_mode_t mode, void *arg)
{
    struct backend_stream *stream = arg;
    const struct backend_info *info = &stream->graph.info;
    atomic_fetch_add_explicit(&stream->latency_calls, 1, memory_order_relaxed);
    bool capture = mode == JackCaptureLatency;
    jack_port_t *const *from = capture ? stream->in_port : stream->out_port;
    jack_port_t *const *to = capture ? stream->out_port : stream->in_port;
    uint32_t from_count = capture ? info->inputs : info->outputs;
    uint32_t to_count = capture ? info->outputs : info->inputs;
    jack_latency_range_t all = {UINT32_MAX, 0};
    for (uint32_t c = 0; c < from_count; c++) {
        jack_latency_range_t range = {0, 0};
        stream->api->port_get_latency_range(from[c], mode, &range);
        all.min = range.min < all.min ? range.min : all.min;
        all.max = range.max > all.max ? range.max : all.max;
    }
    if (!from_count) {
        all.min = 0;
    }
    for (uint32_t c = 0; c < to_count; c++) {
        stream->api->port_set_latency_range(to[c], mode, &all);
    }
}

/* ---- a turn of the watch ---- */

bool
jack_ports_look(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph; /* its first member */
    if (!stream->connects) {
        return false;
    }
    connect_rest(stream);
    look_at_latency(stream);
    return came_late(stream);
}
