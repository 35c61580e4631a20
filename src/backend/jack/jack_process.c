/* SPDX-License-Identifier: MIT */
/*
 * What libjack's threads call. The process callback, on JACK's real-time thread, runs the engine's
 * cycle on the ports' own memory; the others leave a note for the watch. Nothing here allocates,
 * locks, logs or calls the server.
 *
 * The client stays in the graph from the first start to close, so that what a person has patched
 * stays patched when the engine stops for a moment; between stop and start a gate keeps cycles out.
 * The gate also keeps libjack from ending its thread in the middle of one: deactivating cancels it
 * wherever it is.
 */
#include "backend/jack/jack_stream.h"

#include <stdio.h>
#include <string.h>

/* ---- the gate ---- */

static bool
enter(struct backend_stream *stream)
{
    unsigned open = JACK_GATE_OPEN;
    return atomic_compare_exchange_strong_explicit(&stream->gate, &open,
                                                   JACK_GATE_OPEN | JACK_GATE_INSIDE,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void
leave(struct backend_stream *stream)
{
    /* Partner: the acquire load in jack_process_shut(). */
    atomic_fetch_and_explicit(&stream->gate, ~(unsigned)JACK_GATE_INSIDE, memory_order_release);
}

void
jack_process_shut(struct backend_stream *stream)
{
    atomic_fetch_and_explicit(&stream->gate, ~(unsigned)JACK_GATE_OPEN, memory_order_acq_rel);
    while (atomic_load_explicit(&stream->gate, memory_order_acquire) & JACK_GATE_INSIDE) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS / 10);
    }
}

void
jack_process_restart_clock(struct backend_stream *stream)
{
    jack_clock_start(&stream->clock, stream->info.rate_hz, stream->info.period_frames);
}

/* ---- one period ---- */

/* Ports hold what was in their memory before: silence has to be written. */
static void
be_silent(struct backend_stream *stream, uint32_t frames)
{
    for (uint32_t c = 0; c < stream->info.outputs; c++) {
        float *to = stream->api->port_get_buffer(stream->out_port[c], frames);
        if (to) {
            memset(to, 0, frames * sizeof(float));
        }
    }
}

static void
find_memory(struct backend_area *areas, struct jack_port *const *ports, uint32_t count,
            uint32_t frames, const struct jack_api *api)
{
    for (uint32_t c = 0; c < count; c++) {
        areas[c].first = ports ? api->port_get_buffer(ports[c], frames) : NULL;
        areas[c].stride_bytes = sizeof(float);
    }
}

static void
run_cycle(struct backend_stream *stream, const struct jack_moment *moment, bool connected)
{
    uint32_t frames = stream->info.period_frames;
    find_memory(stream->in, connected ? stream->in_port : NULL, stream->info.inputs, frames,
                stream->api);
    find_memory(stream->out, connected ? stream->out_port : NULL, stream->info.outputs, frames,
                stream->api);
    struct backend_cycle cycle = {
        .in = stream->in,
        .out = stream->out,
        .frames = frames,
        .flags = moment->xrun ? BACKEND_CYCLE_XRUN : 0,
        .time_ns = moment->time_ns,
        .start_ns = os_now_ns(),
        .lost_frames = moment->lost_frames,
    };
    stream->callbacks.cycle(stream->callbacks.user, &cycle);
}

/* When the server woke for this cycle: clients before us in the graph have taken their time since.
 */
static uint64_t
woke_ns(const struct backend_stream *stream)
{
    uint64_t now_ns = os_now_ns();
    double since_ns =
        stream->api->frames_since_cycle_start(stream->client) * 1e9 / stream->info.rate_hz;
    /* more than some periods ago is no answer */
    return since_ns < 4 * stream->clock.nominal_ns ? now_ns - (uint64_t)since_ns : now_ns;
}

static void
run_period(struct backend_stream *stream, uint32_t frames)
{
    struct jack_moment moment;
    if (frames != stream->info.period_frames) {
        /* The server changed it: silence until the engine has followed. */
        be_silent(stream, frames);
        return;
    }
    if (atomic_load_explicit(&stream->freewheeling, memory_order_relaxed)) {
        /* The server renders, as fast as it can, for somebody else. Programs go on in real time and
         * in silence. */
        be_silent(stream, frames);
        stream->raised = false; /* libjack has taken it back, too */
        if (jack_clock_pace(&stream->clock, os_now_ns(), &moment)) {
            run_cycle(stream, &moment, false);
        }
        return;
    }
    if (!stream->raised) {
        /* Programs' threads must not keep the engine's waiting; a server with a low priority gives
         * its clients one that is below theirs. */
        os_thread_raise_priority(OS_PRIORITY_ENGINE);
        stream->raised = true;
    }
    moment = jack_clock_tick(&stream->clock, woke_ns(stream),
                             stream->api->last_frame_time(stream->client),
                             atomic_load_explicit(&stream->xruns, memory_order_relaxed));
    run_cycle(stream, &moment, true);
}

uint64_t
jack_process_pace(struct backend_stream *stream)
{
    struct jack_moment moment;
    uint64_t now_ns = os_now_ns();
    if (!enter(stream)) {
        return now_ns + OS_NS_PER_MS;
    }
    if (jack_clock_pace(&stream->clock, now_ns, &moment)) {
        run_cycle(stream, &moment, false);
    }
    uint64_t next_ns = (uint64_t)stream->clock.next_ns;
    leave(stream);
    return next_ns;
}

static int
on_process(uint32_t frames, void *arg)
{
    struct backend_stream *stream = arg;
    atomic_fetch_add_explicit(&stream->calls, 1, memory_order_relaxed);
    if (enter(stream)) {
        run_period(stream, frames);
        leave(stream);
    } else {
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
    atomic_store_explicit(&stream->period, frames, memory_order_release);
    jack_watch_tell(stream, 0);
    return 0;
}

static int
on_rate(uint32_t rate_hz, void *arg)
{
    struct backend_stream *stream = arg;
    if (rate_hz != (uint32_t)stream->info.rate_hz) {
        jack_watch_tell(stream, JACK_NEWS_RATE);
    }
    return 0;
}

static void
on_freewheel(int starting, void *arg)
{
    struct backend_stream *stream = arg;
    atomic_store_explicit(&stream->freewheeling, starting != 0, memory_order_relaxed);
    jack_watch_tell(stream, 0);
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
on_shutdown(int code, const char *reason, void *arg)
{
    struct backend_stream *stream = arg;
    snprintf(stream->reason, sizeof(stream->reason), "%s",
             reason && reason[0] ? reason : "the server ended");
    jack_watch_tell(stream, JACK_NEWS_SHUTDOWN);
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
