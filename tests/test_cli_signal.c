/* SPDX-License-Identifier: MIT */
/* The tutti command's samples: the test signal and its detection, the rings, the recording's
 * timeline, 24-bit numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/frames.h"
#include "cli/pcm.h"
#include "cli/probe.h"
#include "cli/recording.h"

/* ---- the test signal ---- */

static float
noise(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (float)((int32_t)*seed / 256) / 8388608.0F;
}

static void
the_sequence_visits_every_state_of_its_register_once(void **state)
{
    float *samples = malloc(probe_frames(PROBE_MAX_ORDER) * sizeof(*samples));
    unsigned char *seen = malloc(probe_frames(PROBE_MAX_ORDER) + 1);

    assert_non_null(samples);
    assert_non_null(seen);
    /* n bits in a row determine a maximum length sequence's state: each pattern but one comes once
     * a period. */
    for (unsigned order = PROBE_MIN_ORDER; order <= PROBE_MAX_ORDER; order++) {
        uint32_t count = probe_frames(order), window = 0;
        probe_make(order, 1, samples);
        memset(seen, 0, count + 1);
        for (uint32_t i = 0; i < count + order - 1; i++) {
            window = (window << 1 | (samples[i % count] > 0)) & count;
            if (i + 1 >= order) {
                assert_int_equal(seen[window], 0);
                seen[window] = 1;
            }
        }
        assert_int_equal(seen[0], 0);
    }
    free(seen);
    free(samples);
}

enum { ORDER = 10, HEARD = 6000 };

/* A sequence at `offset`, scaled, on top of noise; found or not. */
static struct probe_match
hear(uint32_t offset, float gain, float noise_level)
{
    uint32_t count = probe_frames(ORDER), seed = 1;
    float *sent = malloc(count * sizeof(*sent));
    float *heard = malloc(HEARD * sizeof(*heard));
    struct probe_match match;

    assert_non_null(sent);
    assert_non_null(heard);
    probe_make(ORDER, 0.25F, sent);
    for (uint32_t i = 0; i < HEARD; i++) {
        heard[i] = noise_level > 0 ? noise_level * noise(&seed) : 0;
        if (i >= offset && i - offset < count) {
            heard[i] += gain * sent[i - offset];
        }
    }
    assert_true(probe_find(sent, count, heard, HEARD, &match));
    free(heard);
    free(sent);
    return match;
}

static void
it_is_found_to_the_frame_wherever_it_lies(void **state)
{
    static const uint32_t offsets[] = {0, 1, 63, 64, 1000, HEARD - 1023};

    for (unsigned i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
        struct probe_match match = hear(offsets[i], 1, 0);
        assert_true(match.found);
        assert_int_equal(match.offset, offsets[i]);
        assert_true(match.exact);
        assert_false(match.inverted);
        assert_true(fabs(match.gain - 1) < 1e-6);
    }
}

static void
reversed_polarity_is_found_and_told(void **state)
{
    struct probe_match match = hear(777, -0.5F, 0);

    assert_true(match.found);
    assert_true(match.inverted);
    assert_false(match.exact);
    assert_int_equal(match.offset, 777);
    assert_true(fabs(match.gain - 0.5) < 1e-6);
}

static void
it_is_found_below_louder_sound(void **state)
{
    struct probe_match match = hear(1234, 1, 0.5F);

    assert_true(match.found);
    assert_int_equal(match.offset, 1234);
    assert_true(match.clarity > PROBE_CLEAR);
}

static void
silence_and_mere_noise_are_nothing(void **state)
{
    assert_false(hear(0, 0, 0).found);
    assert_false(hear(0, 0, 1).found);
    assert_false(hear(0, 0, 1e-6F).found);
}

static void
a_sample_that_is_no_number_does_no_harm(void **state)
{
    uint32_t count = probe_frames(ORDER);
    float sent[1023], heard[2000] = {0};
    struct probe_match match;

    assert_int_equal(count, 1023);
    probe_make(ORDER, 0.25F, sent);
    memcpy(heard + 300, sent, sizeof(sent));
    heard[5] = NAN;
    heard[1900] = INFINITY;
    assert_true(probe_find(sent, count, heard, 2000, &match));
    assert_true(match.found);
    assert_int_equal(match.offset, 300);
}

static void
a_sequence_that_exactly_fits_has_one_place(void **state)
{
    float sent[1023];
    struct probe_match match;

    probe_make(ORDER, 0.25F, sent);
    assert_true(probe_find(sent, 1023, sent, 1023, &match));
    assert_true(match.found);
    assert_int_equal(match.offset, 0);
}

/* ---- rings ---- */

static void
frames_come_out_as_they_went_in_across_the_wrap(void **state)
{
    struct frames frames;
    float in[5 * 3], out[5 * 3], next = 0, expected = 0;

    memset(&frames, 0, sizeof(frames));
    assert_true(frames_init(&frames, 3, 7));
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 15; i++) {
            in[i] = next++;
        }
        assert_int_equal(ring_writable(&frames.ring), 8);
        ring_write(&frames.ring, in, 5);
        assert_int_equal(ring_readable(&frames.ring), 5);
        assert_int_equal(ring_writable(&frames.ring), 3);
        ring_read(&frames.ring, out, 5);
        for (unsigned i = 0; i < 15; i++) {
            assert_true(out[i] == expected++);
        }
    }
    frames_fini(&frames);
}

static void
channels_and_frames_are_two_views_of_the_same_ring(void **state)
{
    static const float left[] = {1, 2, 3}, right[] = {-1, -2, -3};
    static const float interleaved[] = {1, -1, 2, -2, 3, -3};
    struct frames frames;
    float out[6];

    memset(&frames, 0, sizeof(frames));
    assert_true(frames_init(&frames, 2, 4));
    for (unsigned round = 0; round < 5; round++) {
        frames_put_channel(&frames, 0, left, 3);
        frames_put_channel(&frames, 1, right, 3);
        assert_int_equal(ring_readable(&frames.ring), 0);
        ring_write_done(&frames.ring, 3);
        assert_int_equal(ring_readable(&frames.ring), 3);
        ring_read(&frames.ring, out, 3);
        assert_memory_equal(out, interleaved, sizeof(out));
        ring_write(&frames.ring, interleaved, 3);
        frames_get_channel(&frames, 1, out, 3);
        ring_read_done(&frames.ring, 3);
        assert_memory_equal(out, right, sizeof(right));
        assert_int_equal(ring_readable(&frames.ring), 0);
    }
    frames_fini(&frames);
}

static void
a_peak_is_the_loudest_since_the_last_look(void **state)
{
    static const float quiet[] = {0.1F, -0.2F}, loud[] = {0, -0.75F, 0.5F};
    struct peak peak = {0};

    peak_put(&peak, quiet, 2);
    peak_put(&peak, loud, 3);
    peak_put(&peak, quiet, 2);
    assert_true(peak_take(&peak) == 0.75F);
    assert_true(peak_take(&peak) == 0);
}

/* ---- the recording's timeline ---- */

/* A block whose samples are its frames' positions plus one. */
static bool
put_block(struct recording *recording, uint64_t position, uint32_t frames)
{
    float samples[64];

    assert_true(frames <= 64);
    for (uint32_t i = 0; i < frames; i++) {
        samples[i] = (float)(position + i + 1);
    }
    if (!recording_begin(recording, position, frames)) {
        return false;
    }
    frames_put_channel(&recording->frames, 0, samples, frames);
    recording_end(recording, frames);
    return true;
}

/* Takes everything; each frame must be its position plus one, or silence. Returns the frames in
 * all. */
static uint64_t
take_all(struct recording *recording, uint64_t position, uint64_t *silent)
{
    float samples[10];
    uint32_t count;

    while ((count = recording_take(recording, samples, 10)) > 0) {
        for (uint32_t i = 0; i < count; i++, position++) {
            if (samples[i] == 0) {
                (*silent)++;
            } else {
                assert_true(samples[i] == (float)(position + 1));
            }
        }
    }
    return position;
}

static void
lost_blocks_become_silence_in_their_place(void **state)
{
    struct recording recording;
    uint64_t silent = 0;

    memset(&recording, 0, sizeof(recording));
    assert_true(recording_init(&recording, 1, 256));
    assert_true(put_block(&recording, 32, 32)); /* the very first was lost */
    assert_true(put_block(&recording, 64, 32));
    assert_true(put_block(&recording, 128, 32));
    assert_int_equal(take_all(&recording, 0, &silent), 160);
    assert_int_equal(silent, 64);
    assert_int_equal(recording.lost_frames, 64);
    recording_fini(&recording);
}

static void
a_full_ring_costs_a_gap_and_no_shift(void **state)
{
    struct recording recording;
    uint64_t silent = 0, end;

    memset(&recording, 0, sizeof(recording));
    assert_true(recording_init(&recording, 1, 64));
    assert_true(put_block(&recording, 0, 32));
    assert_true(put_block(&recording, 32, 32));
    assert_false(put_block(&recording, 64, 32));
    assert_false(put_block(&recording, 96, 32));
    end = take_all(&recording, 0, &silent);
    assert_int_equal(end, 64);
    assert_int_equal(silent, 0);
    assert_true(put_block(&recording, 128, 32));
    assert_int_equal(take_all(&recording, end, &silent), 160);
    assert_int_equal(silent, 64);
    recording_fini(&recording);
}

static void
more_gaps_than_marks_are_still_in_place(void **state)
{
    struct recording recording;
    uint64_t silent = 0, end = 0, position = 0;
    unsigned kept = 0;

    memset(&recording, 0, sizeof(recording));
    assert_true(recording_init(&recording, 1, 4096));
    for (unsigned i = 0; i < 2 * RECORDING_GAPS; i++) {
        position += 16; /* one lost */
        kept += put_block(&recording, position, 16);
        position += 16;
    }
    assert_int_equal(kept, RECORDING_GAPS);
    end = take_all(&recording, 0, &silent);
    assert_true(put_block(&recording, position, 16));
    end = take_all(&recording, end, &silent);
    assert_int_equal(end, position + 16);
    assert_int_equal(silent, end - (kept + 1) * 16);
    recording_fini(&recording);
}

/* ---- 24-bit numbers ---- */

static void
numbers_of_24_bits_survive_exactly(void **state)
{
    for (int32_t value = -8388608; value < 8388608; value += 4097) {
        float sample = (float)value / 8388608.0F;
        int32_t word = 0;
        pcm_to_int24(&word, &sample, 1);
        assert_int_equal(word, value * 256);
    }
}

static void
what_does_not_fit_is_limited(void **state)
{
    static const float in[] = {
        1, 2, INFINITY, -1, -2, -INFINITY, NAN, 0.4F / 8388608, 0.6F / 8388608};
    static const int32_t expected[] = {8388607 * 256,
                                       8388607 * 256,
                                       8388607 * 256,
                                       -8388608 * 256,
                                       -8388608 * 256,
                                       -8388608 * 256,
                                       0,
                                       0,
                                       256};
    int32_t out[9];

    pcm_to_int24(out, in, 9);
    assert_memory_equal(out, expected, sizeof(out));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_visits_every_state_of_its_register_once),
        cmocka_unit_test(it_is_found_to_the_frame_wherever_it_lies),
        cmocka_unit_test(reversed_polarity_is_found_and_told),
        cmocka_unit_test(it_is_found_below_louder_sound),
        cmocka_unit_test(silence_and_mere_noise_are_nothing),
        cmocka_unit_test(a_sample_that_is_no_number_does_no_harm),
        cmocka_unit_test(a_sequence_that_exactly_fits_has_one_place),
        cmocka_unit_test(frames_come_out_as_they_went_in_across_the_wrap),
        cmocka_unit_test(channels_and_frames_are_two_views_of_the_same_ring),
        cmocka_unit_test(a_peak_is_the_loudest_since_the_last_look),
        cmocka_unit_test(lost_blocks_become_silence_in_their_place),
        cmocka_unit_test(a_full_ring_costs_a_gap_and_no_shift),
        cmocka_unit_test(more_gaps_than_marks_are_still_in_place),
        cmocka_unit_test(numbers_of_24_bits_survive_exactly),
        cmocka_unit_test(what_does_not_fit_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
