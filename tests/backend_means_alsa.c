/* SPDX-License-Identifier: MIT */
/* ALSA for the contract suite: a card without hardware (alsa_ioplug.c), its outputs heard by its
 * inputs. */
#include "backend_means.h"

#include <stdio.h>

#include "alsa_card.h"
#include "base/utf8.h"

static const uint32_t periods[] = {32, 64, 128, 256, 512, 1024, 2048, 4096, 0};
static const double rates_hz[] = {44100, 48000, 96000, 0};

static struct alsa_card *card;

static void
configure(struct config *config)
{
    utf8_copy(config->alsa_devices, sizeof(config->alsa_devices), "card");
}

static void
bring(double rate_hz, uint32_t period_frames)
{
    (void)rate_hz;
    (void)period_frames;
    if (!card) {
        card = alsa_card_make();
    }
    atomic_store(&card->plugged, 1);
}

static void
unplug(void)
{
    atomic_store(&card->plugged, 0);
}

static void
end(void)
{
    if (card) {
        atomic_store(&card->stands, 0);
        atomic_store(&card->plugged, 1);
    }
}

static void
stand(bool stands)
{
    atomic_store(&card->stands, stands);
}

extern const struct backend_means backend_means_alsa;
const struct backend_means backend_means_alsa = {
    .backend = "alsa",
    .periods = periods,
    .rates_hz = rates_hz,
    .other_device = "another",
    .available = alsa_card_available,
    .configure = configure,
    .bring = bring,
    .kill = unplug,
    .end = end,
    .stand = stand,
    .starts_standing = true,
};
