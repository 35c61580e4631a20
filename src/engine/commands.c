/* SPDX-License-Identifier: MIT */
#include "engine/commands.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/engine_state.h"
#include "engine/hogs.h"

void
commands_free_monitor(struct cycle_monitor *monitor)
{
    if (monitor) {
        free(monitor->path);
        free(monitor);
    }
}

void
commands_release_feed(struct engine_feed *feed)
{
    if (feed && --feed->users == 0) {
        free(feed->memory);
        free(feed->pointers);
        free(feed);
    }
}

static void
free_cycle_program(struct mix *mix, struct cycle_client *client)
{
    if (client) {
        os_bells_remove(mix->master.cycle.bells, client->bell);
        os_wake_fini(&client->doorbell);
        hogs_forget_thread(client);
        free(client->out_ring);
        free(client);
    }
}

void
commands_retire(struct mix *mix, struct engine_retired retired)
{
    if (mix->commands.retired_count == mix->commands.retired_capacity) {
        uint32_t capacity =
            mix->commands.retired_capacity ? 2 * mix->commands.retired_capacity : 64;
        struct engine_retired *grown = realloc(mix->commands.retired, capacity * sizeof(*grown));
        if (!grown) {
            log_error(
                "engine: no memory to remember what to free; it is kept until the engine ends");
            return;
        }
        mix->commands.retired = grown;
        mix->commands.retired_capacity = capacity;
    }
    retired.command = mix->commands.sent;
    mix->commands.retired[mix->commands.retired_count++] = retired;
}

void
commands_reclaim(struct mix *mix)
{
    if (!handover_is_cycling(&mix->master)) {
        cycle_apply_commands(&mix->master.cycle);
    }
    /* Partner: the cycle's release after it has applied a command. */
    uint64_t applied = atomic_load_explicit(&mix->master.cycle.applied, memory_order_acquire);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < mix->commands.retired_count; i++) {
        struct engine_retired *retired = &mix->commands.retired[i];
        if (retired->command > applied) {
            mix->commands.retired[kept++] = *retired;
            continue;
        }
        free_cycle_program(mix, retired->client);
        os_shm_close(&retired->segment);
        routing_free_plan(retired->plan);
        commands_free_monitor(retired->monitor);
        free(retired->ring);
        commands_release_feed(retired->feed);
    }
    mix->commands.retired_count = kept;
}

/* The plan that the last command put in force; control's own copy of a pointer the cycle works
 * with. */
static struct cycle_plan *
swap_plan(struct mix *mix, struct cycle_plan *plan)
{
    struct cycle_plan *old = mix->commands.plan;
    mix->commands.plan = plan;
    return old;
}

void
commands_await_room(struct mix *mix)
{
    while (ring_is_full(&mix->master.cycle.commands)) {
        if (mix->engine->services.stepped || !handover_is_cycling(&mix->master)) {
            cycle_apply_commands(&mix->master.cycle);
        } else {
            os_mutex_unlock(&mix->engine->lock);
            os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
            os_mutex_lock(&mix->engine->lock);
        }
    }
}

void
commands_put(struct mix *mix, struct cycle_command command)
{
    struct cycle_plan *plan = command.plan = routing_new_plan(mix);
    if (!plan) {
        log_error("engine: no memory for a mixing plan: silence until the next change");
    }
    if (!ring_put(&mix->master.cycle.commands, &command)) {
        log_error("engine: no room for a command to the cycle: it is lost");
    }
    mix->commands.sent++;
    commands_retire(mix, (struct engine_retired){.plan = swap_plan(mix, plan)});
}

void
commands_send(struct mix *mix, enum cycle_command_kind kind, struct cycle_client *client)
{
    commands_put(mix, (struct cycle_command){.kind = kind, .client = client});
}

void
commands_fini(struct mix *mix)
{
    commands_reclaim(mix);
    routing_free_plan(mix->commands.plan);
    free(mix->commands.retired);
}
