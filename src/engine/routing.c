/* SPDX-License-Identifier: MIT */
#include "engine/routing.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine_state.h"

enum { PAGE_SAMPLES = 1024 };

static bool
same_source(const struct proto_channel *a, const struct proto_channel *b)
{
    return a->kind == b->kind && a->channel == b->channel && a->program == b->program;
}

/* A bit-exact stream goes only to a bit-transparent device and is never mixed: joining checks it,
 * and this does, should the device have become another. */
static bool
may_sound(const struct mix *mix, const struct engine_client *client)
{
    const struct engine_client *alone = client_list_exact(mix);
    return alone ? client == alone && mix->master.slot.exact : true;
}

/* The bus of each device channel's mix, or of each output of one program; -1: there is none. */
struct bus_index {
    int32_t bus[PROTO_MAX_CHANNELS];
};

static void
index_buses(const struct mix *mix, enum proto_channel_kind kind, uint32_t program_id,
            struct bus_index *index)
{
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        index->bus[c] = -1;
    }
    for (uint32_t b = 0; b < mix->routing.bus_count; b++) {
        const struct proto_channel *source = &mix->routing.bus[b].source;
        bool other = kind == PROTO_CHANNEL_PROGRAM && source->program != program_id;
        if (source->kind == kind && !other && source->channel < PROTO_MAX_CHANNELS) {
            index->bus[source->channel] = (int32_t)b;
        }
    }
}

/* What follows runs twice: without plan->entry and plan->path it only counts. */
static void
add_entry(struct cycle_plan *plan, struct cycle_sum *sum, struct cycle_client *client,
          uint32_t output)
{
    if (plan->entry) {
        plan->entry[sum->first + sum->count] = (struct cycle_plan_entry){client, output};
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
add_outputs(const struct mix *mix, const struct engine_client *client,
            const struct bus_index *mixes, struct cycle_plan *plan)
{
    struct bus_index own;
    index_buses(mix, PROTO_CHANNEL_PROGRAM, client->id, &own);
    for (uint32_t o = 0; o < client->cycle->layout.outputs; o++) {
        const struct proto_channel *to = &client->output[o];
        bool to_device = to->kind == PROTO_CHANNEL_DEVICE && to->channel < PROTO_MAX_CHANNELS;
        if (to_device && to->channel < plan->outputs) {
            add_entry(plan, &plan->output[to->channel], client->cycle, o);
        }
        if (to_device && mixes->bus[to->channel] >= 0) {
            add_entry(plan, &plan->bus[mixes->bus[to->channel]].sum, client->cycle, o);
        }
        if (own.bus[o] >= 0) {
            add_entry(plan, &plan->bus[own.bus[o]].sum, client->cycle, o);
        }
    }
}

/* Paths of the direct monitor. */
static void
add_paths(const struct mix *mix, const struct cycle_monitor *monitor, const struct bus_index *mixes,
          struct cycle_plan *plan)
{
    for (uint32_t m = 0; m < monitor->paths; m++) {
        const struct cycle_path *path = &monitor->path[m];
        if (path->input >= mix->master.slot.known.inputs || path->output >= PROTO_MAX_CHANNELS) {
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
add_all(const struct mix *mix, struct cycle_plan *plan)
{
    struct bus_index mixes;
    index_buses(mix, PROTO_CHANNEL_MIX, 0, &mixes);
    for (uint32_t p = 0; p < mix->engine->client_count; p++) {
        const struct engine_client *client = mix->engine->client[p];
        if (!client_list_plays(client, mix)) {
            continue;
        }
        if (may_sound(mix, client)) {
            add_outputs(mix, client, &mixes, plan);
        }
        if (client->monitor) {
            add_paths(mix, client->monitor, &mixes, plan);
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
has_monitor(const struct mix *mix)
{
    for (uint32_t p = 0; p < mix->engine->client_count; p++) {
        if (client_list_plays(mix->engine->client[p], mix) && mix->engine->client[p]->monitor) {
            return true;
        }
    }
    return false;
}

void
routing_free_plan(struct cycle_plan *plan)
{
    if (plan) {
        free(plan->bus);
        free(plan->entry);
        free(plan->path);
        free(plan->sources);
        free(plan->pull);
        free(plan->push);
        free(plan);
    }
}

/* False: no memory. */
static bool
add_feeds(const struct mix *mix, struct cycle_plan *plan)
{
    const struct feeds *feeds = &mix->engine->feeds;
    plan->pull = calloc(feeds->feed_count + 1U, sizeof(struct cycle_feed *));
    plan->push = calloc(feeds->feed_count + 1U, sizeof(struct cycle_feed *));
    if (!plan->pull || !plan->push) {
        return false;
    }
    for (uint32_t f = 0; f < feeds->feed_count; f++) {
        struct engine_feed *feed = feeds->feed[f];
        if (feed->to == mix) {
            plan->pull[plan->pull_count++] = &feed->cycle;
        }
        if (feed->from == mix) {
            plan->push[plan->push_count++] = &feed->cycle;
        }
    }
    return true;
}

struct cycle_plan *
routing_new_plan(const struct mix *mix)
{
    struct cycle_plan *plan = calloc(1, sizeof(*plan));
    if (!plan) {
        return NULL;
    }
    plan->outputs = mix->master.slot.known.outputs;
    plan->buses = mix->routing.bus_count;
    plan->monitored = has_monitor(mix);
    plan->bus = calloc(plan->buses + 1, sizeof(*plan->bus));
    if (!plan->bus) {
        routing_free_plan(plan);
        return NULL;
    }
    add_all(mix, plan);
    for (uint32_t c = 0; c < plan->outputs; c++) {
        place(plan, &plan->output[c], (int32_t)c);
    }
    for (uint32_t b = 0; b < plan->buses; b++) {
        plan->bus[b].ring = mix->routing.bus[b].ring;
        place(plan, &plan->bus[b].sum, output_of(&mix->routing.bus[b].source));
    }
    plan->entry = calloc(plan->entries + 1, sizeof(*plan->entry));
    plan->path = calloc(plan->paths + 1, sizeof(*plan->path));
    plan->sources = calloc(plan->entries + plan->paths + 1, sizeof(*plan->sources));
    if (!plan->entry || !plan->path || !plan->sources || !add_feeds(mix, plan)) {
        routing_free_plan(plan);
        return NULL;
    }
    add_all(mix, plan);
    return plan;
}

float *
routing_new_ring(size_t samples)
{
    float *ring = calloc(samples, sizeof(*ring));
    volatile float *touched = ring; /* volatile: or the compiler knows that nothing changes */
    for (size_t i = 0; ring && i < samples; i += PAGE_SAMPLES) {
        touched[i] = 0;
    }
    return ring;
}

const struct engine_bus *
routing_find_bus(const struct mix *mix, const struct proto_channel *source)
{
    for (uint32_t b = 0; b < mix->routing.bus_count; b++) {
        if (same_source(&mix->routing.bus[b].source, source)) {
            return &mix->routing.bus[b];
        }
    }
    return NULL;
}

struct engine_bus *
routing_get_bus(struct mix *mix, const struct proto_channel *source)
{
    for (uint32_t b = 0; b < mix->routing.bus_count; b++) {
        if (same_source(&mix->routing.bus[b].source, source)) {
            mix->routing.bus[b].users++;
            return &mix->routing.bus[b];
        }
    }
    struct engine_bus *grown =
        realloc(mix->routing.bus, (mix->routing.bus_count + 1) * sizeof(*grown));
    if (!grown) {
        return NULL;
    }
    mix->routing.bus = grown;
    float *ring = routing_new_ring(CYCLE_RING_FRAMES);
    if (!ring) {
        return NULL;
    }
    mix->routing.bus[mix->routing.bus_count] = (struct engine_bus){*source, 1, ring};
    return &mix->routing.bus[mix->routing.bus_count++];
}

float *
routing_put_bus(struct mix *mix, const struct proto_channel *source)
{
    for (uint32_t b = 0; b < mix->routing.bus_count; b++) {
        if (!same_source(&mix->routing.bus[b].source, source)) {
            continue;
        }
        if (--mix->routing.bus[b].users) {
            return NULL;
        }
        float *ring = mix->routing.bus[b].ring;
        memmove(&mix->routing.bus[b], &mix->routing.bus[b + 1],
                (mix->routing.bus_count - b - 1) * sizeof(mix->routing.bus[0]));
        mix->routing.bus_count--;
        return ring;
    }
    return NULL;
}
