/* SPDX-License-Identifier: MIT */
/* The names of channels in a host's code page. */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asio/ansi.h"
#include "asio/names.h"

static void
a_text_is_cut_between_characters_of_its_code_page(void **state)
{
    char text[4];

    (void)state;
    assert_true(ansi_copy(932, text, sizeof(text), "a\xe3\x82\xae\xe3\x82\xbf"));
    assert_string_equal(text, "a\x83\x4d");
    assert_true(ansi_copy(CP_UTF8, text, sizeof(text), "a\xe3\x82\xae"));
    assert_string_equal(text, "a");
    assert_false(ansi_copy(1252, text, sizeof(text), "\xe3\x82\xae\n\xff"));
    assert_string_equal(text, "???");
    assert_false(ansi_copy(1252, text, sizeof(text), "ab\xe3"));
    assert_string_equal(text, "ab?");
}

static void
channels_have_the_names_given_or_their_numbers_on_the_device(void **state)
{
    struct config config;
    char name[ASIO_NAME_BYTES];

    (void)state;
    config_init(&config);
    snprintf(config.program_input_names, CONFIG_TEXT_BYTES,
             "Vocal, , M\xc3\xbcller, a name that is longer than hosts can take, "
             "\xe3\x82\xae\xe3\x82\xbf\xe3\x83\xbc, \xf0\x9f\x8e\xb8");
    names_get(&config, true, 0, 4, 1252, name);
    assert_string_equal(name, "Vocal");
    names_get(&config, true, 1, 4, 1252, name);
    assert_string_equal(name, "In 5");
    names_get(&config, true, 2, 0, 1252, name);
    assert_string_equal(name, "M\xfcller");
    names_get(&config, true, 3, 0, 1252, name);
    assert_string_equal(name, "a name that is longer than host");
    names_get(&config, true, 4, 6, 1252, name); /* GITA- in katakana */
    assert_string_equal(name, "In 7");
    names_get(&config, true, 4, 6, 932, name);
    assert_string_equal(name, "\x83\x4d\x83\x5e\x81\x5b");
    names_get(&config, true, 4, 6, CP_UTF8, name);
    assert_string_equal(name, "\xe3\x82\xae\xe3\x82\xbf\xe3\x83\xbc");
    names_get(&config, true, 5, 7, 932, name); /* a guitar beyond the first 65536 */
    assert_string_equal(name, "In 8");
    names_get(&config, true, 5, 7, CP_UTF8, name);
    assert_string_equal(name, "\xf0\x9f\x8e\xb8");
    names_get(&config, false, 0, 255, 1252, name);
    assert_string_equal(name, "Out 256");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cut_between_characters_of_its_code_page),
        cmocka_unit_test(channels_have_the_names_given_or_their_numbers_on_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
