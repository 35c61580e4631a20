/* SPDX-License-Identifier: MIT */
/* Channels as a profile offers them. See channels.h. */
#include "asio/channels.h"

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
        for (count = 0; count < CONFIG_CHANNELS; count++) {
            wanted[count] = (uint16_t)count;
        }
    }
    for (unsigned i = 0; i < count && offered < most; i++) {
        if (wanted[i] < device_channels) {
            list[offered++] = wanted[i];
        }
    }
    return offered;
}
