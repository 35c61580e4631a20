/* SPDX-License-Identifier: MIT */
/*
 * The engine's control side. Everything here is guarded by `lock` unless it says otherwise; a cycle
 * has its own struct and is reached by commands.
 *
 * A backend may take seconds to open, start, stop or list: it is called without the lock, by the
 * thread that has the claim (claim.h). Meanwhile clients connect, ask and leave.
 */
#ifndef TUTTI_ENGINE_STATE_H
#define TUTTI_ENGINE_STATE_H

#include "engine/claim.h"
#include "engine/client_list.h"
#include "engine/events.h"
#include "engine/feeds.h"
#include "engine/mix.h"

enum {
    ENGINE_MAX_MIXES = PROTO_STATUS_DEVICES,
};

struct engine {
    struct os_mutex lock;
    struct master_services services; /* constant */
    engine_event_fn event;
    void (*remove)(void *user, uint32_t program_id);
    void *user; /* of both */
    uint64_t born_ns;

    struct claim claim;
    struct setups setups;
    struct mix *mix[ENGINE_MAX_MIXES];
    uint32_t mix_count;
    struct engine_client *client[CYCLE_MAX_CLIENTS];
    uint32_t client_count;
    uint32_t next_id;
    struct feeds feeds;
    struct outbox outbox;
};

#endif
