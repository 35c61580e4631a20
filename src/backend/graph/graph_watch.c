/* SPDX-License-Identifier: MIT */
/*
 * The watch: an ordinary thread per graph that tells the engine what the server's threads saw. It
 * also sees for itself when the server calls nobody any more. A server pauses now and then (it
 * changes its buffer, its driver starts again), and programs would take an engine without cycles
 * for dead: so the watch runs them, in silence, until the server is back or is given up.
 */
#include "backend/graph/graph.h"

#include <stdio.h>

#include "base/pace.h"

enum {
    TURN_MS = 50,
    LOST_TURNS = 40, /* of the watch, without a call: the server hangs */
    LATE_MS = 5,     /* the watch woke so late that the server may have been kept from running, too:
                        it gets so much more time */
};

struct watch {
    uint32_t calls; /* at the last turn */
    unsigned silent_turns;
    uint32_t told_period;
    unsigned told; /* enum graph_news, bits */
    bool pacing;
    uint64_t own_ns;    /* graph->cycle_ns of the last cycle that the watch ran */
    uint64_t spared_ns; /* graph->cycle_ns when the server got more time */
};

static void
lose(struct graph *graph, const char *why)
{
    char text[256];
    snprintf(text, sizeof(text), "%s: %.200s", graph->server, why);
    graph_shut_gate(graph);
    graph_set_lost(graph);
    graph->callbacks.event(graph->callbacks.user, BACKEND_EVENT_LOST, TUTTI_DEVICE_LOST, text);
}

/* Counted in turns of this thread and not in time: a machine or a process that stood still has not
 * seen the server hang. */
static void
count_silence(struct graph *graph, struct watch *watch)
{
    uint32_t calls = atomic_load_explicit(&graph->calls, memory_order_relaxed);
    bool open = atomic_load_explicit(&graph->gate, memory_order_relaxed) & GRAPH_GATE_OPEN;
    if (!open || calls != watch->calls) {
        watch->calls = calls;
        watch->silent_turns = 0;
    } else {
        watch->silent_turns++;
    }
}

/* When a cycle in silence is due: base/pace.h's patience after the last cycle of the server. */
static uint64_t
silence_due_ns(const struct graph *graph, uint64_t last_ns)
{
    uint32_t period = atomic_load_explicit(&graph->known_period, memory_order_relaxed);
    return last_ns + pace_patience_ns(graph->info.rate_hz, period);
}

static void
set_pacing(struct watch *watch, bool pacing)
{
    if (pacing != watch->pacing) {
        watch->pacing = pacing;
        os_thread_set_priority(pacing ? OS_PRIORITY_ENGINE : OS_PRIORITY_NORMAL);
    }
}

/* Cycles in place of the server's, while it pauses; when the watch has to look again. */
static uint64_t
stand_in(struct graph *graph, struct watch *watch)
{
    bool open = atomic_load_explicit(&graph->gate, memory_order_acquire) & GRAPH_GATE_OPEN;
    uint64_t last_ns = atomic_load_explicit(&graph->cycle_ns, memory_order_relaxed);
    if (!open || !atomic_load_explicit(&graph->known_period, memory_order_relaxed)) {
        set_pacing(watch, false);
        return os_now_ns() + (uint64_t)TURN_MS * OS_NS_PER_MS;
    }
    if (!watch->pacing || last_ns != watch->own_ns) {
        uint64_t now_ns = os_now_ns(), due_ns = silence_due_ns(graph, last_ns);
        set_pacing(watch, false);
        if (now_ns < due_ns) {
            return due_ns;
        }
        if (now_ns > due_ns + (uint64_t)LATE_MS * OS_NS_PER_MS && watch->spared_ns != last_ns) {
            watch->spared_ns = last_ns;
            return now_ns + (uint64_t)LATE_MS * OS_NS_PER_MS;
        }
    }
    set_pacing(watch, true);
    uint64_t next_ns = graph_pace(graph);
    watch->own_ns = atomic_load_explicit(&graph->cycle_ns, memory_order_relaxed);
    return next_ns;
}

static void
tell(struct graph *graph, enum backend_event_kind kind, const char *what)
{
    char text[128];
    snprintf(text, sizeof(text), "%s: %s", graph->server, what);
    graph->callbacks.event(graph->callbacks.user, kind, TUTTI_OK, text);
}

/* Once each; the stream is closed then. */
static void
tell_news(struct graph *graph, struct watch *watch, unsigned news)
{
    unsigned fresh = news & ~watch->told;
    watch->told |= fresh & (GRAPH_NEWS_RATE | GRAPH_NEWS_DEFAULT);
    if (fresh & GRAPH_NEWS_RATE) {
        tell(graph, BACKEND_EVENT_RATE_CHANGED, "the server runs at another sample rate");
    }
    if (fresh & GRAPH_NEWS_DEFAULT) {
        tell(graph, BACKEND_EVENT_DEFAULT_CHANGED, "another device is the default");
    }
}

static void
tell_period(struct graph *graph, struct watch *watch, unsigned news)
{
    uint32_t known = atomic_load_explicit(&graph->known_period, memory_order_acquire);
    uint32_t period = atomic_load_explicit(&graph->period, memory_order_acquire);
    char text[96];
    if (!known) {
        watch->told_period = 0; /* control looks at all of it when it has done */
    } else if (period != known && period != watch->told_period) {
        watch->told_period = period;
        snprintf(text, sizeof(text), "the server's buffer has %u frames now", period);
        tell(graph, BACKEND_EVENT_PERIOD_CHANGED, text);
    } else if (period == known) {
        watch->told_period = known;
        if (news & GRAPH_NEWS_LATENCY) {
            tell(graph, BACKEND_EVENT_PERIOD_CHANGED, "the device's latency is another");
        }
    }
}

static void
run_watch(void *arg)
{
    struct graph *graph = arg;
    struct watch watch = {0};
    uint64_t turn_ns = os_now_ns();
    watch.told_period = atomic_load_explicit(&graph->known_period, memory_order_acquire);
    os_thread_flush_denormals();
    for (;;) {
        uint32_t seen = atomic_load_explicit(&graph->bell, memory_order_acquire);
        /* latencies change again and again, the rest once */
        unsigned news = atomic_fetch_and_explicit(&graph->news, ~(unsigned)GRAPH_NEWS_LATENCY,
                                                  memory_order_acq_rel);
        if (news & GRAPH_NEWS_END) {
            return;
        }
        if (news & GRAPH_NEWS_SHUTDOWN) {
            lose(graph, graph->reason);
            return;
        }
        tell_news(graph, &watch, news);
        tell_period(graph, &watch, news);
        if (os_now_ns() >= turn_ns) {
            turn_ns = os_now_ns() + (uint64_t)TURN_MS * OS_NS_PER_MS;
            count_silence(graph, &watch);
            if (graph->wants_reopening && graph->wants_reopening(graph)) {
                lose(graph, "the server has a device now");
                return;
            }
        }
        uint32_t period = atomic_load_explicit(&graph->known_period, memory_order_relaxed);
        unsigned period_turns = (unsigned)(period * 1000.0 / graph->info.rate_hz) / TURN_MS;
        if (watch.silent_turns >= LOST_TURNS + 20 * period_turns) {
            lose(graph, "the server has stopped answering");
            return;
        }
        uint64_t due_ns = stand_in(graph, &watch);
        os_wake_wait(&graph->wake, seen, due_ns < turn_ns ? due_ns : turn_ns);
    }
}

void
graph_watch_tell(struct graph *graph, unsigned news)
{
    /* Partner: the watch's acquire; reason is written before. */
    atomic_fetch_or_explicit(&graph->news, news, memory_order_release);
    os_wake_post(&graph->wake);
}

void
graph_watch_tell_shutdown(struct graph *graph, const char *reason)
{
    if (atomic_load_explicit(&graph->news, memory_order_relaxed) & GRAPH_NEWS_SHUTDOWN) {
        return; /* the watch reads the first reason */
    }
    snprintf(graph->reason, sizeof(graph->reason), "%s", reason);
    graph_watch_tell(graph, GRAPH_NEWS_SHUTDOWN);
}

enum tutti_status
graph_watch_start(struct graph *graph)
{
    return os_thread_start(&graph->watch, "tutti-graph", OS_PRIORITY_NORMAL, run_watch, graph);
}

void
graph_watch_stop(struct graph *graph)
{
    graph_watch_tell(graph, GRAPH_NEWS_END);
    os_thread_join(graph->watch);
    graph->watch = NULL;
}
