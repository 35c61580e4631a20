/* SPDX-License-Identifier: MIT */
/* What of the contract is the same for every graph server. */
#include "backend/graph/graph_stream.h"

static struct graph *
graph_of(struct backend_stream *stream)
{
    return (struct graph *)stream; /* its first member */
}

const struct backend_info *
graph_stream_info(const struct backend_stream *stream)
{
    return &((const struct graph *)stream)->info;
}

enum tutti_status
graph_stream_start(struct backend_stream *stream)
{
    struct graph *graph = graph_of(stream);
    if (graph_is_lost(graph)) {
        return TUTTI_DEVICE_LOST;
    }
    graph_open_gate(graph);
    return TUTTI_OK;
}

void
graph_stream_stop(struct backend_stream *stream)
{
    graph_shut_gate(graph_of(stream));
}

/* ---- the period ---- */

static bool
may_have_period(const struct graph *graph, uint32_t period_frames)
{
    return graph->may_set_period && period_frames >= GRAPH_PERIOD_MIN_FRAMES &&
           period_frames <= BACKEND_MAX_PERIOD_FRAMES;
}

/* Changes are reported again; false: the server is gone. */
static bool
settle(struct graph *graph)
{
    graph_know_period(graph);
    return !graph->look_again || graph->look_again(graph);
}

enum tutti_status
graph_stream_request_period(struct backend_stream *stream, uint32_t period_frames)
{
    struct graph *graph = graph_of(stream);
    if (!may_have_period(graph, period_frames)) {
        return TUTTI_UNSUPPORTED;
    }
    if (graph_is_lost(graph)) {
        return TUTTI_DEVICE_LOST;
    }
    graph_forget_period(graph);
    enum tutti_status status =
        graph->ask_for_period(graph, period_frames, graph->info.period_frames);
    if (status == TUTTI_UNSUPPORTED && !settle(graph)) {
        status = TUTTI_DEVICE_LOST;
    }
    return status;
}

enum tutti_status
graph_stream_set_period(struct backend_stream *stream, uint32_t period_frames)
{
    struct graph *graph = graph_of(stream);
    if (period_frames && !may_have_period(graph, period_frames)) {
        return TUTTI_UNSUPPORTED;
    }
    if (graph_is_lost(graph)) {
        return TUTTI_DEVICE_LOST;
    }
    graph_forget_period(graph);
    if (graph->ask_for_period(graph, period_frames, 0) == TUTTI_DEVICE_LOST) {
        return TUTTI_DEVICE_LOST;
    }
    graph->measure(graph);
    return settle(graph) ? graph_judge_period(graph, period_frames) : TUTTI_DEVICE_LOST;
}
