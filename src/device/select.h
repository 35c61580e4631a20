/* SPDX-License-Identifier: MIT */
/*
 * Which backend: the configuration's, or with "auto" the first that opens a device. The last is the
 * null device. It is taken only where there is no other device at all, and the clients get the
 * reason.
 */
#ifndef TUTTI_DEVICE_SELECT_H
#define TUTTI_DEVICE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "proto/message.h"

/** The backends that a configuration allows, one a call, in the order in which they are tried; NULL
 * after the last. *at: 0 at first. */
const struct backend *select_next(const struct config *config, unsigned *at);
/** Notes why a backend was passed over. why: "" at first. */
void select_pass_over(const struct backend *backend, const char *error, char why[PROTO_TEXT_BYTES]);
/** True when an opening failed although a device is there: it is busy, refuses us or fails. A null
 * device must not take its place, for its silence would look like success. */
bool select_found_device(enum tutti_status status);
/** A backend was opened. what was noted becomes a sentence if it is a null device although the
 * configuration leaves the choice to us, else "". */
void select_settle(const struct config *config, const struct backend *backend,
                   char why[PROTO_TEXT_BYTES]);
/** Fills *known from the listing of a configuration's backends while nothing was ever opened. */
void select_learn(const struct config *config, double rate_hz, struct proto_device *known);
/** Lists the devices of the configured backend or of all into entries; the number of them, at most
 * capacity. */
uint32_t select_list(const struct config *config, struct proto_device_entry *entries,
                     uint32_t capacity);

#endif
