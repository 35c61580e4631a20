/* SPDX-License-Identifier: MIT */
/* CPU hogs as control sees them. */
#ifndef TUTTI_ENGINE_HOGS_H
#define TUTTI_ENGINE_HOGS_H

#include <stdint.h>

#include "mixer/cycle.h"

struct engine_client;
struct mix;

/** A client joins: nothing is held against it. */
void hogs_begin(struct engine_client *client);
/** Learns the client's callback thread; takes note of priority that the cycle took away, and gives
 * it back after a while without late blocks. */
void hogs_tend(const struct mix *mix, struct engine_client *client, uint64_t now_ns);
/** The cycle has passed the client's removal. */
void hogs_forget_thread(struct cycle_client *cycle);

#endif
