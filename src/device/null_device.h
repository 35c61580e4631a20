/* SPDX-License-Identifier: MIT */
/*
 * The way out of the null device. "auto" takes it when there is no other, and leaves it when there
 * is one: a sound server that was started, a card that was plugged in. The other one is opened
 * beside it first, so that a device that is listed and does not open disturbs no client.
 */
#ifndef TUTTI_DEVICE_NULL_DEVICE_H
#define TUTTI_DEVICE_NULL_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/slot.h"

/* Written by null_device.c alone. */
struct null_device {
    uint64_t look_ns;           /* when to look for another device; 0: not yet known */
    unsigned look_wait_ms;      /* between two looks */
    char why[PROTO_TEXT_BYTES]; /* "auto" took it; "": it did not */
};

/** "auto" took it, and why; "": another device is open. */
void null_device_note(struct null_device *null_device, const char *why);
/** True when the slot runs a null device that "auto" took. */
bool null_device_is_in_use(const struct null_device *null_device, const struct slot *slot);
/** Opens the first device that is listed and opens, beside the null device, which goes on in the
 * slot. A stream of NULL: there is none. */
struct slot_stream null_device_find_other(struct null_device *null_device, struct slot *slot,
                                          const struct config *config);
/** Whether it is time to look for another device. waits: no client plays, or it is not in use. */
bool null_device_is_due(struct null_device *null_device, uint64_t now_ns, bool waits);
/** The next look comes after the present wait. */
void null_device_put_off(struct null_device *null_device, uint64_t now_ns);

#endif
