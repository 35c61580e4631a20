/* SPDX-License-Identifier: MIT */
/*
 * The gate and the cycle. A client stays in the server's graph from the first start to close, so
 * that what a person has patched stays patched when the engine stops for a moment; between stop and
 * start the gate keeps cycles out. Nothing that the server's thread calls here allocates, locks or
 * logs.
 */
#include "backend/graph/graph.h"

#include <stdio.h>

#include "backend/silence.h"
#include "base/log.h"
#include "base/utf8.h"

void
graph_init(struct graph *graph, const char *server, const struct backend_callbacks *callbacks,
           unsigned budget_percent)
{
    graph->server = server;
    graph->callbacks = *callbacks;
    graph->budget_percent = budget_percent;
    os_wake_init(&graph->wake, &graph->bell);
}

void
graph_fini(struct graph *graph)
{
    os_wake_fini(&graph->wake);
}

bool
graph_is_lost(const struct graph *graph)
{
    return atomic_load_explicit(&graph->lost, memory_order_acquire) ||
           atomic_load_explicit(&graph->news, memory_order_acquire) & GRAPH_NEWS_SHUTDOWN;
}

void
graph_set_lost(struct graph *graph)
{
    atomic_store_explicit(&graph->lost, true, memory_order_release);
}

/* ---- what it is ---- */

uint32_t
graph_choose_count(int32_t configured, uint32_t present, uint32_t most)
{
    uint32_t count = configured >= 0 ? (uint32_t)configured : present;
    return count < most ? count : most;
}

void
graph_describe(struct graph *graph, const char *name, double rate_hz)
{
    struct backend_info *info = &graph->info;
    utf8_copy(info->name, sizeof(info->name), name);
    snprintf(info->format, sizeof(info->format), "float32 planar");
    info->input_format = info->output_format = DSP_F32;
    info->rate_hz = info->rates_hz[0] = rate_hz;
    info->live_period = graph->may_set_period;
}

/* ---- the period ---- */

void
graph_set_period(struct graph *graph, uint32_t period_frames)
{
    struct backend_info *info = &graph->info;
    bool fixed = !graph->may_set_period;
    info->period_frames = period_frames;
    info->period_min_frames = fixed ? period_frames : GRAPH_PERIOD_MIN_FRAMES;
    info->period_max_frames = fixed ? period_frames : BACKEND_MAX_PERIOD_FRAMES;
    info->period_step_frames = fixed ? 1 : 0;
    double period_ns = period_frames * 1e9 / info->rate_hz;
    info->budget_ns = (uint64_t)(period_ns * graph->budget_percent / 100);
}

void
graph_set_latencies(struct graph *graph, uint32_t capture_frames, uint32_t playback_frames)
{
    struct backend_info *info = &graph->info;
    uint32_t period = info->period_frames;
    /* A capture port's latency counts the period in which its frames gathered, so that a port
     * without one holds frames of this very period: what Tutti plays, patched into its own input,
     * is heard one period later. */
    info->input_latency_frames = capture_frames > period ? capture_frames : period;
    info->output_latency_frames = playback_frames;
}

enum tutti_status
graph_judge_period(const struct graph *graph, uint32_t wanted)
{
    uint32_t period = graph->info.period_frames;
    if (period > BACKEND_MAX_PERIOD_FRAMES) {
        log_warning("%s: the server's period of %u frames is too large; %d are the most",
                    graph->server, period, BACKEND_MAX_PERIOD_FRAMES);
        return TUTTI_UNSUPPORTED;
    }
    if (wanted && wanted != period) {
        log_info("%s: the server does not give %u frames, it goes on with %u", graph->server,
                 wanted, period);
        return TUTTI_UNSUPPORTED;
    }
    return TUTTI_OK;
}

void
graph_know_period(struct graph *graph)
{
    atomic_store_explicit(&graph->known_period, graph->info.period_frames, memory_order_release);
}

void
graph_forget_period(struct graph *graph)
{
    atomic_store_explicit(&graph->known_period, 0, memory_order_release);
}

/* ---- the gate ---- */

bool
graph_enter(struct graph *graph)
{
    unsigned open = GRAPH_GATE_OPEN;
    return atomic_compare_exchange_strong_explicit(&graph->gate, &open,
                                                   GRAPH_GATE_OPEN | GRAPH_GATE_INSIDE,
                                                   memory_order_acquire, memory_order_relaxed);
}

void
graph_leave(struct graph *graph)
{
    /* Partner: the acquire load in graph_shut_gate(). */
    atomic_fetch_and_explicit(&graph->gate, ~(unsigned)GRAPH_GATE_INSIDE, memory_order_release);
}

void
graph_open_gate(struct graph *graph)
{
    graph_clock_start(&graph->clock, graph->info.rate_hz, graph->info.period_frames);
    atomic_store_explicit(&graph->cycle_ns, os_now_ns(), memory_order_relaxed);
    /* Partner: the acquire exchange with which the server's thread enters. */
    atomic_store_explicit(&graph->gate, GRAPH_GATE_OPEN, memory_order_release);
}

void
graph_shut_gate(struct graph *graph)
{
    atomic_fetch_and_explicit(&graph->gate, ~(unsigned)GRAPH_GATE_OPEN, memory_order_acq_rel);
    while (atomic_load_explicit(&graph->gate, memory_order_acquire) & GRAPH_GATE_INSIDE) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS / 10);
    }
}

/* ---- one period ---- */

static void
run_cycle(struct graph *graph, const struct backend_moment *moment, const struct backend_area *in,
          const struct backend_area *out)
{
    struct backend_cycle cycle = {
        .in = in,
        .out = out,
        .frames = graph->info.period_frames,
        .start_ns = os_now_ns(),
    };
    atomic_store_explicit(&graph->cycle_ns, cycle.start_ns, memory_order_relaxed);
    backend_clock_call(&graph->callbacks, moment, &cycle);
}

void
graph_cycle(struct graph *graph, const struct backend_moment *moment)
{
    run_cycle(graph, moment, graph->in, graph->out);
}

/* A period for programs alone, if one is due by time. */
static void
pace(struct graph *graph)
{
    struct backend_moment moment;
    if (graph_clock_pace(&graph->clock, os_now_ns(), &moment)) {
        run_cycle(graph, &moment, backend_silence_areas, backend_silence_areas);
    }
}

bool
graph_turn(struct graph *graph, const struct graph_turn *turn, struct backend_moment *moment)
{
    if (turn->frames != graph->info.period_frames || turn->frames > BACKEND_MAX_PERIOD_FRAMES) {
        return false; /* the server changed it: the watch runs cycles until the engine follows */
    }
    if (turn->renders) {
        /* For somebody else, as fast as it can. Programs go on in real time and in silence. */
        graph->raised = false; /* the server's library has taken it back, too */
        pace(graph);
        return false;
    }
    if (!graph->raised) {
        /* Programs' threads must not keep the engine's waiting; a server with a low priority gives
         * its clients one that is below theirs. */
        os_thread_raise_priority(OS_PRIORITY_ENGINE);
        graph->raised = true;
    }
    if (turn->anew) {
        graph_clock_forget_frames(&graph->clock);
    }
    *moment = graph_clock_tick(&graph->clock, turn->woke_ns, turn->frame, turn->xruns);
    return true;
}

uint64_t
graph_pace(struct graph *graph)
{
    if (!graph_enter(graph)) {
        return os_now_ns() + OS_NS_PER_MS;
    }
    pace(graph);
    uint64_t next_ns = backend_clock_due_ns(&graph->clock.time);
    graph_leave(graph);
    return next_ns;
}
