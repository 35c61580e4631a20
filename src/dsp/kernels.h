/* SPDX-License-Identifier: MIT */
/* The kernels of one variant; private to this folder. dsp.c picks a table of them. */
#ifndef TUTTI_DSP_KERNELS_H
#define TUTTI_DSP_KERNELS_H

#include "dsp/dsp.h"
#include "dsp/resample.h"

struct dsp_kernels {
    void (*from_device)(float *to, const void *from, size_t stride_bytes, enum dsp_format format,
                        size_t frames);
    void (*to_device)(void *to, size_t stride_bytes, enum dsp_format format, const float *from,
                      size_t frames);
    /* Sum of the sources' samples from `first` on, finite ones only, times gain, clipped to ±1. */
    void (*mix)(float *to, const float *const *sources, unsigned source_count, float gain,
                size_t first, size_t frames);
    float (*peak)(const float *from, size_t frames);
    /* `lanes` channels that lie side by side, in a format of 4 bytes; 0: one at a time. */
    unsigned lanes;
    void (*from_side_by_side)(float *const *to, const void *from, size_t stride_bytes,
                              enum dsp_format format, size_t frames);
    void (*to_side_by_side)(void *to, size_t stride_bytes, enum dsp_format format,
                            const float *const *from, size_t frames);
    void (*resample)(const struct resampler *resampler, const struct resample_block *block);
};

/* How resample() splits a position and adds up, the same in all variants: tap n goes to sum n % 8,
 * and these are added crosswise. */
enum {
    RESAMPLE_SUMS = 8,
    RESAMPLE_LINE_BITS = 23, /* of the fraction, between two phases */
};

static inline float
resample_add_up(const float *sums)
{
    float even = (sums[0] + sums[4]) + (sums[2] + sums[6]);
    float odd = (sums[1] + sums[5]) + (sums[3] + sums[7]);
    return even + odd;
}

/* The phase's row, and how far the position is from it to the next. */
static inline const float *
resample_row(const struct resampler *resampler, uint64_t position, float *share)
{
    uint32_t fraction = (uint32_t)position;
    *share = (float)(fraction & ((1U << RESAMPLE_LINE_BITS) - 1)) / (1U << RESAMPLE_LINE_BITS);
    return resampler->table + (size_t)(fraction >> RESAMPLE_LINE_BITS) * resampler->taps;
}

extern const struct dsp_kernels dsp_kernels_scalar, dsp_kernels_sse2, dsp_kernels_ssse3,
    dsp_kernels_avx2;

#endif
