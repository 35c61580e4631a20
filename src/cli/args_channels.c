/* SPDX-License-Identifier: MIT */
/* Options that name channels and sources. See args_channels.h. */
#include "cli/args_channels.h"

#include <stdio.h>
#include <string.h>

static bool
contains(const uint32_t *channels, uint32_t count, uint32_t channel)
{
    for (uint32_t i = 0; i < count; i++) {
        if (channels[i] == channel) {
            return true;
        }
    }
    return false;
}

bool
args_channels(const struct args *args, const char *name, bool once,
              uint32_t channels[TUTTI_MAX_CHANNELS], uint32_t *count, char error[ARGS_ERROR_BYTES])
{
    const char *text = args_value(args, name), *at = text;
    uint32_t list[TUTTI_MAX_CHANNELS];
    uint32_t here = 0;

    if (!text) {
        return true;
    }
    for (;;) {
        uint32_t first = 0, last = 0;
        if (!args_read_whole(&at, &first)) {
            break;
        }
        last = first;
        if (*at == '-') {
            at++;
            if (!args_read_whole(&at, &last) || last < first) {
                break;
            }
        }
        if (first == 0 || last > TUTTI_MAX_CHANNELS) {
            break;
        }
        for (uint32_t channel = first; channel <= last; channel++) {
            if (once && contains(list, here, channel - 1)) {
                snprintf(error, ARGS_ERROR_BYTES, "--%s names channel %u twice", name, channel);
                return false;
            }
            if (here == TUTTI_MAX_CHANNELS) {
                snprintf(error, ARGS_ERROR_BYTES, "--%s names more than %d channels", name,
                         TUTTI_MAX_CHANNELS);
                return false;
            }
            list[here++] = channel - 1;
        }
        if (*at == '\0') {
            memcpy(channels, list, here * sizeof(*list));
            *count = here;
            return true;
        }
        if (*at++ != ',') {
            break;
        }
    }
    snprintf(error, ARGS_ERROR_BYTES,
             "--%s takes channels counted from 1, such as 1,2 or 1-8, but '%s' was given", name,
             text);
    return false;
}

bool
args_source(const struct args *args, const char *name, enum tutti_channel_kind *kind,
            uint32_t *program, char error[ARGS_ERROR_BYTES])
{
    const char *text = args_value(args, name), *at = text;
    uint32_t number = 0;

    if (!text) {
        return true;
    }
    if (strcmp(text, "device") == 0) {
        *kind = TUTTI_CHANNEL_DEVICE;
    } else if (strcmp(text, "mix") == 0) {
        *kind = TUTTI_CHANNEL_MIX;
    } else if (args_read_whole(&at, &number) && !*at && number > 0) {
        *kind = TUTTI_CHANNEL_PROGRAM;
        *program = number;
    } else {
        snprintf(error, ARGS_ERROR_BYTES,
                 "--%s takes device, mix or the ID of a program as 'tutti status' shows it, but "
                 "'%s' was given",
                 name, text);
        return false;
    }
    return true;
}
