/* SPDX-License-Identifier: MIT */
/*
 * Each row of proto/fields.h, from the link to the user: the public structs have the same fields in
 * the same order, each value arrives there and stands in the JSON under its key, and a value above
 * a row's limit is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show.h"
#include "client/client.h"
#include "proto/message.h"

/* ---- the public header ---- */

/* The public structs as the rows make them: texts, the state, then numbers, each in the rows'
 * order. */
#define NOTHING(name, limit)
#define TEXTS(type, name, limit, ...) TEXTS_##type(name, limit)
#define TEXTS_TEXT FIELD_MEMBER_TEXT
#define TEXTS_STATE NOTHING
#define TEXTS_U32 NOTHING
#define TEXTS_U64 NOTHING
#define TEXTS_RATE NOTHING
#define TEXTS_RATES NOTHING
#define TEXTS_PEAKS NOTHING
#define NUMBERS(type, name, limit, ...) NUMBERS_##type(name, limit)
#define NUMBERS_TEXT NOTHING
#define NUMBERS_STATE NOTHING
#define NUMBERS_U32 FIELD_MEMBER_U32
#define NUMBERS_U64 FIELD_MEMBER_U64
#define NUMBERS_RATE FIELD_MEMBER_RATE
#define NUMBERS_RATES FIELD_MEMBER_RATES
#define NUMBERS_PEAKS FIELD_MEMBER_PEAKS
struct expected_device {
    DEVICE_FIELDS(TEXTS)
    const char *state;
    DEVICE_FIELDS(NUMBERS)
};
struct expected_program {
    CLIENT_STATUS_FIELDS(TEXTS)
    const char *state;
    CLIENT_STATUS_FIELDS(NUMBERS)
    CLIENT_STATUS_LATER_FIELDS(NUMBERS)
};

#define ASSERT_SAME(public, expected, name)                                                        \
    static_assert(_Generic(&((struct public *)0)->name,                                            \
                           __typeof__(((struct expected *)0)->name) * : 1, default : 0),           \
                  "type of " #name);                                                               \
    assert_int_equal(offsetof(struct public, name), offsetof(struct expected, name));

static void
the_public_header_has_exactly_the_fields_of_the_tables(void **state)
{
#define SAME_DEVICE(type, name, ...) ASSERT_SAME(tutti_device, expected_device, name)
#define SAME_PROGRAM(type, name, ...) ASSERT_SAME(tutti_program_status, expected_program, name)
    DEVICE_FIELDS(SAME_DEVICE)
    CLIENT_STATUS_FIELDS(SAME_PROGRAM)
    CLIENT_STATUS_LATER_FIELDS(SAME_PROGRAM)
    assert_int_equal(sizeof(struct tutti_device), sizeof(struct expected_device));
    assert_int_equal(sizeof(struct tutti_program_status), sizeof(struct expected_program));
}

/* ---- values ---- */

/* Each field another number, all within limits; a state is its last value. */
static unsigned number;

#define FILL_TEXT(field, bytes) snprintf(field, sizeof(field), "text %u", ++number);
#define FILL_STATE(field, count) field = (count)-1;
#define FILL_U32(field, largest) field = ++number;
#define FILL_U64(field, largest) field = ++number;
#define FILL_RATE(field, none) field = ++number;
#define FILL_RATES(field, count) FILL_ARRAY(field)
#define FILL_PEAKS(field, channels) FILL_ARRAY(field)
#define FILL_ARRAY(field)                                                                          \
    for (unsigned at = 0; at < sizeof(field) / sizeof(*(field)); at++) {                           \
        (field)[at] = ++number;                                                                    \
    }

static struct proto_status_reply *
make_reply(void)
{
    struct proto_status_reply *reply = calloc(1, sizeof(*reply));
    struct proto_program_status *program = &reply->program[1];

    proto_header_init(&reply->header, PROTO_STATUS_REPLY, 1);
    reply->program_count = reply->here = 2;
    number = 0;
#define FILL_DEVICE(type, name, limit, ...) FILL_##type(reply->device.name, limit)
#define FILL_PROGRAM(type, name, limit, ...) FILL_##type(program->name, limit)
#define FILL_LATER(type, name, limit, ...) FILL_##type(reply->name[1], limit)
    DEVICE_FIELDS(FILL_DEVICE)
    CLIENT_STATUS_FIELDS(FILL_PROGRAM)
    CLIENT_STATUS_LATER_FIELDS(FILL_LATER)
    program->bits = 32;
    reply->program[0].program_id = 1;
    reply->program[0].bits = 64;
    return reply;
}

#define EQUAL_TEXT(to, from, last) assert_string_equal(to, from);
#define EQUAL_STATE(to, from, last) assert_string_equal(to, last);
#define EQUAL_U32(to, from, last) assert_int_equal(to, from);
#define EQUAL_U64(to, from, last) assert_int_equal(to, from);
#define EQUAL_RATE(to, from, last) assert_memory_equal(&(to), &(from), sizeof(to));
#define EQUAL_RATES(to, from, last) assert_memory_equal(to, from, sizeof(from));
#define EQUAL_PEAKS(to, from, last) assert_memory_equal(to, from, sizeof(from));

static void
each_value_arrives_in_its_public_field(void **state)
{
    struct proto_status_reply *reply = make_reply();
    struct tutti_device device;
    struct tutti_program_status program;

    status_copy_device(&device, &reply->device);
    status_copy_program(&program, reply, 1);
#define EQUAL_DEVICE(type, name, ...) EQUAL_##type(device.name, reply->device.name, "lost")
#define EQUAL_PROGRAM(type, name, ...) EQUAL_##type(program.name, reply->program[1].name, "gone")
#define EQUAL_LATER(type, name, ...) EQUAL_##type(program.name, reply->name[1], "")
    DEVICE_FIELDS(EQUAL_DEVICE)
    CLIENT_STATUS_FIELDS(EQUAL_PROGRAM)
    CLIENT_STATUS_LATER_FIELDS(EQUAL_LATER)
    free(reply);
}

/* ---- JSON ---- */

/* What stands behind a key, up to the next one or the end of a list. */
#define JSON_TEXT(value) "\"%s\"", value
#define JSON_STATE(value) "\"%s\"", value
#define JSON_U32(value) "%u", (unsigned)(value)
#define JSON_U64(value) "%u", (unsigned)(value)
#define JSON_RATE(value) "%u", (unsigned)(value)
#define JSON_RATES(value) "[%u,%u", (unsigned)(value)[0], (unsigned)(value)[1]
#define JSON_PEAKS(value) "[%u,%u", (unsigned)(value)[0], (unsigned)(value)[1]

static void
each_value_stands_in_the_json_under_its_key(void **state)
{
    struct proto_status_reply *reply = make_reply();
    struct tutti_engine_status engine = {.program_count = 1};
    struct tutti_program_status program;
    struct text text;
    char value[300], member[400];

    status_copy_device(&engine.device, &reply->device);
    status_copy_program(&program, reply, 1);
    text_init(&text);
    show_status_json(&text, &engine, &program);
#define IN_JSON(type, source, key)                                                                 \
    snprintf(value, sizeof(value), JSON_##type(source));                                           \
    snprintf(member, sizeof(member), "\"%s\":%s", #key, value);                                    \
    if (!strstr(text_get(&text), member)) {                                                        \
        fail_msg("'%s' is missing in\n%s", member, text_get(&text));                               \
    }
#define DEVICE_IN_JSON(type, name, limit, key, ...) IN_JSON(type, engine.device.name, key)
#define PROGRAM_IN_JSON(type, name, limit, key, ...) IN_JSON(type, program.name, key)
    DEVICE_FIELDS(DEVICE_IN_JSON)
    CLIENT_STATUS_FIELDS(PROGRAM_IN_JSON)
    CLIENT_STATUS_LATER_FIELDS(PROGRAM_IN_JSON)
    text_fini(&text);
    free(reply);
}

/* ---- limits ---- */

#define SPOIL_TEXT(field, bytes) memset(field, 'x', bytes);
#define SPOIL_STATE(field, count) field = count;
#define SPOIL_U32(field, largest) field += (uint64_t)(largest) < UINT32_MAX ? (largest) : 0;
#define SPOIL_U64(field, largest)
#define SPOIL_RATE(field, none) field = -1;
#define SPOIL_RATES(field, count) (field)[(count)-1] = -1;
#define SPOIL_PEAKS(field, channels) (field)[PROTO_STATUS_METERS - 1] = -1;

/* A field is spoilt, the check names it, and it is as it was. Fields without a limit stay good. */
#define REFUSED(owner, type, name, limit, called)                                                  \
    do {                                                                                           \
        struct proto_status_reply good = *reply;                                                   \
        SPOIL_##type(owner name, limit);                                                           \
        bool spoilt = memcmp(&good, reply, sizeof(good)) != 0;                                     \
        enum tutti_status status = proto_check(reply, sizeof(*reply), false, &why);                \
        assert_int_equal(status, spoilt ? TUTTI_PROTOCOL : TUTTI_OK);                              \
        if (spoilt) {                                                                              \
            assert_string_equal(why, called #name);                                                \
        }                                                                                          \
        *reply = good;                                                                             \
    } while (0);

static void
a_value_above_its_limit_is_refused_by_name(void **state)
{
    struct proto_status_reply *reply = make_reply();
    const char *why = "";

    assert_int_equal(proto_check(reply, sizeof(*reply), false, &why), TUTTI_OK);
#define REFUSED_DEVICE(type, name, limit, ...) REFUSED(reply->device., type, name, limit, "device.")
#define REFUSED_PROGRAM(type, name, limit, ...)                                                    \
    REFUSED(reply->program[1]., type, name, limit, "STATUS_REPLY.program.")
    DEVICE_FIELDS(REFUSED_DEVICE)
    CLIENT_STATUS_FIELDS(REFUSED_PROGRAM)
    free(reply);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_public_header_has_exactly_the_fields_of_the_tables),
        cmocka_unit_test(each_value_arrives_in_its_public_field),
        cmocka_unit_test(each_value_stands_in_the_json_under_its_key),
        cmocka_unit_test(a_value_above_its_limit_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
