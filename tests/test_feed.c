/* SPDX-License-Identifier: MIT */
/*
 * A feed's states, one block at a time: how it begins, what becomes of lost, late and missing
 * frames, of a writer or a reader that stops, and of a broken line. Both sides run on exact stamps
 * here; what drift and jitter do is in test_drift.c.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "interposed.h"
#include "mixer/feed.h"

enum { CHANNELS = 2, BLOCK = 64, FADE = 240, MOST_OUT = 400000 };

static const double pi = 3.14159265358979323846;

static struct rig {
    struct feed feed;
    void *memory;
    double ratio;           /* of the two clocks: the writer's frames per reader's frame */
    bool noise;             /* the signal: each frame another value; else a tone of 1 kHz */
    uint64_t written, read; /* frames of each clock, lost ones included */
    uint32_t epoch, own_epoch;
    float out[MOST_OUT]; /* what was read, of the first channel */
} rig;

static float
signal_at(uint64_t frame)
{
    if (rig.noise) {
        uint64_t bits = (frame + 1) * UINT64_C(0x9E3779B97F4A7C15);
        return (float)(int32_t)(bits >> 40) / 16777216.0f - 0.5f;
    }
    return (float)(0.5 * sin(2 * pi / 48 * (double)frame));
}

static void
begin(double ppm, bool noise)
{
    struct feed_setup setup = {.channels = CHANNELS,
                               .writer_hz = 48000,
                               .reader_hz = 48000,
                               .writer_frames = BLOCK,
                               .reader_frames = BLOCK,
                               .same_clock = ppm == 0};
    memset(&rig, 0, sizeof(rig));
    rig.ratio = 1 + ppm * 1e-6;
    rig.noise = noise;
    rig.memory = malloc(feed_bytes(&setup));
    assert_non_null(rig.memory);
    feed_init(&rig.feed, rig.memory, &setup);
    violations = 0;
}

static void
end(void)
{
    assert_int_equal(violations, 0);
    free(rig.memory);
}

static void
write_block(uint32_t lost)
{
    float block[CHANNELS][BLOCK];
    const float *from[CHANNELS] = {block[0], block[1]};
    rig.written += lost;
    for (unsigned i = 0; i < BLOCK; i++) {
        block[0][i] = signal_at(rig.written + i);
        block[1][i] = -block[0][i];
    }
    rig.written += BLOCK;
    double time_ns = 1e9 + (double)rig.written / (48000 * rig.ratio) * 1e9;
    struct feed_stamp stamp = {.time_ns = (uint64_t)llrint(time_ns), lost, rig.epoch};
    in_real_time = true;
    feed_write(&rig.feed, from, BLOCK, &stamp);
    in_real_time = false;
}

static void
read_block(uint32_t lost)
{
    float block[CHANNELS][BLOCK];
    float *to[CHANNELS] = {block[0], block[1]};
    memset(rig.out + rig.read, 0, lost * sizeof(float));
    rig.read += lost + BLOCK;
    assert_true(rig.read <= MOST_OUT);
    double time_ns = 1e9 + (double)rig.read / 48000 * 1e9;
    struct feed_stamp stamp = {.time_ns = (uint64_t)llrint(time_ns), lost, rig.own_epoch};
    in_real_time = true;
    feed_read(&rig.feed, to, BLOCK, &stamp);
    in_real_time = false;
    memcpy(rig.out + rig.read - BLOCK, block[0], sizeof(block[0]));
    for (unsigned i = 0; i < BLOCK; i++) {
        assert_true(block[1][i] == -block[0][i]);
    }
}

/* Both clocks, until the reader has read so many blocks more; the writer's block comes first. */
static void
run(unsigned blocks)
{
    for (uint64_t until = rig.read + (uint64_t)blocks * BLOCK; rig.read < until;) {
        if ((double)(rig.written + BLOCK) <= (double)(rig.read + BLOCK) * rig.ratio + 0.5) {
            write_block(0);
        } else {
            read_block(0);
        }
    }
}

static enum feed_state
state_now(void)
{
    return (enum feed_state)atomic_load(&rig.feed.state);
}

static unsigned
count_of(_Atomic uint32_t *counter)
{
    return (unsigned)atomic_load(counter);
}

/* Frames of the output from..to are the writer's, told frames later, bit for bit. */
static void
assert_same(uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        assert_true(rig.out[n] == signal_at(n - feed_delay_frames(&rig.feed)));
    }
}

static void
assert_silent(uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        assert_true(rig.out[n] == 0);
    }
}

/* The tone, its fades and a stand bend it less than this; a jump by a frame bends it more. */
static void
assert_no_click(uint64_t from, uint64_t to)
{
    double turn = 2 * pi / 48;
    for (uint64_t n = from + 2; n < to; n++) {
        double bend = (double)rig.out[n] - 2 * (double)rig.out[n - 1] + (double)rig.out[n - 2];
        assert_true(fabs(bend) < 1.6 * 0.5 * turn * turn);
    }
}

static void
it_begins_silent_fades_in_and_then_is_exact_on_one_clock(void **state)
{
    begin(0, true);
    run(1000);
    uint64_t first = 0;
    while (rig.out[first] == 0) {
        first++;
    }
    assert_int_equal(state_now(), FEED_RUNNING);
    assert_in_range(first, 12000 - BLOCK, 12000 + BLOCK); /* a quarter of a second */
    assert_true(fabsf(rig.out[first]) < 0.5f / FADE * 2);
    assert_same(first + FADE + 1, rig.read);
    assert_int_equal(count_of(&rig.feed.starved), 0);
    assert_int_equal(count_of(&rig.feed.fillings), 1);
    assert_int_equal(atomic_load(&rig.feed.ppm_thousandths), 0);
    end();
}

static void
the_delay_is_the_larger_period_and_three_milliseconds(void **state)
{
    struct feed_setup setup = {.channels = 1,
                               .writer_hz = 48000,
                               .reader_hz = 48000,
                               .writer_frames = 128,
                               .reader_frames = 512};
    static struct feed feed;
    void *memory = malloc(feed_bytes(&setup));
    feed_init(&feed, memory, &setup);
    assert_in_range(feed_delay_frames(&feed), 512 + 3 * 48 - 10, 512 + 3 * 48);
    free(memory);
}

static void
another_clock_is_reported_in_ppm(void **state)
{
    begin(130, false);
    run(4000);
    assert_in_range(atomic_load(&rig.feed.ppm_thousandths), 129500, 130500);
    assert_no_click(0, rig.read);
    end();
}

static void
lost_frames_are_silence_of_their_length(void **state)
{
    static const uint32_t lost[] = {64, 100, 128};
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
        begin(0, true);
        run(400);
        uint64_t hole = rig.written;
        read_block(0);
        write_block(lost[i]);
        run(100);
        uint64_t heard = hole + feed_delay_frames(&rig.feed); /* where the hole is in the output */
        assert_same(13000, heard - 2 * BLOCK - FADE);
        assert_silent(heard + FADE, heard + lost[i]);
        assert_same(heard + lost[i] + 2 * FADE, rig.read);
        assert_int_equal(count_of(&rig.feed.fillings), 1);
        assert_int_equal(state_now(), FEED_RUNNING);
        end();
    }
}

static void
a_loss_does_not_click(void **state)
{
    for (uint32_t lost = 16; lost < 1400; lost += 37) {
        begin(lost % 2 ? 90 : 0, false);
        run(400 + lost % 5);
        uint64_t before = rig.read;
        /* the time that was lost passes for the reader, too */
        while (rig.read + BLOCK <= before + lost) {
            read_block(0);
        }
        write_block(lost);
        run(60);
        assert_no_click(0, rig.read);
        end();
    }
}

static void
two_losses_in_a_row_do_not_click(void **state)
{
    for (unsigned between = 1; between < 40; between++) {
        begin(90, false);
        run(400);
        read_block(0);
        write_block(48);
        run(between);
        read_block(0);
        write_block(64);
        run(100);
        assert_no_click(0, rig.read);
        assert_int_equal(count_of(&rig.feed.fillings), 1);
        end();
    }
}

static void
a_late_writer_is_silence_and_counted_and_the_delay_stays(void **state)
{
    begin(0, true);
    run(400);
    for (unsigned i = 0; i < 3; i++) { /* 4 ms late: more than the margin */
        read_block(0);
    }
    uint64_t late = rig.read;
    assert_true(count_of(&rig.feed.starved) > 0);
    run(100);
    assert_same(late + 2 * FADE, rig.read);
    assert_int_equal(count_of(&rig.feed.fillings), 1);
    end();
    begin(90, false);
    run(400);
    for (unsigned i = 0; i < 3; i++) {
        read_block(0);
    }
    run(100);
    assert_no_click(0, rig.read);
    end();
}

static void
a_writer_that_stops_is_left_and_found_again(void **state)
{
    begin(90, false);
    run(400);
    for (unsigned i = 0; i < 100; i++) {
        read_block(0);
    }
    assert_int_equal(state_now(), FEED_EMPTY);
    assert_silent(rig.read - 50 * BLOCK, rig.read);
    write_block(100 * BLOCK);
    run(5);
    assert_int_equal(state_now(), FEED_FILLING);
    run(400);
    assert_int_equal(state_now(), FEED_RUNNING);
    assert_int_equal(count_of(&rig.feed.fillings), 2);
    assert_no_click(0, rig.read);
    end();
}

static void
a_line_that_breaks_on_either_side_is_learnt_again(void **state)
{
    for (unsigned own = 0; own < 2; own++) {
        begin(90, false);
        run(400);
        rig.epoch += !own;
        rig.own_epoch += own;
        run(20);
        assert_int_equal(state_now(), FEED_FILLING);
        run(400);
        assert_int_equal(state_now(), FEED_RUNNING);
        assert_int_equal(count_of(&rig.feed.fillings), 2);
        assert_no_click(0, rig.read);
        end();
    }
}

/* Its stamps go on where they were, as those of a thread that catches up. */
static void
a_reader_that_was_stopped_hears_nothing_old_and_disturbs_nobody(void **state)
{
    begin(0, true);
    run(400);
    uint64_t stopped = rig.read;
    for (unsigned i = 0; i < 200; i++) {
        write_block(0);
    }
    unsigned starved = count_of(&rig.feed.starved);
    read_block(0);
    read_block(0);
    assert_silent(stopped, rig.read);
    assert_int_equal(count_of(&rig.feed.starved), starved + 2);
    while (rig.read < rig.written) {
        read_block(0);
    }
    run(100);
    assert_same(rig.read - 50 * BLOCK, rig.read);
    end();
}

static void
frames_that_the_reader_lost_are_left_out(void **state)
{
    begin(0, true);
    run(400);
    uint64_t before = rig.read;
    for (unsigned i = 0; i < 5; i++) {
        write_block(0);
    }
    read_block(4 * BLOCK);
    run(100);
    assert_same(before + 4 * BLOCK, rig.read);
    assert_int_equal(count_of(&rig.feed.fillings), 1);
    /* more than a feed can hold: it begins again */
    for (unsigned i = 0; i < 1001; i++) {
        write_block(0);
    }
    read_block(1000 * BLOCK);
    run(400);
    assert_int_equal(count_of(&rig.feed.fillings), 2);
    assert_same(rig.read - 50 * BLOCK, rig.read);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_silent_fades_in_and_then_is_exact_on_one_clock),
        cmocka_unit_test(the_delay_is_the_larger_period_and_three_milliseconds),
        cmocka_unit_test(another_clock_is_reported_in_ppm),
        cmocka_unit_test(lost_frames_are_silence_of_their_length),
        cmocka_unit_test(a_loss_does_not_click),
        cmocka_unit_test(two_losses_in_a_row_do_not_click),
        cmocka_unit_test(a_late_writer_is_silence_and_counted_and_the_delay_stays),
        cmocka_unit_test(a_writer_that_stops_is_left_and_found_again),
        cmocka_unit_test(a_line_that_breaks_on_either_side_is_learnt_again),
        cmocka_unit_test(a_reader_that_was_stopped_hears_nothing_old_and_disturbs_nobody),
        cmocka_unit_test(frames_that_the_reader_lost_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
