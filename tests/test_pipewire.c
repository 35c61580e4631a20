/* SPDX-License-Identifier: MIT */
/*
 * The real tuttid on a real PipeWire server: what programs play reaches the card bit for bit on the
 * promised frame, the round trip is the latency that they were told, and their callbacks go on
 * through the server's death, restart, another quantum and another default device. With `long` as
 * second argument the server dies fifty times. Ends with 77 where pipewire is not installed. Shares
 * and medians only: a machine that stalls makes the graph lose periods.
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
#include "pipewire_card.h"
#include "pipewired.h"

enum { QUANTUM = 1024, WAIT_MS = HOST_WAIT_MS, SKIPPED = 77 };

static unsigned deaths = 3;

static const uint32_t buffers[] = {32, 64, 128, 256, 512, 1024, 2048};
enum { BUFFERS = sizeof(buffers) / sizeof(buffers[0]) };

/* ---- bit by bit, frame by frame ---- */

static void
two_programs_reach_the_card_bit_for_bit_on_the_promised_frame(void **state)
{
    static struct host first, second;
    static struct pipewire_card card;
    (void)state;
    pipewired_start(HOST_RATE_HZ, QUANTUM, 0);
    pipewire_card_open(&card, 57, 211);
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
    pipewire_card_close(&card);
}

static void
await_loop(struct host *host)
{
    uint64_t deadline_ns = in_ms(WAIT_MS);
    uint32_t heard = atomic_load(&host->heard);
    while (atomic_load(&host->heard) < heard + 3) {
        pipewired_link("Tutti:out_1", "Tutti:in_1");
        os_sleep_until_ns(in_ms(50));
        assert_true(os_now_ns() < deadline_ns);
    }
}

static void
a_loop_in_the_patchbay_takes_what_was_told(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_PIPEWIRE_CONNECT", "no", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    for (unsigned b = 0; b < BUFFERS; b++) {
        host_run(&host, buffers[b], 0, 1);
        await_loop(&host);
        expect_round_trip(&host);
        host_close(&host);
    }
}

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

/* ---- a server with a life of its own ---- */

static void
programs_outlive_a_server_that_is_killed_again_and_again(void **state)
{
    static struct host host, other;
    (void)state;
    setenv("TUTTI_PIPEWIRE_CONNECT", "no", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 128, 0, 1);
    host_run(&other, 512, 1, 1);
    await_loop(&host);
    uint64_t generation = atomic_load(&host.generation);
    for (unsigned i = 1; i <= deaths; i++) {
        pipewired_end(true);
        AWAIT(&host.lost, i);
        AWAIT_MORE(&host.blocks, 50);
        AWAIT_MORE(&other.blocks, 10);
        pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
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
a_server_that_stops_for_a_moment_keeps_engine_and_links(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_PIPEWIRE_CONNECT", "no", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 64, 0, 1);
    await_loop(&host);
    uint64_t generation = atomic_load(&host.generation);
    uint32_t blocks = atomic_load(&host.blocks);
    pipewired_hang(true);
    AWAIT(&host.blocks, blocks + 500); /* longer than a program waits for an engine */
    pipewired_hang(false);
    AWAIT_MORE(&host.heard, 20);
    expect_round_trip(&host);
    assert_true(atomic_load(&host.generation) == generation);
    assert_int_equal(atomic_load(&host.lost), 0);
    host_close(&host);
}

static void
programs_follow_another_quantum_and_what_is_patched_stays(void **state)
{
    static struct host host;
    static const uint32_t quanta[] = {256, 1024, 64};
    (void)state;
    setenv("TUTTI_PIPEWIRE_CONNECT", "no", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 128, 0, 1);
    await_loop(&host);
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

static void
programs_follow_another_rate_of_the_graph(void **state)
{
    static struct host host;
    struct tutti_engine_status status;
    uint64_t deadline_ns = in_ms(WAIT_MS);
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
    await_loop(&host);
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
    uint64_t deadline_ns = in_ms(WAIT_MS);
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

/* ---- auto ---- */

static void
auto_takes_pipewire_when_it_answers_and_stays_with_it(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "pipewire");
    pipewired_end(true);
    AWAIT(&host.lost, 1);
    AWAIT_MORE(&host.blocks, 400); /* time for several attempts */
    expect_backend(&host, "pipewire");
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    AWAIT(&host.back, 1);
    expect_backend(&host, "pipewire");
    host_close(&host);
}

static void
auto_passes_over_a_server_that_is_absent_or_hangs(void **state)
{
    static struct host host;
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    setenv("JACK_DEFAULT_SERVER", "tutti-test-none", 1);
    host_run(&host, 128, 0, 1);
    expect_backend(&host, "sim");
    AWAIT_MORE(&host.device_blocks, 10);
    host_close(&host);
    assert_true(host_close_all());
    pipewired_start(HOST_RATE_HZ, QUANTUM, 1);
    pipewired_hang(true);
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
    setenv("TUTTI_DEVICE_BACKEND", "pipewire", 1);
    unsetenv("TUTTI_DEVICE_NAME");
    unsetenv("TUTTI_PIPEWIRE_CONNECT");
    unsetenv("TUTTI_PIPEWIRE_FORCE");
    return 0;
}

/* The engine leaves, so that each test begins with none. */
static int
finish(void **state)
{
    (void)state;
    bool left = host_close_all();
    pipewired_end(false);
    return left ? 0 : -1;
}

int
main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        CASE(two_programs_reach_the_card_bit_for_bit_on_the_promised_frame),
        CASE(a_loop_in_the_patchbay_takes_what_was_told),
        CASE(latencies_that_the_card_changes_are_told_and_true),
        CASE(programs_outlive_a_server_that_is_killed_again_and_again),
        CASE(a_server_that_stops_for_a_moment_keeps_engine_and_links),
        CASE(programs_follow_another_quantum_and_what_is_patched_stays),
        CASE(programs_follow_another_rate_of_the_graph),
        CASE(a_wish_yields_to_the_graph_and_an_order_does_not),
        CASE(the_default_device_is_followed),
        CASE(a_named_device_is_kept_whatever_the_default_is),
        CASE(auto_takes_pipewire_when_it_answers_and_stays_with_it),
        CASE(auto_passes_over_a_server_that_is_absent_or_hangs),
    };
#undef CASE
    static char folder[64], reason[256];

    if (argc < 2) {
        fprintf(stderr, "usage: test_pipewire TUTTID [long]\n");
        return 2;
    }
    host_use_engine(argv[1]);
    if (argc > 2 && strcmp(argv[2], "long") == 0) {
        deaths = 50;
    }
    if (!pipewired_available(reason)) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    pipewired_choose_folder();
    atexit(pipewired_leave_folder);
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-pw-%ld", (long)getpid());
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent/tutti.ini", 1);
    setenv("TUTTI_ENGINE_GRACE_MS", "100", 1);
    signal(SIGPIPE, SIG_IGN);
    cmocka_set_test_filter(getenv("TUTTI_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
