/* SPDX-License-Identifier: MIT */
/*
 * A sound card, or any other PCM that libasound can open, as the device: output and input on one
 * clock. Only cards, the PCMs that the configuration names and PulseAudio's are listed, so that
 * "auto" takes this backend where there is one of them; every other PCM can be asked for by its
 * name. What is behind those
 * may hang, so each call that could wait for it has a limit (graph_call.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/alsa/alsa_stream.h"
#include "backend/graph/graph_call.h"
#include "base/log.h"
#include "base/utf8.h"

enum {
    LOOK_LIMIT_MS = 500,
    OPEN_LIMIT_MS = 3000,
    CLOSE_LIMIT_MS = 1500,
    CLOSE_LOST_LIMIT_MS = 50, /* programs wait for the clock that replaces the device */
};

/* The open stream, for list(); control's. */
static struct backend_stream *current;
static struct graph_calls calls;

static bool
is_lost(const struct backend_stream *stream)
{
    return atomic_load_explicit(&stream->lost, memory_order_acquire);
}

static enum tutti_status
status_of(int failure)
{
    switch (-failure) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ECONNREFUSED:
    case ENOTCONN:
    case EHOSTDOWN:
        return TUTTI_NO_DEVICE;
    case EBUSY:
    case EAGAIN:
        return TUTTI_DEVICE_BUSY;
    case ENOMEM:
        return TUTTI_NO_MEMORY;
    case EINVAL:
        return TUTTI_UNSUPPORTED_FORMAT;
    default:
        return TUTTI_DEVICE_FAILED;
    }
}

/* ---- listing ---- */

struct looking {
    const struct alsa_api *api;
    struct config config; /* the caller may be gone */
    char name[ALSA_NAME_BYTES];
    struct backend_device device;
    bool there;
};

static void
run_looking(void *arg)
{
    struct looking *looking = arg;
    looking->there = alsa_list_look(looking->api, &looking->config, looking->name, false, false,
                                    &looking->device);
}

/* A PCM that leads anywhere; hangs: set when nothing was heard of it. */
static bool
look_with_limit(const struct alsa_api *api, const struct config *config, const char *name,
                struct backend_device *device, bool *hangs)
{
    struct looking *looking = calloc(1, sizeof(*looking));
    if (!looking) {
        return false;
    }
    looking->api = api;
    looking->config = *config;
    utf8_copy(looking->name, sizeof(looking->name), name);
    if (!graph_call(&calls, run_looking, free, looking, LOOK_LIMIT_MS)) {
        *hangs = true;
        return false;
    }
    bool there = looking->there;
    if (there) {
        *device = looking->device;
    }
    free(looking);
    return there;
}

struct listing {
    const struct alsa_api *api;
    const struct config *config;
    struct backend_device *devices;
    unsigned room, count;
    bool has_wanted; /* the configuration's own device was among them */
    bool hangs;
};

static bool
list_one(void *arg, const char *name, bool card_in, bool card_out)
{
    struct listing *listing = arg;
    struct backend_device *device = &listing->devices[listing->count];
    bool there;
    listing->has_wanted |= strcmp(listing->config->device_name, name) == 0;
    if (current && strcmp(current->info.name, name) == 0 && !is_lost(current)) {
        const struct backend_info *info = &current->info;
        memset(device, 0, sizeof(*device));
        utf8_copy(device->name, sizeof(device->name), info->name);
        device->inputs = info->inputs;
        device->outputs = info->outputs;
        memcpy(device->rates_hz, info->rates_hz, sizeof(device->rates_hz));
        device->period_min_frames = info->period_min_frames;
        device->period_max_frames = info->period_max_frames;
        device->period_step_frames = info->period_step_frames;
        there = true;
    } else {
        there = card_in || card_out
                    ? alsa_list_look(listing->api, listing->config, name, card_in, card_out, device)
                    : look_with_limit(listing->api, listing->config, name, device, &listing->hangs);
    }
    if (there) {
        device->is_default = listing->count == 0;
        listing->count++;
    }
    return listing->count < listing->room;
}

static enum tutti_status
alsa_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    struct listing listing = {
        .api = alsa_api_load(), .config = config, .devices = devices, .room = *count};
    *count = 0;
    if (listing.api && listing.room) {
        alsa_list_names(listing.api, config, list_one, &listing);
        /* only what is listed is tried again when it was lost */
        size_t length = strlen(config->device_name);
        if (!listing.has_wanted && length && length < ALSA_NAME_BYTES &&
            listing.count < listing.room) {
            list_one(&listing, config->device_name, false, false);
        }
        *count = listing.count;
    }
    if (!listing.api) {
        return TUTTI_UNSUPPORTED;
    }
    /* one that hangs is no reason to be silent about the others */
    return listing.hangs && *count == 0 ? TUTTI_TIMEOUT : TUTTI_OK;
}

/* ---- closing ---- */

/* On a call's thread: what it waits for may hang. */
static void
join_mender(struct backend_stream *stream)
{
    os_thread_join(stream->mender);
    stream->mender = NULL;
}

static void
close_sides(void *arg)
{
    struct backend_stream *stream = arg;
    join_mender(stream);
    alsa_side_close(&stream->capture);
    alsa_side_close(&stream->playback);
}

static void
end(void *arg)
{
    struct backend_stream *stream = arg;
    close_sides(stream);
    os_wake_fini(&stream->mend);
    close(stream->bell);
    free(stream);
}

static void
alsa_close(struct backend_stream *stream)
{
    current = NULL;
    if (stream->is_card || graph_call(&calls, close_sides, end, stream,
                                      is_lost(stream) ? CLOSE_LOST_LIMIT_MS : CLOSE_LIMIT_MS)) {
        end(stream);
    } else {
        log_warning("alsa: the device does not let go of us; left to itself");
    }
}

/* ---- opening ---- */

static void
describe(struct backend_stream *stream, const char *name, const struct alsa_terms *terms,
         const struct config *config)
{
    struct backend_info *info = &stream->info;
    const struct alsa_side *playback = &stream->playback, *capture = &stream->capture;
    const struct alsa_side *side = playback->pcm ? playback : capture;
    bool mapped = side->access == SND_PCM_ACCESS_MMAP_INTERLEAVED ||
                  side->access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
    uint32_t period = terms->period_frames;
    utf8_copy(info->name, sizeof(info->name), name);
    snprintf(info->format, sizeof(info->format), "%.24s%s", dsp_format_text(side->format),
             mapped ? " mmap" : " rw");
    info->inputs = capture->pcm ? capture->exposed : 0;
    info->outputs = playback->pcm ? playback->exposed : 0;
    info->input_format = capture->pcm ? capture->format : playback->format;
    info->output_format = playback->pcm ? playback->format : capture->format;
    /* Every other PCM is a plugin, and some of them mix or convert. */
    info->exact = strncmp(name, "hw:", 3) == 0;
    info->rate_hz = terms->rate_hz;
    memcpy(info->rates_hz, terms->rates_hz, sizeof(info->rates_hz));
    if (!(info->rates_hz[0] > 0)) {
        info->rates_hz[0] = terms->rate_hz;
    }
    info->period_frames = period;
    info->period_min_frames = terms->period_min_frames;
    info->period_max_frames = terms->period_max_frames;
    info->period_step_frames = terms->period_step_frames;
    /* A cycle begins when a period is captured. What it plays stands behind what is queued. */
    info->input_latency_frames = period + (uint32_t)config->alsa_input_latency;
    info->output_latency_frames = (playback->pcm ? playback->fill_frames - period : 0) +
                                  (uint32_t)config->alsa_output_latency;
    info->budget_ns = (uint64_t)(period * 1e9 / info->rate_hz);
}

/* Errors as errno. */
static int
open_stream(struct backend_stream *stream, const struct backend_request *request, const char *name,
            char error[256])
{
    const struct config *config = request->config;
    struct alsa_terms terms = {0};
    struct alsa_wish wish = {
        .rate_hz = request->rate_hz,
        .period_frames = request->period_frames,
        .periods = (uint32_t)config->alsa_periods,
        .inputs = request->max_inputs,
        .outputs = request->max_outputs,
        .config = config,
    };
    alsa_pulse_limit(name, &wish);
    int failure =
        alsa_pair_open(stream->api, config, name, request->max_inputs > 0, request->max_outputs > 0,
                       &stream->playback, &stream->capture, error);
    if (failure == 0) {
        char reason[256] = "";
        failure =
            alsa_params_agree(&stream->playback, &stream->capture, &wish, false, &terms, reason);
        if (failure < 0) {
            snprintf(error, 256, "'%.40s': %.200s", name, reason);
        }
    }
    if (failure < 0) {
        alsa_side_close(&stream->capture);
        alsa_side_close(&stream->playback);
        return failure;
    }
    if (stream->playback.pcm && stream->capture.pcm) {
        failure = stream->api->pcm_link(stream->playback.pcm, stream->capture.pcm);
        stream->linked = failure >= 0;
        if (!stream->linked) {
            log_debug("alsa: '%s': output and input are started one after the other: %s", name,
                      stream->api->strerror(failure));
        }
    }
    stream->is_card =
        (!stream->playback.pcm || stream->api->pcm_type(stream->playback.pcm) == SND_PCM_TYPE_HW) &&
        (!stream->capture.pcm || stream->api->pcm_type(stream->capture.pcm) == SND_PCM_TYPE_HW);
    describe(stream, name, &terms, config);
    if (request->rate_hz > 0 && request->rate_hz != terms.rate_hz) {
        log_info("alsa: '%s' runs at %.0f Hz, the nearest to %.0f", name, terms.rate_hz,
                 request->rate_hz);
    }
    return 0;
}

struct opening {
    struct backend_stream *stream;
    struct backend_request request; /* the caller may be gone */
    struct config config;
    char device[ALSA_NAME_BYTES];
    int failure;
    char error[256];
};

/* False: this is the one, or it is there and does not open. */
static bool
try_one(void *arg, const char *name, bool card_in, bool card_out)
{
    struct opening *opening = arg;
    (void)card_in;
    (void)card_out;
    opening->failure = open_stream(opening->stream, &opening->request, name, opening->error);
    if (opening->failure == -ENOENT && strcmp(name, ALSA_PULSE_NAME) == 0 && alsa_pulse_runs()) {
        snprintf(opening->error, sizeof(opening->error),
                 "ALSA's plugin for PulseAudio is not installed");
    }
    return opening->failure < 0 && status_of(opening->failure) == TUTTI_NO_DEVICE;
}

/* The server may be what holds the card. When it cannot be used either, the first reason stays. */
static void
try_pulse(struct opening *opening)
{
    char error[sizeof(opening->error)];
    int failure = opening->failure;
    utf8_copy(error, sizeof(error), opening->error);
    try_one(opening, ALSA_PULSE_NAME, false, false);
    if (opening->failure < 0) {
        opening->failure = failure;
        utf8_copy(opening->error, sizeof(opening->error), error);
    }
}

static void
run_opening(void *arg)
{
    struct opening *opening = arg;
    if (opening->device[0]) {
        try_one(opening, opening->device, false, false);
        return;
    }
    alsa_list_names(opening->stream->api, &opening->config, try_one, opening);
    if (opening->failure < 0 && status_of(opening->failure) == TUTTI_DEVICE_BUSY &&
        alsa_pulse_runs()) {
        try_pulse(opening);
    }
}

static void
free_opening(void *arg)
{
    struct opening *opening = arg;
    if (opening->stream) {
        end(opening->stream);
    }
    free(opening);
}

static struct opening *
new_opening(const struct alsa_api *api, const struct backend_request *request,
            const struct backend_callbacks *callbacks)
{
    struct opening *opening = calloc(1, sizeof(*opening));
    struct backend_stream *stream = calloc(1, sizeof(*stream));
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!opening || !stream || bell < 0) {
        free(opening);
        free(stream);
        if (bell >= 0) {
            close(bell);
        }
        return NULL;
    }
    stream->api = api;
    stream->callbacks = callbacks[0];
    stream->bell = bell;
    os_wake_init(&stream->mend, &stream->mend_bell);
    opening->stream = stream;
    opening->request = *request;
    opening->config = *request->config;
    opening->request.config = &opening->config;
    utf8_copy(opening->device, sizeof(opening->device), request->device);
    opening->failure = -ENODEV;
    snprintf(opening->error, sizeof(opening->error),
             "there is no sound card; [alsa] devices names other PCMs");
    return opening;
}

static enum tutti_status
check_request(const struct backend_request *request, const struct alsa_api *api, char error[256])
{
    if (!api) {
        snprintf(error, 256, "ALSA is not installed here (libasound.so.2)");
        return TUTTI_NO_DEVICE;
    }
    if (current) {
        snprintf(error, 256, "'%.60s' is open already", current->info.name);
        return TUTTI_DEVICE_BUSY;
    }
    if (!request->max_inputs && !request->max_outputs) {
        snprintf(error, 256, "neither inputs nor outputs are wanted of the sound card");
        return TUTTI_BAD_CONFIG;
    }
    if (strlen(request->device) >= ALSA_NAME_BYTES) {
        snprintf(error, 256, "'%.60s...' is too long for a device's name", request->device);
        return TUTTI_NO_DEVICE;
    }
    return TUTTI_OK;
}

static enum tutti_status
alsa_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
          struct backend_stream **streams, unsigned *count, char error[256])
{
    const struct alsa_api *api = alsa_api_load();
    enum tutti_status status = check_request(request, api, error);
    if (status != TUTTI_OK) {
        return status;
    }
    struct opening *opening = new_opening(api, request, callbacks);
    if (!opening) {
        return TUTTI_NO_MEMORY;
    }
    if (!graph_call(&calls, run_opening, free_opening, opening, OPEN_LIMIT_MS)) {
        snprintf(error, 256, "the sound device does not answer; what is behind it hangs");
        return TUTTI_NO_DEVICE;
    }
    status = opening->failure < 0 ? status_of(opening->failure) : TUTTI_OK;
    if (status == TUTTI_OK) {
        current = opening->stream;
        streams[0] = opening->stream;
        *count = 1;
        opening->stream = NULL;
    } else {
        snprintf(error, 256, "%s", opening->error);
    }
    free_opening(opening);
    return status;
}

static const struct backend_info *
alsa_info(const struct backend_stream *stream)
{
    return &stream->info;
}

/* ---- running ---- */

static void
run_drop(void *arg)
{
    struct backend_stream *stream = arg;
    join_mender(stream);
    if (stream->playback.pcm) {
        stream->api->pcm_drop(stream->playback.pcm);
    }
    if (stream->capture.pcm) {
        stream->api->pcm_drop(stream->capture.pcm);
    }
}

/* Left behind, the stream is still the control's: what close() calls comes after it, on its thread.
 */
static void
leave(void *arg)
{
    (void)arg;
}

static void
drop(struct backend_stream *stream)
{
    if (is_lost(stream)) {
        return; /* closing does it */
    }
    if (stream->is_card) {
        run_drop(stream);
    } else if (!graph_call(&calls, run_drop, leave, stream, CLOSE_LIMIT_MS)) {
        atomic_store_explicit(&stream->lost, true, memory_order_release);
    }
}

struct starting {
    struct backend_stream *stream;
    int failure;
};

static void
run_starting(void *arg)
{
    struct starting *starting = arg;
    starting->failure = alsa_run_begin(starting->stream);
}

/* Errors as errno. */
static int
prepare(struct backend_stream *stream)
{
    if (stream->is_card) {
        return alsa_run_prepare(stream);
    }
    struct starting *starting = calloc(1, sizeof(*starting));
    if (!starting) {
        return -ENOMEM;
    }
    starting->stream = stream;
    if (!graph_call(&calls, run_starting, free, starting, OPEN_LIMIT_MS)) {
        atomic_store_explicit(&stream->lost, true, memory_order_release);
        return -ENODEV;
    }
    int failure = starting->failure;
    free(starting);
    return failure;
}

static void
end_mender(struct backend_stream *stream)
{
    atomic_store_explicit(&stream->mender_ends, true, memory_order_release);
    os_wake_post(&stream->mend);
}

static enum tutti_status
alsa_start(struct backend_stream *stream)
{
    uint64_t rung;
    if (is_lost(stream)) {
        return TUTTI_DEVICE_LOST;
    }
    while (read(stream->bell, &rung, sizeof(rung)) > 0) {
        /* of the last stop */
    }
    stream->restarts = stream->paced = 0;
    backend_clock_start(&stream->clock, stream->info.rate_hz, stream->info.period_frames);
    int failure = prepare(stream);
    if (failure < 0) {
        log_error("alsa: '%s' does not start: %s", stream->info.name,
                  stream->api->strerror(failure));
        drop(stream);
        return status_of(failure) == TUTTI_NO_DEVICE ? TUTTI_DEVICE_LOST : TUTTI_DEVICE_FAILED;
    }
    atomic_store_explicit(&stream->stop, false, memory_order_release);
    atomic_store_explicit(&stream->mender_ends, false, memory_order_release);
    atomic_store_explicit(&stream->mended, ALSA_MEND_IDLE, memory_order_release);
    enum tutti_status status = TUTTI_OK;
    if (!stream->is_card) {
        status = os_thread_start(&stream->mender, "tutti-alsa-mend", OS_PRIORITY_NORMAL, alsa_mend,
                                 stream);
    }
    if (status == TUTTI_OK) {
        status =
            os_thread_start(&stream->thread, "tutti-alsa", OS_PRIORITY_ENGINE, alsa_run, stream);
    }
    if (status != TUTTI_OK) {
        end_mender(stream);
        drop(stream);
    }
    return status;
}

static void
alsa_stop(struct backend_stream *stream)
{
    const uint64_t one = 1;
    if (!stream->thread) {
        return;
    }
    atomic_store_explicit(&stream->stop, true, memory_order_release);
    if (write(stream->bell, &one, sizeof(one)) < 0) {
        log_warning("alsa: the thread is not rung: it ends with its period");
    }
    os_thread_join(stream->thread);
    stream->thread = NULL;
    end_mender(stream);
    drop(stream);
    if (stream->restarts || stream->paced) {
        log_info("alsa: '%s' was started anew %llu times after xruns; cycles without it: %llu",
                 stream->info.name, (unsigned long long)stream->restarts,
                 (unsigned long long)stream->paced);
    }
}

const struct backend backend_alsa = {
    .name = "alsa",
    .description = "ALSA sound cards and PCMs",
    .list = alsa_list,
    .open = alsa_open,
    .info = alsa_info,
    .start = alsa_start,
    .stop = alsa_stop,
    .close = alsa_close,
};
