/* SPDX-License-Identifier: MIT */
/* What the engine tells of itself, its device and its programs, in the public structs. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/float_env.h"
#include "base/utf8.h"

static const char *const stream_states[PROTO_STREAM_STATE_COUNT] = {
    [PROTO_STREAM_CLOSED] = "closed",
    [PROTO_STREAM_OPENING] = "opening",
    [PROTO_STREAM_RUNNING] = "running",
    [PROTO_STREAM_LOST] = "lost",
};

static const char *const program_states[PROTO_PROGRAM_STATE_COUNT] = {
    [PROTO_PROGRAM_CONNECTED] = "connected", [PROTO_PROGRAM_PREPARED] = "prepared",
    [PROTO_PROGRAM_RUNNING] = "running",     [PROTO_PROGRAM_LATE] = "late",
    [PROTO_PROGRAM_GONE] = "gone",
};

static_assert((int)TUTTI_METERS == (int)PROTO_STATUS_METERS,
              "as many meters as the engine reports");
static_assert((int)TUTTI_MAX_DEVICES == (int)PROTO_STATUS_DEVICES, "as many devices likewise");

/* Each field of a table from one struct to the other; a state becomes its name. */
#define FIELD_COPY_STATE(to, from) to = states[from];
#define COPY_FIELD(type, name, ...) FIELD_COPY_##type(to->name, from->name)

void
status_copy_device(struct tutti_device *to, const struct proto_device *from)
{
    const char *const *states = stream_states;

    memset(to, 0, sizeof(*to));
    DEVICE_FIELDS(COPY_FIELD)
}

static void
copy_device_status(struct tutti_device_status *to, const struct proto_device_status *from)
{
    status_copy_device(&to->device, &from->device);
    to->cycles = from->cycles;
    to->xruns = from->xruns;
    to->reopenings = from->reopenings;
    to->gap_frames = from->gap_frames;
    to->engine_overruns = from->engine_overruns;
    to->cycle_p50_us = from->cycle_p50_us;
    to->cycle_p99_us = from->cycle_p99_us;
}

void
status_copy_program(struct tutti_program_status *to, const struct proto_status_reply *reply,
                    uint32_t i)
{
    const char *const *states = program_states;
    const struct proto_program_status *from = &reply->program[i];

    memset(to, 0, sizeof(*to));
    CLIENT_STATUS_FIELDS(COPY_FIELD)
#define COPY_LATER(type, name, ...) FIELD_COPY_##type(to->name, reply->name[i])
    CLIENT_STATUS_LATER_FIELDS(COPY_LATER)
#undef COPY_LATER
}

/* One STATUS. reply is big: the caller's heap. */
static enum tutti_status
ask_status(struct tutti_client *client, uint32_t first_program, struct proto_status_reply *reply,
           char text[PROTO_TEXT_BYTES])
{
    struct proto_status message;
    struct link_question question = {
        .message = &message.header, .expected = PROTO_STATUS_REPLY, .answer = reply};

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_STATUS, 0);
    message.first_program = first_program;
    return link_ask(client, &question, text);
}

enum tutti_status
tutti_get_device(struct tutti_client *client, struct tutti_device *device)
{
    FLOAT_ENV_OURS;
    /* Beyond every program: the device alone is wanted, and meters that somebody else reads stay as
     * they are. */
    const uint32_t no_program = UINT16_MAX;
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    char text[PROTO_TEXT_BYTES];
    enum tutti_status status = TUTTI_ENGINE_LOST;

    if (reply) {
        status = ask_status(client, no_program, reply, text);
    }
    os_mutex_lock(&client->lock);
    if (status == TUTTI_OK) {
        client->device = reply->own_device;
    }
    status_copy_device(device, &client->device);
    os_mutex_unlock(&client->lock);
    free(reply);
    return status ? TUTTI_ENGINE_LOST : TUTTI_OK;
}

enum tutti_status
tutti_get_status(struct tutti_client *client, struct tutti_engine_status *status,
                 struct tutti_program_status **programs)
{
    FLOAT_ENV_OURS;
    struct tutti_program_status *list = NULL;
    uint32_t count = 0, room = 0;
    char text[PROTO_TEXT_BYTES] = "";
    enum tutti_status result;

    if (link_require(client, text)) {
        return client_fail(client, TUTTI_ENGINE_LOST, text);
    }
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    if (!reply) {
        return client_fail(client, TUTTI_NO_MEMORY, NULL);
    }
    do {
        result = ask_status(client, count, reply, text);
        if (result) {
            goto fail;
        }
        if (reply->here > room - count) {
            room = count + reply->here;
            struct tutti_program_status *more = realloc(list, room * sizeof(*list));
            if (!more) {
                result = TUTTI_NO_MEMORY;
                goto fail;
            }
            list = more;
        }
        for (uint32_t i = 0; i < reply->here; i++) {
            status_copy_program(&list[count++], reply, i);
        }
    } while (reply->here && count < reply->program_count);

    memset(status, 0, sizeof(*status));
    status->engine_pid = reply->engine_pid;
    status->generation = reply->generation;
    status->uptime_ns = reply->uptime_ns;
    status->cycles = reply->cycles;
    status->device_xruns = reply->device_xruns;
    status->reopenings = reply->reopenings;
    status->gap_frames = reply->gap_frames;
    status->engine_overruns = reply->engine_overruns;
    status->cycle_p50_us = reply->cycle_p50_us;
    status->cycle_p99_us = reply->cycle_p99_us;
    status_copy_device(&status->device, &reply->device);
    utf8_copy(status->problem, sizeof(status->problem), reply->problem);
    status->program_count = count;
    status->device_count = reply->device_count;
    for (uint32_t d = 0; d < reply->device_count; d++) {
        copy_device_status(&status->devices[d], &reply->open_device[d]);
    }
    free(reply);
    if (programs) {
        *programs = list;
    } else {
        free(list);
    }
    return TUTTI_OK;

fail:
    free(list);
    free(reply);
    return client_fail(client, result, text);
}

enum tutti_status
tutti_get_devices(struct tutti_client *client, struct tutti_device_entry **devices, uint32_t *count)
{
    FLOAT_ENV_OURS;
    struct proto_empty message;
    struct tutti_device_entry *list = NULL;
    char text[PROTO_TEXT_BYTES] = "";

    if (link_require(client, text)) {
        return client_fail(client, TUTTI_ENGINE_LOST, text);
    }
    struct proto_devices_reply *reply = malloc(sizeof(*reply));
    enum tutti_status status = TUTTI_NO_MEMORY;
    if (!reply) {
        return client_fail(client, status, NULL);
    }
    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_DEVICES, 0);
    struct link_question question = {.message = &message.header,
                                     .expected = PROTO_DEVICES_REPLY,
                                     .answer = reply,
                                     .timeout_ms = CLIENT_DEVICES_MS};
    status = link_ask(client, &question, text);
    if (status) {
        goto out;
    }
    status = TUTTI_NO_MEMORY;
    list = calloc(reply->count + 1, sizeof(*list));
    if (!list) {
        goto out;
    }
    for (uint32_t i = 0; i < reply->count; i++) {
        utf8_copy(list[i].name, sizeof(list[i].name), reply->device[i].name);
        utf8_copy(list[i].backend, sizeof(list[i].backend), reply->device[i].backend);
        list[i].inputs = reply->device[i].inputs;
        list[i].outputs = reply->device[i].outputs;
        list[i].is_default = reply->device[i].is_default;
    }
    *devices = list;
    *count = reply->count;
    status = TUTTI_OK;
out:
    free(reply);
    return client_fail(client, status, text);
}

enum tutti_status
tutti_ask_engine_to_leave(struct tutti_client *client)
{
    struct proto_empty message;
    struct link_question question = {.message = &message.header};
    char text[PROTO_TEXT_BYTES] = "";

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_LEAVE, 0);
    enum tutti_status status = link_ask(client, &question, text);
    return client_fail(client, status, text);
}
