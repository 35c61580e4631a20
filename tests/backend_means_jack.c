/* SPDX-License-Identifier: MIT */
/* JACK for the contract suite: a jackd of the test's own with the dummy driver. */
#include "backend_means.h"

#include <assert.h>
#include <stdio.h>

#include "jackd.h"

enum { PORTS = 2 };

/* 16 frames are too few for jackd on a machine that does something else, too */
static const uint32_t periods[] = {32, 64, 128, 256, 512, 1024, 2048, 4096, 0};
static const double rates_hz[] = {44100, 48000, 96000, 0};

static bool
available(char reason[256])
{
    if (!jackd_available(reason)) {
        return false;
    }
    jackd_choose_name();
    return true;
}

static void
configure(struct config *config)
{
    config->jack_set_period = true;
    config->jack_connect = false;
    config->jack_inputs = config->jack_outputs = 4;
}

static void
bring(double rate_hz, uint32_t period_frames)
{
    jackd_start((uint32_t)rate_hz, period_frames, PORTS);
}

static void
kill_server(void)
{
    jackd_end(true);
}

static void
end(void)
{
    jackd_end(false);
}

static void
loop(void)
{
    jackd_tool("jack_connect", "Tutti:out_1", "Tutti:in_1"); /* fails when they are already */
}

static void
change_period(uint32_t period_frames)
{
    char frames[16];
    snprintf(frames, sizeof(frames), "%u", period_frames);
    jackd_tool("jack_bufsize", frames, NULL);
}

extern const struct backend_means backend_means_jack;
const struct backend_means backend_means_jack = {
    .backend = "jack",
    .periods = periods,
    .rates_hz = rates_hz,
    .other_device = "system",
    .available = available,
    .configure = configure,
    .bring = bring,
    .kill = kill_server,
    .end = end,
    .loop = loop,
    .change_period = change_period,
    .hang = jackd_hang,
    .stand = jackd_hang,
    .starts_standing = true,
};
