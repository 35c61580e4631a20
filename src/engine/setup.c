/* SPDX-License-Identifier: MIT */
#include "engine/setup.h"

#include <string.h>

#include "engine/engine_state.h"

struct engine_setup *
setup_find(const struct engine *engine, const char *profile)
{
    const struct setups *setups = &engine->setups;
    struct engine_setup *setup = setups->named[0].setup;
    for (unsigned i = 0; i < setups->named_count; i++) {
        if (config_profile_same(setups->named[i].profile, profile)) {
            setup = setups->named[i].setup;
        }
    }
    return setup;
}

const char *
setup_device_word(const struct config *config)
{
    return config->device_name[0] ? config->device_name : "the default device";
}

bool
setup_wants_device(const struct mix *mix, const struct engine_setup *setup)
{
    const struct config *wanted = &setup->device.config;
    const struct config *here = &mix->master.config;
    const struct proto_device *known = mix_device(mix);
    if ((strcmp(known->backend, "jack") == 0 &&
         strcmp(wanted->jack_server, here->jack_server) != 0) ||
        (strcmp(known->backend, "pipewire") == 0 &&
         strcmp(wanted->pipewire_remote, here->pipewire_remote) != 0)) {
        return false;
    }
    bool same_backend = strcmp(wanted->device_backend, here->device_backend) == 0 ||
                        strcmp(wanted->device_backend, "auto") == 0 ||
                        strcmp(wanted->device_backend, known->backend) == 0;
    bool same_name = strcmp(wanted->device_name, here->device_name) == 0 ||
                     strcmp(wanted->device_name, known->name) == 0 ||
                     (strcmp(setup->device.known.name, known->name) == 0 &&
                      strcmp(setup->device.known.backend, known->backend) == 0);
    return same_backend && same_name;
}

struct mix *
setup_find_mix(const struct engine *engine, const struct engine_setup *setup)
{
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        if (engine->mix[i]->master.setup == &setup->device) {
            return engine->mix[i];
        }
    }
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        struct mix *mix = engine->mix[i];
        if (client_list_prepared(mix) && setup_wants_device(mix, setup)) {
            return mix;
        }
    }
    return NULL;
}

void
setup_get_device(const struct engine *engine, const char *profile, struct proto_device *device)
{
    const struct engine_setup *setup = setup_find(engine, profile);
    const struct mix *mix = setup_find_mix(engine, setup);
    *device = mix ? *mix_device(mix) : setup->device.known;
}

/* A device with a buffer of its own is further away with a longer period; a server is not. */
static uint32_t
latency_at(uint32_t latency_frames, uint32_t period_frames, uint32_t period)
{
    return latency_frames >= period_frames ? latency_frames - period_frames + period
                                           : latency_frames;
}

void
setup_forecast(const struct engine *engine, const char *profile, uint32_t buffer_frames,
               struct proto_device *device)
{
    const struct engine_setup *setup = setup_find(engine, profile);
    const struct mix *mix = setup_find_mix(engine, setup);
    setup_get_device(engine, profile, device);
    uint32_t period = device->period_frames;
    if (!mix) {
        /* joining would put this setup in force */
        int32_t fixed = setup->device.config.device_period;
        period = period_snap(device, fixed ? (uint32_t)fixed : buffer_frames);
    } else if (mix->master.slot.state != PROTO_STREAM_LOST) {
        period = period_choose(&mix->master, buffer_frames);
    }
    device->input_latency_frames =
        latency_at(device->input_latency_frames, device->period_frames, period);
    device->output_latency_frames =
        latency_at(device->output_latency_frames, device->period_frames, period);
    device->period_frames = period;
}
