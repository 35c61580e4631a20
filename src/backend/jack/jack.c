/* SPDX-License-Identifier: MIT */
/*
 * A JACK server as the device: the client "Tutti" with ports in_1.., out_1.., connected with the
 * physical ports in order. It never starts a server, and every call that waits for one has a limit
 * (graph_call.h): "auto" passes over a server that is absent or hangs.
 *
 * There is one client in the process at a time. When a server has died, libjack frees the clients
 * that are left of it as soon as another is opened, so ours is closed before, and the list is read
 * through the open stream's client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/graph/graph_list.h"
#include "backend/graph/graph_open.h"
#include "backend/graph/graph_stream.h"
#include "backend/jack/jack_stream.h"
#include "base/log.h"
#include "base/utf8.h"

enum {
    LIST_LIMIT_MS = 500,
    OPEN_LIMIT_MS = 3000,
    CLOSE_LIMIT_MS = 1500,
    CLOSE_LOST_LIMIT_MS = 50, /* programs wait for the clock that replaces the device */
    FOLLOW_LIMIT_MS = 1000,   /* a server that takes a new period in its own time */
};

static const char device_name[] = "JACK server";

static struct graph_server jack = {.name = "JACK",
                                   .log_name = "jack",
                                   .library = JACK_LIBRARY,
                                   .open_limit_ms = OPEN_LIMIT_MS,
                                   .close_limit_ms = CLOSE_LIMIT_MS};

static jack_client_t *
open_client(const struct jack_api *api, const char *name, const char *server, jack_status_t *status)
{
    *status = (jack_status_t)0;
    return server[0] ? api->client_open(name, JackNoStartServer | JackServerName, status, server)
                     : api->client_open(name, JackNoStartServer, status);
}

/* ---- listing ---- */

static void
look_at(struct graph_listing *listing, jack_client_t *client)
{
    const struct jack_api *api = listing->api;
    struct backend_device *device = &listing->devices[0];
    const char **names;
    utf8_copy(device->name, sizeof(device->name), device_name);
    device->inputs = jack_ports_find(api, client, JackPortIsOutput, &names);
    api->free(names);
    device->outputs = jack_ports_find(api, client, JackPortIsInput, &names);
    api->free(names);
    if (!device->inputs && !device->outputs) {
        device->inputs = device->outputs = GRAPH_PORTS_WITHOUT_DEVICE;
    }
    device->is_default = true;
    device->rates_hz[0] = api->get_sample_rate(client);
    device->period_min_frames = device->period_max_frames = api->get_buffer_size(client);
    device->period_step_frames = 1;
    listing->count = 1;
    listing->found = true;
}

static void
look(struct graph_listing *listing, struct graph *graph)
{
    look_at(listing, ((struct backend_stream *)graph)->client);
}

static void
ask(void *arg)
{
    struct graph_listing *listing = arg;
    const struct jack_api *api = listing->api;
    jack_status_t status;
    jack_client_t *client = open_client(api, "Tutti-list", listing->which, &status);
    if (client) {
        look_at(listing, client);
        api->client_close(client);
    }
}

static enum tutti_status
jack_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    static const struct graph_lister lister = {
        .server = &jack, .limit_ms = LIST_LIMIT_MS, .ask = ask, .look = look};
    struct graph_list_settings settings = {
        .api = jack_api_load(),
        .which = config->jack_server,
        .inputs = config->jack_inputs,
        .outputs = config->jack_outputs,
        .may_set_period = config->jack_set_period,
    };
    return graph_list(&lister, &settings, devices, count);
}

/* ---- closing ---- */

/* On a call's thread, or where nobody else has the stream. */
static void
end(struct graph *graph)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    const struct jack_api *api = stream->api;
    if (stream->client) {
        if (stream->active) {
            api->deactivate(stream->client);
        }
        api->client_close(stream->client);
        stream->client = NULL;
    }
    api->free(stream->capture);
    api->free(stream->playback);
    stream->capture = stream->playback = NULL;
}

static void
jack_close(struct backend_stream *stream)
{
    graph_close(&jack, &stream->graph,
                graph_is_lost(&stream->graph) ? CLOSE_LOST_LIMIT_MS : CLOSE_LIMIT_MS);
}

/* ---- the period ---- */

/* False: the server refuses it. */
static bool
ask_for_period(struct backend_stream *stream, uint32_t wanted)
{
    uint32_t period = stream->api->get_buffer_size(stream->client);
    if (wanted && wanted != period && stream->graph.may_set_period) {
        int failure = stream->api->set_buffer_size(stream->client, wanted);
        if (failure) {
            log_warning("jack: the server does not take %u frames (error %d)", wanted, failure);
        }
        return !failure;
    }
    return true;
}

struct change {
    struct backend_stream *stream;
    uint32_t period_frames;
};

static void
run_change(void *arg)
{
    struct change *change = arg;
    struct backend_stream *stream = change->stream;
    uint32_t wanted = change->period_frames;
    if (!wanted || !ask_for_period(stream, wanted)) {
        return;
    }
    uint64_t deadline_ns = os_now_ns() + (uint64_t)FOLLOW_LIMIT_MS * OS_NS_PER_MS;
    while (stream->api->get_buffer_size(stream->client) != wanted) {
        if (os_now_ns() >= deadline_ns) {
            /* No request stays that the server would fulfil one day, unexpected. */
            stream->api->set_buffer_size(stream->client, stream->graph.info.period_frames);
            return;
        }
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

/* A graph's ask_for_period: jackd refuses by keeping the period that it has. */
static enum tutti_status
request_period(struct graph *graph, uint32_t period_frames, uint32_t former_frames)
{
    struct backend_stream *stream = (struct backend_stream *)graph;
    struct change *change = malloc(sizeof(*change));
    (void)former_frames;
    if (change) {
        *change = (struct change){stream, period_frames};
        if (!graph_call(&jack.calls, run_change, free, change, OPEN_LIMIT_MS)) {
            graph_set_lost(graph);
            return TUTTI_DEVICE_LOST;
        }
        free(change);
    }
    bool given = !period_frames || stream->api->get_buffer_size(stream->client) == period_frames;
    return given ? TUTTI_OK : TUTTI_UNSUPPORTED;
}

/* ---- opening ---- */

static void
run_opening(struct graph_opening *opening)
{
    struct backend_stream *stream = (struct backend_stream *)opening->graph;
    const struct jack_api *api = stream->api;
    const struct config *config = &opening->config;
    jack_status_t status;
    stream->client = open_client(api, "Tutti", config->jack_server, &status);
    if (!stream->client) {
        bool absent = status & JackServerFailed;
        snprintf(opening->error, sizeof(opening->error),
                 absent ? "no JACK server runs; start one, or choose another backend"
                        : "the JACK server refused us (status 0x%x)",
                 (unsigned)status);
        opening->status = absent ? TUTTI_NO_DEVICE : TUTTI_DEVICE_FAILED;
        return;
    }
    if (status & JackNameNotUnique) {
        log_info("jack: another client is called Tutti; the server calls us '%s'",
                 api->get_client_name(stream->client));
    }
    graph_describe(&stream->graph, device_name, api->get_sample_rate(stream->client));
    opening->status = jack_ports_open(stream, &opening->request, opening->error);
    if (opening->status != TUTTI_OK) {
        return;
    }
    ask_for_period(stream, opening->request.period_frames);
    jack_ports_measure(&stream->graph);
    graph_judge_opening(opening, "the JACK server's buffer");
    if (opening->status == TUTTI_OK) {
        atomic_store(&stream->graph.period, stream->graph.info.period_frames);
        jack_process_install(stream);
    }
}

static struct backend_stream *
new_stream(const struct jack_api *api, const struct config *config,
           const struct backend_callbacks *callbacks)
{
    struct backend_stream *stream = calloc(1, sizeof(*stream));
    if (stream) {
        stream->api = api;
        stream->graph.may_set_period = config->jack_set_period;
        stream->connects = config->jack_connect;
        graph_init(&stream->graph, "JACK", callbacks, (unsigned)config->jack_budget);
        stream->graph.end = end;
        stream->graph.ask_for_period = request_period;
        stream->graph.measure = jack_ports_measure;
        stream->graph.wants_reopening = jack_ports_look;
        stream->settling_turns = 1; /* for what comes while we open */
    }
    return stream;
}

static enum tutti_status
jack_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
          struct backend_stream **streams, unsigned *count, char error[256])
{
    const struct jack_api *api = jack_api_load();
    enum tutti_status status = graph_may_open(&jack, api != NULL, error);
    if (status != TUTTI_OK) {
        return status;
    }
    if (request->device[0] && strcmp(request->device, device_name) != 0) {
        snprintf(error, 256, "there is no device '%.100s'; JACK's is called '%s'", request->device,
                 device_name);
        return TUTTI_NO_DEVICE;
    }
    struct backend_stream *stream = new_stream(api, request->config, callbacks);
    if (!stream) {
        return TUTTI_NO_MEMORY;
    }
    status = graph_open(&jack, &stream->graph, request, run_opening, error);
    if (status == TUTTI_OK) {
        streams[0] = stream;
        *count = 1;
    }
    return status;
}

/* ---- running ---- */

static void
run_activation(void *arg)
{
    struct backend_stream *stream = *(struct backend_stream **)arg;
    stream->active = stream->api->activate(stream->client) == 0;
    if (stream->active) {
        jack_ports_connect(stream);
    }
}

static enum tutti_status
jack_start(struct backend_stream *stream)
{
    if (!graph_is_lost(&stream->graph) && !stream->active) {
        struct backend_stream **box = malloc(sizeof(struct backend_stream *));
        if (!box) {
            return TUTTI_NO_MEMORY;
        }
        *box = stream;
        /* Left behind it still has the stream: what close() calls comes after it, on its own thread
         * or never. */
        if (graph_call(&jack.calls, run_activation, free, box, OPEN_LIMIT_MS)) {
            free(box);
        } else {
            graph_set_lost(&stream->graph);
        }
    }
    if (!graph_is_lost(&stream->graph) && !stream->active) {
        log_error("jack: the server did not take the client into its graph");
        return TUTTI_DEVICE_FAILED;
    }
    return graph_stream_start(stream);
}

const struct backend backend_jack = {
    .name = "jack",
    .description = "JACK server",
    .list = jack_list,
    .open = jack_open,
    .info = graph_stream_info,
    .start = jack_start,
    .stop = graph_stream_stop,
    .close = jack_close,
    .set_period = graph_stream_set_period,
    .request_period = graph_stream_request_period,
};
