/* SPDX-License-Identifier: MIT */
/*
 * Calls into a server's library that may wait for the server. One that hangs never answers, and
 * such libraries set no limit; here such a call runs on a thread of its own and is left to itself
 * when its time is over.
 */
#ifndef TUTTI_BACKEND_GRAPH_CALL_H
#define TUTTI_BACKEND_GRAPH_CALL_H

#include <stdbool.h>
#include <stdint.h>

struct os_thread;

/* The calls to one server; static, all zero at first. */
struct graph_calls {
    struct graph_call *out;        /* the first of those left behind; NULL: none */
    struct os_thread *left_thread; /* that they are on; the caller's own */
};

/** Runs run(arg) and waits for it, at most limit_ms. True: it returned. False: the server does not
 * answer, or an earlier call of these is still out, and this one did not begin. Then arg belongs to
 * the calls: left(arg), which may call the library, ends it on their thread, after run if that had
 * begun and after all that is out. One thread at a time calls this. */
bool graph_call(struct graph_calls *calls, void (*run)(void *arg), void (*left)(void *arg),
                void *arg, unsigned limit_ms);

#endif
