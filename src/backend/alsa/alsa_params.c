/* SPDX-License-Identifier: MIT */
/*
 * Coming to terms with one or two PCMs: the best format that each has, one rate, one period.
 *
 * The order of choices is ALSA's own custom: access, format, channels, rate, period, buffer; each
 * narrows what is left for the next.
 */
#include "backend/alsa/alsa_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
    PERIOD_MIN_FRAMES = 16,
    PERIOD_DEFAULT_FRAMES = 256,
    CHANNELS_OF_A_PLUGIN = 2, /* when it takes any number */
};

static const unsigned standard_rates[] = {8000,  16000,  22050,  32000,  44100,  48000,  88200,
                                          96000, 176400, 192000, 352800, 384000, 705600, 768000};

/* best first */
static const struct {
    snd_pcm_format_t alsa;
    enum dsp_format dsp;
} formats[] = {
    {SND_PCM_FORMAT_FLOAT_LE, DSP_F32}, {SND_PCM_FORMAT_S32_LE, DSP_S32},
    {SND_PCM_FORMAT_S24_3LE, DSP_S24},  {SND_PCM_FORMAT_S24_LE, DSP_S24_32},
    {SND_PCM_FORMAT_S16_LE, DSP_S16},
};

static const snd_pcm_access_t accesses[] = {
    SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
    SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED};

/* ---- one side ---- */

int
alsa_side_open(struct alsa_side *side, const struct alsa_api *api, const char *name,
               snd_pcm_stream_t direction)
{
    memset(side, 0, sizeof(*side));
    side->api = api;
    side->direction = direction;
    int failure = api->pcm_open(&side->pcm, name, direction, SND_PCM_NONBLOCK);
    if (failure < 0) {
        side->pcm = NULL;
    }
    return failure < 0 ? failure : 0;
}

void
alsa_side_close(struct alsa_side *side)
{
    if (side->pcm) {
        side->api->pcm_close(side->pcm);
    }
    free(side->bounce);
    side->pcm = NULL;
    side->bounce = NULL;
}

int
alsa_pair_open(const struct alsa_api *api, const struct config *config, const char *name,
               bool wants_in, bool wants_out, struct alsa_side *playback, struct alsa_side *capture,
               char error[256])
{
    const char *input = config->alsa_capture[0] ? config->alsa_capture : name;
    int out = -ENOENT, in = -ENOENT;
    memset(playback, 0, sizeof(*playback));
    memset(capture, 0, sizeof(*capture));
    if (wants_out) {
        out = alsa_side_open(playback, api, name, SND_PCM_STREAM_PLAYBACK);
    }
    if (wants_in && (out == 0 || !wants_out || out == -ENOENT || out == -EINVAL)) {
        in = alsa_side_open(capture, api, input, SND_PCM_STREAM_CAPTURE);
    }
    if (out == 0 || in == 0) {
        if (wants_in && in < 0 && in != -ENOENT) {
            log_warning("alsa: '%s' gives no input: %s", input, api->strerror(in));
        }
        return 0;
    }
    int failure = wants_out ? out : in;
    snprintf(error, 256,
             failure == -EBUSY || failure == -EAGAIN
                 ? "'%.100s' is held by another program (%.60s); close it"
                 : "the PCM '%.100s' cannot be opened: %.60s",
             name, api->strerror(failure));
    return failure;
}

/* A side and what is left for it to choose. */
struct party {
    struct alsa_side *side; /* NULL: this direction is not there */
    snd_pcm_hw_params_t *params;
    const char *name;
};

static int
choose_access(struct party *party, const char *wanted)
{
    const struct alsa_api *api = party->side->api;
    bool no_map = strcmp(wanted, "rw") == 0, no_calls = strcmp(wanted, "mmap") == 0;
    for (unsigned i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
        bool map = accesses[i] < SND_PCM_ACCESS_RW_INTERLEAVED;
        if (!(map ? no_map : no_calls) &&
            api->pcm_hw_params_set_access(party->side->pcm, party->params, accesses[i]) == 0) {
            party->side->access = accesses[i];
            return 0;
        }
    }
    return -EINVAL;
}

static int
choose_format(struct party *party)
{
    const struct alsa_api *api = party->side->api;
    for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (api->pcm_hw_params_set_format(party->side->pcm, party->params, formats[i].alsa) == 0) {
            party->side->format = formats[i].dsp;
            return 0;
        }
    }
    return -EINVAL;
}

/* As many as a card has, which may be more than are wanted. */
static int
choose_channels(struct party *party, int32_t configured, uint32_t most)
{
    struct alsa_side *side = party->side;
    const struct alsa_api *api = side->api;
    unsigned min = 0, max = 0;
    api->pcm_hw_params_get_channels_min(party->params, &min);
    api->pcm_hw_params_get_channels_max(party->params, &max);
    unsigned count = api->pcm_type(side->pcm) == SND_PCM_TYPE_HW ? max : CHANNELS_OF_A_PLUGIN;
    if (configured >= 0) {
        count = (unsigned)configured;
    }
    count = count < most ? count : most;
    count = count > max ? max : count < min ? min : count;
    int failure = api->pcm_hw_params_set_channels_near(side->pcm, party->params, &count);
    if (failure < 0 || count > BACKEND_MAX_CHANNELS) {
        return failure < 0 ? failure : -EINVAL;
    }
    side->channels = count;
    side->exposed = count < most ? count : most;
    if (configured >= 0 && (uint32_t)configured < side->exposed) {
        side->exposed = (uint32_t)configured;
    }
    return 0;
}

static int
begin(struct party *party, const struct alsa_wish *wish, char error[256])
{
    const struct alsa_api *api = party->side->api;
    const struct config *config = wish->config;
    bool capture = party->side->direction == SND_PCM_STREAM_CAPTURE;
    int failure = api->pcm_hw_params_any(party->side->pcm, party->params);
    if (failure < 0) {
        snprintf(error, 256, "the %s does not tell what it can do: %s", party->name,
                 api->strerror(failure));
        return failure;
    }
    if (choose_access(party, config->alsa_access) < 0) {
        snprintf(error, 256, "the %s has no access of the kind '%.20s'", party->name,
                 config->alsa_access);
        return -EINVAL;
    }
    if (choose_format(party) < 0) {
        snprintf(error, 256,
                 "the %s has no format of 16 to 32 bits, little endian; as 'plughw:...' "
                 "libasound converts",
                 party->name);
        return -EINVAL;
    }
    failure = choose_channels(party, capture ? config->alsa_inputs : config->alsa_outputs,
                              capture ? wish->inputs : wish->outputs);
    if (failure < 0) {
        snprintf(error, 256, "the %s has no usable number of channels", party->name);
    }
    return failure;
}

/* ---- both ---- */

static void
find_rates(struct party *parties, struct alsa_terms *terms)
{
    unsigned found = 0;
    for (unsigned i = 0; i < sizeof(standard_rates) / sizeof(standard_rates[0]); i++) {
        bool fits = true;
        for (unsigned p = 0; p < 2; p++) {
            struct alsa_side *side = parties[p].side;
            fits = fits && (!side || side->api->pcm_hw_params_test_rate(
                                         side->pcm, parties[p].params, standard_rates[i], 0) == 0);
        }
        if (fits) {
            terms->rates_hz[found++] = standard_rates[i];
        }
    }
}

static int
agree_on_rate(struct party *parties, double wanted_hz, struct alsa_terms *terms, char error[256])
{
    unsigned rate_hz = wanted_hz > 0 ? (unsigned)(wanted_hz + 0.5) : 48000, first_hz = 0;
    for (unsigned p = 0; p < 2; p++) {
        struct alsa_side *side = parties[p].side;
        if (!side) {
            continue;
        }
        int failure =
            side->api->pcm_hw_params_set_rate_near(side->pcm, parties[p].params, &rate_hz, NULL);
        if (failure < 0 || (first_hz && rate_hz != first_hz)) {
            snprintf(error, 256, "the %s does not run at %u Hz", parties[p].name,
                     first_hz ? first_hz : rate_hz);
            return failure < 0 ? failure : -EINVAL;
        }
        first_hz = rate_hz;
    }
    terms->rate_hz = rate_hz;
    return 0;
}

static bool
takes_period(struct party *parties, uint32_t frames)
{
    for (unsigned p = 0; p < 2; p++) {
        struct alsa_side *side = parties[p].side;
        if (side && side->api->pcm_hw_params_test_period_size(side->pcm, parties[p].params, frames,
                                                              0) != 0) {
            return false;
        }
    }
    return true;
}

static int
find_periods(struct party *parties, uint32_t least_frames, struct alsa_terms *terms,
             char error[256])
{
    unsigned long min = least_frames > PERIOD_MIN_FRAMES ? least_frames : PERIOD_MIN_FRAMES;
    unsigned long max = BACKEND_MAX_PERIOD_FRAMES;
    for (unsigned p = 0; p < 2; p++) {
        const struct alsa_side *side = parties[p].side;
        unsigned long least = 0, most = 0;
        if (side) {
            side->api->pcm_hw_params_get_period_size_min(parties[p].params, &least, NULL);
            side->api->pcm_hw_params_get_period_size_max(parties[p].params, &most, NULL);
            min = least > min ? least : min;
            max = most < max ? most : max;
        }
    }
    if (min > max) {
        snprintf(error, 256, "there is no period from %d to %d frames that it can do",
                 PERIOD_MIN_FRAMES, BACKEND_MAX_PERIOD_FRAMES);
        return -EINVAL;
    }
    terms->period_min_frames = (uint32_t)min;
    terms->period_max_frames = (uint32_t)max;
    /* Cards with rules of their own about periods can nearly always do powers of two. */
    uint32_t odd = (uint32_t)((min + max) / 2) | 1;
    terms->period_step_frames =
        max - min > 4 && takes_period(parties, odd) && takes_period(parties, odd - 2) ? 1 : 0;
    return 0;
}

/* Each its nearest; when these differ both take the longer one, if they can. */
static int
agree_on_period(struct party *parties, uint32_t wanted, struct alsa_terms *terms, char error[256])
{
    const struct alsa_api *api = NULL;
    unsigned long wish = wanted ? wanted : PERIOD_DEFAULT_FRAMES, longest = 0;
    wish = wish < terms->period_min_frames   ? terms->period_min_frames
           : wish > terms->period_max_frames ? terms->period_max_frames
                                             : wish;
    for (unsigned p = 0; p < 2; p++) {
        struct alsa_side *side = parties[p].side;
        unsigned long frames = wish;
        if (side) {
            api = side->api;
            /* a copy: the params must stay open for the longer one */
            snd_pcm_hw_params_t *trial;
            if (api->pcm_hw_params_malloc(&trial) < 0) {
                return -ENOMEM;
            }
            api->pcm_hw_params_copy(trial, parties[p].params);
            api->pcm_hw_params_set_period_size_near(side->pcm, trial, &frames, NULL);
            api->pcm_hw_params_free(trial);
            longest = frames > longest ? frames : longest;
        }
    }
    if (!longest || longest > BACKEND_MAX_PERIOD_FRAMES) {
        snprintf(error, 256, "its shortest period of %lu frames is too long", longest);
        return -EINVAL;
    }
    for (unsigned p = 0; p < 2; p++) {
        struct alsa_side *side = parties[p].side;
        unsigned long frames = longest;
        if (!side) {
            continue;
        }
        int failure =
            api->pcm_hw_params_set_period_size_near(side->pcm, parties[p].params, &frames, NULL);
        if (failure < 0) {
            snprintf(error, 256, "the %s has no period near %lu frames", parties[p].name, longest);
            return failure;
        }
        if (frames != longest) {
            log_info("alsa: the %s wakes every %lu frames, the cycle takes %lu", parties[p].name,
                     frames, longest);
        }
    }
    terms->period_frames = (uint32_t)longest;
    return 0;
}

/* ---- setting up ---- */

static int
set_software(struct alsa_side *side)
{
    const struct alsa_api *api = side->api;
    snd_pcm_sw_params_t *params;
    int failure = api->pcm_sw_params_malloc(&params);
    if (failure < 0) {
        return failure;
    }
    unsigned long wake = side->direction == SND_PCM_STREAM_CAPTURE
                             ? side->period_frames
                             : side->buffer_frames - side->fill_frames + side->period_frames;
    failure = api->pcm_sw_params_current(side->pcm, params);
    if (failure >= 0) {
        failure = api->pcm_sw_params_set_avail_min(side->pcm, params, wake);
    }
    if (failure >= 0) {
        /* beyond what can be written: the device starts when it is told to, both sides at once */
        failure = api->pcm_sw_params_set_start_threshold(side->pcm, params,
                                                         (unsigned long)side->buffer_frames + 1);
    }
    if (failure >= 0) {
        /* some plugins have no time stamps */
        api->pcm_sw_params_set_tstamp_mode(side->pcm, params, SND_PCM_TSTAMP_ENABLE);
        api->pcm_sw_params_set_tstamp_type(side->pcm, params, SND_PCM_TSTAMP_TYPE_MONOTONIC);
        failure = api->pcm_sw_params(side->pcm, params);
    }
    api->pcm_sw_params_free(params);
    return failure;
}

static int
set_up(struct party *party, uint32_t periods, uint32_t period_frames, char error[256])
{
    struct alsa_side *side = party->side;
    const struct alsa_api *api = side->api;
    unsigned long buffer = (unsigned long)periods * period_frames;
    int failure = api->pcm_hw_params_set_buffer_size_near(side->pcm, party->params, &buffer);
    if (failure >= 0) {
        failure = api->pcm_hw_params(side->pcm, party->params);
    }
    if (failure < 0 || buffer < 2UL * period_frames || buffer > UINT32_MAX / 2) {
        snprintf(error, 256, "the %s cannot be set up with %u periods of %u frames: %s",
                 party->name, periods, period_frames,
                 failure < 0 ? api->strerror(failure) : "its buffer is too small");
        return failure < 0 ? failure : -EINVAL;
    }
    uint32_t fit = (uint32_t)buffer / period_frames;
    side->period_frames = period_frames;
    side->buffer_frames = (uint32_t)buffer;
    side->fill_frames = (fit < periods ? fit : periods) * period_frames;
    side->bounce = calloc((size_t)period_frames * side->channels, dsp_format_bytes(side->format));
    failure = side->bounce ? set_software(side) : -ENOMEM;
    if (failure < 0) {
        snprintf(error, 256, "the %s cannot be set up: %s", party->name, api->strerror(failure));
    }
    return failure;
}

static int
agree(struct party *parties, const struct alsa_wish *wish, bool look_only, struct alsa_terms *terms,
      char error[256])
{
    int failure = 0;
    for (unsigned p = 0; p < 2 && failure >= 0; p++) {
        if (parties[p].side) {
            failure = begin(&parties[p], wish, error);
        }
    }
    if (failure >= 0) {
        find_rates(parties, terms);
        failure = agree_on_rate(parties, wish->rate_hz, terms, error);
    }
    if (failure >= 0) {
        failure = find_periods(parties, wish->least_frames, terms, error);
    }
    if (failure >= 0 && !look_only) {
        failure = agree_on_period(parties, wish->period_frames, terms, error);
        for (unsigned p = 0; p < 2 && failure >= 0; p++) {
            if (parties[p].side) {
                failure = set_up(&parties[p], wish->periods, terms->period_frames, error);
            }
        }
    }
    return failure < 0 ? failure : 0;
}

int
alsa_params_agree(struct alsa_side *playback, struct alsa_side *capture,
                  const struct alsa_wish *wish, bool look_only, struct alsa_terms *terms,
                  char error[256])
{
    struct party parties[2] = {{.side = playback->pcm ? playback : NULL, .name = "output"},
                               {.side = capture->pcm ? capture : NULL, .name = "input"}};
    int failure = 0;
    memset(terms, 0, sizeof(*terms));
    for (unsigned p = 0; p < 2 && failure >= 0; p++) {
        if (parties[p].side) {
            failure = parties[p].side->api->pcm_hw_params_malloc(&parties[p].params);
        }
    }
    failure = failure < 0 ? -ENOMEM : agree(parties, wish, look_only, terms, error);
    for (unsigned p = 0; p < 2; p++) {
        if (parties[p].params) {
            parties[p].side->api->pcm_hw_params_free(parties[p].params);
        }
    }
    return failure;
}
