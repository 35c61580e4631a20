/* SPDX-License-Identifier: MIT */
/*
 * The real tuttid on a real JACK server: what programs play reaches JACK bit for bit on the
 * promised frame, the round trip is the latency that they were told, and their callbacks go on
 * through the server's death, restart, rendering and change of buffer. With `long` as second
 * argument the server dies fifty times. Ends with 77 where jackd is not installed. Shares and
 * medians only: a machine that stalls makes JACK lose periods.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "jack_card.h"
#include "jackd.h"
#include "os/os.h"
#include "tutti/tutti.h"

enum {
    RATE_HZ = 48000,
    PERIOD = 64,
    KEEP = 400,
    WAIT_MS = 20000,
    RAMP = CARD_FRAMES,
    SKIPPED = 77
};

static const char *tuttid;
static unsigned deaths = 3;
static struct host *open_hosts[2]; /* what a test that failed has left open */

/* What a program saw of one block. */
struct seen {
    uint64_t position;
    uint32_t frame; /* 1 + JACK's at the first input, by the card's third channel; 0: broken */
    int64_t delay;  /* of its own ramp; NONE: not heard in one piece */
};
#define NONE INT64_MIN

struct host {
    struct tutti_client *client;
    uint32_t buffer, inputs;
    unsigned channel; /* that it plays on and hears */
    struct seen seen[KEEP];
    _Atomic uint32_t blocks, device_blocks; /* all; those with a device behind them */
    _Atomic uint32_t heard;                 /* blocks in which the ramp was heard */
    _Atomic uint32_t lost, back, latencies; /* events */
    _Atomic uint64_t position, generation;  /* of the last block */
    _Atomic uint32_t keep;                  /* device blocks are kept from this one on */
};

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

/* ---- programs ---- */

static float
ramp(uint64_t position)
{
    return (float)(position % RAMP + 1) * CARD_UNIT;
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
        if (n >= keep && n - keep < KEEP) {
            host->seen[n - keep] = (struct seen){
                .position = block->position_frames,
                .frame = names ? in_one_piece(names, block->frames) : 0,
                .delay = first < 1
                             ? NONE
                             : (int64_t)(block->position_frames % RAMP) - ((int64_t)first - 1),
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

static void
host_run(struct host *host, uint32_t buffer, unsigned channel, unsigned inputs)
{
    struct tutti_open_params params = {
        .program = "host", .engine_path = tuttid, .event = on_event, .user = host};
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

static void
host_close(struct host *host)
{
    tutti_close(host->client);
    host->client = NULL;
    open_hosts[open_hosts[1] == host] = NULL;
}

static void
await_at(const char *file, int line, const _Atomic uint32_t *counter, uint32_t count)
{
    uint64_t deadline_ns = in_ms(WAIT_MS);
    while (atomic_load(counter) < count) {
        if (os_now_ns() > deadline_ns) {
            fail_msg("%s:%d: %u of %u", file, line, (unsigned)atomic_load(counter), count);
        }
        os_sleep_until_ns(in_ms(2));
    }
}
#define AWAIT(counter, count) await_at(__FILE__, __LINE__, (counter), (count))
#define AWAIT_MORE(counter, more) AWAIT((counter), atomic_load(counter) + (more))

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
    unsigned wanted = RATE_HZ / host->buffer;
    wanted = wanted < 30 ? 30 : wanted > KEEP ? KEEP : wanted;
    atomic_store(&host->keep, atomic_load(&host->device_blocks) + 1);
    AWAIT(&host->device_blocks, atomic_load(&host->keep) + wanted);
    return wanted;
}

/* The delay of most blocks must be the latency that was told. */
static void
expect_round_trip(struct host *host)
{
    unsigned blocks = watch(host), exact = 0, heard = 0;
    int64_t told = told_latency(host), other = 0;
    for (unsigned i = 0; i < blocks; i++) {
        heard += host->seen[i].delay != NONE;
        exact += host->seen[i].delay == told;
        other = host->seen[i].delay != told && host->seen[i].delay != NONE ? host->seen[i].delay
                                                                           : other;
    }
    if (exact * 10 < blocks * 7) {
        print_error("buffer %u: told %lld, of %u blocks %u heard, %u exact, others %lld\n",
                    host->buffer, (long long)told, blocks, heard, exact, (long long)other);
    }
    assert_true(exact * 10 >= blocks * 7);
}

/* ---- bit by bit, frame by frame ---- */

static const uint32_t buffers[] = {32, 64, 128, 256, 512, 1024, 2048};
enum { BUFFERS = sizeof(buffers) / sizeof(buffers[0]) };

/* Every block that the program kept, where JACK must have received it. */
static void
expect_on_promised_frames(struct host *host, const struct jack_card *card)
{
    unsigned blocks = watch(host), exact = 0, wrong = 0;
    uint32_t cable = card->capture_latency + card->playback_latency;
    uint32_t told = told_latency(host);
    /* its answers lie in the future */
    AWAIT_MORE(&host->device_blocks, 4 + (told + cable) / host->buffer);
    for (unsigned b = 0; b < blocks; b++) {
        const struct seen *seen = &host->seen[b];
        bool same = seen->frame > 0;
        if (!same) {
            continue; /* the server lost time within this block */
        }
        /* Its first input frame crossed the graph at this frame of JACK's, capture_latency after
         * the air; its first output frame shall be in the air `told` after that one was. */
        uint32_t first = seen->frame - 1 + CARD_FRAMES + told - cable;
        for (uint32_t i = 0; i < host->buffer; i++) {
            float sample = jack_card_played(card, host->channel, first + i);
            same &= sample == ramp(seen->position + i);
            wrong += sample != 0 && sample != ramp(seen->position + i);
        }
        exact += same;
    }
    if (exact * 10 < blocks * 7 || wrong > blocks * host->buffer / 20) {
        print_error("buffer %u: of %u blocks %u exact; wrong samples %u\n", host->buffer, blocks,
                    exact, wrong);
    }
    assert_true(exact * 10 >= blocks * 7);
    assert_true(wrong <= blocks * host->buffer / 20);
}

static void
two_programs_reach_jack_bit_for_bit_on_the_promised_frame(void **state)
{
    static struct host first, second;
    static struct jack_card card;
    (void)state;
    jackd_start(RATE_HZ, PERIOD, 0);
    jack_card_open(&card, PERIOD + 57, 211);
    for (unsigned b = 0; b < BUFFERS; b++) {
        host_run(&first, buffers[b], 0, 2);
        host_run(&second, 256, 1, 2);
        AWAIT(&first.heard, 5);
        AWAIT(&second.heard, 5);
        expect_round_trip(&first);
        expect_on_promised_frames(&first, &card);
        expect_round_trip(&second);
        expect_on_promised_frames(&second, &card);
        host_close(&first);
        host_close(&second);
    }
    jack_card_close(&card);
}

static void
await_loop(struct host *host)
{
    uint64_t deadline_ns = in_ms(WAIT_MS);
    uint32_t heard = atomic_load(&host->heard);
    while (atomic_load(&host->heard) < heard + 3) {
        jackd_tool("jack_connect", "Tutti:out_1", "Tutti:in_1");
        os_sleep_until_ns(in_ms(50));
        assert_true(os_now_ns() < deadline_ns);
    }
}

static void
a_loop_in_the_patchbay_takes_what_was_told(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_JACK_CONNECT", "no", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    for (unsigned b = 0; b < BUFFERS; b++) {
        host_run(&host, buffers[b], 0, 1);
        await_loop(&host);
        expect_round_trip(&host);
        host_close(&host);
    }
}

/* ---- a server with a life of its own ---- */

static void
programs_outlive_a_server_that_is_killed_again_and_again(void **state)
{
    static struct host host, other;
    (void)state;
    setenv("TUTTI_JACK_CONNECT", "no", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 128, 0, 1);
    host_run(&other, 512, 1, 1);
    await_loop(&host);
    uint64_t generation = atomic_load(&host.generation);
    for (unsigned i = 1; i <= deaths; i++) {
        jackd_end(true);
        AWAIT(&host.lost, i);
        AWAIT_MORE(&host.blocks, 50);
        AWAIT_MORE(&other.blocks, 10);
        jackd_start(RATE_HZ, PERIOD, 2);
        AWAIT(&host.back, i);
        await_loop(&host);
        AWAIT_MORE(&other.device_blocks, 3);
    }
    expect_round_trip(&host);
    assert_true(atomic_load(&host.generation) == generation);
    assert_int_equal(atomic_load(&host.lost), deaths);
    host_close(&host);
    host_close(&other);
}

static void
a_server_that_stops_for_a_moment_keeps_engine_and_connections(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_JACK_CONNECT", "no", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 64, 0, 1);
    await_loop(&host);
    uint64_t generation = atomic_load(&host.generation);
    uint32_t blocks = atomic_load(&host.blocks);
    jackd_hang(true);
    AWAIT(&host.blocks, blocks + 500); /* longer than a program waits for an engine */
    jackd_hang(false);
    AWAIT_MORE(&host.heard, 20);
    expect_round_trip(&host);
    assert_true(atomic_load(&host.generation) == generation);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

static void
programs_are_connected_when_the_servers_device_comes_late_or_anew(void **state)
{
    static struct host host;
    static struct jack_card card;
    (void)state;
    jackd_start(RATE_HZ, PERIOD, 0);
    host_run(&host, 128, 0, 1);
    AWAIT_MORE(&host.device_blocks, 20);
    for (unsigned i = 1; i <= 2; i++) {
        jack_card_open(&card, PERIOD + 57, 211);
        AWAIT(&host.back, i);
        AWAIT_MORE(&host.heard, 20);
        expect_round_trip(&host);
        jack_card_close(&card);
        AWAIT_MORE(&host.device_blocks, 20);
    }
    assert_int_equal(atomic_load(&host.lost), 2);
    host_close(&host);
}

static void
programs_follow_a_new_buffer_of_the_server(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_JACK_CONNECT", "no", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 128, 0, 1);
    await_loop(&host);
    static const char *const sizes[] = {"256", "1024", "128"};
    for (unsigned i = 0; i < 3; i++) {
        struct tutti_device device;
        uint64_t deadline_ns = in_ms(WAIT_MS);
        jackd_tool("jack_bufsize", sizes[i], NULL);
        do {
            assert_int_equal(tutti_get_device(host.client, &device), TUTTI_OK);
            struct tutti_engine_status status;
            assert_int_equal(tutti_get_status(host.client, &status, NULL), TUTTI_OK);
            device = status.device;
            assert_true(os_now_ns() < deadline_ns);
        } while (device.period_frames != (uint32_t)atoi(sizes[i]));
        /* what was patched stays patched */
        AWAIT_MORE(&host.heard, 20);
        expect_round_trip(&host);
    }
    assert_true(atomic_load(&host.latencies) > 0);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

static void
programs_go_on_in_real_time_while_the_server_renders(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_JACK_CONNECT", "no", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 128, 0, 1);
    await_loop(&host);
    uint64_t generation = atomic_load(&host.generation);
    const struct jack_api *api = jack_api_load();
    int status;
    struct jack_client *client = api->client_open("render", JACK_OPTION_NO_START_SERVER, &status);
    assert_non_null(client);
    assert_int_equal(api->activate(client), 0);
    assert_int_equal(api->set_freewheel(client, 1), 0);
    AWAIT_MORE(&host.blocks, 200); /* it begins when it begins */
    uint64_t began_ns = os_now_ns(), position = atomic_load(&host.position);
    uint32_t jack_frame = api->last_frame_time(client), heard = atomic_load(&host.heard);
    AWAIT_MORE(&host.blocks, 300);
    uint32_t heard_then = atomic_load(&host.heard);
    double seconds = (double)(os_now_ns() - began_ns) * 1e-9;
    double frames = (double)(atomic_load(&host.position) - position);
    uint32_t rendered = api->last_frame_time(client) - jack_frame;
    assert_int_equal(api->set_freewheel(client, 0), 0);
    api->deactivate(client);
    api->client_close(client);
    /* the server ran away, the program did not */
    assert_true(rendered > 2 * frames);
    assert_true(frames < 1.2 * seconds * RATE_HZ + 2048);
    assert_int_equal(heard_then, heard);
    AWAIT_MORE(&host.heard, 20);
    expect_round_trip(&host);
    assert_true(atomic_load(&host.generation) == generation);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

/* ---- auto ---- */

static void
expect_backend(struct host *host, const char *backend)
{
    struct tutti_engine_status status;
    assert_int_equal(tutti_get_status(host->client, &status, NULL), TUTTI_OK);
    assert_string_equal(status.device.backend, backend);
}

static void
auto_takes_jack_when_it_answers_and_stays_with_it(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "jack");
    jackd_end(true);
    AWAIT(&host.lost, 1);
    AWAIT_MORE(&host.blocks, 400); /* time for several attempts */
    expect_backend(&host, "jack");
    jackd_start(RATE_HZ, PERIOD, 2);
    AWAIT(&host.back, 1);
    expect_backend(&host, "jack");
    host_close(&host);
}

static void
auto_passes_over_a_server_that_is_absent_or_hangs(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "sim");
    AWAIT_MORE(&host.device_blocks, 10);
    host_close(&host);
    struct os_lock *lock;
    assert_int_equal(os_lock_take(&lock, "engine", in_ms(WAIT_MS)), TUTTI_OK);
    os_lock_release(lock);
    jackd_start(RATE_HZ, PERIOD, 2);
    jackd_hang(true);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "sim");
    AWAIT_MORE(&host.device_blocks, 10);
    host_close(&host);
}

/* ---- the table ---- */

static int
begin(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "jack", 1);
    unsetenv("TUTTI_JACK_CONNECT");
    return 0;
}

/* The engine leaves, so that each test begins with none. */
static int
finish(void **state)
{
    struct os_lock *lock;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        if (open_hosts[i]) {
            host_close(open_hosts[i]);
        }
    }
    jackd_end(false);
    if (os_lock_take(&lock, "engine", in_ms(WAIT_MS))) {
        return -1;
    }
    os_lock_release(lock);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_programs_reach_jack_bit_for_bit_on_the_promised_frame,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(a_loop_in_the_patchbay_takes_what_was_told, begin, finish),
        cmocka_unit_test_setup_teardown(programs_outlive_a_server_that_is_killed_again_and_again,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(
            a_server_that_stops_for_a_moment_keeps_engine_and_connections, begin, finish),
        cmocka_unit_test_setup_teardown(
            programs_are_connected_when_the_servers_device_comes_late_or_anew, begin, finish),
        cmocka_unit_test_setup_teardown(programs_follow_a_new_buffer_of_the_server, begin, finish),
        cmocka_unit_test_setup_teardown(programs_go_on_in_real_time_while_the_server_renders, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(auto_takes_jack_when_it_answers_and_stays_with_it, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(auto_passes_over_a_server_that_is_absent_or_hangs, begin,
                                        finish),
    };
    static char folder[64], reason[256];

    if (argc < 2) {
        fprintf(stderr, "usage: test_jack TUTTID [long]\n");
        return 2;
    }
    tuttid = argv[1];
    if (argc > 2 && strcmp(argv[2], "long") == 0) {
        deaths = 50;
    }
    if (!jackd_available(reason)) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    jackd_choose_name();
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-jack-%ld", (long)getpid());
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent/tutti.ini", 1);
    setenv("TUTTI_ENGINE_GRACE_MS", "100", 1);
    signal(SIGPIPE, SIG_IGN);
    cmocka_set_test_filter(getenv("TUTTI_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
