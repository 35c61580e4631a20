/* SPDX-License-Identifier: MIT */
/* The time that the engine lives by, and what its clients are notified of. */
#ifndef TUTTI_ENGINE_EVENTS_H
#define TUTTI_ENGINE_EVENTS_H

#include <stdint.h>

#include "engine/engine.h"

struct engine_client;
struct mix;

struct engine_message {
    uint32_t program_id;
    struct proto_event event;
};

/* What waits to be sent. Written by events.c alone. */
struct outbox {
    struct engine_message *message;
    uint32_t count, capacity;
};

uint64_t events_now_ns(const struct engine *engine);
/** Queues an event for one client (0: all that are prepared in this mix). */
void events_notify(struct mix *mix, uint32_t program_id, enum proto_event_kind kind, uint64_t value,
                   const char *text);
/** Queues an event for a client: `value` blocks came late or were lost, `losses` of them by the
 * device. */
void events_report_overload(struct mix *mix, const struct engine_client *client, uint64_t value,
                            uint64_t losses);
/** Sends what is queued; without the lock meanwhile. */
void events_send(struct engine *engine);

#endif
