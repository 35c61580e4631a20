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
is_running(const struct mix *mix, const struct engine_client *client)
{
    return client_list_plays(client, mix) &&
           atomic_load_explicit(&client->cycle->state_shown, memory_order_relaxed) !=
               PROTO_PROGRAM_PREPARED;
}

static void
let_go(struct engine_client *client)
{
    /* Partner: the cycle's exchange in scatter_awaited(): whoever gets the thread lets it go. */
    uint32_t thread = atomic_exchange(&client->cycle->gathered_thread, 0);
    if (thread) {
        os_thread_scatter(client->pid, thread);
    }
}

static void
gather(struct mix *mix, struct engine_client *client)
{
    struct cycle_client *cycle = client->cycle;
    uint32_t thread = atomic_load_explicit(&cycle->thread, memory_order_relaxed);
    if (!thread || client->demoted || atomic_load(&cycle->gathered_thread) == thread ||
        !os_thread_gather(client->pid, thread, mix->placement.cpu)) {
        return;
    }
    atomic_store(&cycle->gathered_thread, thread);
}

static void
forget_answers(struct mix *mix)
{
    statistics_turn(&mix->master.cycle.answer_us);
    statistics_turn(&mix->master.cycle.answer_us);
}

static void
set_state(struct mix *mix, enum placement_state state, uint64_t now_ns)
{
    struct placement *placement = &mix->placement;
    placement->state = state;
    placement->since_ns = now_ns;
    /* Partner: the cycle's load; it looks after gathered threads only then. */
    atomic_store_explicit(&mix->master.cycle.gather_cpu,
                          state == PLACEMENT_FREE ? -1 : (int32_t)placement->cpu,
                          memory_order_release);
    forget_answers(mix);
}

void
placement_free_all(struct mix *mix)
{
    if (mix->placement.state == PLACEMENT_FREE) {
        return;
    }
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        if (client_list_plays(mix->engine->client[i], mix)) {
            let_go(mix->engine->client[i]);
        }
    }
    set_state(mix, PLACEMENT_FREE, events_now_ns(mix->engine));
}

static void
gather_all(struct mix *mix)
{
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        if (is_running(mix, mix->engine->client[i])) {
            gather(mix, mix->engine->client[i]);
        }
    }
}

/* What the programs compute in a cycle, by their own word. */
static uint64_t
computing_us(const struct mix *mix)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        if (is_running(mix, mix->engine->client[i])) {
            sum += statistics_quantile(&mix->engine->client[i]->cycle->computing_us, 0.5);
        }
    }
    return sum;
}

/* Late blocks and rescues since the last look, whoever's fault. */
static bool
trouble_came(struct mix *mix)
{
    const struct cycle *cycle = &mix->master.cycle;
    uint64_t troubles = atomic_load_explicit(&cycle->late_events, memory_order_relaxed) +
                        atomic_load_explicit(&cycle->rescues, memory_order_relaxed);
    bool came = troubles != mix->placement.troubles;
    mix->placement.troubles = troubles;
    return came;
}

static bool
others_run(struct mix *mix)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        if (is_running(mix, mix->engine->client[i])) {
            running++;
        }
    }
    bool changed = running != mix->placement.programs;
    mix->placement.programs = running;
    return changed;
}

/* Another trial later, and later the more often it is so. */
static void
give_up(struct mix *mix, uint64_t now_ns)
{
    struct placement *placement = &mix->placement;
    uint64_t pause_ms = placement->pause_ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : placement->pause_ms;
    placement_free_all(mix);
    placement->not_before_ns = now_ns + pause_ms * OS_NS_PER_MS;
    placement->pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
}

static void
begin(struct mix *mix, enum placement_state state, uint64_t now_ns)
{
    mix->placement.cpu = atomic_load_explicit(&mix->master.cycle.cpu_shown, memory_order_relaxed);
    set_state(mix, state, now_ns);
    gather_all(mix);
}

/* Another span of the same. */
static void
go_on(struct mix *mix, uint64_t now_ns)
{
    struct placement *placement = &mix->placement;
    gather_all(mix); /* programs may have begun other threads */
    statistics_turn(&mix->master.cycle.answer_us);
    placement->since_ns = now_ns;
    placement->pause_ms -= placement->pause_ms / 32; /* trouble is forgotten in a minute or so */
}

static void
judge(struct mix *mix, bool measured, uint64_t now_ns)
{
    struct placement *placement = &mix->placement;
    uint64_t most_us = mix->master.cycle.budget_ns / 1000 / PART;
    uint32_t answer_us = statistics_quantile(&mix->master.cycle.answer_us, 0.5);
    switch (placement->state) {
    case PLACEMENT_FREE:
        if (!placement->programs || now_ns < placement->not_before_ns) {
            break;
        }
        if (!measured) {
            begin(mix, PLACEMENT_GATHERED, now_ns);
        } else if (answer_us && computing_us(mix) < most_us) {
            placement->free_us = answer_us;
            begin(mix, PLACEMENT_TRYING, now_ns);
        }
        break;
    case PLACEMENT_TRYING:
        if (answer_us <= placement->free_us && answer_us < most_us) {
            set_state(mix, PLACEMENT_GATHERED, now_ns);
            log_info("engine: %u programs gathered on processor %u: all answer after %u us, %u "
                     "before",
                     placement->programs, placement->cpu, answer_us, placement->free_us);
        } else {
            give_up(mix, now_ns);
        }
        break;
    case PLACEMENT_GATHERED:
        if (measured && answer_us >= most_us) {
            give_up(mix, now_ns);
        } else {
            go_on(mix, now_ns);
        }
        break;
    }
}

void
placement_tend(struct mix *mix, uint64_t now_ns)
{
    struct placement *placement = &mix->placement;
    bool measured = strcmp(mix->master.config.engine_placement, "auto") == 0;
    bool wanted = measured || strcmp(mix->master.config.engine_placement, "gathered") == 0;
    if (!wanted || mix->engine->services.stepped || mix->master.cycle.elastic ||
        mix->master.slot.state != PROTO_STREAM_RUNNING) {
        placement_free_all(mix);
        return;
    }
    bool changed = others_run(mix);
    if (trouble_came(mix) && placement->state != PLACEMENT_FREE) {
        give_up(mix, now_ns);
    } else if (changed) {
        /* What was measured was measured with others. */
        placement_free_all(mix);
        placement->since_ns = now_ns;
        forget_answers(mix);
    } else if (now_ns >= placement->since_ns + (uint64_t)SETTLE_MS * OS_NS_PER_MS) {
        judge(mix, measured, now_ns);
    }
}
