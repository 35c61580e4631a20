/* SPDX-License-Identifier: MIT */
/* The ALSA backend's time: smooth over jitter, true after a device that stopped, never backward. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/period_clock.h"

enum { PERIOD = 64 };
static const double period_ns = PERIOD * 1e9 / 48000;
#define EPOCH 1e12

static struct period_clock timer;
static double device_ns; /* when its next period is complete */
static uint64_t last_ns, lost, flagged;

static int
begin(void **state)
{
    (void)state;
    period_clock_start(&timer, 48000, PERIOD);
    device_ns = EPOCH;
    last_ns = lost = flagged = 0;
    return 0;
}

static void
take(const struct period_moment *moment)
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
    struct period_moment moment = period_clock_tick(&timer, (uint64_t)(device_ns + late_ns));
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
        period_clock_restart(&timer);
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
        period_clock_restart(&timer);
        tick(0); /* take() looks */
    }
    assert_int_equal(lost, 0);
}

static void
silence_is_paced_by_the_rate_and_counted(void **state)
{
    (void)state;
    struct period_moment moment;
    unsigned paced = 0;
    tick(0);
    /* the device stands; a thread looks each half millisecond, and once not for five periods */
    double end_ns = EPOCH + 300 * period_ns;
    for (double now_ns = EPOCH; now_ns < end_ns; now_ns += 500000) {
        if (fabs(now_ns - (EPOCH + 100 * period_ns)) < 250000) {
            now_ns += 5 * period_ns;
        }
        if (period_clock_pace(&timer, (uint64_t)now_ns, &moment)) {
            take(&moment);
            paced++;
        }
    }
    assert_true(lost >= 4ULL * PERIOD && lost <= 5ULL * PERIOD);
    assert_in_range(paced + lost / PERIOD, 298, 300);
    /* back: the paced periods are not lost once more */
    uint64_t before = lost;
    device_ns = end_ns + 2 * period_ns;
    period_clock_restart(&timer);
    tick(0);
    assert_in_range(lost - before, PERIOD, 3ULL * PERIOD);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
