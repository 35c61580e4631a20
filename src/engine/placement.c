/* SPDX-License-Identifier: MIT */
/* Gathers programs' threads on the engine's processor where measuring shows that it pays. */
#include "engine/placement.h"

#include <string.h>

#include "base/log.h"
#include "engine/engine_state.h"

enum {
    SETTLE_MS = 1000,    /* of measuring, before a trial and in it */
    PAUSE_MIN_MS = 1000, /* after a trial that did not pay, or trouble; doubled each time */
    PAUSE_MAX_MS = 60000,
    PART = 6, /* gathered programs answer within this part of the budget */
};

static bool
is_running(const struct cycle_client *program)
{
    return program && atomic_load_explicit(&program->state_shown, memory_order_relaxed) !=
                          PROTO_PROGRAM_PREPARED;
}

static void
let_go(struct engine_program *program)
{
    /* Partner: the cycle's exchange in scatter_awaited(): whoever gets the thread lets it go. */
    uint32_t thread = atomic_exchange(&program->cycle->gathered_thread, 0);
    if (thread) {
        os_thread_scatter(program->pid, thread);
    }
}

static void
gather(struct engine *engine, struct engine_program *program)
{
    struct cycle_client *cycle = program->cycle;
    uint32_t thread = atomic_load_explicit(&cycle->thread, memory_order_relaxed);
    if (!thread || program->demoted || atomic_load(&cycle->gathered_thread) == thread ||
        !os_thread_gather(program->pid, thread, engine->placement.cpu)) {
        return;
    }
    atomic_store(&cycle->gathered_thread, thread);
}

static void
forget_answers(struct engine *engine)
{
    statistics_turn(&engine->cycle.answer_us);
    statistics_turn(&engine->cycle.answer_us);
}

static void
set_state(struct engine *engine, enum placement_state state, uint64_t now_ns)
{
    struct placement *placement = &engine->placement;
    placement->state = state;
    placement->since_ns = now_ns;
    /* Partner: the cycle's load; it looks after gathered threads only then. */
    atomic_store_explicit(&engine->cycle.gather_cpu,
                          state == PLACEMENT_FREE ? -1 : (int32_t)placement->cpu,
                          memory_order_release);
    forget_answers(engine);
}

void
placement_free_all(struct engine *engine)
{
    if (engine->placement.state == PLACEMENT_FREE) {
        return;
    }
    for (uint32_t i = 0; i < engine->programs; i++) {
        if (engine->program[i]->cycle) {
            let_go(engine->program[i]);
        }
    }
    set_state(engine, PLACEMENT_FREE, events_now_ns(engine));
}

static void
gather_all(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->programs; i++) {
        if (is_running(engine->program[i]->cycle)) {
            gather(engine, engine->program[i]);
        }
    }
}

/* What the programs compute in a cycle, by their own word. */
static uint64_t
computing_us(const struct engine *engine)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < engine->programs; i++) {
        if (is_running(engine->program[i]->cycle)) {
            sum += statistics_quantile(&engine->program[i]->cycle->computing_us, 0.5);
        }
    }
    return sum;
}

/* Late blocks and rescues since the last look, whoever's fault. */
static bool
trouble_came(struct engine *engine)
{
    const struct cycle *cycle = &engine->cycle;
    uint64_t troubles = atomic_load_explicit(&cycle->late_events, memory_order_relaxed) +
                        atomic_load_explicit(&cycle->rescues, memory_order_relaxed);
    bool came = troubles != engine->placement.troubles;
    engine->placement.troubles = troubles;
    return came;
}

static bool
others_run(struct engine *engine)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < engine->programs; i++) {
        if (is_running(engine->program[i]->cycle)) {
            running++;
        }
    }
    bool changed = running != engine->placement.programs;
    engine->placement.programs = running;
    return changed;
}

/* Another trial later, and later the more often it is so. */
static void
give_up(struct engine *engine, uint64_t now_ns)
{
    struct placement *placement = &engine->placement;
    uint64_t pause_ms = placement->pause_ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : placement->pause_ms;
    placement_free_all(engine);
    placement->not_before_ns = now_ns + pause_ms * OS_NS_PER_MS;
    placement->pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
}

static void
begin(struct engine *engine, enum placement_state state, uint64_t now_ns)
{
    engine->placement.cpu = atomic_load_explicit(&engine->cycle.cpu_shown, memory_order_relaxed);
    set_state(engine, state, now_ns);
    gather_all(engine);
}

/* Another span of the same. */
static void
go_on(struct engine *engine, uint64_t now_ns)
{
    struct placement *placement = &engine->placement;
    gather_all(engine); /* programs may have begun other threads */
    statistics_turn(&engine->cycle.answer_us);
    placement->since_ns = now_ns;
    placement->pause_ms -= placement->pause_ms / 32; /* trouble is forgotten in a minute or so */
}

static void
judge(struct engine *engine, bool measured, uint64_t now_ns)
{
    struct placement *placement = &engine->placement;
    uint64_t most_us = engine->cycle.budget_ns / 1000 / PART;
    uint32_t answer_us = statistics_quantile(&engine->cycle.answer_us, 0.5);
    switch (placement->state) {
    case PLACEMENT_FREE:
        if (!placement->programs || now_ns < placement->not_before_ns) {
            break;
        }
        if (!measured) {
            begin(engine, PLACEMENT_GATHERED, now_ns);
        } else if (answer_us && computing_us(engine) < most_us) {
            placement->free_us = answer_us;
            begin(engine, PLACEMENT_TRYING, now_ns);
        }
        break;
    case PLACEMENT_TRYING:
        if (answer_us <= placement->free_us && answer_us < most_us) {
            set_state(engine, PLACEMENT_GATHERED, now_ns);
            log_info("engine: %u programs gathered on processor %u: all answer after %u us, %u "
                     "before",
                     placement->programs, placement->cpu, answer_us, placement->free_us);
        } else {
            give_up(engine, now_ns);
        }
        break;
    case PLACEMENT_GATHERED:
        if (measured && answer_us >= most_us) {
            give_up(engine, now_ns);
        } else {
            go_on(engine, now_ns);
        }
        break;
    }
}

void
placement_tend(struct engine *engine, uint64_t now_ns)
{
    struct placement *placement = &engine->placement;
    bool measured = strcmp(engine->config.engine_placement, "auto") == 0;
    bool wanted = measured || strcmp(engine->config.engine_placement, "gathered") == 0;
    if (!wanted || engine->own_clock || engine->cycle.elastic ||
        engine->state != PROTO_STREAM_RUNNING) {
        placement_free_all(engine);
        return;
    }
    bool changed = others_run(engine);
    if (trouble_came(engine) && placement->state != PLACEMENT_FREE) {
        give_up(engine, now_ns);
    } else if (changed) {
        /* What was measured was measured with others. */
        placement_free_all(engine);
        placement->since_ns = now_ns;
        forget_answers(engine);
    } else if (now_ns >= placement->since_ns + (uint64_t)SETTLE_MS * OS_NS_PER_MS) {
        judge(engine, measured, now_ns);
    }
}
