/* SPDX-License-Identifier: MIT */
/* Turning the text of an option into channels or a source. Pure, as console/args.h. */
#ifndef TUTTI_CLI_ARGS_CHANNELS_H
#define TUTTI_CLI_ARGS_CHANNELS_H

#include "console/args.h"
#include "tutti/tutti.h"

/** Channels such as "1,2" or "1-8,12", counted from 1 by people and from 0 in `channels`; *count
 * untouched when not given. Each at most once when `once`. */
bool args_channels(const struct args *args, const char *name, bool once,
                   uint32_t channels[TUTTI_MAX_CHANNELS], uint32_t *count,
                   char error[ARGS_ERROR_BYTES]);
/** "device", "mix" or the number of a program; untouched when not given. */
bool args_source(const struct args *args, const char *name, enum tutti_channel_kind *kind,
                 uint32_t *program, char error[ARGS_ERROR_BYTES]);

#endif
