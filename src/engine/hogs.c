/* SPDX-License-Identifier: MIT */
/*
 * The cycle takes the real-time priority of a late program's
 * callback thread away when that thread used over half of the processor time since (client_slot.c).
 * Control tells it which thread that is, and gives the priority back after 5 s without a late
 * block.
 */
#include "engine/hogs.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/engine_state.h"

enum {
    GOOD_MS = 5000,   /* so long without a late block */
    SUSPECT_MS = 30,  /* a process without a known callback thread is watched for so long */
    PASSED_CYCLES = 2 /* after so many no cycle uses a thread that was replaced */
};

/* ---- which thread ---- */

static void
free_thread(struct cycle_thread *thread)
{
    if (thread) {
        os_handle_close(thread->time);
        free(thread);
    }
}

void
hogs_forget_thread(struct cycle_client *cycle)
{
    free_thread(cycle->former_thread);
    free_thread(atomic_load_explicit(&cycle->watched, memory_order_relaxed));
}

/* False: a cycle may still use the thread before the last one. */
static bool
drop_former(const struct mix *mix, struct cycle_client *cycle)
{
    uint64_t cycles = atomic_load_explicit(&mix->master.cycle.cycles, memory_order_acquire);
    if (cycle->former_thread && cycles < cycle->former_until && handover_is_cycling(&mix->master)) {
        return false;
    }
    free_thread(cycle->former_thread);
    cycle->former_thread = NULL;
    return true;
}

static struct cycle_thread *
watch_thread(uint32_t pid, uint32_t id)
{
    struct cycle_thread *thread = calloc(1, sizeof(*thread));
    if (thread) {
        thread->id = id;
        thread->time = os_thread_time_open(pid, id);
    }
    return thread;
}

/* The thread is the program's own word: the system says whether it is one of that process. */
static void
learn_thread(const struct mix *mix, struct engine_client *client)
{
    struct cycle_client *cycle = client->cycle;
    uint32_t id = atomic_load_explicit(&cycle->segment->thread_id, memory_order_relaxed);
    if (!id || id == client->met_thread || !drop_former(mix, cycle)) {
        return;
    }
    client->met_thread = id;
    bool has = os_process_has_thread(client->pid, id);
    if (has) {
        /* An engine that died may have left it bound to a processor. */
        os_thread_scatter(client->pid, id);
    }
    atomic_store_explicit(&cycle->thread, has ? id : 0, memory_order_relaxed);
    /* Partner: the cycle's acquire load. */
    cycle->former_thread = atomic_exchange_explicit(
        &cycle->watched, has ? watch_thread(client->pid, id) : NULL, memory_order_acq_rel);
    cycle->former_until =
        atomic_load_explicit(&mix->master.cycle.cycles, memory_order_acquire) + PASSED_CYCLES;
    /* It begins with a priority of its own. */
    client->demoted = false;
    atomic_store_explicit(&cycle->hog, CYCLE_NO_HOG, memory_order_release);
}

/* ---- its priority ---- */

static void
note_demoted(struct engine_client *client, uint64_t now_ns)
{
    client->demoted = true;
    client->good_since_ns = now_ns;
    log_warning("engine: program %u '%s' is late and uses over 50 %% of a processor: it runs at "
                "normal priority until no block was late for %d s",
                client->id, client->name, GOOD_MS / 1000);
}

/* Nobody knows which of its threads is late: those at real-time priority are judged together. */
static void
judge_process(struct engine_client *client, uint64_t now_ns)
{
    uint64_t cpu_ns = os_process_realtime_cpu_ns(client->pid);
    uint64_t passed_ns = now_ns - client->suspect_since_ns;
    if (client->suspect_since_ns && passed_ns < (uint64_t)SUSPECT_MS * OS_NS_PER_MS) {
        return;
    }
    if (!client->suspect_since_ns) {
        client->suspect_since_ns = now_ns;
        client->suspect_cpu_ns = cpu_ns;
        return;
    }
    client->suspect_since_ns = 0;
    if (cpu_ns > client->suspect_cpu_ns && cpu_ns - client->suspect_cpu_ns >= passed_ns / 2) {
        os_process_demote(client->pid);
        note_demoted(client, now_ns);
    } else {
        atomic_store_explicit(&client->cycle->hog, CYCLE_NO_HOG, memory_order_release);
    }
}

static void
restore(struct engine_client *client)
{
    struct cycle_client *cycle = client->cycle;
    const struct cycle_thread *thread = atomic_load_explicit(&cycle->watched, memory_order_relaxed);
    bool known = thread && os_process_has_thread(client->pid, thread->id);
    if (known && os_thread_restore(client->pid, thread->id, &thread->level)) {
        log_info("engine: program %u '%s' has its real-time priority again", client->id,
                 client->name);
    } else {
        log_warning("engine: program %u '%s' stays at normal priority: the system refused the "
                    "change; start its stream again",
                    client->id, client->name);
    }
    client->demoted = false;
    /* Partner: the cycle's acquire load; it may demote the thread again. */
    atomic_store_explicit(&cycle->hog, CYCLE_NO_HOG, memory_order_release);
}

void
hogs_tend(const struct mix *mix, struct engine_client *client, uint64_t now_ns)
{
    struct cycle_client *cycle = client->cycle;
    learn_thread(mix, client);
    uint32_t hog = atomic_load_explicit(&cycle->hog, memory_order_acquire);
    if (hog == CYCLE_NO_HOG) {
        return;
    }
    if (!client->demoted && hog == CYCLE_HOG_AT_LARGE) {
        judge_process(client, now_ns);
        return;
    }
    if (!client->demoted) {
        note_demoted(client, now_ns);
    }
    uint64_t late = atomic_load_explicit(&cycle->late_program, memory_order_relaxed);
    uint32_t state = atomic_load_explicit(&cycle->state_shown, memory_order_relaxed);
    if (late != client->late_seen || state != PROTO_PROGRAM_RUNNING) {
        client->late_seen = late;
        client->good_since_ns = now_ns;
    }
    if (now_ns - client->good_since_ns >= (uint64_t)GOOD_MS * OS_NS_PER_MS &&
        hog == CYCLE_HOG_DEMOTED) {
        restore(client);
    }
}

void
hogs_begin(struct engine_client *client)
{
    client->demoted = false;
    client->met_thread = 0;
    client->late_seen = client->suspect_since_ns = 0;
}
