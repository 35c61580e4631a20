/* SPDX-License-Identifier: MIT */
/* Programs of the tests with real servers. */
#include "graph_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIES = 6 }; /* of a second each */

static const char *engine;
static struct host *open_hosts[2]; /* what a test that failed has left open */

void
host_use_engine(const char *path)
{
    engine = path;
}

uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

/* ---- programs ---- */

static float
ramp(uint64_t position)
{
    return (float)(position % CARD_FRAMES + 1) * CARD_UNIT;
}

/* 1 + the number of the first sample, when the others continue it; 0 otherwise. */
static uint32_t
in_one_piece(const float *samples, uint32_t frames)
{
    uint32_t first = (uint32_t)(samples[0] / CARD_UNIT);
    for (uint32_t i = 0; i < frames; i++) {
        if (!first || samples[i] != ramp(first - 1 + i)) {
            return 0;
        }
    }
    return first;
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
        const float *in = tutti_input(host->client, 0, block->half);
        const float *names = host->inputs > 1 ? tutti_input(host->client, 1, block->half) : NULL;
        uint32_t first = in_one_piece(in, block->frames);
        uint32_t n = atomic_load(&host->device_blocks), keep = atomic_load(&host->keep);
        if (n >= keep && n - keep < HOST_KEEP) {
            host->seen[n - keep] = (struct seen){
                .position = block->position_frames,
                .frame = names ? in_one_piece(names, block->frames) : 0,
                .delay = first < 1 ? HOST_NONE
                                   : (int64_t)(block->position_frames % CARD_FRAMES) -
                                         ((int64_t)first - 1),
            };
        }
        atomic_fetch_add(&host->heard, first >= 1);
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
    atomic_fetch_add(&host->latencies, event->kind == TUTTI_EVENT_LATENCIES);
}

void
host_run(struct host *host, uint32_t buffer, unsigned channel, unsigned inputs)
{
    struct tutti_open_params params = {
        .program = "host", .engine_path = engine, .event = on_event, .user = host};
    struct tutti_channel input[2] = {{.channel = channel}, {.channel = CARD_CAPTURES - 1}};
    struct tutti_channel output = {.channel = channel};
    struct tutti_stream_params stream = {.buffer_frames = buffer,
                                         .inputs = inputs,
                                         .outputs = 1,
                                         .input = input,
                                         .output = &output,
                                         .process = process,
                                         .user = host};
    memset(host, 0, sizeof(*host));
    host->buffer = buffer;
    host->inputs = inputs;
    host->channel = channel;
    assert_int_equal(tutti_open(&host->client, &params), TUTTI_OK);
    open_hosts[open_hosts[0] != NULL] = host;
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
    tutti_close(host->client);
    host->client = NULL;
    open_hosts[open_hosts[1] == host] = NULL;
}

void
await_at(const char *file, int line, const _Atomic uint32_t *counter, uint32_t count)
{
    uint64_t deadline_ns = in_ms(HOST_WAIT_MS);
    while (atomic_load(counter) < count) {
        if (os_now_ns() > deadline_ns) {
            fail_msg("%s:%d: %u of %u", file, line, (unsigned)atomic_load(counter), count);
        }
        os_sleep_until_ns(in_ms(2));
    }
}

static uint32_t
told_latency(struct host *host)
{
    uint32_t in = 0, out = 0;
    assert_int_equal(tutti_get_latencies(host->client, &in, &out), TUTTI_OK);
    return in + out;
}

/* Keeps the next blocks: enough of them for a second. */
static unsigned
watch(struct host *host)
{
    unsigned wanted = HOST_RATE_HZ / host->buffer;
    wanted = wanted < 30 ? 30 : wanted > HOST_KEEP ? HOST_KEEP : wanted;
    atomic_store(&host->keep, atomic_load(&host->device_blocks) + 1);
    AWAIT(&host->device_blocks, atomic_load(&host->keep) + wanted);
    return wanted;
}

/* A machine that does something else loses blocks; what is wrong is wrong each time. */
static void
expect_within_some_seconds(bool (*is_so)(struct host *host, const struct graph_card *card),
                           struct host *host, const struct graph_card *card)
{
    unsigned tries = 0;
    while (!is_so(host, card)) {
        assert_true(++tries < TRIES);
    }
}

static bool
is_round_trip_as_told(struct host *host, const struct graph_card *card)
{
    (void)card;
    unsigned blocks = watch(host), exact = 0, heard = 0;
    int64_t told = told_latency(host), other = 0;
    for (unsigned i = 0; i < blocks; i++) {
        heard += host->seen[i].delay != HOST_NONE;
        exact += host->seen[i].delay == told;
        other = host->seen[i].delay != told && host->seen[i].delay != HOST_NONE
                    ? host->seen[i].delay
                    : other;
    }
    if (exact * 10 < blocks * 7) {
        print_error("buffer %u: told %lld, of %u blocks %u heard, %u exact, others %lld\n",
                    host->buffer, (long long)told, blocks, heard, exact, (long long)other);
    }
    return exact * 10 >= blocks * 7;
}

void
expect_round_trip(struct host *host)
{
    expect_within_some_seconds(is_round_trip_as_told, host, NULL);
}

/* Every block that the program kept, where the card must have received it. */
static bool
is_on_promised_frames(struct host *host, const struct graph_card *card)
{
    unsigned blocks = watch(host), exact = 0, wrong = 0;
    uint32_t cable = card->cable;
    uint32_t told = told_latency(host);
    /* its answers lie in the future */
    AWAIT_MORE(&host->device_blocks, 4 + (told + cable) / host->buffer);
    for (unsigned b = 0; b < blocks; b++) {
        const struct seen *seen = &host->seen[b];
        bool same = seen->frame > 0;
        if (!same) {
            continue; /* the server lost time within this block */
        }
        /* Its first input frame crossed the graph at this frame of the server's, capture_latency
         * after the air; its first output frame shall be in the air `told` after that one was. */
        uint32_t first = seen->frame - 1 + CARD_FRAMES + told - cable;
        for (uint32_t i = 0; i < host->buffer; i++) {
            float sample = graph_card_played(card, host->channel, first + i);
            same &= sample == ramp(seen->position + i);
            wrong += sample != 0 && sample != ramp(seen->position + i);
        }
        exact += same;
    }
    if (exact * 10 < blocks * 7 || wrong > blocks * host->buffer / 20) {
        print_error("buffer %u: of %u blocks %u exact; wrong samples %u\n", host->buffer, blocks,
                    exact, wrong);
    }
    return exact * 10 >= blocks * 7 && wrong <= blocks * host->buffer / 20;
}

void
expect_on_promised_frames(struct host *host, const struct graph_card *card)
{
    expect_within_some_seconds(is_on_promised_frames, host, card);
}

void
expect_backend(struct host *host, const char *backend)
{
    struct tutti_engine_status status;
    assert_int_equal(tutti_get_status(host->client, &status, NULL), TUTTI_OK);
    assert_string_equal(status.device.backend, backend);
}

void
await_period(struct host *host, uint32_t period_frames)
{
    struct tutti_engine_status status;
    uint64_t deadline_ns = in_ms(HOST_WAIT_MS);
    do {
        assert_int_equal(tutti_get_status(host->client, &status, NULL), TUTTI_OK);
        assert_true(os_now_ns() < deadline_ns);
    } while (status.device.period_frames != period_frames);
}

void
await_state(struct host *host, const char *state)
{
    struct tutti_engine_status status;
    uint64_t deadline_ns = in_ms(HOST_WAIT_MS);
    do {
        assert_int_equal(tutti_get_status(host->client, &status, NULL), TUTTI_OK);
        assert_true(os_now_ns() < deadline_ns);
    } while (strcmp(status.device.state, state) != 0);
}

bool
host_close_all(void)
{
    struct os_lock *lock;
    for (unsigned i = 0; i < 2; i++) {
        if (open_hosts[i]) {
            host_close(open_hosts[i]);
        }
    }
    if (os_lock_take(&lock, "engine", in_ms(HOST_WAIT_MS))) {
        return false;
    }
    os_lock_release(lock);
    return true;
}
