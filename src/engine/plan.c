/* SPDX-License-Identifier: MIT */
/* Plans: which programs' outputs meet on which device channel or bus. Made anew when somebody comes
 * or goes; immutable in the cycle. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_state.h"

static bool
same_source(const struct proto_channel *a, const struct proto_channel *b)
{
    return a->kind == b->kind && a->channel == b->channel && a->program == b->program;
}

/* Whether a program's output belongs to a sink: a device channel (also of the mix), or a bus of
 * that very output. */
static bool
meets(const struct engine_program *program, uint32_t output, const struct proto_channel *sink)
{
    if (sink->kind == PROTO_CHANNEL_PROGRAM) {
        return program->id == sink->program && output == sink->channel;
    }
    return program->output[output].kind == PROTO_CHANNEL_DEVICE &&
           program->output[output].channel == sink->channel;
}

/* Words that mean something only as they are go to a device that leaves them so and meet nobody:
 * joining sees to it, and this, should the device have become another. */
static bool
may_sound(const struct engine *engine, const struct engine_program *program)
{
    const struct engine_program *alone = programs_exact(engine);
    return alone ? program == alone && engine->exact : true;
}

static uint32_t
fill(const struct engine *engine, const struct proto_channel *sink, struct cycle_plan_entry *entry)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < engine->programs; p++) {
        const struct engine_program *program = engine->program[p];
        if (!may_sound(engine, program)) {
            continue;
        }
        for (uint32_t o = 0; program->cycle && o < program->cycle->layout.outputs; o++) {
            if (meets(program, o, sink)) {
                if (entry) {
                    entry[count] = (struct cycle_plan_entry){program->cycle, o};
                }
                count++;
            }
        }
    }
    return count;
}

/* Paths of the direct monitor to a device output. */
static uint32_t
fill_paths(const struct engine *engine, int32_t output, const struct cycle_path **path)
{
    uint32_t count = 0;
    for (uint32_t p = 0; output >= 0 && p < engine->programs; p++) {
        const struct engine_program *program = engine->program[p];
        const struct cycle_monitor *monitor = program->cycle ? program->monitor : NULL;
        for (uint32_t m = 0; monitor && m < monitor->paths; m++) {
            const struct cycle_path *found = &monitor->path[m];
            if (found->output == (uint32_t)output && found->input < engine->known.inputs) {
                if (path) {
                    path[count] = found;
                }
                count++;
            }
        }
    }
    return count;
}

/* The device output that a sink is, or is the sound of; -1: none. */
static int32_t
output_of(const struct proto_channel *sink)
{
    return sink->kind == PROTO_CHANNEL_PROGRAM ? -1 : (int32_t)sink->channel;
}

static void
fill_sum(const struct engine *engine, struct cycle_plan *plan, const struct proto_channel *sink,
         struct cycle_sum *sum)
{
    sum->output = output_of(sink);
    sum->first = plan->entries;
    sum->count = fill(engine, sink, plan->entry + plan->entries);
    sum->first_path = plan->paths;
    sum->paths = fill_paths(engine, sum->output, plan->path + plan->paths);
    plan->entries += sum->count;
    plan->paths += sum->paths;
}

static bool
has_monitor(const struct engine *engine)
{
    for (uint32_t p = 0; p < engine->programs; p++) {
        if (engine->program[p]->cycle && engine->program[p]->monitor) {
            return true;
        }
    }
    return false;
}

void
plan_free(struct cycle_plan *plan)
{
    if (plan) {
        free(plan->bus);
        free(plan->entry);
        free(plan->path);
        free(plan->sources);
        free(plan);
    }
}

struct cycle_plan *
plan_new(const struct engine *engine)
{
    struct cycle_plan *plan = calloc(1, sizeof(*plan));
    if (!plan) {
        return NULL;
    }
    plan->outputs = engine->known.outputs;
    plan->buses = engine->buses;
    plan->monitored = has_monitor(engine);
    uint32_t total = 0, paths = 0;
    for (uint32_t c = 0; c < plan->outputs; c++) {
        struct proto_channel sink = {PROTO_CHANNEL_DEVICE, (uint16_t)c, 0};
        total += fill(engine, &sink, NULL);
        paths += fill_paths(engine, (int32_t)c, NULL);
    }
    for (uint32_t b = 0; b < engine->buses; b++) {
        const struct proto_channel *source = &engine->bus[b].source;
        total += fill(engine, source, NULL);
        paths += fill_paths(engine, output_of(source), NULL);
    }
    plan->bus = calloc(plan->buses + 1, sizeof(*plan->bus));
    plan->entry = calloc(total + 1, sizeof(*plan->entry));
    plan->path = calloc(paths + 1, sizeof(*plan->path));
    plan->sources = calloc(total + paths + 1, sizeof(*plan->sources));
    if (!plan->bus || !plan->entry || !plan->path || !plan->sources) {
        plan_free(plan);
        return NULL;
    }
    for (uint32_t c = 0; c < plan->outputs; c++) {
        struct proto_channel sink = {PROTO_CHANNEL_DEVICE, (uint16_t)c, 0};
        fill_sum(engine, plan, &sink, &plan->output[c]);
    }
    for (uint32_t b = 0; b < plan->buses; b++) {
        plan->bus[b].ring = engine->bus[b].ring;
        fill_sum(engine, plan, &engine->bus[b].source, &plan->bus[b].sum);
    }
    return plan;
}

struct engine_bus *
plan_get_bus(struct engine *engine, const struct proto_channel *source)
{
    for (uint32_t b = 0; b < engine->buses; b++) {
        if (same_source(&engine->bus[b].source, source)) {
            engine->bus[b].users++;
            return &engine->bus[b];
        }
    }
    struct engine_bus *grown = realloc(engine->bus, (engine->buses + 1) * sizeof(*grown));
    if (!grown) {
        return NULL;
    }
    engine->bus = grown;
    float *ring = calloc(CYCLE_RING_FRAMES, sizeof(*ring));
    if (!ring) {
        return NULL;
    }
    engine->bus[engine->buses] = (struct engine_bus){*source, 1, ring};
    return &engine->bus[engine->buses++];
}

float *
plan_put_bus(struct engine *engine, const struct proto_channel *source)
{
    for (uint32_t b = 0; b < engine->buses; b++) {
        if (!same_source(&engine->bus[b].source, source)) {
            continue;
        }
        if (--engine->bus[b].users) {
            return NULL;
        }
        float *ring = engine->bus[b].ring;
        memmove(&engine->bus[b], &engine->bus[b + 1],
                (engine->buses - b - 1) * sizeof(engine->bus[0]));
        engine->buses--;
        return ring;
    }
    return NULL;
}
