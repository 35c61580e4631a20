/* SPDX-License-Identifier: MIT */
/* Profiles, and the device that each of them wants. */
#ifndef TUTTI_ENGINE_SETUP_H
#define TUTTI_ENGINE_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "device/master.h"
#include "engine/engine.h"

struct engine_client;
struct mix;

/* Profiles that say the same of a device share one setup. Written by setup.c and profiles.c. */
struct engine_setup {
    struct master_setup device;
    uint32_t rate_by; /* the client that asked for another rate than the configuration's; or 0 */
    uint64_t rate_left_ns; /* since when it is gone and none plays; 0: not so */
    bool named;            /* by the configuration as it is now */
};

struct engine_named_setup {
    char profile[PROTO_PROFILE_BYTES]; /* "": of clients without one */
    struct engine_setup *setup;
};

struct setups {
    struct engine_setup **setup;
    unsigned setup_count;
    struct engine_named_setup *named;
    unsigned named_count;
};

/** The setup of a profile, or the one of clients without. */
struct engine_setup *setup_find(const struct engine *engine, const char *profile);
/** The mix that a client of this profile would play in now; NULL: one that is to be made. */
struct mix *setup_find_mix(const struct engine *engine, const struct engine_setup *setup);
/** The device that a client of this profile would play through now. */
void setup_get_device(const struct engine *engine, const char *profile,
                      struct proto_device *device);
/** What is known of the device, for the period that a client with this buffer would get by joining;
 * profile: of the client. */
void setup_forecast(const struct engine *engine, const char *profile, uint32_t buffer_frames,
                    struct proto_device *device);
/** True when a setup wants the device that a mix plays through, whatever else it says. */
bool setup_wants_device(const struct mix *mix, const struct engine_setup *setup);
const char *setup_device_word(const struct config *config);

#endif
