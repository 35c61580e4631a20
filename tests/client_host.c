/* SPDX-License-Identifier: MIT */
/* The host of client_host.h: what its callbacks note, and how a test waits for it. */
#include "client_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t
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

const struct tutti_stream_params *
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

void
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

unsigned
blocks_so_far(struct host *host)
{
    os_mutex_lock(&host->lock);
    unsigned blocks = host->blocks;
    os_mutex_unlock(&host->lock);
    return blocks;
}

struct tutti_block
block_at(struct host *host, unsigned n)
{
    os_mutex_lock(&host->lock);
    struct tutti_block block = host->block[n % BLOCKS];
    os_mutex_unlock(&host->lock);
    return block;
}

void
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

void
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

void
await_flag(_Atomic bool *flag)
{
    uint64_t deadline = in_ms(WAIT_MS);

    while (!atomic_load(flag) && os_now_ns() < deadline)
        os_sleep_until_ns(in_ms(1));
    assert_true(atomic_load(flag));
}

void
set_hold(struct host *host, bool hold)
{
    os_mutex_lock(&host->lock);
    host->hold = hold;
    os_cond_signal_all(&host->changed);
    os_mutex_unlock(&host->lock);
}

unsigned
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

void
host_open(struct host *host)
{
    struct tutti_open_params params = {
        .program = "test host", .do_not_start = true, .event = on_event, .user = host};

    memset(host, 0, sizeof *host);
    os_mutex_init(&host->lock);
    os_cond_init(&host->changed);
    assert_int_equal(tutti_open(&host->client, &params), TUTTI_OK);
}

void
host_close(struct host *host)
{
    tutti_close(host->client);
    os_cond_fini(&host->changed);
    os_mutex_fini(&host->lock);
}

void
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

int
client_host_own_folder(void **state)
{
    static char setting[1024];
    const char *folder = getenv("TEMP");

    if (!folder)
        folder = getenv("TMPDIR");
    snprintf(setting, sizeof setting, "TUTTI_RUNTIME_DIR=%s/tutti-test-client-%u",
             folder ? folder : "/tmp", (unsigned)os_process_id());
    return putenv(setting);
}
