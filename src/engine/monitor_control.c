/* SPDX-License-Identifier: MIT */
#include "engine/monitor_control.h"

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
add_path(struct mix *mix, struct cycle_monitor *monitor, const struct cycle_path *path)
{
    struct cycle_path *added = &monitor->path[monitor->paths++];
    *added = *path;
    added->ring = mix->master.cycle.input_ring + (size_t)path->input * CYCLE_RING_PITCH;
}

/* Paths that are asked for no more stay until they are silent. */
static void
add_fading(struct mix *mix, const struct engine_client *client, struct cycle_monitor *monitor)
{
    const struct cycle_monitor *former = client->monitor;
    /* Partner: the cycle's release, after the last gain arrived. */
    bool settled = !former || atomic_load_explicit(&former->settled, memory_order_acquire);
    for (uint32_t p = 0; former && p < former->paths && monitor->paths < MOST_PATHS; p++) {
        /* The rest of it is the cycle's. */
        struct cycle_path path = {
            .client = client->cycle,
            .input = former->path[p].input,
            .output = former->path[p].output,
            .former = (int32_t)p,
        };
        bool silent = settled && former->path[p].gain.target == 0;
        if (!silent && find_path(monitor, path.input, path.output) < 0) {
            add_path(mix, monitor, &path);
        }
    }
}

static struct cycle_monitor *
new_list(struct mix *mix, const struct engine_client *client)
{
    const struct proto_monitor *wish = client->wish;
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
            .client = client->cycle,
            .input = wanted->input,
            .output = wanted->output,
            .former = find_path(client->monitor, wanted->input, wanted->output),
            .gain.target =
                wish->input_gain[wanted->input] * wanted->gain * wish->output_gain[wanted->output],
        };
        add_path(mix, monitor, &added);
    }
    add_fading(mix, client, monitor);
    return monitor;
}

enum tutti_status
monitor_join(struct mix *mix, struct engine_client *client)
{
    if (!client->wish || client->exact) { /* words that gains would spoil */
        return TUTTI_OK;
    }
    struct cycle_monitor *monitor = new_list(mix, client);
    if (!monitor) {
        return TUTTI_NO_MEMORY;
    }
    /* Nothing was heard yet that a gain could go on from. */
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        monitor->output[c].now = monitor->output[c].target;
    }
    for (uint32_t c = 0; c < client->cycle->layout.inputs; c++) {
        int32_t channel = client->cycle->input[c].channel;
        monitor->heard[c] = channel >= 0 ? monitor->input[channel] : 1.0f;
    }
    direct_monitor_begin(monitor, NULL, mix->master.slot.known.rate_hz);
    client->monitor = client->cycle->monitor = monitor;
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
forget_wish(struct engine_client *client)
{
    free(client->wish);
    client->wish = NULL;
}

enum tutti_status
monitor_change(struct mix *mix, struct engine_client *client)
{
    /* Also while another thread has the device: the command waits in the ring. */
    commands_await_room(mix);
    struct cycle_monitor *former = client->monitor;
    struct cycle_monitor *fresh = client->wish ? new_list(mix, client) : NULL;
    bool good = fresh || !client->wish;
    if (good) {
        client->monitor = fresh;
        commands_put(mix, (struct cycle_command){
                              .kind = CYCLE_MONITOR, .client = client->cycle, .monitor = fresh});
        commands_retire(mix, (struct engine_retired){.monitor = former});
        commands_reclaim(mix);
    }
    return good ? TUTTI_OK : TUTTI_NO_MEMORY;
}

void
monitor_tend(struct mix *mix, struct engine_client *client)
{
    /* Partner: the cycle's release, after the last gain arrived. */
    if (client->monitor && is_nothing(client->wish) && !ring_is_full(&mix->master.cycle.commands) &&
        atomic_load_explicit(&client->monitor->settled, memory_order_acquire)) {
        forget_wish(client);
        monitor_change(mix, client);
    }
}

struct cycle_monitor *
monitor_leave(struct engine_client *client)
{
    struct cycle_monitor *monitor = client->monitor;
    client->monitor = NULL;
    return monitor;
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
    struct engine_client *client = client_list_find(engine, program_id);
    if (client) {
        struct proto_monitor *former = client->wish;
        client->wish = wish;
        wish = former;
        if (!client->monitor && is_nothing(client->wish)) {
            forget_wish(client); /* hosts switch off what was never on */
        }
        bool acts = client->cycle && !client->exact && (client->wish || client->monitor);
        status = acts ? monitor_change(client->mix, client) : TUTTI_OK;
    }
    os_mutex_unlock(&engine->lock);
    free(wish);
    if (status != TUTTI_OK) {
        log_warning("engine: program %u: no direct monitor: %s", program_id,
                    tutti_status_text(status));
    }
    return status;
}
