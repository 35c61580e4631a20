/* SPDX-License-Identifier: MIT */
/*
 * Windows' sound devices in shared mode: the default (or named) output drives the cycle; its input
 * is the endpoint of the same name, else the default input. Output and input may be different
 * devices: where their clocks drift apart the queue between them runs dry or over, and whole
 * periods of input are inserted as silence or dropped; both are counted and logged at the end.
 * Without an input (or with the microphone denied) output goes on alone; without an output the
 * input drives.
 */
#include "backend/wasapi/wasapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "os/os.h"

enum {
    QUEUE_PERIODS = 8,   /* room for captured input */
    FILL_PERIODS = 1,    /* of output that are queued, at first */
    WAIT_PERIODS = 1,    /* of input that wait, at first */
    BUDGET_PERCENT = 80, /* of a period: then it is written, before Windows' next pass */
    TIMER_HIGH_RESOLUTION = 2,
};

static const GUID iid_render = {
    0xF294ACFC, 0x3146, 0x4483, {0xA7, 0xBF, 0xAD, 0xDC, 0xA7, 0xC2, 0x60, 0xE2}};
static const GUID iid_capture = {
    0xC8ADBD64, 0xE71E, 0x48A0, {0xA4, 0xDE, 0x18, 0x5C, 0x39, 0x5C, 0xD3, 0x17}};

/* ---- opening ---- */

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
    if (stream->timer) {
        CloseHandle(stream->timer);
    }
    free(stream->queue.storage);
    free(stream->period_in);
    free(stream->period_out);
    free(stream);
}

/* The input beside an output; none is no error. */
static void
open_input(struct backend_stream *stream, bool beside_output)
{
    struct wasapi_client *capture = &stream->capture;
    char error[256] = "";
    enum tutti_status status = wasapi_client_open(capture, eCapture, stream->render.name, error);
    if (status == TUTTI_NO_DEVICE) {
        status = wasapi_client_open(capture, eCapture, "", error);
    }
    if (status == TUTTI_OK && beside_output && capture->mix.rate_hz != stream->render.mix.rate_hz) {
        snprintf(error, sizeof(error), "'%.63s' runs at another rate (%.0f Hz)", capture->name,
                 capture->mix.rate_hz);
        wasapi_client_close(capture);
        status = TUTTI_UNSUPPORTED_RATE;
    }
    if (status != TUTTI_OK) {
        log_warning("wasapi: output only: %s", error);
    }
}

/* An output that is there and does not open is an error, and no reason to record only. */
static enum tutti_status
open_clients(struct backend_stream *stream, const struct backend_request *request, char error[256])
{
    bool wants_in = request->max_inputs > 0, wants_out = request->max_outputs > 0;
    enum tutti_status status = TUTTI_NO_DEVICE;
    if (!wants_in && !wants_out) {
        snprintf(error, 256, "neither inputs nor outputs are wanted");
        return TUTTI_BAD_CONFIG;
    }
    if (wants_out) {
        status = wasapi_client_open(&stream->render, eRender, request->device, error);
    }
    if (status == TUTTI_OK) {
        if (wants_in) {
            open_input(stream, true);
        }
    } else if (status == TUTTI_NO_DEVICE && wants_in) {
        status = wasapi_client_open(&stream->capture, eCapture, request->device, error);
    }
    if (status == TUTTI_NO_DEVICE && wants_in && !wants_out && request->device[0]) {
        /* an output's name: its input */
        struct wasapi_client output;
        status = wasapi_client_open(&output, eRender, request->device, error);
        if (status == TUTTI_OK) {
            wasapi_client_close(&output);
            status = wasapi_client_open(&stream->capture, eCapture, "", error);
        }
    }
    return status;
}

static uint32_t
at_most(uint32_t have, uint32_t most)
{
    return have < most ? have : most;
}

static void
know_latency(struct backend_stream *stream)
{
    struct backend_info *info = &stream->info;
    uint32_t period = info->period_frames;
    bool duplex = stream->render.client && stream->capture.client;
    /* A packet lies there for up to a period until the output's next pass, and then in the queue.
     * What a cycle writes stands behind the rest of the queue, and one pass of Windows. */
    info->input_latency_frames = duplex ? (1 + stream->queue.wait_periods) * period : period;
    info->output_latency_frames =
        stream->render.client ? stream->fill_periods * period + stream->render.latency_frames
                              : period;
}

static void
describe(struct backend_stream *stream, const struct backend_request *request)
{
    struct backend_info *info = &stream->info;
    bool has_render = stream->render.client != NULL;
    const struct wasapi_client *master = has_render ? &stream->render : &stream->capture;
    utf8_copy(info->name, sizeof(info->name), master->name);
    info->rate_hz = info->rates_hz[0] = master->mix.rate_hz;
    info->period_frames = info->period_min_frames = info->period_max_frames =
        master->mix.period_frames;
    info->period_step_frames = 1;
    info->live_period = true; /* to take over a longer queue */
    snprintf(info->format, sizeof(info->format), "%.20s shared",
             dsp_format_text(master->mix.format));
    info->input_format = stream->capture.client ? stream->capture.mix.format : master->mix.format;
    info->output_format = master->mix.format;
    info->inputs = at_most(stream->capture.mix.channels, request->max_inputs);
    info->outputs = at_most(stream->render.mix.channels, request->max_outputs);
    info->budget_ns = (uint64_t)(info->period_frames * 1e7 * BUDGET_PERCENT / info->rate_hz);
}

static enum tutti_status
prepare_output(struct backend_stream *stream)
{
    const struct wasapi_mix *mix = &stream->render.mix;
    stream->fill_periods = FILL_PERIODS;
    stream->period_out =
        calloc((size_t)stream->info.period_frames * mix->channels, dsp_format_bytes(mix->format));
    return stream->period_out ? wasapi_status(IAudioClient_GetService(
                                    stream->render.client, &iid_render, (void **)&stream->renderer))
                              : TUTTI_NO_MEMORY;
}

static enum tutti_status
prepare_input(struct backend_stream *stream)
{
    struct wasapi_queue *queue = &stream->queue;
    const struct wasapi_mix *mix = &stream->capture.mix;
    queue->period_frames = stream->info.period_frames;
    queue->frame_bytes = dsp_format_bytes(mix->format) * mix->channels;
    queue->wait_periods = queue->want_periods = WAIT_PERIODS;
    queue->size_frames = QUEUE_PERIODS * queue->period_frames + stream->capture.buffer_frames;
    queue->storage = calloc(ring_capacity(queue->size_frames), queue->frame_bytes);
    stream->period_in = calloc(queue->period_frames, queue->frame_bytes);
    return queue->storage && stream->period_in
               ? wasapi_status(IAudioClient_GetService(stream->capture.client, &iid_capture,
                                                       (void **)&stream->capturer))
               : TUTTI_NO_MEMORY;
}

static enum tutti_status
prepare(struct backend_stream *stream, const struct backend_request *request)
{
    enum tutti_status status = TUTTI_OK;
    describe(stream, request);
    stream->timer = CreateWaitableTimerExW(NULL, NULL, TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS);
    if (!stream->timer) { /* before Windows 10 1803 */
        stream->timer = CreateWaitableTimerExW(NULL, NULL, 0, TIMER_ALL_ACCESS);
    }
    if (!stream->timer) {
        return TUTTI_NO_MEMORY;
    }
    if (stream->render.client) {
        status = prepare_output(stream);
    }
    if (status == TUTTI_OK && stream->capture.client) {
        status = prepare_input(stream);
    }
    if (status == TUTTI_OK && request->rate_hz > 0 && request->rate_hz != stream->info.rate_hz) {
        /* Shared mode has one rate: Windows' own. The engine takes it and says so. */
        log_info("wasapi: the system mixes at %.0f Hz", stream->info.rate_hz);
    }
    know_latency(stream);
    return status;
}

static enum tutti_status
wasapi_open(const struct backend_request *request, const struct backend_callbacks *callbacks,
            struct backend_stream **streams, unsigned *count, char error[256])
{
    struct backend_stream *stream = calloc(1, sizeof(*stream));
    if (!stream) {
        return TUTTI_NO_MEMORY;
    }
    stream->com = wasapi_enter();
    stream->callbacks = callbacks[0];
    enum tutti_status status = open_clients(stream, request, error);
    if (status == TUTTI_OK) {
        status = prepare(stream, request);
        if (status != TUTTI_OK) {
            snprintf(error, 256, "'%.63s': %s", stream->info.name, tutti_status_text(status));
        }
    }
    if (status != TUTTI_OK) {
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

/* ---- running ---- */

static HRESULT
prefill(struct backend_stream *stream)
{
    BYTE *data;
    uint32_t frames = stream->fill_periods * stream->info.period_frames;
    if (frames > stream->render.buffer_frames) {
        frames = stream->render.buffer_frames;
    }
    HRESULT result = IAudioRenderClient_GetBuffer(stream->renderer, frames, &data);
    if (SUCCEEDED(result)) {
        result =
            IAudioRenderClient_ReleaseBuffer(stream->renderer, frames, AUDCLNT_BUFFERFLAGS_SILENT);
    }
    return result;
}

static HRESULT
start_clients(struct backend_stream *stream)
{
    HRESULT result = S_OK;
    if (stream->capture.client) {
        result = IAudioClient_Start(stream->capture.client);
    }
    if (SUCCEEDED(result) && stream->render.client) {
        result = prefill(stream);
        if (SUCCEEDED(result)) {
            result = IAudioClient_Start(stream->render.client);
        }
    }
    return result;
}

static void
end_thread(struct backend_stream *stream)
{
    atomic_store_explicit(&stream->stop, true, memory_order_release);
    SetEvent(stream->render.client ? stream->render.event : stream->capture.event);
    os_thread_join(stream->thread);
    stream->thread = NULL;
}

/* Until what is queued was taken, for a stop would throw it away; a device that stands still is not
 * waited for. */
static void
drain(struct backend_stream *stream)
{
    double period_ms = stream->info.period_frames * 1e3 / stream->info.rate_hz;
    uint64_t limit_ns =
        os_now_ns() + (uint64_t)((stream->fill_periods + 1) * period_ms * OS_NS_PER_MS);
    UINT32 padding;
    while (SUCCEEDED(IAudioClient_GetCurrentPadding(stream->render.client, &padding)) && padding &&
           os_now_ns() < limit_ns) {
        WaitForSingleObject(stream->render.event, (DWORD)period_ms + 1);
    }
}

static void
stop_clients(struct backend_stream *stream)
{
    IAudioClient *clients[] = {stream->render.client, stream->capture.client};
    for (unsigned i = 0; i < 2; i++) {
        if (clients[i]) {
            IAudioClient_Stop(clients[i]);
            IAudioClient_Reset(clients[i]);
        }
    }
}

static enum tutti_status
wasapi_start(struct backend_stream *stream)
{
    if (atomic_load_explicit(&stream->lost, memory_order_acquire)) {
        return TUTTI_DEVICE_LOST;
    }
    struct wasapi_queue *queue = &stream->queue;
    backend_clock_start(&stream->clock, stream->info.rate_hz, stream->info.period_frames);
    ring_init(&queue->ring, queue->storage, queue->frame_bytes, ring_capacity(queue->size_frames));
    queue->inserted = queue->dropped = 0;
    queue->full = 0;
    queue->filling = true;
    queue->reading = false;
    stream->starved = 0;
    stream->paced = 0;
    stream->asked = false;
    atomic_store_explicit(&stream->stop, false, memory_order_release);
    atomic_store_explicit(&stream->going, false, memory_order_release);
    /* The thread first: a device may take its time to start, and cycles in silence run meanwhile.
     */
    enum tutti_status status =
        os_thread_start(&stream->thread, "tutti-wasapi", OS_PRIORITY_ENGINE, wasapi_run, stream);
    if (status != TUTTI_OK) {
        return status;
    }
    HRESULT result = start_clients(stream);
    if (FAILED(result)) {
        log_error("wasapi: '%s' does not start: 0x%08lx", stream->info.name, (unsigned long)result);
        end_thread(stream);
        stop_clients(stream);
        return wasapi_status(result);
    }
    /* Partner: the thread's acquire load; the clients are its own now. */
    atomic_store_explicit(&stream->going, true, memory_order_release);
    return TUTTI_OK;
}

static void
wasapi_stop(struct backend_stream *stream)
{
    if (!stream->thread) {
        return;
    }
    end_thread(stream);
    if (stream->render.client) {
        drain(stream);
    }
    stop_clients(stream);
    if (stream->queue.inserted || stream->queue.dropped || stream->starved || stream->paced) {
        log_info("wasapi: input frames inserted %llu, dropped %llu; output ran dry %u times; "
                 "cycles without the device %llu",
                 (unsigned long long)stream->queue.inserted,
                 (unsigned long long)stream->queue.dropped, stream->starved,
                 (unsigned long long)stream->paced);
    }
}

/* The period is Windows' own. What changes is how much is queued. */
static enum tutti_status
wasapi_set_period(struct backend_stream *stream, uint32_t period_frames)
{
    if (period_frames && period_frames != stream->info.period_frames) {
        return TUTTI_UNSUPPORTED;
    }
    if (atomic_load_explicit(&stream->lost, memory_order_acquire)) {
        return TUTTI_DEVICE_LOST;
    }
    if (stream->asked) {
        wasapi_lengthen(stream);
    }
    know_latency(stream);
    return TUTTI_OK;
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
    .set_period = wasapi_set_period,
};
