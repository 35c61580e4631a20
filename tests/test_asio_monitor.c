/* SPDX-License-Identifier: MIT */
/*
 * The host's input monitor, gains and meters against a libtutti of the test's own: what becomes of
 * the numbers that hosts give, what is refused, and that asking waits for nobody.
 */
#include <windows.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

enum { UNITY = 0x20000000, MOST = 0x7fffffff, CENTRE = 0x3fffffff };

/* Waits until the engine was told so many times. */
static void
await_monitors(LONG count)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (fake_tutti.last->monitors < count && GetTickCount64() < deadline) {
        Sleep(1);
    }
    assert_true(fake_tutti.last->monitors >= count);
}

static int32_t
monitor(int32_t input, int32_t output, int32_t gain, int32_t state, int32_t pan)
{
    struct asio_input_monitor wanted = {input, output, gain, state, pan};

    return M->future(host.driver, ASIO_FUTURE_SET_INPUT_MONITOR, &wanted);
}

/* The gain of a path in what the engine was told last; -1: there is none. */
static float
path_gain(uint32_t input, uint32_t output)
{
    const struct tutti_client *client = fake_tutti.last;

    for (uint32_t p = 0; p < client->paths; p++) {
        if (client->path[p].input == input && client->path[p].output == output) {
            return client->path[p].gain;
        }
    }
    return -1;
}

static void
set(int32_t input, int32_t output, int32_t gain, int32_t pan)
{
    LONG before = fake_tutti.last->monitors;

    assert_int_equal(monitor(input, output, gain, 1, pan), ASIO_SUCCESS);
    await_monitors(before + 1);
}

static void
the_numbers_of_hosts_become_paths_and_gains(void **state)
{
    (void)state;
    fake_host_init();
    set(1, 2, UNITY, CENTRE); /* the left one of a pair */
    assert_int_equal(fake_tutti.last->paths, 2);
    assert_true(path_gain(1, 2) == 1.0f && path_gain(1, 3) == 1.0f);
    set(1, 2, UNITY, CENTRE + 1);
    assert_true(path_gain(1, 2) == 1.0f && path_gain(1, 3) == 1.0f);
    set(1, 2, UNITY, 0);
    assert_int_equal(fake_tutti.last->paths, 1);
    assert_true(path_gain(1, 2) == 1.0f);
    set(1, 2, UNITY, MOST);
    assert_int_equal(fake_tutti.last->paths, 1);
    assert_true(path_gain(1, 3) == 1.0f);
    set(1, 2, UNITY, CENTRE / 2); /* half way to the left */
    assert_true(path_gain(1, 2) == 1.0f && fabsf(path_gain(1, 3) - 0.5f) < 1e-6f);
    set(1, 2, MOST, CENTRE);
    assert_true(fabsf(path_gain(1, 2) - 4.0f) < 1e-6f); /* 12 dB */
    set(1, 2, 0, CENTRE);
    assert_int_equal(fake_tutti.last->paths, 0);
    set(1, 2, UNITY / 2, 0);
    assert_true(path_gain(1, 2) == 0.5f);
    set(0, 3, UNITY, 0); /* an odd output is meant alone */
    assert_int_equal(fake_tutti.last->paths, 2);
    assert_true(path_gain(0, 3) == 1.0f);
    set(0, 4, UNITY, CENTRE); /* it moves: one input has one place */
    assert_int_equal(fake_tutti.last->paths, 3);
    assert_true(path_gain(0, 4) == 1.0f && path_gain(0, 5) == 1.0f);
}

static void
all_inputs_go_side_by_side_and_are_switched_off_together(void **state)
{
    (void)state;
    fake_host_init(); /* 4 inputs, 6 outputs */
    set(-1, 0, UNITY, CENTRE);
    assert_int_equal(fake_tutti.last->paths, 4);
    for (uint32_t c = 0; c < 4; c++) {
        assert_true(path_gain(c, c) == 1.0f);
    }
    set(-1, 4, UNITY, CENTRE); /* there are two left from there on */
    assert_int_equal(fake_tutti.last->paths, 2);
    assert_true(path_gain(1, 5) == 1.0f);
    LONG before = fake_tutti.last->monitors;
    assert_int_equal(monitor(-1, -7, -7, 0, -7), ASIO_SUCCESS); /* off needs no more */
    await_monitors(before + 1);
    assert_int_equal(fake_tutti.last->paths, 0);
}

static void
what_cannot_be_is_refused_with_a_sentence(void **state)
{
    static const struct {
        struct asio_input_monitor wanted;
        const char *says;
    } wrong[] = {
        {{4, 0, UNITY, 1, CENTRE}, "no input channel 4 of 4"},
        {{-2, 0, UNITY, 1, CENTRE}, "no input channel -2"},
        {{0, 6, UNITY, 1, CENTRE}, "no output channel 6 of 6"},
        {{0, -1, UNITY, 1, CENTRE}, "no output channel -1"},
        {{0, 0, -1, 1, CENTRE}, "not negative"},
        {{0, 0, UNITY, 1, -1}, "not negative"},
    };
    struct asio_channel_controls controls = {.channel = 6, .gain = UNITY};

    (void)state;
    fake_host_init();
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct asio_input_monitor wanted = wrong[i].wanted;
        assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_INPUT_MONITOR, &wanted),
                         ASIO_INVALID_PARAMETER);
        fake_host_assert_says(wrong[i].says);
    }
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_OUTPUT_GAIN, &controls),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("no output channel 6");
    controls.channel = -1;
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_GET_INPUT_METER, &controls),
                     ASIO_INVALID_PARAMETER);
    controls.channel = 0;
    controls.gain = -1;
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_INPUT_GAIN, &controls),
                     ASIO_INVALID_PARAMETER);
    fake_host_assert_says("not negative");
    assert_int_equal(fake_tutti.last->monitors, 0);
}

static void
gains_are_of_their_channel_and_direction(void **state)
{
    struct asio_channel_controls controls = {.channel = 3, .gain = UNITY / 4};

    (void)state;
    fake_host_init();
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_INPUT_GAIN, &controls), ASIO_SUCCESS);
    controls.channel = 5;
    controls.gain = 0;
    assert_int_equal(M->future(host.driver, ASIO_FUTURE_SET_OUTPUT_GAIN, &controls), ASIO_SUCCESS);
    await_monitors(1);
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS; /* both may come at once, or not */
    while (fake_tutti.last->output_gain[5] != 0 && GetTickCount64() < deadline) {
        Sleep(1);
    }
    for (uint32_t c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        assert_true(fake_tutti.last->input_gain[c] == (c == 3 ? 0.25f : 1.0f));
        assert_true(fake_tutti.last->output_gain[c] == (c == 5 ? 0.0f : 1.0f));
    }
}

static int32_t
meter(int32_t selector, int32_t channel)
{
    struct asio_channel_controls controls = {.channel = channel, .meter = -5};

    assert_int_equal(M->future(host.driver, selector, &controls), ASIO_SUCCESS);
    return controls.meter;
}

static void
meters_tell_the_peak_since_they_were_last_asked(void **state)
{
    (void)state;
    fake_host_init();
    fake_host_prepare();
    struct tutti_client *client = fake_tutti.last;
    client->input_peak[2] = 0.5f;
    client->output_peak[2] = 1.0f;
    client->output_peak[3] = 1.5f;
    assert_int_equal(meter(ASIO_FUTURE_GET_INPUT_METER, 2), MOST / 2);
    assert_int_equal(meter(ASIO_FUTURE_GET_INPUT_METER, 2), 0);
    assert_int_equal(meter(ASIO_FUTURE_GET_OUTPUT_METER, 2), MOST);
    assert_int_equal(meter(ASIO_FUTURE_GET_OUTPUT_METER, 3), MOST);
    assert_int_equal(meter(ASIO_FUTURE_GET_OUTPUT_METER, 0), 0);
}

static void
asks_within_callback(void)
{
    host.answer = monitor(0, 0, UNITY, 1, 0);
}

static void
a_callback_may_ask_and_waits_for_nobody(void **state)
{
    (void)state;
    fake_host_run();
    host.in_callback = asks_within_callback;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_SUCCESS);
    await_monitors(1);
    assert_true(path_gain(0, 0) == 1.0f);
}

static void
the_monitor_goes_on_at_another_rate(void **state)
{
    (void)state;
    fake_host_run();
    set(0, 0, UNITY, 0);
    assert_int_equal(M->set_sample_rate(host.driver, 96000), ASIO_OK);
    assert_true(fake_tutti.asked_rate == 96000);
    assert_true(fake_tutti.last->output_gain[5] == 1.0f && path_gain(0, 0) == 1.0f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_host_begin, fake_host_end)
    const struct CMUnitTest tests[] = {
        TEST(the_numbers_of_hosts_become_paths_and_gains),
        TEST(all_inputs_go_side_by_side_and_are_switched_off_together),
        TEST(what_cannot_be_is_refused_with_a_sentence),
        TEST(gains_are_of_their_channel_and_direction),
        TEST(meters_tell_the_peak_since_they_were_last_asked),
        TEST(a_callback_may_ask_and_waits_for_nobody),
        TEST(the_monitor_goes_on_at_another_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
