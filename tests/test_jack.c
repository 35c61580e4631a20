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

#include "graph_host.h"
#include "jack_card.h"
#include "jackd.h"

enum { RATE_HZ = HOST_RATE_HZ, PERIOD = 64, WAIT_MS = HOST_WAIT_MS, SKIPPED = 77 };

static unsigned deaths = 3;

/* ---- bit by bit, frame by frame ---- */

static const uint32_t buffers[] = {32, 64, 128, 256, 512, 1024, 2048};
enum { BUFFERS = sizeof(buffers) / sizeof(buffers[0]) };

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
        expect_on_promised_frames(&first, &card.memory);
        expect_round_trip(&second);
        expect_on_promised_frames(&second, &card.memory);
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
        jackd_tool("jack_bufsize", sizes[i], NULL);
        await_period(&host, (uint32_t)atoi(sizes[i]));
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
    (void)state;
    bool left = host_close_all();
    jackd_end(false);
    return left ? 0 : -1;
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
    host_use_engine(argv[1]);
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
