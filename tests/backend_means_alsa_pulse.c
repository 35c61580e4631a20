/* SPDX-License-Identifier: MIT */
/* ALSA for the contract suite, through libasound's plugin for PulseAudio: what a PCM promises that
 * is no card. */
#include "backend_means.h"

#include "base/utf8.h"
#include "pulse.h"

static const uint32_t periods[] = {512, 1024, 2048, 4096, 0};
static const double rates_hz[] = {44100, 48000, 96000, 0};

static void
configure(struct config *config)
{
    utf8_copy(config->alsa_devices, sizeof(config->alsa_devices), "pulse");
    config->alsa_periods = 4;
}

static void
bring(double rate_hz, uint32_t period_frames)
{
    (void)rate_hz;
    (void)period_frames;
    pulse_start();
}

static void
kill_server(void)
{
    pulse_end(true);
}

static void
end(void)
{
    pulse_end(false);
}

extern const struct backend_means backend_means_alsa_pulse;
const struct backend_means backend_means_alsa_pulse = {
    .name = "alsa_pulse",
    .backend = "alsa",
    .loose = true,
    .periods = periods,
    .rates_hz = rates_hz,
    .other_device = "another",
    .available = pulse_available,
    .configure = configure,
    .bring = bring,
    .kill = kill_server,
    .end = end,
    .hang = pulse_hang,
    .stand = pulse_hang,
};
