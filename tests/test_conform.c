/* SPDX-License-Identifier: MIT */
/*
 * tutti conform without a driver: its tables, what is chosen of them, sample formats, the burst,
 * and how results are shown. Argument: docs/conform.md. With `--print` alone it writes the table of
 * cases as the document must hold it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conform/burst.h"
#include "conform/inside.h"
#include "conform/measure.h"
#include "conform/results.h"
#include "conform/samples.h"

static char *document;

/* ---- tables ---- */

static void
each_case_has_a_name_of_its_own_a_rule_and_a_source(void **state)
{
    unsigned count = conform_case_count();

    assert_true(count > 0);
    for (unsigned i = 0; i < count; i++) {
        const struct conform_case *one = conform_case_at(i, NULL);
        assert_non_null(one->run);
        assert_true(strlen(one->name) > 0 && strlen(one->name) <= 60);
        assert_int_equal(strspn(one->name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
                         strlen(one->name));
        assert_true(strlen(one->rule) > 10 && strlen(one->source) > 0);
        /* it stands in a table of a document */
        assert_null(strpbrk(one->rule, "|\n"));
        assert_null(strpbrk(one->source, "|\n"));
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(one->name, conform_case_at(k, NULL)->name);
        }
    }
    assert_null(conform_case_at(count, NULL));
}

/* Somebody else can go and look: a file, a thread, a document with its name; or it is our own rule,
 * and says why. */
static void
each_source_can_be_looked_up(void **state)
{
    static const char *const exact[] = {
        "tutti/asio.h",
        "examples/",
        ".cpp",
        ".cs",
        ".md",
        "issue ",
        "issues ",
        "pull request",
        "manual",
        "COM, ",
        "Microsoft, ",
        "un4seen.com",
        "our own rule: because ",
    };
    static const char *const vague[] = {"observed", "seen in", "public threads",
                                        "interface's documents", "in hosts"};

    (void)state;
    for (unsigned i = 0; i < conform_case_count(); i++) {
        const struct conform_case *one = conform_case_at(i, NULL);
        bool found = false;
        for (unsigned k = 0; k < sizeof(exact) / sizeof(*exact); k++) {
            found = found || strstr(one->source, exact[k]);
        }
        for (unsigned k = 0; k < sizeof(vague) / sizeof(*vague); k++) {
            found = found && !strstr(one->source, vague[k]);
        }
        if (!found) {
            fail_msg("%s: \"%s\" is no source that can be looked up", one->name, one->source);
        }
    }
}

static void
the_document_holds_the_table_of_cases(void **state)
{
    struct text text;

    text_init(&text);
    show_list_markdown(&text);
    assert_false(text.failed);
    if (!strstr(document, text_get(&text))) {
        fail_msg("docs/conform.md must hold, as one piece:\n%s", text_get(&text));
    }
    text_fini(&text);
}

static void
cases_are_chosen_by_name_group_and_glob(void **state)
{
    const struct conform_group group = {.name = "latency"};
    const struct conform_case one = {.name = "sound_comes_back"};

    assert_true(conform_chosen(NULL, &group, &one));
    assert_true(conform_chosen("sound_comes_back", &group, &one));
    assert_true(conform_chosen("stress,latency", &group, &one));
    assert_true(conform_chosen("*_comes_*", &group, &one));
    assert_true(conform_chosen("sound*", &group, &one));
    assert_true(conform_chosen("*", &group, &one));
    assert_false(conform_chosen("sound", &group, &one));
    assert_false(conform_chosen("sound_comes_back_x,lat", &group, &one));
    assert_false(conform_chosen("*s", &group, &one));
    assert_false(conform_chosen("", &group, &one));
}

/* ---- samples ---- */

static void
samples_of_each_type_come_back_within_their_step(void **state)
{
    static const struct {
        int32_t type;
        unsigned bits, bytes;
    } rows[] = {
        {ASIO_INT16_LSB, 16, 2},   {ASIO_INT24_LSB, 24, 3},   {ASIO_INT32_LSB, 24, 4},
        {ASIO_FLOAT32_LSB, 24, 4}, {ASIO_FLOAT64_LSB, 24, 8}, {ASIO_INT32_LSB16, 16, 4},
        {ASIO_INT32_LSB20, 20, 4}, {ASIO_INT32_LSB24, 24, 4}, {ASIO_INT16_MSB, 16, 2},
        {ASIO_INT24_MSB, 24, 3},   {ASIO_INT32_MSB, 24, 4},   {ASIO_FLOAT32_MSB, 24, 4},
        {ASIO_FLOAT64_MSB, 24, 8}, {ASIO_INT32_MSB18, 18, 4},
    };
    static const float played[] = {0.0f, 0.5f, -0.5f, 0.123456f, -0.999f, -1.0f};
    enum { FRAMES = sizeof(played) / sizeof(*played) };
    unsigned char bytes[8 * FRAMES];
    float came[FRAMES];

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        float step = 1.0f / (float)(1u << (rows[i].bits - 1));
        assert_int_equal(samples_bytes(rows[i].type), rows[i].bytes);
        samples_put(bytes, rows[i].type, played, FRAMES);
        samples_get(came, bytes, rows[i].type, FRAMES);
        for (unsigned f = 0; f < FRAMES; f++) {
            assert_true(came[f] - played[f] <= step && played[f] - came[f] <= step);
        }
    }
    assert_int_equal(samples_bytes(99), 0);
    assert_string_equal(samples_name(99), "?");
}

static void
integers_lie_in_their_bytes_as_the_type_says(void **state)
{
    const float half = 0.5f, over = 2.0f, minus = -0.5f;
    unsigned char bytes[4];

    samples_put(bytes, ASIO_INT16_LSB, &half, 1);
    assert_memory_equal(bytes, "\x00\x40", 2);
    samples_put(bytes, ASIO_INT16_MSB, &half, 1);
    assert_memory_equal(bytes, "\x40\x00", 2);
    samples_put(bytes, ASIO_INT24_LSB, &minus, 1);
    assert_memory_equal(bytes, "\x00\x00\xc0", 3);
    samples_put(bytes, ASIO_INT32_LSB24, &minus, 1);
    assert_memory_equal(bytes, "\x00\x00\xc0\xff", 4);
    samples_put(bytes, ASIO_INT32_LSB, &over, 1);
    assert_memory_equal(bytes, "\xff\xff\xff\x7f", 4);
}

/* ---- burst ---- */

static void
a_burst_is_found_at_its_place_at_any_level(void **state)
{
    static float heard[4096], burst[BURST_FRAMES], other[BURST_FRAMES];

    burst_make(burst, 3);
    burst_make(other, 4);
    for (unsigned i = 0; i < BURST_FRAMES; i++) {
        heard[1777 + i] = burst[i] * 0.01f;
    }
    assert_int_equal(burst_find(burst, heard, 4096), 1777);
    assert_int_equal(burst_find(other, heard, 4096), -1);
    assert_int_equal(burst_find(burst, heard, 1777 + BURST_FRAMES - 1), -1);
}

/* ---- results ---- */

static struct results
some_results(struct result list[3])
{
    static char reason[] = "answered <OK> & \"more\"";
    struct results results = {.driver = "A <driver>", .date = "2026-01-01 00:00", .count = 3};

    memset(list, 0, 3 * sizeof(*list));
    for (unsigned i = 0; i < 3; i++) {
        list[i].one = conform_case_at(i, &list[i].group);
    }
    list[0].has_figure = true;
    list[0].figure = 2.5;
    snprintf(list[0].unit, sizeof(list[0].unit), "ms");
    list[1].verdict = VERDICT_FAILED;
    list[1].reason = reason;
    list[2].verdict = VERDICT_SKIPPED;
    list[2].reason = reason;
    results.list = list;
    for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
        results.verdicts[verdict] = 1;
    }
    return results;
}

static void
json_counts_and_lists_the_cases(void **state)
{
    struct result list[3];
    struct results results = some_results(list);
    struct text text;

    text_init(&text);
    show_json(&text, &results);
    assert_ptr_equal(
        strstr(text_get(&text), "{\"cases\":3,\"passed\":1,\"failed\":1,\"skipped\":1,"),
        text_get(&text));
    assert_non_null(strstr(text_get(&text), "\"results\":["));
    assert_non_null(strstr(text_get(&text), "\"figure\":{\"value\":2.5,\"unit\":\"ms\"}"));
    assert_non_null(strstr(
        text_get(&text),
        "\"verdict\":\"failed\",\"reason\":\"answered <OK> & \\\"more\\\"\",\"figure\":null"));
    text_fini(&text);
}

static void
html_escapes_what_a_driver_says(void **state)
{
    struct result list[3];
    struct results results = some_results(list);
    struct text text;

    text_init(&text);
    show_html(&text, &results);
    assert_non_null(strstr(text_get(&text), "<h1>A &lt;driver&gt;</h1>"));
    assert_non_null(strstr(text_get(&text), "answered &lt;OK&gt; &amp; &quot;more&quot;"));
    assert_null(strstr(text_get(&text), "<driver>"));
    text_fini(&text);
}

static void
pictures_are_drawn_where_there_are_points(void **state)
{
    struct result list[3];
    struct results results = some_results(list);
    double x[] = {0, 5, 10, 15}, y[] = {5000, 5100, 4900, 5000};
    struct text text;

    text_init(&text);
    show_picture_callbacks(&text, &results);
    show_picture_jitter(&text, &results);
    show_picture_latency(&text, &results);
    assert_int_equal(text.length, 0);
    list[0].series_count = 1;
    list[0].series[0] = (struct series){.name = "intervals", .count = 4, .x = x, .y = y};
    show_picture_callbacks(&text, &results);
    show_picture_jitter(&text, &results);
    assert_non_null(strstr(text_get(&text), "<svg"));
    assert_null(strstr(text_get(&text), "nan"));
    assert_null(strstr(text_get(&text), "inf\""));
    text_fini(&text);
}

static void
a_failed_case_shows_its_reason_below(void **state)
{
    struct result list[3];
    struct results results = some_results(list);
    struct style plain = {.terminal = false};
    struct text text;

    text_init(&text);
    show_result(&text, &plain, &results.list[1]);
    assert_non_null(strstr(text_get(&text), "FAIL"));
    assert_non_null(strstr(text_get(&text), "\n          answered <OK> & \"more\"\n"));
    text_fini(&text);
}

static void
what_was_tried_again_is_told(void **state)
{
    struct result list[3];
    struct results results = some_results(list);
    struct style plain = {.terminal = false};
    struct text text;

    list[0].tries = 2;
    text_init(&text);
    show_result(&text, &plain, &results.list[0]);
    assert_non_null(strstr(text_get(&text), "2.50 ms, tried 2 times\n"));
    text_clear(&text);
    show_json(&text, &results);
    assert_non_null(strstr(text_get(&text), "\"unit\":\"ms\"},\"tries\":2}"));
    assert_non_null(strstr(text_get(&text), "\"figure\":null,\"tries\":1}"));
    text_clear(&text);
    show_html(&text, &results);
    assert_non_null(strstr(text_get(&text), "tried 2 times"));
    text_fini(&text);
}

/* ---- a busy machine ---- */

static void
what_is_busy_only_while_the_driver_plays_excuses_nothing(void **state)
{
    assert_true(measure_excuses(90, 80));
    assert_false(measure_excuses(90, 5)); /* a service of the driver's own */
    assert_false(measure_excuses(20, 80));
    assert_false(measure_excuses(20, 5));
}

/* ---- main ---- */

static char *
read_file(const char *path)
{
    enum { MOST_BYTES = 1 << 20 };
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, MOST_BYTES + 1);

    if (file && bytes && fread(bytes, 1, MOST_BYTES, file) == 0) {
        free(bytes);
        bytes = NULL;
    }
    if (file) {
        fclose(file);
    } else {
        fprintf(stderr, "cannot read %s\n", path);
    }
    return file ? bytes : NULL;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_has_a_name_of_its_own_a_rule_and_a_source),
        cmocka_unit_test(each_source_can_be_looked_up),
        cmocka_unit_test(the_document_holds_the_table_of_cases),
        cmocka_unit_test(cases_are_chosen_by_name_group_and_glob),
        cmocka_unit_test(samples_of_each_type_come_back_within_their_step),
        cmocka_unit_test(integers_lie_in_their_bytes_as_the_type_says),
        cmocka_unit_test(a_burst_is_found_at_its_place_at_any_level),
        cmocka_unit_test(json_counts_and_lists_the_cases),
        cmocka_unit_test(html_escapes_what_a_driver_says),
        cmocka_unit_test(pictures_are_drawn_where_there_are_points),
        cmocka_unit_test(a_failed_case_shows_its_reason_below),
        cmocka_unit_test(what_was_tried_again_is_told),
        cmocka_unit_test(what_is_busy_only_while_the_driver_plays_excuses_nothing),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        struct text text;
        text_init(&text);
        show_list_markdown(&text);
        fwrite(text_get(&text), 1, text.length, stdout);
        text_fini(&text);
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: test_conform --print | conform.md\n");
        return 2;
    }
    document = read_file(argv[1]);
    int failed = document ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(document);
    return failed;
}
