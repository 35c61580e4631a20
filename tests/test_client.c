/* SPDX-License-Identifier: MIT */
/*
 * libtutti against a fake engine in the same process: opening, states, events, watching. Every call
 * is made by the test, so that what is asserted is order, never time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"
#include "client_host.h"

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
    memset(&device, 0, sizeof device);
    assert_int_equal(tutti_get_device(host.client, &device), TUTTI_ENGINE_LOST);
    assert_string_equal(device.name, "fake card");
    host_close(&host);
}

static void
the_engine_is_looked_for_beside_the_module_and_as_installed(void **state)
{
    char path[256];
    unsigned n = 0;

    assert_true(connect_candidate(0, "/opt/tutti/libx.so", path, sizeof path));
    assert_memory_equal(path, "/opt/tutti/tuttid", strlen("/opt/tutti/tuttid"));
    assert_true(connect_candidate(0, "C:\\Tutti\\tutti.dll", path, sizeof path));
    assert_memory_equal(path, "C:\\Tutti\\tuttid", strlen("C:\\Tutti\\tuttid"));
    while (connect_candidate(n, "/usr/lib/x", path, sizeof path))
        n++;
    assert_true(n > 1);
    assert_false(connect_candidate(0, "/usr/lib/x", path, 8));
}

static const char *only_set, *only_value;

static bool
one_variable(const char *name, char *value, size_t bytes)
{
    if (strcmp(name, only_set) != 0)
        return false;
    snprintf(value, bytes, "%s", only_value);
    return true;
}

static void
the_configuration_lies_where_the_environment_says(void **state)
{
    char path[64];

    only_set = "TUTTI_CONFIG";
    only_value = "/x/y.ini";
    assert_true(config_default_path(one_variable, path, sizeof path));
    assert_string_equal(path, "/x/y.ini");
    only_set = "APPDATA";
    only_value = "C:\\Users\\a";
    assert_true(config_default_path(one_variable, path, sizeof path));
    assert_string_equal(path, "C:\\Users\\a\\Tutti\\tutti.ini");
    only_set = "HOME";
    only_value = "/home/a";
    assert_true(config_default_path(one_variable, path, sizeof path));
    assert_string_equal(path, "/home/a/.config/tutti/tutti.ini");
    assert_false(config_default_path(one_variable, path, 10));
    only_set = "ELSE";
    assert_false(config_default_path(one_variable, path, sizeof path));
}

/* ---- states ---- */

static void
states_change_only_as_the_table_allows(void **state)
{
    for (int from = 0; from < CLIENT_STATE_COUNT; from++) {
        assert_false(client_may_enter(from, from));
        unsigned ways_out = 0;
        for (int to = 0; to < CLIENT_STATE_COUNT; to++)
            ways_out += client_may_enter(from, to);
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
    assert_int_equal(tutti_set_rate(host.client, 44100), TUTTI_INVALID_STATE);
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
    for (uint32_t i = 0; i < status.program_count; i++)
        assert_int_equal(programs[i].program_id, i + 1);
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
        cmocka_unit_test(open_without_an_engine_says_so),
        cmocka_unit_test(open_meets_the_engine_and_knows_its_device),
        cmocka_unit_test(the_engine_is_looked_for_beside_the_module_and_as_installed),
        cmocka_unit_test(the_configuration_lies_where_the_environment_says),
        cmocka_unit_test(states_change_only_as_the_table_allows),
        cmocka_unit_test(calls_in_the_wrong_order_are_refused),
        cmocka_unit_test(senseless_parameters_are_refused),
        cmocka_unit_test(a_refused_prepare_tells_the_engines_sentence),
        cmocka_unit_test(a_rate_is_asked_of_the_engine),
        cmocka_unit_test(events_of_the_engine_reach_the_host),
        cmocka_unit_test(a_host_may_dispose_and_prepare_within_an_event),
        cmocka_unit_test(status_comes_in_pages),
    };

    return cmocka_run_group_tests(tests, client_host_own_folder, NULL);
}
