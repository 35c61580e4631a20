/* SPDX-License-Identifier: MIT */
/* The configuration: profiles, mistakes and what stays, lists, changes of a text, and files whose
 * names are no ASCII. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "base/file.h"
#include "locales.h"
#include "os/os.h"

static struct config config;
static char problem[CONFIG_TEXT_BYTES];

static enum tutti_status
read_as(const char *profile, const struct config *last, const char *text)
{
    struct config_source source = {
        .name = "t.ini", .text = text, .bytes = strlen(text), .profile = profile, .last = last};

    return config_read(&config, &source, problem);
}

/* ---- profiles ---- */

static const char two_profiles[] = "[profile Low Latency]\n"
                                   "program.buffer = 64\n"
                                   "device.name = hw:USB,0\n"
                                   "[program]\n"
                                   "buffer = 512\n"
                                   "inputs = 4\n"
                                   "[profile \"Tutti Wide\"]\n"
                                   "program.inputs = 128\n";

static void
a_profile_counts_over_the_sections_wherever_it_stands(void **state)
{
    (void)state;
    assert_int_equal(read_as("Low Latency", NULL, two_profiles), TUTTI_OK);
    assert_int_equal(config.program_buffer, 64);
    assert_int_equal(config.program_inputs, 4);
    assert_string_equal(config.device_name, "hw:USB,0");
    assert_int_equal(read_as("wide", NULL, two_profiles), TUTTI_OK);
    assert_int_equal(config.program_buffer, 512);
    assert_int_equal(config.program_inputs, 128);
}

static void
without_a_profile_or_with_an_unknown_one_the_sections_count(void **state)
{
    static const char *const names[] = {NULL, "", "No Such"};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(read_as(names[i], NULL, two_profiles), TUTTI_OK);
        assert_int_equal(config.program_buffer, 512);
        assert_int_equal(config.program_inputs, 4);
        assert_string_equal(config.device_name, "");
    }
}

static void
the_profiles_of_a_text_are_listed_once_each(void **state)
{
    static char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES];
    char text[512];

    (void)state;
    snprintf(text, sizeof(text),
             "%s[profile LOW latency]\n ; [profile no]\n[profile a/b]\n[profiles]", two_profiles);
    assert_int_equal(config_profiles(text, strlen(text), names), 2);
    assert_string_equal(names[0], "Low Latency");
    assert_string_equal(names[1], "Wide");
}

static void
a_profile_name_is_short_ascii_that_a_registry_can_hold(void **state)
{
    static const char *const bad[] = {"",     "   ",
                                      "a\\b", "a/b",
                                      "a,b",  "M\xc3\xbcller",
                                      "\"\"", "a\x7f",
                                      "a;b",  "abcdefghijklmnopqrstuvwxyz"};
    char name[CONFIG_PROFILE_BYTES], reason[CONFIG_TEXT_BYTES];

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(config_profile_name(bad[i], name, reason));
    }
    assert_non_null(strstr(reason, "25 characters"));
    assert_true(config_profile_name(" \" Tutti  Live (2x) \" ", name, reason));
    assert_string_equal(name, "Live (2x)");
    assert_true(config_profile_name("abcdefghijklmnopqrstuvwxy", name, reason));
}

/* ---- mistakes ---- */

static void
assert_problem(const char *expected)
{
    if (strcmp(problem, expected) != 0) {
        fail_msg("said:     %s\nexpected: %s", problem, expected);
    }
}

static void
a_mistake_tells_line_reason_and_the_value_that_stays(void **state)
{
    struct config last;

    (void)state;
    assert_int_equal(read_as(NULL, NULL, "[program]\nbuffer = 128\n"), TUTTI_OK);
    last = config;
    assert_int_equal(read_as(NULL, &last, "\n[program]\ninputs = 3\nbuffer = abc\n"),
                     TUTTI_BAD_CONFIG);
    assert_problem("t.ini:4: buffer is a whole number from 16 to 8192, not 'abc'; 128 stays");
    assert_int_equal(config.program_buffer, 128);
    assert_int_equal(config.program_inputs, 3);
    assert_int_equal(read_as(NULL, NULL, "[program]\nbuffer = abc\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: buffer is a whole number from 16 to 8192, not 'abc'; 256 stays");
}

static void
a_mistake_in_a_profile_is_told_to_who_reads_it(void **state)
{
    static const char text[] = "[profile A]\nprogram.tight = maybe\nbuffer = 1\nprogram.no = 1\n";

    (void)state;
    assert_int_equal(read_as(NULL, NULL, text), TUTTI_OK);
    assert_int_equal(read_as("A", NULL, text), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: tight is 'yes' or 'no', not 'maybe'; no stays");
    assert_int_equal(read_as("A", NULL, text + strlen("[profile A]\nprogram.tight = maybe\n")),
                     TUTTI_BAD_CONFIG);
    assert_int_equal(read_as("A", NULL, "[profile A]\nbuffer = 1\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: a profile's keys are written with their section: program.buffer, say");
    assert_int_equal(read_as("A", NULL, "[profile A]\nprogram.no = 1\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: [program] has no key 'no'");
    assert_int_equal(read_as("A", NULL, "[profile A]\nengine.pin_cpu = 3\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: 'engine.pin_cpu' has no effect in a profile: write it under [engine], "
                   "for everybody");
    assert_int_equal(config.engine_pin_cpu, -1);
    assert_int_equal(read_as("A", NULL, "[profile A]\nlog.level = debug\n"), TUTTI_BAD_CONFIG);
    assert_string_equal(config.log_level, "info");
    assert_int_equal(read_as(NULL, NULL, "[profile a/b]\nprogram.buffer = 64\n"), TUTTI_BAD_CONFIG);
    assert_non_null(strstr(problem, "t.ini:1: a profile's name has"));
}

static void
words_and_lists_are_checked(void **state)
{
    (void)state;
    assert_int_equal(read_as(NULL, NULL, "[log]\nlevel = loud\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: level is one of error, warning, info, debug, not 'loud'; info stays");
    assert_int_equal(read_as(NULL, NULL, "[log]\nlevel = inf\n"), TUTTI_BAD_CONFIG);
    assert_int_equal(read_as(NULL, NULL, "[program]\nsample_type = int24\n"), TUTTI_OK);
    assert_string_equal(config.program_sample_type, "int24");
    assert_int_equal(read_as(NULL, NULL, "[program]\noutput_channels = 1-2,1\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: output_channels is a list such as 1-2, 5, not '1-2,1'; an empty one "
                   "stays");
    assert_int_equal(read_as(NULL, NULL, "[program]\ninput_channels = 1-2,1\n"), TUTTI_OK);
    assert_int_equal(read_as(NULL, NULL, "[program]\noutput_channels = 5, 1-2\n"), TUTTI_OK);
}

static void
a_long_line_counts_whole_up_to_the_limit_of_a_value(void **state)
{
    char text[600], value[300];
    struct config last;

    (void)state;
    memset(value, 'a', sizeof(value));
    value[CONFIG_TEXT_BYTES - 1] = '\0';
    snprintf(text, sizeof(text), "[program]\ninput_names = %s\nbuffer = 64\n", value);
    assert_int_equal(read_as(NULL, NULL, text), TUTTI_OK);
    assert_string_equal(config.program_input_names, value);
    assert_int_equal(config.program_buffer, 64);
    last = config;
    value[CONFIG_TEXT_BYTES - 1] = 'a';
    value[CONFIG_TEXT_BYTES] = '\0';
    snprintf(text, sizeof(text), "[program]\ninput_names = %s\nbuffer = big\n", value);
    assert_int_equal(read_as(NULL, &last, text), TUTTI_BAD_CONFIG);
    assert_non_null(strstr(problem, "t.ini:2: input_names is longer than 255 bytes; aaa"));
    assert_string_equal(config.program_input_names, last.program_input_names);
    memmove(strstr(text, "input_names"), "# ", 2);
    assert_int_equal(read_as(NULL, &last, text), TUTTI_BAD_CONFIG);
    assert_non_null(strstr(problem, "t.ini:3: buffer is a whole number"));
}

/* What a reading reports, one sentence a line. */
static char all[2048];

static void
take_mistake(void *user, const char *sentence)
{
    size_t length = strlen(all);

    (void)user;
    snprintf(all + length, sizeof(all) - length, "%s\n", sentence);
}

static void
all_mistakes_are_reported_each_at_its_line(void **state)
{
    static const char text[] = "buffer = 1\n"
                               "[device]\n"
                               "backend = alas\n"
                               "  rate = 1 ; an indented line is a line of its own\n"
                               "what is this\n"
                               "[devices]\n"
                               "name = a\n"
                               "name = b\n"
                               "[profile A]\n"
                               "program.buffer = big\n"
                               "[profile B]\n"
                               "program.buffer = bigger\n";
    struct config_source source = {.name = "t.ini",
                                   .text = text,
                                   .bytes = strlen(text),
                                   .profile = "A",
                                   .mistake = take_mistake};

    (void)state;
    all[0] = '\0';
    assert_int_equal(config_read(&config, &source, problem), TUTTI_BAD_CONFIG);
    assert_string_equal(
        all, "t.ini:1: 'buffer' stands before any [section]\n"
             "t.ini:3: backend is one of auto, pipewire, jack, alsa, sim, wasapi, not 'alas'; auto "
             "stays\n"
             "t.ini:4: rate is a number from 8000 to 768000, not '1'; 48000 stays\n"
             "t.ini:5: neither [section], key = value, nor a comment\n"
             "t.ini:6: there is no section [devices]\n"
             "t.ini:10: buffer is a whole number from 16 to 8192, not 'big'; 256 stays\n");
    assert_problem("t.ini:1: 'buffer' stands before any [section]");
    source.profile_alone = true;
    all[0] = '\0';
    assert_int_equal(config_read(&config, &source, problem), TUTTI_BAD_CONFIG);
    assert_string_equal(
        all, "t.ini:10: buffer is a whole number from 16 to 8192, not 'big'; 256 stays\n");
}

static void
the_engine_says_which_backends_it_has(void **state)
{
    static const char text[] = "[device]\nbackend = wasapi\n";
    struct config_source source = {
        .name = "t.ini", .text = text, .bytes = strlen(text), .backends = "auto, alsa, sim"};

    (void)state;
    assert_int_equal(config_read(&config, &source, problem), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: backend is one of auto, alsa, sim, not 'wasapi'; auto stays");
    assert_string_equal(config.device_backend, "auto");
    source.backends = NULL;
    assert_int_equal(config_read(&config, &source, problem), TUTTI_OK);
}

static bool
get_one_variable(const char *name, char *value, size_t bytes)
{
    if (strcmp(name, "TUTTI_PROGRAM_BUFFER_MIN") != 0) {
        return false;
    }
    snprintf(value, bytes, "1024");
    return true;
}

static void
a_smallest_value_is_not_above_the_largest(void **state)
{
    static const char bad[] = "[program]\nbuffer_min = 512\nbuffer_max = 256\nbuffer = 64\n";
    struct config_source source = {.name = "t.ini", .text = "[program]\nbuffer_max = 512\n"};
    struct config last;

    (void)state;
    assert_int_equal(read_as(NULL, NULL, bad), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:3: buffer_min 512 is above buffer_max 256; 32 and 2048 stay");
    assert_int_equal(config.program_buffer, 64);
    assert_int_equal(read_as(NULL, NULL, "[program]\nbuffer_min = 64\nbuffer_max = 128\n"),
                     TUTTI_OK);
    last = config;
    assert_int_equal(read_as(NULL, &last, bad), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:3: buffer_min 512 is above buffer_max 256; 64 and 128 stay");
    assert_int_equal(config.program_buffer_min, 64);
    assert_int_equal(config.program_buffer_max, 128);
    assert_int_equal(read_as("A", NULL,
                             "[program]\nbuffer_max = 256\n[profile A]\n"
                             "program.buffer_min = 512\n"),
                     TUTTI_BAD_CONFIG);
    assert_problem("t.ini:4: buffer_min 512 is above buffer_max 256; 32 and 256 stay");
    assert_int_equal(read_as(NULL, NULL, "[sim]\nperiod_min = 4096\nperiod_max = 64\n"),
                     TUTTI_BAD_CONFIG);
    source.bytes = strlen(source.text);
    source.getenv_utf8 = get_one_variable;
    assert_int_equal(config_read(&config, &source, problem), TUTTI_BAD_CONFIG);
    assert_problem("TUTTI_... variables: buffer_min 1024 is above buffer_max 512; 32 and 512 stay");
}

static void
lines_are_read_as_editors_write_them(void **state)
{
    static char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES];
    static const char text[] = "\xEF\xBB\xBF[profile A] ; mine\r\n"
                               "\tprogram.buffer : 64;128 ; why\r\n";

    (void)state;
    assert_int_equal(config_profiles(text, strlen(text), names), 1);
    assert_int_equal(read_as("A", NULL, text), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:2: buffer is a whole number from 16 to 8192, not '64;128'; 256 stays");
    assert_int_equal(read_as(NULL, NULL, "[program] buffer = 3\n"), TUTTI_BAD_CONFIG);
    assert_problem("t.ini:1: neither [section], key = value, nor a comment");
}

static void
sections_are_compared_by_their_values(void **state)
{
    struct config other;

    (void)state;
    read_as(NULL, NULL, "[program]\ninput_names = A long name, B\n");
    other = config;
    read_as(NULL, NULL, "");
    assert_false(config_same(&config, &other, "program"));
    assert_true(config_same(&config, &other, "device"));
    /* what a longer text left behind its end does not count */
    char ignored[CONFIG_TEXT_BYTES];
    assert_int_equal(config_set(&other, "program", "input_names", "", ignored), TUTTI_OK);
    assert_true(config_same(&config, &other, "program"));
}

/* ---- lists ---- */

static void
channels_are_counted_from_one_and_kept_in_order(void **state)
{
    static const char *const bad[] = {"0",    "257", "1-",  "-2", "2-1",
                                      "1,,2", "a",   "1 2", "1,", "3,1-4"};
    uint16_t channels[CONFIG_CHANNELS];
    unsigned count;

    (void)state;
    assert_true(config_channels(" 5 , 1-2,256", false, channels, &count));
    assert_int_equal(count, 4);
    assert_int_equal(channels[0], 4);
    assert_int_equal(channels[1], 0);
    assert_int_equal(channels[2], 1);
    assert_int_equal(channels[3], 255);
    assert_true(config_channels("1-256", false, channels, &count));
    assert_int_equal(count, 256);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (config_channels(bad[i], false, channels, &count)) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_false(config_channels("1, 1", false, channels, &count));
    assert_true(config_channels("1, 1, 1-2", true, channels, &count));
    assert_int_equal(count, 4);
    assert_int_equal(channels[1], 0);
    assert_int_equal(channels[3], 1);
    assert_false(config_channels("1-256, 1", true, channels, &count)); /* more than there is room */
}

static void
items_of_a_list_are_trimmed_and_may_be_left_out(void **state)
{
    char item[8];

    (void)state;
    assert_true(config_list_item(" Vocal ,, Guitar left", 0, item, sizeof(item)));
    assert_string_equal(item, "Vocal");
    assert_false(config_list_item(" Vocal ,, Guitar left", 1, item, sizeof(item)));
    assert_true(config_list_item(" Vocal ,, Guitar left", 2, item, sizeof(item)));
    assert_string_equal(item, "Guitar ");
    assert_false(config_list_item(" Vocal ,, Guitar left", 3, item, sizeof(item)));
    assert_false(config_list_item("", 0, item, sizeof(item)));
}

/* ---- changes ---- */

static void
one_value_is_changed_and_the_rest_stays_as_it_is(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", "[log]\nlevel = debug\n"},
        {"[log]\nlevel = info ; why\n# end\n", "[log]\nlevel = debug\n# end\n"},
        {"[device]\nrate = 1\n", "[device]\nrate = 1\n\n[log]\nlevel = debug\n"},
        {"[log]\nkeep = 1\n\n[device]\nlevel = 2",
         "[log]\nkeep = 1\nlevel = debug\n\n[device]\nlevel = 2"},
        {"[log]\nlevel = a\n[log]\nlevel=b\nkeep = 1\n",
         "[log]\nlevel = a\n[log]\nlevel = debug\nkeep = 1\n"},
        {"[log]\nlevels = 1\n;level = 2", "[log]\nlevels = 1\n;level = 2\nlevel = debug\n"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *edited = config_edit(rows[i].text, "log", "level", "debug");
        assert_non_null(edited);
        assert_string_equal(edited, rows[i].expected);
        free(edited);
    }
}

/* ---- files ---- */

static void
temporary(char *path, size_t room, const char *name)
{
    const char *folder = getenv("TEMP");

    if (!folder) {
        folder = getenv("TMPDIR");
    }
    snprintf(path, room, "%s/tutti-%u-%s", folder ? folder : "/tmp", (unsigned)os_process_id(),
             name);
}

static void
a_file_of_any_name_is_written_read_and_looked_at(void **state)
{
    char path[512], *text = NULL;
    size_t bytes = 0;
    struct file_stamp before, after;
    uint64_t size = 0;

    (void)state;
    temporary(path, sizeof(path), "J\xc3\xb6rg \xe9\x9f\xb3\xe6\xa5\xbd.ini");
    assert_true(file_remove(path));
    file_look(path, &before);
    assert_false(before.there);
    assert_int_equal(config_load(path, &text, &bytes, problem), TUTTI_OK);
    assert_int_equal(bytes, 0);
    free(text);
    assert_int_equal(file_write(path, "[log]\n", 6), TUTTI_OK);
    file_look(path, &after);
    assert_true(after.there && !file_same(&before, &after));
    assert_true(file_append(path, "level = debug\n", 14, &size));
    assert_int_equal(size, 20);
    file_look(path, &before);
    assert_false(file_same(&before, &after));
    assert_int_equal(config_load(path, &text, &bytes, problem), TUTTI_OK);
    assert_int_equal(bytes, 20);
    assert_int_equal(config_read_text(&config, "t.ini", text, bytes, problem), TUTTI_OK);
    assert_string_equal(config.log_level, "debug");
    free(text);
    assert_int_equal(file_write(path, "", 0), TUTTI_OK);
    file_look(path, &after);
    assert_int_equal(after.size_bytes, 0);
    assert_true(file_remove(path));
    assert_true(file_remove(path));
}

static void
what_is_no_text_is_called_what_it_is(void **state)
{
    char path[512], other[520], *text = NULL;
    size_t bytes = 0;

    (void)state;
    temporary(path, sizeof(path), "none.ini");
    snprintf(other, sizeof(other), "%s.txt", path);
    assert_false(config_is_misnamed(path, problem));
    assert_int_equal(file_write(other, "", 0), TUTTI_OK);
    assert_true(config_is_misnamed(path, problem));
    assert_non_null(strstr(problem, "none.ini: there is no such file, only one with .txt behind "));
    assert_int_equal(file_write(path, "\xFF\xFE[", 3), TUTTI_OK);
    assert_false(config_is_misnamed(path, problem));
    assert_int_equal(config_load(path, &text, &bytes, problem), TUTTI_BAD_CONFIG);
    assert_non_null(strstr(problem, "none.ini: this is UTF-16 text; save it as UTF-8"));
    assert_true(file_remove(path) && file_remove(other));
    snprintf(other, sizeof(other), "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(config_load(other, &text, &bytes, problem), TUTTI_BAD_CONFIG);
    assert_non_null(strstr(problem, ": this is no regular file but a folder, a pipe"));
    assert_null(text);
}

static void
a_file_that_is_too_long_is_none(void **state)
{
    char path[512], *text = NULL;
    size_t bytes = 0;

    (void)state;
    temporary(path, sizeof(path), "long.ini");
    assert_int_equal(file_write(path, "123456", 6), TUTTI_OK);
    assert_int_equal(file_read(path, 5, &text, &bytes), TUTTI_IO);
    assert_int_equal(file_read(path, 6, &text, &bytes), TUTTI_OK);
    assert_string_equal(text, "123456");
    free(text);
    assert_true(file_remove(path));
}

/* A host's program may have called setlocale(), and its library may be the driver's own. */
static void
a_number_has_a_point_whatever_the_locale_is(void **state)
{
    (void)state;
    assert_true(locales_set_comma());
    assert_int_equal(read_as(NULL, NULL, "[device]\nrate = 44100.5\n"), TUTTI_OK);
    assert_true(config.device_rate > 44100.4 && config.device_rate < 44100.6);
    const struct config last = config;
    assert_int_equal(read_as(NULL, &last, "[device]\nrate = 44100,5\n"), TUTTI_BAD_CONFIG);
    assert_non_null(strstr(problem, "'44100,5'; 44100.5 stays"));
    setlocale(LC_ALL, "C");
}

static void
a_name_is_the_same_in_a_turkish_locale(void **state)
{
    char name[CONFIG_PROFILE_BYTES], reason[CONFIG_TEXT_BYTES];

    (void)state;
    assert_true(locales_set_turkish());
    assert_true(config_profile_name("TUTTI Live", name, reason));
    assert_string_equal(name, "Live");
    assert_true(config_profile_same("LIVE", "live"));
    assert_int_equal(read_as("LIVE", NULL, "[profile live]\nprogram.buffer = 64\n"), TUTTI_OK);
    assert_int_equal(config.program_buffer, 64);
    setlocale(LC_ALL, "C");
}

/* The last byte of this letter is a space of code page 1252. */
static void
a_text_keeps_its_last_letter_in_any_locale(void **state)
{
    (void)state;
    assert_true(locales_set_comma());
    assert_int_equal(read_as(NULL, NULL, "[device]\nname = Citt\xc3\xa0\n"), TUTTI_OK);
    assert_string_equal(config.device_name, "Citt\xc3\xa0");
    setlocale(LC_ALL, "C");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_counts_over_the_sections_wherever_it_stands),
        cmocka_unit_test(without_a_profile_or_with_an_unknown_one_the_sections_count),
        cmocka_unit_test(the_profiles_of_a_text_are_listed_once_each),
        cmocka_unit_test(a_profile_name_is_short_ascii_that_a_registry_can_hold),
        cmocka_unit_test(a_mistake_tells_line_reason_and_the_value_that_stays),
        cmocka_unit_test(a_mistake_in_a_profile_is_told_to_who_reads_it),
        cmocka_unit_test(words_and_lists_are_checked),
        cmocka_unit_test(a_long_line_counts_whole_up_to_the_limit_of_a_value),
        cmocka_unit_test(all_mistakes_are_reported_each_at_its_line),
        cmocka_unit_test(the_engine_says_which_backends_it_has),
        cmocka_unit_test(a_smallest_value_is_not_above_the_largest),
        cmocka_unit_test(lines_are_read_as_editors_write_them),
        cmocka_unit_test(sections_are_compared_by_their_values),
        cmocka_unit_test(channels_are_counted_from_one_and_kept_in_order),
        cmocka_unit_test(items_of_a_list_are_trimmed_and_may_be_left_out),
        cmocka_unit_test(one_value_is_changed_and_the_rest_stays_as_it_is),
        cmocka_unit_test(a_file_of_any_name_is_written_read_and_looked_at),
        cmocka_unit_test(what_is_no_text_is_called_what_it_is),
        cmocka_unit_test(a_file_that_is_too_long_is_none),
        cmocka_unit_test(a_number_has_a_point_whatever_the_locale_is),
        cmocka_unit_test(a_name_is_the_same_in_a_turkish_locale),
        cmocka_unit_test(a_text_keeps_its_last_letter_in_any_locale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
