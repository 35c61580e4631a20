/* SPDX-License-Identifier: MIT */
/*
 * The driver in a host that has changed what it shares with its libraries: the locale and the
 * floating-point environment. The driver works the same, and the host finds its own again.
 */
#include <windows.h>

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "host_float.h"
#include "locales.h"

enum { FRAMES = 128, BLOCKS = 6 };

static const struct host_float *const environments[] = {&host_float_traps, &host_float_all_traps};

static int
begin(void **state)
{
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", NULL);
    SetEnvironmentVariableA("TUTTI_CONFIG", "C:\\no\\such\\tutti.ini");
    return fake_host_begin(state);
}

static double
double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* ---- methods ---- */

static void
ask_all(void)
{
    /* a signalling NaN, a denormal, infinity, beyond all integers, a rate */
    static const uint64_t rates[] = {UINT64_C(0x7ff4000000000000), UINT64_C(0x0000000000000001),
                                     UINT64_C(0x7ff0000000000000), UINT64_C(0x7e37e43c8800759c),
                                     UINT64_C(0x40e5888000000000)};
    int32_t a, b, c, d, paths = 0;
    struct asio_int64 position, time;
    struct asio_clock_source clock = {0};
    struct asio_channel_info info = {.channel = 0, .is_input = 1};
    struct asio_channel_controls controls = {.channel = 0, .is_input = 1, .gain = 0x1fffffff};
    struct asio_input_monitor monitor = {.input = 0, .output = 0, .gain = 0x12345678, .state = 1};
    char text[ASIO_ERROR_BYTES];
    double rate;
    for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        M->can_sample_rate(host.driver, double_of(rates[i]));
        M->set_sample_rate(host.driver, double_of(rates[i]));
    }
    M->get_sample_rate(host.driver, &rate);
    M->get_channels(host.driver, &a, &b);
    M->get_latencies(host.driver, &a, &b);
    M->get_buffer_size(host.driver, &a, &b, &c, &d);
    M->get_sample_position(host.driver, &position, &time);
    M->get_channel_info(host.driver, &info);
    a = 1;
    M->get_clock_sources(host.driver, &clock, &a);
    M->set_clock_source(host.driver, 0);
    M->get_driver_name(host.driver, text);
    M->get_error_message(host.driver, text);
    M->future(host.driver, ASIO_FUTURE_SET_INPUT_MONITOR, &monitor);
    M->future(host.driver, ASIO_FUTURE_SET_INPUT_GAIN, &controls);
    M->future(host.driver, ASIO_FUTURE_GET_INPUT_METER, &controls);
    M->future(host.driver, ASIO_FUTURE_CAN_TIME_INFO, &paths);
    M->control_panel(host.driver);
    M->output_ready(host.driver);
}

static void
methods_meet_what_traps_and_leave_all_as_it_was(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        for (enum state at = STATE_LOADED; at <= STATE_RUNNING; at++) {
            fake_host_go_to(at);
            host_float_set(environments[i]);
            ask_all();
            assert_host_float(environments[i]);
        }
        host_float_set(environments[i]);
        M->stop(host.driver);
        M->start(host.driver);
        M->dispose_buffers(host.driver);
        M->release(host.driver);
        assert_host_float(environments[i]);
        host.driver = fake_host_create();
        host_float_set(environments[i]);
        M->init(host.driver, NULL);
        assert_host_float(environments[i]);
    }
    assert_int_equal(M->can_sample_rate(host.driver, double_of(UINT64_C(0x7ff4000000000000))),
                     ASIO_NO_CLOCK);
}

/* ---- callbacks ---- */

static struct host_float left;
static bool wrong;

static bool
same(const struct host_float *a, const struct host_float *b)
{
    return a->control == b->control && a->x87_control == b->x87_control &&
           a->x87_status == b->x87_status;
}

/* Plays what no float holds, with everything set to trap. */
static void
play_too_loud(void)
{
    static const double extremes[] = {1e300, 1e-300, 4.9e-324, 0.1};
    const struct host_float now = host_float_get();
    wrong |= host.switches > 1 && !same(&now, &left);
    host_float_set(&host_float_usual);
    double *output = infos[1].buffers[host.last_half];
    for (unsigned i = 0; i < FRAMES; i++) {
        output[i] = extremes[i % 4];
    }
    ((uint64_t *)(void *)output)[5] = UINT64_C(0x7ff4000000000000);
    left = *environments[host.switches % 2];
    host_float_set(&left);
}

static void
play_blocks(bool time_info)
{
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", "float64");
    wrong = false;
    host.switches = 0;
    host.time_info = time_info;
    host.in_callback = play_too_loud;
    fake_host_go_to(STATE_PREPARED);
    assert_int_equal(M->start(host.driver), ASIO_OK);
    for (unsigned i = 0; i < BLOCKS; i++) {
        tutti_input(fake_tutti.last, 0, i & 1)[0] = 1e-40f;
        fake_tutti_block(fake_tutti.last);
        const float *out = tutti_output(fake_tutti.last, 0, i & 1);
        assert_true(out[0] > 3.4e38f); /* infinite: the engine makes silence of it */
        assert_true(out[1] >= 0 && out[1] < 1e-37f);
        assert_true(out[3] > 0.09f && out[3] < 0.11f);
    }
    assert_int_equal(host.switches, BLOCKS);
    assert_int_equal(host.time_switches != 0, time_info);
    assert_false(wrong);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
}

static void
the_callback_has_the_environment_that_it_left(void **state)
{
    play_blocks(false);
    play_blocks(true);
}

/* ---- messages ---- */

static unsigned questions, calls;

static int32_t TUTTI_ASIO_HOST
ask_with_traps(int32_t selector, int32_t value, void *data, double *option)
{
    const struct host_float now = host_float_get();
    wrong |= calls > 0 && !same(&now, &left);
    host_float_set(&host_float_usual);
    const int32_t answer = callbacks.asio_message(selector, value, data, option);
    left = *environments[calls++ % 2];
    questions += selector == ASIO_MESSAGE_SELECTOR_SUPPORTED;
    host_float_set(&left);
    return answer;
}

static void
questions_are_asked_in_the_hosts_environment(void **state)
{
    const struct asio_callbacks asked = {callbacks.buffer_switch, callbacks.sample_rate_did_change,
                                         ask_with_traps, callbacks.buffer_switch_time_info};
    struct asio_buffer_info info = {.is_input = 1, .channel = 0};
    fake_host_init();
    wrong = false;
    calls = questions = 0;
    host_float_set(&host_float_traps);
    M->create_buffers(host.driver, &info, 1, FRAMES, &asked);
    assert_host_float(&left);
    assert_false(wrong);
    assert_true(questions > 0);
}

static void
leave_traps(int32_t selector)
{
    const struct host_float now = host_float_get();
    (void)selector;
    wrong |= calls > 0 && !same(&now, &left);
    left = *environments[calls++ % 2];
    host_float_set(&left);
}

static void
messages_go_on_after_a_host_that_sets_traps(void **state)
{
    fake_host_run();
    wrong = false;
    calls = 0;
    host.in_message = leave_traps;
    for (unsigned i = 0; i < BLOCKS; i++) {
        const double rate_hz = i % 2 ? 48000 : 44100.5;
        const LONG rates = host.rates;
        host_float_set(environments[i % 2]);
        fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, rate_hz);
        assert_host_float(environments[i % 2]);
        const ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
        while ((host.rates == rates || calls % 2) && GetTickCount64() < deadline) {
            Sleep(1);
        }
        assert_int_equal(host.rates, rates + 1);
    }
    assert_false(wrong);
    host.in_message = NULL;
}

/* ---- the locale ---- */

static void
sentences_have_points_whatever_the_locale(void **state)
{
    assert_true(locales_set_comma());
    fake_host_init();
    assert_int_equal(M->can_sample_rate(host.driver, 12345.5), ASIO_NO_CLOCK);
    fake_host_assert_says("12345.5 Hz");
    setlocale(LC_ALL, "C");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fake_host_end)
    const struct CMUnitTest tests[] = {
        TEST(methods_meet_what_traps_and_leave_all_as_it_was),
        TEST(the_callback_has_the_environment_that_it_left),
        TEST(questions_are_asked_in_the_hosts_environment),
        TEST(messages_go_on_after_a_host_that_sets_traps),
        TEST(sentences_have_points_whatever_the_locale),
    };
    host_float_usual = host_float_get();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
