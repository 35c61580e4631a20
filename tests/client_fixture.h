/* SPDX-License-Identifier: MIT */
/*
 * What the tests of libtutti share: a host that writes down what it is told, and waits for things
 * to happen. Included by one test file each; not every one uses all of it.
 */
#ifndef TUTTI_TEST_CLIENT_FIXTURE_H
#define TUTTI_TEST_CLIENT_FIXTURE_H

#pragma GCC diagnostic ignored "-Wunused-function"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
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

    if (host->writes_output) {
        tutti_output(host->client, 0, block->half)[0] = 0.5f + (float)block->position_frames;
    }
    os_mutex_lock(&host->lock);
    unsigned n = host->blocks;
    if (host->reads_input) {
        host->input[n % BLOCKS] = tutti_input(host->client, 0, block->half)[0];
    }
    host->block[n % BLOCKS] = *block;
    host->blocks++;
    os_mutex_unlock(&host->lock);
    if (n < host->ready_calls) {
        tutti_block_ready(host->client);
    }
    if (n + 1 == host->stop_at) {
        assert_int_equal(tutti_stop(host->client), TUTTI_OK);
    }
    os_mutex_lock(&host->lock);
    host->within = true;
    os_cond_signal_all(&host->changed);
    while (host->hold) {
        os_cond_wait_until(&host->changed, &host->lock, UINT64_MAX);
    }
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
        if (host->reprepared == TUTTI_OK) {
            host->reprepared = tutti_prepare(host->client, &params);
        }
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

    while (!atomic_load(flag) && os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(1));
    }
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
        while (n < host->events && host->event[n] != kind) {
            n++;
        }
        if (n < host->events || !os_cond_wait_until(&host->changed, &host->lock, deadline)) {
            break;
        }
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

    memset(host, 0, sizeof(*host));
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
        if (block.position_frames > before.position_frames + frames) {
            assert_true(block.jumped);
        }
    }
}

/* A runtime folder of this process alone. */
static int
use_own_folder(void **state)
{
    static char setting[1024];
    const char *folder = getenv("TEMP");

    if (!folder) {
        folder = getenv("TMPDIR");
    }
    snprintf(setting, sizeof(setting), "TUTTI_RUNTIME_DIR=%s/tutti-test-client-%u",
             folder ? folder : "/tmp", (unsigned)os_process_id());
    return putenv(setting);
}

#endif
