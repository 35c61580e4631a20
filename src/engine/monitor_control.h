/* SPDX-License-Identifier: MIT */
/* The direct monitor as control sees it: what clients ask for becomes lists for the cycle. */
#ifndef TUTTI_ENGINE_MONITOR_CONTROL_H
#define TUTTI_ENGINE_MONITOR_CONTROL_H

#include "tutti/status.h"

struct engine_client;
struct mix;

/** Puts what a prepared client asked of the direct monitor in force. Errors: NO_MEMORY: all stays
 * as it was. */
enum tutti_status monitor_change(struct mix *mix, struct engine_client *client);
/** Removes a list that wants nothing and is done fading: the cycle is as if it never was. */
void monitor_tend(struct mix *mix, struct engine_client *client);
/** Gives a client that is about to join what it wished before. Errors: NO_MEMORY. */
enum tutti_status monitor_join(struct mix *mix, struct engine_client *client);
/** The list of a client that leaves, for commands_retire(); or NULL. */
struct cycle_monitor *monitor_leave(struct engine_client *client);

#endif
