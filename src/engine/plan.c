/* SPDX-License-Identifier: MIT */
/* Plans: which programs' outputs meet on which device channel or bus. Made anew when somebody comes
 * or goes; immutable in the cycle. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_state.h"

enum { PAGE_SAMPLES = 1024 };

static bool
same_source(const struct proto_channel *a, const struct proto_channel *b)
{
    return a->kind == b->kind && a->channel == b->channel && a->program == b->program;
}

/* Words that mean something only as they are go to a device that leaves them so and meet nobody:
 * joining sees to it, and this, should the device have become another. */
static bool
may_sound(const struct engine *engine, const struct engine_program *program)
{
    const struct engine_program *alone = client_list_exact(engine);
    return alone ? program == alone && engine->exact : true;
}

/* The bus of each device channel's mix, or of each output of one program; -1: there is none. */
struct bus_index {
    int32_t bus[PROTO_MAX_CHANNELS];
};

static void
index_buses(const struct engine *engine, enum proto_channel_kind kind, uint32_t program_id,
            struct bus_index *index)
{
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        index->bus[c] = -1;
    }
    for (uint32_t b = 0; b < engine->buses; b++) {
        const struct proto_channel *source = &engine->bus[b].source;
        bool other = kind == PROTO_CHANNEL_PROGRAM && source->program != program_id;
        if (source->kind == kind && !other && source->channel < PROTO_MAX_CHANNELS) {
            index->bus[source->channel] = (int32_t)b;
        }
    }
}

/* What follows runs twice: without plan->entry and plan->path it only counts. */
static void
add_entry(struct cycle_plan *plan, struct cycle_sum *sum, struct cycle_client *program,
          uint32_t output)
{
    if (plan->entry) {
        plan->entry[sum->first + sum->count] = (struct cycle_plan_entry){program, output};
    }
    sum->count++;
}

static void
add_path(struct cycle_plan *plan, struct cycle_sum *sum, const struct cycle_path *path)
{
    if (plan->path) {
        plan->path[sum->first_path + sum->paths] = path;
    }
    sum->paths++;
}

static void
add_outputs(const struct engine *engine, const struct engine_program *program,
            const struct bus_index *mixes, struct cycle_plan *plan)
{
    struct bus_index own;
    index_buses(engine, PROTO_CHANNEL_PROGRAM, program->id, &own);
    for (uint32_t o = 0; o < program->cycle->layout.outputs; o++) {
        const struct proto_channel *to = &program->output[o];
        bool to_device = to->kind == PROTO_CHANNEL_DEVICE && to->channel < PROTO_MAX_CHANNELS;
        if (to_device && to->channel < plan->outputs) {
            add_entry(plan, &plan->output[to->channel], program->cycle, o);
        }
        if (to_device && mixes->bus[to->channel] >= 0) {
            add_entry(plan, &plan->bus[mixes->bus[to->channel]].sum, program->cycle, o);
        }
        if (own.bus[o] >= 0) {
            add_entry(plan, &plan->bus[own.bus[o]].sum, program->cycle, o);
        }
    }
}

/* Paths of the direct monitor. */
static void
add_paths(const struct engine *engine, const struct cycle_monitor *monitor,
          const struct bus_index *mixes, struct cycle_plan *plan)
{
    for (uint32_t m = 0; m < monitor->paths; m++) {
        const struct cycle_path *path = &monitor->path[m];
        if (path->input >= engine->known.inputs || path->output >= PROTO_MAX_CHANNELS) {
            continue;
        }
        if (path->output < plan->outputs) {
            add_path(plan, &plan->output[path->output], path);
        }
        if (mixes->bus[path->output] >= 0) {
            add_path(plan, &plan->bus[mixes->bus[path->output]].sum, path);
        }
    }
}

/* One pass over all channels of all programs: joining costs the others no more for every bus that
 * there is. */
static void
add_all(const struct engine *engine, struct cycle_plan *plan)
{
    struct bus_index mixes;
    index_buses(engine, PROTO_CHANNEL_MIX, 0, &mixes);
    for (uint32_t p = 0; p < engine->programs; p++) {
        const struct engine_program *program = engine->program[p];
        if (!program->cycle) {
            continue;
        }
        if (may_sound(engine, program)) {
            add_outputs(engine, program, &mixes, plan);
        }
        if (program->monitor) {
            add_paths(engine, program->monitor, &mixes, plan);
        }
    }
}

/* The device output that a sink is, or is the sound of; -1: none. */
static int32_t
output_of(const struct proto_channel *sink)
{
    return sink->kind == PROTO_CHANNEL_PROGRAM ? -1 : (int32_t)sink->channel;
}

/* Gives a counted sum its places. */
static void
place(struct cycle_plan *plan, struct cycle_sum *sum, int32_t output)
{
    sum->output = output;
    sum->first = plan->entries;
    sum->first_path = plan->paths;
    plan->entries += sum->count;
    plan->paths += sum->paths;
    sum->count = sum->paths = 0;
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
    plan->bus = calloc(plan->buses + 1, sizeof(*plan->bus));
    if (!plan->bus) {
        plan_free(plan);
        return NULL;
    }
    add_all(engine, plan);
    for (uint32_t c = 0; c < plan->outputs; c++) {
        place(plan, &plan->output[c], (int32_t)c);
    }
    for (uint32_t b = 0; b < plan->buses; b++) {
        plan->bus[b].ring = engine->bus[b].ring;
        place(plan, &plan->bus[b].sum, output_of(&engine->bus[b].source));
    }
    plan->entry = calloc(plan->entries + 1, sizeof(*plan->entry));
    plan->path = calloc(plan->paths + 1, sizeof(*plan->path));
    plan->sources = calloc(plan->entries + plan->paths + 1, sizeof(*plan->sources));
    if (!plan->entry || !plan->path || !plan->sources) {
        plan_free(plan);
        return NULL;
    }
    add_all(engine, plan);
    return plan;
}

float *
plan_new_ring(size_t samples)
{
    float *ring = calloc(samples, sizeof(*ring));
    volatile float *touched = ring; /* volatile: or the compiler knows that nothing changes */
    for (size_t i = 0; ring && i < samples; i += PAGE_SAMPLES) {
        touched[i] = 0;
    }
    return ring;
}

bool
plan_has_bus(const struct engine *engine, const struct proto_channel *source)
{
    for (uint32_t b = 0; b < engine->buses; b++) {
        if (same_source(&engine->bus[b].source, source)) {
            return true;
        }
    }
    return false;
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
    float *ring = plan_new_ring(CYCLE_RING_FRAMES);
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
