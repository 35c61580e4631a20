/* SPDX-License-Identifier: MIT */
/* Which period a device runs at: what it can have, what suits its clients, what it has refused. */
#ifndef TUTTI_DEVICE_PERIOD_H
#define TUTTI_DEVICE_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/message.h"

struct master;

/* Periods that were asked for and not given, until the device changes: up to and from these; 0:
 * none. Written by period.c. */
struct period_refusals {
    uint32_t to, from;
};

/** A period was asked for and another one given: it is not asked for again. A server that gives
 * more than it was asked for gives no less than that, and the reverse. Nothing to do when it was
 * given, or none was wanted (0). */
void period_refuse(struct period_refusals *refusals, uint32_t wanted, uint32_t given);
/** The device is another, or has changed. */
void period_forget_refusals(struct period_refusals *refusals);
/** The greatest period that the device can have and that is not above wanted; its smallest, when
 * that is above. */
uint32_t period_snap(const struct proto_device *known, uint32_t wanted);
/** The period to run at when a client with this buffer joins (0: nobody joins). */
uint32_t period_choose(const struct master *master, uint32_t buffer_frames);

#endif
