/* SPDX-License-Identifier: MIT */
/* The kernels in plain C: the definition that every other variant must equal bit for bit. */
#include <math.h>
#include <string.h>

#include "dsp/kernels.h"

static int32_t
load_s24(const unsigned char *from)
{
    uint32_t bits = (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16;
    return (int32_t)(bits << 8) >> 8;
}

static float
load(const unsigned char *from, enum dsp_format format)
{
    float sample = 0;
    int16_t narrow;
    int32_t wide;
    switch (format) {
    case DSP_F32:
        memcpy(&sample, from, sizeof(sample));
        return sample;
    case DSP_S16:
        memcpy(&narrow, from, sizeof(narrow));
        return (float)narrow * 0x1p-15f;
    case DSP_S24:
        return (float)load_s24(from) * 0x1p-23f;
    case DSP_S24_32:
        return (float)load_s24(from) * 0x1p-23f;
    case DSP_S32:
        memcpy(&wide, from, sizeof(wide));
        return (float)wide * 0x1p-31f;
    case DSP_FORMAT_COUNT:
        break;
    }
    return sample;
}

/* value * 2^(bits - 1), rounded to nearest even, clipped; NaN is 0. The bounds are exact in float:
 * 2^(bits-1) itself is one too many. */
static int32_t
to_integer(float sample, unsigned bits)
{
    float scale = (float)(1U << (bits - 1));
    float scaled = sample * scale;
    if (!(scaled < scale)) {
        return isnan(sample) ? 0 : (int32_t)((UINT32_C(1) << (bits - 1)) - 1);
    }
    if (scaled <= -scale) {
        return (int32_t)(-(int64_t)(UINT32_C(1) << (bits - 1)));
    }
    int64_t rounded = (int64_t)rintf(scaled);
    int64_t most = ((int64_t)1 << (bits - 1)) - 1;
    return (int32_t)(rounded > most ? most : rounded);
}

static void
store(unsigned char *to, enum dsp_format format, float sample)
{
    int16_t narrow;
    int32_t wide;
    switch (format) {
    case DSP_F32:
        memcpy(to, &sample, sizeof(sample));
        break;
    case DSP_S16:
        narrow = (int16_t)to_integer(sample, 16);
        memcpy(to, &narrow, sizeof(narrow));
        break;
    case DSP_S24:
        wide = to_integer(sample, 24);
        to[0] = (unsigned char)wide;
        to[1] = (unsigned char)(wide >> 8);
        to[2] = (unsigned char)(wide >> 16);
        break;
    case DSP_S24_32:
        wide = to_integer(sample, 24);
        memcpy(to, &wide, sizeof(wide));
        break;
    case DSP_S32:
        wide = to_integer(sample, 32);
        memcpy(to, &wide, sizeof(wide));
        break;
    case DSP_FORMAT_COUNT:
        break;
    }
}

static void
from_device(float *to, const void *from, size_t stride_bytes, enum dsp_format format, size_t frames)
{
    const unsigned char *at = from;
    if (format == DSP_F32 && stride_bytes == sizeof(float)) {
        memcpy(to, from, frames * sizeof(float));
        return;
    }
    for (size_t i = 0; i < frames; i++, at += stride_bytes) {
        to[i] = load(at, format);
    }
}

static void
to_device(void *to, size_t stride_bytes, enum dsp_format format, const float *from, size_t frames)
{
    unsigned char *at = to;
    if (format == DSP_F32 && stride_bytes == sizeof(float)) {
        memcpy(to, from, frames * sizeof(float));
        return;
    }
    for (size_t i = 0; i < frames; i++, at += stride_bytes) {
        store(at, format, from[i]);
    }
}

static void
mix(float *to, const float *const *sources, unsigned source_count, float gain, size_t first,
    size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        float sum = 0;
        for (unsigned s = 0; s < source_count; s++) {
            float sample = sources[s][first + i];
            /* What is not finite would spoil everybody's sum. */
            sample = isfinite(sample) ? sample : 0.0f;
            sum = s ? sum + sample : sample;
        }
        sum = gain == 1.0f ? sum : sum * gain;
        to[i] = sum > 1.0f ? 1.0f : sum < -1.0f ? -1.0f : sum;
    }
}

static float
peak(const float *from, size_t frames)
{
    float most = 0;
    for (size_t i = 0; i < frames; i++) {
        float magnitude = fabsf(from[i]);
        most = magnitude > most ? magnitude : most;
    }
    return most;
}

static void
resample(const struct resampler *resampler, const struct resample_block *block)
{
    const unsigned taps = resampler->taps;
    float weights[RESAMPLE_MOST_TAPS];
    uint64_t position = block->position, step = (uint64_t)block->step;
    for (size_t i = 0; i < block->frames; i++) {
        float share;
        const float *row = resample_row(resampler, position, &share);
        for (unsigned tap = 0; tap < taps; tap++) {
            weights[tap] = row[tap] + share * (row[taps + tap] - row[tap]);
        }
        size_t first = (size_t)(position >> 32) - resample_before(resampler);
        for (unsigned c = 0; c < block->channels; c++) {
            const float *from = block->from[c] + first;
            float sums[RESAMPLE_SUMS] = {0};
            for (unsigned tap = 0; tap < taps; tap++) {
                sums[tap % RESAMPLE_SUMS] += weights[tap] * from[tap];
            }
            block->to[c][i] = resample_add_up(sums);
        }
        position += step;
        step += (uint64_t)block->bend;
    }
}

const struct dsp_kernels dsp_kernels_scalar = {from_device, to_device, mix,  peak,
                                               0,           NULL,      NULL, resample};
