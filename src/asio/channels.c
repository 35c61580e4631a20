/* SPDX-License-Identifier: MIT */
/* Channels as a profile offers them. See channels.h. */
#include "asio/channels.h"

#include <stdio.h>

#include "base/utf8.h"

unsigned
channels_offered(const struct config *config, bool is_input, uint32_t device_channels,
                 uint16_t list[CONFIG_CHANNELS])
{
    const char *chosen =
        is_input ? config->program_input_channels : config->program_output_channels;
    uint32_t most = (uint32_t)(is_input ? config->program_inputs : config->program_outputs);
    uint16_t wanted[CONFIG_CHANNELS];
    unsigned count = 0, offered = 0;

    if (!chosen[0] || !config_channels(chosen, is_input, wanted, &count)) {
        for (count = 0; count < CONFIG_CHANNELS; count++)
            wanted[count] = (uint16_t)count;
    }
    for (unsigned i = 0; i < count && offered < most; i++) {
        if (wanted[i] < device_channels)
            list[offered++] = wanted[i];
    }
    return offered;
}

void
channels_get_name(const struct config *config, bool is_input, unsigned index, uint16_t channel,
                  char name[ASIO_NAME_BYTES])
{
    const char *names = is_input ? config->program_input_names : config->program_output_names;
    char given[CONFIG_TEXT_BYTES];

    if (config_list_item(names, index, given, sizeof given))
        utf8_to_ascii(name, ASIO_NAME_BYTES, given);
    else
        snprintf(name, ASIO_NAME_BYTES, "%s %u", is_input ? "In" : "Out", channel + 1U);
}
