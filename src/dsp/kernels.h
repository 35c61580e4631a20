/* SPDX-License-Identifier: MIT */
/* The kernels of one variant; private to this folder. dsp.c picks a table of them. */
#ifndef TUTTI_DSP_KERNELS_H
#define TUTTI_DSP_KERNELS_H

#include "dsp/dsp.h"

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
};

extern const struct dsp_kernels dsp_kernels_scalar, dsp_kernels_sse2, dsp_kernels_ssse3,
    dsp_kernels_avx2;

#endif
