/* SPDX-License-Identifier: MIT */
/* Which of the device's channels hosts see, and in which order. Pure. */
#ifndef TUTTI_ASIO_CHANNELS_H
#define TUTTI_ASIO_CHANNELS_H

#include "config/config.h"

/** The device's channels that are offered to hosts, in order: those that the configuration lists,
 * as far as the device has them, else all of them; no more than it allows. device_channels: of that
 * direction. Returns how many. */
unsigned channels_offered(const struct config *config, bool is_input, uint32_t device_channels,
                          uint16_t list[CONFIG_CHANNELS]);

#endif
