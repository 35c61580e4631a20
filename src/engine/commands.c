/* SPDX-License-Identifier: MIT */
/* Commands to the cycle, and what they retire: it is freed once the cycle has passed the command.
 */
#include <stdlib.h>

#include "base/log.h"
#include "engine/engine_state.h"

void
commands_free_monitor(struct cycle_monitor *monitor)
{
    if (monitor) {
        free(monitor->path);
        free(monitor);
    }
}

static void
free_cycle_program(struct engine *engine, struct cycle_client *program)
{
    if (program) {
        os_bells_remove(engine->cycle.bells, program->bell);
        os_wake_fini(&program->doorbell);
        hogs_forget_thread(program);
        free(program->out_ring);
        free(program);
    }
}

void
commands_retire(struct engine *engine, struct engine_retired retired)
{
    if (engine->retired_count == engine->retired_room) {
        uint32_t room = engine->retired_room ? 2 * engine->retired_room : 64;
        struct engine_retired *grown = realloc(engine->retired, room * sizeof(*grown));
        if (!grown) {
            log_error(
                "engine: no memory to remember what to free; it is kept until the engine ends");
            return;
        }
        engine->retired = grown;
        engine->retired_room = room;
    }
    retired.command = engine->commands;
    engine->retired[engine->retired_count++] = retired;
}

void
commands_reclaim(struct engine *engine)
{
    if (!device_state_is_cycling(engine)) {
        cycle_apply_commands(&engine->cycle);
    }
    /* Partner: the cycle's release after it has applied a command. */
    uint64_t applied = atomic_load_explicit(&engine->cycle.applied, memory_order_acquire);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < engine->retired_count; i++) {
        struct engine_retired *retired = &engine->retired[i];
        if (retired->command > applied) {
            engine->retired[kept++] = *retired;
            continue;
        }
        free_cycle_program(engine, retired->program);
        os_shm_close(&retired->segment);
        plan_free(retired->plan);
        commands_free_monitor(retired->monitor);
        free(retired->ring);
    }
    engine->retired_count = kept;
}

/* The plan that the last command put in force; control's own copy of a pointer the cycle works
 * with. */
static struct cycle_plan *
swap_plan(struct engine *engine, struct cycle_plan *plan)
{
    struct cycle_plan *old = engine->plan;
    engine->plan = plan;
    return old;
}

/* Before anything changes: waits until the cycle takes commands, without the lock. Without a cycle
 * they are applied here. */
void
commands_await_room(struct engine *engine)
{
    while (ring_is_full(&engine->cycle.commands)) {
        if (engine->own_clock || !device_state_is_cycling(engine)) {
            cycle_apply_commands(&engine->cycle);
        } else {
            os_mutex_unlock(&engine->lock);
            os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
            os_mutex_lock(&engine->lock);
        }
    }
}

void
commands_put(struct engine *engine, struct cycle_command command)
{
    struct cycle_plan *plan = command.plan = plan_new(engine);
    if (!plan) {
        log_error("engine: no memory for a mixing plan: silence until the next change");
    }
    if (!ring_put(&engine->cycle.commands, &command)) {
        log_error("engine: no room for a command to the cycle: it is lost");
    }
    engine->commands++;
    commands_retire(engine, (struct engine_retired){.plan = swap_plan(engine, plan)});
}

void
commands_send(struct engine *engine, enum cycle_command_kind kind, struct cycle_client *program)
{
    commands_put(engine, (struct cycle_command){.kind = kind, .client = program});
}
