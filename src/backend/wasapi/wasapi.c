/* SPDX-License-Identifier: MIT */
/*
 * Windows' sound devices in shared mode, woken by events: the default (or named) output drives the
 * cycle, the default input is read into a queue in front of it. Output and input may be different
 * devices: where their clocks drift apart the queue runs dry or over, and whole periods of input
 * are inserted as silence or dropped; both are counted and told at the end. Without an input (or
 * with the microphone denied) output goes on alone; without an output the input drives.
 */
#include "backend/wasapi/wasapi.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "os/os.h"

enum {
    QUEUE_PERIODS = 8,      /* room for captured input */
    QUEUE_TARGET = 2,       /* periods that wait when all is well */
    EVENT_TIMEOUT_MS = 500, /* no event for so long: look whether the device is gone */
};

static const GUID iid_render = {
    0xF294ACFC, 0x3146, 0x4483, {0xA7, 0xBF, 0xAD, 0xDC, 0xA7, 0xC2, 0x60, 0xE2}};
static const GUID iid_capture = {
    0xC8ADBD64, 0xE71E, 0x48A0, {0xA4, 0xDE, 0x18, 0x5C, 0x39, 0x5C, 0xD3, 0x17}};

struct backend_stream {
    struct backend_info info;
    struct backend_callbacks callbacks;
    struct wasapi_client render, capture; /* client NULL: not there */
    IAudioRenderClient *renderer;
    IAudioCaptureClient *capturer;
    CO_MTA_USAGE_COOKIE com; /* from open to close */

    /* captured frames that wait, interleaved in the capture's format */
    unsigned char *queue;
    uint32_t queue_frames; /* room */
    uint64_t queue_head, queue_tail;
    bool queue_filling; /* until the target is reached */
    uint32_t in_frame_bytes, out_frame_bytes;
    unsigned char *period_in; /* one period for the cycle */
    uint64_t inserted, dropped, starved;

    struct backend_area in[BACKEND_MAX_CHANNELS], out[BACKEND_MAX_CHANNELS];
    uint64_t frames;  /* since start */
    uint64_t time_ns; /* of the last cycle, smoothed */
    struct os_thread *thread;
    _Atomic bool stop;
};

static void
lay_out(struct backend_area *areas, unsigned char *memory, uint32_t channels, uint32_t sample_bytes)
{
    for (uint32_t c = 0; c < channels; c++) {
        areas[c].first = memory ? memory + (size_t)c * sample_bytes : NULL;
        areas[c].stride_bytes = sample_bytes * channels;
    }
}

/* ---- input ---- */

static void
enqueue(struct backend_stream *stream, const unsigned char *data, uint32_t frames, bool silent)
{
    for (uint32_t i = 0; i < frames; i++) {
        if (stream->queue_head - stream->queue_tail == stream->queue_frames) {
            stream->queue_tail++;
            stream->dropped++;
        }
        unsigned char *to = stream->queue + (size_t)(stream->queue_head % stream->queue_frames) *
                                                stream->in_frame_bytes;
        if (silent) {
            memset(to, 0, stream->in_frame_bytes);
        } else {
            memcpy(to, data + (size_t)i * stream->in_frame_bytes, stream->in_frame_bytes);
        }
        stream->queue_head++;
    }
}

static HRESULT
read_packets(struct backend_stream *stream)
{
    UINT32 waiting = 0;
    HRESULT result;
    while (SUCCEEDED(result = IAudioCaptureClient_GetNextPacketSize(stream->capturer, &waiting)) &&
           waiting) {
        BYTE *data;
        UINT32 frames;
        DWORD flags;
        result =
            IAudioCaptureClient_GetBuffer(stream->capturer, &data, &frames, &flags, NULL, NULL);
        if (FAILED(result) || result == AUDCLNT_S_BUFFER_EMPTY) {
            break;
        }
        enqueue(stream, data, frames, flags & AUDCLNT_BUFFERFLAGS_SILENT);
        result = IAudioCaptureClient_ReleaseBuffer(stream->capturer, frames);
        if (FAILED(result)) {
            break;
        }
    }
    return result;
}

/* One period of input for the cycle: the oldest that waits, silence while there is too little. */
static void
take_input(struct backend_stream *stream)
{
    uint32_t period = stream->info.period_frames;
    uint64_t waiting = stream->queue_head - stream->queue_tail;
    memset(stream->period_in, 0, (size_t)period * stream->in_frame_bytes);
    if (stream->queue_filling && waiting >= (uint64_t)QUEUE_TARGET * period) {
        stream->queue_filling = false;
        stream->queue_tail = stream->queue_head - (uint64_t)QUEUE_TARGET * period;
    }
    if (stream->queue_filling || waiting < period) {
        stream->inserted += stream->queue_filling ? 0 : period;
        stream->queue_filling = true;
        return;
    }
    for (uint32_t i = 0; i < period; i++, stream->queue_tail++) {
        memcpy(stream->period_in + (size_t)i * stream->in_frame_bytes,
               stream->queue +
                   (size_t)(stream->queue_tail % stream->queue_frames) * stream->in_frame_bytes,
               stream->in_frame_bytes);
    }
    if (stream->queue_head - stream->queue_tail > (uint64_t)(QUEUE_PERIODS - 2) * period) {
        stream->dropped += period;
        stream->queue_tail += period;
    }
}

/* ---- the cycle ---- */

static void
run_period(struct backend_stream *stream, unsigned char *out, bool starved)
{
    uint32_t period = stream->info.period_frames;
    uint64_t now_ns = os_now_ns();
    /* Events jitter; the clock behind them does not: follow it slowly, jump when it is far away. */
    double period_ns = (double)period * 1e9 / stream->info.rate_hz;
    int64_t error_ns = (int64_t)(now_ns - stream->time_ns) - (int64_t)period_ns;
    bool jump = !stream->time_ns || error_ns > (int64_t)(2 * period_ns) ||
                error_ns < -(int64_t)(2 * period_ns);
    stream->time_ns =
        jump ? now_ns : stream->time_ns + (uint64_t)(period_ns + (double)error_ns / 64.0);
    if (stream->capture.client) {
        take_input(stream);
    }
    lay_out(stream->out, out, stream->info.outputs, dsp_format_bytes(stream->info.output_format));
    struct backend_cycle cycle = {
        .in = stream->in,
        .out = stream->out,
        .frames = period,
        .flags = starved ? BACKEND_CYCLE_XRUN : 0,
        .time_ns = stream->time_ns < now_ns ? stream->time_ns : now_ns,
        .start_ns = now_ns,
    };
    stream->callbacks.cycle(stream->callbacks.user, &cycle);
    stream->frames += period;
}

static HRESULT
render_what_fits(struct backend_stream *stream)
{
    UINT32 padding = 0;
    uint32_t period = stream->info.period_frames;
    HRESULT result = IAudioClient_GetCurrentPadding(stream->render.client, &padding);
    while (SUCCEEDED(result) && stream->render.buffer_frames - padding >= period) {
        BYTE *data = NULL;
        result = IAudioRenderClient_GetBuffer(stream->renderer, period, &data);
        if (FAILED(result)) {
            break;
        }
        bool starved = padding == 0 && stream->frames > stream->render.buffer_frames;
        stream->starved += starved;
        run_period(stream, data, starved);
        result = IAudioRenderClient_ReleaseBuffer(stream->renderer, period, 0);
        padding += period;
    }
    return result;
}

static HRESULT
capture_what_waits(struct backend_stream *stream)
{
    HRESULT result = S_OK;
    while (stream->queue_head - stream->queue_tail >= stream->info.period_frames) {
        stream->queue_filling = false;
        run_period(stream, NULL, false);
    }
    return result;
}

static void
run(void *arg)
{
    struct backend_stream *stream = arg;
    struct wasapi_client *master = stream->render.client ? &stream->render : &stream->capture;
    HRESULT result = S_OK;
    while (SUCCEEDED(result) && !atomic_load_explicit(&stream->stop, memory_order_acquire)) {
        if (WaitForSingleObject(master->event, EVENT_TIMEOUT_MS) != WAIT_OBJECT_0) {
            UINT32 padding;
            result = IAudioClient_GetCurrentPadding(master->client, &padding);
            continue;
        }
        if (stream->capture.client) {
            result = read_packets(stream);
        }
        if (SUCCEEDED(result)) {
            result = stream->render.client ? render_what_fits(stream) : capture_what_waits(stream);
        }
    }
    if (FAILED(result)) {
        char text[128];
        snprintf(text, sizeof(text), "'%.60s' stopped: 0x%08lx", master->name,
                 (unsigned long)result);
        stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_LOST, wasapi_status(result),
                                text);
    }
}

/* ---- the contract ---- */

static enum tutti_status
wasapi_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    (void)config;
    unsigned room = *count;
    *count = 0;
    CO_MTA_USAGE_COOKIE com = wasapi_enter();
    char error[256];
    struct wasapi_client render, capture;
    bool has_render = wasapi_client_open(&render, eRender, "", error) == TUTTI_OK;
    bool has_capture = wasapi_client_open(&capture, eCapture, "", error) == TUTTI_OK;
    if (room && (has_render || has_capture)) {
        const struct wasapi_client *master = has_render ? &render : &capture;
        struct backend_device *device = &devices[(*count)++];
        memset(device, 0, sizeof(*device));
        utf8_copy(device->name, sizeof(device->name), master->name);
        device->inputs = has_capture ? capture.channels : 0;
        device->outputs = has_render ? render.channels : 0;
        device->is_default = true;
        device->rates_hz[0] = master->rate_hz;
        device->period_min_frames = device->period_max_frames = master->period_frames;
        device->period_step_frames = 1;
    }
    wasapi_client_close(&render);
    wasapi_client_close(&capture);
    wasapi_leave(com);
    return TUTTI_OK;
}

static void
wasapi_close(struct backend_stream *stream)
{
    if (stream->renderer) {
        IAudioRenderClient_Release(stream->renderer);
    }
    if (stream->capturer) {
        IAudioCaptureClient_Release(stream->capturer);
    }
    wasapi_client_close(&stream->render);
    wasapi_client_close(&stream->capture);
    wasapi_leave(stream->com);
    free(stream->queue);
    free(stream->period_in);
    free(stream);
}

static enum tutti_status
prepare_input(struct backend_stream *stream)
{
    struct backend_info *info = &stream->info;
    uint32_t bytes = dsp_format_bytes(stream->capture.format);
    info->input_format = stream->capture.format;
    info->inputs = stream->capture.channels;
    stream->in_frame_bytes = bytes * info->inputs;
    stream->queue_frames = QUEUE_PERIODS * info->period_frames + stream->capture.buffer_frames;
    stream->queue = calloc(stream->queue_frames, stream->in_frame_bytes);
    stream->period_in = calloc(info->period_frames, stream->in_frame_bytes);
    if (!stream->queue || !stream->period_in) {
        return TUTTI_NO_MEMORY;
    }
    lay_out(stream->in, stream->period_in, info->inputs, bytes);
    return wasapi_status(
        IAudioClient_GetService(stream->capture.client, &iid_capture, (void **)&stream->capturer));
}

static void
describe(struct backend_stream *stream)
{
    struct backend_info *info = &stream->info;
    bool has_render = stream->render.client != NULL;
    const struct wasapi_client *master = has_render ? &stream->render : &stream->capture;
    utf8_copy(info->name, sizeof(info->name), master->name);
    info->rate_hz = info->rates_hz[0] = master->rate_hz;
    info->period_frames = info->period_min_frames = info->period_max_frames = master->period_frames;
    info->period_step_frames = 1;
    snprintf(info->format, sizeof(info->format), "%.20s shared", dsp_format_text(master->format));
    info->input_format = info->output_format = master->format;
    info->outputs = has_render ? stream->render.channels : 0;
    /* Input waits in the queue; output stands behind what the endpoint's buffer holds. */
    info->input_latency_frames = (1 + QUEUE_TARGET) * info->period_frames;
    info->output_latency_frames = has_render
                                      ? stream->render.buffer_frames + stream->render.latency_frames
                                      : info->period_frames;
    info->budget_ns = (uint64_t)((double)info->period_frames * 1e9 / info->rate_hz);
}

static enum tutti_status
wasapi_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
            struct backend_stream **streams, unsigned *count, char error[256])
{
    struct backend_stream *stream = calloc(1, sizeof(*stream));
    char input_error[256] = "";
    if (!stream) {
        return TUTTI_NO_MEMORY;
    }
    stream->com = wasapi_enter();
    stream->callbacks = callbacks[0];
    enum tutti_status status = wasapi_client_open(&stream->render, eRender, request->device, error);
    enum tutti_status input = wasapi_client_open(
        &stream->capture, eCapture, status == TUTTI_OK ? "" : request->device, input_error);
    if (status != TUTTI_OK && input != TUTTI_OK) {
        wasapi_close(stream);
        return status;
    }
    if (status == TUTTI_OK && input == TUTTI_OK &&
        stream->capture.rate_hz != stream->render.rate_hz) {
        snprintf(input_error, sizeof(input_error), "'%.60s' runs at another rate (%.0f Hz)",
                 stream->capture.name, stream->capture.rate_hz);
        wasapi_client_close(&stream->capture);
        input = TUTTI_UNSUPPORTED_RATE;
    }
    if (input != TUTTI_OK) {
        log_warning("wasapi: output only: %s", input_error);
    }
    describe(stream);
    status = TUTTI_OK;
    if (stream->render.client) {
        status = wasapi_status(IAudioClient_GetService(stream->render.client, &iid_render,
                                                       (void **)&stream->renderer));
    }
    if (status == TUTTI_OK && stream->capture.client) {
        status = prepare_input(stream);
    }
    if (status == TUTTI_OK && request->rate_hz > 0 && request->rate_hz != stream->info.rate_hz) {
        /* Shared mode has one rate: Windows' own. The engine takes it and tells. */
        log_info("wasapi: the system mixes at %.0f Hz", stream->info.rate_hz);
    }
    if (status != TUTTI_OK) {
        snprintf(error, 256, "'%.60s': %s", stream->info.name, tutti_status_text(status));
        wasapi_close(stream);
        return status;
    }
    streams[0] = stream;
    *count = 1;
    return TUTTI_OK;
}

static const struct backend_info *
wasapi_info(const struct backend_stream *stream)
{
    return &stream->info;
}

static enum tutti_status
wasapi_start(struct backend_stream *stream)
{
    HRESULT result = S_OK;
    stream->frames = stream->time_ns = 0;
    stream->queue_head = stream->queue_tail = 0;
    stream->queue_filling = true;
    if (stream->capture.client) {
        result = IAudioClient_Start(stream->capture.client);
    }
    if (SUCCEEDED(result) && stream->render.client) {
        /* The endpoint's buffer begins full of silence: from here on each period stands behind a
         * whole buffer. */
        BYTE *data;
        uint32_t frames = stream->render.buffer_frames;
        if (SUCCEEDED(IAudioRenderClient_GetBuffer(stream->renderer, frames, &data))) {
            IAudioRenderClient_ReleaseBuffer(stream->renderer, frames, AUDCLNT_BUFFERFLAGS_SILENT);
        }
        result = IAudioClient_Start(stream->render.client);
    }
    if (FAILED(result)) {
        log_error("wasapi: '%s' does not start: 0x%08lx", stream->info.name, (unsigned long)result);
        return wasapi_status(result);
    }
    atomic_store_explicit(&stream->stop, false, memory_order_release);
    return os_thread_start(&stream->thread, "tutti-wasapi", OS_PRIORITY_ENGINE, run, stream);
}

static void
wasapi_stop(struct backend_stream *stream)
{
    atomic_store_explicit(&stream->stop, true, memory_order_release);
    SetEvent(stream->render.client ? stream->render.event : stream->capture.event);
    os_thread_join(stream->thread);
    stream->thread = NULL;
    if (stream->render.client) {
        IAudioClient_Stop(stream->render.client);
        IAudioClient_Reset(stream->render.client);
    }
    if (stream->capture.client) {
        IAudioClient_Stop(stream->capture.client);
        IAudioClient_Reset(stream->capture.client);
    }
    if (stream->inserted || stream->dropped || stream->starved) {
        log_info("wasapi: input frames inserted %llu, dropped %llu; output ran dry %llu times",
                 (unsigned long long)stream->inserted, (unsigned long long)stream->dropped,
                 (unsigned long long)stream->starved);
    }
}

const struct backend backend_wasapi = {
    .name = "wasapi",
    .description = "Windows sound devices, shared mode",
    .list = wasapi_list,
    .open = wasapi_open,
    .info = wasapi_info,
    .start = wasapi_start,
    .stop = wasapi_stop,
    .close = wasapi_close,
};
