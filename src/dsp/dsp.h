/* SPDX-License-Identifier: MIT */
/*
 * Sample arithmetic: formats, conversion, mixing, meters. Pure functions over memory; kernels are
 * picked once from a table by what the processor can do. A variant is one more file (sse2.c,
 * ssse3.c, avx2.c) that the build finds. Nothing here allocates, waits or knows the time.
 *
 * Inside Tutti samples are float32, planar, full scale ±1.0. All functions are real time and may be
 * called on any thread. Pointers are borrowed for the call. Buffers may have any alignment unless
 * said otherwise.
 */
#ifndef TUTTI_DSP_H
#define TUTTI_DSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, bytes per sample, significant bits, short text). Little endian, one channel's sample in a
 * device's memory. */
#define DSP_FORMAT_TABLE(X)                                                                        \
    X(F32, 4, 24, "float32")                                                                       \
    X(S16, 2, 16, "int16")                                                                         \
    X(S24, 3, 24, "int24 packed")                                                                  \
    X(S24_32, 4, 24, "int24 in 32, low bits")                                                      \
    X(S32, 4, 32, "int32")

enum dsp_format {
#define DSP_FORMAT_ENUM(name, bytes, bits, text) DSP_##name,
    DSP_FORMAT_TABLE(DSP_FORMAT_ENUM)
#undef DSP_FORMAT_ENUM
        DSP_FORMAT_COUNT
};

unsigned dsp_format_bytes(enum dsp_format format); /* 0 for an unknown format */
unsigned dsp_format_bits(enum dsp_format format);
const char *dsp_format_text(enum dsp_format format);

/*
 * Integer n-bit to float: value / 2^(n-1), exact up to 24 bits. Float to integer: value * 2^(n-1)
 * rounded to nearest even, clipped to [-2^(n-1), 2^(n-1)-1]; NaN becomes 0, infinities clip. So
 * 24-bit integers pass bit-exactly.
 */

/** One channel from a device: frames samples, stride_bytes apart (format bytes when planar), to
 * float. */
void dsp_from_device(float *to, const void *from, size_t stride_bytes, enum dsp_format format,
                     size_t frames);

/** One channel of float to a device's memory. F32 is copied bit for bit (no clipping, NaN too). */
void dsp_to_device(void *to, size_t stride_bytes, enum dsp_format format, const float *from,
                   size_t frames);

/** The same two for channels that lie side by side in a device's memory, the first one's sample at
 * `from` (`to`): several are turned at a time, so that with many channels each piece of memory is
 * touched once and not once for each of them. */
void dsp_from_interleaved(float *const *to, unsigned channels, const void *from,
                          size_t stride_bytes, enum dsp_format format, size_t frames);
void dsp_to_interleaved(void *to, unsigned channels, size_t stride_bytes, enum dsp_format format,
                        const float *const *from, size_t frames);

/**
 * Fused mix: the sum of source_count channels, times gain, clipped to [-1, 1], in the device's
 * format, stored once. A sample of a source that is NaN or infinite counts as 0, so that one
 * program cannot spoil another's. Sources are added in order, in float32; gain 1 leaves the sum
 * untouched. source_count 0 stores silence; 1 with gain 1 and F32 is a bit-for-bit copy of finite
 * samples within [-1, 1].
 */
void dsp_mix_to_device(void *to, size_t stride_bytes, enum dsp_format format,
                       const float *const *sources, unsigned source_count, float gain,
                       size_t frames);

/** The same sum, clipped, to float (the monitor of the mix). to may not alias a source. */
void dsp_mix(float *to, const float *const *sources, unsigned source_count, float gain,
             size_t frames);

/** Adds one channel to another, times a gain that changes by step with each frame: sample i counts
 * gain + i * step. What is not finite then counts as 0. One loop, which compilers make vectors of:
 * no variants. */
void dsp_add(float *to, const float *from, float gain, float step, size_t frames);

/** Peak of |sample| over one channel; NaN counts as 0. */
float dsp_peak(const float *from, size_t frames);

/** Variants, so that a test can hold each against the scalar one. */
enum dsp_variant { DSP_SCALAR, DSP_SSE2, DSP_SSSE3, DSP_AVX2, DSP_VARIANT_COUNT };
/** Picks a variant for the whole process; false when this processor lacks it. The best one is taken
 * by itself on first use. For tests and benchmarks: call while nothing else runs. */
bool dsp_use(enum dsp_variant variant);
enum dsp_variant dsp_best(void);
const char *dsp_variant_name(enum dsp_variant variant);

#endif
