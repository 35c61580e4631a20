/* SPDX-License-Identifier: MIT */
/* Driver entries by name and CLSID, and the channels that hosts see. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asio/channels.h"
#include "asio/entry.h"
#include "base/uuid.h"
#include "locales.h"

static void
an_identifier_is_the_one_of_the_standard(void **state)
{
    /* the namespace of DNS, and what everybody's implementation makes of this name */
    static const uint8_t dns[UUID_BYTES] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                            0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
    static const uint8_t expected[UUID_BYTES] = {0x88, 0x63, 0x13, 0xe1, 0x3b, 0x8a, 0x53, 0x72,
                                                 0x9b, 0x90, 0x0c, 0x9a, 0xee, 0x19, 0x9e, 0x5d};
    uint8_t uuid[UUID_BYTES];

    (void)state;
    uuid_from_name(dns, "python.org", uuid);
    assert_memory_equal(uuid, expected, sizeof(uuid));
}

static void
an_identifier_of_a_long_name_spans_blocks(void **state)
{
    /* 16 + 39 bytes leave no room for the length in the first block, 16 + 40 begin another one;
     * computed with Python's uuid.uuid5() */
    static const struct {
        unsigned length;
        uint8_t first[4];
    } rows[] = {{39, {0xdc, 0x68, 0x6a, 0x18}},
                {40, {0x9b, 0xf8, 0xdb, 0xd7}},
                {120, {0x07, 0x53, 0x30, 0xe8}}};
    static const uint8_t zero[UUID_BYTES];
    char name[128];
    uint8_t uuid[UUID_BYTES];

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        memset(name, 'a', rows[i].length);
        name[rows[i].length] = '\0';
        uuid_from_name(zero, name, uuid);
        assert_memory_equal(uuid, rows[i].first, 4);
    }
}

static void
an_entry_is_called_after_its_profile_and_its_clsid_follows(void **state)
{
    static const struct asio_guid expected = {
        0xbb3b8015, 0xdaf0, 0x56da, {0x8c, 0xf5, 0x29, 0xf5, 0xf5, 0xcb, 0xed, 0x0f}};
    struct dll_name entry, same;
    char reason[CONFIG_TEXT_BYTES];

    (void)state;
    assert_true(entry_of_profile("Low Latency", &entry, reason));
    assert_string_equal(entry.name, "Tutti Low Latency");
    assert_string_equal(entry.profile, "Low Latency");
    assert_memory_equal(&entry.clsid, &expected, sizeof(expected));
    assert_true(entry_of_name("Tutti LOW latency", &same));
    assert_memory_equal(&entry.clsid, &same.clsid, sizeof(same.clsid));
    assert_true(entry_of_profile("Low Latencz", &same, reason));
    assert_memory_not_equal(&entry.clsid, &same.clsid, sizeof(same.clsid));
    assert_true(entry_of_profile("abcdefghijklmnopqrstuvwxy", &entry, reason));
    assert_int_equal(strlen(entry.name), ASIO_NAME_BYTES - 1);
}

static void
what_is_called_otherwise_is_none_of_ours(void **state)
{
    static const char *const names[] = {"Tutti", "Tutti ",     "Tuttifrutti",
                                        "Other", "Tutti a\\b", ""};
    struct dll_name entry;

    (void)state;
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (entry_of_name(names[i], &entry)) {
            fail_msg("'%s' was taken", names[i]);
        }
    }
}

static void
hosts_see_the_channels_that_are_listed_as_far_as_there_are_any(void **state)
{
    struct config config;
    uint16_t list[CONFIG_CHANNELS];

    (void)state;
    config_init(&config);
    assert_int_equal(channels_offered(&config, true, 8, list), 8);
    assert_int_equal(list[7], 7);
    assert_int_equal(channels_offered(&config, false, 200, list), 32); /* outputs = 32 */
    snprintf(config.program_input_channels, CONFIG_TEXT_BYTES, "9, 5, 1-2");
    assert_int_equal(channels_offered(&config, true, 8, list), 3);
    assert_int_equal(list[0], 4);
    assert_int_equal(list[1], 0);
    assert_int_equal(list[2], 1);
    assert_int_equal(channels_offered(&config, false, 8, list), 8);
    config.program_inputs = 1;
    assert_int_equal(channels_offered(&config, true, 8, list), 1);
}

static void
a_host_gets_two_inputs_of_one_microphone(void **state)
{
    struct config config;
    uint16_t list[CONFIG_CHANNELS];

    (void)state;
    config_init(&config);
    snprintf(config.program_input_channels, CONFIG_TEXT_BYTES, "1, 1");
    assert_int_equal(channels_offered(&config, true, 1, list), 2);
    assert_int_equal(list[0], 0);
    assert_int_equal(list[1], 0);
}

static void
a_clsid_is_the_same_in_a_turkish_locale(void **state)
{
    struct dll_name great, small;
    char reason[CONFIG_TEXT_BYTES];

    assert_true(locales_set_turkish());
    an_entry_is_called_after_its_profile_and_its_clsid_follows(state);
    assert_true(entry_of_profile("LIVE", &great, reason));
    assert_true(entry_of_profile("live", &small, reason));
    assert_memory_equal(&great.clsid, &small.clsid, sizeof(great.clsid));
    setlocale(LC_ALL, "C");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identifier_is_the_one_of_the_standard),
        cmocka_unit_test(an_identifier_of_a_long_name_spans_blocks),
        cmocka_unit_test(an_entry_is_called_after_its_profile_and_its_clsid_follows),
        cmocka_unit_test(a_clsid_is_the_same_in_a_turkish_locale),
        cmocka_unit_test(what_is_called_otherwise_is_none_of_ours),
        cmocka_unit_test(hosts_see_the_channels_that_are_listed_as_far_as_there_are_any),
        cmocka_unit_test(a_host_gets_two_inputs_of_one_microphone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
