/* SPDX-License-Identifier: MIT */
/* Clients that join and leave a mix, and what is reported to them while they play. */
#ifndef TUTTI_ENGINE_CLIENTS_H
#define TUTTI_ENGINE_CLIENTS_H

#include <stdint.h>

struct engine;
struct engine_client;
struct mix;

/** Takes a prepared client off its device; its memory is freed when the cycle has passed that. Also
 * while another thread has the claim. */
void clients_detach(struct engine_client *client);
/** Late clients: overload events; which threads they have; what the cycle did to CPU hogs. */
void clients_tend(struct mix *mix, uint64_t now_ns);
/** The number of a client that keeps the engine's threads waiting, by its doorbell or its memory,
 * and is to be removed: it is notified and logged; 0: none. */
uint32_t clients_find_harm(struct mix *mix);

#endif
