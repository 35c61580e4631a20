/* SPDX-License-Identifier: MIT */
/* See fake_tutti.h. */
#include "fake_tutti.h"

#include <stdlib.h>
#include <string.h>

struct fake_tutti fake_tutti;

void
fake_tutti_reset(void)
{
    memset(&fake_tutti, 0, sizeof(fake_tutti));
    fake_tutti.device = (struct tutti_device){
        .name = "Fake",
        .state = "closed",
        .inputs = 4,
        .outputs = 6,
        .period_frames = 64,
        .period_min_frames = 16,
        .period_max_frames = 4096,
        .input_latency_frames = 74, /* 10 beyond the period */
        .output_latency_frames = 84,
        .rate_hz = FAKE_RATE_HZ,
        .rates_hz = {44100, 48000, 96000},
    };
    fake_tutti.input_latency = 300;
    fake_tutti.output_latency = 320;
}

static DWORD WINAPI
callback_main(void *arg)
{
    struct tutti_client *client = arg;

    for (;;) {
        WaitForSingleObject(client->due, INFINITE);
        if (client->stop) {
            break;
        }
        client->stream.process(client->stream.user, &client->next);
        client->next.position_frames += client->stream.buffer_frames;
        client->next.device_frames += client->stream.buffer_frames;
        client->next.time_ns += 1000;
        client->next.half ^= 1;
        SetEvent(client->done);
    }
    SetEvent(client->done);
    return 0;
}

void
fake_tutti_begin(struct tutti_client *client)
{
    SetEvent(client->due);
}

void
fake_tutti_wait(struct tutti_client *client)
{
    WaitForSingleObject(client->done, 10000);
}

void
fake_tutti_block(struct tutti_client *client)
{
    if (!client->running) {
        return;
    }
    fake_tutti_begin(client);
    fake_tutti_wait(client);
}

void
fake_tutti_event(struct tutti_client *client, enum tutti_event_kind kind, double rate_hz)
{
    struct tutti_event event = {.kind = kind,
                                .value = fake_tutti.event_value,
                                .rate_hz = rate_hz,
                                .text = "something happened",
                                .losses = fake_tutti.event_losses};

    client->open.event(client->open.user, &event);
}

/* ---- libtutti ---- */

enum tutti_status
tutti_open(struct tutti_client **out, const struct tutti_open_params *params)
{
    fake_tutti.opens++;
    if (fake_tutti.open_status) {
        return fake_tutti.open_status;
    }
    struct tutti_client *client = calloc(1, sizeof(*client));
    client->open = *params;
    *out = fake_tutti.last = client;
    return TUTTI_OK;
}

void
tutti_close(struct tutti_client *client)
{
    if (client->memory) {
        tutti_dispose(client);
    }
    fake_tutti.closes++;
    free(client);
}

const char *
tutti_last_error(const struct tutti_client *client)
{
    (void)client;
    return "the fake says no";
}

enum tutti_status
tutti_get_device(struct tutti_client *client, struct tutti_device *device)
{
    (void)client;
    *device = fake_tutti.device;
    return TUTTI_OK;
}

enum tutti_status
tutti_set_rate(struct tutti_client *client, double rate_hz)
{
    char text[TUTTI_TEXT_BYTES];
    enum tutti_status status = tutti_can_rate(client, rate_hz, text);

    if (status) {
        return status;
    }
    fake_tutti.asked_rate = fake_tutti.device.rate_hz = rate_hz;
    if (client->memory) {
        fake_tutti_event(client, TUTTI_EVENT_RATE, rate_hz);
    }
    return TUTTI_OK;
}

enum tutti_status
tutti_forecast_latencies(struct tutti_client *client, const struct tutti_stream_params *params,
                         uint32_t *input_frames, uint32_t *output_frames)
{
    (void)client;
    if (!fake_tutti.forecasts) {
        return TUTTI_ENGINE_LOST;
    }
    *input_frames = params->buffer_frames + 1;
    *output_frames = params->buffer_frames + (params->late_take ? 1000 : 2);
    return TUTTI_OK;
}

enum tutti_status
tutti_can_rate(struct tutti_client *client, double rate_hz, char text[TUTTI_TEXT_BYTES])
{
    const struct tutti_device *device = &fake_tutti.device;
    bool known = rate_hz == device->rate_hz;

    (void)client;
    for (unsigned i = 0; i < TUTTI_MAX_RATES && device->rates_hz[i] > 0; i++) {
        known = known || device->rates_hz[i] == rate_hz;
    }
    strcpy(text, "the fake says no");
    return known ? rate_hz == device->rate_hz ? TUTTI_OK : fake_tutti.rate_status
                 : TUTTI_UNSUPPORTED_RATE;
}

enum tutti_status
tutti_prepare(struct tutti_client *client, const struct tutti_stream_params *params)
{
    if (fake_tutti.prepare_status) {
        return fake_tutti.prepare_status;
    }
    client->stream = *params;
    memcpy(client->input, params->input, params->inputs * sizeof(*params->input));
    memcpy(client->output, params->output, params->outputs * sizeof(*params->output));
    client->memory = calloc((size_t)2 * (params->inputs + params->outputs) * params->buffer_frames,
                            sizeof(float));
    client->due = CreateEventW(NULL, FALSE, FALSE, NULL);
    client->done = CreateEventW(NULL, FALSE, FALSE, NULL);
    return TUTTI_OK;
}

static float *
half_of(struct tutti_client *client, uint32_t channel, unsigned half)
{
    return client->memory + ((size_t)channel * 2 + half) * client->stream.buffer_frames;
}

float *
tutti_input(struct tutti_client *client, uint32_t channel, unsigned half)
{
    return channel < client->stream.inputs ? half_of(client, channel, half) : NULL;
}

float *
tutti_output(struct tutti_client *client, uint32_t channel, unsigned half)
{
    return channel < client->stream.outputs ? half_of(client, client->stream.inputs + channel, half)
                                            : NULL;
}

enum tutti_status
tutti_get_latencies(struct tutti_client *client, uint32_t *input_frames, uint32_t *output_frames)
{
    (void)client;
    *input_frames = fake_tutti.input_latency;
    *output_frames = fake_tutti.output_latency;
    return TUTTI_OK;
}

/* True when no thread is left (any longer). */
static bool
settle(struct tutti_client *client)
{
    if (!client->thread) {
        return true;
    }
    if (GetThreadId(client->thread) == GetCurrentThreadId()) {
        return false;
    }
    WaitForSingleObject(client->thread, INFINITE);
    CloseHandle(client->thread);
    client->thread = NULL;
    return true;
}

enum tutti_status
tutti_start(struct tutti_client *client)
{
    if (!settle(client)) {
        return TUTTI_INVALID_STATE;
    }
    if (fake_tutti.start_status) {
        return fake_tutti.start_status;
    }
    client->stop = 0;
    client->starts++;
    ResetEvent(client->due);
    ResetEvent(client->done);
    client->next = (struct tutti_block){
        .frames = client->stream.buffer_frames,
        .time_ns = 5000,
        .device_frames = 77000,
        .generation = 3,
    };
    client->running = true;
    client->thread = CreateThread(NULL, 0, callback_main, client, 0, NULL);
    return TUTTI_OK;
}

enum tutti_status
tutti_stop(struct tutti_client *client)
{
    if (!client->running) {
        return settle(client) ? TUTTI_INVALID_STATE : TUTTI_OK;
    }
    client->running = false;
    client->stops++;
    client->stop = 1;
    SetEvent(client->due);
    settle(client);
    return TUTTI_OK;
}

enum tutti_status
tutti_dispose(struct tutti_client *client)
{
    if (!client->memory) {
        return TUTTI_INVALID_STATE;
    }
    tutti_stop(client);
    if (!settle(client)) {
        return TUTTI_INVALID_STATE;
    }
    client->disposes++;
    free(client->memory);
    client->memory = NULL;
    CloseHandle(client->due);
    CloseHandle(client->done);
    return TUTTI_OK;
}

void
tutti_block_ready(struct tutti_client *client)
{
    client->ready++;
}

void
tutti_count_clipped(struct tutti_client *client, uint32_t samples)
{
    client->clipped += samples;
}

enum tutti_status
tutti_set_monitor(struct tutti_client *client, const struct tutti_monitor *monitor)
{
    memcpy(client->path, monitor->path, monitor->paths * sizeof(*monitor->path));
    client->paths = monitor->paths;
    memcpy(client->input_gain, monitor->input_gain, sizeof(client->input_gain));
    memcpy(client->output_gain, monitor->output_gain, sizeof(client->output_gain));
    InterlockedIncrement(&client->monitors);
    return TUTTI_OK;
}

float
tutti_take_peak(struct tutti_client *client, bool input, uint32_t channel)
{
    float *peak = input ? &client->input_peak[channel] : &client->output_peak[channel];
    float taken = *peak;

    *peak = 0;
    return taken;
}

uint64_t
tutti_now_ns(void)
{
    LARGE_INTEGER frequency, count;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    return (uint64_t)((double)count.QuadPart * 1e9 / (double)frequency.QuadPart);
}
