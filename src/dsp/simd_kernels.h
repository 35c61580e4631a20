/* SPDX-License-Identifier: MIT */
/*
 * The kernels over vectors of LANES samples: included once by each variant (sse2.c, ssse3.c,
 * avx2.c), which names its instructions before. Bit for bit what scalar.c does: sums go over the
 * sources in their order, sample by sample, and what does not fill a vector is padded and done by
 * the same code.
 *
 * The variant provides: LANES; vec, ivec; vec_load, vec_store, vec_set, vec_add, vec_sub, vec_mul,
 * vec_min, vec_max (the second operand where one is NaN), vec_at_least, vec_ordered (masks);
 * vec_finite (the finite samples, others 0); ivec_store, ivec_from_vec
 * (nearest even; 0x80000000 beyond the range), vec_as_ivec, ivec_xor, ivec_and; vec_magnitude;
 * ivec_load, ivec_shift_left, ivec_as_vec (the same bits), vec_from_ivec (the same numbers),
 * vec_transpose (LANES rows of LANES); ivec_load_16 and ivec_load_24, which put LANES integers of 2
 * and 3 bytes into the upper bytes of their lanes; ivec_store_16 (2 * LANES integers from two
 * vectors) and ivec_store_24 (LANES). They touch no byte beyond.
 */
#include <stdbool.h>
#include <string.h>

#include "dsp/kernels.h"

/* ---- integers and floats ---- */

static unsigned
bits_of(enum dsp_format format)
{
    return format == DSP_S16 ? 16 : format == DSP_S32 ? 32 : 24;
}

/* to_integer() of scalar.c. For up to 24 bits the greatest integer is a float, and clipping there
 * before rounding gives what clipping afterwards gives. */
static ivec
to_integers(vec samples, unsigned bits)
{
    float scale = (float)(1U << (bits - 1));
    vec scaled = vec_mul(samples, vec_set(scale));
    ivec real = vec_as_ivec(vec_ordered(scaled));
    if (bits == 32) {
        ivec above = vec_as_ivec(vec_at_least(scaled, vec_set(scale)));
        return ivec_and(ivec_xor(ivec_from_vec(scaled), above), real);
    }
    vec clipped = vec_max(vec_set(-scale), vec_min(vec_set(scale - 1.0f), scaled));
    return ivec_and(ivec_from_vec(clipped), real);
}

static int32_t
integer_at(const unsigned char *from, enum dsp_format format)
{
    int16_t narrow;
    int32_t wide;
    switch (format) {
    case DSP_S16:
        memcpy(&narrow, from, sizeof(narrow));
        return narrow;
    case DSP_S32:
        memcpy(&wide, from, sizeof(wide));
        return wide;
    case DSP_S24_32:
        memcpy(&wide, from, sizeof(wide));
        return (int32_t)((uint32_t)wide << 8) >> 8;
    case DSP_S24:
    case DSP_F32:
    case DSP_FORMAT_COUNT:
        break;
    }
    uint32_t low = (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16;
    return (int32_t)(low << 8) >> 8;
}

static void
put_integer(unsigned char *to, enum dsp_format format, int32_t value)
{
    int16_t narrow = (int16_t)value;
    switch (format) {
    case DSP_S16:
        memcpy(to, &narrow, sizeof(narrow));
        break;
    case DSP_S24:
        to[0] = (unsigned char)value;
        to[1] = (unsigned char)(value >> 8);
        to[2] = (unsigned char)(value >> 16);
        break;
    case DSP_S24_32:
    case DSP_S32:
        memcpy(to, &value, sizeof(value));
        break;
    case DSP_F32:
    case DSP_FORMAT_COUNT:
        break;
    }
}

/* ---- kernels ---- */

/* LANES integers of planar memory in the upper bits of their lanes. */
static inline ivec
load_upper(const unsigned char *from, enum dsp_format format)
{
    switch (format) {
    case DSP_S16:
        return ivec_load_16(from);
    case DSP_S24:
        return ivec_load_24(from);
    case DSP_S24_32:
        return ivec_shift_left(ivec_load(from), 8);
    case DSP_S32:
    case DSP_F32:
    case DSP_FORMAT_COUNT:
        break;
    }
    return ivec_load(from);
}

/* format is a constant where these are called from. An integer in the upper bits has as many
 * significant ones as before, so that its float is the same after another exact scale. */
static inline void
load_planar(float *to, const unsigned char *from, enum dsp_format format, size_t frames)
{
    const unsigned bytes = format == DSP_S16 ? 2 : format == DSP_S24 ? 3 : 4;
    const vec upper_unit = vec_set(1.0f / 2147483648.0f);
    const float unit = 1.0f / (float)(1U << (bits_of(format) - 1));
    size_t i = 0;
#pragma GCC unroll 4
    for (; i + LANES <= frames; i += LANES) {
        ivec integers = load_upper(from + i * bytes, format);
        vec_store(to + i, vec_mul(vec_from_ivec(integers), upper_unit));
    }
    for (; i < frames; i++) {
        to[i] = (float)integer_at(from + i * bytes, format) * unit;
    }
}

static inline void
load_integers(float *to, const unsigned char *from, size_t stride_bytes, enum dsp_format format,
              size_t frames)
{
    const float unit = 1.0f / (float)(1U << (bits_of(format) - 1));
    for (size_t i = 0; i < frames; i++) {
        to[i] = (float)integer_at(from + i * stride_bytes, format) * unit;
    }
}

static inline void
store_integers(unsigned char *to, size_t stride_bytes, enum dsp_format format, const float *from,
               size_t frames)
{
    int32_t integers[LANES];
    float samples[LANES] = {0};
    for (size_t i = 0; i < frames; i += LANES) {
        size_t count = frames - i < LANES ? frames - i : LANES;
        const float *at = from + i;
        if (count < LANES) {
            memcpy(samples, at, count * sizeof(float));
            at = samples;
        }
        ivec_store(integers, to_integers(vec_load(at), bits_of(format)));
        for (size_t lane = 0; lane < count; lane++) {
            put_integer(to + (i + lane) * stride_bytes, format, integers[lane]);
        }
    }
}

static inline void
store_planar(unsigned char *to, enum dsp_format format, const float *from, size_t frames)
{
    const unsigned bytes = format == DSP_S16 ? 2 : format == DSP_S24 ? 3 : 4;
    const unsigned bits = bits_of(format);
    const size_t step = format == DSP_S16 ? 2 * LANES : LANES;
    size_t i = 0;
#pragma GCC unroll 4
    for (; i + step <= frames; i += step) {
        ivec integers = to_integers(vec_load(from + i), bits);
        unsigned char *at = to + i * bytes;
        if (format == DSP_S16) {
            ivec_store_16(at, integers, to_integers(vec_load(from + i + LANES), bits));
        } else if (format == DSP_S24) {
            ivec_store_24(at, integers);
        } else {
            ivec_store(at, integers);
        }
    }
    store_integers(to + i * bytes, bytes, format, from + i, frames - i);
}

static void
from_device(float *to, const void *from, size_t stride_bytes, enum dsp_format format, size_t frames)
{
    const unsigned char *at = from;
    switch (format) {
    case DSP_F32:
        if (stride_bytes == sizeof(float)) {
            memcpy(to, from, frames * sizeof(float));
            break;
        }
        for (size_t i = 0; i < frames; i++, at += stride_bytes) {
            memcpy(&to[i], at, sizeof(float));
        }
        break;
    case DSP_S16:
        if (stride_bytes == sizeof(int16_t)) {
            load_planar(to, at, DSP_S16, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S16, frames);
        }
        break;
    case DSP_S24:
        if (stride_bytes == 3) {
            load_planar(to, at, DSP_S24, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S24, frames);
        }
        break;
    case DSP_S24_32:
        if (stride_bytes == sizeof(int32_t)) {
            load_planar(to, at, DSP_S24_32, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S24_32, frames);
        }
        break;
    case DSP_S32:
        if (stride_bytes == sizeof(int32_t)) {
            load_planar(to, at, DSP_S32, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S32, frames);
        }
        break;
    case DSP_FORMAT_COUNT:
        break;
    }
}

static void
to_device(void *to, size_t stride_bytes, enum dsp_format format, const float *from, size_t frames)
{
    unsigned char *at = to;
    switch (format) {
    case DSP_F32:
        if (stride_bytes == sizeof(float)) {
            memcpy(to, from, frames * sizeof(float));
            break;
        }
        for (size_t i = 0; i < frames; i++, at += stride_bytes) {
            memcpy(at, &from[i], sizeof(float));
        }
        break;
    case DSP_S16:
        if (stride_bytes == sizeof(int16_t)) {
            store_planar(at, DSP_S16, from, frames);
        } else {
            store_integers(at, stride_bytes, DSP_S16, from, frames);
        }
        break;
    case DSP_S24:
        if (stride_bytes == 3) {
            store_planar(at, DSP_S24, from, frames);
        } else {
            store_integers(at, stride_bytes, DSP_S24, from, frames);
        }
        break;
    case DSP_S24_32:
        if (stride_bytes == sizeof(int32_t)) {
            store_planar(at, DSP_S24_32, from, frames);
        } else {
            store_integers(at, stride_bytes, DSP_S24_32, from, frames);
        }
        break;
    case DSP_S32:
        if (stride_bytes == sizeof(int32_t)) {
            store_planar(at, DSP_S32, from, frames);
        } else {
            store_integers(at, stride_bytes, DSP_S32, from, frames);
        }
        break;
    case DSP_FORMAT_COUNT:
        break;
    }
}

static inline vec
clip(vec sum, vec gain, bool unity)
{
    sum = unity ? sum : vec_mul(sum, gain);
    return vec_max(vec_set(-1.0f), vec_min(vec_set(1.0f), sum));
}

/* The sum of VECTORS vectors of each source, stored once. Sources of different segments lie at the
 * same offset of their pages and share few sets of the cache: the longer the piece that is taken of
 * each, the fewer times they displace one another. */
enum { MIX_VECTORS = 8 };

__attribute__((always_inline)) static inline void
mix_vectors(float *to, const float *const *sources, unsigned source_count, vec gain, bool unity,
            size_t first, unsigned vectors)
{
    vec sum[MIX_VECTORS];
#pragma GCC unroll 8
    for (unsigned v = 0; v < vectors; v++) {
        sum[v] = source_count ? vec_finite(vec_load(sources[0] + first + v * LANES)) : vec_set(0);
    }
    for (unsigned s = 1; s < source_count; s++) {
        const float *from = sources[s] + first;
#pragma GCC unroll 8
        for (unsigned v = 0; v < vectors; v++) {
            sum[v] = vec_add(sum[v], vec_finite(vec_load(from + v * LANES)));
        }
    }
#pragma GCC unroll 8
    for (unsigned v = 0; v < vectors; v++) {
        vec_store(to + v * LANES, clip(sum[v], gain, unity));
    }
}

/* unity is a constant where this is called from. */
__attribute__((always_inline)) static inline void
mix_all(float *to, const float *const *sources, unsigned source_count, vec gain, bool unity,
        size_t first, size_t frames)
{
    size_t i = 0;
    for (; i + MIX_VECTORS * LANES <= frames; i += MIX_VECTORS * LANES) {
        mix_vectors(to + i, sources, source_count, gain, unity, first + i, MIX_VECTORS);
    }
    for (; i + LANES <= frames; i += LANES) {
        mix_vectors(to + i, sources, source_count, gain, unity, first + i, 1);
    }
    size_t rest = frames - i;
    if (rest) {
        float samples[LANES] = {0};
        vec sum = vec_set(0.0f);
        for (unsigned s = 0; s < source_count; s++) {
            memcpy(samples, sources[s] + first + i, rest * sizeof(float));
            vec finite = vec_finite(vec_load(samples));
            sum = s ? vec_add(sum, finite) : finite;
        }
        vec_store(samples, clip(sum, gain, unity));
        memcpy(to + i, samples, rest * sizeof(float));
    }
}

static void
mix(float *to, const float *const *sources, unsigned source_count, float gain, size_t first,
    size_t frames)
{
    if (gain == 1.0f) {
        mix_all(to, sources, source_count, vec_set(1.0f), true, first, frames);
    } else {
        mix_all(to, sources, source_count, vec_set(gain), false, first, frames);
    }
}

/* A NaN is greater than nothing: the scalar code passes it over, and so does max with it first. */
static float
peak(const float *from, size_t frames)
{
    vec most = vec_set(0.0f);
    float samples[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= frames; i += LANES) {
        most = vec_max(vec_magnitude(vec_load(from + i)), most);
    }
    memcpy(samples, from + i, (frames - i) * sizeof(float));
    vec_store(samples, vec_max(vec_magnitude(vec_load(samples)), most));
    float greatest = 0;
    for (unsigned lane = 0; lane < LANES; lane++) {
        greatest = samples[lane] > greatest ? samples[lane] : greatest;
    }
    return greatest;
}

/* ---- channels side by side ---- */

/* What lies in memory, and the sample that it means. */
static inline vec
vec_from_words(vec words, enum dsp_format format)
{
    ivec integers = vec_as_ivec(words);
    if (format == DSP_F32) {
        return words;
    }
    if (format == DSP_S24_32) {
        integers = ivec_shift_left(integers, 8);
    }
    return vec_mul(vec_from_ivec(integers), vec_set(1.0f / 2147483648.0f));
}

static inline vec
words_from_vec(vec samples, enum dsp_format format)
{
    return format == DSP_F32 ? samples : ivec_as_vec(to_integers(samples, bits_of(format)));
}

/* LANES frames at a time are turned in registers, so that each piece of memory that is near is
 * touched once. What does not fill that is done one channel at a time. */
static inline void
load_side_by_side(float *const *to, const unsigned char *from, size_t stride_bytes,
                  enum dsp_format format, size_t frames)
{
    vec rows[LANES];
    size_t i = 0;
    for (; i + LANES <= frames; i += LANES) {
        for (unsigned lane = 0; lane < LANES; lane++, from += stride_bytes) {
            rows[lane] = ivec_as_vec(ivec_load(from));
        }
        vec_transpose(rows);
        for (unsigned lane = 0; lane < LANES; lane++) {
            vec_store(to[lane] + i, vec_from_words(rows[lane], format));
        }
    }
    for (unsigned lane = 0; i < frames && lane < LANES; lane++) {
        from_device(to[lane] + i, from + lane * sizeof(float), stride_bytes, format, frames - i);
    }
}

static inline void
store_side_by_side(unsigned char *to, size_t stride_bytes, enum dsp_format format,
                   const float *const *from, size_t frames)
{
    vec rows[LANES];
    size_t i = 0;
    for (; i + LANES <= frames; i += LANES) {
        for (unsigned lane = 0; lane < LANES; lane++) {
            rows[lane] = words_from_vec(vec_load(from[lane] + i), format);
        }
        vec_transpose(rows);
        for (unsigned lane = 0; lane < LANES; lane++, to += stride_bytes) {
            ivec_store(to, vec_as_ivec(rows[lane]));
        }
    }
    for (unsigned lane = 0; i < frames && lane < LANES; lane++) {
        to_device(to + lane * sizeof(float), stride_bytes, format, from[lane] + i, frames - i);
    }
}

static void
from_side_by_side(float *const *to, const void *from, size_t stride_bytes, enum dsp_format format,
                  size_t frames)
{
    switch (format) {
    case DSP_F32:
        load_side_by_side(to, from, stride_bytes, DSP_F32, frames);
        break;
    case DSP_S24_32:
        load_side_by_side(to, from, stride_bytes, DSP_S24_32, frames);
        break;
    case DSP_S32:
        load_side_by_side(to, from, stride_bytes, DSP_S32, frames);
        break;
    case DSP_S16:
    case DSP_S24:
    case DSP_FORMAT_COUNT:
        break;
    }
}

static void
to_side_by_side(void *to, size_t stride_bytes, enum dsp_format format, const float *const *from,
                size_t frames)
{
    switch (format) {
    case DSP_F32:
        store_side_by_side(to, stride_bytes, DSP_F32, from, frames);
        break;
    case DSP_S24_32:
        store_side_by_side(to, stride_bytes, DSP_S24_32, from, frames);
        break;
    case DSP_S32:
        store_side_by_side(to, stride_bytes, DSP_S32, from, frames);
        break;
    case DSP_S16:
    case DSP_S24:
    case DSP_FORMAT_COUNT:
        break;
    }
}

/* ---- samples between samples ---- */

static void
resample(const struct resampler *resampler, const struct resample_block *block)
{
    const unsigned taps = resampler->taps;
    float weights[RESAMPLE_MOST_TAPS];
    uint64_t position = block->position, step = (uint64_t)block->step;
    for (size_t i = 0; i < block->frames; i++) {
        float share;
        const float *row = resample_row(resampler, position, &share);
        for (unsigned tap = 0; tap < taps; tap += LANES) {
            vec here = vec_load(row + tap);
            vec rise = vec_sub(vec_load(row + taps + tap), here);
            vec_store(weights + tap, vec_add(here, vec_mul(vec_set(share), rise)));
        }
        size_t first = (size_t)(position >> 32) - resample_before(resampler);
        for (unsigned c = 0; c < block->channels; c++) {
            const float *from = block->from[c] + first;
            vec parts[RESAMPLE_SUMS / LANES];
            for (unsigned part = 0; part < RESAMPLE_SUMS / LANES; part++) {
                parts[part] = vec_set(0.0f);
            }
            for (unsigned tap = 0; tap < taps; tap += RESAMPLE_SUMS) {
                for (unsigned part = 0; part < RESAMPLE_SUMS / LANES; part++) {
                    unsigned at = tap + part * LANES;
                    vec product = vec_mul(vec_load(weights + at), vec_load(from + at));
                    parts[part] = vec_add(parts[part], product);
                }
            }
            float sums[RESAMPLE_SUMS];
            for (unsigned part = 0; part < RESAMPLE_SUMS / LANES; part++) {
                vec_store(sums + part * LANES, parts[part]);
            }
            block->to[c][i] = resample_add_up(sums);
        }
        position += step;
        step += (uint64_t)block->bend;
    }
}
