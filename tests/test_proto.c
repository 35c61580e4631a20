/* SPDX-License-Identifier: MIT */
/*
 * Messages and segment: that what is good passes, that each field that can be wrong is found by
 * name, and that no bytes at all make the check read past the message (for the address sanitizer:
 * each message lies in memory of exactly its size).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "proto/message.h"

/* ---- good messages ---- */

union message {
    struct proto_header header;
    struct proto_empty empty;
    struct proto_hello hello;
    struct proto_welcome welcome;
    struct proto_prepare prepare;
    struct proto_prepared prepared;
    struct proto_set_rate set_rate;
    struct proto_forecast forecast;
    struct proto_forecast_reply forecast_reply;
    struct proto_status status;
    struct proto_status_reply status_reply;
    struct proto_devices_reply devices_reply;
    struct proto_error error;
    struct proto_event event;
    struct proto_monitor monitor;
};

static void
fill_device(struct proto_device *device)
{
    utf8_copy(device->name, sizeof(device->name), "Tonstudio \xC3\x84");
    utf8_copy(device->backend, sizeof(device->backend), "sim");
    utf8_copy(device->format, sizeof(device->format), "24 bit");
    device->state = PROTO_STREAM_RUNNING;
    device->inputs = device->outputs = PROTO_MAX_CHANNELS;
    device->period_frames = 64;
    device->period_min_frames = 16;
    device->period_max_frames = 4096;
    device->input_latency_frames = PROTO_MAX_LATENCY_FRAMES;
    device->rate_hz = device->rates_hz[0] = 48000;
}

static void
fill_prepare(struct proto_prepare *prepare)
{
    prepare->buffer_frames = 64;
    prepare->inputs = PROTO_CHANNEL_KIND_COUNT;
    prepare->outputs = 2;
    prepare->flags = PROTO_PREPARE_LATE_TAKE | PROTO_PREPARE_TIGHT | PROTO_PREPARE_EXACT;
    for (uint16_t c = 0; c < PROTO_CHANNEL_KIND_COUNT; c++) {
        prepare->input[c] = (struct proto_channel){.kind = c, .channel = PROTO_MAX_CHANNELS - 1};
    }
    prepare->output[1].kind = PROTO_CHANNEL_NONE;
}

static void
fill_status_reply(struct proto_status_reply *reply)
{
    reply->first_program = 3;
    reply->here = 2;
    reply->program_count = 5;
    fill_device(&reply->device);
    fill_device(&reply->own_device);
    for (unsigned p = 0; p < 2; p++) {
        struct proto_program_status *program = &reply->program[p];
        utf8_copy(program->name, sizeof(program->name), "program");
        program->program_id = p + 1;
        program->bits = 32;
        program->state = PROTO_PROGRAM_GONE;
        program->buffer_frames = PROTO_MAX_BUFFER_FRAMES;
        program->output_peak[3] = INFINITY;
    }
}

/* A good message of each type. Its bytes. */
static size_t
make_good(union message *message, enum proto_type type)
{
    memset(message, 0, sizeof(*message));
    proto_header_init(&message->header, type, type == PROTO_EVENT ? 0 : 7);
    switch (type) {
    case PROTO_HELLO:
        message->hello.oldest_version = proto_versions.oldest;
        message->hello.bits = 64;
        utf8_copy(message->hello.program, sizeof(message->hello.program), "program");
        break;
    case PROTO_WELCOME:
        message->welcome.program_id = 1;
        message->welcome.generation = UINT64_MAX;
        utf8_copy(message->welcome.engine_version, sizeof(message->welcome.engine_version),
                  "0.1.0");
        fill_device(&message->welcome.device);
        break;
    case PROTO_PREPARE:
        fill_prepare(&message->prepare);
        break;
    case PROTO_PREPARED:
        fill_device(&message->prepared.device);
        message->prepared.patience_ms = 100;
        break;
    case PROTO_SET_RATE:
    case PROTO_CAN_RATE:
        message->set_rate.rate_hz = 44100;
        break;
    case PROTO_FORECAST:
        message->forecast.buffer_frames = 256;
        message->forecast.flags = PROTO_PREPARE_TIGHT;
        break;
    case PROTO_FORECAST_REPLY:
        message->forecast_reply.input_latency_frames = PROTO_MAX_LATENCY_FRAMES;
        break;
    case PROTO_STATUS_REPLY:
        fill_status_reply(&message->status_reply);
        break;
    case PROTO_DEVICES_REPLY:
        message->devices_reply.count = 2;
        message->devices_reply.device[1].is_default = 1;
        break;
    case PROTO_ERROR:
        message->error.status = TUTTI_DEVICE_BUSY;
        utf8_copy(message->error.text, sizeof(message->error.text), "why");
        break;
    case PROTO_EVENT:
        message->event.kind = PROTO_EVENT_DEVICE_BACK;
        message->event.rate_hz = 96000;
        break;
    case PROTO_MONITOR:
        message->monitor.count = PROTO_MAX_PATHS;
        message->monitor.path[0] =
            (struct proto_path){PROTO_MAX_CHANNELS - 1, PROTO_MAX_CHANNELS - 1, PROTO_MAX_GAIN};
        message->monitor.input_gain[0] = message->monitor.output_gain[1] = 1.0f;
        break;
    case PROTO_DISPOSE:
    case PROTO_STATUS:
    case PROTO_DEVICES:
    case PROTO_LEAVE:
    case PROTO_OK:
    case PROTO_NONE:
    case PROTO_TYPE_COUNT:
        break;
    }
    return proto_size(type);
}

static bool
is_from_program(enum proto_type type)
{
    static const bool from_program[PROTO_TYPE_COUNT] = {
#define P true
#define E false
#define ROW(name, body, direction) [PROTO_##name] = direction,
        PROTO_MESSAGE_TABLE(ROW)
#undef ROW
#undef P
#undef E
    };
    return from_program[type];
}

/* Checks a copy that ends where its memory ends. */
static enum tutti_status
check(const void *message, size_t bytes, bool from_program, const char **why)
{
    void *copy = malloc(bytes ? bytes : 1);
    assert_non_null(copy);
    memcpy(copy, message, bytes);
    *why = NULL;
    enum tutti_status status = proto_check(copy, bytes, from_program, why);
    assert_int_equal(memcmp(copy, message, bytes), 0);
    free(copy);
    return status;
}

static void
assert_wrong(const union message *message, const char *field)
{
    const char *why;
    enum proto_type type = (enum proto_type)message->header.type;
    enum tutti_status status =
        check(message, message->header.size_bytes, is_from_program(type), &why);
    if (status != TUTTI_PROTOCOL || !why || strcmp(why, field) != 0) {
        fail_msg("%s: %s (%s)", field, tutti_status_name(status), why ? why : "no field");
    }
}

static void
a_good_message_of_every_type_passes_in_its_own_direction_only(void **state)
{
    union message message;
    const char *why;
    for (int t = PROTO_NONE + 1; t < PROTO_TYPE_COUNT; t++) {
        enum proto_type type = (enum proto_type)t;
        size_t bytes = make_good(&message, type);
        bool from_program = is_from_program(type);
        if (check(&message, bytes, from_program, &why) != TUTTI_OK) {
            fail_msg("%s: %s", proto_type_name(type), why);
        }
        assert_int_equal(check(&message, bytes, !from_program, &why), TUTTI_PROTOCOL);
        assert_string_equal(why, "header.type");
    }
}

static void
a_message_has_exactly_the_size_of_its_type(void **state)
{
    unsigned char bytes[sizeof(union message) + 4];
    const char *why;
    for (int t = PROTO_NONE + 1; t < PROTO_TYPE_COUNT; t++) {
        enum proto_type type = (enum proto_type)t;
        union message message;
        size_t size = make_good(&message, type);
        bool from_program = is_from_program(type);
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, &message, size);
        for (size_t length = 0; length <= size + 4; length += length < 32 ? 1 : 4) {
            if (length != size) {
                /* cut off or longer than it says, then saying so */
                assert_int_equal(check(bytes, length, from_program, &why), TUTTI_PROTOCOL);
                uint32_t says = (uint32_t)length;
                unsigned char other[sizeof(bytes)];
                memcpy(other, bytes, sizeof(bytes));
                memcpy(other + offsetof(struct proto_header, size_bytes), &says, sizeof(says));
                assert_int_equal(check(other, length, from_program, &why), TUTTI_PROTOCOL);
                assert_non_null(why);
            }
        }
    }
}

static void
types_that_there_are_not_are_refused(void **state)
{
    union message message;
    const char *why;
    const uint16_t types[] = {PROTO_NONE, PROTO_TYPE_COUNT, UINT16_MAX};
    for (unsigned i = 0; i < 3; i++) {
        size_t bytes = make_good(&message, PROTO_DISPOSE);
        message.header.type = types[i];
        assert_int_equal(check(&message, bytes, true, &why), TUTTI_PROTOCOL);
        assert_string_equal(why, "header.type");
        assert_string_equal(proto_type_name(types[i]), "?");
        assert_int_equal(proto_size((enum proto_type)types[i]), 0);
    }
    assert_string_equal(proto_type_name(PROTO_PREPARED), "PREPARED");
}

static void
of_another_version_only_the_header_is_looked_at(void **state)
{
    union message message;
    const char *why;
    for (unsigned newer = 0; newer < 2; newer++) {
        size_t bytes = make_good(&message, PROTO_HELLO);
        memset((unsigned char *)&message + sizeof(message.header), 0xFF,
               bytes - sizeof(message.header));
        message.header.version = newer ? proto_versions.spoken + 1 : proto_versions.oldest - 1;
        assert_int_equal(check(&message, bytes, true, &why), TUTTI_VERSION_MISMATCH);
        message.header.size_bytes = sizeof(message.header); /* its HELLO may be of another size */
        assert_int_equal(check(&message, sizeof(message.header), true, &why),
                         TUTTI_VERSION_MISMATCH);
        message.header.type = PROTO_TYPE_COUNT + 5; /* and its types others */
        assert_int_equal(check(&message, sizeof(message.header), true, &why),
                         TUTTI_VERSION_MISMATCH);
        assert_int_equal(check(&message, sizeof(message.header), false, &why),
                         TUTTI_VERSION_MISMATCH);
        message.header.type = PROTO_LEAVE; /* but this one is the same for ever */
        assert_int_equal(check(&message, sizeof(message.header), true, &why), TUTTI_OK);
        assert_int_equal(check(&message, sizeof(message.header), false, &why),
                         TUTTI_VERSION_MISMATCH);
    }
}

/* ---- fields ---- */

/* Makes a good message, sets one field of it wrong, and asks for its name. */
#define WRONG(type, member, field, value, name)                                                    \
    do {                                                                                           \
        union message message_;                                                                    \
        make_good(&message_, type);                                                                \
        message_.member.field = (value);                                                           \
        assert_wrong(&message_, name);                                                             \
    } while (0)

/* A text without an end, one that is no utf-8, one with a control character. */
#define WRONG_TEXT(type, member, field, name)                                                      \
    do {                                                                                           \
        union message message_;                                                                    \
        make_good(&message_, type);                                                                \
        memset(message_.member.field, 'x', sizeof(message_.member.field));                         \
        assert_wrong(&message_, name);                                                             \
        utf8_copy(message_.member.field, sizeof(message_.member.field), "a");                      \
        message_.member.field[0] = (char)0xC3;                                                     \
        assert_wrong(&message_, name);                                                             \
        message_.member.field[0] = '\033';                                                         \
        assert_wrong(&message_, name);                                                             \
    } while (0)

static void
every_field_of_what_programs_send_is_checked(void **state)
{
    WRONG(PROTO_HELLO, hello, oldest_version, 0, "HELLO.oldest_version");
    WRONG(PROTO_HELLO, hello, oldest_version, proto_versions.spoken + 1, "HELLO.oldest_version");
    WRONG(PROTO_HELLO, hello, bits, 16, "HELLO.bits");
    WRONG_TEXT(PROTO_HELLO, hello, program, "HELLO.program");
    WRONG_TEXT(PROTO_HELLO, hello, profile, "HELLO.profile");

    static const char numbers[] = "PREPARE.buffer_frames, inputs or outputs";
    WRONG(PROTO_PREPARE, prepare, buffer_frames, 0, numbers);
    WRONG(PROTO_PREPARE, prepare, buffer_frames, PROTO_MAX_BUFFER_FRAMES + 1, numbers);
    WRONG(PROTO_PREPARE, prepare, inputs, PROTO_MAX_CHANNELS + 1, numbers);
    WRONG(PROTO_PREPARE, prepare, outputs, UINT32_MAX, numbers);
    WRONG(PROTO_PREPARE, prepare, flags, 8, "PREPARE.flags");
    WRONG(PROTO_PREPARE, prepare, wanted_input_latency_frames, PROTO_MAX_LATENCY_FRAMES + 1,
          "PREPARE.wanted_latency_frames");
    WRONG(PROTO_PREPARE, prepare, wanted_output_latency_frames, UINT32_MAX,
          "PREPARE.wanted_latency_frames");
    WRONG(PROTO_PREPARE, prepare, input[3].kind, PROTO_CHANNEL_KIND_COUNT, "PREPARE.input");
    WRONG(PROTO_PREPARE, prepare, input[0].channel, PROTO_MAX_CHANNELS, "PREPARE.input");
    WRONG(PROTO_PREPARE, prepare, output[0].kind, PROTO_CHANNEL_MIX, "PREPARE.output");
    WRONG(PROTO_PREPARE, prepare, output[0].kind, PROTO_CHANNEL_PROGRAM, "PREPARE.output");
    WRONG(PROTO_PREPARE, prepare, output[1].channel, UINT16_MAX, "PREPARE.output");

    const double rates[] = {0, -1, 1e8, NAN, INFINITY};
    for (unsigned i = 0; i < 5; i++) {
        WRONG(PROTO_SET_RATE, set_rate, rate_hz, rates[i], "SET_RATE.rate_hz");
        WRONG(PROTO_CAN_RATE, set_rate, rate_hz, rates[i], "SET_RATE.rate_hz");
    }

    WRONG(PROTO_FORECAST, forecast, buffer_frames, 0, "FORECAST.buffer_frames");
    WRONG(PROTO_FORECAST, forecast, flags, 8, "FORECAST.flags");
    WRONG(PROTO_FORECAST_REPLY, forecast_reply, output_latency_frames, UINT32_MAX,
          "FORECAST_REPLY.latency_frames");
    WRONG(PROTO_MONITOR, monitor, count, PROTO_MAX_PATHS + 1, "MONITOR.count");
    WRONG(PROTO_MONITOR, monitor, path[1].input, PROTO_MAX_CHANNELS, "MONITOR.path");
    WRONG(PROTO_MONITOR, monitor, path[2].output, UINT16_MAX, "MONITOR.path");
    const float gains[] = {-0.5f, PROTO_MAX_GAIN + 0.5f, (float)NAN, (float)INFINITY};
    for (unsigned i = 0; i < 4; i++) {
        static const char name[] = "MONITOR.input_gain or output_gain";
        WRONG(PROTO_MONITOR, monitor, path[PROTO_MAX_PATHS - 1].gain, gains[i], "MONITOR.path");
        WRONG(PROTO_MONITOR, monitor, input_gain[PROTO_MAX_CHANNELS - 1], gains[i], name);
        WRONG(PROTO_MONITOR, monitor, output_gain[0], gains[i], name);
    }
}

static void
paths_beyond_the_count_are_not_looked_at(void **state)
{
    union message message;
    const char *why;
    size_t bytes = make_good(&message, PROTO_MONITOR);
    message.monitor.count = 3;
    message.monitor.path[3].gain = -1;
    assert_int_equal(check(&message, bytes, true, &why), TUTTI_OK);
}

static void
channels_that_are_not_used_are_not_looked_at(void **state)
{
    union message message;
    const char *why;
    size_t bytes = make_good(&message, PROTO_PREPARE);
    message.prepare.inputs = 0;
    message.prepare.input[0].kind = UINT16_MAX;
    message.prepare.output[2].kind = UINT16_MAX;
    assert_int_equal(check(&message, bytes, true, &why), TUTTI_OK);
    message.prepare.outputs = 0;
    assert_int_equal(check(&message, bytes, true, &why), TUTTI_PROTOCOL);
}

/* Field by field: test_fields.c. */
#define WRONG_DEVICE(type, member)                                                                 \
    do {                                                                                           \
        WRONG_TEXT(type, member, device.name, "device.name");                                      \
        WRONG(type, member, device.state, PROTO_STREAM_STATE_COUNT, "device.state");               \
        WRONG(type, member, device.period_min_frames, 4097, "device.period_min_frames");           \
        WRONG(type, member, device.rates_hz[15], -INFINITY, "device.rates_hz");                    \
    } while (0)

static void
a_device_is_checked_wherever_it_is_reported(void **state)
{
    WRONG_DEVICE(PROTO_WELCOME, welcome);
    WRONG_DEVICE(PROTO_PREPARED, prepared);
    WRONG_DEVICE(PROTO_STATUS_REPLY, status_reply);
}

static void
every_field_of_what_the_engine_sends_is_checked(void **state)
{
    WRONG(PROTO_WELCOME, welcome, generation, 0, "WELCOME.generation");
    WRONG(PROTO_WELCOME, welcome, program_id, 0, "WELCOME.program_id");
    WRONG_TEXT(PROTO_WELCOME, welcome, engine_version, "WELCOME.engine_version");

    WRONG(PROTO_PREPARED, prepared, input_latency_frames, UINT32_MAX, "PREPARED.latency_frames");
    WRONG(PROTO_PREPARED, prepared, output_latency_frames, UINT32_MAX, "PREPARED.latency_frames");

    WRONG(PROTO_DEVICES_REPLY, devices_reply, count, PROTO_DEVICE_ENTRIES + 1,
          "DEVICES_REPLY.count");
    WRONG(PROTO_DEVICES_REPLY, devices_reply, device[1].is_default, 2,
          "DEVICES_REPLY.device.is_default");
    WRONG_TEXT(PROTO_DEVICES_REPLY, devices_reply, device[0].name,
               "DEVICES_REPLY.device.name or backend");
    WRONG_TEXT(PROTO_DEVICES_REPLY, devices_reply, device[1].backend,
               "DEVICES_REPLY.device.name or backend");

    WRONG(PROTO_ERROR, error, status, TUTTI_OK, "ERROR.status");
    WRONG(PROTO_ERROR, error, status, TUTTI_STATUS_COUNT, "ERROR.status");
    WRONG_TEXT(PROTO_ERROR, error, text, "ERROR.text");

    WRONG(PROTO_EVENT, event, header.serial, 1, "EVENT.serial");
    WRONG(PROTO_EVENT, event, kind, PROTO_EVENT_KIND_COUNT, "EVENT.kind");
    WRONG(PROTO_EVENT, event, rate_hz, NAN, "EVENT.rate_hz");
    WRONG(PROTO_EVENT, event, input_latency_frames, UINT32_MAX, "EVENT.latency_frames");
    WRONG(PROTO_EVENT, event, output_latency_frames, UINT32_MAX, "EVENT.latency_frames");
    WRONG_TEXT(PROTO_EVENT, event, text, "EVENT.text");
}

static void
every_field_of_a_program_in_a_status_is_checked(void **state)
{
#define WRONG_PROGRAM(field, value, name)                                                          \
    WRONG(PROTO_STATUS_REPLY, status_reply, program[1].field, value, "STATUS_REPLY.program." name)
    WRONG(PROTO_STATUS_REPLY, status_reply, here, PROTO_STATUS_PROGRAMS + 1, "STATUS_REPLY.here");
    WRONG(PROTO_STATUS_REPLY, status_reply, here, 3, "STATUS_REPLY.here");
    WRONG(PROTO_STATUS_REPLY, status_reply, first_program, 6, "STATUS_REPLY.here");
    WRONG(PROTO_STATUS_REPLY, status_reply, first_program, UINT32_MAX, "STATUS_REPLY.here");
    WRONG_TEXT(PROTO_STATUS_REPLY, status_reply, program[0].name, "STATUS_REPLY.program.name");
    WRONG_TEXT(PROTO_STATUS_REPLY, status_reply, program[0].profile,
               "STATUS_REPLY.program.profile");
    WRONG_TEXT(PROTO_STATUS_REPLY, status_reply, problem, "STATUS_REPLY.problem");
    WRONG_PROGRAM(program_id, 0, "program_id");
    WRONG_PROGRAM(bits, 0, "bits");
    WRONG_PROGRAM(state, PROTO_PROGRAM_STATE_COUNT, "state");
    WRONG_PROGRAM(buffer_frames, UINT32_MAX, "buffer_frames");
    WRONG_PROGRAM(inputs, PROTO_MAX_CHANNELS + 1, "inputs");
    WRONG_PROGRAM(outputs, PROTO_MAX_CHANNELS + 1, "outputs");
    WRONG_PROGRAM(input_latency_frames, UINT32_MAX, "input_latency_frames");
    WRONG_PROGRAM(output_latency_frames, UINT32_MAX, "output_latency_frames");
    WRONG_PROGRAM(input_peak[0], NAN, "input_peak");
    WRONG_PROGRAM(output_peak[PROTO_STATUS_METERS - 1], -1, "output_peak");
#undef WRONG_PROGRAM
    union message message;
    const char *why;
    size_t bytes = make_good(&message, PROTO_STATUS_REPLY);
    message.status_reply.program[2].state = UINT32_MAX; /* beyond `here` */
    assert_int_equal(check(&message, bytes, false, &why), TUTTI_OK);
    message.status_reply.here = 0; /* asked beyond the last program */
    message.status_reply.first_program = UINT16_MAX;
    assert_int_equal(check(&message, bytes, false, &why), TUTTI_OK);
}

/* ---- any bytes ---- */

static uint64_t random_state = 1;

static uint32_t
random_below(uint32_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % limit);
}

/* Numbers that lie at borders more often than chance has them. */
static uint32_t
odd_number(void)
{
    static const uint32_t odd[] = {0,     1,      2,       3,          0x7F,       0xFF,
                                   0x100, 0xFFFF, 0x10000, 0x7FF00000, 0x7FFFFFFF, UINT32_MAX};
    return random_below(2) ? odd[random_below(sizeof(odd) / sizeof(*odd))]
                           : random_below(0x7FFFFFFF);
}

static void
mutate(unsigned char *bytes, size_t size)
{
    for (uint32_t n = 1 + random_below(4); n > 0; n--) {
        size_t at = random_below((uint32_t)size);
        uint32_t value = odd_number();
        switch (random_below(3)) {
        case 0:
            bytes[at] = (unsigned char)value;
            break;
        case 1:
            at &= ~(size_t)3;
            memcpy(bytes + at, &value, sizeof(value));
            break;
        default:
            memset(bytes + at, (int)(value & 0xFF), random_below((uint32_t)(size - at)) + 1);
            break;
        }
    }
}

static void
whatever_arrives_is_judged_within_its_own_bytes(void **state)
{
    static union message message;
    const char *why;
    unsigned passed = 0, refused = 0;
    random_state = 20260101;
    for (unsigned round = 0; round < 12000; round++) {
        enum proto_type type = (enum proto_type)(1 + random_below(PROTO_TYPE_COUNT - 1));
        size_t bytes = make_good(&message, type);
        mutate((unsigned char *)&message, bytes);
        if (random_below(4) == 0) {
            bytes = random_below((uint32_t)bytes + 1);
        }
        if (random_below(4) != 0) {
            message.header.size_bytes = (uint32_t)bytes;
            message.header.version = proto_versions.spoken;
            message.header.type = (uint16_t)type;
        }
        enum tutti_status status = check(&message, bytes, is_from_program(type), &why);
        passed += status == TUTTI_OK;
        refused += status != TUTTI_OK;
        assert_true(status == TUTTI_OK || status == TUTTI_PROTOCOL ||
                    status == TUTTI_VERSION_MISMATCH);
        assert_true(status == TUTTI_OK || why != NULL);
    }
    /* Both happened, or the mutations say nothing. */
    assert_true(passed > 500 && refused > 500);
}

/* ---- segment ---- */

static void
halves_are_aligned_apart_and_within_the_segment(void **state)
{
    static const uint32_t shapes[][3] = {
        {1, 1, 0}, {1, 0, 1}, {16, 2, 2}, {17, 3, 1}, {65536, 1, 1}};
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        struct proto_layout layout;
        const uint32_t *shape = shapes[i];
        assert_int_equal(proto_layout_init(&layout, shape[0], shape[1], shape[2]), TUTTI_OK);
        assert_true(layout.half_bytes >= shape[0] * sizeof(float));
        assert_int_equal(layout.half_bytes % PROTO_HALF_ALIGN_BYTES, 0);
        assert_int_equal(layout.size_bytes % 65536, 0);
        unsigned char *segment = malloc(layout.size_bytes);
        assert_non_null(segment);
        size_t next = PROTO_SEGMENT_HEADER_BYTES;
        for (uint32_t c = 0; c < shape[1] + shape[2]; c++) {
            for (unsigned half = 0; half < 2; half++) {
                float *at = c < shape[1] ? proto_input(&layout, segment, c, half)
                                         : proto_output(&layout, segment, c - shape[1], half);
                assert_ptr_equal(at, segment + next);
                next += layout.half_bytes;
            }
        }
        assert_true(next <= layout.size_bytes);
        assert_true(layout.size_bytes - next < 65536);
        free(segment);
    }
}

static void
the_largest_segment_has_its_full_size(void **state)
{
    struct proto_layout layout;
    assert_int_equal(
        proto_layout_init(&layout, PROTO_MAX_BUFFER_FRAMES, PROTO_MAX_CHANNELS, PROTO_MAX_CHANNELS),
        TUTTI_OK);
    assert_true(layout.size_bytes == UINT64_C(65536) + UINT64_C(512) * 2 * 65536 * 4);
}

static void
shapes_outside_the_limits_are_refused_and_leave_the_layout_alone(void **state)
{
    static const uint32_t shapes[][3] = {{0, 1, 1},
                                         {PROTO_MAX_BUFFER_FRAMES + 1, 1, 1},
                                         {64, PROTO_MAX_CHANNELS + 1, 0},
                                         {64, 0, PROTO_MAX_CHANNELS + 1},
                                         {64, 0, 0},
                                         {64, UINT32_MAX, 1},
                                         {UINT32_MAX, UINT32_MAX, UINT32_MAX}};
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        struct proto_layout layout, before;
        memset(&layout, 0x5A, sizeof(layout));
        before = layout;
        assert_int_equal(proto_layout_init(&layout, shapes[i][0], shapes[i][1], shapes[i][2]),
                         TUTTI_INVALID_ARGUMENT);
        assert_memory_equal(&layout, &before, sizeof(layout));
    }
}

static void
a_segment_is_refused_when_any_of_its_numbers_differs(void **state)
{
    static struct proto_segment segment;
    struct proto_layout layout;
    assert_int_equal(proto_layout_init(&layout, 64, 2, 4), TUTTI_OK);
    size_t mapped = (size_t)layout.size_bytes;
    proto_segment_init(&segment, &layout);
    assert_int_equal(proto_segment_check(&segment, mapped, &layout), TUTTI_OK);
    assert_int_equal(proto_segment_check(&segment, mapped - 1, &layout), TUTTI_PROTOCOL);
    uint32_t *const numbers[] = {&segment.magic, &segment.header_bytes, &segment.buffer_frames,
                                 &segment.inputs, &segment.outputs};
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        *numbers[i] += 1;
        assert_int_equal(proto_segment_check(&segment, mapped, &layout), TUTTI_PROTOCOL);
        *numbers[i] -= 1;
    }
    segment.size_bytes += UINT64_C(1) << 32;
    assert_int_equal(proto_segment_check(&segment, mapped, &layout), TUTTI_PROTOCOL);
    segment.size_bytes -= UINT64_C(1) << 32;
    assert_int_equal(proto_segment_check(&segment, mapped, &layout), TUTTI_OK);
}

/* 32-bit programs meet a 64-bit engine, and other people's programs were built against this. */
static void
words_and_messages_lie_where_the_document_says(void **state)
{
    assert_int_equal(offsetof(struct proto_segment, start_seq), 68);
    assert_int_equal(offsetof(struct proto_segment, begun_seq), 72);
    assert_int_equal(offsetof(struct proto_segment, thread_id), 76);
    assert_int_equal(offsetof(struct proto_segment, begun_ns), 80);
    assert_int_equal(offsetof(struct proto_segment, done_ns), 88);
    assert_int_equal(offsetof(struct proto_segment, armed), 136);
    assert_int_equal(offsetof(struct proto_segment, gap_frames), 424);
    assert_int_equal(offsetof(struct proto_segment, meters_until_ns), 432);
    assert_int_equal(offsetof(struct proto_segment, input_peak), 448);
    assert_int_equal(offsetof(struct proto_segment, output_peak), 1472);
    assert_int_equal(offsetof(struct proto_stamp, generation), 32);
    assert_int_equal(offsetof(struct proto_rendezvous, pending), 64);
    assert_int_equal(offsetof(struct proto_hello, host_pid), 88);
    assert_int_equal(offsetof(struct proto_hello, profile), 96);
    assert_int_equal(offsetof(struct proto_device, rate_hz), 152);
    assert_int_equal(offsetof(struct proto_welcome, device), 48);
    assert_int_equal(offsetof(struct proto_prepared, device), 32);
    assert_int_equal(offsetof(struct proto_monitor, path), 24);
    assert_int_equal(offsetof(struct proto_monitor, input_gain), 4120);
    assert_int_equal(offsetof(struct proto_monitor, output_gain), 5144);
    assert_int_equal(offsetof(struct proto_program_status, profile), 64);
    assert_int_equal(offsetof(struct proto_program_status, calls), 144);
    assert_int_equal(offsetof(struct proto_status_reply, device), 96);
    assert_int_equal(offsetof(struct proto_status_reply, program), 384);
    assert_int_equal(offsetof(struct proto_status_reply, problem), 14720);
    assert_int_equal(offsetof(struct proto_status_reply, own_device), 14976);
    assert_int_equal(offsetof(struct proto_status_reply, monitor_paths), 15264);
    assert_int_equal(offsetof(struct proto_status_reply, opening_ms), 15392);
    assert_int_equal(offsetof(struct proto_status_reply, clipped_samples), 15400);
    assert_int_equal(offsetof(struct proto_status_reply, device_count), 15656);
    assert_int_equal(offsetof(struct proto_status_reply, open_device), 15664);
    assert_int_equal(offsetof(struct proto_status_reply, device_index), 18352);
    static const uint32_t sizes[PROTO_TYPE_COUNT] = {
        [PROTO_HELLO] = 128,          [PROTO_WELCOME] = 336,        [PROTO_PREPARE] = 4136,
        [PROTO_PREPARED] = 320,       [PROTO_DISPOSE] = 16,         [PROTO_SET_RATE] = 24,
        [PROTO_STATUS] = 24,          [PROTO_STATUS_REPLY] = 18480, [PROTO_DEVICES] = 16,
        [PROTO_DEVICES_REPLY] = 6168, [PROTO_LEAVE] = 16,           [PROTO_OK] = 16,
        [PROTO_ERROR] = 280,          [PROTO_EVENT] = 304,          [PROTO_MONITOR] = 6168,
        [PROTO_CAN_RATE] = 24,        [PROTO_FORECAST] = 24,        [PROTO_FORECAST_REPLY] = 24,
    };
    for (int t = PROTO_NONE; t < PROTO_TYPE_COUNT; t++) {
        assert_int_equal(proto_size((enum proto_type)t), sizes[t]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_message_of_every_type_passes_in_its_own_direction_only),
        cmocka_unit_test(a_message_has_exactly_the_size_of_its_type),
        cmocka_unit_test(types_that_there_are_not_are_refused),
        cmocka_unit_test(of_another_version_only_the_header_is_looked_at),
        cmocka_unit_test(every_field_of_what_programs_send_is_checked),
        cmocka_unit_test(channels_that_are_not_used_are_not_looked_at),
        cmocka_unit_test(paths_beyond_the_count_are_not_looked_at),
        cmocka_unit_test(a_device_is_checked_wherever_it_is_reported),
        cmocka_unit_test(every_field_of_what_the_engine_sends_is_checked),
        cmocka_unit_test(every_field_of_a_program_in_a_status_is_checked),
        cmocka_unit_test(whatever_arrives_is_judged_within_its_own_bytes),
        cmocka_unit_test(halves_are_aligned_apart_and_within_the_segment),
        cmocka_unit_test(the_largest_segment_has_its_full_size),
        cmocka_unit_test(shapes_outside_the_limits_are_refused_and_leave_the_layout_alone),
        cmocka_unit_test(a_segment_is_refused_when_any_of_its_numbers_differs),
        cmocka_unit_test(words_and_messages_lie_where_the_document_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
