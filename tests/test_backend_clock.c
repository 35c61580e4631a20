/* SPDX-License-Identifier: MIT */
/* The backends' time: smooth over jitter, true after a device that stopped, never backward; and the
 * raw pairs behind it, from which a device's rate is measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/silence.h"

enum { PERIOD = 64 };
static const double period_ns = PERIOD * 1e9 / 48000;
#define EPOCH 1e12

static struct backend_clock timer;
static double device_ns; /* when its next period is complete */
static uint64_t last_ns, lost, flagged;

static int
begin(void **state)
{
    (void)state;
    backend_clock_start(&timer, 48000, PERIOD);
    device_ns = EPOCH;
    last_ns = lost = flagged = 0;
    return 0;
}

static void
take(const struct backend_moment *moment)
{
    assert_true(moment->time_ns > last_ns);
    last_ns = moment->time_ns;
    lost += moment->lost_frames;
    flagged += moment->xrun;
    assert_true(moment->xrun || !moment->lost_frames);
    assert_int_equal(moment->lost_frames % PERIOD, 0);
}

/* A period that is seen late_ns after it was complete; how far off the time is that is told. */
static double
tick(double late_ns)
{
    struct backend_moment moment = backend_clock_tick(&timer, (uint64_t)(device_ns + late_ns), 0);
    double error_ns = (double)moment.time_ns - device_ns;
    take(&moment);
    device_ns += period_ns;
    return error_ns;
}

static void
jitter_is_smoothed(void **state)
{
    (void)state;
    double worst_ns = 0, mean_ns = 0;
    for (unsigned i = 0; i < 20000; i++) {
        double late_ns = (i * 2654435761U >> 12) % 200000; /* up to 0.2 ms */
        double error_ns = tick(late_ns) - 100000;
        if (i > 5000) {
            worst_ns = fabs(error_ns) > worst_ns ? fabs(error_ns) : worst_ns;
            mean_ns += error_ns / 15000;
        }
    }
    assert_true(worst_ns < 20000);
    assert_true(fabs(mean_ns) < 5000);
    assert_int_equal(lost + flagged, 0);
}

static void
a_clock_that_is_off_is_followed(void **state)
{
    (void)state;
    double error_ns = 0;
    for (unsigned i = 0; i < 40000; i++) {
        error_ns = tick(0);
        device_ns += period_ns * 300e-6;
    }
    assert_true(fabs(error_ns) < 1000);
    assert_int_equal(lost, 0);
}

static void
a_machine_that_stalls_loses_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        tick(0);
    }
    /* ten periods are seen at once, each at the moment when it was complete */
    for (unsigned i = 0; i < 10; i++) {
        assert_true(fabs(tick(0)) < period_ns / 8);
    }
    assert_int_equal(lost + flagged, 0);
}

static void
what_a_restart_cost_is_told_in_whole_periods_and_adds_up(void **state)
{
    (void)state;
    double missed_ns = 0;
    for (unsigned i = 0; i < 300; i++) {
        for (unsigned k = 0; k < 5; k++) {
            tick(0);
        }
        /* it began anew 1.3 periods later than it would have gone on */
        device_ns += 1.3 * period_ns;
        missed_ns += 1.3 * period_ns;
        backend_clock_restart(&timer);
        assert_true(fabs(tick(0)) < 2); /* the time is true at once */
    }
    assert_int_equal(flagged, 300);
    assert_true(fabs((double)lost - missed_ns / period_ns * PERIOD) <= PERIOD);
}

static void
a_restart_that_comes_early_turns_no_time_back(void **state)
{
    (void)state;
    tick(0);
    for (unsigned i = 0; i < 50; i++) {
        device_ns -= 0.9 * period_ns;
        backend_clock_restart(&timer);
        tick(0); /* take() looks */
    }
    assert_int_equal(lost, 0);
}

static void
silence_is_paced_by_the_rate_and_counted(void **state)
{
    (void)state;
    struct backend_moment moment;
    unsigned paced = 0;
    tick(0);
    /* the device stands; a thread looks each half millisecond, and once not for five periods */
    double end_ns = EPOCH + 300 * period_ns;
    for (double now_ns = EPOCH; now_ns < end_ns; now_ns += 500000) {
        if (fabs(now_ns - (EPOCH + 100 * period_ns)) < 250000) {
            now_ns += 5 * period_ns;
        }
        if (backend_clock_pace(&timer, (uint64_t)now_ns, &moment)) {
            take(&moment);
            paced++;
        }
    }
    assert_true(lost >= 4ULL * PERIOD && lost <= 5ULL * PERIOD);
    assert_in_range(paced + lost / PERIOD, 298, 300);
    /* back: the paced periods are not lost once more */
    uint64_t before = lost;
    device_ns = end_ns + 2 * period_ns;
    backend_clock_restart(&timer);
    tick(0);
    assert_in_range(lost - before, PERIOD, 3ULL * PERIOD);
}

static void
a_period_that_is_seen_later_is_where_it_was(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        /* the device went on by up to three periods before anybody looked */
        uint32_t ahead = i * 7919 % (3 * PERIOD);
        double seen_ns = device_ns + ahead * period_ns / PERIOD;
        struct backend_moment moment = backend_clock_tick(&timer, (uint64_t)seen_ns, ahead);
        assert_true(fabs((double)moment.time_ns - device_ns) < 10);
        assert_int_equal(moment.device_frames, (uint64_t)(i + 1) * PERIOD + ahead);
        assert_int_equal(moment.device_time_ns, (uint64_t)seen_ns);
        take(&moment);
        device_ns += period_ns;
    }
    assert_int_equal(lost + flagged, 0);
}

static void
raw_pairs_tell_the_devices_rate_whatever_was_lost(void **state)
{
    (void)state;
    const double ppm = 220;
    struct backend_moment first = {0}, last = {0};
    for (unsigned i = 0; i < 20000; i++) {
        double late_ns = (i * 2654435761U >> 12) % 200000;
        last = backend_clock_tick(&timer, (uint64_t)(device_ns + late_ns), 0);
        take(&last);
        if (i == 0) {
            first = last;
        }
        assert_true(last.device_time_ns == (uint64_t)(device_ns + late_ns)); /* not smoothed */
        device_ns += period_ns * (1 - ppm * 1e-6);
        if (i % 5000 == 4999) {
            /* it stood for ten periods, which somebody counted */
            backend_clock_skip(&timer, 10 * PERIOD);
            device_ns += 10 * period_ns * (1 - ppm * 1e-6);
        }
    }
    double frames = (double)(last.device_frames - first.device_frames);
    double seconds = (double)(last.device_time_ns - first.device_time_ns) * 1e-9;
    assert_true(fabs(frames / seconds / 48000 - 1 - ppm * 1e-6) < 10e-6);
    assert_int_equal(lost, 3 * 10 * PERIOD); /* the last one is still to be reported */
    assert_int_equal(flagged, 3);
}

static void
periods_that_went_by_unseen_are_lost_to_the_nearest(void **state)
{
    (void)state;
    backend_clock_catch_up(&timer, (uint64_t)device_ns); /* nothing has begun */
    tick(0);
    for (unsigned i = 0; i < 4; i++) {
        device_ns += 3.4 * period_ns;
        backend_clock_catch_up(&timer, (uint64_t)device_ns);
        tick(0);
        device_ns -= 0.4 * period_ns; /* it was jitter: the device's grid goes on */
    }
    assert_int_equal(lost, 4 * 3 * PERIOD);
    assert_int_equal(flagged, 4);
    assert_int_equal(timer.frames, (5 + 12) * PERIOD);
}

static void
moments_far_from_now_are_not_believed(void **state)
{
    (void)state;
    assert_true(backend_clock_believes(&timer, 0));
    assert_true(backend_clock_believes(&timer, 3.9 * period_ns));
    assert_false(backend_clock_believes(&timer, 4.1 * period_ns));
    assert_false(backend_clock_believes(&timer, -1));
}

/* ---- cycles ---- */

static struct backend_cycle heard;
static unsigned heard_cycles;

static void
on_cycle(void *user, const struct backend_cycle *cycle)
{
    assert_ptr_equal(user, &heard);
    heard = *cycle;
    heard_cycles++;
}

static const struct backend_callbacks callbacks = {.user = &heard, .cycle = on_cycle};

static void
a_cycle_carries_the_smooth_time_and_the_raw_pair(void **state)
{
    (void)state;
    struct backend_area in[1] = {{0}}, out[1] = {{0}};
    struct backend_cycle cycle = {.in = in, .out = out, .frames = PERIOD, .start_ns = 77};
    tick(0);
    backend_clock_restart(&timer);
    device_ns += 5 * period_ns;
    struct backend_moment moment = backend_clock_tick(&timer, (uint64_t)device_ns, 0);
    heard_cycles = 0;
    backend_clock_call(&callbacks, &moment, &cycle);
    assert_int_equal(heard_cycles, 1);
    assert_ptr_equal(heard.in, in);
    assert_ptr_equal(heard.out, out);
    assert_int_equal(heard.frames, PERIOD);
    assert_int_equal(heard.start_ns, 77);
    assert_int_equal(heard.time_ns, moment.time_ns);
    assert_int_equal(heard.flags, BACKEND_CYCLE_XRUN);
    assert_int_equal(heard.lost_frames, 5 * PERIOD);
    assert_int_equal(heard.device_frames, 7 * PERIOD);
    assert_int_equal(heard.device_time_ns, (uint64_t)device_ns);
}

/* ---- silence ---- */

static void
cycles_in_silence_come_when_they_are_due_and_show_no_device(void **state)
{
    (void)state;
    struct backend_silence silence;
    tick(0);
    heard_cycles = 0;
    backend_silence_start(&silence, &timer, &callbacks, 48000, (uint64_t)EPOCH);
    uint64_t due_ns = backend_clock_due_ns(&timer);
    assert_false(backend_silence_run(&silence, due_ns - 1000));
    assert_int_equal(heard_cycles, 0);
    assert_true(backend_silence_run(&silence, due_ns + 1000));
    assert_int_equal(heard_cycles, 1);
    assert_null(heard.in[0].first);
    assert_null(heard.out[BACKEND_MAX_CHANNELS - 1].first);
    assert_int_equal(heard.frames, PERIOD);
    assert_int_equal(heard.start_ns, due_ns + 1000);
    assert_int_equal(heard.device_time_ns, 0);
    assert_int_equal(heard.flags, 0);
    assert_true(backend_clock_due_ns(&timer) >= due_ns + (uint64_t)period_ns);
}

static void
a_device_has_its_time_and_is_given_up_after_two_seconds_of_silence(void **state)
{
    (void)state;
    struct backend_silence silence;
    uint64_t now_ns = (uint64_t)EPOCH, begun_ns = now_ns;
    tick(0);
    backend_silence_start(&silence, &timer, &callbacks, 48000, now_ns);
    for (unsigned round = 0; round < 2; round++) {
        /* the first cycle in silence is waited for, and within what programs stand */
        uint64_t due_ns = backend_silence_due_ns(&silence);
        assert_in_range(due_ns - begun_ns, (uint64_t)period_ns, BACKEND_SILENCE_MS * 1000000ULL);
        uint64_t frames = 0;
        while (!backend_silence_is_over(&silence, 0)) {
            now_ns = backend_silence_due_ns(&silence) + 1000; /* a thread wakes late */
            frames += backend_silence_run(&silence, now_ns) ? PERIOD : 0;
        }
        assert_in_range(frames, 2 * 48000, 2 * 48000 + PERIOD);
        assert_false(backend_silence_is_over(&silence, 8 * PERIOD));
        begun_ns = now_ns;
        backend_silence_end(&silence, now_ns); /* it is back */
        assert_false(backend_silence_is_over(&silence, 0));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(jitter_is_smoothed, begin),
        cmocka_unit_test_setup(a_clock_that_is_off_is_followed, begin),
        cmocka_unit_test_setup(a_machine_that_stalls_loses_nothing, begin),
        cmocka_unit_test_setup(what_a_restart_cost_is_told_in_whole_periods_and_adds_up, begin),
        cmocka_unit_test_setup(a_restart_that_comes_early_turns_no_time_back, begin),
        cmocka_unit_test_setup(silence_is_paced_by_the_rate_and_counted, begin),
        cmocka_unit_test_setup(a_period_that_is_seen_later_is_where_it_was, begin),
        cmocka_unit_test_setup(raw_pairs_tell_the_devices_rate_whatever_was_lost, begin),
        cmocka_unit_test_setup(periods_that_went_by_unseen_are_lost_to_the_nearest, begin),
        cmocka_unit_test_setup(moments_far_from_now_are_not_believed, begin),
        cmocka_unit_test_setup(a_cycle_carries_the_smooth_time_and_the_raw_pair, begin),
        cmocka_unit_test_setup(cycles_in_silence_come_when_they_are_due_and_show_no_device, begin),
        cmocka_unit_test_setup(a_device_has_its_time_and_is_given_up_after_two_seconds_of_silence,
                               begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
