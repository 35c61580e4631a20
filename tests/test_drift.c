/* SPDX-License-Identifier: MIT */
/*
 * Frames of one clock on another: on virtual clocks whose threads are late, whose stamps jitter and
 * go missing and whose speed changes, what is heard is judged by its samples (clock_world.h). The
 * same judge on a fixed ratio, on a loop ten times as fast and on one frame too few shows that it
 * can fail. And the loop alone, where one stamp is wrong or a clock is far too fast.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock_world.h"
#include "mixer/drift.h"

/* ---- heard ---- */

static const double most_settle_s = 10, most_wobble_cents = 0.02, most_residual_db = -100;
static const double most_spread_frames = 1;

static struct world_verdict
run(const char *name, const struct world_setup *setup)
{
    struct world_verdict verdict = world_run(setup);
    print_message("%s: %u discontinuities, settled after %.1f s; in %.0f s: wobble %.4f cents, "
                  "residual %.1f dB, spread of the delay %.2f frames\n",
                  name, verdict.discontinuities, verdict.settle_s, verdict.seconds,
                  verdict.wobble_cents, verdict.residual_db, verdict.delay_spread_frames);
    return verdict;
}

static void
assert_good(const char *name, const struct world_setup *setup)
{
    struct world_verdict verdict = run(name, setup);
    assert_true(verdict.seconds > setup->seconds / 2);
    assert_int_equal(verdict.discontinuities, 0);
    assert_true(verdict.settle_s <= most_settle_s);
    assert_true(verdict.wobble_cents <= most_wobble_cents);
    assert_true(verdict.residual_db <= most_residual_db);
    assert_true(verdict.delay_spread_frames <= most_spread_frames);
}

/* Two clocks 400 ppm apart; steps of 20 ppm, of each clock ten minutes apart. */
static const struct world_setup two_clocks = {
    .clock_count = 2,
    .clock = {{.rate_hz = 48000,
               .frames = 256,
               .ppm = 200,
               .step_count = 2,
               .step = {{60, 20}, {660, -20}}},
              {.rate_hz = 48000, .frames = 192, .ppm = -200, .step_count = 1, .step = {{300, 20}}}},
    .link_count = 2,
    .link = {{0, 1}, {1, 0}},
    .seconds = 720,
    .seed = 1,
};

static void
two_clocks_that_drift_apart_hear_each_other_without_a_fault(void **state)
{
    assert_good("two clocks", &two_clocks);
}

static void
four_clocks_do_in_a_ring_with_other_periods_and_a_later_start(void **state)
{
    const struct world_setup setup = {
        .clock_count = 4,
        .clock = {{.rate_hz = 48000, .frames = 64, .ppm = 200},
                  {.rate_hz = 48000,
                   .frames = 480,
                   .ppm = -200,
                   .start_s = 7,
                   .step_count = 1,
                   .step = {{90, -20}}},
                  {.rate_hz = 48000, .frames = 128, .ppm = 50},
                  {.rate_hz = 48000, .frames = 512, .ppm = -120}},
        .link_count = 4,
        .link = {{0, 1}, {1, 2}, {2, 3}, {3, 0}},
        .seconds = 240,
        .seed = 2,
    };
    assert_good("four clocks", &setup);
}

static void
clocks_of_other_rates_hear_each_other_too(void **state)
{
    const struct world_setup setup = {
        .clock_count = 3,
        .clock = {{.rate_hz = 44100, .frames = 128, .ppm = 100},
                  {.rate_hz = 48000, .frames = 256, .ppm = -100},
                  {.rate_hz = 96000, .frames = 256, .ppm = 30}},
        .link_count = 4,
        .link = {{0, 1}, {1, 0}, {2, 1}, {1, 2}},
        .seconds = 60,
        .seed = 3,
    };
    assert_good("other rates", &setup);
}

static void
lost_frames_are_silence_and_the_delay_is_back_within_ten_seconds(void **state)
{
    struct world_setup setup = two_clocks;
    setup.seconds = 150;
    setup.clock[0].step_count = setup.clock[1].step_count = 0;
    setup.clock[0].loss_count = 4;
    setup.clock[0].loss[0].at_s = 20;
    setup.clock[0].loss[0].frames = 64; /* less than the delay */
    setup.clock[0].loss[1].at_s = 40;
    setup.clock[0].loss[1].frames = 700; /* more */
    setup.clock[0].loss[2].at_s = 60;
    setup.clock[0].loss[2].frames = 20000; /* until the last stamp is too old */
    setup.clock[0].loss[3].at_s = 60.01;   /* and again at once */
    setup.clock[0].loss[3].frames = 64;
    setup.clock[1].loss_count = 2;
    setup.clock[1].loss[0].at_s = 80;
    setup.clock[1].loss[0].frames = 192;
    setup.clock[1].loss[1].at_s = 100;
    setup.clock[1].loss[1].frames = 48000;
    assert_good("losses", &setup);
}

/* ---- the judge can fail ---- */

static void
a_fixed_ratio_is_heard(void **state)
{
    struct world_setup setup = two_clocks;
    setup.seconds = 60;
    setup.ratio_fixed = true;
    struct world_verdict verdict = run("fixed ratio", &setup);
    assert_true(verdict.settle_s > most_settle_s);
    assert_true(verdict.delay_spread_frames > most_spread_frames);
    assert_true(verdict.wobble_cents > most_wobble_cents);
}

static void
a_loop_ten_times_as_fast_is_heard(void **state)
{
    struct world_setup setup = two_clocks;
    setup.seconds = 60;
    setup.bandwidth_hz = 0.3;
    struct world_verdict verdict = run("fast loop", &setup);
    assert_true(verdict.residual_db > most_residual_db);
}

static void
one_dropped_frame_is_heard(void **state)
{
    struct world_setup setup = two_clocks;
    setup.seconds = 40;
    setup.drop_at_s = 30;
    struct world_verdict verdict = run("one frame dropped", &setup);
    assert_true(verdict.discontinuities > 0);
    assert_true(verdict.settle_s > most_settle_s);
    assert_true(verdict.residual_db > most_residual_db);
}

/* ---- the loop alone ---- */

enum { FRAMES = 480 };

struct pair {
    struct drift drift;
    struct drift_anchor anchor;
    uint64_t blocks;
    double ppm; /* of the writer */
};

static void
begin(struct pair *pair, double ppm, bool same_clock)
{
    *pair = (struct pair){.ppm = ppm};
    drift_init(&pair->drift, &(struct drift_setup){.writer_hz = 48000,
                                                   .reader_hz = 48000,
                                                   .reader_frames = FRAMES,
                                                   .delay_s = 0.01,
                                                   .same_clock = same_clock});
}

/* One block of both; the reader's stamp is wrong by so much. */
static enum drift_verdict
step(struct pair *pair, int64_t wrong_ns, bool filling)
{
    uint64_t time_ns = (100 + ++pair->blocks) * 10000000;
    double frames = (double)pair->blocks * FRAMES * (1 + pair->ppm * 1e-6);
    pair->anchor = (struct drift_anchor){
        .frame = (uint64_t)llrint(frames), .time_ns = time_ns, .rate_hz = 48000};
    enum drift_verdict verdict =
        drift_follow(&pair->drift, &pair->anchor, time_ns + (uint64_t)wrong_ns, FRAMES, filling);
    drift_advance(&pair->drift, FRAMES);
    return verdict;
}

static void
steps(struct pair *pair, unsigned count, bool filling)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(step(pair, 0, filling), DRIFT_FOLLOWS);
    }
}

/* Frames by which reading is behind the delay that was asked for. */
static double
error_of(const struct pair *pair)
{
    double frames = (double)pair->blocks * FRAMES * (1 + pair->ppm * 1e-6);
    double place =
        (double)(int64_t)pair->drift.place.frame + pair->drift.place.fraction / 4294967296.0;
    return frames - 480 - place;
}

static void
on_one_clock_the_ratio_is_one_and_places_are_whole(void **state)
{
    struct pair pair;
    begin(&pair, 0, true);
    steps(&pair, 30, true);
    for (unsigned i = 0; i < 3000; i++) {
        step(&pair, i % 3 ? 15000 : -20000, false);
        assert_true(pair.drift.step == UINT64_C(1) << 32);
        assert_int_equal(pair.drift.place.fraction, 0);
        assert_true(fabs(error_of(&pair)) <= 1);
    }
}

static void
a_clock_beyond_500_ppm_is_followed_no_further(void **state)
{
    struct pair pair;
    begin(&pair, 800, false);
    steps(&pair, 30, true);
    enum drift_verdict verdict = DRIFT_FOLLOWS;
    for (unsigned i = 0; i < 20000 && verdict != DRIFT_JUMPED; i++) {
        verdict = step(&pair, 0, false);
        assert_true(pair.drift.step <= (uint64_t)(4294967296.0 * 1.0005) + 1);
    }
}

static void
a_stamp_that_is_wrong_by_a_period_is_not_believed(void **state)
{
    struct pair pair;
    begin(&pair, 150, false);
    steps(&pair, 30, true);
    steps(&pair, 3000, false);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(step(&pair, 10000000, false), DRIFT_COASTS);
    }
    steps(&pair, 100, false);
    assert_true(fabs(error_of(&pair)) < 0.5);
    assert_true(fabs(drift_ppm(&pair.drift) - 150) < 1);
}

static void
a_line_that_moved_is_reported_after_eight_stamps(void **state)
{
    struct pair pair;
    begin(&pair, 150, false);
    steps(&pair, 30, true);
    steps(&pair, 3000, false);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(step(&pair, -3000000, false), DRIFT_COASTS);
    }
    assert_int_equal(step(&pair, -3000000, false), DRIFT_JUMPED);
}

static void
without_stamps_it_goes_on_as_it_was(void **state)
{
    struct pair pair;
    begin(&pair, -150, false);
    steps(&pair, 30, true);
    steps(&pair, 3000, false);
    uint64_t before = pair.drift.step;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(drift_follow(&pair.drift, &pair.anchor, 0, FRAMES, false), DRIFT_COASTS);
        drift_advance(&pair.drift, FRAMES);
        pair.blocks++;
    }
    assert_true(fabs((double)before - (double)pair.drift.step) < 4294.967296 / 10);
    assert_true(fabs(error_of(&pair)) < 0.5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clocks_that_drift_apart_hear_each_other_without_a_fault),
        cmocka_unit_test(four_clocks_do_in_a_ring_with_other_periods_and_a_later_start),
        cmocka_unit_test(clocks_of_other_rates_hear_each_other_too),
        cmocka_unit_test(lost_frames_are_silence_and_the_delay_is_back_within_ten_seconds),
        cmocka_unit_test(a_fixed_ratio_is_heard),
        cmocka_unit_test(a_loop_ten_times_as_fast_is_heard),
        cmocka_unit_test(one_dropped_frame_is_heard),
        cmocka_unit_test(on_one_clock_the_ratio_is_one_and_places_are_whole),
        cmocka_unit_test(a_clock_beyond_500_ppm_is_followed_no_further),
        cmocka_unit_test(a_stamp_that_is_wrong_by_a_period_is_not_believed),
        cmocka_unit_test(a_line_that_moved_is_reported_after_eight_stamps),
        cmocka_unit_test(without_stamps_it_goes_on_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
