/* SPDX-License-Identifier: MIT */
/*
 * Numbers in texts: they are what the C library reads and writes in the "C" locale, and stay so in
 * a locale with a comma and in whatever floating-point environment the host has set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/number.h"
#include "locales.h"

static uint64_t
bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double
read_number(const char *text)
{
    const char *end = NULL;
    double value = -1;
    assert_true(number_read(text, &end, &value));
    assert_string_equal(end, "");
    return value;
}

/* The same every time; each bit pattern is as likely. */
static uint64_t
next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mix = (*state ^ *state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mix = (mix ^ mix >> 27) * UINT64_C(0x94d049bb133111eb);
    return mix ^ mix >> 31;
}

static void
what_is_read_is_what_the_c_library_reads(void **state)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "44100",
                                        "44100.0",
                                        "+48000.5",
                                        ".5",
                                        "5.",
                                        "1e3",
                                        "1E+3",
                                        "1e-3",
                                        "0.1",
                                        "123456789012345678",
                                        "1.7976931348623157e308",
                                        "2.2250738585072014e-308",
                                        "2.2250738585072011e-308",
                                        "4.9406564584124654e-324",
                                        "2e-324",
                                        "1e-400",
                                        "3e-324",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "0.000000000000000000000000000001",
                                        "1000000000000000000000000",
                                        "0e999999",
                                        "8.5",
                                        "1e22",
                                        "1e23",
                                        "179769313486231570e291"};
    (void)state;
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (bits_of(read_number(texts[i])) != bits_of(strtod(texts[i], NULL))) {
            fail_msg("%s", texts[i]);
        }
    }
}

static void
what_is_no_number_is_not_read(void **state)
{
    static const char *const texts[] = {"",
                                        "-",
                                        "+",
                                        ".",
                                        "e3",
                                        " 1",
                                        "x",
                                        "nan",
                                        "inf",
                                        "-.",
                                        "1e309",
                                        "1e400",
                                        "1e999999999999",
                                        "1.8e308",
                                        ",5"};
    const char *end = NULL;
    double value = 7;
    (void)state;
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (number_read(texts[i], &end, &value) || end || value != 7) {
            fail_msg("'%s'", texts[i]);
        }
    }
    assert_true(number_read("1,5", &end, &value));
    assert_string_equal(end, ",5");
    assert_true(number_read("0x10", &end, &value));
    assert_string_equal(end, "x10");
    assert_true(number_read("1e", &end, &value));
    assert_string_equal(end, "e");
    assert_true(number_read("2e+", &end, &value));
    assert_string_equal(end, "e+");
}

static void
any_number_is_written_as_printf_writes_it_and_read_back(void **state)
{
    static const double some[] = {0,
                                  -0.0,
                                  1,
                                  0.1,
                                  44100,
                                  48000.5,
                                  1e300,
                                  5e-324,
                                  1e5,
                                  1e6,
                                  999999.5,
                                  9999995,
                                  0.0001,
                                  0.00001,
                                  2.5,
                                  8388608.5,
                                  1.7976931348623157e308,
                                  1e22,
                                  1e23,
                                  -123.456,
                                  88200,
                                  176400,
                                  99.9999999};
    uint64_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        double value = i < sizeof(some) / sizeof(some[0]) ? some[i] : 0;
        const uint64_t random = next_random(&seed);
        if (i >= sizeof(some) / sizeof(some[0]) && i % 2) {
            value = (double)(int64_t)random / 65536 / 65536; /* of a size that people meet */
        } else if (i >= sizeof(some) / sizeof(some[0])) {
            memcpy(&value, &random, sizeof(value));
        }
        if (!isfinite(value)) {
            continue;
        }
        for (unsigned digits = 1; digits <= NUMBER_EXACT_DIGITS; digits++) {
            char expected[64];
            snprintf(expected, sizeof(expected), "%.*g", (int)digits, value);
            if (strcmp(number_write(value, digits).text, expected) != 0) {
                fail_msg("%s, not %s", number_write(value, digits).text, expected);
            }
        }
        assert_true(bits_of(read_number(number_write_exactly(value).text)) == bits_of(value));
    }
    assert_string_equal(number_text(NAN).text[0] == '-' ? "nan" : number_text(NAN).text, "nan");
    assert_string_equal(number_text(INFINITY).text, "inf");
    assert_string_equal(number_text(-INFINITY).text, "-inf");
}

static void
a_locale_with_a_comma_changes_nothing(void **state)
{
    (void)state;
    assert_true(locales_set_comma());
    assert_int_equal(strtod("1,5", NULL) * 2, 3); /* the host's own numbers are such */
    assert_true(bits_of(read_number("44100.5")) == bits_of(44100.5));
    assert_string_equal(number_text(44100.5).text, "44100.5");
    assert_string_equal(number_write_exactly(0.1).text, "0.1");
    setlocale(LC_ALL, "C");
}

static void
the_rounding_mode_changes_nothing(void **state)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fesetround(modes[i]), 0);
        const uint64_t tenth = bits_of(read_number("0.1")), third = bits_of(read_number("0.7"));
        const struct number_text text = number_write(0.1, 3);
        fesetround(FE_TONEAREST);
        assert_true(tenth == UINT64_C(0x3fb999999999999a));
        assert_true(third == UINT64_C(0x3fe6666666666666));
        assert_string_equal(text.text, "0.1");
    }
}

static void
letters_beyond_ascii_belong_to_no_class_in_any_locale(void **state)
{
    (void)state;
    assert_true(locales_set_comma());
    for (int i = -128; i < 0; i++) {
        assert_int_equal(ascii_lower((char)i), (char)i);
        assert_int_equal(ascii_upper((char)i), (char)i);
        assert_false(ascii_is_space((char)i));
    }
    assert_true(ascii_same("Tutti I", "TUTTI i"));
    assert_false(ascii_same("Tutti", "Tutti I"));
    assert_true(ascii_starts_with("TUTTI i", "tutti I"));
    assert_false(ascii_starts_with("Tut", "Tutti"));
    setlocale(LC_ALL, "C");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_the_c_library_reads),
        cmocka_unit_test(what_is_no_number_is_not_read),
        cmocka_unit_test(any_number_is_written_as_printf_writes_it_and_read_back),
        cmocka_unit_test(a_locale_with_a_comma_changes_nothing),
        cmocka_unit_test(the_rounding_mode_changes_nothing),
        cmocka_unit_test(letters_beyond_ascii_belong_to_no_class_in_any_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
