/* SPDX-License-Identifier: MIT */
/* What is read of a Wine prefix's system.reg, whole, damaged and hostile. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/linux/wine_registry.h"
#include "locales.h"

static const char whole[] = "WINE REGISTRY Version 2\n"
                            ";; All keys relative to REGISTRY\\\\Machine\n\n"
                            "#arch=win64\n\n"
                            "[Software\\\\ASIO\\\\Tutti] 1700000000 12345\n"
                            "#time=1da1234\n"
                            "\"CLSID\"=\"{1}\"\n"
                            "\"Quoted \\\"name\\\"\"=\"a\\\\b\\\"c\"\n"
                            "\"Umlaut\"=\"\\xe4\\x20ac\"\n"
                            "\"Number\"=dword:00000001\n"
                            "\"Long\"=hex:01,02,\\\n"
                            "  03,04\n\n"
                            "[Software\\\\ASIO\\\\Tutti\\\\Inner] 1\n"
                            "@=\"own\"\n\n"
                            "[Software\\\\Microsoft\\\\Windows NT\\\\CurrentVersion] 1\n\n"
                            "[System\\\\Select] 1\n"
                            "\"Current\"=dword:00000001\n";

static void
assert_value(const char *key, const char *name, const char *wanted)
{
    char value[64] = "untouched";

    assert_int_equal(wine_registry_get(whole, key, name, value, sizeof(value)), wanted != NULL);
    assert_string_equal(value, wanted ? wanted : "untouched");
}

static void
values_are_found_by_key_and_name_in_any_case(void **state)
{
    assert_value("Software\\ASIO\\Tutti", "CLSID", "{1}");
    assert_value("software\\asio\\TUTTI", "clsid", "{1}");
    assert_value("Software\\ASIO\\Tutti\\Inner", NULL, "own");
    assert_value("Software\\ASIO\\Tutti", "Quoted \"name\"", "a\\b\"c");
    assert_value("Software\\ASIO\\Tutti", "Umlaut", "\xc3\xa4\xe2\x82\xac");
}

static void
a_case_is_no_other_in_a_turkish_locale(void **state)
{
    assert_true(locales_set_turkish());
    values_are_found_by_key_and_name_in_any_case(state);
    setlocale(LC_ALL, "C");
}

static void
what_is_not_there_or_no_text_is_not_found(void **state)
{
    assert_value("Software\\ASIO", "CLSID", NULL);
    assert_value("Software\\ASIO\\Tutti", NULL, NULL); /* the next key's own value */
    assert_value("Software\\ASIO\\Tutti", "Current", NULL);
    assert_value("Software\\ASIO\\Tutti", "Number", NULL);
    assert_true(wine_registry_has(whole, "System\\Select"));
    assert_false(wine_registry_has(whole, "System"));
}

static void
the_keys_of_a_folder_are_told_one_after_the_other(void **state)
{
    const char *at = whole;
    char name[8];

    assert_true(wine_registry_next(&at, "software\\asio", name, sizeof(name)));
    assert_string_equal(name, "Tutti");
    assert_false(
        wine_registry_next(&at, "software\\asio", name, sizeof(name))); /* Inner is below */
    at = whole;
    assert_true(wine_registry_next(&at, "Software\\ASIO\\Tutti", name, sizeof(name)));
    assert_string_equal(name, "Inner");
    at = whole;
    assert_false(wine_registry_next(&at, "Software\\ASIO\\Tut", name, sizeof(name)));
    at = whole;
    assert_false(wine_registry_next(&at, "Software\\Microsoft\\Windows NT", name, sizeof(name)));
}

static void
a_value_that_does_not_fit_is_not_cut(void **state)
{
    char value[3] = "x";

    assert_false(wine_registry_get(whole, "Software\\ASIO\\Tutti", "CLSID", value, sizeof(value)));
    assert_string_equal(value, "x");
}

static void
faults_are_told(void **state)
{
    assert_null(wine_registry_fault(whole));
    assert_int_equal(wine_registry_bits(whole), 64);
    assert_string_equal(wine_registry_fault(""), "is empty");
    assert_non_null(strstr(wine_registry_fault("REGEDIT4\n"), "does not begin"));
    assert_int_equal(wine_registry_bits("WINE REGISTRY Version 2\n\n#arch=win32\n"), 32);
    assert_int_equal(wine_registry_bits("WINE REGISTRY Version 2\n\n[Key] 1\n#arch=win32\n"), 0);
}

/* In memory of its own size, so that a sanitizer sees a step too far. */
static void
every_beginning_of_it_is_read_without_a_step_too_far(void **state)
{
    char value[64];

    for (size_t length = 0; length < strlen(whole); length++) {
        char *part = malloc(length + 1);
        assert_non_null(part);
        memcpy(part, whole, length);
        part[length] = '\0';
        /* behind the last great part nothing tells that more was to come */
        if (length < (size_t)(strstr(whole, "[System") - whole)) {
            assert_non_null(wine_registry_fault(part));
        }
        wine_registry_bits(part);
        wine_registry_get(part, "Software\\ASIO\\Tutti", "Umlaut", value, sizeof(value));
        wine_registry_get(part, "Software\\ASIO\\Tutti\\Inner", NULL, value, sizeof(value));
        wine_registry_has(part, "System\\Nothing");
        for (const char *at = part;
             wine_registry_next(&at, "Software\\ASIO", value, sizeof(value));) {
        }
        free(part);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_key_and_name_in_any_case),
        cmocka_unit_test(a_case_is_no_other_in_a_turkish_locale),
        cmocka_unit_test(what_is_not_there_or_no_text_is_not_found),
        cmocka_unit_test(the_keys_of_a_folder_are_told_one_after_the_other),
        cmocka_unit_test(a_value_that_does_not_fit_is_not_cut),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(every_beginning_of_it_is_read_without_a_step_too_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
