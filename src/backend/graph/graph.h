/* SPDX-License-Identifier: MIT */
/*
 * What the backends have in common whose device is a graph of programs, run by a server that calls
 * us once a period (JACK, PipeWire): the gate that keeps cycles out, the cycle itself, the watch
 * that tells the engine what the server's threads saw and stands in while the server pauses. It
 * knows no server.
 */
#ifndef TUTTI_BACKEND_GRAPH_H
#define TUTTI_BACKEND_GRAPH_H

#include <stdatomic.h>

#include "backend/backend.h"
#include "backend/graph/graph_clock.h"
#include "os/os.h"

enum {
    GRAPH_PERIOD_MIN_FRAMES = 16,
    GRAPH_PORTS_WITHOUT_DEVICE = 2, /* where there is nothing to count by */
};

enum graph_gate { GRAPH_GATE_OPEN = 1, GRAPH_GATE_INSIDE = 2 };

/* What becomes of the server, for the watch to tell; bits. */
enum graph_news {
    GRAPH_NEWS_SHUTDOWN = 1, /* it went; reason says how */
    GRAPH_NEWS_RATE = 2,
    GRAPH_NEWS_END = 4,     /* by graph_watch_stop(): the watch shall end */
    GRAPH_NEWS_DEFAULT = 8, /* another device is the default */
    GRAPH_NEWS_LATENCY = 16,
};

/* The part of a stream that is the same for every server; a backend_stream's first member. */
struct graph {
    const char *server; /* "JACK"; for sentences */
    struct backend_info info;
    struct backend_callbacks callbacks;
    unsigned budget_percent;
    bool may_set_period; /* asking the server for another period is allowed */

    /* Lets go of the server and of all that the stream has but its own memory. May wait for the
     * server. */
    void (*end)(struct graph *graph);

    /* Asks the server for a period (0: for nothing) and waits for it. Control; calls may come
     * meanwhile. former_frames: what is asked for instead when the server refuses, so that no
     * request stays; 0: what runs then. Errors: UNSUPPORTED (another one runs), DEVICE_LOST. */
    enum tutti_status (*ask_for_period)(struct graph *graph, uint32_t period_frames,
                                        uint32_t former_frames);
    /* The period and the latencies as the server has them now, into info. Control, gate shut. */
    void (*measure)(struct graph *graph);
    /* Looks for what changed while control looked away; false: the server is gone. NULL: nothing is
     * missed. */
    bool (*look_again)(struct graph *graph);

    /* Asked by the watch once a turn, on its thread: true when a device came that the stream is not
     * connected with: it is given up, and the engine opens another. NULL: never. */
    bool (*wants_reopening)(struct graph *graph);

    /* The gate: control opens and shuts it, the server's thread is inside during a cycle. */
    _Atomic unsigned gate; /* enum graph_gate, bits */

    /* the server's thread's own while inside; control's while the gate is shut */
    struct backend_area in[BACKEND_MAX_CHANNELS], out[BACKEND_MAX_CHANNELS];
    struct graph_clock clock;
    bool raised; /* the thread's priority was looked at */

    /* from the server's threads */
    _Atomic uint32_t calls;    /* of the server's thread; wraps */
    _Atomic uint64_t cycle_ns; /* when the last cycle began, or the gate was opened */
    _Atomic uint32_t period;   /* the server's, as it told last */
    _Atomic unsigned news;     /* enum graph_news, bits */
    char reason[128];          /* of the shutdown; written before its bit is set */

    /* the watch */
    struct os_thread *watch;
    _Atomic uint32_t bell;
    struct os_wake wake;
    _Atomic uint32_t known_period; /* control's info.period_frames; 0: control is changing it */
    _Atomic bool lost;             /* LOST was told, or control met a server that hangs */
};

/* What the server says of the period that it calls for. */
struct graph_turn {
    uint32_t frames;
    bool renders;     /* faster than time, or slower (freewheel) */
    bool anew;        /* the server counts frames anew: another clock drives it */
    uint64_t woke_ns; /* when the period began; clients before us have taken their time since */
    uint32_t frame;   /* the server's count at its first frame; wraps */
    uint32_t xruns;   /* told so far */
};

/* ---- graph.c ---- */

void graph_init(struct graph *graph, const char *server, const struct backend_callbacks *callbacks,
                unsigned budget_percent);
void graph_fini(struct graph *graph);

/** What it was told last; news that the watch has not told yet count. */
bool graph_is_lost(const struct graph *graph);
/** Control met a server that does not answer. */
void graph_set_lost(struct graph *graph);

/** How many ports: as configured (below 0: not), else one for each that is present; at most
 * `most`. */
uint32_t graph_choose_count(int32_t configured, uint32_t present, uint32_t most);

/** What a stream is called and runs at, into info. Control. */
void graph_describe(struct graph *graph, const char *name, double rate_hz);
/** The server's period, into info, with the budget that follows. Control, gate shut. */
void graph_set_period(struct graph *graph, uint32_t period_frames);
/** The latencies that the device's ports tell, into info; the period is set. Control, gate shut. */
void graph_set_latencies(struct graph *graph, uint32_t capture_frames, uint32_t playback_frames);

/** What set_period() answers when the server runs at info's period now and `wanted` (0: whatever it
 * runs at) was asked for. */
enum tutti_status graph_judge_period(const struct graph *graph, uint32_t wanted);

/** Control knows info's period from now on; changes are reported against it. */
void graph_know_period(struct graph *graph);
/** Control is changing the period: nothing is told. */
void graph_forget_period(struct graph *graph);

/** A new time begins, and cycles may come. */
void graph_open_gate(struct graph *graph);
/** Returns when no cycle runs. */
void graph_shut_gate(struct graph *graph);

/** The server's thread: true when a cycle may run now; then graph_leave(). Real time. */
bool graph_enter(struct graph *graph);
void graph_leave(struct graph *graph);
/** Inside: true, and moment, when this turn is a cycle on the ports' memory; to be run with
 * graph_cycle(). False: the ports get silence; programs have had what was due. Real time. */
bool graph_turn(struct graph *graph, const struct graph_turn *turn, struct backend_moment *moment);
/** Inside: the engine's cycle on graph->in and graph->out. Real time. */
void graph_cycle(struct graph *graph, const struct backend_moment *moment);
/** A cycle in silence, if the gate is open and by the clock one is due; when the next will be. For
 * the time in which the server does not call. */
uint64_t graph_pace(struct graph *graph);

/* ---- graph_watch.c ---- */

/** The thread that tells the engine what the server's threads saw. Errors: NO_MEMORY. */
enum tutti_status graph_watch_start(struct graph *graph);
/** No event comes after it returns. */
void graph_watch_stop(struct graph *graph);
/** News for the watch; a graph_news, or 0: the period or something else is to be looked at. Real
 * time. */
void graph_watch_tell(struct graph *graph, unsigned news);
/** The server went; reason: a few words, the first ones count. One thread of the server's. Real
 * time. */
void graph_watch_tell_shutdown(struct graph *graph, const char *reason);

#endif
