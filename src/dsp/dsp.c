/* SPDX-License-Identifier: MIT */
/* Picks the kernels for this processor once, and puts mixing and converting together by tiles. */
#include "dsp/dsp.h"

#include <math.h>
#include <stdatomic.h>

#include "dsp/kernels.h"
#include "dsp_variants.h"

enum { TILE_FRAMES = 256 }; /* on the stack, within the first-level cache */

static const struct {
    const char *name;
    const struct dsp_kernels *kernels;
} table[DSP_VARIANT_COUNT] = {
    [DSP_SCALAR] = {"scalar", &dsp_kernels_scalar},
    [DSP_SSE2] = {"sse2", DSP_KERNELS_SSE2},
    [DSP_SSSE3] = {"ssse3", DSP_KERNELS_SSSE3},
    [DSP_AVX2] = {"avx2", DSP_KERNELS_AVX2},
};

static const struct dsp_kernels *_Atomic picked;

static bool
supported(enum dsp_variant variant)
{
    if (!table[variant].kernels) {
        return false;
    }
#if defined(__x86_64__) || defined(__i386__)
    return variant == DSP_SCALAR || (variant == DSP_SSE2 && __builtin_cpu_supports("sse2")) ||
           (variant == DSP_SSSE3 && __builtin_cpu_supports("ssse3")) ||
           (variant == DSP_AVX2 && __builtin_cpu_supports("avx2"));
#else
    return variant == DSP_SCALAR;
#endif
}

bool
dsp_use(enum dsp_variant variant)
{
    if ((unsigned)variant >= DSP_VARIANT_COUNT || !supported(variant)) {
        return false;
    }
    atomic_store_explicit(&picked, table[variant].kernels, memory_order_relaxed);
    return true;
}

enum dsp_variant
dsp_best(void)
{
    int variant = DSP_VARIANT_COUNT - 1;
    while (!supported((enum dsp_variant)variant)) {
        variant--;
    }
    return (enum dsp_variant)variant;
}

const char *
dsp_variant_name(enum dsp_variant variant)
{
    return (unsigned)variant < DSP_VARIANT_COUNT ? table[variant].name : "?";
}

/* Two threads that come here first pick the same. */
static const struct dsp_kernels *
kernels(void)
{
    const struct dsp_kernels *found = atomic_load_explicit(&picked, memory_order_relaxed);
    if (!found) {
        found = table[dsp_best()].kernels;
        atomic_store_explicit(&picked, found, memory_order_relaxed);
    }
    return found;
}

void
dsp_from_device(float *to, const void *from, size_t stride_bytes, enum dsp_format format,
                size_t frames)
{
    kernels()->from_device(to, from, stride_bytes, format, frames);
}

void
dsp_to_device(void *to, size_t stride_bytes, enum dsp_format format, const float *from,
              size_t frames)
{
    kernels()->to_device(to, stride_bytes, format, from, frames);
}

/* How many of the channels from the first on are done together. */
static unsigned
together(const struct dsp_kernels *use, enum dsp_format format, unsigned channels)
{
    return use->lanes && channels >= use->lanes && dsp_format_bytes(format) == sizeof(uint32_t)
               ? use->lanes
               : 1;
}

void
dsp_from_interleaved(float *const *to, unsigned channels, const void *from, size_t stride_bytes,
                     enum dsp_format format, size_t frames)
{
    const struct dsp_kernels *use = kernels();
    const unsigned char *at = from;
    for (unsigned c = 0, count; c < channels; c += count, at += count * dsp_format_bytes(format)) {
        count = together(use, format, channels - c);
        if (count > 1) {
            use->from_side_by_side(to + c, at, stride_bytes, format, frames);
        } else {
            use->from_device(to[c], at, stride_bytes, format, frames);
        }
    }
}

void
dsp_to_interleaved(void *to, unsigned channels, size_t stride_bytes, enum dsp_format format,
                   const float *const *from, size_t frames)
{
    const struct dsp_kernels *use = kernels();
    unsigned char *at = to;
    for (unsigned c = 0, count; c < channels; c += count, at += count * dsp_format_bytes(format)) {
        count = together(use, format, channels - c);
        if (count > 1) {
            use->to_side_by_side(at, stride_bytes, format, from + c, frames);
        } else {
            use->to_device(at, stride_bytes, format, from[c], frames);
        }
    }
}

void
dsp_mix(float *to, const float *const *sources, unsigned source_count, float gain, size_t frames)
{
    kernels()->mix(to, sources, source_count, gain, 0, frames);
}

void
dsp_mix_to_device(void *to, size_t stride_bytes, enum dsp_format format,
                  const float *const *sources, unsigned source_count, float gain, size_t frames)
{
    const struct dsp_kernels *use = kernels();
    if (format == DSP_F32 && stride_bytes == sizeof(float)) {
        use->mix(to, sources, source_count, gain, 0, frames);
        return;
    }
    float tile[TILE_FRAMES];
    unsigned char *at = to;
    for (size_t done = 0; done < frames; done += TILE_FRAMES) {
        size_t span = frames - done < TILE_FRAMES ? frames - done : TILE_FRAMES;
        use->mix(tile, sources, source_count, gain, done, span);
        use->to_device(at + done * stride_bytes, stride_bytes, format, tile, span);
    }
}

void
dsp_add(float *to, const float *from, float gain, float step, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        float sample = from[i] * (gain + (float)i * step);
        to[i] += isfinite(sample) ? sample : 0.0f;
    }
}

float
dsp_peak(const float *from, size_t frames)
{
    return kernels()->peak(from, frames);
}

void
resample_read(const struct resampler *resampler, const struct resample_block *block)
{
    kernels()->resample(resampler, block);
}
