/* SPDX-License-Identifier: MIT */
/*
 * The real tuttid on a real PipeWire server: what holds for every graph server (graph_cases.h), and
 * PipeWire's own: quantum, rate, the default device and named ones. The second argument says how
 * often the server dies. Ends with 77 where pipewire is not installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph_cases.h"
#include "pipewire_card.h"
#include "pipewired.h"

enum { QUANTUM = 1024 };

static void
start(bool with_device)
{
    pipewired_start(HOST_RATE_HZ, QUANTUM, with_device ? 1 : 0);
}

static void
loop(void)
{
    pipewired_link("Tutti:out_1", "Tutti:in_1");
}

static struct pipewire_card whole_card;

static struct graph_card *
card_open(void)
{
    pipewire_card_open(&whole_card, 57, 211);
    return &whole_card.memory;
}

static void
card_close(void)
{
    pipewire_card_close(&whole_card);
}

static const struct real_server server = {
    .backend = "pipewire",
    .connect_name = "TUTTI_PIPEWIRE_CONNECT",
    .start = start,
    .end = pipewired_end,
    .hang = pipewired_hang,
    .loop = loop,
    .card_open = card_open,
    .card_close = card_close,
};

static void
latencies_that_the_card_changes_are_told_and_true(void **state)
{
    static struct host host;
    static struct pipewire_card card;
    (void)state;
    pipewired_start(HOST_RATE_HZ, QUANTUM, 0);
    pipewire_card_open(&card, 57, 211);
    host_run(&host, 128, 0, 2);
    AWAIT(&host.heard, 5);
    expect_round_trip(&host);
    uint32_t latencies = atomic_load(&host.latencies);
    pipewire_card_set_latency(&card, 1057, 99);
    AWAIT(&host.latencies, latencies + 1);
    AWAIT_MORE(&host.heard, 20);
    expect_round_trip(&host);
    expect_on_promised_frames(&host, &card.memory);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
    pipewire_card_close(&card);
}

/* ---- another quantum, another rate ---- */

static void
programs_follow_another_quantum_and_what_is_patched_stays(void **state)
{
    static struct host host;
    static const uint32_t quanta[] = {256, 1024, 64};
    (void)state;
    setenv("TUTTI_PIPEWIRE_CONNECT", "no", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 128, 0, 1);
    graph_await_loop(&server, &host);
    for (unsigned i = 0; i < 3; i++) {
        pipewired_set("clock.force-quantum", quanta[i]);
        await_period(&host, quanta[i]);
        AWAIT_MORE(&host.heard, 20);
        expect_round_trip(&host);
    }
    assert_true(atomic_load(&host.latencies) > 0);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

/* Nobody has asked the graph for less than 256 frames, and it would not give it. */
static void
a_quantum_that_the_graph_does_not_give_costs_nothing(void **state)
{
    static struct host large, small;
    (void)state;
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    pipewired_set("clock.min-quantum", 256);
    host_run(&large, 256, 0, 1);
    AWAIT(&large.device_blocks, 20);
    await_period(&large, 256);
    uint64_t generation = atomic_load(&large.generation);
    uint32_t silent = atomic_load(&large.blocks) - atomic_load(&large.device_blocks);
    for (unsigned i = 0; i < 2; i++) {
        host_run(&small, 64, 0, 1);
        AWAIT(&small.device_blocks, 20);
        AWAIT_MORE(&large.device_blocks, 20);
        assert_int_equal(atomic_load(&small.lost), 0);
        host_close(&small);
    }
    await_period(&large, 256);
    /* one of them may be under way */
    assert_true(atomic_load(&large.blocks) - atomic_load(&large.device_blocks) <= silent + 1);
    assert_true(atomic_load(&large.generation) == generation);
    assert_int_equal(atomic_load(&large.lost), 0);
    host_close(&large);
}

/* Ports beyond the sink's have no memory of the graph's: what stands in for it has a limit. */
static void
a_quantum_above_the_limit_is_given_up_until_it_is_smaller(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_PIPEWIRE_OUTPUTS", "8", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 128, 0, 1);
    AWAIT(&host.device_blocks, 20);
    uint64_t generation = atomic_load(&host.generation);
    pipewired_set("clock.force-quantum", 8192);
    await_state(&host, "lost");
    AWAIT_MORE(&host.blocks, 100);
    pipewired_set("clock.force-quantum", 256);
    AWAIT_MORE(&host.device_blocks, 20);
    assert_true(atomic_load(&host.generation) == generation);
    host_close(&host);
}

static void
programs_follow_another_rate_of_the_graph(void **state)
{
    static struct host host;
    struct tutti_engine_status status;
    uint64_t deadline_ns = in_ms(HOST_WAIT_MS);
    (void)state;
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 128, 0, 1);
    AWAIT(&host.device_blocks, 20);
    pipewired_set("clock.force-rate", 44100);
    do {
        assert_int_equal(tutti_get_status(host.client, &status, NULL), TUTTI_OK);
        assert_true(os_now_ns() < deadline_ns);
    } while (status.device.rate_hz != 44100);
    await_period(&host, 128);
    AWAIT_MORE(&host.device_blocks, 20);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

static void
a_wish_yields_to_the_graph_and_an_order_does_not(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_PIPEWIRE_CONNECT", "no", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    pipewired_set("clock.min-quantum", 512);
    host_run(&host, 128, 0, 1);
    await_period(&host, 512);
    host_close(&host);
    assert_true(host_close_all());
    setenv("TUTTI_PIPEWIRE_FORCE", "yes", 1);
    host_run(&host, 128, 0, 1);
    await_period(&host, 128);
    graph_await_loop(&server, &host);
    expect_round_trip(&host);
    host_close(&host);
}

/* ---- devices ---- */

/* True when the server shows this link. */
static bool
is_linked(const char *output, const char *input)
{
    char line[256], arrow[256];
    bool within = false, found = false;
    FILE *tool = popen("pw-link -l", "r");
    assert_non_null(tool);
    snprintf(arrow, sizeof(arrow), "  |-> %s\n", input);
    while (fgets(line, sizeof(line), tool)) {
        if (line[0] != ' ') {
            line[strcspn(line, "\n")] = '\0';
            within = strcmp(line, output) == 0;
        } else if (within && strcmp(line, arrow) == 0) {
            found = true;
        }
    }
    pclose(tool);
    return found;
}

static void
await_link(const char *output, const char *input, bool there)
{
    uint64_t deadline_ns = in_ms(HOST_WAIT_MS);
    while (is_linked(output, input) != there) {
        assert_true(os_now_ns() < deadline_ns);
        os_sleep_until_ns(in_ms(20));
    }
}

static void
the_default_device_is_followed(void **state)
{
    static struct host host;
    (void)state;
    pipewired_start(HOST_RATE_HZ, QUANTUM, 2);
    pipewired_set_default_sink("test-sink-2");
    host_run(&host, 128, 0, 1);
    await_link("Tutti:out_1", "test-sink-2:playback_FL", true);
    assert_true(is_linked("Tutti:out_2", "test-sink-2:playback_FR"));
    assert_false(is_linked("Tutti:out_1", "test-sink-1:playback_FL"));
    pipewired_set_default_sink("test-sink-1");
    await_link("Tutti:out_1", "test-sink-1:playback_FL", true);
    await_link("Tutti:out_1", "test-sink-2:playback_FL", false);
    AWAIT_MORE(&host.device_blocks, 20);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

static void
a_named_device_is_kept_whatever_the_default_is(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "test-sink-2", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 2);
    host_run(&host, 128, 0, 1);
    await_link("Tutti:out_1", "test-sink-2:playback_FL", true);
    pipewired_set_default_sink("test-sink-1");
    pipewired_link("Tutti:out_1", "test-sink-1:playback_FR"); /* by hand, besides */
    AWAIT_MORE(&host.device_blocks, 100);
    assert_true(is_linked("Tutti:out_1", "test-sink-2:playback_FL"));
    assert_true(is_linked("Tutti:out_1", "test-sink-1:playback_FR"));
    const char *argv[] = {"pw-cli", "destroy", "test-sink-2", NULL};
    pipewired_tool(argv);
    AWAIT(&host.lost, 1);
    AWAIT_MORE(&host.blocks, 50);
    host_close(&host);
}

/* ---- the table ---- */

static int
begin(void **state)
{
    unsetenv("TUTTI_DEVICE_NAME");
    unsetenv("TUTTI_PIPEWIRE_FORCE");
    unsetenv("TUTTI_PIPEWIRE_OUTPUTS");
    return graph_case_begin(state);
}

int
main(int argc, char **argv)
{
#define CASE(name)                                                                                 \
    cmocka_unit_test_prestate_setup_teardown(name, begin, graph_case_finish, (void *)&server)
    const struct CMUnitTest tests[] = {
        CASE(two_programs_reach_the_card_bit_for_bit_on_the_promised_frame),
        CASE(a_loop_in_the_patchbay_takes_what_was_told),
        CASE(latencies_that_the_card_changes_are_told_and_true),
        CASE(programs_outlive_a_server_that_is_killed_again_and_again),
        CASE(a_server_that_stops_for_a_moment_keeps_engine_and_connections),
        CASE(programs_follow_another_quantum_and_what_is_patched_stays),
        CASE(a_quantum_that_the_graph_does_not_give_costs_nothing),
        CASE(a_quantum_above_the_limit_is_given_up_until_it_is_smaller),
        CASE(programs_follow_another_rate_of_the_graph),
        CASE(a_wish_yields_to_the_graph_and_an_order_does_not),
        CASE(the_default_device_is_followed),
        CASE(a_named_device_is_kept_whatever_the_default_is),
        CASE(auto_takes_the_server_when_it_answers_and_stays_with_it),
        CASE(auto_passes_over_a_server_that_is_absent_or_hangs),
    };
#undef CASE
    int status = graph_cases_prepare(argc, argv, "pipewire", pipewired_available);
    if (status) {
        return status;
    }
    setenv("JACK_DEFAULT_SERVER", "tutti-test-none", 1); /* nobody else's */
    pipewired_choose_folder();
    atexit(pipewired_leave_folder);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
