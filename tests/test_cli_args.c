/* SPDX-License-Identifier: MIT */
/* The arguments of the tutti command: its real tables, its mistakes and its help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sndfile.h>

#include "cli/commands.h"
#include "cli/recording.h"

static const struct args_command *const tables[] = {
#define TABLE_ROW(name, system) &command_##name,
    COMMAND_TABLE(TABLE_ROW)
#undef TABLE_ROW
};
enum { TABLES = sizeof(tables) / sizeof(*tables) };

static char error[ARGS_ERROR_BYTES];

#define PARSE(args, command, ...)                                                                  \
    args_parse(args, command, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),       \
               (const char *[]){__VA_ARGS__}, error)

static void
an_operand_and_options_are_read_in_any_order(void **state)
{
    struct args args;

    assert_true(
        PARSE(&args, &command_play, "--buffer", "64", "song.wav", "--seconds=1.5", "--progress"));
    assert_string_equal(args.operand, "song.wav");
    assert_string_equal(args_value(&args, "buffer"), "64");
    assert_string_equal(args_value(&args, "seconds"), "1.5");
    assert_true(args_flag(&args, "progress"));
    assert_false(args_flag(&args, "set-rate"));
    assert_null(args_value(&args, "channels"));
}

static void
a_second_operand_may_be_left_out_where_there_is_one(void **state)
{
    struct args args;

    assert_true(PARSE(&args, &command_profile, "add", "--user", "Low Latency"));
    assert_string_equal(args.operand, "add");
    assert_string_equal(args.more, "Low Latency");
    assert_true(PARSE(&args, &command_profile, "list"));
    assert_null(args.more);
    assert_false(PARSE(&args, &command_profile, "add", "Low", "Latency"));
    assert_non_null(strstr(error, "'Latency' is one argument too many"));
    assert_false(PARSE(&args, &command_play, "a.wav", "b.wav"));
}

static void
two_dashes_end_the_options(void **state)
{
    struct args args;

    assert_true(PARSE(&args, &command_play, "--", "--help"));
    assert_false(args.help);
    assert_string_equal(args.operand, "--help");
}

static void
an_operand_in_brackets_may_be_missing(void **state)
{
    struct args args;

    assert_true(PARSE(&args, &command_conform, "--list"));
    assert_null(args.operand);
    assert_false(PARSE(&args, &command_play, "--progress"));
    assert_string_equal(error, "FILE is missing");
}

static void
one_dash_alone_is_an_operand(void **state)
{
    struct args args;

    assert_true(PARSE(&args, &command_play, "-"));
    assert_string_equal(args.operand, "-");
}

static void
an_unknown_option_is_refused_with_the_nearest_name(void **state)
{
    struct args args;

    assert_false(PARSE(&args, &command_play, "song.wav", "--chanels", "0"));
    assert_string_equal(error, "there is no option --chanels; did you mean --channels?");
    assert_false(PARSE(&args, &command_play, "song.wav", "--volume", "3"));
    assert_string_equal(error, "there is no option --volume");
    assert_false(PARSE(&args, &command_status, "-w"));
    assert_string_equal(error, "there is no option -w");
}

static void
mistakes_in_options_are_told_apart(void **state)
{
    struct args args;

    assert_false(PARSE(&args, &command_play, "song.wav", "--buffer"));
    assert_string_equal(error, "--buffer needs a value: --buffer FRAMES");
    assert_false(PARSE(&args, &command_play, "song.wav", "--buffer="));
    assert_string_equal(error, "--buffer needs a value: --buffer FRAMES");
    assert_false(PARSE(&args, &command_play, "song.wav", "--progress=yes"));
    assert_string_equal(error, "--progress takes no value");
    assert_false(PARSE(&args, &command_play, "a", "--buffer", "1", "--buffer", "2"));
    assert_string_equal(error, "--buffer is given twice");
    assert_false(PARSE(&args, &command_play, "a", "b"));
    assert_string_equal(error, "'b' is one argument too many");
    assert_false(PARSE(&args, &command_devices, "all"));
    assert_string_equal(error, "'all' is one argument too many");
    assert_false(PARSE(&args, &command_play, "--progress"));
    assert_string_equal(error, "FILE is missing");
    assert_false(PARSE(&args, &command_play, ""));
    assert_string_equal(error, "FILE is missing");
}

static void
an_endless_option_name_is_refused(void **state)
{
    struct args args;
    char name[1000] = "--";

    memset(name + 2, 'x', sizeof(name) - 3);
    name[sizeof(name) - 1] = '\0';
    assert_false(PARSE(&args, &command_status, name));
    assert_non_null(strstr(error, "there is no option --xxx"));
}

static void
help_needs_nothing_else(void **state)
{
    struct args args;

    assert_true(PARSE(&args, &command_play, "--help"));
    assert_true(args.help);
    assert_true(PARSE(&args, &command_record, "--seconds", "1", "-h"));
    assert_true(args.help);
}

static void
whole_numbers_keep_their_limits(void **state)
{
    static const char *const wrong[] = {"0",    "65537", "-1", "1.5", "12x", "99999999999999999999",
                                        "0x10", " 5"};
    struct args args;
    uint32_t value = 7;

    assert_true(PARSE(&args, &command_play, "a"));
    assert_true(args_whole(&args, "buffer", 1, 65536, &value, error));
    assert_int_equal(value, 7);
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_true(PARSE(&args, &command_play, "a", "--buffer", wrong[i]));
        assert_false(args_whole(&args, "buffer", 1, 65536, &value, error));
        assert_non_null(strstr(error, "--buffer takes a whole number from 1 to 65536"));
        assert_int_equal(value, 7);
    }
    assert_true(PARSE(&args, &command_play, "a", "--buffer", "65536"));
    assert_true(args_whole(&args, "buffer", 1, 65536, &value, error));
    assert_int_equal(value, 65536);
}

static void
numbers_with_a_fraction_are_finite(void **state)
{
    static const char *const wrong[] = {"nan", "inf", "1e400", "", "1,5", "-1", "1s"};
    struct args args = {.command = &command_play};
    double value = 3;

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        args.value[2] = wrong[i]; /* play's third option */
        assert_string_equal(command_play.options[2].name, "seconds");
        assert_false(args_number(&args, "seconds", 0.001, 1000, &value, error));
        assert_true(value == 3);
    }
    args.value[2] = "2.5";
    assert_true(args_number(&args, "seconds", 0.001, 1000, &value, error));
    assert_true(value == 2.5);
}

static void
channels_are_lists_and_ranges(void **state)
{
    static const uint32_t expected[] = {4, 0, 1, 2, 9};
    struct args args;
    uint32_t list[TUTTI_MAX_CHANNELS], count = 0;

    assert_true(PARSE(&args, &command_play, "a", "--channels", "5,1-3,10"));
    assert_true(args_channels(&args, "channels", true, list, &count, error));
    assert_int_equal(count, 5);
    assert_memory_equal(list, expected, sizeof(expected));
    assert_true(PARSE(&args, &command_play, "a", "--channels", "1-256"));
    assert_true(args_channels(&args, "channels", true, list, &count, error));
    assert_int_equal(count, 256);
    assert_int_equal(list[255], 255);
}

static void
wrong_channels_are_refused(void **state)
{
    static const char *const wrong[] = {"a",   "1,",         ",1",          "1-",    "3-1",
                                        "257", "0",          "0-2",         "1-257", "1;2",
                                        "-1",  "4294967296", "1-4294967295"};
    struct args args;
    uint32_t list[TUTTI_MAX_CHANNELS] = {42}, count = 1;

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_true(PARSE(&args, &command_play, "a", "--channels", wrong[i]));
        assert_false(args_channels(&args, "channels", true, list, &count, error));
        assert_non_null(strstr(error, "--channels takes channels counted from 1"));
    }
    assert_true(PARSE(&args, &command_play, "a", "--channels", "2,1-3"));
    assert_false(args_channels(&args, "channels", true, list, &count, error));
    assert_string_equal(error, "--channels names channel 2 twice");
    assert_true(PARSE(&args, &command_play, "a", "--channels", "1-256,1"));
    assert_false(args_channels(&args, "channels", false, list, &count, error));
    assert_non_null(strstr(error, "more than 256"));
    assert_int_equal(count, 1);
    assert_int_equal(list[0], 42);
}

static void
sources_are_words_or_programs(void **state)
{
    enum tutti_channel_kind kind = TUTTI_CHANNEL_NONE;
    struct args args;
    uint32_t program = 0;

    assert_true(PARSE(&args, &command_record, "a.wav", "--source", "mix"));
    assert_true(args_source(&args, "source", &kind, &program, error));
    assert_int_equal(kind, TUTTI_CHANNEL_MIX);
    assert_true(PARSE(&args, &command_record, "a.wav", "--source", "17"));
    assert_true(args_source(&args, "source", &kind, &program, error));
    assert_int_equal(kind, TUTTI_CHANNEL_PROGRAM);
    assert_int_equal(program, 17);
    assert_true(PARSE(&args, &command_record, "a.wav", "--source", "0"));
    assert_false(args_source(&args, "source", &kind, &program, error));
    assert_true(PARSE(&args, &command_record, "a.wav", "--source", "reaper"));
    assert_false(args_source(&args, "source", &kind, &program, error));
}

static void
the_file_name_chooses_the_format(void **state)
{
    static const struct {
        const char *file, *format;
        int sound_format; /* 0: refused */
    } rows[] = {
        {"a.wav", NULL, SF_FORMAT_RF64 | SF_FORMAT_FLOAT},
        {"A.WAV", "int24", SF_FORMAT_RF64 | SF_FORMAT_PCM_24},
        {"a.flac", NULL, SF_FORMAT_FLAC | SF_FORMAT_PCM_24},
        {"dir.wav/a.Flac", "int24", SF_FORMAT_FLAC | SF_FORMAT_PCM_24},
        {"a.flac", "float32", 0},
        {"a.mp3", NULL, 0},
        {".wav", NULL, 0},
        {"wav", NULL, 0},
        {"a.wav", "int16", 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct recording_choice choice;
        struct args args = {.command = &command_record, .operand = rows[i].file};
        for (unsigned o = 0; command_record.options[o].name; o++) {
            if (strcmp(command_record.options[o].name, "format") == 0) {
                args.value[o] = rows[i].format;
            }
        }
        assert_int_equal(recording_choose(&choice, &args, error), rows[i].sound_format != 0);
        if (rows[i].sound_format) {
            assert_int_equal(choice.sound_format, rows[i].sound_format);
            assert_int_equal(choice.int24,
                             (rows[i].sound_format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_24);
        }
    }
}

static void
flac_refuses_a_ninth_channel(void **state)
{
    struct recording_choice choice;
    struct args args;

    assert_true(PARSE(&args, &command_record, "a.flac", "--channels", "1-8"));
    assert_true(recording_choose(&choice, &args, error));
    assert_true(PARSE(&args, &command_record, "a.flac", "--channels", "1-9"));
    assert_false(recording_choose(&choice, &args, error));
    assert_non_null(strstr(error, "8 channels"));
}

static void
every_help_fits_a_terminal_and_names_every_option(void **state)
{
    for (unsigned i = 0; i < TABLES; i++) {
        struct text text;
        text_init(&text);
        args_help(tables[i]->name, tables[i], &text);
        const char *help = text_get(&text);
        assert_non_null(strstr(help, tables[i]->name));
        assert_true(strlen(tables[i]->summary) <= 80 - 15); /* beside the name in 'tutti --help' */
        for (unsigned o = 0; o < ARGS_MAX_OPTIONS && tables[i]->options[o].name; o++) {
            assert_non_null(strstr(help, tables[i]->options[o].name));
            assert_non_null(tables[i]->options[o].help);
        }
        for (const char *line = help; *line;) {
            const char *end = strchr(line, '\n');
            assert_non_null(end);
            if (end - line > 80) {
                fail_msg("too long: %.*s", (int)(end - line), line);
            }
            line = end + 1;
        }
        text_fini(&text);
    }
}

static void
a_mistyped_word_finds_its_neighbour(void **state)
{
    static const char *const words[] = {"status", "stop-engine", "play"};

    assert_string_equal(args_nearest("statsu", words, 3), "status");
    assert_string_equal(args_nearest("pley", words, 3), "play");
    assert_null(args_nearest("x", words, 3));
    assert_null(args_nearest("record", words, 3));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operand_and_options_are_read_in_any_order),
        cmocka_unit_test(a_second_operand_may_be_left_out_where_there_is_one),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(an_operand_in_brackets_may_be_missing),
        cmocka_unit_test(one_dash_alone_is_an_operand),
        cmocka_unit_test(an_unknown_option_is_refused_with_the_nearest_name),
        cmocka_unit_test(mistakes_in_options_are_told_apart),
        cmocka_unit_test(an_endless_option_name_is_refused),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(whole_numbers_keep_their_limits),
        cmocka_unit_test(numbers_with_a_fraction_are_finite),
        cmocka_unit_test(channels_are_lists_and_ranges),
        cmocka_unit_test(wrong_channels_are_refused),
        cmocka_unit_test(sources_are_words_or_programs),
        cmocka_unit_test(the_file_name_chooses_the_format),
        cmocka_unit_test(flac_refuses_a_ninth_channel),
        cmocka_unit_test(every_help_fits_a_terminal_and_names_every_option),
        cmocka_unit_test(a_mistyped_word_finds_its_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
