/* SPDX-License-Identifier: MIT */
/*
 * What libjack's threads call. The process callback, on JACK's real-time thread, runs the engine's
 * cycle on the ports' own memory; the others leave a note for the watch. Nothing here allocates,
 * locks, logs or calls the server. The gate also keeps libjack from ending its thread in the middle
 * of a cycle: deactivating cancels it wherever it is.
 */
#include "backend/jack/jack_stream.h"

#include <string.h>

/* ---- one period ---- */

/* Ports hold what was in their memory before: silence has to be written. */
static void
be_silent(struct backend_stream *stream, uint32_t frames)
{
    for (uint32_t c = 0; c < stream->graph.info.outputs; c++) {
        float *to = stream->api->port_get_buffer(stream->out_port[c], frames);
        if (to) {
            memset(to, 0, frames * sizeof(float));
        }
    }
}

static void
find_memory(struct backend_area *areas, jack_port_t *const *ports, uint32_t count, uint32_t frames,
            const struct jack_api *api)
{
    for (uint32_t c = 0; c < count; c++) {
        areas[c].first = api->port_get_buffer(ports[c], frames);
        areas[c].stride_bytes = sizeof(float);
    }
}

/* When the server woke for this cycle: clients before us in the graph have taken their time since.
 */
static uint64_t
woke_ns(const struct backend_stream *stream)
{
    uint64_t now_ns = os_now_ns();
    double since_ns =
        stream->api->frames_since_cycle_start(stream->client) * 1e9 / stream->graph.info.rate_hz;
    bool believed = backend_clock_believes(&stream->graph.clock.time, since_ns);
    return believed ? now_ns - (uint64_t)since_ns : now_ns;
}

/* True when a cycle has filled the ports. */
static bool
run_period(struct backend_stream *stream, uint32_t frames)
{
    struct graph *graph = &stream->graph;
    struct backend_moment moment;
    struct graph_turn turn = {
        .frames = frames,
        .renders = atomic_load_explicit(&stream->freewheeling, memory_order_relaxed),
        .woke_ns = woke_ns(stream),
        .frame = stream->api->last_frame_time(stream->client),
        .xruns = atomic_load_explicit(&stream->xruns, memory_order_relaxed),
    };
    if (!graph_turn(graph, &turn, &moment)) {
        return false;
    }
    find_memory(graph->in, stream->in_port, graph->info.inputs, frames, stream->api);
    find_memory(graph->out, stream->out_port, graph->info.outputs, frames, stream->api);
    graph_cycle(graph, &moment);
    return true;
}

static int
on_process(uint32_t frames, void *arg)
{
    struct backend_stream *stream = arg;
    bool filled = false;
    atomic_fetch_add_explicit(&stream->graph.calls, 1, memory_order_relaxed);
    if (graph_enter(&stream->graph)) {
        filled = run_period(stream, frames);
        graph_leave(&stream->graph);
    }
    if (!filled) {
        be_silent(stream, frames);
    }
    return 0;
}

/* ---- what the server tells ---- */

static int
on_xrun(void *arg)
{
    struct backend_stream *stream = arg;
    atomic_fetch_add_explicit(&stream->xruns, 1, memory_order_relaxed);
    return 0;
}

static int
on_period(uint32_t frames, void *arg)
{
    struct backend_stream *stream = arg;
    atomic_store_explicit(&stream->graph.period, frames, memory_order_release);
    graph_watch_tell(&stream->graph, 0);
    return 0;
}

static int
on_rate(uint32_t rate_hz, void *arg)
{
    struct backend_stream *stream = arg;
    if (rate_hz != (uint32_t)stream->graph.info.rate_hz) {
        graph_watch_tell(&stream->graph, GRAPH_NEWS_RATE);
    }
    return 0;
}

static void
on_freewheel(int starting, void *arg)
{
    struct backend_stream *stream = arg;
    atomic_store_explicit(&stream->freewheeling, starting != 0, memory_order_relaxed);
    graph_watch_tell(&stream->graph, 0);
}

static void
on_registration(uint32_t port, int registered, void *arg)
{
    struct backend_stream *stream = arg;
    (void)port;
    (void)registered;
    /* Partner: the watch's load. */
    atomic_fetch_add_explicit(&stream->registrations, 1, memory_order_relaxed);
}

static void
on_shutdown(jack_status_t code, const char *reason, void *arg)
{
    struct backend_stream *stream = arg;
    (void)code;
    graph_watch_tell_shutdown(&stream->graph, reason && reason[0] ? reason : "the server ended");
}

void
jack_process_install(struct backend_stream *stream)
{
    const struct jack_api *api = stream->api;
    api->set_process_callback(stream->client, on_process, stream);
    api->set_xrun_callback(stream->client, on_xrun, stream);
    api->set_buffer_size_callback(stream->client, on_period, stream);
    api->set_sample_rate_callback(stream->client, on_rate, stream);
    api->set_latency_callback(stream->client, jack_ports_tell_latency, stream);
    api->set_freewheel_callback(stream->client, on_freewheel, stream);
    api->set_port_registration_callback(stream->client, on_registration, stream);
    api->on_info_shutdown(stream->client, on_shutdown, stream);
}
