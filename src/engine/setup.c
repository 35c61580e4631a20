/* SPDX-License-Identifier: MIT */
/* The setups of the profiles: which one is in force, and which device each wants. */
#include <string.h>

#include "engine/engine_state.h"

struct engine_setup *
setup_find(const struct engine *engine, const char *profile)
{
    struct engine_setup *setup = engine->named[0].setup;
    for (unsigned i = 0; i < engine->names; i++) {
        if (config_profile_same(engine->named[i].profile, profile)) {
            setup = engine->named[i].setup;
        }
    }
    return setup;
}

void
setup_force(struct engine *engine, struct engine_setup *setup)
{
    if (engine->in_force) {
        engine->in_force->known = engine->known;
        engine->in_force->rate_hz = engine->rate_hz;
    }
    engine->in_force = setup;
    engine->config = setup->config;
    engine->known = setup->known;
    engine->known.state = engine->state;
    engine->rate_hz = setup->rate_hz;
}

const char *
setup_device_word(const struct config *config)
{
    return config->device_name[0] ? config->device_name : "the default device";
}

/* True when a setup wants the device that is in use, whatever else it says. */
bool
setup_wants_this_device(const struct engine *engine, const struct config *wanted)
{
    const struct config *here = &engine->config;
    const char *backend = engine->known.backend;
    if ((strcmp(backend, "jack") == 0 && strcmp(wanted->jack_server, here->jack_server) != 0) ||
        (strcmp(backend, "pipewire") == 0 &&
         strcmp(wanted->pipewire_remote, here->pipewire_remote) != 0)) {
        return false;
    }
    bool same_backend = strcmp(wanted->device_backend, here->device_backend) == 0 ||
                        strcmp(wanted->device_backend, "auto") == 0 ||
                        strcmp(wanted->device_backend, backend) == 0;
    bool same_name = strcmp(wanted->device_name, here->device_name) == 0 ||
                     strcmp(wanted->device_name, engine->known.name) == 0;
    return same_backend && same_name;
}

void
setup_get_device(const struct engine *engine, const char *profile, struct proto_device *device)
{
    const struct engine_setup *setup = setup_find(engine, profile);
    bool here = setup == engine->in_force ||
                (client_list_prepared(engine) && setup_wants_this_device(engine, &setup->config));
    *device = here ? engine->known : setup->known;
}
