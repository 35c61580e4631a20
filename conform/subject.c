/* SPDX-License-Identifier: MIT */
/* A driver object on its way from Loaded to Running and back, as an ordinary host leads it. */
#include "conform/inside.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CALLBACK_MS = 3000, LEAVE_MS = 1000 };

const char *const subject_state_names[SUBJECT_STATES] = {
    [LOADED] = "Loaded",
    [INITIALIZED] = "Initialized",
    [PREPARED] = "Prepared",
    [RUNNING] = "Running",
};

void
subject_fail(struct subject *s, enum conform_method method, int32_t answer)
{
    char text[ASIO_ERROR_BYTES + 1] = "";

    call_get_error_message(s, text);
    text[strnlen(text, ASIO_ERROR_BYTES)] = '\0';
    conform_fail(s->t, "%s answered %s%s%s", conform_method_name(method),
                 conform_error_text(answer), text[0] ? ": " : "", text);
}

/* ---- Loaded, Initialized ---- */

struct subject *
subject_create(struct conform *t)
{
    char error[FIND_ERROR_BYTES];
    struct subject *s = calloc(1, sizeof(*s));

    if (!s || !host_open(&s->host, s)) {
        conform_fail(t, "no memory for a host");
        free(s);
        return NULL;
    }
    s->t = t;
    s->asio = find_create(&t->clsid, error);
    if (!s->asio) {
        conform_fail(t, "%s", error);
        subject_close(s);
        return NULL;
    }
    return s;
}

bool
subject_init(struct subject *s)
{
    char text[ASIO_ERROR_BYTES + 1];

    if (!call_init(s, NULL)) {
        call_get_error_message(s, text);
        conform_fail(s->t, "init failed: %s", text);
        return false;
    }
    int32_t answer = call_get_channels(s, &s->inputs, &s->outputs);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_get_channels, answer);
        return false;
    }
    answer = call_get_buffer_size(s, &s->min, &s->max, &s->preferred, &s->granularity);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_get_buffer_size, answer);
        return false;
    }
    answer = call_get_sample_rate(s, &s->rate_hz);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_get_sample_rate, answer);
        return false;
    }
    return true;
}

struct subject *
subject_open(struct conform *t)
{
    struct subject *s = subject_create(t);

    if (s && !subject_init(s)) {
        subject_close(s);
        return NULL;
    }
    return s;
}

/* ---- Prepared ---- */

static int32_t
take_channels(int32_t wanted, int32_t there)
{
    if (there > SUBJECT_CHANNELS) {
        there = SUBJECT_CHANNELS;
    }
    return wanted < 0 || wanted > there ? there : wanted;
}

static void
read_types(struct subject *s)
{
    for (int32_t i = 0; i < s->count; i++) {
        struct asio_channel_info info = {.channel = s->infos[i].channel,
                                         .is_input = s->infos[i].is_input};
        s->types[i] = call_get_channel_info(s, &info) == ASIO_OK ? info.type : -1;
    }
}

bool
subject_prepare(struct subject *s, int32_t inputs, int32_t outputs, int32_t buffer_frames)
{
    inputs = take_channels(inputs, s->inputs);
    outputs = take_channels(outputs, s->outputs);
    s->count = 0;
    memset(s->infos, 0, sizeof(s->infos));
    for (int32_t i = 0; i < inputs; i++) {
        s->infos[s->count++] = (struct asio_buffer_info){.is_input = 1, .channel = i};
    }
    for (int32_t i = 0; i < outputs; i++) {
        s->infos[s->count++] = (struct asio_buffer_info){.channel = i};
    }
    s->buffer_frames = buffer_frames ? buffer_frames : s->preferred;
    if (s->host.null_time_info) {
        s->host.callbacks.buffer_switch_time_info = NULL;
    }
    host_forget(&s->host);
    int32_t answer =
        call_create_buffers(s, s->infos, s->count, s->buffer_frames, &s->host.callbacks);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_create_buffers, answer);
        return false;
    }
    s->prepared = true;
    read_types(s);
    /* What the device came up with counts from here on. */
    call_get_sample_rate(s, &s->rate_hz);
    answer = call_get_latencies(s, &s->input_latency, &s->output_latency);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_get_latencies, answer);
        return false;
    }
    return true;
}

/* ---- Running ---- */

bool
subject_start(struct subject *s)
{
    host_forget(&s->host);
    int32_t answer = call_start(s);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_start, answer);
        return false;
    }
    s->running = true;
    return true;
}

bool
subject_stream(struct subject *s, uint32_t count)
{
    double rate_hz = s->rate_hz >= 1000 ? s->rate_hz : 44100;
    double needed_ms = count * (double)s->buffer_frames * 1000 / rate_hz;

    if (!subject_start(s)) {
        return false;
    }
    if (host_wait(&s->host, count, FIRST_CALLBACK_MS + (unsigned)(needed_ms * 1.5))) {
        return true;
    }
    conform_fail(s->t, "%u of %u callbacks of %d frames at %g Hz came within %.1f s of start",
                 atomic_load(&s->host.block_count), count, (int)s->buffer_frames, rate_hz,
                 (FIRST_CALLBACK_MS + needed_ms * 1.5) / 1000);
    return false;
}

/* ---- and back ---- */

void
subject_stop(struct subject *s)
{
    if (!s->running) {
        return;
    }
    s->running = false;
    int32_t answer = call_stop(s);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_stop, answer);
    }
}

void
subject_dispose(struct subject *s)
{
    subject_stop(s);
    if (!s->prepared) {
        return;
    }
    s->prepared = false;
    int32_t answer = call_dispose_buffers(s);
    if (answer != ASIO_OK) {
        subject_fail(s, METHOD_dispose_buffers, answer);
    }
}

void
subject_close(struct subject *s)
{
    if (!s) {
        return;
    }
    if (s->asio) {
        subject_dispose(s);
        call_release(s);
    }
    /* A driver that calls to the very end is given time to finish. */
    for (unsigned i = 0; i < LEAVE_MS && atomic_load(&s->host.inside); i++) {
        Sleep(1);
    }
    if (atomic_load(&s->host.inside)) {
        subject_abandon(s);
        return;
    }
    host_close(&s->host);
    free(s);
}

void
subject_abandon(struct subject *s)
{
    s->asio = NULL;
}

/* ---- states ---- */

struct subject *
subject_in(struct conform *t, enum subject_state state)
{
    struct subject *s = subject_create(t);

    if (!s) {
        return NULL;
    }
    if ((state >= INITIALIZED && !subject_init(s)) ||
        (state >= PREPARED && !subject_prepare(s, 2, 2, 0)) ||
        (state >= RUNNING && !subject_stream(s, 2))) {
        subject_close(s);
        return NULL;
    }
    return s;
}
