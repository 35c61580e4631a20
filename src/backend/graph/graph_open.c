/* SPDX-License-Identifier: MIT */
/* Opening and closing with a limit of time. */
#include "backend/graph/graph_open.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static void
end(void *arg)
{
    struct graph *graph = arg;
    graph->end(graph);
}

/* Of a close that came too late or never began. */
static void
end_late(void *arg)
{
    struct graph *graph = arg;
    graph->end(graph);
    graph_fini(graph);
    free(graph);
}

static void
end_in_time(struct graph_server *server, struct graph *graph, unsigned limit_ms)
{
    if (graph_call(&server->calls, end, end_late, graph, limit_ms)) {
        graph_fini(graph);
        free(graph);
    } else {
        log_warning("%s: the server does not let go of us; left to itself", server->log_name);
    }
}

void
graph_close(struct graph_server *server, struct graph *graph, unsigned limit_ms)
{
    server->current = NULL;
    graph_shut_gate(graph);
    graph_watch_stop(graph);
    end_in_time(server, graph, limit_ms);
}

/* ---- opening ---- */

enum tutti_status
graph_may_open(const struct graph_server *server, bool has_library, char error[256])
{
    if (!has_library) {
        snprintf(error, 256, "%s is not installed here (%s)", server->name, server->library);
        return TUTTI_NO_DEVICE;
    }
    if (server->current) {
        snprintf(error, 256, "the %s server is open already", server->name);
        return TUTTI_DEVICE_BUSY;
    }
    return TUTTI_OK;
}

void
graph_judge_opening(struct graph_opening *opening, const char *what)
{
    uint32_t period = opening->graph->info.period_frames;
    opening->status = TUTTI_OK;
    if (period > BACKEND_MAX_PERIOD_FRAMES) {
        snprintf(opening->error, sizeof(opening->error),
                 "%s of %u frames is too large; %d are the most", what, period,
                 BACKEND_MAX_PERIOD_FRAMES);
        opening->status = TUTTI_UNSUPPORTED;
    }
}

struct call {
    struct graph_opening opening; /* graph NULL: it is the caller's again */
    void (*run)(struct graph_opening *opening);
};

static void
run_opening(void *arg)
{
    struct call *call = arg;
    call->run(&call->opening);
}

static void
free_opening(void *arg)
{
    struct call *call = arg;
    end_late(call->opening.graph);
    free(call);
}

enum tutti_status
graph_open(struct graph_server *server, struct graph *graph, const struct backend_request *request,
           void (*run)(struct graph_opening *opening), char error[256])
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        end_late(graph);
        return TUTTI_NO_MEMORY;
    }
    struct graph_opening *opening = &call->opening;
    opening->graph = graph;
    opening->config = *request->config;
    opening->request = *request;
    opening->request.config = &opening->config;
    call->run = run;
    if (!graph_call(&server->calls, run_opening, free_opening, call, server->open_limit_ms)) {
        snprintf(error, 256, "the %s server does not answer; it hangs", server->name);
        return TUTTI_NO_DEVICE;
    }
    enum tutti_status status = opening->status;
    snprintf(error, 256, "%s", opening->error);
    free(call);
    if (status == TUTTI_OK) {
        graph_know_period(graph);
        status = graph_watch_start(graph);
    }
    if (status != TUTTI_OK) {
        end_in_time(server, graph, server->close_limit_ms);
        return status;
    }
    if (request->rate_hz > 0 && request->rate_hz != graph->info.rate_hz) {
        /* A server has one rate. The engine takes it and tells. */
        log_info("%s: the server runs at %.0f Hz", server->log_name, graph->info.rate_hz);
    }
    server->current = graph;
    return TUTTI_OK;
}

/* ---- the log ---- */

void
graph_say_what_answers(struct graph_server *server, const char *which, bool found, bool hangs)
{
    const char *now = hangs ? "does not answer: it hangs" : found ? "answers" : "does not run";
    if (now != server->said) {
        server->said = now;
        log_info("%s: the server %s%s%s", server->log_name, which, which[0] ? " " : "", now);
    }
}
