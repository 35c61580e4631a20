/* SPDX-License-Identifier: MIT */
/*
 * The driver's state machine and selectors as tables, without a driver: every transition, what
 * hosts rely on, and that docs/asio.md holds them. Arguments: that file; with `--print` the tables
 * are written as the document must hold them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/rules.h"
#include "asio/selectors.h"

static void
states_follow_one_another_in_one_line_there_and_back(void **state)
{
    static const bool may[STATE_COUNT][STATE_COUNT] = {
        /* to: loaded initialized prepared running */
        {false, true, false, false},
        {false, false, true, false},
        {false, true, false, true},
        {false, false, true, false},
    };

    (void)state;
    for (int from = 0; from < STATE_COUNT; from++) {
        for (int to = 0; to < STATE_COUNT; to++) {
            assert_int_equal(rules_may_enter((enum state)from, (enum state)to), may[from][to]);
        }
    }
}

/* The answer while loaded, initialised, prepared, running. */
static const struct {
    enum call call;
    int32_t answer[STATE_COUNT];
} expected[] = {
    {CALL_INIT, {0, 0, 0, 0}},
    {CALL_GET_DRIVER_NAME, {0, 0, 0, 0}},
    {CALL_GET_DRIVER_VERSION, {0, 0, 0, 0}},
    {CALL_GET_ERROR_MESSAGE, {0, 0, 0, 0}},
    {CALL_START, {-1000, -997, 0, -997}},
    {CALL_STOP, {-1000, -997, -997, 0}},
    {CALL_GET_CHANNELS, {-1000, 0, 0, 0}},
    {CALL_GET_LATENCIES, {-1000, 0, 0, 0}},
    {CALL_GET_BUFFER_SIZE, {-1000, 0, 0, 0}},
    {CALL_CAN_SAMPLE_RATE, {-1000, 0, 0, 0}},
    {CALL_GET_SAMPLE_RATE, {-1000, 0, 0, 0}},
    {CALL_SET_SAMPLE_RATE, {-1000, 0, 0, 0}},
    {CALL_GET_CLOCK_SOURCES, {-1000, 0, 0, 0}},
    {CALL_SET_CLOCK_SOURCE, {-1000, 0, 0, 0}},
    {CALL_GET_SAMPLE_POSITION, {-996, -996, -996, 0}},
    {CALL_GET_CHANNEL_INFO, {-1000, 0, 0, 0}},
    {CALL_CREATE_BUFFERS, {-1000, 0, -997, -997}},
    {CALL_DISPOSE_BUFFERS, {-997, -997, 0, 0}},
    {CALL_CONTROL_PANEL, {0, 0, 0, 0}},
    {CALL_FUTURE, {0, 0, 0, 0}},
    {CALL_OUTPUT_READY, {-1000, 0, 0, 0}},
};

static void
each_call_is_allowed_where_hosts_make_it_and_refused_with_the_right_error(void **state)
{
    (void)state;
    assert_int_equal(sizeof(expected) / sizeof(expected[0]), CALL_COUNT);
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        assert_int_equal(expected[i].call, i);
        for (int s = 0; s < STATE_COUNT; s++) {
            assert_int_equal(rules_check(expected[i].call, (enum state)s), expected[i].answer[s]);
        }
    }
}

static void
calls_that_change_something_come_one_at_a_time(void **state)
{
    (void)state;
    assert_true(rules[CALL_INIT].alone && rules[CALL_START].alone && rules[CALL_STOP].alone);
    assert_true(rules[CALL_CREATE_BUFFERS].alone && rules[CALL_DISPOSE_BUFFERS].alone);
    assert_true(rules[CALL_SET_SAMPLE_RATE].alone);
    /* and what a callback asks in each block waits for nobody */
    assert_false(rules[CALL_OUTPUT_READY].alone || rules[CALL_GET_SAMPLE_POSITION].alone);
    assert_false(rules[CALL_FUTURE].alone || rules[CALL_GET_LATENCIES].alone);
}

/* ---- the document ---- */

static char tables[3][16384];
static const char *document_path;

static const char *
answer_name(int32_t answer)
{
    switch (answer) {
    case ASIO_OK:
        return "OK";
    case ASIO_SUCCESS:
        return "SUCCESS";
    case ASIO_NOT_PRESENT:
        return "NotPresent";
    case ASIO_INVALID_PARAMETER:
        return "InvalidParameter";
    case ASIO_INVALID_MODE:
        return "InvalidMode";
    case ASIO_SP_NOT_ADVANCING:
        return "SPNotAdvancing";
    default:
        return "?";
    }
}

static void
make_tables(void)
{
    static const char *const whys[] = {
#define WHY(name, text, states, alone, loaded, later, why) why,
        RULES_TABLE(WHY)
#undef WHY
    };
    static const struct {
        int32_t selector;
        const char *name;
        int32_t loaded, later;
        const char *why;
    } futures[] = {
#define FUTURE(name, text, loaded, later, why) {ASIO_FUTURE_##name, text, loaded, later, why},
        FUTURE_TABLE(FUTURE)
#undef FUTURE
    };
    static const struct {
        int32_t selector;
        const char *name, *when;
    } messages[] = {
#define MESSAGE(name, text, when) {ASIO_MESSAGE_##name, text, when},
        MESSAGE_TABLE(MESSAGE)
#undef MESSAGE
    };
    size_t at = 0;

#define ADD(table, ...) at += (size_t)snprintf(table + at, sizeof(table) - at, __VA_ARGS__)
    ADD(tables[0], "| Method | Loaded | Initialized | Prepared | Running | |\n"
                   "|---|---|---|---|---|---|\n");
    for (int c = 0; c < CALL_COUNT; c++) {
        ADD(tables[0], "| `%s` |", rules[c].name);
        for (int s = 0; s < STATE_COUNT; s++) {
            ADD(tables[0], " %s |", answer_name(rules_check((enum call)c, (enum state)s)));
        }
        ADD(tables[0], " %s |\n", whys[c]);
    }
    at = 0;
    ADD(tables[1], "| Selector | Loaded | later | |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < sizeof(futures) / sizeof(futures[0]); i++) {
        ADD(tables[1],
            futures[i].selector < 100 ? "| %u `%s` | %s | %s | %s |\n"
                                      : "| %#x `%s` | %s | %s | %s |\n",
            (unsigned)futures[i].selector, futures[i].name, answer_name(futures[i].loaded),
            answer_name(futures[i].later), futures[i].why);
    }
    at = 0;
    ADD(tables[2], "| Message | When |\n|---|---|\n");
    for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        ADD(tables[2], "| %d `%s` | %s |\n", (int)messages[i].selector, messages[i].name,
            messages[i].when);
    }
#undef ADD
}

static void
the_document_holds_the_tables(void **state)
{
    static char document[65536];

    (void)state;
    if (!document_path) {
        skip(); /* no source tree here */
    }
    FILE *file = fopen(document_path, "rb");
    assert_non_null(file);
    size_t bytes = fread(document, 1, sizeof(document) - 1, file);
    fclose(file);
    assert_true(bytes > 0 && bytes < sizeof(document) - 1);
    make_tables();
    for (unsigned i = 0; i < 3; i++) {
        if (!strstr(document, tables[i])) {
            fail_msg("docs/asio.md must hold, as one piece:\n%s", tables[i]);
        }
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_follow_one_another_in_one_line_there_and_back),
        cmocka_unit_test(each_call_is_allowed_where_hosts_make_it_and_refused_with_the_right_error),
        cmocka_unit_test(calls_that_change_something_come_one_at_a_time),
        cmocka_unit_test(the_document_holds_the_tables),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        make_tables();
        printf("%s\n%s\n%s", tables[0], tables[1], tables[2]);
        return 0;
    }
    document_path = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
