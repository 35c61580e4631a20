/* SPDX-License-Identifier: MIT */
/*
 * Reading between samples: what comes out against the sine that was put in, at the places that the
 * positions name; where an impulse lands; which frames are touched; the vector kernels against the
 * plain ones, bit for bit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/dsp.h"
#include "dsp/resample.h"
#include "interposed.h"

enum { BLOCK = 64, INPUT_FRAMES = 400000, OUTPUT_FRAMES = 192000, GUARD = 8 };

static const double pi = 3.14159265358979323846;
static float input[INPUT_FRAMES], output[OUTPUT_FRAMES];
static double positions[OUTPUT_FRAMES]; /* at which each frame of the output was read */
static float table[(RESAMPLE_PHASES + 1) * RESAMPLE_MOST_TAPS];

static uint64_t state = 88172645463325252u;

static double
random_share(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / (double)(UINT64_C(1) << 53);
}

static double
decibels(double ratio)
{
    return 20 * log10(ratio > 1e-12 ? ratio : 1e-12);
}

/* A sine of so many cycles per frame. */
static void
fill_with_sine(double frequency)
{
    for (size_t i = 0; i < INPUT_FRAMES; i++) {
        input[i] = (float)(0.5 * sin(2 * pi * frequency * (double)i));
    }
}

static int64_t
to_step(double ratio)
{
    return (int64_t)llrint(ratio * 4294967296.0);
}

/* Blocks with the step of each from steps(), as the reader of a clock that drifts makes them. */
static void
read_all(const struct resampler *resampler, double (*steps)(size_t block))
{
    uint64_t position = UINT64_C(1000) << 32;
    for (size_t done = 0; done < OUTPUT_FRAMES; done += BLOCK) {
        const float *from = input;
        float *to = output + done;
        struct resample_block block = {&to, &from, 1, BLOCK, position, to_step(steps(done / BLOCK)),
                                       0};
        for (size_t i = 0; i < BLOCK; i++) {
            positions[done + i] = (double)(position + i * (uint64_t)block.step) / 4294967296.0;
        }
        resample_read(resampler, &block);
        position += BLOCK * (uint64_t)block.step;
    }
}

struct fit {
    double residual_db, delay_frames;
};

/* The sine with the phase of the positions that is nearest to the output, and what is left. */
static struct fit
fit(double frequency)
{
    double ss = 0, sc = 0, cc = 0, sy = 0, cy = 0, left = 0, whole = 0;
    for (size_t i = 0; i < OUTPUT_FRAMES; i++) {
        double s = sin(2 * pi * frequency * positions[i]);
        double c = cos(2 * pi * frequency * positions[i]);
        ss += s * s;
        sc += s * c;
        cc += c * c;
        sy += s * output[i];
        cy += c * output[i];
    }
    double in_phase = (sy * cc - cy * sc) / (ss * cc - sc * sc);
    double across = (cy * ss - sy * sc) / (ss * cc - sc * sc);
    for (size_t i = 0; i < OUTPUT_FRAMES; i++) {
        double phase = 2 * pi * frequency * positions[i];
        double sine = in_phase * sin(phase) + across * cos(phase);
        left += (output[i] - sine) * (output[i] - sine);
        whole += sine * sine;
    }
    return (struct fit){decibels(sqrt(left / whole)),
                        -atan2(across, in_phase) / (2 * pi * frequency)};
}

static double
fast_clock(size_t block)
{
    return 1.0003;
}

static double
slow_clock(size_t block)
{
    return 0.9997;
}

/* Each block a little different from the one before. */
static double
wobbling_clock(size_t block)
{
    return 1.0001 + (random_share() - 0.5) * 20e-6;
}

static double
sweeping_clock(size_t block)
{
    return 1 + 500e-6 * sin((double)block * 0.02);
}

static struct resampler
near_unity(void)
{
    struct resampler resampler;
    resample_init(&resampler, table, resample_taps(1.0005), 1.0005);
    assert_int_equal(resampler.taps, RESAMPLE_NEAR_TAPS);
    return resampler;
}

static void
a_tone_keeps_its_purity_and_its_place_at_any_drift(void **state_)
{
    static double (*const clocks[])(size_t) = {fast_clock, slow_clock, wobbling_clock,
                                               sweeping_clock};
    static const struct {
        double hz, most_db;
    } tones[] = {{100, -130}, {1000, -130}, {10000, -115}, {19000, -105}};
    struct resampler resampler = near_unity();
    for (size_t t = 0; t < sizeof(tones) / sizeof(tones[0]); t++) {
        fill_with_sine(tones[t].hz / 48000);
        for (size_t c = 0; c < sizeof(clocks) / sizeof(clocks[0]); c++) {
            read_all(&resampler, clocks[c]);
            struct fit found = fit(tones[t].hz / 48000);
            print_message("%5.0f Hz, clock %u: residual %.1f dB, delay %.6f frames\n", tones[t].hz,
                          (unsigned)c, found.residual_db, found.delay_frames);
            assert_true(found.residual_db < tones[t].most_db);
            assert_true(fabs(found.delay_frames) < 0.001);
        }
    }
}

/* The same judge on an output that is a hundredth of a frame late, or has one sample twice. */
static void
the_fit_sees_a_hundredth_of_a_frame_and_one_sample_twice(void **state_)
{
    struct resampler resampler = near_unity();
    fill_with_sine(1000.0 / 48000);
    read_all(&resampler, wobbling_clock);
    for (size_t i = 0; i < OUTPUT_FRAMES; i++) {
        positions[i] += 0.01;
    }
    assert_true(fabs(fit(1000.0 / 48000).delay_frames - 0.01) < 0.001);
    read_all(&resampler, wobbling_clock);
    memmove(&output[OUTPUT_FRAMES / 2], &output[OUTPUT_FRAMES / 2 - 1],
            OUTPUT_FRAMES / 2 * sizeof(output[0]));
    assert_true(fit(1000.0 / 48000).residual_db > -40);
}

static double rates_ratio;

static double
two_rates(size_t block)
{
    return rates_ratio * 1.0001;
}

static void
other_rates_are_read_as_purely(void **state_)
{
    static const struct {
        double from_hz, to_hz, tone_hz, most_db;
    } cases[] = {
        {44100, 48000, 1000, -130},  {44100, 48000, 18000, -110}, {48000, 44100, 1000, -130},
        {48000, 44100, 18000, -110}, {96000, 48000, 1000, -130},  {48000, 96000, 10000, -120},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resampler resampler;
        rates_ratio = cases[i].from_hz / cases[i].to_hz;
        resample_init(&resampler, table, resample_taps(rates_ratio * 1.0005), rates_ratio * 1.0005);
        fill_with_sine(cases[i].tone_hz / cases[i].from_hz);
        read_all(&resampler, two_rates);
        struct fit found = fit(cases[i].tone_hz / cases[i].from_hz);
        print_message("%.0f to %.0f Hz, %.0f Hz, %u taps: residual %.1f dB, delay %.6f frames\n",
                      cases[i].from_hz, cases[i].to_hz, cases[i].tone_hz, resampler.taps,
                      found.residual_db, found.delay_frames);
        assert_true(found.residual_db < cases[i].most_db);
        assert_true(fabs(found.delay_frames) < 0.001);
    }
}

static void
what_the_slower_rate_cannot_hold_does_not_fold_back(void **state_)
{
    struct resampler resampler;
    rates_ratio = 2;
    resample_init(&resampler, table, resample_taps(2 * 1.0005), 2 * 1.0005);
    fill_with_sine(30000.0 / 96000);
    read_all(&resampler, two_rates);
    double loudest = 0;
    for (size_t i = 0; i < OUTPUT_FRAMES; i++) {
        loudest = fmax(loudest, fabs((double)output[i]));
    }
    assert_true(decibels(loudest / 0.5) < -110);
}

/* A sine's second difference is at most its amplitude times the square of its frequency. */
static void
no_step_of_the_ratio_can_be_heard(void **state_)
{
    struct resampler resampler = near_unity();
    double frequency = 2 * pi * 1000 / 48000;
    fill_with_sine(1000.0 / 48000);
    read_all(&resampler, sweeping_clock);
    for (size_t i = 2; i < OUTPUT_FRAMES; i++) {
        double bend = (double)output[i] - 2 * (double)output[i - 1] + (double)output[i - 2];
        assert_true(fabs(bend) < 0.5 * frequency * frequency * 1.01);
    }
}

static void
whole_positions_give_the_samples_themselves(void **state_)
{
    struct resampler resampler = near_unity();
    float plane[200], read[100];
    const float *from = plane;
    float *to = read;
    for (size_t i = 0; i < 200; i++) {
        plane[i] = (float)(random_share() * 2 - 1);
    }
    struct resample_block block = {&to, &from, 1, 100, UINT64_C(30) << 32, INT64_C(1) << 32, 0};
    resample_read(&resampler, &block);
    assert_memory_equal(read, plane + 30, sizeof(read));
}

/* From full speed to a stand: frame n lies at n - n * (n - 1) / 2 / 64. */
static void
a_bend_slows_reading_down(void **state_)
{
    struct resampler resampler = near_unity();
    double frequency = 2 * pi * 1000 / 48000;
    float read[64];
    const float *from = input;
    float *to = read;
    fill_with_sine(1000.0 / 48000);
    struct resample_block block = {
        &to, &from, 1, 64, UINT64_C(30) << 32, INT64_C(1) << 32, -(INT64_C(1) << 26)};
    resample_read(&resampler, &block);
    for (int i = 0; i < 64; i++) {
        double position = 30 + i - i * (i - 1) / 2.0 / 64;
        assert_true(fabs((double)read[i] - 0.5 * sin(frequency * position)) < 1e-5);
    }
}

static void
an_impulse_lands_where_it_was(void **state_)
{
    struct resampler resampler = near_unity();
    float plane[200] = {0}, read[8];
    const float *from = plane;
    float *to = read;
    plane[100] = 1;
    /* frames 98.5, 99.5 … in steps of a quarter: symmetrical about 100 */
    struct resample_block block = {&to, &from, 1, 7, 0, INT64_C(1) << 30, 0};
    block.position = (UINT64_C(100) << 32) - 3 * (UINT64_C(1) << 30);
    resample_read(&resampler, &block);
    assert_true(read[3] == 1.0f);
    for (size_t i = 0; i < 3; i++) {
        assert_true(read[i] < read[i + 1] && read[6 - i] < read[5 - i]);
        assert_true(fabsf(read[i] - read[6 - i]) < 1e-6f);
    }
}

static void
nothing_beyond_the_taps_is_read_and_nothing_beyond_the_block_is_written(void **state_)
{
    struct resampler resampler = near_unity();
    enum { FRAMES = 50, FIRST = 60 };
    float plane[300], read[FRAMES + 2 * GUARD];
    const float *from = plane;
    float *to = read + GUARD;
    for (size_t v = 0; v < DSP_VARIANT_COUNT; v++) {
        if (!dsp_use((enum dsp_variant)v)) {
            continue;
        }
        struct resample_block block = {&to, &from, 1, FRAMES, 0, to_step(1.0005), 0};
        block.position = ((uint64_t)FIRST << 32) + 12345;
        uint64_t last = block.position + (FRAMES - 1) * (uint64_t)block.step;
        for (size_t i = 0; i < 300; i++) {
            bool within = i + resample_before(&resampler) >= FIRST &&
                          i <= (last >> 32) + resample_after(&resampler);
            plane[i] = within ? 0.25f : NAN;
        }
        for (size_t i = 0; i < FRAMES + 2 * GUARD; i++) {
            read[i] = 7;
        }
        resample_read(&resampler, &block);
        for (size_t i = 0; i < FRAMES + 2 * GUARD; i++) {
            bool written = i >= GUARD && i < FRAMES + GUARD;
            assert_true(written ? fabsf(read[i] - 0.25f) < 1e-6f : read[i] == 7);
        }
    }
    assert_true(dsp_use(dsp_best()));
}

static void
vectors_read_what_plain_code_reads(void **state_)
{
    enum { CHANNELS = 3, FRAMES = 67, LENGTH = 1000 };
    static float planes[CHANNELS][LENGTH], plain[CHANNELS][FRAMES], vector[CHANNELS][FRAMES];
    const float *from[CHANNELS];
    float *to_plain[CHANNELS], *to_vector[CHANNELS];
    for (unsigned turn = 0; turn < 300; turn++) {
        static const unsigned most_taps[] = {8, 16, 32, 48, 96, 104, RESAMPLE_MOST_TAPS};
        struct resampler resampler;
        double ratio = 0.5 + random_share() * 3;
        resample_init(&resampler, table, most_taps[turn % 7], ratio);
        for (unsigned c = 0; c < CHANNELS; c++) {
            for (size_t i = 0; i < LENGTH; i++) {
                planes[c][i] = (float)(random_share() * 2 - 1);
            }
            from[c] = planes[c] + c;
            to_plain[c] = plain[c];
            to_vector[c] = vector[c];
        }
        struct resample_block block = {to_plain, from,           CHANNELS, turn % (FRAMES + 1),
                                       0,        to_step(ratio), 0};
        block.position = (uint64_t)(random_share() * 4e9) + ((uint64_t)RESAMPLE_MOST_TAPS << 31);
        assert_true(dsp_use(DSP_SCALAR));
        resample_read(&resampler, &block);
        block.to = to_vector;
        for (int variant = DSP_SCALAR + 1; variant < DSP_VARIANT_COUNT; variant++) {
            if (dsp_use((enum dsp_variant)variant)) {
                memset(vector, 0, sizeof(vector));
                resample_read(&resampler, &block);
                for (unsigned c = 0; c < CHANNELS; c++) {
                    assert_memory_equal(plain[c], vector[c], block.frames * sizeof(float));
                }
            }
        }
    }
    assert_true(dsp_use(dsp_best()));
}

static void
reading_allocates_nothing(void **state_)
{
    struct resampler resampler = near_unity();
    violations = 0;
    in_real_time = true;
    read_all(&resampler, fast_clock);
    in_real_time = false;
    assert_int_equal(violations, 0);
    /* the count would see it */
    void *(*volatile allocate)(size_t) = malloc;
    in_real_time = true;
    void *memory = allocate(1);
    in_real_time = false;
    free(memory);
    assert_int_equal(violations, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tone_keeps_its_purity_and_its_place_at_any_drift),
        cmocka_unit_test(the_fit_sees_a_hundredth_of_a_frame_and_one_sample_twice),
        cmocka_unit_test(other_rates_are_read_as_purely),
        cmocka_unit_test(what_the_slower_rate_cannot_hold_does_not_fold_back),
        cmocka_unit_test(no_step_of_the_ratio_can_be_heard),
        cmocka_unit_test(whole_positions_give_the_samples_themselves),
        cmocka_unit_test(a_bend_slows_reading_down),
        cmocka_unit_test(an_impulse_lands_where_it_was),
        cmocka_unit_test(nothing_beyond_the_taps_is_read_and_nothing_beyond_the_block_is_written),
        cmocka_unit_test(vectors_read_what_plain_code_reads),
        cmocka_unit_test(reading_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
