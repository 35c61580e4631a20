/* SPDX-License-Identifier: MIT */
/*
 * libtutti against a fake engine in the same process: every call is made by the test, so that what
 * is asserted is order, never time. Where the client paces itself the test waits for a number of
 * blocks and looks at their positions.
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
#include "client/client.h"
#include "fake_engine.h"
#include "tutti/tutti.h"

enum {
    FRAMES = 64,
    /* at the fake's 48 kHz two of these are 2.7 s: no block is taken because ready was forgotten */
    LONG_FRAMES = 65536,
    BLOCKS = 4096,
    EVENTS = 64,
    WAIT_MS = 20000,
};

/* What the host saw, and how it behaves. */
struct host {
    struct tutti_client *client;
    struct os_mutex lock;
    struct os_cond changed;
    /* guarded by lock */
    struct tutti_block block[BLOCKS];
    float input[BLOCKS]; /* first sample of channel 0 */
    unsigned blocks, events;
    unsigned returns; /* of process() */
    enum tutti_event_kind event[EVENTS];
    uint64_t event_value[EVENTS];
    bool hold;   /* process() stays within until this is false */
    bool within; /* it is there */
    /* before start */
    bool reads_input, writes_output;
    unsigned ready_calls; /* the first so many blocks say ready, at their begin */
    unsigned stop_at;     /* this block (from 1) stops the client; 0: none */
    bool reprepare;       /* an ENGINE_BACK or LATENCIES event disposes and prepares again */
    enum tutti_status reprepared;
};

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

static void
process(void *user, const struct tutti_block *block)
{
    struct host *host = user;

    if (host->writes_output)
        tutti_output(host->client, 0, block->half)[0] = 0.5f + (float)block->position_frames;
    os_mutex_lock(&host->lock);
    unsigned n = host->blocks;
    if (host->reads_input)
        host->input[n % BLOCKS] = tutti_input(host->client, 0, block->half)[0];
    host->block[n % BLOCKS] = *block;
    host->blocks++;
    os_mutex_unlock(&host->lock);
    if (n < host->ready_calls)
        tutti_block_ready(host->client);
    if (n + 1 == host->stop_at)
        assert_int_equal(tutti_stop(host->client), TUTTI_OK);
    os_mutex_lock(&host->lock);
    host->within = true;
    os_cond_signal_all(&host->changed);
    while (host->hold)
        os_cond_wait_until(&host->changed, &host->lock, UINT64_MAX);
    host->within = false;
    host->returns++;
    os_cond_signal_all(&host->changed);
    os_mutex_unlock(&host->lock);
}

static const struct tutti_stream_params *
stream_of(struct host *host, uint32_t frames)
{
    static struct tutti_stream_params params;

    params = (struct tutti_stream_params){
        .buffer_frames = frames,
        .inputs = 1,
        .outputs = 2,
        .process = process,
        .user = host,
    };
    return &params;
}

static void
on_event(void *user, const struct tutti_event *event)
{
    struct host *host = user;

    if (host->reprepare && event->kind == TUTTI_EVENT_LATENCIES) {
        struct tutti_stream_params params = {
            .buffer_frames = 2 * FRAMES, .outputs = 1, .process = process, .user = host};
        host->reprepared = tutti_dispose(host->client);
        if (host->reprepared == TUTTI_OK)
            host->reprepared = tutti_prepare(host->client, &params);
    }
    os_mutex_lock(&host->lock);
    if (host->events < EVENTS) {
        host->event_value[host->events] = event->value;
        host->event[host->events++] = event->kind;
    }
    os_cond_signal_all(&host->changed);
    os_mutex_unlock(&host->lock);
}

static void
await_blocks(struct host *host, unsigned count)
{
    uint64_t deadline = in_ms(WAIT_MS);

    os_mutex_lock(&host->lock);
    while (host->blocks < count && os_cond_wait_until(&host->changed, &host->lock, deadline)) {
    }
    bool reached = host->blocks >= count;
    os_mutex_unlock(&host->lock);
    assert_true(reached);
}

static unsigned
blocks_so_far(struct host *host)
{
    os_mutex_lock(&host->lock);
    unsigned blocks = host->blocks;
    os_mutex_unlock(&host->lock);
    return blocks;
}

static struct tutti_block
block_at(struct host *host, unsigned n)
{
    os_mutex_lock(&host->lock);
    struct tutti_block block = host->block[n % BLOCKS];
    os_mutex_unlock(&host->lock);
    return block;
}

/* Waits until so many calls have returned. */
static void
await_returns(struct host *host, unsigned count)
{
    uint64_t deadline = in_ms(WAIT_MS);

    os_mutex_lock(&host->lock);
    while (host->returns < count && os_cond_wait_until(&host->changed, &host->lock, deadline)) {
    }
    bool reached = host->returns >= count;
    os_mutex_unlock(&host->lock);
    assert_true(reached);
}

/* Waits until the host holds on within a call. */
static void
await_within(struct host *host)
{
    uint64_t deadline = in_ms(WAIT_MS);

    os_mutex_lock(&host->lock);
    while (!host->within && os_cond_wait_until(&host->changed, &host->lock, deadline)) {
    }
    bool within = host->within;
    os_mutex_unlock(&host->lock);
    assert_true(within);
}

static void
await_flag(_Atomic bool *flag)
{
    uint64_t deadline = in_ms(WAIT_MS);

    while (!atomic_load(flag) && os_now_ns() < deadline)
        os_sleep_until_ns(in_ms(1));
    assert_true(atomic_load(flag));
}

static void
set_hold(struct host *host, bool hold)
{
    os_mutex_lock(&host->lock);
    host->hold = hold;
    os_cond_signal_all(&host->changed);
    os_mutex_unlock(&host->lock);
}

/* Waits for an event of this kind; its place in the list. */
static unsigned
await_event(struct host *host, enum tutti_event_kind kind)
{
    uint64_t deadline = in_ms(WAIT_MS);
    unsigned n = 0;

    os_mutex_lock(&host->lock);
    for (;;) {
        while (n < host->events && host->event[n] != kind)
            n++;
        if (n < host->events || !os_cond_wait_until(&host->changed, &host->lock, deadline))
            break;
    }
    bool found = n < host->events;
    os_mutex_unlock(&host->lock);
    assert_true(found);
    return n;
}

static void
host_open(struct host *host)
{
    struct tutti_open_params params = {
        .program = "test host", .do_not_start = true, .event = on_event, .user = host};

    memset(host, 0, sizeof *host);
    os_mutex_init(&host->lock);
    os_cond_init(&host->changed);
    assert_int_equal(tutti_open(&host->client, &params), TUTTI_OK);
}

static void
host_close(struct host *host)
{
    tutti_close(host->client);
    os_cond_fini(&host->changed);
    os_mutex_fini(&host->lock);
}

/* Positions grow by whole blocks, halves alternate, time does not go back: from block `first` to
 * `last`. */
static void
assert_goes_on(struct host *host, unsigned first, unsigned last, uint32_t frames)
{
    for (unsigned n = first + 1; n <= last; n++) {
        struct tutti_block before = block_at(host, n - 1), block = block_at(host, n);
        assert_int_equal(block.half, 1 - before.half);
        assert_true(block.position_frames >= before.position_frames + frames);
        assert_int_equal((block.position_frames - before.position_frames) % frames, 0);
        assert_true(block.time_ns >= before.time_ns);
        if (block.position_frames > before.position_frames + frames)
            assert_true(block.jumped);
    }
}

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
    for (unsigned n = 0; n < 4; n++)
        assert_true(fake_engine_call(&next));
    assert_int_equal(blocks_so_far(&host), alone + 4);
    for (unsigned n = alone; n < alone + 4; n++) {
        struct tutti_block block = block_at(&host, n);
        assert_int_equal(block.generation, 12);
        assert_false(block.silent);
        assert_int_equal(block.jumped, n == alone);
    }
    if (alone + 4 < BLOCKS)
        assert_goes_on(&host, 0, alone + 3, FRAMES);
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
    if (n < BLOCKS)
        assert_goes_on(&host, 0, n, FRAMES);
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

/* A runtime folder of this process alone. */
static int
use_own_folder(void **state)
{
    static char setting[1024];
    const char *folder = getenv("TEMP");

    if (!folder)
        folder = getenv("TMPDIR");
    snprintf(setting, sizeof setting, "TUTTI_RUNTIME_DIR=%s/tutti-test-client-%u",
             folder ? folder : "/tmp", (unsigned)os_process_id());
    return putenv(setting);
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
        cmocka_unit_test(callbacks_go_on_in_silence_and_join_the_next_engine),
        cmocka_unit_test(a_call_under_way_survives_its_engine),
        cmocka_unit_test(an_engine_that_stops_calling_counts_as_dead),
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
