/* SPDX-License-Identifier: MIT */
/*
 * One suite for every backend: what backend.h promises, as a table of cases run over the backend
 * and device named on the command line. What a backend needs for it is in backend_means.c. Ends
 * with 77 (skipped) where its server is not installed. No case is timed: medians, shares and
 * orders.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend_leaks.h"
#include "backend_probe.h"
#include "base/log.h"
#include "base/utf8.h"

enum {
    PERIOD = 256,
    SKIPPED = 77,
    LEAK_ROUNDS = 100,
    LEAK_WARM_ROUNDS = 10,
    LIMIT_MS = 60000,
    STAND_TRIES = 5,
    STAND_MS = 250,
};

static struct probe probe;

static const struct backend_means *
means_of(void **state)
{
    return *state;
}

/* ---- listing and opening ---- */

static void
what_is_listed_is_valid_and_opens(void **state)
{
    struct backend_device device;
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    assert_true(probe_list(&probe, &device) >= 1);
    assert_true(device.name[0] != '\0');
    assert_true(utf8_check(device.name, sizeof(device.name)));
    assert_in_range(device.inputs + device.outputs, 1, 2 * BACKEND_MAX_CHANNELS);
    assert_true(device.period_min_frames <= device.period_max_frames);
    assert_true(device.period_max_frames <= BACKEND_MAX_PERIOD_FRAMES);
    for (unsigned i = 0; i < BACKEND_MAX_RATES; i++) {
        assert_true(device.rates_hz[i] >= 0 && device.rates_hz[i] <= 1e6);
    }
    assert_int_equal(probe_try_open(&probe, device.name, 0, 0, 8, 8), TUTTI_OK);
    assert_string_equal(probe.info->name, device.name);
    /* it is listed while it is open, too */
    assert_true(probe_list(&probe, &device) >= 1);
}

static void
check_info(const struct backend_info *info, uint32_t period, double rate_hz)
{
    assert_int_equal(info->period_frames, period);
    assert_true(info->rate_hz == rate_hz);
    assert_true(info->rates_hz[0] > 0);
    assert_true(info->period_min_frames <= period && period <= info->period_max_frames);
    assert_true(info->input_latency_frames >= period);
    double period_ns = period * 1e9 / rate_hz;
    assert_true((double)info->budget_ns > 0 &&
                (info->elastic || (double)info->budget_ns <= period_ns + 1));
    assert_true(info->format[0] != '\0');
}

/* The period that comes of a wish. */
static uint32_t
period_for(const struct backend_means *means, uint32_t wanted)
{
    return means->periods[1] ? wanted : means->periods[0];
}

/* A cycle has memory for all channels of a direction or for none: what stands still, or begins
 * slowly, has silent ones. */
static void
check_memory(void)
{
    assert_int_equal(probe.bad_areas, 0);
}

static void
opens_at_each_period(void **state)
{
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    for (const uint32_t *period = means->periods; *period; period++) {
        probe_open(&probe, *period);
        check_info(probe.info, *period, 48000);
        probe_start(&probe);
        probe_await_sound(&probe, 3);
        probe_stop(&probe);
        assert_int_equal(probe.wrong_frames, 0);
        check_memory();
        probe_close(&probe);
    }
}

static void
opens_at_each_rate(void **state)
{
    const struct backend_means *means = means_of(state);
    for (const double *rate_hz = means->rates_hz; *rate_hz > 0; rate_hz++) {
        means->bring(*rate_hz, PERIOD);
        assert_int_equal(probe_try_open(&probe, "", *rate_hz, PERIOD, 2, 2), TUTTI_OK);
        check_info(probe.info, period_for(means, PERIOD), *rate_hz);
        probe_start(&probe);
        probe_await_cycles(&probe, 3);
        probe_stop(&probe);
        probe_close(&probe);
    }
}

static void
opens_with_each_number_of_channels(void **state)
{
    static const uint32_t wanted[][2] = {{0, 2}, {2, 0}, {1, 1}, {2, 1}, {256, 256}};
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_int_equal(probe_try_open(&probe, "", 48000, PERIOD, wanted[i][0], wanted[i][1]),
                         TUTTI_OK);
        assert_true(probe.info->inputs <= wanted[i][0]);
        assert_true(probe.info->outputs <= wanted[i][1]);
        assert_true(probe.info->inputs + probe.info->outputs > 0);
        probe_start(&probe);
        probe_await_sound(&probe, 3);
        probe_stop(&probe);
        check_memory();
        probe_close(&probe);
    }
}

static void
refuses_with_a_sentence(void **state)
{
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    assert_int_equal(probe_try_open(&probe, means->other_device, 48000, PERIOD, 2, 2),
                     TUTTI_NO_DEVICE);
    assert_true(strlen(probe.error) > 10);
    assert_int_equal(probe_try_open(&probe, "", 48000, PERIOD, 0, 0), TUTTI_BAD_CONFIG);
    assert_true(strlen(probe.error) > 10);
    /* and nothing is left of the attempts */
    probe_open(&probe, PERIOD);
}

static void
nothing_is_listed_or_opened_without_a_device(void **state)
{
    struct backend_device device;
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    means->kill();
    if (!means->lists_dead) {
        assert_int_equal(probe_list(&probe, &device), 0);
    }
    enum tutti_status status = probe_try_open(&probe, "", 48000, PERIOD, 2, 2);
    assert_true(means->lists_dead ? status != TUTTI_OK : status == TUTTI_NO_DEVICE);
    assert_true(strlen(probe.error) > 10);
}

/* ---- cycles ---- */

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
cycles_come_with_even_time_and_usable_memory(void **state)
{
    static double step_ns[PROBE_KEEP];
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    probe_open(&probe, PERIOD);
    probe_start(&probe);
    probe_await_cycles(&probe, 300);
    probe_stop(&probe);
    assert_int_equal(probe.backward, 0);
    assert_int_equal(probe.wrong_frames, 0);
    check_memory();
    assert_int_equal(probe.starts_before_now, 0);
    for (unsigned i = 0; i < 299; i++) {
        step_ns[i] = (double)(probe.time_ns[i + 1] - probe.time_ns[i]);
    }
    qsort(step_ns, 299, sizeof(step_ns[0]), by_size);
    double nominal_ns = period_for(means, PERIOD) * 1e9 / 48000;
    assert_true(fabs(step_ns[149] / nominal_ns - 1) < 0.02);
}

static void
raw_pairs_never_go_back_and_tell_the_rate(void **state)
{
    enum { CYCLES = 400 };
    const uint64_t *frames = probe.device_frames, *time_ns = probe.device_time_ns;
    unsigned pairs = 0, first = 0, last = 0;
    means_of(state)->bring(48000, PERIOD);
    probe_open(&probe, PERIOD);
    probe_start(&probe);
    probe_await_cycles(&probe, CYCLES);
    probe_stop(&probe);
    for (unsigned i = 0; i < CYCLES; i++) {
        if (!time_ns[i]) {
            continue; /* in silence: the device shows nothing */
        }
        assert_true(time_ns[i] <= probe.came_ns[i]);
        if (pairs) {
            assert_true(frames[i] >= frames[last] && time_ns[i] >= time_ns[last]);
        }
        last = i;
        first = pairs++ == CYCLES / 4 ? i : first; /* at the start some come at once */
    }
    assert_true(pairs > CYCLES / 2);
    double rate_hz =
        (double)(frames[last] - frames[first]) * 1e9 / (double)(time_ns[last] - time_ns[first]);
    assert_true(fabs(rate_hz / probe.info->rate_hz - 1) < 0.05);
    probe_close(&probe);
}

/* Starts, hears the ramp that the stream plays to itself, stops. */
static int64_t
measure_delay(const struct backend_means *means)
{
    double share = 0;
    probe_start(&probe);
    if (means->loop) {
        means->loop();
        probe_await_cycles(&probe, 1);
        probe_stop(&probe); /* the loop stays; what is heard of it is counted from a start on */
        probe_start(&probe);
    }
    probe_await_cycles(&probe, 60);
    probe_stop(&probe);
    int64_t delay = probe_delay(&probe, &share);
    assert_true(delay != PROBE_NONE);
    assert_true(share > 0.5);
    return delay;
}

static void
latencies_are_true_and_the_same_at_each_opening_and_start(void **state)
{
    static const uint32_t periods[] = {64, 128, 1024};
    const struct backend_means *means = means_of(state);
    if (means->loose) {
        skip();
    }
    means->bring(48000, PERIOD);
    for (unsigned i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        uint32_t in = 0, out = 0;
        for (unsigned opening = 0; opening < 3; opening++) {
            probe_open(&probe, periods[i]);
            if (opening) {
                assert_int_equal(probe.info->input_latency_frames, in);
                assert_int_equal(probe.info->output_latency_frames, out);
            }
            in = probe.info->input_latency_frames;
            out = probe.info->output_latency_frames;
            /* frame i of a cycle's input is counted as the period before it: see backend.h */
            int64_t told = (int64_t)in + out - probe.info->period_frames;
            assert_int_equal(measure_delay(means), told);
            assert_int_equal(measure_delay(means), told);
            probe_close(&probe);
        }
    }
}

static void
no_cycle_comes_after_stop(void **state)
{
    means_of(state)->bring(48000, PERIOD);
    probe_open(&probe, PERIOD);
    for (unsigned i = 0; i < 20; i++) {
        probe_start(&probe);
        probe_await_cycles(&probe, 1 + i % 3);
        probe_stop(&probe);
        uint32_t cycles = atomic_load(&probe.cycles);
        os_sleep_until_ns(os_now_ns() + 30 * OS_NS_PER_MS);
        assert_int_equal(atomic_load(&probe.cycles), cycles);
    }
}

/* ---- periods ---- */

static void
the_period_changes_between_stop_and_start(void **state)
{
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    probe_open(&probe, PERIOD);
    assert_true(probe.info->live_period == (probe.backend->set_period != NULL));
    if (!probe.backend->set_period) {
        return;
    }
    for (const uint32_t *period = means->periods; *period; period++) {
        assert_int_equal(probe.backend->set_period(probe.stream, *period), TUTTI_OK);
        check_info(probe.info, *period, 48000);
        probe_start(&probe);
        probe_await_cycles(&probe, 3);
        probe_stop(&probe);
        assert_int_equal(probe.wrong_frames, 0);
    }
    uint32_t present = probe.info->period_frames;
    assert_int_equal(probe.backend->set_period(probe.stream, 1 << 20), TUTTI_UNSUPPORTED);
    assert_int_equal(probe.info->period_frames, present);
    assert_int_equal(probe.backend->set_period(probe.stream, 0), TUTTI_OK);
    assert_int_equal(probe.info->period_frames, present);
    probe_start(&probe);
    probe_await_cycles(&probe, 3);
    probe_stop(&probe);
    assert_int_equal(probe.wrong_frames, 0);
}

static void
a_period_that_the_system_changes_is_told_and_taken_over(void **state)
{
    const struct backend_means *means = means_of(state);
    if (!means->change_period) {
        skip();
    }
    means->bring(48000, PERIOD);
    probe_open(&probe, PERIOD);
    probe_start(&probe);
    probe_await_cycles(&probe, 3);
    means->change_period(2 * PERIOD);
    probe_await_event(&probe, BACKEND_EVENT_PERIOD_CHANGED);
    /* at the former period, in silence */
    probe_await_cycles(&probe, atomic_load(&probe.cycles) + 20);
    probe_stop(&probe);
    assert_int_equal(probe.wrong_frames, 0);
    assert_int_equal(probe.backend->set_period(probe.stream, 0), TUTTI_OK);
    check_info(probe.info, 2 * PERIOD, 48000);
    probe_start(&probe);
    probe_await_cycles(&probe, 3);
    probe_stop(&probe);
    assert_int_equal(probe.wrong_frames, 0);
}

/* ---- devices that go ---- */

static void
a_lost_device_is_told_once_and_opens_again_when_it_is_back(void **state)
{
    struct backend_device device;
    const struct backend_means *means = means_of(state);
    for (unsigned i = 0; i < 3; i++) {
        means->bring(48000, PERIOD);
        probe_open(&probe, PERIOD);
        probe_start(&probe);
        probe_await_cycles(&probe, 3);
        means->kill();
        probe_await_event(&probe, BACKEND_EVENT_LOST);
        uint32_t cycles = atomic_load(&probe.cycles);
        os_sleep_until_ns(os_now_ns() + 30 * OS_NS_PER_MS);
        assert_int_equal(atomic_load(&probe.cycles), cycles);
        assert_int_equal(atomic_load(&probe.event[BACKEND_EVENT_LOST]), 1);
        assert_true(means->lists_dead || probe_list(&probe, &device) == 0);
        probe_stop(&probe);
        assert_int_equal(probe.backend->start(probe.stream), TUTTI_DEVICE_LOST);
        probe_close(&probe);
        assert_true(means->lists_dead || probe_list(&probe, &device) == 0);
        means->bring(48000, PERIOD);
        assert_true(probe_list(&probe, &device) >= 1);
        probe_open(&probe, PERIOD);
        probe_start(&probe);
        probe_await_cycles(&probe, 3);
        probe_stop(&probe);
        probe_close(&probe);
    }
}

static void
a_server_that_hangs_is_given_up_and_taken_again(void **state)
{
    struct backend_device device;
    unsigned count;
    const struct backend_means *means = means_of(state);
    if (!means->hang) {
        skip();
    }
    means->bring(48000, PERIOD);
    probe_open(&probe, PERIOD);
    probe_start(&probe);
    probe_await_cycles(&probe, 3);
    means->hang(true);
    probe_await_event(&probe, BACKEND_EVENT_LOST);
    uint64_t began_ns = os_now_ns();
    probe_stop(&probe);
    probe_close(&probe);
    assert_int_equal(probe_try_list(&probe, &device, &count), TUTTI_TIMEOUT);
    assert_int_equal(count, 0);
    assert_int_equal(probe_try_open(&probe, "", 48000, PERIOD, 2, 2), TUTTI_NO_DEVICE);
    assert_true(strlen(probe.error) > 10);
    /* not a measurement: without the limits each of these would wait for ever */
    assert_true(os_now_ns() < began_ns + (uint64_t)LIMIT_MS * OS_NS_PER_MS);
    means->hang(false);
    uint64_t deadline_ns = os_now_ns() + (uint64_t)LIMIT_MS * OS_NS_PER_MS;
    while ((probe_try_list(&probe, &device, &count) != TUTTI_OK || count == 0) &&
           os_now_ns() < deadline_ns) {
        os_sleep_until_ns(os_now_ns() + 20 * OS_NS_PER_MS);
    }
    probe_open(&probe, PERIOD);
    probe_start(&probe);
    probe_await_cycles(&probe, 3);
}

/* ---- a device that stands still ---- */

/* The longest time without a cycle, while it stands still after its first cycles, or from start()
 * on. */
static uint64_t
gap_while_it_stands(const struct backend_means *means, bool from_start)
{
    uint32_t first = 0;
    if (from_start) {
        means->stand(true);
        probe_start(&probe);
    } else {
        probe_start(&probe);
        probe_await_cycles(&probe, 3);
        means->stand(true);
        first = atomic_load(&probe.cycles);
    }
    os_sleep_until_ns(os_now_ns() + (uint64_t)STAND_MS * OS_NS_PER_MS);
    uint64_t gap_ns = probe_longest_gap_ns(&probe, first);
    means->stand(false);
    probe_await_cycles(&probe, atomic_load(&probe.cycles) + 1);
    probe_stop(&probe);
    return gap_ns;
}

static void
cycles_go_on_in_silence_while_the_device_stands_still(void **state)
{
    const struct backend_means *means = means_of(state);
    means->bring(48000, PERIOD);
    for (unsigned from_start = 0; from_start <= means->starts_standing; from_start++) {
        double gap_ms[STAND_TRIES];
        probe_open(&probe, PERIOD);
        probe_start(&probe); /* some do the greater part of it once */
        probe_await_cycles(&probe, 1);
        probe_stop(&probe);
        for (unsigned i = 0; i < STAND_TRIES; i++) {
            gap_ms[i] = (double)gap_while_it_stands(means, from_start) / OS_NS_PER_MS;
            assert_int_equal(atomic_load(&probe.event[BACKEND_EVENT_LOST]), 0);
        }
        double period_ms = probe.info->period_frames * 1e3 / probe.info->rate_hz;
        double most_ms = fmax(BACKEND_SILENCE_MS, BACKEND_SILENCE_PERIODS * period_ms);
        /* the best try: a machine that does something else must not decide */
        qsort(gap_ms, STAND_TRIES, sizeof(gap_ms[0]), by_size);
        print_message("without a cycle%s: %.1f ms of %.1f\n", from_start ? " from the start" : "",
                      gap_ms[0], most_ms);
        assert_true(gap_ms[0] <= most_ms);
        probe_close(&probe);
    }
}

/* ---- leaks ---- */

/* One opening with starts, stops and periods in an order that `round` decides. */
static void
live_once(const struct backend_means *means, uint32_t round)
{
    uint32_t dice = round * 2654435761U;
    probe_open(&probe, dice & 1 ? 64 : 128);
    for (unsigned i = 0; i < (dice >> 8) % 4; i++) {
        probe_start(&probe);
        if (dice >> (12 + i) & 1) {
            probe_await_cycles(&probe, 1);
        }
        probe_stop(&probe);
        if (dice >> (16 + i) & 1 && probe.backend->set_period) {
            probe.backend->set_period(probe.stream, 128);
        }
    }
    if (dice >> 20 & 1) {
        probe_start(&probe);
        probe_stop(&probe);
    }
    probe_close(&probe);
    (void)means;
}

static void
a_hundred_lives_in_every_order_leave_nothing_behind(void **state)
{
    const struct backend_means *means = means_of(state);
    struct backend_leaks warm = {0};
    means->bring(48000, PERIOD);
    for (uint32_t round = 0; round < LEAK_ROUNDS; round++) {
        live_once(means, round);
        if (round == LEAK_WARM_ROUNDS) {
            warm = backend_leaks_count();
        }
    }
    struct backend_leaks end = backend_leaks_count();
    assert_int_equal(end.files, warm.files);
    assert_int_equal(end.threads, warm.threads);
    assert_in_range(end.mappings, 0, warm.mappings + 8);
}

/* ---- the table ---- */

static int
begin(void **state)
{
    probe_init(&probe, *state);
    return 0;
}

static int
finish(void **state)
{
    const struct backend_means *means = *state;
    if (probe.stream) {
        probe.backend->stop(probe.stream);
        probe_close(&probe);
    }
    means->end();
    return 0;
}

int
main(int argc, char **argv)
{
    char reason[256] = "";
    const struct backend_means *means = argc == 2 ? backend_means_find(argv[1]) : NULL;
    if (!means) {
        fprintf(stderr, "usage: test_backend_contract MEANS\n");
        return 2;
    }
    if (!means->available(reason)) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    if (getenv("TUTTI_TEST_LOG")) {
        log_open("contract", "");
        log_set_level(LOG_DEBUG);
    }
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, begin, finish, (void *)means                                                  \
    }
    const struct CMUnitTest tests[] = {
        CASE(what_is_listed_is_valid_and_opens),
        CASE(opens_at_each_period),
        CASE(opens_at_each_rate),
        CASE(opens_with_each_number_of_channels),
        CASE(refuses_with_a_sentence),
        CASE(nothing_is_listed_or_opened_without_a_device),
        CASE(cycles_come_with_even_time_and_usable_memory),
        CASE(raw_pairs_never_go_back_and_tell_the_rate),
        CASE(latencies_are_true_and_the_same_at_each_opening_and_start),
        CASE(no_cycle_comes_after_stop),
        CASE(the_period_changes_between_stop_and_start),
        CASE(a_period_that_the_system_changes_is_told_and_taken_over),
        CASE(a_lost_device_is_told_once_and_opens_again_when_it_is_back),
        CASE(a_server_that_hangs_is_given_up_and_taken_again),
        CASE(cycles_go_on_in_silence_while_the_device_stands_still),
        CASE(a_hundred_lives_in_every_order_leave_nothing_behind),
    };
#undef CASE
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
