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

uint32_t
jack_ports_find(const struct jack_api *api, struct jack_client *client, unsigned long flags,
                const char ***names)
{
    uint32_t count = 0;
    *names = api->get_ports(client, NULL, JACK_AUDIO_TYPE, flags | JACK_PORT_IS_PHYSICAL);
    while (*names && (*names)[count]) {
        count++;
    }
    return count;
}

/* How many ports of our own: as configured, else one for each physical port. */
static uint32_t
choose_count(int32_t configured, uint32_t physical, uint32_t most)
{
    uint32_t count = configured >= 0 ? (uint32_t)configured : physical;
    return count < most ? count : most;
}

static enum tutti_status
register_ports(struct backend_stream *stream, struct jack_port **ports, uint32_t count,
               const char *prefix, unsigned long flag, char error[256])
{
    for (uint32_t c = 0; c < count; c++) {
        char name[32];
        snprintf(name, sizeof(name), "%s_%u", prefix, c + 1);
        ports[c] = stream->api->port_register(stream->client, name, JACK_AUDIO_TYPE, flag, 0);
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
        jack_ports_find(stream->api, stream->client, JACK_PORT_IS_OUTPUT, &stream->capture);
    uint32_t playbacks =
        jack_ports_find(stream->api, stream->client, JACK_PORT_IS_INPUT, &stream->playback);
    if (!captures && !playbacks) {
        /* nothing to go by: a server of programs alone */
        captures = playbacks = GRAPH_PORTS_WITHOUT_DEVICE;
    }
    info->inputs = choose_count(config->jack_inputs, captures, request->max_inputs);
    info->outputs = choose_count(config->jack_outputs, playbacks, request->max_outputs);
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
        register_ports(stream, stream->in_port, info->inputs, "in", JACK_PORT_IS_INPUT, error);
    if (status == TUTTI_OK) {
        status = register_ports(stream, stream->out_port, info->outputs, "out", JACK_PORT_IS_OUTPUT,
                                error);
    }
    return status;
}

/* Asks nobody: libjack knows. */
static bool
have_device(const struct backend_stream *stream)
{
    const char **names;
    uint32_t count = jack_ports_find(stream->api, stream->client, JACK_PORT_IS_OUTPUT, &names);
    stream->api->free(names);
    if (!count) {
        count = jack_ports_find(stream->api, stream->client, JACK_PORT_IS_INPUT, &names);
        stream->api->free(names);
    }
    return count > 0;
}

/* A server of the network has no device until it has found the other machine, and again when the
 * cable was out. A driver registers its ports one by one: looked at in the turn after they came or
 * went. */
bool
jack_ports_came_late(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph; /* its first member */
    uint32_t registrations = atomic_load_explicit(&stream->registrations, memory_order_relaxed);
    if (!stream->connects) {
        return false;
    }
    if (registrations != stream->known_registrations) {
        stream->known_registrations = registrations;
        stream->settling = true;
        return false;
    }
    if (!stream->settling) {
        return false;
    }
    stream->settling = false;
    bool was_bare = stream->bare;
    stream->bare = !have_device(stream);
    return was_bare && !stream->bare;
}

/* ---- connections ---- */

static void
connect_in_order(struct backend_stream *stream, struct jack_port *const *ports, uint32_t count,
                 const char *const *physical, bool to_us)
{
    for (uint32_t c = 0; c < count && physical && physical[c]; c++) {
        const char *own = stream->api->port_name(ports[c]);
        const char *source = to_us ? physical[c] : own;
        const char *destination = to_us ? own : physical[c];
        int failure = stream->api->connect(stream->client, source, destination);
        if (failure && failure != EEXIST) {
            log_warning("jack: cannot connect %s with %s (error %d)", source, destination, failure);
        } else {
            log_debug("jack: %s -> %s", source, destination);
        }
    }
}

void
jack_ports_connect(struct backend_stream *stream)
{
    connect_in_order(stream, stream->in_port, stream->graph.info.inputs, stream->capture, true);
    connect_in_order(stream, stream->out_port, stream->graph.info.outputs, stream->playback, false);
}

/* ---- latency ---- */

/* The greatest latency of the physical ports that belong to ours: a promise for all of them. */
static uint32_t
greatest_latency(struct backend_stream *stream, const char *const *physical, uint32_t count,
                 int mode)
{
    uint32_t greatest = 0;
    for (uint32_t c = 0; c < count && physical && physical[c]; c++) {
        struct jack_latency_range range = {0, 0};
        struct jack_port *port = stream->api->port_by_name(stream->client, physical[c]);
        if (port) {
            stream->api->port_get_latency_range(port, mode, &range);
        }
        if (range.max > greatest) {
            greatest = range.max;
        }
    }
    return greatest;
}

void
jack_ports_measure(struct backend_stream *stream)
{
    struct backend_info *info = &stream->graph.info;
    uint32_t period = stream->api->get_buffer_size(stream->client);
    graph_set_period(&stream->graph, period, !stream->may_set_period);
    /* In JACK a capture port's latency counts the period in which its frames gathered, so that a
     * port without one holds frames of this very period: what Tutti plays, patched into its own
     * input, is heard one period later. */
    uint32_t capture =
        greatest_latency(stream, stream->capture, info->inputs, JACK_LATENCY_CAPTURE);
    info->input_latency_frames = capture > period ? capture : period;
    info->output_latency_frames =
        greatest_latency(stream, stream->playback, info->outputs, JACK_LATENCY_PLAYBACK);
}

void
jack_ports_tell_latency(int mode, void *arg)
{
    struct backend_stream *stream = arg;
    const struct backend_info *info = &stream->graph.info;
    bool capture = mode == JACK_LATENCY_CAPTURE;
    struct jack_port *const *from = capture ? stream->in_port : stream->out_port;
    struct jack_port *const *to = capture ? stream->out_port : stream->in_port;
    uint32_t from_count = capture ? info->inputs : info->outputs;
    uint32_t to_count = capture ? info->outputs : info->inputs;
    struct jack_latency_range all = {UINT32_MAX, 0};
    for (uint32_t c = 0; c < from_count; c++) {
        struct jack_latency_range range = {0, 0};
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
