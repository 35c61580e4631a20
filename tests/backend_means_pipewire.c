/* SPDX-License-Identifier: MIT */
/* PipeWire for the contract suite: a server of the test's own with a virtual sink. */
#include "backend_means.h"

#include <assert.h>
#include <stdlib.h>

#include "pipewired.h"

static const uint32_t periods[] = {32, 64, 128, 256, 512, 1024, 2048, 4096, 0};
static const double rates_hz[] = {44100, 48000, 96000, 0};

static bool
available(char reason[256])
{
    if (!pipewired_available(reason)) {
        return false;
    }
    pipewired_choose_folder();
    atexit(pipewired_leave_folder);
    return true;
}

static void
configure(struct config *config)
{
    config->pipewire_connect = false;
    config->pipewire_inputs = config->pipewire_outputs = 4;
}

static void
bring(double rate_hz, uint32_t period_frames)
{
    pipewired_start((uint32_t)rate_hz, period_frames, 1);
}

static void
kill_server(void)
{
    pipewired_end(true);
}

static void
end(void)
{
    pipewired_end(false);
}

static void
loop(void)
{
    pipewired_link("Tutti:out_1", "Tutti:in_1"); /* fails when they are already */
}

static void
change_period(uint32_t period_frames)
{
    pipewired_set("clock.force-quantum", period_frames);
}

extern const struct backend_means backend_means_pipewire;
const struct backend_means backend_means_pipewire = {
    .backend = "pipewire",
    .periods = periods,
    .rates_hz = rates_hz,
    .other_device = "Another sink",
    .available = available,
    .configure = configure,
    .bring = bring,
    .kill = kill_server,
    .end = end,
    .loop = loop,
    .change_period = change_period,
    .hang = pipewired_hang,
    .stand = pipewired_hang,
    .starts_standing = true,
};
