/* SPDX-License-Identifier: MIT */
/*
 * What a host is told, message by message: when, how often, and what it may do meanwhile: release
 * the driver, make new buffers, decline, ignore it for ever.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

/* Each message with an event that makes it; 0 is sampleRateDidChange. */
static const struct {
    int32_t selector;
    enum tutti_event_kind event;
    double rate_hz;
} told_by[] = {
    {ASIO_MESSAGE_RESET_REQUEST, TUTTI_EVENT_ENGINE_BACK, 0},
    {ASIO_MESSAGE_BUFFER_SIZE_CHANGE, TUTTI_EVENT_GAP, 0},
    {ASIO_MESSAGE_RESYNC_REQUEST, TUTTI_EVENT_GAP, 0},
    {ASIO_MESSAGE_RESYNC_REQUEST, TUTTI_EVENT_DEVICE_BACK, 0},
    {ASIO_MESSAGE_LATENCIES_CHANGED, TUTTI_EVENT_LATENCIES, 0},
    {ASIO_MESSAGE_OVERLOAD, TUTTI_EVENT_OVERLOAD, 0},
    {0, TUTTI_EVENT_RATE, 96000},
};
enum { MESSAGES = sizeof(told_by) / sizeof(told_by[0]) };

static LONG
times_told(int32_t selector)
{
    return selector ? host.told[selector] : host.rates;
}

static void
await_told(int32_t selector, LONG times)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (times_told(selector) < times && GetTickCount64() < deadline) {
        WaitForSingleObject(host.event, 10);
    }
    if (times_told(selector) < times) {
        fail_msg("message %d was not told", (int)selector);
    }
}

/* A host that knows all messages, on a device with one period, that follows it. */
static void
run_on_one_period(void)
{
    host.knows |= 1u << ASIO_MESSAGE_BUFFER_SIZE_CHANGE;
    SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_FIXED", "yes");
    fake_tutti.device.period_min_frames = fake_tutti.device.period_max_frames = 128;
    fake_host_run();
}

static int
end(void **state)
{
    SetEnvironmentVariableA("TUTTI_PROGRAM_BUFFER_FIXED", NULL);
    return fake_host_end(state);
}

/* What makes the driver tell number n. */
static void
cause(unsigned n)
{
    if (told_by[n].selector == ASIO_MESSAGE_BUFFER_SIZE_CHANGE) {
        fake_tutti.device.period_min_frames = fake_tutti.device.period_max_frames = 480;
    }
    if (told_by[n].selector == ASIO_MESSAGE_LATENCIES_CHANGED) {
        fake_tutti.output_latency++;
    }
    if (told_by[n].rate_hz > 0) {
        fake_tutti.device.rate_hz = told_by[n].rate_hz;
    }
    fake_tutti_event(fake_tutti.last, told_by[n].event, told_by[n].rate_hz);
}

static void
begin_again(void **state)
{
    assert_int_equal(end(state), 0);
    assert_int_equal(fake_host_begin(state), 0);
}

static int32_t awaited;

static void
release_in_message(int32_t selector)
{
    if (selector == awaited && host.driver) {
        host.answer = (int32_t)M->release(host.driver);
        host.driver = NULL;
    }
}

static void
the_driver_may_be_released_within_each_message(void **state)
{
    for (unsigned n = 0; n < MESSAGES; n++) {
        run_on_one_period();
        fake_tutti_block(fake_tutti.last);
        awaited = told_by[n].selector;
        host.in_message = release_in_message;
        host.answer = -1;
        cause(n);
        await_told(awaited, 1);
        ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
        while (fake_tutti.closes < fake_tutti.opens && GetTickCount64() < deadline) {
            Sleep(1);
        }
        assert_int_equal(host.answer, 0);
        assert_null(host.driver);
        assert_int_equal(fake_tutti.closes, fake_tutti.opens);
        begin_again(state);
    }
}

static void
begin_again_in_message(int32_t selector)
{
    if (selector != awaited || host.answer != -1) {
        return;
    }
    int32_t size = 128;
    M->get_buffer_size(host.driver, NULL, NULL, &size, NULL);
    int32_t answer = M->stop(host.driver);
    answer = answer ? answer : M->dispose_buffers(host.driver);
    answer = answer ? answer : M->create_buffers(host.driver, infos, 4, size, &callbacks);
    host.answer = answer ? answer : M->start(host.driver);
}

static void
a_host_may_begin_again_within_each_message(void **state)
{
    for (unsigned n = 0; n < MESSAGES; n++) {
        run_on_one_period();
        awaited = told_by[n].selector;
        host.in_message = begin_again_in_message;
        host.answer = -1;
        cause(n);
        await_told(awaited, 1);
        ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
        while (host.answer == -1 && GetTickCount64() < deadline) {
            Sleep(1);
        }
        assert_int_equal(host.answer, ASIO_OK);
        LONG before = host.switches;
        fake_tutti_block(fake_tutti.last);
        assert_int_equal(host.switches, before + 1);
        begin_again(state);
    }
}

static void
a_host_that_ignores_a_message_is_called_on_and_not_told_again(void **state)
{
    for (unsigned n = 0; n < MESSAGES; n++) {
        run_on_one_period();
        cause(n);
        await_told(told_by[n].selector, 1);
        for (unsigned i = 0; i < 3000; i++) {
            fake_tutti_block(fake_tutti.last);
        }
        assert_int_equal(host.switches, 3000);
        assert_int_equal(times_told(told_by[n].selector), 1);
        begin_again(state);
    }
}

static HANDLE let_go;

static void
stay_in_message(int32_t selector)
{
    if (selector == ASIO_MESSAGE_RESET_REQUEST) {
        WaitForSingleObject(let_go, PATIENCE_MS);
    }
}

static void
callbacks_go_on_while_a_host_stays_within_a_message(void **state)
{
    (void)state;
    let_go = CreateEventW(NULL, TRUE, FALSE, NULL);
    run_on_one_period();
    host.in_message = stay_in_message;
    cause(0);
    await_told(ASIO_MESSAGE_RESET_REQUEST, 1);
    for (unsigned i = 0; i < 100; i++) {
        fake_tutti_block(fake_tutti.last);
    }
    assert_int_equal(host.switches, 100);
    /* and other threads of the host may stop and begin again meanwhile */
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    assert_int_equal(M->start(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 101);
    SetEvent(let_go);
    CloseHandle(let_go);
}

/* ---- the buffer size ---- */

static void
a_size_that_is_offered_no_more_is_told_with_the_one_to_take(void **state)
{
    (void)state;
    run_on_one_period();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_told(ASIO_MESSAGE_RESYNC_REQUEST, 1); /* the same period: no reason */
    assert_int_equal(host.told[ASIO_MESSAGE_BUFFER_SIZE_CHANGE], 0);
    cause(1);
    await_told(ASIO_MESSAGE_BUFFER_SIZE_CHANGE, 1);
    assert_int_equal(host.last_size, 480);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told(ASIO_MESSAGE_OVERLOAD, 1); /* told after what was to be told before */
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0); /* it took it */
}

static void
a_host_that_does_not_take_the_size_is_asked_for_a_reset(void **state)
{
    for (int declines = 0; declines < 2; declines++) {
        run_on_one_period();
        M->dispose_buffers(host.driver);
        host.declines = declines;
        if (!declines) {
            host.knows &= ~(1u << ASIO_MESSAGE_BUFFER_SIZE_CHANGE);
        }
        fake_host_prepare();
        cause(1);
        await_told(ASIO_MESSAGE_RESET_REQUEST, 1);
        assert_int_equal(host.told[ASIO_MESSAGE_BUFFER_SIZE_CHANGE], declines);
        begin_again(state);
    }
}

static void
a_host_whose_device_has_other_channels_now_is_asked_for_a_reset(void **state)
{
    (void)state;
    run_on_one_period();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_told(ASIO_MESSAGE_RESYNC_REQUEST, 1);
    fake_tutti.device.inputs = 2;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_DEVICE_BACK, 0);
    await_told(ASIO_MESSAGE_RESET_REQUEST, 1);
    assert_int_equal(host.told[ASIO_MESSAGE_BUFFER_SIZE_CHANGE], 0);
}

/* ---- lost frames, other latencies ---- */

/* declines: the host knows the message and answers 0; else it does not know it. */
static void
run_without(int32_t selector, bool declines)
{
    run_on_one_period();
    M->dispose_buffers(host.driver);
    host.declines = declines;
    if (!declines) {
        host.knows &= ~(1u << selector);
    }
    fake_host_prepare();
}

static void
lost_frames_are_told_by_overload_else_by_a_resync(void **state)
{
    run_on_one_period();
    fake_tutti.event_losses = 1;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told(ASIO_MESSAGE_OVERLOAD, 1);
    begin_again(state);
    for (int declines = 0; declines < 2; declines++) {
        run_without(ASIO_MESSAGE_OVERLOAD, declines);
        for (LONG i = 1; i <= 3; i++) {
            fake_tutti.event_losses = 1;
            fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
            await_told(ASIO_MESSAGE_RESYNC_REQUEST, i);
        }
        assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], declines ? 3 : 0);
        begin_again(state);
    }
}

/* Both messages come from one thread in order: with the last one told, the others would be, too. */
static void
no_resync_is_asked_for_what_the_host_was_late_for(void **state)
{
    (void)state;
    run_without(ASIO_MESSAGE_OVERLOAD, false);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    cause(4);
    await_told(ASIO_MESSAGE_LATENCIES_CHANGED, 1);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told(ASIO_MESSAGE_RESET_REQUEST, 1);
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 0);
    M->dispose_buffers(host.driver);
    host.knows |= 1u << ASIO_MESSAGE_OVERLOAD;
    fake_host_prepare();
    fake_tutti.event_losses = 1;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told(ASIO_MESSAGE_OVERLOAD, 1);
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 0);
}

static void
a_host_that_declines_other_latencies_is_asked_for_a_reset(void **state)
{
    for (int declines = 0; declines < 2; declines++) {
        run_without(ASIO_MESSAGE_LATENCIES_CHANGED, declines);
        cause(4);
        await_told(ASIO_MESSAGE_RESET_REQUEST, 1);
        begin_again(state);
    }
    run_on_one_period();
    cause(4);
    await_told(ASIO_MESSAGE_LATENCIES_CHANGED, 1);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told(ASIO_MESSAGE_OVERLOAD, 1);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
}

/* ---- rates ---- */

static void
a_rate_that_others_change_is_told_once_and_shown_with_the_next_block(void **state)
{
    const uint32_t valid = ASIO_TIME_SYSTEM_TIME_VALID | ASIO_TIME_SAMPLE_POSITION_VALID |
                           ASIO_TIME_SAMPLE_RATE_VALID | ASIO_TIME_SPEED_VALID;

    (void)state;
    host.time_info = true;
    run_on_one_period();
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_time.info.flags, valid);
    cause(6);
    await_told(0, 1);
    assert_true(host.last_rate == 96000);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_time.info.flags, valid | ASIO_TIME_SAMPLE_RATE_CHANGED);
    assert_true(host.last_time.info.sample_rate == 96000);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_time.info.flags, valid);
    cause(6); /* the same again */
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told(ASIO_MESSAGE_OVERLOAD, 1);
    assert_int_equal(host.rates, 1);
    assert_true(host.last_time.info.speed == 1.0);
}

static void
a_rate_that_another_program_took_before_the_buffers_were_made_is_told(void **state)
{
    double rate;

    (void)state;
    fake_host_init();
    assert_int_equal(M->get_sample_rate(host.driver, &rate), ASIO_OK);
    fake_tutti.device.rate_hz = 96000;
    fake_host_prepare();
    await_told(0, 1);
    assert_true(host.last_rate == 96000);
    M->dispose_buffers(host.driver);
    fake_host_prepare(); /* it knows */
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told(ASIO_MESSAGE_OVERLOAD, 1);
    assert_int_equal(host.rates, 1);
}

static void
a_block_that_another_clock_drives_says_so(void **state)
{
    (void)state;
    host.time_info = true;
    run_on_one_period();
    struct tutti_client *client = fake_tutti.last;
    fake_tutti_block(client);
    assert_false(host.last_time.info.flags & ASIO_TIME_CLOCK_SOURCE_CHANGED);
    client->next.silent = true; /* the device is lost */
    fake_tutti_block(client);
    assert_true(host.last_time.info.flags & ASIO_TIME_CLOCK_SOURCE_CHANGED);
    fake_tutti_block(client);
    assert_false(host.last_time.info.flags & ASIO_TIME_CLOCK_SOURCE_CHANGED);
    client->next.silent = false;
    client->next.generation++; /* another engine */
    fake_tutti_block(client);
    assert_true(host.last_time.info.flags & ASIO_TIME_CLOCK_SOURCE_CHANGED);
    M->stop(host.driver);
    M->start(host.driver);
    fake_tutti_block(client); /* the first block has none before it */
    assert_false(host.last_time.info.flags & ASIO_TIME_CLOCK_SOURCE_CHANGED);
}

static void
a_rate_is_remembered_in_the_process_when_the_engine_forgot_it(void **state)
{
    double rate = 0;

    (void)state;
    fake_host_init();
    assert_int_equal(M->set_sample_rate(host.driver, 96000), ASIO_OK);
    M->release(host.driver);
    fake_tutti.device.rate_hz = 48000; /* another engine */
    host.driver = fake_host_create();
    fake_host_init();
    assert_int_equal(M->get_sample_rate(host.driver, &rate), ASIO_OK);
    assert_true(rate == 96000);
    /* another entry may have another device */
    fake_tutti.asked_rate = 1;
    struct asio_driver *main_entry = host.driver;
    host.driver = fake_host_create_of("Other");
    fake_host_init();
    assert_true(fake_tutti.asked_rate == 1);
    M->release(host.driver);
    host.driver = main_entry;
    /* a rate that the device does not have is not asked for */
    M->release(host.driver);
    fake_tutti.device.rate_hz = 48000;
    fake_tutti.device.rates_hz[2] = 0;
    fake_tutti.asked_rate = 1;
    host.driver = fake_host_create();
    fake_host_init();
    assert_true(fake_tutti.asked_rate == 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_host_begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_driver_may_be_released_within_each_message),
        TEST(a_host_may_begin_again_within_each_message),
        TEST(a_host_that_ignores_a_message_is_called_on_and_not_told_again),
        TEST(callbacks_go_on_while_a_host_stays_within_a_message),
        TEST(a_size_that_is_offered_no_more_is_told_with_the_one_to_take),
        TEST(a_host_that_does_not_take_the_size_is_asked_for_a_reset),
        TEST(a_host_whose_device_has_other_channels_now_is_asked_for_a_reset),
        TEST(lost_frames_are_told_by_overload_else_by_a_resync),
        TEST(no_resync_is_asked_for_what_the_host_was_late_for),
        TEST(a_host_that_declines_other_latencies_is_asked_for_a_reset),
        TEST(a_rate_that_others_change_is_told_once_and_shown_with_the_next_block),
        TEST(a_rate_that_another_program_took_before_the_buffers_were_made_is_told),
        TEST(a_block_that_another_clock_drives_says_so),
        TEST(a_rate_is_remembered_in_the_process_when_the_engine_forgot_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
