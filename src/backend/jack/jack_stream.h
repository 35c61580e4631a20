/* SPDX-License-Identifier: MIT */
/*
 * One stream of the JACK backend, shared by its files: jack.c is the contract, jack_ports.c what
 * the stream is in JACK's graph, jack_process.c what libjack's threads call.
 */
#ifndef TUTTI_BACKEND_JACK_STREAM_H
#define TUTTI_BACKEND_JACK_STREAM_H

#include <stdatomic.h>

#include "backend/backend.h"
#include "backend/jack/jack_api.h"
#include "backend/jack/jack_clock.h"
#include "os/os.h"

enum { JACK_PORTS_WITHOUT_DEVICE = 2 }; /* each way, on a server without physical ports */

enum jack_gate { JACK_GATE_OPEN = 1, JACK_GATE_INSIDE = 2 };

/* What becomes of the server, for the watch to tell; bits. */
enum jack_news {
    JACK_NEWS_SHUTDOWN = 1, /* by libjack */
    JACK_NEWS_RATE = 2,
    JACK_NEWS_END = 4, /* by close(): the watch shall end */
};

struct backend_stream {
    const struct jack_api *api;
    struct jack_client *client;
    struct backend_info info;
    struct backend_callbacks callbacks;
    struct jack_port *in_port[BACKEND_MAX_CHANNELS], *out_port[BACKEND_MAX_CHANNELS];
    const char **capture, **playback; /* full names of physical ports, NULL-terminated, JACK's
                                         memory; NULL: not to be connected */
    unsigned budget_percent;
    bool may_set_period;
    bool connects; /* with the physical ports */
    bool active;   /* in the graph; control */

    /* The gate: control opens and shuts it, the process callback is inside during a cycle. */
    _Atomic unsigned gate; /* enum jack_gate, bits */

    /* the process callback's own while inside; control's while the gate is shut */
    struct backend_area in[BACKEND_MAX_CHANNELS], out[BACKEND_MAX_CHANNELS];
    struct jack_clock clock;
    bool raised; /* the thread's priority was looked at */

    /* from libjack's threads */
    _Atomic uint32_t calls;  /* of the process callback; wraps */
    _Atomic uint32_t xruns;  /* told */
    _Atomic uint32_t period; /* the server's, as it told last */
    _Atomic bool freewheeling;
    _Atomic uint32_t registrations; /* of anybody's ports, that came or went; wraps */
    _Atomic unsigned news;          /* enum jack_news, bits */
    char reason[128];               /* of the shutdown; written before its bit is set */

    /* the watch */
    struct os_thread *watch;
    _Atomic uint32_t bell;
    struct os_wake wake;
    _Atomic uint32_t known_period; /* control's info.period_frames; 0: control is changing it */
    _Atomic bool lost;             /* LOST was told, or start() met a server that hangs */
};

/* ---- jack_ports.c ---- */

/** Finds the physical ports, registers the stream's own, reads latencies. Errors: BAD_CONFIG,
 * FULL, NO_MEMORY; error: a sentence. */
enum tutti_status jack_ports_open(struct backend_stream *stream,
                                  const struct backend_request *request, char error[256]);
/** The server has physical ports just now. Asks nobody: libjack knows. */
bool jack_ports_have_device(const struct backend_stream *stream);
/** Connects own ports with physical ones, in order. What cannot be connected is logged. */
void jack_ports_connect(struct backend_stream *stream);
/** The period and the latencies as the server has them now, into info. */
void jack_ports_measure(struct backend_stream *stream);
/** Tells the graph how old what passes through us is. A latency callback. */
void jack_ports_tell_latency(int mode, void *arg);
/** The server's physical ports with these flags; their number. *names: NULL or jack_free(). */
uint32_t jack_ports_find(const struct jack_api *api, struct jack_client *client,
                         unsigned long flags, const char ***names);

/* ---- jack_process.c ---- */

/** Sets every callback of the client. */
void jack_process_install(struct backend_stream *stream);
/** Shuts the gate; returns when no cycle runs. */
void jack_process_shut(struct backend_stream *stream);
/** A cycle in silence, if the gate is open and by the clock one is due; when the next will be. For
 * the time in which the server does not call. */
uint64_t jack_process_pace(struct backend_stream *stream);
/** The gate is shut: the next cycle begins a new time. */
void jack_process_restart_clock(struct backend_stream *stream);

/* ---- jack_watch.c ---- */

/** The thread that tells the engine what libjack's threads saw. Errors: NO_MEMORY. */
enum tutti_status jack_watch_start(struct backend_stream *stream);
/** No event comes after it returns. */
void jack_watch_stop(struct backend_stream *stream);
/** News for the watch. Real time. */
void jack_watch_tell(struct backend_stream *stream, enum jack_news news);

#endif
