/* SPDX-License-Identifier: MIT */
/* Driver entries by name and CLSID. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asio/entry.h"
#include "locales.h"

static void
clsids_are_those_of_the_standard(void **state)
{
    /* computed with Python's uuid.uuid5() */
    static const struct {
        const char *profile;
        struct asio_guid clsid;
    } rows[] = {
        {"x", {0xf0385c88, 0x8726, 0x5177, {0xab, 0x2b, 0xda, 0x9a, 0x11, 0xe3, 0x9f, 0x1a}}},
        {"Live", {0xb7a283dd, 0xd16f, 0x5175, {0x9e, 0xf1, 0xc7, 0xab, 0x18, 0xcd, 0x9d, 0x89}}},
        {"abcdefghijklmnopqrstuvwxy",
         {0xefe7a662, 0x170c, 0x53a3, {0xb3, 0x34, 0xad, 0xfc, 0x45, 0xfa, 0xb0, 0x88}}},
    };
    struct dll_name entry;
    char reason[CONFIG_TEXT_BYTES];

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_true(entry_of_profile(rows[i].profile, &entry, reason));
        assert_memory_equal(&entry.clsid, &rows[i].clsid, sizeof(entry.clsid));
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
        cmocka_unit_test(clsids_are_those_of_the_standard),
        cmocka_unit_test(an_entry_is_called_after_its_profile_and_its_clsid_follows),
        cmocka_unit_test(a_clsid_is_the_same_in_a_turkish_locale),
        cmocka_unit_test(what_is_called_otherwise_is_none_of_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
