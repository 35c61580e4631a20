/* SPDX-License-Identifier: MIT */
/* What the tutti command prints: valid JSON whatever comes, and screens that fit 80 columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/json.h"
#include "cli/show.h"

/* ---- a reader of JSON, strict and small: NULL where it is not valid ---- */

static const char *read_value(const char *at);

static const char *
read_string(const char *at)
{
    if (*at++ != '"') {
        return NULL;
    }
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20) {
            return NULL;
        }
        if (*at != '\\') {
            continue;
        }
        at++;
        if (*at == 'u') {
            if (strspn(at + 1, "0123456789abcdef") < 4) {
                return NULL;
            }
            at += 4;
        } else if (!*at || !strchr("\"\\/bfnrt", *at)) {
            return NULL;
        }
    }
    return at + 1;
}

static const char *
read_number(const char *at)
{
    at += *at == '-';
    if (*at == '0') {
        at++;
    } else if (*at >= '1' && *at <= '9') {
        at += strspn(at, "0123456789");
    } else {
        return NULL;
    }
    if (*at == '.') {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits == 0) {
            return NULL;
        }
        at += 1 + digits;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '-' || *at == '+';
        size_t digits = strspn(at, "0123456789");
        if (digits == 0) {
            return NULL;
        }
        at += digits;
    }
    return at;
}

static const char *
read_items(const char *at, char end, bool keys)
{
    if (*at == end) {
        return at + 1;
    }
    for (;;) {
        if (keys) {
            at = read_string(at);
            if (!at || *at++ != ':') {
                return NULL;
            }
        }
        at = read_value(at);
        if (!at) {
            return NULL;
        }
        if (*at == end) {
            return at + 1;
        }
        if (*at++ != ',') {
            return NULL;
        }
    }
}

static const char *
read_value(const char *at)
{
    switch (*at) {
    case '{':
        return read_items(at + 1, '}', true);
    case '[':
        return read_items(at + 1, ']', false);
    case '"':
        return read_string(at);
    case 't':
        return strncmp(at, "true", 4) == 0 ? at + 4 : NULL;
    case 'f':
        return strncmp(at, "false", 5) == 0 ? at + 5 : NULL;
    case 'n':
        return strncmp(at, "null", 4) == 0 ? at + 4 : NULL;
    default:
        return read_number(at);
    }
}

static bool
is_json_line(const char *text)
{
    const char *end = read_value(text);

    return end && strcmp(end, "\n") == 0;
}

static void
the_reader_refuses_what_is_not_json(void **state)
{
    static const char *const wrong[] = {"{,}\n", "[1,]\n",    "nan\n",      "{\"a\" 1}\n",
                                        "01\n",  "\"\\x\"\n", "[1 2]\n",    "{\"a\":}\n",
                                        "1.\n",  "\"a\n\"\n", "{\"a\":1\n", "inf\n"};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_false(is_json_line(wrong[i]));
    }
    assert_true(is_json_line("{\"a\":[1,-2.5e+3,\"\\u00e4\\n\"],\"b\":{}}\n"));
}

/* ---- JSON ---- */

static void
strings_are_escaped(void **state)
{
    struct text text;
    struct json json;

    text_init(&text);
    json_init(&json, &text);
    json_array_begin(&json);
    json_string(&json, "a\"b\\c\n\t\x01\x7f\xc3\xa4");
    json_string(&json, NULL);
    json_string(&json, "\xff\xc3(\xed\xa0\x80\xf0\x9f\x8e\xb5\xc0\x80\xe2\x82");
    json_array_end(&json);
    assert_string_equal(text_get(&text),
                        "[\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\xc3\xa4\",null,"
                        "\"\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\xf0\x9f\x8e\xb5\\ufffd\\ufffd"
                        "\\ufffd\\ufffd\"]");
    text_fini(&text);
}

static void
numbers_read_back_as_they_were(void **state)
{
    static const double values[] = {0, 1, -1, 0.1, 48000, 44100.5, 1e-300, 1e300, 1.0 / 3, 5e-324};

    for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct text text;
        struct json json;
        text_init(&text);
        json_init(&json, &text);
        json_number(&json, values[i]);
        assert_true(strtod(text_get(&text), NULL) == values[i]);
        text_add(&text, "\n");
        assert_true(is_json_line(text_get(&text)));
        text_fini(&text);
    }
}

static void
what_is_no_number_becomes_null(void **state)
{
    struct text text;
    struct json json;

    text_init(&text);
    json_init(&json, &text);
    json_array_begin(&json);
    json_number(&json, NAN);
    json_number(&json, INFINITY);
    json_number(&json, -INFINITY);
    json_unsigned(&json, UINT64_MAX);
    json_integer(&json, INT64_MIN);
    json_bool(&json, true);
    json_array_begin(&json);
    json_array_end(&json);
    json_object_begin(&json);
    json_key(&json, "k");
    json_bool(&json, false);
    json_object_end(&json);
    json_array_end(&json);
    assert_string_equal(text_get(&text), "[null,null,null,18446744073709551615,"
                                         "-9223372036854775808,true,[],{\"k\":false}]");
    text_fini(&text);
}

/* ---- the status ---- */

static const struct style plain = {0},
                          rich = {
                              .terminal = true, .cursor = true, .colour = true, .unicode = true};

static struct tutti_engine_status engine;
static struct tutti_program_status programs[3];

/* Everything as large as it can be, or as it usually is. */
static void
fill(bool largest)
{
    memset(&engine, 0, sizeof(engine));
    memset(programs, 0, sizeof(programs));
    engine.engine_pid = largest ? UINT32_MAX : 4711;
    engine.generation = UINT64_MAX;
    engine.uptime_ns = largest ? UINT64_MAX : UINT64_C(3725000000000);
    engine.cycles = 1000;
    engine.cycle_p50_us = largest ? 99999 : 12;
    engine.cycle_p99_us = largest ? 99999 : 31;
    engine.device_xruns = largest ? 99999 : 0;
    engine.engine_overruns = engine.device_xruns;
    engine.reopenings = engine.device_xruns;
    engine.gap_frames = engine.device_xruns;
    strcpy(engine.device.name, largest ? "An interface with \"quotes\" and a very, very long name "
                                         "\xc3\xa4\xc3\xb6\xc3\xbc"
                                       : "Interface");
    strcpy(engine.device.backend, largest ? "a-long-backend" : "sim");
    strcpy(engine.device.format, largest ? "int24in32 48 kHz, 32 channels" : "float32");
    engine.device.state = "running";
    engine.device.inputs = largest ? 256 : 2;
    engine.device.outputs = largest ? 256 : 2;
    engine.device.period_frames = 64;
    engine.device.input_latency_frames = largest ? 100000 : 64;
    engine.device.output_latency_frames = largest ? 100000 : 64;
    engine.device.rate_hz = 48000;
    engine.device.rates_hz[0] = 44100;
    engine.device.rates_hz[1] = 48000;
    engine.program_count = 3;
    strcpy(engine.problem, largest
                               ? "a-very-long-path-without-any-space-in-it-that-goes-on-and-on-and-"
                                 "on-and-on/tutti.ini:12: buffer is a whole number from 16 to "
                                 "4096, not 'a text that somebody wrote there'; 256 stays"
                               : "tutti.ini:3: [program] has no key 'bufer'");
    for (unsigned i = 0; i < 3; i++) {
        struct tutti_program_status *p = &programs[i];
        strcpy(p->name, largest ? "a program \xe2\x99\xab with a long name.exe" : "reaper");
        strcpy(p->profile, i == 1 ? "Low Latency" : "");
        p->state = i == 0 ? "connected" : i == 1 ? "running" : "late";
        p->program_id = largest ? 9999 : i + 1;
        p->pid = largest ? 4194304 : 1000 + i;
        if (i == 0) {
            continue;
        }
        p->bits = 64;
        p->buffer_frames = largest ? 65536 : 256;
        p->inputs = i == 1 ? 2 : 40;
        p->outputs = i == 1 ? 4 : 3;
        p->input_latency_frames = largest ? 9999 : 256;
        p->output_latency_frames = largest ? 9999 : 320;
        p->monitor_paths = largest ? 512 : i - 1;
        p->clipped_samples = largest ? UINT64_MAX : 0;
        p->lateness_p50_us = largest ? 1234 : 120;
        p->lateness_p99_us = largest ? 9999 : 400;
        p->calls = 5;
        p->late_program = largest ? 9999 : 3;
        p->late_machine = 1;
        for (unsigned c = 0; c < TUTTI_METERS; c++) {
            p->input_peak[c] = (float)c / 31;
            p->output_peak[c] = c == 0 ? 0 : 1e-3F * (float)c;
        }
    }
}

static void
assert_fits_columns(const char *screen, unsigned columns)
{
    char line[1000];

    while (*screen) {
        const char *end = strchr(screen, '\n');
        assert_non_null(end);
        size_t bytes = 0;
        for (const char *at = screen; at < end; at++) {
            if (*at == '\033') { /* colours take no place */
                at = strchr(at, 'm');
                continue;
            }
            assert_true((unsigned char)*at >= 0x20);
            assert_true(bytes + 1 < sizeof(line));
            line[bytes++] = *at;
        }
        line[bytes] = '\0';
        if (text_columns(line) > columns) {
            fail_msg("%u columns: %s", (unsigned)text_columns(line), line);
        }
        screen = end + 1;
    }
}

static void
assert_fits(const char *screen)
{
    assert_fits_columns(screen, 80);
}

static unsigned
lines_of(const char *screen)
{
    unsigned lines = 0;

    for (; *screen; screen++) {
        lines += *screen == '\n';
    }
    return lines;
}

static void
the_status_fits_each_terminal(void **state)
{
    for (int largest = 0; largest < 2; largest++) {
        for (unsigned columns = 40; columns <= 80; columns++) {
            struct style style = rich;
            struct text text;
            fill(largest);
            text_init(&text);
            style.columns = columns;
            show_status(&text, &style, &engine, programs);
            assert_fits_columns(text_get(&text), columns);
            /* what a person looks for is always there */
            assert_non_null(strstr(text_get(&text), "connected"));
            assert_non_null(strstr(text_get(&text), largest ? "9999/0/1" : "3/0/1"));
            text_fini(&text);
        }
    }
}

static void
a_low_window_says_how_many_programs_it_does_not_show(void **state)
{
    struct style style = rich;
    struct text text;

    fill(false);
    text_init(&text);
    show_status(&text, &style, &engine, programs);
    const unsigned whole = lines_of(text_get(&text));
    for (style.lines = 11; style.lines <= whole; style.lines++) {
        text_clear(&text);
        show_status(&text, &style, &engine, programs);
        assert_true(lines_of(text_get(&text)) <= style.lines);
        unsigned shown = 0;
        for (unsigned i = 0; i < 3; i++) {
            char pid[32];
            snprintf(pid, sizeof(pid), " %u ", programs[i].pid);
            shown += strstr(text_get(&text), pid) != NULL;
        }
        char more[32];
        snprintf(more, sizeof(more), "+ %u more;", 3 - shown);
        assert_int_equal(strstr(text_get(&text), more) != NULL, shown < 3);
    }
    assert_int_equal(lines_of(text_get(&text)), whole);
    text_fini(&text);
}

static void
the_status_fits_80_columns(void **state)
{
    for (int largest = 0; largest < 2; largest++) {
        for (int look = 0; look < 2; look++) {
            struct text text;
            fill(largest);
            text_init(&text);
            show_status(&text, look ? &rich : &plain, &engine, programs);
            assert_fits(text_get(&text));
            text_fini(&text);
        }
    }
}

static void
the_plain_status_is_ascii_without_escapes(void **state)
{
    struct text text;

    fill(false);
    text_init(&text);
    show_status(&text, &plain, &engine, programs);
    for (const char *at = text_get(&text); *at; at++) {
        assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7F));
    }
    text_fini(&text);
}

static void
the_status_says_what_it_was_told(void **state)
{
    static const char *const words[] = {"pid 4711",
                                        "1 h 02 min",
                                        "Interface (sim)",
                                        "running",
                                        "48000 Hz",
                                        "1.33 ms",
                                        "reaper",
                                        "256+320",
                                        "12.00",
                                        "120/400",
                                        "3/0/1",
                                        "connected",
                                        "late",
                                        "profile Low Latency",
                                        "hears its inputs directly, by 1 path\n",
                                        "Problem tutti.ini:3: [program] has no key 'bufer'\n"};
    struct text text;

    fill(false);
    text_init(&text);
    show_status(&text, &plain, &engine, programs);
    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!strstr(text_get(&text), words[i])) {
            fail_msg("'%s' is missing in\n%s", words[i], text_get(&text));
        }
    }
    text_fini(&text);
}

static void
a_device_that_was_never_opened_has_no_numbers(void **state)
{
    struct text text;

    fill(false);
    memset(&engine.device, 0, sizeof(engine.device));
    engine.device.state = "closed";
    engine.program_count = 0;
    text_init(&text);
    show_status(&text, &plain, &engine, programs);
    assert_non_null(strstr(text_get(&text), "none opened yet"));
    assert_non_null(strstr(text_get(&text), "No program is connected."));
    assert_null(strstr(text_get(&text), "nan"));
    text_clear(&text);
    show_status_json(&text, &engine, programs);
    assert_true(is_json_line(text_get(&text)));
    text_fini(&text);
}

static void
the_status_is_valid_json(void **state)
{
    struct text text;

    for (int largest = 0; largest < 2; largest++) {
        fill(largest);
        programs[1].input_peak[0] = NAN;
        programs[1].output_peak[0] = INFINITY;
        strcpy(programs[2].name, "\xff\x01\"\\");
        engine.device.rate_hz = largest ? 0 : 48000;
        text_init(&text);
        show_status_json(&text, &engine, programs);
        assert_true(is_json_line(text_get(&text)));
        assert_non_null(strstr(text_get(&text), "\"input_peak\":[null,"));
        assert_non_null(
            strstr(text_get(&text), largest ? "\"round_trip_ms\":null" : "\"round_trip_ms\":12,"));
        text_fini(&text);
    }
    text_init(&text);
    show_status_json(&text, NULL, NULL);
    assert_string_equal(text_get(&text),
                        "{\"engine\":null,\"device\":null,\"devices\":[],\"programs\":[]}\n");
    text_fini(&text);
}

/* ---- devices, latency, progress ---- */

static void
devices_are_listed_both_ways(void **state)
{
    struct tutti_device_entry devices[2] = {
        {.name = "Card \"one\"",
         .backend = "wasapi",
         .inputs = 2,
         .outputs = 8,
         .is_default = true},
        {.name = "A name of sixty-three characters, as long as the field can hold",
         .backend = "sim"},
    };
    struct text text;

    text_init(&text);
    show_devices(&text, &rich, devices, 2);
    assert_fits(text_get(&text));
    text_clear(&text);
    show_devices_json(&text, devices, 2);
    assert_true(is_json_line(text_get(&text)));
    assert_non_null(strstr(text_get(&text), "\"name\":\"Card \\\"one\\\"\""));
    text_clear(&text);
    show_devices_json(&text, NULL, 0);
    assert_string_equal(text_get(&text), "{\"devices\":[]}\n");
    text_clear(&text);
    show_devices(&text, &plain, NULL, 0);
    assert_string_equal(text_get(&text), "No sound device was found.\n");
    text_fini(&text);
}

static void
a_measurement_is_told_with_its_difference(void **state)
{
    struct show_latency latency = {
        .buffer_frames = 256,
        .input_latency_frames = 300,
        .output_latency_frames = 200,
        .rate_hz = 48000,
        .heard_peak = 0.25,
        .measured_frames = 500,
        .match = {.found = true, .exact = true, .gain = 1, .clarity = 180},
    };
    struct text text;

    text_init(&text);
    show_latency(&text, &rich, &latency);
    assert_fits(text_get(&text));
    assert_non_null(strstr(text_get(&text), "exact"));
    text_clear(&text);
    latency.measured_frames = 476;
    show_latency_json(&text, &latency);
    assert_true(is_json_line(text_get(&text)));
    assert_non_null(strstr(text_get(&text), "\"difference_frames\":-24"));
    assert_non_null(strstr(text_get(&text), "\"reported_frames\":500"));
    text_fini(&text);
}

static void
nothing_heard_is_told_plainly(void **state)
{
    struct show_latency latency = {.output = 3, .input = 1, .rate_hz = 48000};
    struct text text;

    text_init(&text);
    show_latency(&text, &plain, &latency);
    assert_fits(text_get(&text));
    assert_non_null(strstr(text_get(&text), "Nothing came back from output 3 on input 1"));
    assert_non_null(strstr(text_get(&text), "cable"));
    text_clear(&text);
    show_latency_json(&text, &latency);
    assert_true(is_json_line(text_get(&text)));
    assert_non_null(strstr(text_get(&text), "\"heard_peak_db\":null"));
    latency.heard_peak = 0.5;
    text_clear(&text);
    show_latency(&text, &plain, &latency);
    assert_fits(text_get(&text));
    assert_non_null(strstr(text_get(&text), "-6.0 dB"));
    text_clear(&text);
    show_latency_json(&text, &latency);
    assert_true(is_json_line(text_get(&text)));
    assert_non_null(strstr(text_get(&text), "\"found\":false"));
    text_fini(&text);
}

static void
progress_stays_on_one_line(void **state)
{
    float levels[256];
    static const uint32_t counts[] = {0, 1, 2, 3, 8, 256};

    for (unsigned i = 0; i < 256; i++) {
        levels[i] = (float)i / 100;
    }
    for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        struct show_progress progress = {
            .seconds = 1e6, .total_seconds = 2e6, .levels = levels, .count = counts[i]};
        for (unsigned columns = 20; columns < 100; columns++) {
            struct style style = rich;
            struct text text;
            style.columns = columns;
            text_init(&text);
            show_progress(&text, &style, &progress);
            assert_null(strchr(text_get(&text), '\n'));
            text_add(&text, "\n");
            assert_fits_columns(text_get(&text), columns < 80 ? columns - 1 : 79);
            assert_non_null(strstr(text_get(&text), " 50 %"));
            text_fini(&text);
        }
    }
}

static void
a_bar_has_its_width_at_every_level(void **state)
{
    static const float levels[] = {0, 1e-9F, 0.001F, 0.0011F, 0.1F, 0.5F, 0.99F, 1, 7, NAN, -1};

    for (unsigned i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
        struct style style = {.unicode = i % 2};
        for (unsigned columns = 1; columns < 30; columns++) {
            struct text text;
            text_init(&text);
            style_bar(&text, &style, levels[i], columns);
            assert_int_equal(text_columns(text_get(&text)), columns);
            text_fini(&text);
        }
        struct text text;
        text_init(&text);
        style_cell(&text, &style, levels[i]);
        assert_int_equal(text_columns(text_get(&text)), 1);
        text_fini(&text);
    }
}

static void
times_and_levels_read_well(void **state)
{
    static const struct {
        double seconds;
        const char *clock, *span;
    } rows[] = {
        {0, "0:00.0", "0 s"},
        {59.96, "1:00.0", "59 s"},
        {187.2, "3:07.2", "3 min 07 s"},
        {3725, "1:02:05.0", "1 h 02 min"},
        {90000, "25:00:00.0", "1 d 1 h"},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct text text;
        text_init(&text);
        style_add_clock(&text, rows[i].seconds);
        assert_string_equal(text_get(&text), rows[i].clock);
        text_clear(&text);
        style_add_span(&text, rows[i].seconds);
        assert_string_equal(text_get(&text), rows[i].span);
        text_fini(&text);
    }
    struct text text;
    text_init(&text);
    style_add_db(&text, 1);
    text_add(&text, " ");
    style_add_db(&text, 0);
    text_add(&text, " ");
    style_add_db(&text, 0.25);
    text_add(&text, " ");
    style_add_rate(&text, 48000);
    text_add(&text, " ");
    style_add_rate(&text, 44100.5);
    text_add(&text, " ");
    style_add_ms(&text, 64, 0);
    assert_string_equal(text_get(&text), "0.0 -inf -12.0 48000 44100.50 ? ms");
    text_fini(&text);
}

static void
text_is_cut_between_characters(void **state)
{
    struct text text;

    text_init(&text);
    text_add_column(&text, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3, "~");
    text_add_column(&text, "ab", 4, "~");
    text_add_column(&text, "a\033b", 3, "~");
    assert_string_equal(text_get(&text), "\xc3\xa4\xc3\xb6~ab  a?b");
    text_fini(&text);
}

static void
a_sentence_is_wrapped_between_words_and_characters(void **state)
{
    static const char sentence[] =
        "seven of \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f and a-word-that-is-longer-than-the-line";
    struct text text;

    text_init(&text);
    style_add_wrapped(&text, &plain, STYLE_PLAIN, sentence, STYLE_COLUMNS - 13, STYLE_WHOLE_WORDS);
    const char *line = text_get(&text);
    assert_memory_equal(line, "seven of \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\n ", 19);
    assert_non_null(strstr(line, "  and\n "));
    assert_non_null(strstr(line, "  a-word-that-is-longer-than-the-line\n"));
    text_clear(&text);
    style_add_wrapped(&text, &plain, STYLE_PLAIN, "", 8, STYLE_WHOLE_WORDS);
    style_add_wrapped(&text, &rich, STYLE_WARN, "fits exactly", STYLE_COLUMNS - 12,
                      STYLE_SPLIT_WORDS);
    assert_string_equal(text_get(&text), "\033[33mfits exactly\033[0m\n");
    text_fini(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_refuses_what_is_not_json),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(numbers_read_back_as_they_were),
        cmocka_unit_test(what_is_no_number_becomes_null),
        cmocka_unit_test(the_status_fits_80_columns),
        cmocka_unit_test(the_status_fits_each_terminal),
        cmocka_unit_test(a_low_window_says_how_many_programs_it_does_not_show),
        cmocka_unit_test(the_plain_status_is_ascii_without_escapes),
        cmocka_unit_test(the_status_says_what_it_was_told),
        cmocka_unit_test(a_device_that_was_never_opened_has_no_numbers),
        cmocka_unit_test(the_status_is_valid_json),
        cmocka_unit_test(devices_are_listed_both_ways),
        cmocka_unit_test(a_measurement_is_told_with_its_difference),
        cmocka_unit_test(nothing_heard_is_told_plainly),
        cmocka_unit_test(progress_stays_on_one_line),
        cmocka_unit_test(a_bar_has_its_width_at_every_level),
        cmocka_unit_test(times_and_levels_read_well),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(a_sentence_is_wrapped_between_words_and_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
