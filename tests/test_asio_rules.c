/* SPDX-License-Identifier: MIT */
/* The driver's state machine as tables: every transition and what hosts rely on, without a driver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/rules.h"

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
        for (int to = 0; to < STATE_COUNT; to++)
            assert_int_equal(rules_may_enter((enum state)from, (enum state)to), may[from][to]);
    }
}

/* The answer while loaded, initialised, prepared, running. */
static const struct {
    enum call call;
    int32_t answer[STATE_COUNT];
} expected[] = {
    {CALL_INIT, {0, -997, -997, -997}},
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
    assert_int_equal(sizeof expected / sizeof expected[0], CALL_COUNT);
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        assert_int_equal(expected[i].call, i);
        for (int s = 0; s < STATE_COUNT; s++)
            assert_int_equal(rules_check(expected[i].call, (enum state)s), expected[i].answer[s]);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_follow_one_another_in_one_line_there_and_back),
        cmocka_unit_test(each_call_is_allowed_where_hosts_make_it_and_refused_with_the_right_error),
        cmocka_unit_test(calls_that_change_something_come_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
