/* SPDX-License-Identifier: MIT */
/*
 * Buffers, callbacks and messages against a libtutti of the test's own, and everything that hosts
 * do from within them: stop, dispose, restart, release.
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/dll.h"
#include "fake_host.h"

/* ---- buffers and callbacks ---- */

static void
a_subset_of_channels_is_mapped_and_its_buffers_are_the_segments(void **state)
{
    struct tutti_client *client;

    (void)state;
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", "float32");
    fake_host_init();
    fake_host_prepare();
    client = fake_tutti.last;
    assert_int_equal(client->stream.inputs, 2);
    assert_int_equal(client->stream.outputs, 2);
    assert_int_equal(client->stream.buffer_frames, 128);
    assert_int_equal(client->input[0].channel, 2);
    assert_int_equal(client->input[1].channel, 0);
    assert_int_equal(client->output[0].channel, 5);
    assert_int_equal(client->output[1].channel, 0);
    for (unsigned half = 0; half < 2; half++) {
        assert_ptr_equal(infos[0].buffers[half], tutti_input(client, 0, half));
        assert_ptr_equal(infos[1].buffers[half], tutti_output(client, 0, half));
        assert_ptr_equal(infos[2].buffers[half], tutti_output(client, 1, half));
        assert_ptr_equal(infos[3].buffers[half], tutti_input(client, 1, half));
    }
    SetEnvironmentVariableA("TUTTI_PROGRAM_SAMPLE_TYPE", NULL);
}

static void
create_buffers_refuses_channels_that_do_not_exist_and_tells_why_the_device_failed(void **state)
{
    struct asio_buffer_info two[2] = {{.is_input = 0, .channel = 0}, {.is_input = 1, .channel = 4}};

    (void)state;
    fake_host_init();
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks),
                     ASIO_INVALID_PARAMETER);
    two[1].channel = 3;
    fake_tutti.prepare_status = TUTTI_DEVICE_BUSY;
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks), ASIO_HW_MALFUNCTION);
    fake_host_assert_says("the fake says no");
    assert_null(two[0].buffers[0]);
    fake_tutti.prepare_status = TUTTI_OK;
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks), ASIO_OK);
}

static void
a_channel_that_is_listed_twice_has_halves_of_its_own_each_time(void **state)
{
    struct asio_buffer_info four[4] = {{.is_input = 1, .channel = 3},
                                       {.is_input = 0, .channel = 1},
                                       {.is_input = 1, .channel = 3},
                                       {.is_input = 0, .channel = 1}};
    struct asio_channel_info info = {.channel = 1};

    (void)state;
    fake_host_init();
    assert_int_equal(M->create_buffers(host.driver, four, 4, 64, &callbacks), ASIO_OK);
    assert_int_equal(fake_tutti.last->input[0].channel, 3);
    assert_int_equal(fake_tutti.last->input[1].channel, 3);
    assert_int_equal(fake_tutti.last->output[0].channel, 1);
    assert_int_equal(fake_tutti.last->output[1].channel, 1);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned half = 0; half < 2; half++) {
            assert_non_null(four[i].buffers[half]);
            assert_ptr_not_equal(four[i].buffers[half], four[i + 2].buffers[half]);
        }
    }
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
    assert_true(info.is_active);
}

static void
callbacks_are_copied_and_alternate_halves_directly(void **state)
{
    struct asio_callbacks mortal = callbacks;
    struct asio_buffer_info one = {.is_input = 0, .channel = 0};

    (void)state;
    fake_host_init();
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 64, &mortal), ASIO_OK);
    memset(&mortal, 0xee, sizeof(mortal));
    M->start(host.driver);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_half, 0);
    assert_int_equal(host.last_direct, 1);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.last_half, 1);
    assert_int_equal(host.switches, 2);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 2);
}

static void
time_info_is_used_only_when_the_host_agrees_three_times(void **state)
{
    (void)state;
    for (int pointer = 0; pointer < 2; pointer++) {
        for (int supported = 0; supported < 2; supported++) {
            for (int agreed = 0; agreed < 2; agreed++) {
                struct asio_callbacks some = callbacks;
                struct asio_buffer_info one = {.is_input = 0, .channel = 0};
                some.buffer_switch_time_info = pointer ? callbacks.buffer_switch_time_info : NULL;
                host.knows = supported ? 1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO : 0;
                host.time_info = agreed;
                host.time_switches = 0;
                fake_host_go_to(STATE_INITIALIZED);
                assert_int_equal(M->create_buffers(host.driver, &one, 1, 64, &some), ASIO_OK);
                M->start(host.driver);
                fake_tutti_block(fake_tutti.last);
                assert_int_equal(host.time_switches, pointer && supported && agreed);
            }
        }
    }
}

static void
a_host_without_any_function_but_buffer_switch_is_served(void **state)
{
    const struct asio_callbacks bare = {.buffer_switch = callbacks.buffer_switch};
    struct asio_buffer_info one = {.is_input = 1, .channel = 0};

    (void)state;
    fake_host_init();
    assert_int_equal(M->create_buffers(host.driver, &one, 1, 64, &bare), ASIO_OK);
    M->start(host.driver);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 96000);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 1);
}

static void
position_and_time_are_those_of_the_block(void **state)
{
    struct asio_int64 position, time;
    uint64_t now_ms = timeGetTime();

    (void)state;
    host.time_info = true;
    fake_host_run();
    assert_int_equal(M->get_sample_position(host.driver, &position, &time), ASIO_SP_NOT_ADVANCING);
    uint64_t now_ns = tutti_now_ns();
    fake_tutti.last->next.position_frames = UINT64_C(0x123456780);
    fake_tutti.last->next.time_ns = now_ns;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(M->get_sample_position(host.driver, &position, &time), ASIO_OK);
    assert_int_equal(position.hi, 1);
    assert_int_equal(position.lo, 0x23456780);
    assert_true(asio_int64_value(time) >= now_ms * 1000000);
    assert_true(asio_int64_value(time) <= ((uint64_t)timeGetTime() + 20) * 1000000);
    assert_int_equal(asio_int64_value(host.last_time.info.system_time), asio_int64_value(time));
    assert_int_equal(host.last_time.info.sample_position.lo, 0x23456780);
    assert_true(host.last_time.info.sample_rate == 48000);
    assert_int_equal(host.last_time.info.flags,
                     ASIO_TIME_SYSTEM_TIME_VALID | ASIO_TIME_SAMPLE_POSITION_VALID |
                         ASIO_TIME_SAMPLE_RATE_VALID | ASIO_TIME_SPEED_VALID);
}

static void
ask_for_block(void)
{
    host.block.size = sizeof(host.block);
    host.answer = M->future(host.driver, TUTTI_ASIO_GET_BLOCK, &host.block);
}

static void
the_block_of_a_callback_is_told_within_it(void **state)
{
    (void)state;
    fake_host_run();
    ask_for_block();
    assert_int_equal(host.answer, ASIO_SP_NOT_ADVANCING);
    host.in_callback = ask_for_block;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_SUCCESS);
    assert_int_equal(host.block.position, 0);
    assert_int_equal(host.block.device_frames, 77000);
    assert_int_equal(host.block.generation, 3);
    assert_int_equal(host.block.time_ns, 5000);
    assert_int_equal(host.block.flags, 0);
    fake_tutti.last->next.silent = true;
    fake_tutti.last->next.jumped = true;
    fake_tutti.last->next.position_frames = 1000;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.block.position, 1000);
    assert_int_equal(host.block.flags, TUTTI_ASIO_BLOCK_SILENT | TUTTI_ASIO_BLOCK_JUMPED);
    host.block.size = sizeof(host.block) - 1;
    assert_int_equal(M->future(host.driver, TUTTI_ASIO_GET_BLOCK, &host.block),
                     ASIO_INVALID_PARAMETER);
}

static void
output_ready_counts_only_while_it_runs(void **state)
{
    (void)state;
    fake_host_init();
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    fake_host_prepare();
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    assert_int_equal(fake_tutti.last->ready, 0);
    M->start(host.driver);
    assert_int_equal(M->output_ready(host.driver), ASIO_OK);
    assert_int_equal(fake_tutti.last->ready, 1);
    M->stop(host.driver);
    M->output_ready(host.driver);
    assert_int_equal(fake_tutti.last->ready, 1);
}

static void
start_that_fails_can_be_tried_again(void **state)
{
    (void)state;
    fake_host_init();
    fake_host_prepare();
    fake_tutti.start_status = TUTTI_NO_MEMORY;
    assert_int_equal(M->start(host.driver), ASIO_NO_MEMORY);
    fake_tutti.start_status = TUTTI_OK;
    assert_int_equal(M->start(host.driver), ASIO_OK);
}

static void
a_host_may_dispose_twice_and_begin_again(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_OK);
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_INVALID_MODE);
    fake_host_assert_says("no buffers");
    fake_host_prepare();
    assert_int_equal(M->start(host.driver), ASIO_OK);
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_OK);
    assert_int_equal(fake_tutti.last->disposes, 2);
}

/* ---- from within the callback ---- */

static void
host_stops(void)
{
    host.answer = M->stop(host.driver);
}

static void
host_disposes(void)
{
    host.answer = M->dispose_buffers(host.driver);
    memset(infos[1].buffers[0], 0, 128 * sizeof(float)); /* still its own */
}

static void
host_releases(void)
{
    struct asio_driver *driver = host.driver;

    host.answer = (int32_t)M->release(driver);
    memset(infos[1].buffers[0], 0, 128 * sizeof(float));
    if (driver->methods->stop(driver) != ASIO_NOT_PRESENT) {
        host.answer = -1;
    }
    host.driver = NULL;
}

static void
stop_within_the_callback_ends_it_there(void **state)
{
    (void)state;
    fake_host_run();
    host.in_callback = host_stops;
    fake_tutti_begin(fake_tutti.last);
    fake_tutti_wait(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_OK);
    assert_int_equal(host.switches, 1);
    assert_int_equal(M->stop(host.driver), ASIO_INVALID_MODE);
    host.in_callback = NULL;
    assert_int_equal(M->start(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 2);
}

static void
dispose_within_the_callback_frees_after_it(void **state)
{
    (void)state;
    fake_host_run();
    host.in_callback = host_disposes;
    fake_tutti_begin(fake_tutti.last);
    fake_tutti_wait(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_OK);
    host.in_callback = NULL;
    fake_host_prepare(); /* waits for the real end of the former buffers */
    assert_int_equal(fake_tutti.last->disposes, 1);
    assert_int_equal(M->start(host.driver), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 2);
}

static void
release_within_the_callback_does_not_wait_for_itself(void **state)
{
    (void)state;
    fake_host_run();
    host.in_callback = host_releases;
    fake_tutti_begin(fake_tutti.last);
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    while (fake_tutti.closes == 0 && GetTickCount64() < deadline) {
        Sleep(1);
    }
    assert_int_equal(fake_tutti.closes, 1);
    assert_int_equal(host.answer, 0);
    assert_int_equal(host.switches, 1);
}

static HANDLE reached;

static void
host_calls_while_stopped_elsewhere(void)
{
    double rate;

    SetEvent(reached);
    while (!fake_tutti.last->stop) { /* until the other thread waits for this callback */
        Sleep(1);
    }
    host.answer = M->get_sample_rate(host.driver, &rate);
    if (!host.answer) {
        host.answer = M->stop(host.driver);
    }
    if (!host.answer) {
        host.answer = M->output_ready(host.driver);
    }
    if (!host.answer && M->set_sample_rate(host.driver, 48000) != ASIO_INVALID_MODE) {
        host.answer = -1;
    }
}

static void
a_callback_may_call_while_another_thread_stops_it(void **state)
{
    (void)state;
    fake_host_run();
    reached = CreateEventW(NULL, FALSE, FALSE, NULL);
    host.in_callback = host_calls_while_stopped_elsewhere;
    fake_tutti_begin(fake_tutti.last);
    WaitForSingleObject(reached, PATIENCE_MS);
    assert_int_equal(M->stop(host.driver), ASIO_OK);
    assert_int_equal(host.answer, ASIO_OK);
    assert_int_equal(fake_tutti.last->stops, 1);
    CloseHandle(reached);
}

static void
release_while_running_stops_first(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti_block(fake_tutti.last);
    struct tutti_client *client = fake_tutti.last;
    assert_int_equal(M->release(host.driver), 0);
    host.driver = NULL;
    (void)client;
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    while (fake_tutti.closes == 0 && GetTickCount64() < deadline) {
        Sleep(1);
    }
    assert_int_equal(fake_tutti.closes, 1);
}

/* ---- messages ---- */

static void
await_told(void)
{
    assert_int_equal(WaitForSingleObject(host.event, PATIENCE_MS), WAIT_OBJECT_0);
}

static void
events_become_the_messages_that_hosts_know(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 1);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], 1);
    fake_tutti.output_latency = 999;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_LATENCIES, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_LATENCIES_CHANGED], 1);
    int32_t input, output;
    M->get_latencies(host.driver, &input, &output);
    assert_int_equal(output, 999);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 1);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_LOST, 0);
    fake_host_assert_says("something happened");
}

static void
only_a_real_change_of_rate_is_told(void **state)
{
    (void)state;
    fake_host_run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 48000);
    await_told(); /* the reset request */
    assert_int_equal(host.rates, 0);
    fake_tutti.device.rate_hz = 96000;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 96000);
    await_told();
    while (host.told[ASIO_MESSAGE_RESET_REQUEST] < 2) {
        await_told();
    }
    assert_int_equal(host.rates, 1);
    assert_true(host.last_rate == 96000);
}

static void
a_host_is_told_only_what_it_knows(void **state)
{
    (void)state;
    host.knows = 1u << ASIO_MESSAGE_RESYNC_REQUEST;
    fake_host_run();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP,
                     0); /* told last of those that come at once */
    await_told();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 2);
    assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], 0);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
}

static void
nothing_is_told_about_buffers_that_are_gone(void **state)
{
    (void)state;
    fake_host_run();
    M->dispose_buffers(host.driver);
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_GAP, 0);
    fake_host_prepare();
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_OVERLOAD, 0);
    await_told();
    assert_int_equal(host.told[ASIO_MESSAGE_OVERLOAD], 1);
    /* whether it came in before or was dropped: about the former buffers it was never told */
    assert_int_equal(host.told[ASIO_MESSAGE_RESYNC_REQUEST], 0);
}

static void
release_in_message(int32_t selector)
{
    if (selector == ASIO_MESSAGE_RESET_REQUEST && host.driver) {
        host.answer = (int32_t)M->release(host.driver);
        host.driver = NULL;
    }
}

static void
a_host_may_release_the_driver_within_the_message(void **state)
{
    (void)state;
    fake_host_run();
    host.in_message = release_in_message;
    host.answer = -1;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told();
    assert_int_equal(host.answer, 0);
    assert_null(host.driver);
}

static void
restart_in_message(int32_t selector)
{
    if (selector != ASIO_MESSAGE_RESET_REQUEST) {
        return;
    }
    host.answer = M->stop(host.driver);
    host.answer = host.answer ? host.answer : M->dispose_buffers(host.driver);
    host.answer =
        host.answer ? host.answer : M->create_buffers(host.driver, infos, 4, 256, &callbacks);
    host.answer = host.answer ? host.answer : M->start(host.driver);
}

static void
a_host_may_restart_within_the_message(void **state)
{
    (void)state;
    fake_host_run();
    host.in_message = restart_in_message;
    host.answer = -1;
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_ENGINE_BACK, 0);
    await_told();
    assert_int_equal(host.answer, ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.switches, 1);
}

/* getSampleRate and the next block's time info say this. */
static void
assert_rate_everywhere(double rate_hz)
{
    double rate = 0;

    assert_int_equal(M->get_sample_rate(host.driver, &rate), ASIO_OK);
    assert_true(rate == rate_hz);
    fake_tutti_block(fake_tutti.last);
    assert_true(host.last_time.info.sample_rate == rate_hz);
}

static void
a_rate_set_while_running_is_there_at_once_and_told(void **state)
{
    (void)state;
    host.time_info = true;
    fake_host_run();
    assert_rate_everywhere(48000);
    assert_int_equal(M->set_sample_rate(host.driver, 48000), ASIO_OK);
    assert_true(fake_tutti.asked_rate == 0);
    assert_int_equal(M->set_sample_rate(host.driver, 96000), ASIO_OK);
    assert_true(fake_tutti.asked_rate == 96000);
    assert_rate_everywhere(96000);
    assert_true(host.last_time.info.flags & ASIO_TIME_SAMPLE_RATE_CHANGED);
    await_told();
    assert_int_equal(host.rates, 1);
    assert_true(host.last_rate == 96000);
    /* What others do is still asked to be followed, and only that. */
    fake_tutti_event(fake_tutti.last, TUTTI_EVENT_RATE, 96000);
    while (host.told[ASIO_MESSAGE_RESET_REQUEST] < 1) {
        await_told();
    }
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 1);
    assert_int_equal(host.rates, 1);
    M->dispose_buffers(host.driver);
    host.knows = 0;
    fake_host_prepare();
    assert_int_equal(M->set_sample_rate(host.driver, 44100), ASIO_OK);
    assert_true(fake_tutti.asked_rate == 44100);
}

static void
a_rate_that_others_hold_is_refused_with_buffers_as_without(void **state)
{
    (void)state;
    host.time_info = true;
    for (int s = STATE_INITIALIZED; s < STATE_COUNT; s++) {
        fake_tutti.rate_status = TUTTI_OK;
        fake_host_go_to((enum state)s);
        fake_tutti.rate_status = TUTTI_RATE_IN_USE;
        assert_int_equal(M->can_sample_rate(host.driver, 96000), ASIO_NO_CLOCK);
        fake_host_assert_says("the fake says no");
        assert_int_equal(M->can_sample_rate(host.driver, 48000), ASIO_OK);
        assert_int_equal(M->set_sample_rate(host.driver, 96000), ASIO_INVALID_MODE);
        fake_host_assert_says("the fake says no");
        assert_int_equal(M->can_sample_rate(host.driver, 22050), ASIO_NO_CLOCK);
        assert_true(fake_tutti.asked_rate == 0);
    }
    assert_rate_everywhere(48000);
    assert_int_equal(host.rates, 0);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
}

static void
host_sets_96000(void)
{
    host.in_callback = NULL;
    host.answer = M->set_sample_rate(host.driver, 96000);
}

static void
a_rate_set_within_a_callback_is_there_soon_after(void **state)
{
    (void)state;
    host.time_info = true;
    fake_host_run();
    host.in_callback = host_sets_96000;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_OK);
    await_told();
    assert_true(host.last_rate == 96000);
    assert_true(fake_tutti.asked_rate == 96000);
    assert_rate_everywhere(96000);
    fake_tutti.rate_status = TUTTI_RATE_IN_USE;
    fake_tutti.asked_rate = 1;
    fake_tutti.device.rate_hz = 44100;
    host.in_callback = host_sets_96000;
    fake_tutti_block(fake_tutti.last);
    assert_int_equal(host.answer, ASIO_INVALID_MODE);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
}

static void
two_instances_live_side_by_side(void **state)
{
    struct asio_driver *other = fake_host_create();
    struct asio_buffer_info one = {.is_input = 0, .channel = 1};

    (void)state;
    fake_host_run();
    struct tutti_client *first = fake_tutti.last;
    assert_int_equal(other->methods->init(other, NULL), 1);
    assert_int_equal(other->methods->create_buffers(other, &one, 1, 64, &callbacks), ASIO_OK);
    assert_int_equal(other->methods->start(other), ASIO_OK);
    fake_tutti_block(fake_tutti.last);
    fake_tutti_block(first);
    assert_int_equal(host.switches, 2);
    assert_int_equal(other->methods->release(other), 0);
    fake_tutti_block(first);
    assert_int_equal(host.switches, 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_host_begin, fake_host_end)
    const struct CMUnitTest tests[] = {
        TEST(a_subset_of_channels_is_mapped_and_its_buffers_are_the_segments),
        TEST(create_buffers_refuses_channels_that_do_not_exist_and_tells_why_the_device_failed),
        TEST(a_channel_that_is_listed_twice_has_halves_of_its_own_each_time),
        TEST(callbacks_are_copied_and_alternate_halves_directly),
        TEST(time_info_is_used_only_when_the_host_agrees_three_times),
        TEST(a_host_without_any_function_but_buffer_switch_is_served),
        TEST(position_and_time_are_those_of_the_block),
        TEST(the_block_of_a_callback_is_told_within_it),
        TEST(output_ready_counts_only_while_it_runs),
        TEST(start_that_fails_can_be_tried_again),
        TEST(a_host_may_dispose_twice_and_begin_again),
        TEST(stop_within_the_callback_ends_it_there),
        TEST(dispose_within_the_callback_frees_after_it),
        TEST(release_within_the_callback_does_not_wait_for_itself),
        TEST(a_callback_may_call_while_another_thread_stops_it),
        TEST(release_while_running_stops_first),
        TEST(events_become_the_messages_that_hosts_know),
        TEST(only_a_real_change_of_rate_is_told),
        TEST(a_host_is_told_only_what_it_knows),
        TEST(nothing_is_told_about_buffers_that_are_gone),
        TEST(a_host_may_release_the_driver_within_the_message),
        TEST(a_host_may_restart_within_the_message),
        TEST(a_rate_set_while_running_is_there_at_once_and_told),
        TEST(a_rate_that_others_hold_is_refused_with_buffers_as_without),
        TEST(a_rate_set_within_a_callback_is_there_soon_after),
        TEST(two_instances_live_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
