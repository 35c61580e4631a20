/* SPDX-License-Identifier: MIT */
/* Shares and medians only: a machine that stalls makes a server lose periods. */
#include "graph_cases.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "deaths.h"

enum { SKIPPED = 77 };

static unsigned deaths; /* of the server */

static const uint32_t buffers[] = {32, 64, 128, 256, 512, 1024, 2048};
enum { BUFFERS = sizeof(buffers) / sizeof(buffers[0]) };

/* ---- around the tests ---- */

int
graph_cases_prepare(int argc, char **argv, const char *name, bool (*available)(char reason[256]))
{
    static char folder[64], reason[256];
    deaths = deaths_wanted(argc, argv);
    if (!deaths) {
        return 2;
    }
    host_use_engine(argv[1]);
    if (!available(reason)) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-%s-%ld", name, (long)getpid());
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent/tutti.ini", 1);
    setenv("TUTTI_ENGINE_GRACE_MS", "100", 1);
    signal(SIGPIPE, SIG_IGN);
    cmocka_set_test_filter(getenv("TUTTI_TEST_FILTER"));
    return 0;
}

int
graph_case_begin(void **state)
{
    const struct real_server *server = *state;
    setenv("TUTTI_DEVICE_BACKEND", server->backend, 1);
    unsetenv(server->connect_name);
    return 0;
}

int
graph_case_finish(void **state)
{
    const struct real_server *server = *state;
    bool left = host_close_all();
    server->end(false);
    return left ? 0 : -1;
}

void
graph_await_loop(const struct real_server *server, struct host *host)
{
    uint64_t deadline_ns = in_ms(HOST_WAIT_MS);
    uint32_t heard = atomic_load(&host->heard);
    while (atomic_load(&host->heard) < heard + 3) {
        server->loop();
        os_sleep_until_ns(in_ms(50));
        assert_true(os_now_ns() < deadline_ns);
    }
}

/* ---- bit by bit, frame by frame ---- */

void
two_programs_reach_the_card_bit_for_bit_on_the_promised_frame(void **state)
{
    const struct real_server *server = *state;
    static struct host first, second;
    server->start(false);
    struct graph_card *card = server->card_open();
    for (unsigned b = 0; b < BUFFERS; b++) {
        host_run(&first, buffers[b], 0, 2);
        host_run(&second, 256, 1, 2);
        AWAIT(&first.heard, 5);
        AWAIT(&second.heard, 5);
        expect_round_trip(&first);
        expect_on_promised_frames(&first, card);
        expect_round_trip(&second);
        expect_on_promised_frames(&second, card);
        host_close(&first);
        host_close(&second);
    }
    server->card_close();
}

void
a_loop_in_the_patchbay_takes_what_was_told(void **state)
{
    const struct real_server *server = *state;
    static struct host host;
    setenv(server->connect_name, "no", 1);
    server->start(true);
    for (unsigned b = 0; b < BUFFERS; b++) {
        host_run(&host, buffers[b], 0, 1);
        graph_await_loop(server, &host);
        expect_round_trip(&host);
        host_close(&host);
    }
}

/* ---- a server with a life of its own ---- */

void
programs_outlive_a_server_that_is_killed_again_and_again(void **state)
{
    const struct real_server *server = *state;
    static struct host host, other;
    setenv(server->connect_name, "no", 1);
    server->start(true);
    host_run(&host, 128, 0, 1);
    host_run(&other, 512, 1, 1);
    graph_await_loop(server, &host);
    uint64_t generation = atomic_load(&host.generation);
    for (unsigned i = 1; i <= deaths; i++) {
        server->end(true);
        AWAIT(&host.lost, i);
        AWAIT_MORE(&host.blocks, 50);
        AWAIT_MORE(&other.blocks, 10);
        server->start(true);
        uint64_t there_ns = os_now_ns();
        AWAIT(&host.back, i);
        graph_await_loop(server, &host);
        deaths_tell(i, there_ns);
        AWAIT_MORE(&other.device_blocks, 3);
    }
    expect_round_trip(&host);
    assert_true(atomic_load(&host.generation) == generation);
    assert_int_equal(atomic_load(&host.lost), deaths);
    host_close(&host);
    host_close(&other);
}

void
a_server_that_stops_for_a_moment_keeps_engine_and_connections(void **state)
{
    const struct real_server *server = *state;
    static struct host host;
    setenv(server->connect_name, "no", 1);
    server->start(true);
    host_run(&host, 64, 0, 1);
    graph_await_loop(server, &host);
    uint64_t generation = atomic_load(&host.generation);
    uint32_t blocks = atomic_load(&host.blocks);
    server->hang(true);
    AWAIT(&host.blocks, blocks + 500); /* longer than a program waits for an engine */
    server->hang(false);
    AWAIT_MORE(&host.heard, 20);
    expect_round_trip(&host);
    assert_true(atomic_load(&host.generation) == generation);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

/* ---- auto ---- */

void
auto_takes_the_server_when_it_answers_and_stays_with_it(void **state)
{
    const struct real_server *server = *state;
    static struct host host;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    server->start(true);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, server->backend);
    server->end(true);
    AWAIT(&host.lost, 1);
    AWAIT_MORE(&host.blocks, 400); /* time for several attempts */
    expect_backend(&host, server->backend);
    server->start(true);
    AWAIT(&host.back, 1);
    expect_backend(&host, server->backend);
    host_close(&host);
}

void
auto_passes_over_a_server_that_is_absent_or_hangs(void **state)
{
    const struct real_server *server = *state;
    static struct host host;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "sim");
    AWAIT_MORE(&host.device_blocks, 10);
    host_close(&host);
    assert_true(host_close_all());
    server->start(true);
    server->hang(true);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "sim");
    AWAIT_MORE(&host.device_blocks, 10);
    host_close(&host);
}
