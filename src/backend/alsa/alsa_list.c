/* SPDX-License-Identifier: MIT */
/*
 * Which PCMs there are: those that the configuration names, then those of the cards, as
 * "hw:CARD,DEVICE" with the card's own short name, which stays when cards come and go, and at the
 * end PulseAudio's, which is reached by no other backend. A card is
 * seen by its control device, without opening its PCMs; a named PCM may lead anywhere, and only
 * opening it tells whether it is there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/alsa/alsa_stream.h"
#include "base/log.h"
#include "base/utf8.h"

enum { KNOWN_DEVICES = 16, UNKNOWN_CHANNELS = 2 };

/* What a card's PCM could do when it was seen first: list() runs several times a second while a
 * device is lost, and another program may hold it. Control's. */
static struct backend_device known[KNOWN_DEVICES];
static unsigned known_devices;

/* ---- names ---- */

static bool
tell_configured(const struct config *config, alsa_found_fn found, void *arg)
{
    char list[CONFIG_TEXT_BYTES], *rest = NULL;
    utf8_copy(list, sizeof(list), config->alsa_devices);
    for (const char *name = strtok_r(list, " \t", &rest); name;
         name = strtok_r(NULL, " \t", &rest)) {
        if (strlen(name) >= ALSA_NAME_BYTES) {
            log_warning("alsa: '%.80s' is too long for a device's name", name);
        } else if (!found(arg, name, false, false)) {
            return false;
        }
    }
    return true;
}

static bool
has(const struct alsa_api *api, snd_ctl_t *ctl, snd_pcm_info_t *info, int device,
    snd_pcm_stream_t direction)
{
    api->pcm_info_set_device(info, (unsigned)device);
    api->pcm_info_set_subdevice(info, 0);
    api->pcm_info_set_stream(info, direction);
    return api->ctl_pcm_info(ctl, info) >= 0;
}

/* The PCMs of one card that go both ways, or those that do not. */
static bool
tell_card(const struct alsa_api *api, snd_ctl_t *ctl, bool both_ways, alsa_found_fn found,
          void *arg)
{
    snd_ctl_card_info_t *card = NULL;
    snd_pcm_info_t *info = NULL;
    bool more = true;
    if (api->ctl_card_info_malloc(&card) >= 0 && api->pcm_info_malloc(&info) >= 0 &&
        api->ctl_card_info(ctl, card) >= 0) {
        for (int device = -1; more && api->ctl_pcm_next_device(ctl, &device) >= 0 && device >= 0;) {
            char name[ALSA_NAME_BYTES];
            bool out = has(api, ctl, info, device, SND_PCM_STREAM_PLAYBACK);
            bool in = has(api, ctl, info, device, SND_PCM_STREAM_CAPTURE);
            snprintf(name, sizeof(name), "hw:%.32s,%d", api->ctl_card_info_get_id(card), device);
            if ((in || out) && (in && out) == both_ways) {
                more = found(arg, name, in, out);
            }
        }
    }
    if (info) {
        api->pcm_info_free(info);
    }
    if (card) {
        api->ctl_card_info_free(card);
    }
    return more;
}

static bool
tell_cards(const struct alsa_api *api, bool both_ways, alsa_found_fn found, void *arg)
{
    bool more = true;
    for (int card = -1; more && api->card_next(&card) >= 0 && card >= 0;) {
        char name[32];
        snd_ctl_t *ctl;
        snprintf(name, sizeof(name), "hw:%d", card);
        if (api->ctl_open(&ctl, name, SND_CTL_NONBLOCK) >= 0) {
            more = tell_card(api, ctl, both_ways, found, arg);
            api->ctl_close(ctl);
        }
    }
    return more;
}

void
alsa_list_names(const struct alsa_api *api, const struct config *config, alsa_found_fn found,
                void *arg)
{
    if (tell_configured(config, found, arg) && tell_cards(api, true, found, arg) &&
        tell_cards(api, false, found, arg) && alsa_pulse_runs()) {
        found(arg, ALSA_PULSE_NAME, false, false);
    }
}

/* ---- what they can do ---- */

static bool
look(const struct alsa_api *api, const struct config *config, const char *name,
     struct backend_device *device)
{
    struct alsa_side playback, capture;
    struct alsa_terms terms;
    struct alsa_wish wish = {.rate_hz = config->device_rate,
                             .inputs = BACKEND_MAX_CHANNELS,
                             .outputs = BACKEND_MAX_CHANNELS,
                             .config = config};
    char error[256];
    alsa_pulse_limit(name, &wish);
    bool there = alsa_pair_open(api, config, name, true, true, &playback, &capture, error) == 0;
    memset(device, 0, sizeof(*device));
    utf8_copy(device->name, sizeof(device->name), name);
    if (there && alsa_params_agree(&playback, &capture, &wish, true, &terms, error) == 0) {
        device->inputs = capture.exposed;
        device->outputs = playback.exposed;
        memcpy(device->rates_hz, terms.rates_hz, sizeof(device->rates_hz));
        device->period_min_frames = terms.period_min_frames;
        device->period_max_frames = terms.period_max_frames;
        device->period_step_frames = terms.period_step_frames;
    }
    alsa_side_close(&playback);
    alsa_side_close(&capture);
    return there && device->inputs + device->outputs > 0;
}

bool
alsa_list_look(const struct alsa_api *api, const struct config *config, const char *name,
               bool card_in, bool card_out, struct backend_device *device)
{
    bool is_card = card_in || card_out;
    for (unsigned i = 0; is_card && i < known_devices; i++) {
        if (strcmp(known[i].name, name) == 0) {
            *device = known[i];
            return true;
        }
    }
    bool seen = look(api, config, name, device);
    if (is_card && seen && known_devices < KNOWN_DEVICES) {
        known[known_devices++] = *device;
    }
    if (is_card && !seen) {
        /* held by another program */
        device->inputs = card_in ? UNKNOWN_CHANNELS : 0;
        device->outputs = card_out ? UNKNOWN_CHANNELS : 0;
    }
    return seen || is_card;
}
