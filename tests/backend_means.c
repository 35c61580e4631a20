/* SPDX-License-Identifier: MIT */
/* How each backend's device is brought up, taken away and troubled by the contract suite. */
#include "backend_means.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/sim/sim.h"

/* ---- sim ---- */

static const uint32_t sim_periods[] = {16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0};
static const double sim_rates_hz[] = {44100, 48000, 96000, 192000, 0};

static bool
sim_available(char reason[256])
{
    reason[0] = '\0';
    return true;
}

static void
sim_configure(struct config *config)
{
    config->sim_live_period = true;
    config->sim_cable = 0;
}

static void
sim_bring(double rate_hz, uint32_t period_frames)
{
    (void)rate_hz;
    (void)period_frames;
    sim_plug();
}

static void
end_sim(void)
{
    sim_stand(false);
    sim_plug();
}

extern const struct backend_means backend_means_sim;
const struct backend_means backend_means_sim = {
    .backend = "sim",
    .periods = sim_periods,
    .rates_hz = sim_rates_hz,
    .other_device = "Another virtual sound card",
    .available = sim_available,
    .configure = sim_configure,
    .bring = sim_bring,
    .kill = sim_unplug,
    .end = end_sim,
    .stand = sim_stand,
    .starts_standing = true,
};

/* ---- the table: BACKEND_MEANS(X) is the build's, one X(name) for each ---- */

const struct backend_means *
backend_means_find(const char *name)
{
#define DECLARE(name) extern const struct backend_means backend_means_##name;
    BACKEND_MEANS(DECLARE)
#undef DECLARE
    static const struct backend_means *const all[] = {
#define ENTRY(name) &backend_means_##name,
        BACKEND_MEANS(ENTRY)
#undef ENTRY
    };
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(all[i]->name ? all[i]->name : all[i]->backend, name) == 0) {
            return all[i];
        }
    }
    return NULL;
}
