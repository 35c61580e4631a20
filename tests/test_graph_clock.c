/* SPDX-License-Identifier: MIT */
/* The time of graph servers' backends: smooth over jitter, true after losses of every kind, never
 * backward. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/graph/graph_clock.h"

enum { PERIOD = 64 };
static const double period_ns = PERIOD * 1e9 / 48000;
#define EPOCH 1e12

static struct graph_clock timer;
static double server_ns; /* when its next cycle is due */
static uint32_t server_frame, server_xruns;
static uint64_t last_ns, lost, flagged;

static int
begin(void **state)
{
    (void)state;
    graph_clock_start(&timer, 48000, PERIOD);
    server_ns = EPOCH;
    server_frame = UINT32_MAX - 1000; /* it wraps */
    server_xruns = 0;
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
}

/* One cycle of the server that wakes us late_ns after it was due. */
static struct backend_moment
tick(double late_ns)
{
    struct backend_moment moment =
        graph_clock_tick(&timer, (uint64_t)(server_ns + late_ns), server_frame, server_xruns);
    take(&moment);
    server_frame += PERIOD;
    server_ns += period_ns;
    return moment;
}

static double
error_of(const struct backend_moment *moment)
{
    return (double)moment->time_ns - (server_ns - period_ns);
}

static void
jitter_is_smoothed(void **state)
{
    double worst = 0;
    for (unsigned i = 0; i < 5000; i++) {
        struct backend_moment moment = tick((i * 7919 % 1000) * 200.0); /* 0 to 200 us */
        if (i > 2000) {
            worst = fmax(worst, fabs(error_of(&moment) - 1e5));
        }
    }
    assert_true(worst < 2e4);
    assert_int_equal(flagged, 0);
}

static void
another_rate_is_followed(void **state)
{
    struct backend_moment moment = {0};
    for (unsigned i = 0; i < 20000; i++) {
        server_ns += period_ns * 200e-6;
        moment = tick(0);
    }
    assert_true(fabs(error_of(&moment)) < 2e4);
    assert_int_equal(flagged, 0);
}

static void
cycles_that_the_server_ran_without_us_are_lost(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        tick(0);
    }
    server_frame += 3 * PERIOD;
    server_ns += 3 * period_ns;
    server_xruns++;
    struct backend_moment moment = tick(0);
    assert_int_equal(moment.lost_frames, 3 * PERIOD);
    assert_true(fabs(error_of(&moment)) < 1e4);
    /* its news comes later and is no second one */
    server_xruns++;
    tick(0);
    assert_int_equal(flagged, 1);
    assert_int_equal(lost, 3 * PERIOD);
}

static void
time_that_the_server_lost_without_counting_is_lost(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        tick(0);
    }
    server_ns += 5 * period_ns; /* the count of frames knows nothing of it */
    tick(0);
    tick(0);
    assert_int_equal(lost, 0);
    server_xruns++; /* the news comes some cycles late */
    struct backend_moment moment = tick(0);
    assert_int_equal(lost, 5 * PERIOD);
    assert_true(fabs(error_of(&moment)) < period_ns / 4);
    assert_int_equal(flagged, 1);
}

static void
a_stall_that_is_made_up_for_loses_nothing(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        tick(0);
    }
    for (int i = 20; i >= 0; i--) {
        tick(i * period_ns); /* all owed cycles at once */
    }
    for (unsigned i = 0; i < 3000; i++) {
        tick(0);
    }
    assert_int_equal(flagged, 0);
    struct backend_moment moment = tick(0);
    assert_true(fabs(error_of(&moment)) < period_ns / 2);
}

static void
a_lag_that_stays_is_a_loss_that_nobody_told(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        tick(0);
    }
    server_ns += 40 * period_ns;
    for (unsigned i = 0; i < 1000; i++) {
        tick(0);
    }
    assert_in_range(lost, 38 * PERIOD, 40 * PERIOD);
    struct backend_moment moment = tick(0);
    assert_true(fabs(error_of(&moment)) < period_ns);
}

static void
an_xrun_without_a_loss_is_told(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        tick(0);
    }
    server_xruns++;
    tick(0);
    tick(0);
    assert_int_equal(flagged, 1);
    assert_int_equal(lost, 0);
}

static void
pacing_keeps_real_time_and_the_way_back_counts_the_rest(void **state)
{
    struct backend_moment moment;
    unsigned paced = 0;
    for (unsigned i = 0; i < 100; i++) {
        tick(0);
    }
    /* the server renders: thousands of its frames in the time of ten of our periods */
    double until_ns = server_ns + 10.5 * period_ns;
    for (double now_ns = server_ns; now_ns < until_ns; now_ns += period_ns / 20) {
        if (graph_clock_pace(&timer, (uint64_t)now_ns, &moment)) {
            take(&moment);
            paced++;
        }
        server_frame += PERIOD;
    }
    assert_in_range(paced, 10, 11);
    assert_int_equal(lost, 0);
    server_xruns += 5;
    server_ns += (paced + 4) * period_ns;
    tick(0);
    assert_int_equal(lost, 4 * PERIOD);
    tick(0);
    assert_int_equal(lost, 4 * PERIOD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(jitter_is_smoothed, begin),
        cmocka_unit_test_setup(another_rate_is_followed, begin),
        cmocka_unit_test_setup(cycles_that_the_server_ran_without_us_are_lost, begin),
        cmocka_unit_test_setup(time_that_the_server_lost_without_counting_is_lost, begin),
        cmocka_unit_test_setup(a_stall_that_is_made_up_for_loses_nothing, begin),
        cmocka_unit_test_setup(a_lag_that_stays_is_a_loss_that_nobody_told, begin),
        cmocka_unit_test_setup(an_xrun_without_a_loss_is_told, begin),
        cmocka_unit_test_setup(pacing_keeps_real_time_and_the_way_back_counts_the_rest, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
