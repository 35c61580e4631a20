/* SPDX-License-Identifier: MIT */
/* A program of the ALSA tests. */
#include "alsa_host.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 60000, RAMP = 1 << 14, LOW_BITS = 8, FULL_SCALE = 1 << 23 };

static const char *engine;
static uint32_t low_mask;

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

void
host_environment(const char *tuttid)
{
    static char folder[64];
    engine = tuttid;
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-engine-%ld", (long)getpid());
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent/tutti.ini", 1);
    setenv("TUTTI_ENGINE_GRACE_MS", "100", 1);
    signal(SIGPIPE, SIG_IGN);
}

/* The number itself fits into 16 bits; what lies below them repeats its low end. */
static float
ramp(uint64_t position)
{
    uint32_t number = (uint32_t)(position % RAMP + 1);
    return (float)(number << LOW_BITS | (number & low_mask)) / FULL_SCALE;
}

/* 1 + the number of the first sample, when the others continue it; 0 otherwise. */
static uint32_t
in_one_piece(const float *samples, uint32_t frames)
{
    bool possible = samples[0] > 0 && samples[0] < 1;
    uint32_t begin = possible ? (uint32_t)(samples[0] * FULL_SCALE) >> LOW_BITS : 0;
    for (uint32_t i = 0; begin && i < frames; i++) {
        if (samples[i] != ramp(begin - 1 + i)) {
            return 0;
        }
    }
    return begin;
}

static void
process(void *user, const struct tutti_block *block)
{
    struct host *host = user;
    float *out = tutti_output(host->client, 0, block->half);
    for (uint32_t i = 0; i < block->frames; i++) {
        out[i] = ramp(block->position_frames + i);
    }
    atomic_store(&host->position, block->position_frames);
    atomic_store(&host->generation, block->generation);
    if (!block->silent && block->generation) {
        uint32_t begin = in_one_piece(tutti_input(host->client, 0, block->half), block->frames);
        uint32_t n = atomic_load(&host->device_blocks), keep = atomic_load(&host->keep);
        if (n >= keep && n - keep < HOST_KEEP) {
            int64_t delay = (int64_t)(block->position_frames % RAMP) - ((int64_t)begin - 1);
            host->delay[n - keep] = !begin ? HOST_NONE : delay < 0 ? delay + RAMP : delay;
        }
        atomic_fetch_add(&host->heard, begin >= 1);
        atomic_fetch_add(&host->device_blocks, 1);
    }
    atomic_fetch_add(&host->blocks, 1);
}

static void
on_event(void *user, const struct tutti_event *event)
{
    struct host *host = user;
    atomic_fetch_add(&host->lost, event->kind == TUTTI_EVENT_DEVICE_LOST);
    atomic_fetch_add(&host->back, event->kind == TUTTI_EVENT_DEVICE_BACK);
}

void
host_set_bits(unsigned bits)
{
    low_mask = bits > 16 ? (1U << LOW_BITS) - 1 : 0;
}

void
host_run(struct host *host, uint32_t buffer, unsigned channel)
{
    struct tutti_open_params params = {
        .program = "host", .engine_path = engine, .event = on_event, .user = host};
    struct tutti_channel same = {.channel = channel};
    struct tutti_stream_params stream = {.buffer_frames = buffer,
                                         .inputs = 1,
                                         .outputs = 1,
                                         .input = &same,
                                         .output = &same,
                                         .process = process,
                                         .user = host};
    memset(host, 0, sizeof(*host));
    host->buffer = buffer;
    assert_int_equal(tutti_open(&host->client, &params), TUTTI_OK);
    enum tutti_status status = tutti_prepare(host->client, &stream);
    if (status != TUTTI_OK) {
        print_error("prepare: %s\n", tutti_last_error(host->client));
    }
    assert_int_equal(status, TUTTI_OK);
    assert_int_equal(tutti_start(host->client), TUTTI_OK);
}

void
host_close(struct host *host)
{
    if (host->client) {
        tutti_close(host->client);
    }
    host->client = NULL;
}

bool
host_await_end(void)
{
    struct os_lock *lock;
    if (os_lock_take(&lock, "engine", in_ms(WAIT_MS)) != TUTTI_OK) {
        return false;
    }
    os_lock_release(lock);
    return true;
}

uint32_t
host_told_latency(struct host *host)
{
    uint32_t in = 0, out = 0;
    assert_int_equal(tutti_get_latencies(host->client, &in, &out), TUTTI_OK);
    return in + out;
}

struct tutti_engine_status
host_status(struct host *host)
{
    struct tutti_engine_status status;
    assert_int_equal(tutti_get_status(host->client, &status, NULL), TUTTI_OK);
    return status;
}

void
host_await(const char *file, int line, const _Atomic uint32_t *counter, uint32_t count)
{
    uint64_t deadline_ns = in_ms(WAIT_MS);
    while (atomic_load(counter) < count) {
        if (os_now_ns() > deadline_ns) {
            fail_msg("%s:%d: %u of %u", file, line, (unsigned)atomic_load(counter), count);
        }
        os_sleep_until_ns(in_ms(2));
    }
}

void
host_expect_round_trip(struct host *host)
{
    unsigned wanted = HOST_RATE_HZ / host->buffer, exact = 0, heard = 0;
    int64_t told = host_told_latency(host), other = 0;
    wanted = wanted < 30 ? 30 : wanted > HOST_KEEP ? HOST_KEEP : wanted;
    /* what was played before is gone by then */
    uint32_t settled = 4 + (uint32_t)told / host->buffer;
    atomic_store(&host->keep, atomic_load(&host->device_blocks) + settled);
    AWAIT(&host->device_blocks, atomic_load(&host->keep) + wanted);
    for (unsigned i = 0; i < wanted; i++) {
        heard += host->delay[i] != HOST_NONE;
        exact += host->delay[i] == told;
        other = host->delay[i] != told && host->delay[i] != HOST_NONE ? host->delay[i] : other;
    }
    if (exact * 10 < wanted * 7) {
        print_error("buffer %u: told %lld, of %u blocks %u heard, %u exact, others %lld\n",
                    host->buffer, (long long)told, wanted, heard, exact, (long long)other);
    }
    assert_true(exact * 10 >= wanted * 7);
}
