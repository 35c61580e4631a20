/* SPDX-License-Identifier: MIT */
/* What latency and what timeout a client is promised. */
#ifndef TUTTI_ENGINE_LATENCY_H
#define TUTTI_ENGINE_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "proto/message.h"

struct engine_client;
struct mix;

/** The stream was opened again: chooses the client's latencies on it. True: they are those that
 * were reported. They stay where the stream can keep them and the period fell for a client that
 * joins, or nothing changed; else they are as low as for one that joins now. No cycle runs. */
bool latency_settle(struct mix *mix, struct engine_client *client);
/** Reports the engine timeouts of the device as info says it is now: those that are longer than the
 * clients know, or those that are shorter. */
void latency_notify_timeouts(struct mix *mix, const struct backend_info *info, bool longer);
/** The latencies of a client that joins, those that it wants where the stream can keep them, and
 * what follows of them for the cycle. */
void latency_begin(struct mix *mix, struct engine_client *client,
                   const struct proto_prepare *message);
/** After how long without a call a client takes the engine for hung. */
uint32_t latency_timeout_ms(uint32_t buffer_frames, const struct proto_device *device,
                            uint64_t budget_ns, bool elastic);
/** That of a client that has joined. Notes it as reported. */
uint32_t latency_begin_timeout(const struct mix *mix, struct engine_client *client);
/** Whether all clients could keep their latencies at another period of the device, which is not
 * above the present one. */
bool latency_suits(const struct mix *mix, uint32_t period_frames);

#endif
