/* SPDX-License-Identifier: MIT */
/*
 * libtutti's blocks against a fake engine that calls when the test says so: their order, stopping,
 * completing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_host.h"

/* ---- blocks ---- */

static void
buffers_are_aligned_silent_and_within_range(void **state)
{
    struct fake_engine fake;
    struct host host;
    uint32_t in = 0, out = 0;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, 33)), TUTTI_OK);
    for (unsigned half = 0; half < 2; half++) {
        assert_int_equal((uintptr_t)tutti_input(host.client, 0, half) % 64, 0);
        assert_int_equal((uintptr_t)tutti_output(host.client, 1, half) % 64, 0);
        for (unsigned i = 0; i < 33; i++)
            assert_true(tutti_output(host.client, 1, half)[i] == 0);
    }
    assert_null(tutti_input(host.client, 1, 0));
    assert_null(tutti_output(host.client, 2, 0));
    assert_null(tutti_output(host.client, 0, 2));
    assert_int_equal(tutti_get_latencies(host.client, &in, &out), TUTTI_OK);
    assert_int_equal(in, 100);
    assert_int_equal(out, 200);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
blocks_begin_at_half_zero_and_position_zero_and_alternate(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_block told;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.reads_input = host.writes_output = true;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    tutti_output(host.client, 0, 1)[5] = 9; /* loud garbage from before the start */
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(tutti_output(host.client, 0, 1)[5] == 0);
    assert_true(fake_engine_await_run(&fake));
    for (unsigned n = 0; n < 6; n++) {
        fake_engine_fill(&fake, 0, (float)n);
        uint32_t seq = fake_engine_issue(&fake, n == 4 ? PROTO_STAMP_REPLACEMENT : 0);
        assert_true(fake_engine_await_done(&fake, seq));
        assert_true(fake_engine_output(&fake, seq, 0) == 0.5f + (float)(n * FRAMES));
        struct tutti_block block = block_at(&host, n);
        assert_int_equal(block.half, n & 1);
        assert_int_equal(block.half, seq & 1);
        assert_int_equal(block.frames, FRAMES);
        assert_int_equal(block.position_frames, n * FRAMES);
        assert_int_equal(block.device_frames, 1000 + n * FRAMES);
        assert_int_equal(block.generation, 11);
        assert_int_equal(block.silent, n == 4);
        assert_false(block.jumped);
        assert_true(host.input[n] == (float)n);
    }
    assert_int_equal(tutti_get_position(host.client, &told), TUTTI_OK);
    assert_int_equal(told.position_frames, 5 * FRAMES);
    assert_int_equal(told.half, 1);
    assert_int_equal(told.time_ns, block_at(&host, 5).time_ns);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_true(fake_engine_sees_stopped(&fake));
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
a_jump_of_the_engine_is_passed_on_but_never_backward(void **state)
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
    fake.position += 3 * FRAMES;
    assert_true(fake_engine_await_done(&fake, fake_engine_issue(&fake, PROTO_STAMP_JUMPED)));
    assert_int_equal(block_at(&host, 1).position_frames, 4 * FRAMES);
    assert_true(block_at(&host, 1).jumped);
    fake.position = 0;
    assert_true(fake_engine_call(&fake));
    assert_int_equal(block_at(&host, 2).position_frames, 5 * FRAMES);
    assert_true(fake_engine_call(&fake));
    assert_int_equal(block_at(&host, 3).position_frames, 6 * FRAMES);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
each_start_begins_anew(void **state)
{
    struct fake_engine fake;
    struct host host;
    unsigned n = 0;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    for (unsigned round = 0; round < 4; round++) {
        assert_int_equal(tutti_start(host.client), TUTTI_OK);
        assert_true(fake_engine_await_run(&fake));
        for (unsigned i = 0; i <= round; i++) {
            assert_true(fake_engine_call(&fake));
            struct tutti_block block = block_at(&host, n++);
            assert_int_equal(block.half, i & 1);
            assert_int_equal(block.position_frames, i * FRAMES);
            assert_false(block.jumped);
        }
        assert_int_equal(tutti_stop(host.client), TUTTI_OK);
        assert_true(fake_engine_sees_stopped(&fake));
    }
    assert_int_equal(fake.prepares, 1);
    host_close(&host);
    fake_engine_kill(&fake);
}

/* ---- stopping ---- */

struct stopper {
    struct host *host;
    _Atomic bool asked, stopped;
};

static void
stop_main(void *arg)
{
    struct stopper *stopper = arg;

    atomic_store(&stopper->asked, true);
    tutti_stop(stopper->host->client);
    atomic_store(&stopper->stopped, true);
}

static void
stop_waits_for_the_last_callback(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct stopper stopper = {.host = &host};
    struct os_thread *thread;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    set_hold(&host, true);
    uint32_t seq = fake_engine_issue(&fake, 0);
    await_within(&host);
    assert_int_equal(os_thread_start(&thread, "stopper", OS_PRIORITY_NORMAL, stop_main, &stopper),
                     TUTTI_OK);
    await_flag(&host.client->callback.stop);
    assert_false(atomic_load(&stopper.stopped));
    assert_false(fake_engine_is_done(&fake, seq));
    uint32_t late =
        fake_engine_issue(&fake, 0); /* comes while the host is still within the first */
    set_hold(&host, false);
    os_thread_join(thread);
    assert_true(atomic_load(&stopper.stopped));
    assert_int_equal(blocks_so_far(&host), 1);
    /* both were given back: nobody waits for a program that stopped */
    assert_true(fake_engine_is_done(&fake, seq));
    assert_true(fake_engine_is_done(&fake, late));
    assert_true(fake_engine_sees_stopped(&fake));
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
stop_from_within_the_callback_takes_effect_at_its_return(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_block block;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    host.stop_at = 2;
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    assert_true(fake_engine_call(&fake));
    assert_int_equal(tutti_get_position(host.client, &block), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_int_equal(blocks_so_far(&host), 2);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_true(fake_engine_await_run(&fake));
    assert_true(fake_engine_call(&fake));
    assert_int_equal(block_at(&host, 2).position_frames, 0);
    host_close(&host);
    fake_engine_kill(&fake);
}

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
    for (unsigned n = 0; n < 5; n++)
        assert_true(fake_engine_call(&fake));
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_are_aligned_silent_and_within_range),
        cmocka_unit_test(blocks_begin_at_half_zero_and_position_zero_and_alternate),
        cmocka_unit_test(a_jump_of_the_engine_is_passed_on_but_never_backward),
        cmocka_unit_test(each_start_begins_anew),
        cmocka_unit_test(stop_waits_for_the_last_callback),
        cmocka_unit_test(stop_from_within_the_callback_takes_effect_at_its_return),
        cmocka_unit_test(a_block_is_complete_when_the_host_says_ready),
        cmocka_unit_test(the_next_call_waits_for_ready),
        cmocka_unit_test(a_host_that_forgets_ready_is_called_all_the_same),
        cmocka_unit_test(late_take_gives_a_block_back_when_the_next_returned),
    };

    return cmocka_run_group_tests(tests, client_host_own_folder, NULL);
}
