/* SPDX-License-Identifier: MIT */
/* The direct monitor as control sees it: what programs ask for becomes lists for the cycle. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/engine_state.h"
#include "mixer/direct_monitor.h"

enum { MOST_PATHS = 2 * PROTO_MAX_PATHS }; /* those asked for, and those that fade out */

/* The place of a path in the list that is in force; -1: none. */
static int32_t
find_path(const struct cycle_monitor *monitor, uint32_t input, uint32_t output)
{
    for (uint32_t p = 0; monitor && p < monitor->paths; p++) {
        if (monitor->path[p].input == input && monitor->path[p].output == output) {
            return (int32_t)p;
        }
    }
    return -1;
}

static void
add_path(struct engine *engine, struct cycle_monitor *monitor, const struct cycle_path *path)
{
    struct cycle_path *added = &monitor->path[monitor->paths++];
    *added = *path;
    added->ring = engine->cycle.input_ring + (size_t)path->input * CYCLE_RING_PITCH;
}

/* Paths that are asked for no more stay until they are silent. */
static void
add_fading(struct engine *engine, const struct engine_program *program,
           struct cycle_monitor *monitor)
{
    const struct cycle_monitor *former = program->monitor;
    /* Partner: the cycle's release, after the last gain arrived. */
    bool settled = !former || atomic_load_explicit(&former->settled, memory_order_acquire);
    for (uint32_t p = 0; former && p < former->paths && monitor->paths < MOST_PATHS; p++) {
        /* The rest of it is the cycle's. */
        struct cycle_path path = {
            .client = program->cycle,
            .input = former->path[p].input,
            .output = former->path[p].output,
            .former = (int32_t)p,
        };
        bool silent = settled && former->path[p].gain.target == 0;
        if (!silent && find_path(monitor, path.input, path.output) < 0) {
            add_path(engine, monitor, &path);
        }
    }
}

struct cycle_monitor *
monitor_new(struct engine *engine, const struct engine_program *program)
{
    const struct proto_monitor *wish = program->wish;
    struct cycle_monitor *monitor = calloc(1, sizeof(*monitor));
    struct cycle_path *path = calloc(MOST_PATHS, sizeof(*path));
    if (!monitor || !path) {
        free(path);
        free(monitor);
        return NULL;
    }
    monitor->path = path;
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        monitor->input[c] = wish->input_gain[c];
        monitor->output[c].target = wish->output_gain[c];
        monitor->output[c].now = monitor->heard[c] = 1.0f;
    }
    for (uint32_t p = 0; p < wish->count; p++) {
        const struct proto_path *wanted = &wish->path[p];
        if (find_path(monitor, wanted->input, wanted->output) >= 0) {
            continue; /* the first one counts */
        }
        struct cycle_path added = {
            .client = program->cycle,
            .input = wanted->input,
            .output = wanted->output,
            .former = find_path(program->monitor, wanted->input, wanted->output),
            .gain.target =
                wish->input_gain[wanted->input] * wanted->gain * wish->output_gain[wanted->output],
        };
        add_path(engine, monitor, &added);
    }
    add_fading(engine, program, monitor);
    return monitor;
}

enum tutti_status
monitor_join(struct engine *engine, struct engine_program *program)
{
    if (!program->wish || program->exact) { /* words that gains would spoil */
        return TUTTI_OK;
    }
    struct cycle_monitor *monitor = monitor_new(engine, program);
    if (!monitor) {
        return TUTTI_NO_MEMORY;
    }
    /* Nothing was heard yet that a gain could go on from. */
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        monitor->output[c].now = monitor->output[c].target;
    }
    for (uint32_t c = 0; c < program->cycle->layout.inputs; c++) {
        int32_t channel = program->cycle->input[c].channel;
        monitor->heard[c] = channel >= 0 ? monitor->input[channel] : 1.0f;
    }
    direct_monitor_begin(monitor, NULL, engine->known.rate_hz);
    program->monitor = program->cycle->monitor = monitor;
    return TUTTI_OK;
}

static bool
is_nothing(const struct proto_monitor *wish)
{
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        if (wish->input_gain[c] != 1.0f || wish->output_gain[c] != 1.0f) {
            return false;
        }
    }
    return wish->count == 0;
}

static void
forget_wish(struct engine_program *program)
{
    free(program->wish);
    program->wish = NULL;
}

void
monitor_tend(struct engine *engine, struct engine_program *program)
{
    /* Partner: the cycle's release, after the last gain arrived. */
    if (program->monitor && is_nothing(program->wish) && !ring_is_full(&engine->cycle.commands) &&
        atomic_load_explicit(&program->monitor->settled, memory_order_acquire)) {
        forget_wish(program);
        monitor_change(engine, program);
    }
}

enum tutti_status
engine_set_monitor(struct engine *engine, uint32_t program_id, const struct proto_monitor *message)
{
    enum tutti_status status = TUTTI_INVALID_STATE;
    struct proto_monitor *wish = malloc(sizeof(*wish));
    if (!wish) {
        return TUTTI_NO_MEMORY;
    }
    *wish = *message;
    os_mutex_lock(&engine->lock);
    /* It stays: only the thread that calls this disconnects it. */
    struct engine_program *program = client_list_find(engine, program_id);
    if (program) {
        struct proto_monitor *former = program->wish;
        program->wish = wish;
        wish = former;
        if (!program->monitor && is_nothing(program->wish)) {
            forget_wish(program); /* hosts switch off what was never on */
        }
        bool acts = program->cycle && !program->exact && (program->wish || program->monitor);
        status = acts ? monitor_change(engine, program) : TUTTI_OK;
    }
    os_mutex_unlock(&engine->lock);
    free(wish);
    if (status != TUTTI_OK) {
        log_warning("engine: program %u: no direct monitor: %s", program_id,
                    tutti_status_text(status));
    }
    return status;
}

enum tutti_status
monitor_change(struct engine *engine, struct engine_program *program)
{
    /* Also while another thread has the device: the command waits in the ring. */
    commands_await_room(engine);
    struct cycle_monitor *former = program->monitor;
    struct cycle_monitor *fresh = program->wish ? monitor_new(engine, program) : NULL;
    bool good = fresh || !program->wish;
    if (good) {
        program->monitor = fresh;
        commands_put(engine, (struct cycle_command){.kind = CYCLE_MONITOR,
                                                    .client = program->cycle,
                                                    .monitor = fresh});
        commands_retire(engine, (struct engine_retired){.monitor = former});
        commands_reclaim(engine);
    }
    return good ? TUTTI_OK : TUTTI_NO_MEMORY;
}
