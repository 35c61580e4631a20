/* SPDX-License-Identifier: MIT */
/*
 * The public face of libtutti: arguments and states are checked here, once, so that the parts below
 * need not.
 */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/float_env.h"
#include "base/utf8.h"

const char *
tutti_last_error(const struct tutti_client *client)
{
    return client ? client->error : "";
}

uint64_t
tutti_now_ns(void)
{
    return os_now_ns();
}

void
tutti_free(void *memory)
{
    free(memory);
}

/* ---- opening ---- */

/* The file's name without folder and extension. */
static void
name_after_executable(char *name, size_t room)
{
    char path[CONNECT_PATH_BYTES];

    if (os_program_path(path, sizeof(path))) {
        utf8_copy(name, room, "program");
        return;
    }
    char *start = path;
    for (char *p = path; *p; p++) {
        if (*p == '/' || *p == '\\') {
            start = p + 1;
        }
    }
    char *dot = strrchr(start, '.');
    if (dot && dot != start) {
        *dot = '\0';
    }
    utf8_copy(name, room, start);
}

enum tutti_status
tutti_open(struct tutti_client **client, const struct tutti_open_params *params)
{
    static const struct tutti_open_params defaults;

    if (!client) {
        return TUTTI_INVALID_ARGUMENT;
    }
    if (!params) {
        params = &defaults;
    }
    if (params->error) {
        utf8_copy(params->error, TUTTI_TEXT_BYTES, tutti_status_text(TUTTI_NO_MEMORY));
    }
    struct tutti_client *made = calloc(1, sizeof(*made));
    if (!made) {
        return TUTTI_NO_MEMORY;
    }
    if (params->program && params->program[0]) {
        utf8_copy(made->program, sizeof(made->program), params->program);
    } else {
        name_after_executable(made->program, sizeof(made->program));
    }
    utf8_copy(made->profile, sizeof(made->profile), params->profile ? params->profile : "");
    utf8_copy(made->engine_path, sizeof(made->engine_path),
              params->engine_path ? params->engine_path : "");
    made->do_not_start = params->do_not_start;
    callback_init(&made->callback);
    os_mutex_init(&made->lock);
    os_mutex_init(&made->asking);
    os_cond_init(&made->changed);
    enum tutti_status status = events_open(&made->events, params->event, params->user);
    if (status) {
        goto no_events;
    }
    status = reconnect_open(made);
    if (status) {
        if (params->error) {
            utf8_copy(params->error, TUTTI_TEXT_BYTES, made->attempt_text);
        }
        goto no_link;
    }
    *client = made;
    return TUTTI_OK;

no_link:
    events_close(&made->events);
no_events:
    os_cond_fini(&made->changed);
    os_mutex_fini(&made->asking);
    os_mutex_fini(&made->lock);
    free(made);
    return status;
}

void
tutti_close(struct tutti_client *client)
{
    FLOAT_ENV_OURS;
    if (!client) {
        return;
    }
    if (client_state(client) != CLIENT_OPEN) {
        tutti_dispose(client);
    }
    reconnect_close(client);
    events_close(&client->events);
    os_cond_fini(&client->changed);
    os_mutex_fini(&client->asking);
    os_mutex_fini(&client->lock);
    free(client);
}

/* The widest that any device is asked for. Not-a-number and infinities are out, too. */
static bool
is_rate(double rate_hz)
{
    return rate_hz >= 1000 && rate_hz <= 1e6;
}

/* type: SET_RATE or CAN_RATE. */
static enum tutti_status
ask_rate(struct tutti_client *client, enum proto_type type, double rate_hz, uint64_t timeout_ms,
         char text[PROTO_TEXT_BYTES])
{
    struct proto_set_rate message;
    struct link_question question = {.message = &message.header, .timeout_ms = timeout_ms};

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, type, 0);
    message.rate_hz = rate_hz;
    return link_ask(client, &question, text);
}

enum tutti_status
tutti_set_rate(struct tutti_client *client, double rate_hz)
{
    FLOAT_ENV_OURS;
    char text[PROTO_TEXT_BYTES] = "";
    bool prepared = client_state(client) != CLIENT_OPEN;

    if (callback_is_self(&client->callback)) {
        return client_fail(client, TUTTI_INVALID_STATE,
                           "the sample rate cannot be changed within a callback");
    }
    if (!is_rate(rate_hz)) {
        return client_fail(client, TUTTI_UNSUPPORTED_RATE, NULL);
    }
    if (link_require(client, text)) {
        return client_fail(client, TUTTI_ENGINE_LOST, text);
    }
    enum tutti_status status = ask_rate(client, PROTO_SET_RATE, rate_hz,
                                        prepared ? CLIENT_OPEN_MS : CLIENT_ANSWER_MS, text);
    if (status) {
        return client_fail(client, status, text);
    }
    os_mutex_lock(&client->lock);
    client->rate_hz = rate_hz;
    client->device.rate_hz = rate_hz;
    if (prepared) {
        atomic_store(&client->callback.rate_millihz, client_to_millihz(rate_hz));
    }
    os_mutex_unlock(&client->lock);
    return TUTTI_OK;
}

enum tutti_status
tutti_can_rate(struct tutti_client *client, double rate_hz, char text[TUTTI_TEXT_BYTES])
{
    FLOAT_ENV_OURS;
    if (!is_rate(rate_hz)) {
        utf8_copy(text, TUTTI_TEXT_BYTES, tutti_status_text(TUTTI_UNSUPPORTED_RATE));
        return TUTTI_UNSUPPORTED_RATE;
    }
    return ask_rate(client, PROTO_CAN_RATE, rate_hz, CLIENT_ANSWER_MS, text);
}

/* ---- streaming ---- */

/* NULL when a channel makes no sense. */
static bool
copy_channels(struct proto_channel *to, const struct tutti_channel *from, uint32_t count,
              bool is_input)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tutti_channel channel = {.kind = TUTTI_CHANNEL_DEVICE, .channel = i};
        if (from) {
            channel = from[i];
        }
        if (channel.channel >= TUTTI_MAX_CHANNELS) {
            return false;
        }
        switch (channel.kind) {
        case TUTTI_CHANNEL_DEVICE:
            to[i].kind = PROTO_CHANNEL_DEVICE;
            break;
        case TUTTI_CHANNEL_NONE:
            to[i].kind = PROTO_CHANNEL_NONE;
            break;
        case TUTTI_CHANNEL_MIX:
            to[i].kind = PROTO_CHANNEL_MIX;
            break;
        case TUTTI_CHANNEL_PROGRAM:
            to[i].kind = PROTO_CHANNEL_PROGRAM;
            to[i].program = channel.program;
            break;
        default:
            return false;
        }
        if (!is_input && to[i].kind != PROTO_CHANNEL_DEVICE && to[i].kind != PROTO_CHANNEL_NONE) {
            return false;
        }
        to[i].channel = (uint16_t)channel.channel;
    }
    return true;
}

static uint32_t
flags_of(const struct tutti_stream_params *params)
{
    return (params->late_take ? PROTO_PREPARE_LATE_TAKE : 0) |
           (params->tight ? PROTO_PREPARE_TIGHT : 0) | (params->exact ? PROTO_PREPARE_EXACT : 0);
}

static enum tutti_status
fill_prepare(struct tutti_client *client, const struct tutti_stream_params *params)
{
    struct proto_prepare *message = &client->prepare;

    memset(message, 0, sizeof(*message));
    proto_header_init(&message->header, PROTO_PREPARE, 0);
    message->buffer_frames = params->buffer_frames;
    message->inputs = params->inputs;
    message->outputs = params->outputs;
    message->flags = flags_of(params);
    if (params->inputs > TUTTI_MAX_CHANNELS || params->outputs > TUTTI_MAX_CHANNELS) {
        return client_fail(client, TUTTI_INVALID_ARGUMENT,
                           "at most 256 channels in each direction");
    }
    if (!copy_channels(message->input, params->input, params->inputs, true) ||
        !copy_channels(message->output, params->output, params->outputs, false)) {
        return client_fail(client, TUTTI_INVALID_ARGUMENT,
                           "a channel is joined to something that does not exist");
    }
    return TUTTI_OK;
}

enum tutti_status
tutti_prepare(struct tutti_client *client, const struct tutti_stream_params *params)
{
    FLOAT_ENV_OURS;
    char text[PROTO_TEXT_BYTES] = "";

    if (client_state(client) != CLIENT_OPEN) {
        return client_fail(client, TUTTI_INVALID_STATE, "buffers are prepared already");
    }
    if (!params || !params->process) {
        return client_fail(client, TUTTI_INVALID_ARGUMENT, "there is no process function");
    }
    enum tutti_status status = fill_prepare(client, params);
    if (status) {
        return status;
    }
    status = callback_prepare(&client->callback, params);
    if (status) {
        return client_fail(client, status,
                           status == TUTTI_INVALID_ARGUMENT
                               ? "a buffer has 1 to 8192 frames, and there is at least one channel"
                               : NULL);
    }
    status = attach_prepare(client, text);
    if (status) {
        callback_dispose(&client->callback);
        return client_fail(client, status, text);
    }
    client_enter(client, CLIENT_PREPARED);
    return TUTTI_OK;
}

float *
tutti_input(struct tutti_client *client, uint32_t channel, unsigned half)
{
    struct callback *callback = &client->callback;

    if (client_state(client) == CLIENT_OPEN || half > 1 || channel >= callback->layout.inputs) {
        return NULL;
    }
    return proto_input(&callback->layout, callback->segment, channel, half);
}

float *
tutti_output(struct tutti_client *client, uint32_t channel, unsigned half)
{
    struct callback *callback = &client->callback;

    if (client_state(client) == CLIENT_OPEN || half > 1 || channel >= callback->layout.outputs) {
        return NULL;
    }
    return proto_output(&callback->layout, callback->segment, channel, half);
}

enum tutti_status
tutti_forecast_latencies(struct tutti_client *client, const struct tutti_stream_params *params,
                         uint32_t *input_frames, uint32_t *output_frames)
{
    FLOAT_ENV_OURS;
    char text[PROTO_TEXT_BYTES] = "";
    struct proto_forecast message;
    struct proto_forecast_reply reply;
    struct link_question question = {
        .message = &message.header, .expected = PROTO_FORECAST_REPLY, .answer = &reply};

    if (!params || params->buffer_frames < 1 || params->buffer_frames > PROTO_MAX_BUFFER_FRAMES) {
        return TUTTI_INVALID_ARGUMENT;
    }
    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_FORECAST, 0);
    message.buffer_frames = params->buffer_frames;
    message.flags = flags_of(params);
    enum tutti_status status = link_ask(client, &question, text);
    if (status == TUTTI_OK) {
        *input_frames = reply.input_latency_frames;
        *output_frames = reply.output_latency_frames;
    }
    return status;
}

enum tutti_status
tutti_get_latencies(struct tutti_client *client, uint32_t *input_frames, uint32_t *output_frames)
{
    FLOAT_ENV_OURS;
    if (client_state(client) == CLIENT_OPEN) {
        return client_fail(client, TUTTI_INVALID_STATE,
                           "the latencies are known once buffers are prepared");
    }
    os_mutex_lock(&client->lock);
    if (input_frames) {
        *input_frames = client->input_latency_frames;
    }
    if (output_frames) {
        *output_frames = client->output_latency_frames;
    }
    os_mutex_unlock(&client->lock);
    return TUTTI_OK;
}

/* After a stop from within process(): joins the thread, if the caller is another. True when the
 * client is not stopping (any longer). */
static bool
settle(struct tutti_client *client)
{
    if (client_state(client) != CLIENT_STOPPING) {
        return true;
    }
    if (callback_is_self(&client->callback)) {
        return false;
    }
    callback_join(&client->callback);
    client_enter(client, CLIENT_PREPARED);
    return true;
}

enum tutti_status
tutti_start(struct tutti_client *client)
{
    /* Nothing is computed here: the callback thread begins in the host's floating-point
     * environment, as any thread that the host starts. */
    if (!settle(client) || client_state(client) != CLIENT_PREPARED) {
        return client_fail(client, TUTTI_INVALID_STATE,
                           client_state(client) == CLIENT_OPEN ? "no buffers are prepared"
                                                               : "it runs already");
    }
    enum tutti_status status = callback_start(&client->callback);
    if (status) {
        return client_fail(client, status, NULL);
    }
    client_enter(client, CLIENT_RUNNING);
    return TUTTI_OK;
}

enum tutti_status
tutti_stop(struct tutti_client *client)
{
    FLOAT_ENV_OURS;
    bool was_stopping = client_state(client) == CLIENT_STOPPING;

    if (!settle(client) || was_stopping) {
        return TUTTI_OK;
    }
    if (client_state(client) != CLIENT_RUNNING) {
        return client_fail(client, TUTTI_INVALID_STATE, "it does not run");
    }
    callback_ask_stop(&client->callback);
    client_enter(client, CLIENT_STOPPING);
    settle(client);
    return TUTTI_OK;
}

enum tutti_status
tutti_dispose(struct tutti_client *client)
{
    FLOAT_ENV_OURS;
    if (client_state(client) == CLIENT_OPEN) {
        return client_fail(client, TUTTI_INVALID_STATE, "no buffers are prepared");
    }
    if (client_state(client) == CLIENT_RUNNING) {
        tutti_stop(client);
    }
    if (!settle(client)) {
        return client_fail(client, TUTTI_INVALID_STATE,
                           "buffers cannot be disposed of within their callback");
    }
    attach_dispose(client);
    client_enter(client, CLIENT_OPEN);
    callback_dispose(&client->callback);
    return TUTTI_OK;
}

void
tutti_block_ready(struct tutti_client *client)
{
    callback_ready(&client->callback);
}

enum tutti_status
tutti_get_position(struct tutti_client *client, struct tutti_block *block)
{
    struct tutti_block last;

    if (client_state(client) != CLIENT_RUNNING ||
        !last_block_get(&client->callback.last_block, &last)) {
        return TUTTI_INVALID_STATE;
    }
    *block = last;
    return TUTTI_OK;
}
