/* SPDX-License-Identifier: MIT */
/*
 * One stream of the JACK backend, shared by its files: jack.c is the contract, jack_ports.c what
 * the stream is in JACK's graph, jack_process.c what libjack's threads call.
 */
#ifndef TUTTI_BACKEND_JACK_STREAM_H
#define TUTTI_BACKEND_JACK_STREAM_H

#include "backend/graph/graph.h"
#include "backend/jack/jack_api.h"

struct backend_stream {
    struct graph graph;
    const struct jack_api *api;
    jack_client_t *client;
    jack_port_t *in_port[BACKEND_MAX_CHANNELS], *out_port[BACKEND_MAX_CHANNELS];
    const char **capture, **playback; /* full names of physical ports, NULL-terminated, JACK's
                                         memory; NULL: not to be connected */
    bool connects;                    /* with the physical ports */
    bool active;                      /* in the graph; control */

    /* from libjack's threads */
    _Atomic uint32_t xruns; /* told */
    _Atomic bool freewheeling;
    _Atomic uint32_t registrations; /* of anybody's ports, that came or went; wraps */

    _Atomic uint32_t latency_calls; /* of the latency callback; wraps */

    _Atomic unsigned connecting_turns; /* left to connect the rest; start() and the watch */
    _Atomic uint32_t told_capture, told_playback; /* latencies of the device; control's */

    /* the watch's own, once it runs: see jack_ports_look() */
    uint32_t known_registrations;     /* at its last turn */
    unsigned settling_turns;          /* left until they are looked at */
    uint32_t known_latency_calls;     /* whose latencies are the told ones */
    bool lacks_inputs, lacks_outputs; /* the server had no such physical ports when last seen */
};

/* ---- jack_ports.c ---- */

/** Finds the physical ports, registers the stream's own, reads latencies. Errors: BAD_CONFIG,
 * FULL, NO_MEMORY; error: a sentence. */
enum tutti_status jack_ports_open(struct backend_stream *stream,
                                  const struct backend_request *request, char error[256]);
/** A graph's wants_reopening, called in each turn of the watch: true when the server has physical
 * inputs or outputs now, and had none. Connects what could not be connected before, and tells when
 * the device's latencies are others. */
bool jack_ports_look(struct graph *graph);
/** Connects own ports with physical ones, in order. What cannot be connected yet is tried again by
 * the watch for some seconds; the log tells of what is left. */
void jack_ports_connect(struct backend_stream *stream);
/** The period and the latencies as the server has them now, into info. A graph's measure. */
void jack_ports_measure(struct graph *graph);
/** Tells the graph how old what passes through us is. A latency callback. */
void jack_ports_tell_latency(jack_latency_callback_mode_t mode, void *arg);
/** The server's physical ports with these flags; their number. *names: NULL or jack_free(). */
uint32_t jack_ports_find(const struct jack_api *api, jack_client_t *client, unsigned long flags,
                         const char ***names);

/* ---- jack_process.c ---- */

/** Sets every callback of the client. */
void jack_process_install(struct backend_stream *stream);

#endif
