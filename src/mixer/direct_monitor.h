/* SPDX-License-Identifier: MIT */
/*
 * The direct monitor within the cycle, gains and meters. Real time.
 */
#ifndef TUTTI_DIRECT_MONITOR_H
#define TUTTI_DIRECT_MONITOR_H

#include "mixer/cycle.h"

/** A list of paths and gains comes into force: each gain goes on from where `former` (NULL: none,
 * paths begin in silence) has brought it. The cycle; or control, before the cycle gets it. */
void direct_monitor_begin(struct cycle_monitor *monitor, const struct cycle_monitor *former,
                          double rate_hz);
/** The frames for which every path's input lies in one piece of its ring, from `offset` frames
 * after the cycle's first one on; no more than `frames`. */
uint32_t direct_monitor_span(const struct cycle *cycle, uint32_t offset, uint32_t frames);
/** Adds up what meets in `sum` from the engine's frame `frame` on, as sources to be mixed: those
 * without a gain where they lie, the rest in cycle->scratch; their number. only: of this client;
 * NULL: of all. */
unsigned direct_monitor_gather(struct cycle *cycle, const struct cycle_sum *sum,
                               const struct cycle_client *only, int64_t frame, uint32_t span);
/** One input channel of a client, with its gain: `frames` samples from `first` in the ring. */
void direct_monitor_hear(const struct cycle *cycle, struct cycle_client *client, uint32_t channel,
                         float *to, const float *ring, uint32_t first, uint32_t frames);
/** The cycle was mixed: measures for who looks at meters, and moves gains on. */
void direct_monitor_end_cycle(struct cycle *cycle, struct cycle_client *client);

#endif
