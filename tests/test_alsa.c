/* SPDX-License-Identifier: MIT */
/*
 * The real tuttid on an ALSA card without hardware: what programs play comes back bit for bit after
 * what they were told, in every format, and their callbacks go on through xruns, suspends, a clock
 * that stands still and a card that is pulled out. The second argument says how often. Ends with 77
 * where the card's plugin was not built. Shares only: a machine that stalls makes the card lose
 * periods.
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

#include "alsa_card.h"
#include "alsa_host.h"
#include "deaths.h"

enum { XRUNS = 40, SKIPPED = 77 };

static unsigned deaths;
static struct alsa_card *card;
static struct host first, second;

/* ---- bit by bit, frame by frame ---- */

static void
what_is_played_comes_back_after_what_was_told(void **state)
{
    static const uint32_t buffers[] = {32, 64, 128, 256, 512, 1024, 2048};
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    for (unsigned b = 0; b < sizeof(buffers) / sizeof(buffers[0]); b++) {
        host_run(&first, buffers[b], 0);
        host_run(&second, 256, 1);
        host_expect_round_trip(&first);
        host_expect_round_trip(&second);
        host_close(&first);
        host_close(&second);
    }
}

static void
every_format_and_access_passes_each_bit(void **state)
{
    static const char *const pcms[][2] = {
        {"card", "float32 mmap"},
        {"card_rw", "float32 rw"},
        {"card_planar", "float32 mmap"},
        {"card_S32_LE", "int32 mmap"},
        {"card_S24_3LE", "int24 packed mmap"},
        {"card_S24_LE", "int24 in 32, low bits mmap"},
        {"card_S16_LE", "int16 mmap"},
        {"long", "float32 mmap"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(pcms) / sizeof(pcms[0]); i++) {
        setenv("TUTTI_DEVICE_NAME", pcms[i][0], 1);
        host_set_bits(strstr(pcms[i][1], "int16") ? 16 : 24);
        host_run(&first, 128, 3);
        struct tutti_engine_status status = host_status(&first);
        assert_string_equal(status.device.name, pcms[i][0]);
        assert_string_equal(status.device.format, pcms[i][1]);
        host_expect_round_trip(&first);
        host_close(&first);
        host_await_end();
    }
}

static void
converters_that_the_configuration_names_are_told(void **state)
{
    char cable[16];
    (void)state;
    snprintf(cable, sizeof(cable), "%d", ALSA_CARD_CABLE);
    setenv("TUTTI_DEVICE_NAME", "cable", 1);
    setenv("TUTTI_ALSA_OUTPUT_LATENCY", cable, 1);
    setenv("TUTTI_ALSA_PERIODS", "3", 1);
    host_run(&first, 128, 0);
    host_expect_round_trip(&first);
    /* in, out and one more period that is queued */
    assert_int_equal(host_told_latency(&first), 2 * 128 + 128 + ALSA_CARD_CABLE);
    host_close(&first);
}

static void
the_input_may_be_another_pcm_and_channels_fewer(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    setenv("TUTTI_ALSA_CAPTURE", "card_planar", 1);
    setenv("TUTTI_ALSA_INPUTS", "2", 1);
    setenv("TUTTI_ALSA_OUTPUTS", "3", 1);
    host_run(&first, 128, 1);
    struct tutti_engine_status status = host_status(&first);
    assert_int_equal(status.device.inputs, 2);
    assert_int_equal(status.device.outputs, 3);
    host_expect_round_trip(&first);
    host_close(&first);
}

/* ---- a card with a life of its own ---- */

static void
xruns_are_counted_and_survived_by_everybody(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    host_run(&first, 128, 0);
    host_run(&second, 512, 1);
    AWAIT(&first.heard, 5);
    AWAIT(&second.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    uint64_t xruns = host_status(&first).device_xruns;
    uint64_t began_ns = os_now_ns(), position = atomic_load(&first.position);
    for (unsigned i = 0; i < XRUNS; i++) {
        uint32_t broken = atomic_load(&card->broken);
        atomic_fetch_add(i % 4 ? &card->xruns : &card->suspends, 1);
        AWAIT(&card->broken, broken + 1);
        AWAIT_MORE(&first.heard, 4);
        AWAIT_MORE(&second.blocks, 1);
    }
    double seconds = (double)(os_now_ns() - began_ns) * 1e-9;
    double frames = (double)(atomic_load(&first.position) - position);
    assert_true(host_status(&first).device_xruns >= xruns + XRUNS);
    /* what was lost was counted: a period for each */
    assert_true(frames > seconds * HOST_RATE_HZ - XRUNS * 128 / 2.0);
    assert_true(frames < seconds * HOST_RATE_HZ + XRUNS * 128 / 2.0);
    host_expect_round_trip(&first);
    host_expect_round_trip(&second);
    assert_true(atomic_load(&first.generation) == generation);
    assert_int_equal(atomic_load(&first.lost) + atomic_load(&second.lost), 0);
    host_close(&first);
    host_close(&second);
}

static void
programs_outlive_a_card_that_is_pulled_out_again_and_again(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    host_run(&first, 128, 0);
    host_run(&second, 512, 1);
    AWAIT(&first.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    for (unsigned i = 1; i <= deaths; i++) {
        atomic_store(&card->plugged, 0);
        AWAIT(&first.lost, i);
        AWAIT_MORE(&first.blocks, 50);
        AWAIT_MORE(&second.blocks, 10);
        atomic_store(&card->plugged, 1);
        uint64_t there_ns = os_now_ns();
        AWAIT(&first.back, i);
        AWAIT_MORE(&first.heard, 5);
        deaths_tell(i, there_ns);
        AWAIT_MORE(&second.heard, 3);
    }
    host_expect_round_trip(&first);
    assert_true(atomic_load(&first.generation) == generation);
    assert_int_equal(atomic_load(&first.lost), deaths);
    host_close(&first);
    host_close(&second);
}

static void
a_clock_that_stands_for_a_moment_costs_silence_only(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    host_run(&first, 64, 0);
    AWAIT(&first.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    atomic_store(&card->stands, 1);
    AWAIT_MORE(&first.blocks, 500); /* longer than a program waits for an engine */
    atomic_store(&card->stands, 0);
    AWAIT_MORE(&first.heard, 20);
    host_expect_round_trip(&first);
    assert_true(atomic_load(&first.generation) == generation);
    assert_int_equal(atomic_load(&first.lost), 0);
    host_close(&first);
}

static void
a_machine_that_sleeps_costs_silence_only(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    host_run(&first, 64, 0);
    AWAIT(&first.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    atomic_store(&card->asleep, 1);
    atomic_fetch_add(&card->suspends, 1);
    AWAIT_MORE(&first.blocks, 500);
    atomic_store(&card->asleep, 0);
    AWAIT_MORE(&first.heard, 20);
    host_expect_round_trip(&first);
    assert_true(atomic_load(&first.generation) == generation);
    assert_int_equal(atomic_load(&first.lost), 0);
    host_close(&first);
}

static void
a_clock_that_stands_for_good_is_a_lost_card(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_NAME", "card", 1);
    host_run(&first, 64, 0);
    AWAIT(&first.heard, 5);
    uint64_t generation = atomic_load(&first.generation);
    atomic_store(&card->stands, 1);
    AWAIT(&first.lost, 1);
    atomic_store(&card->stands, 0);
    AWAIT_MORE(&first.heard, 20);
    assert_true(atomic_load(&first.generation) == generation);
    host_close(&first);
}

/* ---- auto ---- */

static void
auto_passes_over_alsa_where_there_is_no_card(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    host_run(&first, 128, 0);
    assert_string_equal(host_status(&first).device.backend, "sim");
    host_close(&first);
}

static void
auto_takes_what_the_configuration_names_and_stays_with_it(void **state)
{
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "auto", 1);
    setenv("TUTTI_ALSA_DEVICES", "card card_rw", 1);
    host_run(&first, 128, 0);
    assert_string_equal(host_status(&first).device.backend, "alsa");
    assert_string_equal(host_status(&first).device.name, "card");
    atomic_store(&card->plugged, 0);
    AWAIT(&first.lost, 1);
    AWAIT_MORE(&first.blocks, 400); /* time for several attempts */
    assert_string_equal(host_status(&first).device.backend, "alsa");
    atomic_store(&card->plugged, 1);
    AWAIT(&first.back, 1);
    AWAIT_MORE(&first.heard, 5);
    host_close(&first);
}

/* ---- the table ---- */

static int
begin(void **state)
{
    static const char *const settings[] = {"TUTTI_DEVICE_NAME",  "TUTTI_ALSA_DEVICES",
                                           "TUTTI_ALSA_CAPTURE", "TUTTI_ALSA_OUTPUT_LATENCY",
                                           "TUTTI_ALSA_PERIODS", "TUTTI_ALSA_INPUTS",
                                           "TUTTI_ALSA_OUTPUTS"};
    (void)state;
    setenv("TUTTI_DEVICE_BACKEND", "alsa", 1);
    setenv("JACK_DEFAULT_SERVER", "tutti-test-without-jack", 1);
    setenv("JACK_NO_START_SERVER", "1", 1);
    for (unsigned i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        unsetenv(settings[i]);
    }
    host_set_bits(24);
    atomic_store(&card->plugged, 1);
    atomic_store(&card->asleep, 0);
    atomic_store(&card->stands, 0);
    return 0;
}

/* The engine leaves, so that each test begins with none. */
static int
finish(void **state)
{
    (void)state;
    host_close(&first);
    host_close(&second);
    return host_await_end() ? 0 : -1;
}

int
main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        CASE(what_is_played_comes_back_after_what_was_told),
        CASE(every_format_and_access_passes_each_bit),
        CASE(converters_that_the_configuration_names_are_told),
        CASE(the_input_may_be_another_pcm_and_channels_fewer),
        CASE(xruns_are_counted_and_survived_by_everybody),
        CASE(programs_outlive_a_card_that_is_pulled_out_again_and_again),
        CASE(a_clock_that_stands_for_a_moment_costs_silence_only),
        CASE(a_machine_that_sleeps_costs_silence_only),
        CASE(a_clock_that_stands_for_good_is_a_lost_card),
        CASE(auto_passes_over_alsa_where_there_is_no_card),
        CASE(auto_takes_what_the_configuration_names_and_stays_with_it),
    };
#undef CASE
    char reason[256];
    deaths = deaths_wanted(argc, argv);
    if (!deaths) {
        return 2;
    }
    if (!alsa_card_available(reason)) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    host_environment(argv[1]);
    card = alsa_card_make();
    cmocka_set_test_filter(getenv("TUTTI_TEST_FILTER"));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    alsa_card_remove(card);
    return failed;
}
