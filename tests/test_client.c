/* SPDX-License-Identifier: MIT */
/* libtutti towards a host: opening, states, blocks, stopping; the engine is a fake one
 * (fake_engine.h). */
#include "client_fixture.h"

/* ---- opening ---- */

static void
open_without_an_engine_says_so(void **state)
{
    struct tutti_client *client = NULL;
    struct tutti_open_params params = {.do_not_start = true};

    assert_int_equal(tutti_open(&client, &params), TUTTI_NO_ENGINE);
    assert_null(client);
    params.do_not_start = false;
    params.engine_path = "/nonexistent/tuttid";
    assert_int_equal(tutti_open(&client, &params), TUTTI_NO_ENGINE);
    assert_null(client);
}

static void
open_meets_the_engine_and_knows_its_device(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_device device;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_get_device(host.client, &device), TUTTI_OK);
    assert_string_equal(device.name, "fake card");
    assert_string_equal(device.state, "running");
    assert_int_equal(device.period_frames, 64);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    memset(&device, 0, sizeof(device));
    assert_int_equal(tutti_get_device(host.client, &device), TUTTI_ENGINE_LOST);
    assert_string_equal(device.name, "fake card");
    host_close(&host);
}

static void
the_engine_is_looked_for_beside_the_module_and_as_installed(void **state)
{
    char path[256];
    unsigned n = 0;

    assert_true(connect_candidate(0, "/opt/tutti/libx.so", path, sizeof(path)));
    assert_memory_equal(path, "/opt/tutti/tuttid", strlen("/opt/tutti/tuttid"));
    assert_true(connect_candidate(0, "C:\\Tutti\\tutti.dll", path, sizeof(path)));
    assert_memory_equal(path, "C:\\Tutti\\tuttid", strlen("C:\\Tutti\\tuttid"));
    while (connect_candidate(n, "/usr/lib/x", path, sizeof(path))) {
        n++;
    }
    assert_true(n > 1);
    assert_false(connect_candidate(0, "/usr/lib/x", path, 8));
}

static const char *only_set, *only_value;
static bool is_wine;

static bool
one_variable(const char *name, char *value, size_t bytes)
{
    if (is_wine && strcmp(name, "WINEHOMEDIR") == 0) {
        snprintf(value, bytes, "\\??\\unix\\home\\a");
        return true;
    }
    if (strcmp(name, only_set) != 0) {
        return false;
    }
    snprintf(value, bytes, "%s", only_value);
    return true;
}

static void
the_configuration_lies_where_the_environment_says(void **state)
{
    char path[64];

    only_set = "TUTTI_CONFIG";
    only_value = "/x/y.ini";
    assert_true(config_path_on(true, one_variable, path, sizeof(path)));
    assert_string_equal(path, "/x/y.ini");
    only_set = "APPDATA";
    only_value = "C:\\Users\\a";
    assert_true(config_path_on(true, one_variable, path, sizeof(path)));
    assert_string_equal(path, "C:\\Users\\a\\Tutti\\tutti.ini");
    only_set = "HOME";
    only_value = "/home/a";
    assert_true(config_path_on(false, one_variable, path, sizeof(path)));
    assert_string_equal(path, "/home/a/.config/tutti/tutti.ini");
    assert_false(config_path_on(false, one_variable, path, 10));
    only_set = "ELSE";
    assert_false(config_path_on(false, one_variable, path, sizeof(path)));
}

static void
under_wine_it_is_the_one_of_the_native_engine(void **state)
{
    char path[64];

    is_wine = true;
    only_set = "APPDATA";
    only_value = "C:\\Users\\a";
    assert_true(config_path_on(true, one_variable, path, sizeof(path)));
    assert_string_equal(path, "\\\\?\\unix\\home\\a\\.config\\tutti\\tutti.ini");
    only_set = "XDG_CONFIG_HOME";
    only_value = "/home/a/c";
    assert_true(config_path_on(true, one_variable, path, sizeof(path)));
    assert_string_equal(path, "\\\\?\\unix\\home\\a\\c\\tutti\\tutti.ini");
    only_set = "TUTTI_CONFIG";
    only_value = "C:\\x.ini";
    assert_true(config_path_on(true, one_variable, path, sizeof(path)));
    assert_string_equal(path, "C:\\x.ini");
    assert_true(config_path_on(true, one_variable, path, 10));
    assert_false(config_path_on(true, one_variable, path, 8));
    /* and the native engine, which such a program may have started, looks at home */
    only_set = "APPDATA";
    assert_false(config_path_on(false, one_variable, path, sizeof(path)));
    only_set = "HOME";
    only_value = "/home/a";
    assert_true(config_path_on(false, one_variable, path, sizeof(path)));
    assert_string_equal(path, "/home/a/.config/tutti/tutti.ini");
    is_wine = false;
}

/* ---- states ---- */

static void
states_change_only_as_the_table_allows(void **state)
{
    for (int from = 0; from < CLIENT_STATE_COUNT; from++) {
        assert_false(client_may_enter(from, from));
        unsigned ways_out = 0;
        for (int to = 0; to < CLIENT_STATE_COUNT; to++) {
            ways_out += client_may_enter(from, to);
        }
        assert_true(ways_out > 0);
    }
    assert_true(client_may_enter(CLIENT_OPEN, CLIENT_PREPARED));
    assert_false(client_may_enter(CLIENT_OPEN, CLIENT_RUNNING));
    assert_false(client_may_enter(CLIENT_RUNNING, CLIENT_OPEN));
    assert_false(client_may_enter(CLIENT_STOPPING, CLIENT_RUNNING));
    assert_false(client_may_enter(CLIENT_STATE_COUNT, CLIENT_OPEN));
}

static void
calls_in_the_wrong_order_are_refused(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_block block;
    uint32_t in, out;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_start(host.client), TUTTI_INVALID_STATE);
    assert_string_not_equal(tutti_last_error(host.client), "");
    assert_int_equal(tutti_stop(host.client), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_dispose(host.client), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_get_latencies(host.client, &in, &out), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_get_position(host.client, &block), TUTTI_INVALID_STATE);
    assert_null(tutti_input(host.client, 0, 0));
    tutti_block_ready(host.client);

    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_stop(host.client), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_get_position(host.client, &block), TUTTI_INVALID_STATE);
    tutti_block_ready(host.client);

    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    assert_int_equal(tutti_start(host.client), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_stop(host.client), TUTTI_OK);
    assert_int_equal(tutti_stop(host.client), TUTTI_INVALID_STATE);
    assert_int_equal(tutti_dispose(host.client), TUTTI_OK);
    assert_int_equal(tutti_dispose(host.client), TUTTI_INVALID_STATE);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
senseless_parameters_are_refused(void **state)
{
    struct fake_engine fake;
    struct host host;
    struct tutti_channel mix = {.kind = TUTTI_CHANNEL_MIX, .channel = 0};
    struct tutti_channel far = {.kind = TUTTI_CHANNEL_DEVICE, .channel = TUTTI_MAX_CHANNELS};
    struct tutti_stream_params params;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, NULL), TUTTI_INVALID_ARGUMENT);
    params = *stream_of(&host, 0);
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_INVALID_ARGUMENT);
    params = *stream_of(&host, 65537);
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_INVALID_ARGUMENT);
    params = *stream_of(&host, FRAMES);
    params.inputs = TUTTI_MAX_CHANNELS + 1;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_INVALID_ARGUMENT);
    params = *stream_of(&host, FRAMES);
    params.inputs = params.outputs = 0;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_INVALID_ARGUMENT);
    params = *stream_of(&host, FRAMES);
    params.outputs = 1;
    params.output = &mix;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_INVALID_ARGUMENT);
    params.output = NULL;
    params.input = &far;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_INVALID_ARGUMENT);
    params.input = &mix;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_OK);
    assert_int_equal(fake.prepare.input[0].kind, PROTO_CHANNEL_MIX);
    assert_int_equal(fake.prepare.output[0].kind, PROTO_CHANNEL_DEVICE);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
a_refused_prepare_tells_the_engines_sentence(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake.prepare_status = TUTTI_DEVICE_BUSY;
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_DEVICE_BUSY);
    assert_string_equal(tutti_last_error(host.client), "the fake says no");
    assert_null(tutti_output(host.client, 0, 0));
    assert_int_equal(tutti_start(host.client), TUTTI_INVALID_STATE);
    host_close(&host);
    fake_engine_kill(&fake);
}

static void
a_rate_is_asked_of_the_engine(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    assert_int_equal(tutti_set_rate(host.client, 44100), TUTTI_OK);
    assert_true(fake.asked_rate_hz == 44100);
    assert_int_equal(tutti_set_rate(host.client, 96000), TUTTI_UNSUPPORTED_RATE);
    assert_string_equal(tutti_last_error(host.client), "the fake has two rates");
    assert_int_equal(tutti_set_rate(host.client, 0), TUTTI_UNSUPPORTED_RATE);
    assert_int_equal(tutti_set_rate(host.client, 0.0 / (host.blocks + 0.0)),
                     TUTTI_UNSUPPORTED_RATE);
    assert_true(fake.asked_rate_hz == 96000);
    /* asked only: nothing changes */
    char text[TUTTI_TEXT_BYTES] = "";
    assert_int_equal(tutti_can_rate(host.client, 44100, text), TUTTI_OK);
    assert_int_equal(tutti_can_rate(host.client, 48000, text), TUTTI_RATE_IN_USE);
    assert_string_equal(text, "the fake plays for others");
    assert_int_equal(tutti_can_rate(host.client, 0, text), TUTTI_UNSUPPORTED_RATE);
    assert_true(fake.asked_rate_hz == 96000);
    struct tutti_stream_params wanted = {.buffer_frames = 256, .tight = true};
    uint32_t input = 0, output = 0;
    assert_int_equal(tutti_forecast_latencies(host.client, &wanted, &input, &output), TUTTI_OK);
    assert_int_equal(input, fake.input_latency + 256);
    assert_int_equal(output, fake.output_latency + PROTO_PREPARE_TIGHT);
    wanted.buffer_frames = 0;
    assert_int_equal(tutti_forecast_latencies(host.client, &wanted, &input, &output),
                     TUTTI_INVALID_ARGUMENT);
    /* another engine that knows nothing of it is asked again, before the buffers are prepared */
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    fake_engine_init(&fake, 12);
    fake_engine_start(&fake);
    assert_int_equal(tutti_prepare(host.client, stream_of(&host, FRAMES)), TUTTI_OK);
    assert_true(fake.asked_rate_hz == 44100);
    assert_true(fake.rate_hz == 44100);
    host_close(&host);
    fake_engine_kill(&fake);
}

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
        for (unsigned i = 0; i < 33; i++) {
            assert_true(tutti_output(host.client, 1, half)[i] == 0);
        }
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
a_half_that_was_filled_before_the_start_is_handed_back_before_the_first_block(void **state)
{
    struct fake_engine fake;
    struct host host;

    for (unsigned late_take = 0; late_take < 2; late_take++) {
        fake_engine_init(&fake, 11);
        fake_engine_start(&fake);
        host_open(&host);
        host.writes_output = true;
        struct tutti_stream_params params = *stream_of(&host, FRAMES);
        params.prefilled = true;
        params.late_take = late_take != 0;
        assert_int_equal(tutti_prepare(host.client, &params), TUTTI_OK);
        for (unsigned run = 0; run < 3; run++) {
            float filled = run == 1 ? 0.0f : 9.0f;
            if (run != 1) {
                tutti_output(host.client, 0, 1)[0] = 9;
            }
            unsigned before = host.blocks;
            assert_int_equal(tutti_start(host.client), TUTTI_OK);
            assert_true(fake_engine_await_run(&fake));
            uint32_t first = fake_engine_issue(&fake, 0);
            assert_int_equal(first & 1, 1);
            if (!late_take) {
                assert_true(fake_engine_await_done(&fake, first));
            }
            /* Whatever is lost in between, the first block is at 0. */
            os_mutex_lock(&fake.lock);
            fake.position += run == 2 ? 5 * FRAMES : 0;
            os_mutex_unlock(&fake.lock);
            uint32_t seq = fake_engine_issue(&fake, run == 2 ? PROTO_STAMP_JUMPED : 0);
            assert_true(fake_engine_await_done(&fake, first));
            assert_true(fake_engine_output(&fake, first, 0) == filled);
            if (late_take) {
                assert_true(fake_engine_await_done(&fake, fake_engine_issue(&fake, 0) - 1));
            } else {
                assert_true(fake_engine_await_done(&fake, seq));
            }
            assert_true(fake_engine_output(&fake, seq, 0) == 0.5f);
            struct tutti_block block = block_at(&host, before);
            assert_int_equal(block.half, 0);
            assert_int_equal(block.position_frames, 0);
            assert_int_equal(block.jumped, run == 2);
            assert_int_equal(tutti_stop(host.client), TUTTI_OK);
            assert_true(tutti_output(host.client, 0, 0)[0] == 0);
            assert_true(tutti_output(host.client, 0, 1)[0] == 0);
        }
        host_close(&host);
        fake_engine_kill(&fake);
    }
}

static void
without_an_engine_a_filled_half_delays_nothing(void **state)
{
    struct fake_engine fake;
    struct host host;

    fake_engine_init(&fake, 11);
    fake_engine_start(&fake);
    host_open(&host);
    struct tutti_stream_params params = *stream_of(&host, FRAMES);
    params.prefilled = true;
    assert_int_equal(tutti_prepare(host.client, &params), TUTTI_OK);
    fake_engine_kill(&fake);
    await_event(&host, TUTTI_EVENT_ENGINE_LOST);
    assert_int_equal(tutti_start(host.client), TUTTI_OK);
    await_blocks(&host, 2);
    assert_int_equal(block_at(&host, 0).half, 0);
    assert_int_equal(block_at(&host, 0).position_frames, 0);
    assert_int_equal(block_at(&host, 1).half, 1);
    host_close(&host);
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
    tutti_count_clipped(host.client, 3);
    tutti_count_clipped(host.client, 4);
    const struct proto_segment *segment = fake.memory.base;
    assert_int_equal(atomic_load(&segment->clipped_samples), 7);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_without_an_engine_says_so),
        cmocka_unit_test(open_meets_the_engine_and_knows_its_device),
        cmocka_unit_test(the_engine_is_looked_for_beside_the_module_and_as_installed),
        cmocka_unit_test(the_configuration_lies_where_the_environment_says),
        cmocka_unit_test(under_wine_it_is_the_one_of_the_native_engine),
        cmocka_unit_test(states_change_only_as_the_table_allows),
        cmocka_unit_test(calls_in_the_wrong_order_are_refused),
        cmocka_unit_test(senseless_parameters_are_refused),
        cmocka_unit_test(a_refused_prepare_tells_the_engines_sentence),
        cmocka_unit_test(a_rate_is_asked_of_the_engine),
        cmocka_unit_test(buffers_are_aligned_silent_and_within_range),
        cmocka_unit_test(
            a_half_that_was_filled_before_the_start_is_handed_back_before_the_first_block),
        cmocka_unit_test(without_an_engine_a_filled_half_delays_nothing),
        cmocka_unit_test(blocks_begin_at_half_zero_and_position_zero_and_alternate),
        cmocka_unit_test(a_jump_of_the_engine_is_passed_on_but_never_backward),
        cmocka_unit_test(each_start_begins_anew),
        cmocka_unit_test(stop_waits_for_the_last_callback),
        cmocka_unit_test(stop_from_within_the_callback_takes_effect_at_its_return),
    };

    return cmocka_run_group_tests(tests, use_own_folder, NULL);
}
