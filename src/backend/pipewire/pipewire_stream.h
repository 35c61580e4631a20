/* SPDX-License-Identifier: MIT */
/*
 * One stream of the PipeWire backend, shared by its files: pipewire.c is the contract,
 * pipewire_filter.c what the stream is in the graph and what the real-time thread calls,
 * pipewire_links.c what it is connected with.
 */
#ifndef TUTTI_BACKEND_PIPEWIRE_STREAM_H
#define TUTTI_BACKEND_PIPEWIRE_STREAM_H

#include "backend/graph/graph.h"
#include "backend/pipewire/pipewire_server.h"

struct pipewire_link {
    struct pw_proxy *proxy; /* NULL: not made, or gone */
    struct spa_hook hook, proxy_hook;
    const struct pipewire_api *api;
    _Atomic bool settled; /* it carries samples, or never will */
};

struct backend_stream {
    struct graph graph;
    struct pipewire_server server;
    struct pw_filter *filter; /* NULL: not opened */
    struct spa_hook filter_hook;
    void *in_port[BACKEND_MAX_CHANNELS], *out_port[BACKEND_MAX_CHANNELS]; /* libpipewire's */
    bool force, connect;
    bool is_named; /* the request named a device: no other will do */
    char device[BACKEND_NAME_BYTES];
    uint32_t wanted_period; /* control's */

    /* the device: the loop's lock */
    uint32_t source, sink; /* nodes; SPA_ID_INVALID: none */
    struct pipewire_link in_link[BACKEND_MAX_CHANNELS], out_link[BACKEND_MAX_CHANNELS];
    bool follows;                         /* changes are told */
    uint32_t told_capture, told_playback; /* latencies of the device, in frames */

    /* the real-time thread's */
    uint32_t clock_id; /* of the driver */
    float silence[BACKEND_MAX_PERIOD_FRAMES], nowhere[BACKEND_MAX_PERIOD_FRAMES];

    _Atomic uint32_t rate; /* the graph's, as of its last period */
};

/* ---- pipewire_filter.c ---- */

/** The node with its ports, in the graph, with the gate shut. Under the lock. Errors: FULL,
 * DEVICE_FAILED; error: a sentence. */
enum tutti_status pipewire_filter_open(struct backend_stream *stream, double rate_hz,
                                       uint32_t period_frames, char error[256]);
/** Asks for a period; the graph gives it when it can. Under the lock. */
void pipewire_filter_ask(struct backend_stream *stream, uint32_t period_frames);

/* ---- pipewire_links.c ---- */

/** Connects own ports with the device's, in order. Under the lock. */
void pipewire_links_make(struct backend_stream *stream);
/** True when none of them is on its way any more. */
bool pipewire_links_settled(const struct backend_stream *stream);
void pipewire_links_free(struct backend_stream *stream);
/** Begins to learn the latencies of the device's ports. Under the lock. */
void pipewire_links_watch_latency(struct backend_stream *stream);
/** The greatest latency of the device's ports that belong to ours, in frames: of the source, of the
 * sink. Under the lock. */
void pipewire_links_measure(struct backend_stream *stream, uint32_t *capture, uint32_t *playback);

#endif
