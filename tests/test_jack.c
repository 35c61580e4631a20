/* SPDX-License-Identifier: MIT */
/*
 * The real tuttid on a real JACK server: what holds for every graph server (graph_cases.h), and
 * JACK's own: a device that comes late, another buffer, rendering. The second argument says how
 * often the server dies. Ends with 77 where jackd is not installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "graph_cases.h"
#include "jack_card.h"
#include "jackd.h"

enum { RATE_HZ = HOST_RATE_HZ, PERIOD = 64 };

static void
start(bool with_device)
{
    jackd_start(RATE_HZ, PERIOD, with_device ? 2 : 0);
}

static void
loop(void)
{
    jackd_tool("jack_connect", "Tutti:out_1", "Tutti:in_1");
}

static struct jack_card whole_card;

static struct graph_card *
card_open(void)
{
    jack_card_open(&whole_card, PERIOD + 57, 211);
    return &whole_card.memory;
}

static void
card_close(void)
{
    jack_card_close(&whole_card);
}

static const struct real_server server = {
    .backend = "jack",
    .connect_name = "TUTTI_JACK_CONNECT",
    .start = start,
    .end = jackd_end,
    .hang = jackd_hang,
    .loop = loop,
    .card_open = card_open,
    .card_close = card_close,
};

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
        AWAIT_MORE(&host.device_blocks, 100); /* till the server's ports have been looked at */
    }
    assert_int_equal(atomic_load(&host.lost), 2);
    host_close(&host);
}

/* As on a slow machine: the stream is opened anew while half of the card is not there yet, or not
 * active. */
static void
programs_are_connected_when_the_servers_device_comes_slowly(void **state)
{
    static struct host host;
    static struct jack_card card;
    (void)state;
    jackd_start(RATE_HZ, PERIOD, 0);
    host_run(&host, 128, 0, 1);
    AWAIT_MORE(&host.device_blocks, 20);
    jack_card_open_slowly(&card, PERIOD + 57, 211, 500);
    AWAIT_MORE(&host.heard, 20);
    expect_round_trip(&host);
    jack_card_close(&card);
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
    graph_await_loop(&server, &host);
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

/* The period grows to the programs' buffers and beyond, and back: each is still called, by the same
 * engine, and latencies that rose fall again. */
static void
programs_keep_their_engine_while_the_servers_buffer_grows(void **state)
{
    static struct host host, odd;
    static const char *const sizes[] = {"256", "64", "256", "1024", "256"};
    uint32_t input = 0, output = 0, now_input, now_output;
    (void)state;
    setenv("TUTTI_JACK_CONNECT", "no", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 256, 0, 1);
    graph_await_loop(&server, &host);
    host_run(&odd, 240, 1, 1);
    AWAIT_MORE(&odd.device_blocks, 20);
    uint64_t generation = atomic_load(&host.generation);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        jackd_tool("jack_bufsize", sizes[i], NULL);
        await_period(&host, (uint32_t)atoi(sizes[i]));
        AWAIT_MORE(&odd.device_blocks, 20);
        AWAIT_MORE(&host.heard, 20);
        expect_round_trip(&host);
        assert_true(atomic_load(&host.generation) == generation);
        assert_int_equal(tutti_get_latencies(host.client, &now_input, &now_output), TUTTI_OK);
        if (i == 0) {
            input = now_input;
            output = now_output;
        }
    }
    assert_int_equal(now_input, input);
    assert_int_equal(now_output, output);
    assert_int_equal(atomic_load(&host.lost) + atomic_load(&odd.lost), 0);
    host_close(&odd);
    host_close(&host);
}

static void
a_program_with_a_smaller_buffer_changes_the_servers(void **state)
{
    static struct host large, small;
    (void)state;
    setenv("TUTTI_JACK_SET_PERIOD", "yes", 1);
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&large, 256, 0, 1);
    unsetenv("TUTTI_JACK_SET_PERIOD");
    AWAIT(&large.device_blocks, 20);
    await_period(&large, 256);
    uint64_t generation = atomic_load(&large.generation);
    host_run(&small, 64, 1, 1);
    await_period(&large, 64);
    AWAIT(&small.device_blocks, 20);
    AWAIT_MORE(&large.device_blocks, 20);
    assert_true(atomic_load(&large.generation) == generation);
    assert_int_equal(atomic_load(&large.lost) + atomic_load(&small.lost), 0);
    host_close(&small);
    host_close(&large);
}

static void
a_buffer_above_the_limit_is_given_up_until_it_is_smaller(void **state)
{
    static struct host host;
    (void)state;
    jackd_start(RATE_HZ, PERIOD, 2);
    host_run(&host, 128, 0, 1);
    AWAIT(&host.device_blocks, 20);
    uint64_t generation = atomic_load(&host.generation);
    jackd_tool("jack_bufsize", "8192", NULL);
    await_state(&host, "lost");
    AWAIT_MORE(&host.blocks, 100);
    jackd_tool("jack_bufsize", "256", NULL);
    AWAIT_MORE(&host.device_blocks, 20);
    assert_true(atomic_load(&host.generation) == generation);
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
    graph_await_loop(&server, &host);
    uint64_t generation = atomic_load(&host.generation);
    const struct jack_api *api = jack_api_load();
    jack_status_t status;
    jack_client_t *client = api->client_open("render", JackNoStartServer, &status);
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

/* ---- the table ---- */

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        GRAPH_CASE(two_programs_reach_the_card_bit_for_bit_on_the_promised_frame, &server),
        GRAPH_CASE(a_loop_in_the_patchbay_takes_what_was_told, &server),
        GRAPH_CASE(programs_outlive_a_server_that_is_killed_again_and_again, &server),
        GRAPH_CASE(a_server_that_stops_for_a_moment_keeps_engine_and_connections, &server),
        GRAPH_CASE(programs_are_connected_when_the_servers_device_comes_late_or_anew, &server),
        GRAPH_CASE(programs_are_connected_when_the_servers_device_comes_slowly, &server),
        GRAPH_CASE(programs_follow_a_new_buffer_of_the_server, &server),
        GRAPH_CASE(programs_keep_their_engine_while_the_servers_buffer_grows, &server),
        GRAPH_CASE(a_program_with_a_smaller_buffer_changes_the_servers, &server),
        GRAPH_CASE(a_buffer_above_the_limit_is_given_up_until_it_is_smaller, &server),
        GRAPH_CASE(programs_go_on_in_real_time_while_the_server_renders, &server),
        GRAPH_CASE(auto_takes_the_server_when_it_answers_and_stays_with_it, &server),
        GRAPH_CASE(auto_passes_over_a_server_that_is_absent_or_hangs, &server),
    };
    int status = graph_cases_prepare(argc, argv, "jack", jackd_available);
    if (status) {
        return status;
    }
    jackd_choose_name();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
