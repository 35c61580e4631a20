/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing a stream of a graph server with a limit of time: the server may hang, and
 * then what was begun is left to itself (graph_call.h). One stream per server is open at a time;
 * the list is read through it.
 */
#ifndef TUTTI_BACKEND_GRAPH_OPEN_H
#define TUTTI_BACKEND_GRAPH_OPEN_H

#include "backend/graph/graph.h"
#include "backend/graph/graph_call.h"

/* One server of a backend; static. All is control's. */
struct graph_server {
    const char *name;       /* "JACK", for sentences */
    const char *log_name;   /* "jack" */
    const char *library;    /* "libjack.so.0" */
    unsigned open_limit_ms; /* for opening a stream */
    unsigned close_limit_ms;
    struct graph_calls calls;
    struct graph *current; /* the open stream, or NULL */
    const char *said;      /* by graph_say_what_answers() */
};

/* What a stream is opened with, on a thread of its own. */
struct graph_opening {
    struct graph *graph;
    struct backend_request request; /* a copy: the caller may be gone */
    struct config config;
    enum tutti_status status;
    char error[256]; /* a sentence, when status is not OK */
};

/** What open() says before it begins; has_library: it is here. Errors: NO_DEVICE, DEVICE_BUSY (a
 * stream is open); error: a sentence. */
enum tutti_status graph_may_open(const struct graph_server *server, bool has_library,
                                 char error[256]);

/** Opens graph, which is new, zeroed but for its first settings, and on the heap: run(opening) does
 * the work, on a thread of its own. When it fails, or the server does not answer in time, graph is
 * freed. Then the watch runs and the period is known. Errors: NO_DEVICE, NO_MEMORY, what run()
 * set; error: a sentence. */
enum tutti_status graph_open(struct graph_server *server, struct graph *graph,
                             const struct backend_request *request,
                             void (*run)(struct graph_opening *opening), char error[256]);

/** At the end of run(): what came of it, by the period that was measured. what: whose it is, as
 * "PipeWire's quantum". */
void graph_judge_opening(struct graph_opening *opening, const char *what);

/** Shuts the gate, stops the watch, ends and frees the stream; at most limit_ms, then it is left to
 * itself. */
void graph_close(struct graph_server *server, struct graph *graph, unsigned limit_ms);

/** Says in the log whether the server `which` answers, when that has changed: a lost server is
 * looked for several times a second. */
void graph_say_what_answers(struct graph_server *server, const char *which, bool found, bool hangs);

#endif
