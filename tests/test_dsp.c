/* SPDX-License-Identifier: MIT */
/*
 * The sample kernels: the plain ones against what each format means, written down here; the vector
 * ones against the plain ones, bit for bit, over all lengths, strides, places and strange values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/dsp.h"

enum { MOST_FRAMES = 300, MOST_STRIDE = 40, GUARD = 64, SOURCES = 9 };

static const size_t sample_bytes[DSP_FORMAT_COUNT] = {
    [DSP_F32] = 4, [DSP_S16] = 2, [DSP_S24] = 3, [DSP_S24_32] = 4, [DSP_S32] = 4};

static uint64_t state = 88172645463325252u;

static uint64_t
random_word(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Ordinary samples, and those at which something changes. */
static float
random_sample(void)
{
    static const float strange[] = {
        0.0f,         -0.0f,      1.0f,        -1.0f,    0x1p-15f,     0.5f,
        0x1.8p-16f,   0x1.8p-24f, -0x1.8p-24f, 0x1p-24f, 0.99998474f,  0.99999994f,
        -0.99999994f, 1.0000001f, -1.0000001f, NAN,      -NAN,         INFINITY,
        -INFINITY,    1e-42f,     3e38f,       -3e38f,   0x1.fffep-1f, 0x1.fffffcp-1f};
    uint64_t word = random_word();
    if (word % 4 == 0) {
        return strange[(word >> 8) % (sizeof(strange) / sizeof(*strange))];
    }
    return (float)(int32_t)(uint32_t)(word >> 16) * 0x1.2p-31f; /* a little beyond ±1 */
}

static void
integers_become_the_samples_that_they_mean(void **state_)
{
    static const struct {
        enum dsp_format format;
        unsigned char bytes[4];
        float sample;
    } cases[] = {
        {DSP_S16, {0, 0x80}, -1.0f},
        {DSP_S16, {0xff, 0x7f}, 32767.0f / 32768.0f},
        {DSP_S16, {1, 0}, 1.0f / 32768.0f},
        {DSP_S24, {0, 0, 0x80}, -1.0f},
        {DSP_S24, {0xff, 0xff, 0x7f}, 8388607.0f / 8388608.0f},
        {DSP_S24, {0xff, 0xff, 0xff}, -1.0f / 8388608.0f},
        {DSP_S24_32, {1, 0, 0, 0}, 1.0f / 8388608.0f},
        {DSP_S24_32, {0xff, 0xff, 0xff, 0xff}, -1.0f / 8388608.0f},
        {DSP_S32, {0, 0, 0, 0x80}, -1.0f},
        {DSP_S32, {0, 0, 0, 0x40}, 0.5f},
    };
    assert_true(dsp_use(DSP_SCALAR));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        float sample = 7;
        unsigned char back[4] = {0};
        dsp_from_device(&sample, cases[i].bytes, 4, cases[i].format, 1);
        assert_true(sample == cases[i].sample);
        dsp_to_device(back, 4, cases[i].format, &sample, 1);
        assert_memory_equal(back, cases[i].bytes, sample_bytes[cases[i].format]);
    }
}

static void
samples_are_clipped_and_rounded_to_even(void **state_)
{
    static const struct {
        float sample;
        int32_t s16, s24, s32;
    } cases[] = {
        {1.0f, 32767, 8388607, INT32_MAX},
        {-1.0f, -32768, -8388608, INT32_MIN},
        {2.0f, 32767, 8388607, INT32_MAX},
        {-INFINITY, -32768, -8388608, INT32_MIN},
        {NAN, 0, 0, 0},
        {0x1p-16f, 0, 128, 32768},       /* half of a 16-bit step: to even, 0 */
        {0x1.8p-15f, 2, 384, 98304},     /* one and a half: to even, 2 */
        {-0x1.8p-15f, -2, -384, -98304}, /* likewise below */
    };
    assert_true(dsp_use(DSP_SCALAR));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int16_t s16;
        int32_t s24, s32;
        dsp_to_device(&s16, 2, DSP_S16, &cases[i].sample, 1);
        dsp_to_device(&s24, 4, DSP_S24_32, &cases[i].sample, 1);
        dsp_to_device(&s32, 4, DSP_S32, &cases[i].sample, 1);
        assert_int_equal(s16, cases[i].s16);
        assert_int_equal(s24, cases[i].s24);
        assert_int_equal(s32, cases[i].s32);
    }
}

static void
every_24_bit_integer_passes_through_float(void **state_)
{
    for (int variant = 0; variant < DSP_VARIANT_COUNT; variant++) {
        if (!dsp_use((enum dsp_variant)variant)) {
            print_message("%s: not on this processor\n",
                          dsp_variant_name((enum dsp_variant)variant));
            continue;
        }
        int32_t in[64], out[64];
        float samples[64];
        for (int32_t first = -8388608; first < 8388608; first += 64 * 97) {
            for (int32_t i = 0; i < 64; i++) {
                in[i] = first + i;
            }
            dsp_from_device(samples, in, 4, DSP_S24_32, 64);
            dsp_to_device(out, 4, DSP_S24_32, samples, 64);
            assert_memory_equal(in, out, sizeof(in));
        }
    }
}

/* Does with one variant what `turn` says; the result's bytes with their guards. */
struct scene {
    float sources[SOURCES][MOST_FRAMES + 8];
    const float *pointers[SOURCES];
    unsigned char device[MOST_FRAMES * MOST_STRIDE + 8];
    unsigned source_count;
    size_t frames, stride;
    enum dsp_format format;
    float gain;
};

static void
perform(const struct scene *scene, enum dsp_variant variant, unsigned char *to, size_t bytes)
{
    float peaks[SOURCES];
    memset(to, 0xa5, bytes);
    assert_true(dsp_use(variant));
    /* floats lie where floats may; the others anywhere */
    unsigned char *at = to + GUARD + (scene->frames & 3) * (scene->format == DSP_F32 ? 4 : 1);
    dsp_mix_to_device(at, scene->stride, scene->format, scene->pointers, scene->source_count,
                      scene->gain, scene->frames);
    at += MOST_FRAMES * MOST_STRIDE + GUARD;
    dsp_to_device(at, scene->stride, scene->format, scene->pointers[0], scene->frames);
    at += MOST_FRAMES * MOST_STRIDE + GUARD;
    dsp_from_device((float *)(void *)(to + 2 * (MOST_FRAMES * MOST_STRIDE + 2 * GUARD)),
                    scene->device + (scene->frames & 1), scene->stride, scene->format,
                    scene->frames);
    for (unsigned s = 0; s < SOURCES; s++) {
        peaks[s] = dsp_peak(scene->pointers[s], scene->frames);
    }
    memcpy(to + bytes - sizeof(peaks), peaks, sizeof(peaks));
}

static void
vectors_do_what_plain_code_does(void **state_)
{
    const size_t bytes = 4 * (MOST_FRAMES * MOST_STRIDE + 2 * GUARD);
    static struct scene scene;
    unsigned char *plain = malloc(bytes), *vector = malloc(bytes);
    assert_non_null(plain);
    assert_non_null(vector);
    for (unsigned turn = 0; turn < 3000; turn++) {
        scene.frames = turn % MOST_FRAMES;
        scene.format = (enum dsp_format)(random_word() % DSP_FORMAT_COUNT);
        size_t least = sample_bytes[scene.format];
        scene.stride = random_word() % 2 ? least : least + random_word() % (MOST_STRIDE - least);
        scene.source_count = (unsigned)(random_word() % (SOURCES + 1));
        scene.gain = random_word() % 2 ? 1.0f : (float)(random_word() % 1000) * 0.002f;
        for (unsigned s = 0; s < SOURCES; s++) {
            size_t shift = random_word() % 8; /* any place, aligned or not */
            scene.pointers[s] = scene.sources[s] + shift;
            for (unsigned i = 0; i < MOST_FRAMES + 8; i++) {
                scene.sources[s][i] = random_sample();
            }
        }
        for (size_t i = 0; i < sizeof(scene.device); i++) {
            scene.device[i] = (unsigned char)random_word();
        }
        perform(&scene, DSP_SCALAR, plain, bytes);
        for (int variant = DSP_SCALAR + 1; variant < DSP_VARIANT_COUNT; variant++) {
            if (dsp_use((enum dsp_variant)variant)) {
                perform(&scene, (enum dsp_variant)variant, vector, bytes);
                assert_memory_equal(plain, vector, bytes);
            }
        }
    }
    free(vector);
    free(plain);
}

/* Any number of channels, one of each kind of place; beyond them nothing is touched. */
static void
channels_side_by_side_become_what_each_alone_becomes(void **state_)
{
    enum { MOST = 21, LENGTH = 37, STRIDE = (MOST + 2) * 4 };
    static float planes[MOST][LENGTH + 1], alone[MOST][LENGTH], joint[MOST][LENGTH];
    static unsigned char one[STRIDE * LENGTH + 8], all[STRIDE * LENGTH + 8];
    const float *from[MOST];
    float *to[MOST];
    for (unsigned turn = 0; turn < 2000; turn++) {
        enum dsp_format format = (enum dsp_format)(random_word() % DSP_FORMAT_COUNT);
        size_t bytes = sample_bytes[format];
        unsigned channels = 1 + (unsigned)(random_word() % MOST);
        size_t frames = random_word() % (LENGTH + 1);
        size_t stride = bytes * (channels + random_word() % 3);
        size_t shift = format == DSP_F32 ? 4 : random_word() % 8;
        for (unsigned c = 0; c < MOST; c++) {
            for (unsigned i = 0; i <= LENGTH; i++) {
                planes[c][i] = random_sample();
            }
            from[c] = planes[c] + random_word() % 2;
            to[c] = joint[c];
        }
        for (int variant = 0; variant < DSP_VARIANT_COUNT; variant++) {
            assert_true(dsp_use(DSP_SCALAR));
            memset(one, 0xa5, sizeof(one));
            memset(all, 0xa5, sizeof(all));
            memset(alone, 0xa5, sizeof(alone));
            memset(joint, 0xa5, sizeof(joint));
            for (unsigned c = 0; c < channels; c++) {
                dsp_to_device(one + shift + c * bytes, stride, format, from[c], frames);
                dsp_from_device(alone[c], one + shift + c * bytes, stride, format, frames);
            }
            if (dsp_use((enum dsp_variant)variant)) {
                dsp_to_interleaved(all + shift, channels, stride, format, from, frames);
                assert_memory_equal(one, all, sizeof(one));
                dsp_from_interleaved(to, channels, all + shift, stride, format, frames);
                assert_memory_equal(alone, joint, sizeof(alone));
            }
        }
    }
}

static void
what_is_not_finite_counts_as_silence_in_a_mix(void **state_)
{
    for (int variant = 0; variant < DSP_VARIANT_COUNT; variant++) {
        if (!dsp_use((enum dsp_variant)variant)) {
            continue;
        }
        float good[11], bad[11], to[11];
        const float *sources[] = {good, bad};
        for (unsigned i = 0; i < 11; i++) {
            good[i] = 0.25f;
            bad[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
        }
        dsp_mix(to, sources, 2, 1.0f, 11);
        assert_memory_equal(to, good, sizeof(to));
    }
}

static void
a_channel_is_added_with_a_gain_that_may_change(void **state_)
{
    float to[70], from[70];
    for (unsigned i = 0; i < 70; i++) {
        to[i] = 0.25f;
        from[i] = i == 3 ? NAN : i == 4 ? INFINITY : i == 5 ? 3e38f : 0.5f;
    }
    dsp_add(to, from, 2.0f, 0.5f, 70);
    for (unsigned i = 0; i < 70; i++) {
        assert_true(to[i] == (i >= 3 && i <= 5 ? 0.25f : 0.25f + 0.5f * (2.0f + 0.5f * (float)i)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_become_the_samples_that_they_mean),
        cmocka_unit_test(samples_are_clipped_and_rounded_to_even),
        cmocka_unit_test(every_24_bit_integer_passes_through_float),
        cmocka_unit_test(vectors_do_what_plain_code_does),
        cmocka_unit_test(channels_side_by_side_become_what_each_alone_becomes),
        cmocka_unit_test(what_is_not_finite_counts_as_silence_in_a_mix),
        cmocka_unit_test(a_channel_is_added_with_a_gain_that_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
