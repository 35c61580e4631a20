/* SPDX-License-Identifier: MIT */
/* Commands to a cycle, and what they retire: it is freed once the cycle has passed the command. */
#ifndef TUTTI_ENGINE_COMMANDS_H
#define TUTTI_ENGINE_COMMANDS_H

#include <stdint.h>

#include "mixer/cycle.h"
#include "os/os.h"

struct engine_feed;
struct mix;

struct engine_retired {
    uint64_t command;
    struct cycle_client *client;
    struct os_shm segment;
    struct cycle_plan *plan;
    struct cycle_monitor *monitor;
    float *ring;
    struct engine_feed *feed;
};

/* Written by commands.c alone. */
struct commands {
    uint64_t sent;
    struct cycle_plan *plan; /* that the last command put in force */
    struct engine_retired *retired;
    uint32_t retired_count, retired_capacity;
};

/** Before anything changes: waits until the cycle takes commands, without the lock. Without a cycle
 * they are applied here. */
void commands_await_room(struct mix *mix);
/** Hands the cycle any command, with a plan of the present clients. */
void commands_put(struct mix *mix, struct cycle_command command);
/** The same for a kind; program may be NULL. */
void commands_send(struct mix *mix, enum cycle_command_kind kind, struct cycle_client *client);
/** Frees it once the cycle has passed the last command. */
void commands_retire(struct mix *mix, struct engine_retired retired);
/** Frees what the cycle has passed. */
void commands_reclaim(struct mix *mix);
void commands_free_monitor(struct cycle_monitor *monitor);
/** One cycle less uses it: freed when it was the last one. NULL is fine. */
void commands_release_feed(struct engine_feed *feed);
/** Frees the plan in force and the rest. No cycle runs any more. */
void commands_fini(struct mix *mix);

#endif
