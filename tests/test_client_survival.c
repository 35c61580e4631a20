/* SPDX-License-Identifier: MIT */
/* libtutti: completing blocks, engines that come and go, events, watching; the engine is a fake one
 * (fake_engine.h). */
#include "client_fixture.h"

/* ---- completing ---- */

static void
a_block_is_complete_when_the_host_says_ready(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.ready_calls = 1;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, LONG_FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    /* the first says ready before it returns */
    set_hold(&host, true);
    uint32_t first = fake_engine_issue(&fake, 0);
    await_within(&host);
    assert_true(fake_engine_is_done(&fake, first));
    set_hold(&host, false);
    await_returns(&host, 1);
    /* from now on a return completes nothing; the test is the host's other thread */
    uint32_t second = fake_engine_issue(&fake, 0);
    await_returns(&host, 2);
    assert_false(fake_engine_is_done(&fake, second));
    tutti_block_ready(host.client);
    assert_true(fake_engine_is_done(&fake, second));
    tutti_block_ready(host.client); /* again: nothing to complete */
    uint32_t third = fake_engine_issue(&fake, 0);
    await_returns(&host, 3);
    assert_false(fake_engine_is_done(&fake, third));
    /* a start forgets it */
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_true(fake_engine_is_done(&fake, third));
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
the_next_call_waits_for_ready(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.ready_calls = 1;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, LONG_FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    /* two at once, as a burst brings them */
    uint32_t second = fake_engine_issue(&fake, 0), third = fake_engine_issue(&fake, 0);
    await_blocks(&host, 2);
    await_flag(&host.client->callback.deferred);
    assert_int_equal(blocks_so_far(&host), 2);
    tutti_block_ready(host.client);
    assert_true(fake_engine_is_done(&fake, second));
    await_returns(&host, 3);
    assert_false(fake_engine_is_done(&fake, third));
    tutti_block_ready(host.client);
    assert_true(fake_engine_is_done(&fake, third));
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
a_host_that_forgets_ready_is_called_all_the_same(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.ready_calls = 1;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    for (unsigned n = 0; n < 5; n++) {
        assert_true(fake_engine_call(&fake));
    }
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_int_equal(blocks_so_far(&host), 5);
    assert_int_equal(atomic_load(&host.client->callback.unready_blocks), 4);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
late_take_gives_a_block_back_when_the_next_returned(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_stream_params params;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    params = *stream_of(&host, FRAMES);
    params.late_take = true;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_OK);
    assert_int_equal(fake.prepare.flags, PROTO_PREPARE_LATE_TAKE);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    uint32_t seq = fake_engine_issue(&fake, 0);
    for (unsigned n = 1; n < 6; n++) {
        await_returns(&host, n);
        assert_false(fake_engine_is_done(&fake, seq));
        uint32_t next = fake_engine_issue(&fake, 0);
        assert_true(fake_engine_await_done(&fake, seq));
        seq = next;
    }
    await_blocks(&host, 6);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_true(fake_engine_is_done(&fake, seq));
    host_close(&host);
    fake_engine_kill(&fake);
}

/* ---- engines come and go ---- */

static void
callbacks_go_on_in_silence_and_join_the_next_engine(void **state)
{
    struct fake_engine fake, next;
    struct host host;
    uint32_t in = 0, out = 0;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.reads_input = true;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    const float *input = tutti_input(host.client, 0, 0), *output = tutti_output(host.client, 1, 1);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    for (unsigned n = 0; n < 3; n++) {
        fake_engine_fill(&fake, 0, 1);
        assert_true(fake_engine_call(&fake));
    }
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    await_blocks(&host, 8);
    for (unsigned n = 3; n < 8; n++) {
        struct tutti_block block = block_at(&host, n);
        assert_true(block.silent);
        assert_int_equal(block.generation, 0);
        assert_true(host.input[n] == 0);
    }
    assert_true(block_at(&host, 3).jumped);

    fake_engine_init(&next, 12);
    next.input_latency = 120;
    fake_engine_start(&next);
    assert_true(fake_engine_await_prepares(&next, 1));
    assert_int_equal(next.run_at_prepare, 0); /* it must not take up the former engine's run */
    assert_int_equal(next.prepare.wanted_input_latency_frames, 100);
    assert_int_equal(next.prepare.wanted_output_latency_frames, 200);
    assert_true(next.asked_rate_hz == 48000);
    unsigned back = await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    assert_int_equal(await_event(&host, TUTTI_EVENT_LATENCIES), back + 1);
    assert_int_equal(tutti_get_latencies(host.client, &in, &out), TUTTI_OK);
    assert_int_equal(in, 120);
    assert_true(fake_engine_await_run(&next));
    unsigned alone = blocks_so_far(&host);
    for (unsigned n = 0; n < 4; n++) {
        assert_true(fake_engine_call(&next));
    }
    assert_int_equal(blocks_so_far(&host), alone + 4);
    for (unsigned n = alone; n < alone + 4; n++) {
        struct tutti_block block = block_at(&host, n);
        assert_int_equal(block.generation, 12);
        assert_false(block.silent);
        assert_int_equal(block.jumped, n == alone);
    }
    if (alone + 4 < BLOCKS) {
        assert_goes_on(&host, 0, alone + 3, FRAMES);
    }
    assert_ptr_equal(tutti_input(host.client, 0, 0), input);
    assert_ptr_equal(tutti_output(host.client, 1, 1), output);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_int_equal(tutti_dispose(host.client), TUTTI_OK);
    assert_int_equal(next.disposes, 1);
    host_close(&host);
    fake_engine_kill(&next);
}

static void
a_call_under_way_survives_its_engine(void **state)
{
    struct fake_engine fake, next;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.ready_calls = 1;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    await_returns(&host, 1);
    set_hold(&host, true);
    fake_engine_issue(&fake, 0);
    await_within(&host);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    fake_engine_init(&next, 12);
    fake_engine_start(&next);
    /* Not shown to the next engine while the host is still in a call of the former. */
    tutti_block_ready(host.client);
    assert_int_equal(blocks_so_far(&host), 2);
    set_hold(&host, false);
    assert_true(fake_engine_await_run(&next));
    unsigned n = blocks_so_far(&host);
    uint32_t seq = fake_engine_issue(&next, 0);
    await_blocks(&host, n + 1);
    tutti_block_ready(host.client);
    assert_true(fake_engine_await_done(&next, seq));
    assert_goes_on(&host, 0, n, FRAMES);
    host_close(&host);
    fake_engine_kill(&next);
}

static void
an_engine_that_stops_calling_counts_as_dead(void **state)
{
    struct fake_engine fake, next;
    struct host host;

    fake_engine_init(&fake, 11);
    fake.patience_ms = 30;
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    /* no more calls, though its control answers */
    await_blocks(&host, 4);
    assert_int_equal(block_at(&host, 3).generation, 0);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    assert_true(fake_engine_await_hangups(&fake, 1));
    /* it is met again, recognised and left alone: once more at least */
    assert_true(fake_engine_await_hangups(&fake, 2));
    assert_int_equal(fake.prepares, 1);
    fake_engine_kill(&fake);
    fake_engine_init(&next, 12);
    fake_engine_start(&next);
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    assert_true(fake_engine_await_run(&next));
    unsigned n = blocks_so_far(&host);
    assert_true(fake_engine_call(&next));
    assert_int_equal(block_at(&host, n).generation, 12);
    if (n < BLOCKS) {
        assert_goes_on(&host, 0, n, FRAMES);
    }
    host_close(&host);
    fake_engine_kill(&next);
}

/* It answers and its cycles go on: it is healthy, whatever kept it from calling. */
static void
an_engine_whose_cycles_go_on_is_joined_again(void **state)
{
    struct fake_engine fake;
    struct host host;

    (void)state;
    fake_engine_init(&fake, 11);
    fake.patience_ms = 30;
    fake.cycles_go_on = true;
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    assert_true(fake_engine_await_prepares(&fake, 2));
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
an_engine_that_opens_its_device_is_given_ten_seconds(void **state)
{
    struct fake_engine fake;
    struct host host;

    (void)state;
    fake_engine_init(&fake, 11);
    fake.patience_ms = 30;
    fake.opening_ms = 10001;
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    /* recognised and left alone, again and again */
    assert_true(fake_engine_await_hangups(&fake, 3));
    assert_int_equal(fake.prepares, 1);
    os_mutex_lock(&fake.lock);
    fake.opening_ms = 9999;
    os_mutex_unlock(&fake.lock);
    assert_true(fake_engine_await_prepares(&fake, 2));
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
the_engines_timeout_is_what_it_said_last(void **state)
{
    struct fake_engine fake;
    struct host host;

    (void)state;
    fake_engine_init(&fake, 11); /* a minute */
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    fake_engine_tell(&fake, PROTO_EVENT_TIMEOUT, 30, 0, 0);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    host_close(&host);
    fake_engine_kill(&fake);
}

/* Shown the segment, an engine has it: one whose answer could not be used must let go of it first.
 */
static void
an_answer_that_cannot_be_used_is_taken_back_and_asked_for_again(void **state)
{
    struct fake_engine fake, next;
    struct host host;

    (void)state;
    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    fake_engine_kill(&fake);
    fake_engine_init(&next, 12);
    next.strict = true;
    next.missing_pages = 1;
    fake_engine_start(&next);
    assert_true(fake_engine_await_disposes(&next, 1));
    assert_true(fake_engine_await_run(&next));
    assert_int_equal(next.prepares, 2);
    assert_true(fake_engine_call(&next));
    host_close(&host);
    fake_engine_kill(&next);
}

static void
an_engine_that_talks_nonsense_is_left(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    fake_engine_babble(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    assert_true(fake_engine_await_prepares(&fake, 2));
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
start_without_an_engine_paces_in_silence(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    await_blocks(&host, 5);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_int_equal(block_at(&host, 0).half, 0);
    assert_int_equal(block_at(&host, 0).position_frames, 0);
    assert_true(block_at(&host, 0).silent);
    assert_goes_on(&host, 0, 4, FRAMES);
    unsigned n = blocks_so_far(&host);
    assert_int_equal(tutti_dispose(host.client), TUTTI_OK);
    assert_int_equal(blocks_so_far(&host), n);
    host_close(&host);
}

static void
an_engine_that_comes_while_stopped_is_joined_at_start(void **state)
{
    struct fake_engine fake, next;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    fake_engine_kill(&fake);
    fake_engine_init(&next, 12);
    fake_engine_start(&next);
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    assert_true(fake_engine_sees_stopped(&next));
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&next));
    assert_true(fake_engine_call(&next));
    struct tutti_block block = block_at(&host, 1);
    assert_int_equal(block.position_frames, 0);
    assert_int_equal(block.half, 0);
    assert_int_equal(block.generation, 12);
    assert_false(block.jumped);
    host_close(&host);
    fake_engine_kill(&next);
}

static void
prepare_meets_another_engine_after_the_first_left(void **state)
{
    struct fake_engine fake, next;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_ENGINE_LOST);
    fake_engine_init(&next, 12);
    fake_engine_start(&next);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    host_close(&host);
    fake_engine_kill(&next);
}

static void
a_program_that_the_next_engine_refuses_goes_on_in_silence(void **state)
{
    struct fake_engine fake, next;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    fake_engine_kill(&fake);
    fake_engine_init(&next, 12);
    next.prepare_status = TUTTI_NO_DEVICE;
    fake_engine_start(&next);
    assert_true(fake_engine_await_prepares(&next, 2)); /* it asks again and again */
    await_blocks(&host, 3);
    os_mutex_lock(&next.lock);
    next.prepare_status = TUTTI_OK;
    os_mutex_unlock(&next.lock);
    assert_true(fake_engine_await_run(&next));
    assert_true(fake_engine_call(&next));
    await_event(&host, TUTTI_EVENT_ENGINE_BACK);
    host_close(&host);
    fake_engine_kill(&next);
}

/* ---- events and watching ---- */

static void
events_of_the_engine_reach_the_host(void **state)
{
    struct fake_engine fake;
    struct host host;
    uint32_t in = 0, out = 0;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    fake_engine_tell(&fake, PROTO_EVENT_LATENCIES, 0, 111, 222);
    await_event(&host, TUTTI_EVENT_LATENCIES);
    assert_int_equal(tutti_get_latencies(host.client, &in, &out), TUTTI_OK);
    assert_int_equal(in, 111);
    assert_int_equal(out, 222);
    fake_engine_tell(&fake, PROTO_EVENT_GAP, 77, 111, 222);
    assert_int_equal(host.event_value[await_event(&host, TUTTI_EVENT_GAP)], 77);
    fake_engine_tell(&fake, PROTO_EVENT_DEVICE_LOST, 0, 111, 222);
    fake_engine_tell(&fake, PROTO_EVENT_DEVICE_BACK, 0, 111, 222);
    unsigned lost = await_event(&host, TUTTI_EVENT_DEVICE_LOST);
    assert_true(await_event(&host, TUTTI_EVENT_DEVICE_BACK) > lost);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
a_host_may_dispose_and_prepare_within_an_event(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    os_mutex_lock(&host.lock);
    host.reprepare = true;
    host.reprepared = TUTTI_TIMEOUT;
    os_mutex_unlock(&host.lock);
    fake_engine_tell(&fake, PROTO_EVENT_LATENCIES, 0, 111, 222);
    await_event(&host, TUTTI_EVENT_LATENCIES);
    assert_int_equal(host.reprepared, TUTTI_OK);
    assert_true(fake_engine_await_disposes(&fake, 1));
    assert_int_equal(fake.prepares, 2);
    assert_int_equal(fake.prepare.buffer_frames, 2 * FRAMES);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
status_comes_in_pages(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_engine_status status;
    struct tutti_program_status *programs;
    struct tutti_device_entry *devices;
    uint32_t count;

    fake_engine_init(&fake, 11);
    fake.program_count = 2 * PROTO_STATUS_PROGRAMS + 6;
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_get_status(host.client, &status, &programs), TUTTI_OK);
    assert_int_equal(status.generation, 11);
    assert_int_equal(status.cycles, 7);
    assert_int_equal(status.program_count, 70);
    assert_string_equal(status.device.backend, "fake");
    for (uint32_t i = 0; i < status.program_count; i++) {
        assert_int_equal(programs[i].program_id, i + 1);
    }
    assert_string_equal(programs[69].name, "program 69");
    assert_string_equal(programs[69].state, "running");
    tutti_free(programs);
    assert_int_equal(tutti_get_devices(host.client, &devices, &count), TUTTI_OK);
    assert_int_equal(count, 2);
    assert_string_equal(devices[1].name, "other card");
    assert_true(devices[0].is_default);
    assert_false(devices[1].is_default);
    tutti_free(devices);
    assert_int_equal(tutti_ask_engine_to_leave(host.client), TUTTI_OK);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    assert_int_equal(tutti_ask_engine_to_leave(host.client), TUTTI_ENGINE_LOST);
    assert_int_equal(tutti_get_status(host.client, &status, &programs), TUTTI_ENGINE_LOST);
    host_close(&host);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_complete_when_the_host_says_ready),
        cmocka_unit_test(the_next_call_waits_for_ready),
        cmocka_unit_test(a_host_that_forgets_ready_is_called_all_the_same),
        cmocka_unit_test(late_take_gives_a_block_back_when_the_next_returned),
        cmocka_unit_test(callbacks_go_on_in_silence_and_join_the_next_engine),
        cmocka_unit_test(a_call_under_way_survives_its_engine),
        cmocka_unit_test(an_engine_that_stops_calling_counts_as_dead),
        cmocka_unit_test(an_engine_whose_cycles_go_on_is_joined_again),
        cmocka_unit_test(an_engine_that_opens_its_device_is_given_ten_seconds),
        cmocka_unit_test(the_engines_timeout_is_what_it_said_last),
        cmocka_unit_test(an_answer_that_cannot_be_used_is_taken_back_and_asked_for_again),
        cmocka_unit_test(an_engine_that_talks_nonsense_is_left),
        cmocka_unit_test(start_without_an_engine_paces_in_silence),
        cmocka_unit_test(an_engine_that_comes_while_stopped_is_joined_at_start),
        cmocka_unit_test(prepare_meets_another_engine_after_the_first_left),
        cmocka_unit_test(a_program_that_the_next_engine_refuses_goes_on_in_silence),
        cmocka_unit_test(events_of_the_engine_reach_the_host),
        cmocka_unit_test(a_host_may_dispose_and_prepare_within_an_event),
        cmocka_unit_test(status_comes_in_pages),
    };

    return cmocka_run_group_tests(tests, use_own_folder, NULL);
}
