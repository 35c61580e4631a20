/* SPDX-License-Identifier: MIT */
/*
 * The stream's thread. The output's event drives the cycle (the input's, where there is no output);
 * what the input captures waits in a queue for its cycle.
 *
 * Windows takes one period of output per pass and signals the event. So one period is queued after
 * each cycle, or two after the output ran dry twice. Input packets may come several at once: as
 * many periods wait as that takes, one at first. Programs take an engine without cycles for dead:
 * while no event comes, the thread runs cycles in silence.
 */
#include <stdio.h>
#include <string.h>

#include "backend/silence.h"
#include "backend/wasapi/wasapi.h"
#include "base/log.h"
#include "os/os.h"

enum {
    ASK_MS = 100,  /* in silence: is the device still there? */
    DRY_TIMES = 2, /* the output had nothing: one more period is needed */
    MOST_FILL_PERIODS = 2,
    MOST_WAIT_PERIODS = 6,
    LOOK_CYCLES = 64, /* after so many it is seen how full the input's queue was */
    FULL_TIMES = 2,   /* in a row: once may be a thread that was late */
};

/* What the thread knows beside the stream. */
struct runner {
    struct backend_stream *stream;
    struct wasapi_client *master;
    uint64_t period_ns;
    struct backend_silence silence;
    uint64_t event_ns; /* when the last event was seen */
    uint64_t asked_ns;
    uint32_t left_frames; /* of output, queued when the last cycle had ended */
    bool ran;             /* there was a cycle with the device */
    bool broken;          /* the device lost time since the last cycle */
};

void
wasapi_lay_out(struct backend_area *areas, unsigned char *memory, uint32_t channels,
               uint32_t stride_channels, uint32_t sample_bytes)
{
    for (uint32_t c = 0; c < channels; c++) {
        areas[c].first = memory + (size_t)c * sample_bytes;
        areas[c].stride_bytes = sample_bytes * stride_channels;
    }
}

/* ---- input ---- */

static void
drop(struct wasapi_queue *queue, uint32_t frames)
{
    ring_read_done(&queue->ring, frames);
    queue->dropped += frames;
}

/* A packet; the oldest frames make room for it. */
static void
enqueue(struct wasapi_queue *queue, const unsigned char *data, uint32_t frames, bool silent)
{
    if (frames > queue->size_frames) {
        uint32_t excess = frames - queue->size_frames;
        data += (size_t)excess * queue->frame_bytes;
        frames -= excess;
        queue->dropped += excess;
    }
    uint32_t waiting = ring_readable(&queue->ring) + frames;
    drop(queue, waiting > queue->size_frames ? waiting - queue->size_frames : 0);
    if (silent) {
        struct ring_region region = ring_write_region(&queue->ring, frames);
        memset(region.run[0], 0, (size_t)region.count[0] * queue->frame_bytes);
        memset(region.run[1], 0, (size_t)region.count[1] * queue->frame_bytes);
        ring_write_done(&queue->ring, frames);
    } else {
        ring_write(&queue->ring, data, frames);
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
        enqueue(&stream->queue, data, frames, flags & AUDCLNT_BUFFERFLAGS_SILENT);
        result = IAudioCaptureClient_ReleaseBuffer(stream->capturer, frames);
        if (FAILED(result)) {
            break;
        }
    }
    return result;
}

static void
look_again(struct wasapi_queue *queue)
{
    queue->seen = queue->most_periods = 0;
    queue->least_periods = UINT32_MAX;
}

/* How many periods wait is seen over some time: packets may come several at once. More than was
 * reported is too much, if it is never needed; else it is what it takes. */
static void
look(struct wasapi_queue *queue, uint32_t waiting_periods)
{
    if (waiting_periods < queue->least_periods) {
        queue->least_periods = waiting_periods;
    }
    if (waiting_periods > queue->most_periods) {
        queue->most_periods = waiting_periods;
    }
    if (++queue->seen < LOOK_CYCLES) {
        return;
    }
    bool is_more = queue->most_periods > queue->wait_periods;
    queue->full = is_more && queue->least_periods < 2 ? queue->full + 1 : 0;
    if (is_more && queue->least_periods >= 2) {
        drop(queue, queue->period_frames);
    } else if (queue->full >= FULL_TIMES) {
        queue->want_periods =
            queue->most_periods < MOST_WAIT_PERIODS ? queue->most_periods : MOST_WAIT_PERIODS;
    }
    look_again(queue);
}

/* True when the queue is as full as it has to be; what is more is too old. */
static bool
is_filled(struct wasapi_queue *queue)
{
    uint32_t waiting_periods = ring_readable(&queue->ring) / queue->period_frames;
    if (waiting_periods < queue->wait_periods) {
        return false;
    }
    if (queue->reading) {
        drop(queue, (waiting_periods - queue->wait_periods) * queue->period_frames);
    }
    return true;
}

/* One period of input for the cycle: the oldest that waits; silence while there is none. */
static void
take_input(struct backend_stream *stream)
{
    struct wasapi_queue *queue = &stream->queue;
    uint32_t period = queue->period_frames;
    if (queue->filling && is_filled(queue)) {
        queue->filling = false;
        queue->reading = true;
        look_again(queue);
    }
    uint32_t waiting_periods = ring_readable(&queue->ring) / period;
    if (queue->filling || waiting_periods == 0) {
        memset(stream->period_in, 0, (size_t)period * queue->frame_bytes);
        queue->inserted += queue->reading ? period : 0;
        return; /* what comes waits longer by this period */
    }
    ring_read(&queue->ring, stream->period_in, period);
    look(queue, waiting_periods);
}

/* ---- cycles ---- */

/* A cycle with the device. */
static void
run_period(struct runner *runner)
{
    struct backend_stream *stream = runner->stream;
    uint64_t now_ns = os_now_ns();
    if (runner->broken || runner->silence.frames) {
        backend_clock_restart(&stream->clock);
        stream->queue.filling = true; /* what was captured meanwhile is too old */
    }
    struct backend_moment moment = backend_clock_tick(&stream->clock, now_ns, 0);
    if (stream->capture.client) {
        take_input(stream);
        wasapi_lay_out(stream->in, stream->period_in, stream->info.inputs,
                       stream->capture.mix.channels, dsp_format_bytes(stream->info.input_format));
    }
    if (stream->render.client) {
        wasapi_lay_out(stream->out, stream->period_out, stream->info.outputs,
                       stream->render.mix.channels, dsp_format_bytes(stream->info.output_format));
    }
    backend_silence_end(&runner->silence, now_ns);
    runner->ran = true;
    runner->broken = false;
    struct backend_cycle cycle = {
        .in = stream->in,
        .out = stream->out,
        .frames = stream->info.period_frames,
        .start_ns = now_ns,
    };
    backend_clock_call(&stream->callbacks, &moment, &cycle);
}

/* ---- output ---- */

/* True when Windows found nothing to play since the last cycle: a pass took all that was there and
 * another one came, or the event came and what we wrote last is still there, too late for it. */
static bool
ran_dry(const struct runner *runner, uint32_t padding)
{
    double left_periods = (double)runner->left_frames / runner->stream->info.period_frames;
    double passed_ns = (double)(os_now_ns() - runner->event_ns);
    return (padding == 0 && passed_ns > (left_periods + 0.9) * (double)runner->period_ns) ||
           (runner->left_frames && padding >= runner->left_frames);
}

static HRESULT
write_period(struct backend_stream *stream)
{
    BYTE *data = NULL;
    uint32_t period = stream->info.period_frames;
    HRESULT result = IAudioRenderClient_GetBuffer(stream->renderer, period, &data);
    if (SUCCEEDED(result)) {
        memcpy(data, stream->period_out,
               (size_t)period * stream->render.mix.channels *
                   dsp_format_bytes(stream->render.mix.format));
        result = IAudioRenderClient_ReleaseBuffer(stream->renderer, period, 0);
    }
    return result;
}

static HRESULT
render_what_fits(struct runner *runner)
{
    struct backend_stream *stream = runner->stream;
    uint32_t period = stream->info.period_frames;
    UINT32 padding = 0;
    HRESULT result = IAudioClient_GetCurrentPadding(stream->render.client, &padding);
    if (FAILED(result)) {
        return result;
    }
    bool dry = runner->ran && !runner->silence.frames && ran_dry(runner, padding);
    stream->starved += dry;
    runner->broken |= dry;
    runner->event_ns = os_now_ns();
    while (SUCCEEDED(result) && padding + period <= stream->render.buffer_frames &&
           padding < stream->fill_periods * period) {
        run_period(runner);
        result = write_period(stream);
        padding += period;
    }
    runner->left_frames = padding;
    return result;
}

static HRESULT
capture_what_waits(struct runner *runner)
{
    struct wasapi_queue *queue = &runner->stream->queue;
    while (ring_readable(&queue->ring) >= queue->period_frames) {
        run_period(runner);
    }
    return S_OK;
}

/* ---- trouble ---- */

static void
lose(struct backend_stream *stream, enum tutti_status status, const char *why)
{
    char text[160];
    snprintf(text, sizeof(text), "'%.63s' is gone: %.80s", stream->info.name, why);
    /* Partner: start()'s acquire load. */
    atomic_store_explicit(&stream->lost, true, memory_order_release);
    stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_LOST, status, text);
}

static bool
output_needs_more(const struct backend_stream *stream)
{
    return stream->starved >= DRY_TIMES && stream->fill_periods < MOST_FILL_PERIODS &&
           (stream->fill_periods + 1) * stream->info.period_frames <= stream->render.buffer_frames;
}

static bool
input_needs_more(const struct backend_stream *stream)
{
    return stream->queue.want_periods > stream->queue.wait_periods;
}

/* A longer queue is another latency, so the engine takes it over: set_period(0). */
static void
ask_for_more(struct backend_stream *stream)
{
    bool output = output_needs_more(stream);
    if (!stream->asked && (output || input_needs_more(stream))) {
        char text[128];
        stream->asked = true;
        snprintf(text, sizeof(text), "'%.63s': the %s needs a longer queue", stream->info.name,
                 output ? "output" : "input");
        stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_PERIOD_CHANGED, TUTTI_OK,
                                text);
    }
}

void
wasapi_lengthen(struct backend_stream *stream)
{
    stream->fill_periods += output_needs_more(stream);
    if (input_needs_more(stream)) {
        stream->queue.wait_periods = stream->queue.want_periods;
    }
}

/* ---- the loop ---- */

/* True when the event came before the time was over. */
static bool
wait(const struct runner *runner)
{
    HANDLE both[] = {runner->master->event, runner->stream->timer};
    uint64_t now_ns = os_now_ns(), until_ns = backend_silence_due_ns(&runner->silence);
    LARGE_INTEGER ticks = {.QuadPart = 0};
    if (until_ns > now_ns) {
        ticks.QuadPart = -(LONGLONG)((until_ns - now_ns + 99) / 100);
    }
    if (!SetWaitableTimer(runner->stream->timer, &ticks, 0, NULL, NULL, FALSE)) {
        return WaitForSingleObject(both[0], 1) == WAIT_OBJECT_0;
    }
    return WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0;
}

static HRESULT
run_with_device(struct runner *runner)
{
    struct backend_stream *stream = runner->stream;
    HRESULT result = stream->capture.client ? read_packets(stream) : S_OK;
    if (SUCCEEDED(result)) {
        result = stream->render.client ? render_what_fits(runner) : capture_what_waits(runner);
    }
    ask_for_more(stream);
    return result;
}

static HRESULT
run_without_device(struct runner *runner)
{
    UINT32 padding;
    uint64_t now_ns = os_now_ns();
    if (now_ns >= backend_silence_due_ns(&runner->silence)) {
        runner->stream->paced += backend_silence_run(&runner->silence, now_ns);
    }
    if (!atomic_load_explicit(&runner->stream->going, memory_order_acquire) ||
        now_ns < runner->asked_ns + (uint64_t)ASK_MS * OS_NS_PER_MS) {
        return S_OK;
    }
    runner->asked_ns = now_ns;
    return IAudioClient_GetCurrentPadding(runner->master->client, &padding);
}

void
wasapi_run(void *arg)
{
    struct backend_stream *stream = arg;
    const struct backend_info *info = &stream->info;
    struct runner runner = {
        .stream = stream,
        .master = stream->render.client ? &stream->render : &stream->capture,
        .period_ns = (uint64_t)(info->period_frames * 1e9 / info->rate_hz),
        .left_frames = stream->fill_periods * info->period_frames,
    };
    backend_silence_start(&runner.silence, &stream->clock, &stream->callbacks, info->rate_hz,
                          os_now_ns());
    while (!atomic_load_explicit(&stream->stop, memory_order_acquire)) {
        bool came = wait(&runner);
        if (atomic_load_explicit(&stream->stop, memory_order_acquire)) {
            return;
        }
        /* an event before the start is one of the last run */
        bool with_device = came && atomic_load_explicit(&stream->going, memory_order_acquire);
        HRESULT result = with_device ? run_with_device(&runner) : run_without_device(&runner);
        if (FAILED(result)) {
            char why[48];
            snprintf(why, sizeof(why), "Windows says 0x%08lx", (unsigned long)result);
            lose(stream, wasapi_status(result), why);
            return;
        }
        if (backend_silence_is_over(&runner.silence, 0)) {
            lose(stream, TUTTI_DEVICE_LOST, "it does not answer any more");
            return;
        }
    }
}
