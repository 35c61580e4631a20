/* SPDX-License-Identifier: MIT */
#include "engine/mix.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/engine_state.h"
#include "engine/latency.h"

/* ---- what the master asks and tells: struct master_clients ---- */

static unsigned
count_clients(const void *user)
{
    return client_list_prepared(user);
}

static bool
suits_clients(const void *user, uint32_t period_frames)
{
    return latency_suits(user, period_frames);
}

static void
notify_clients(void *user, enum proto_event_kind kind, const char *text)
{
    events_notify(user, 0, kind, 0, text);
}

static void
notify_timeouts(void *user, const struct backend_info *info, bool longer)
{
    struct mix *mix = user;
    latency_notify_timeouts(mix, info, longer);
    if (longer) {
        events_send(mix->engine);
    }
}

static void
device_reopened(void *user, uint64_t silent_frames)
{
    struct mix *mix = user;
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        struct engine_client *client = mix->engine->client[i];
        if (!client_list_plays(client, mix)) {
            continue;
        }
        events_notify(mix, client->id, PROTO_EVENT_GAP, silent_frames,
                      "the device was reopened; its sound was interrupted");
        if (!latency_settle(mix, client)) {
            events_notify(mix, client->id, PROTO_EVENT_LATENCIES, 0,
                          "the device has another latency now");
        }
    }
    commands_send(mix, CYCLE_PLAN, NULL);
    feeds_update(mix->engine); /* the rate or the period may be another one */
}

/* ---- its life ---- */

struct mix *
mix_new(struct engine *engine, struct engine_setup *setup)
{
    struct mix *mix = calloc(1, sizeof(*mix));
    const struct master_clients clients = {
        .user = mix,
        .count = count_clients,
        .suits = suits_clients,
        .notify = notify_clients,
        .timeouts = notify_timeouts,
        .reopened = device_reopened,
    };
    if (!mix) {
        return NULL;
    }
    mix->engine = engine;
    mix->turned_ns = events_now_ns(engine);
    enum tutti_status status =
        master_init(&mix->master, &engine->services, &clients, &setup->device);
    if (status != TUTTI_OK) {
        log_error("engine: no place for another device: %s", tutti_status_text(status));
        free(mix);
        return NULL;
    }
    return mix;
}

void
mix_free(struct mix *mix)
{
    if (mix) {
        placement_free_all(mix);
        master_close(&mix->master);
        commands_fini(mix);
        free(mix->routing.bus);
        master_fini(&mix->master);
        free(mix);
    }
}

struct engine_setup *
mix_setup(const struct mix *mix)
{
    /* the first member */
    return (struct engine_setup *)(void *)mix->master.setup;
}
