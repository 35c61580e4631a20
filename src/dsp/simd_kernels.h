/* SPDX-License-Identifier: MIT */
/*
 * The kernels over vectors of LANES samples: included once by each variant (sse2.c, avx2.c), which
 * names its instructions before. Bit for bit what scalar.c does: sums go over the sources in their
 * order, sample by sample, and what does not fill a vector is padded and done by the same code.
 *
 * The variant provides: LANES; vec, ivec; vec_load, vec_store, vec_set, vec_add, vec_mul,
 * vec_min, vec_max (the second operand where one is NaN), vec_at_least, vec_ordered (masks);
 * vec_finite (the finite samples, others 0); ivec_store, ivec_from_vec
 * (nearest even; 0x80000000 beyond the range), vec_as_ivec, ivec_xor, ivec_and; vec_magnitude;
 * ivec_load, ivec_shift_left, ivec_shift_right (with the sign), ivec_as_vec (the same bits),
 * vec_from_ivec (the same numbers), vec_transpose (LANES rows of LANES).
 */
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

/* format, and the stride of planar memory, are constants where this is called from: the compiler
 * makes vectors of each loop by itself. */
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
            load_integers(to, at, sizeof(int16_t), DSP_S16, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S16, frames);
        }
        break;
    case DSP_S24:
        if (stride_bytes == 3) {
            load_integers(to, at, 3, DSP_S24, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S24, frames);
        }
        break;
    case DSP_S24_32:
        if (stride_bytes == sizeof(int32_t)) {
            load_integers(to, at, sizeof(int32_t), DSP_S24_32, frames);
        } else {
            load_integers(to, at, stride_bytes, DSP_S24_32, frames);
        }
        break;
    case DSP_S32:
        if (stride_bytes == sizeof(int32_t)) {
            load_integers(to, at, sizeof(int32_t), DSP_S32, frames);
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
            store_integers(at, sizeof(int16_t), DSP_S16, from, frames);
        } else {
            store_integers(at, stride_bytes, DSP_S16, from, frames);
        }
        break;
    case DSP_S24:
        store_integers(at, stride_bytes, DSP_S24, from, frames);
        break;
    case DSP_S24_32:
        store_integers(at, stride_bytes, DSP_S24_32, from, frames);
        break;
    case DSP_S32:
        if (stride_bytes == sizeof(int32_t)) {
            store_integers(at, sizeof(int32_t), DSP_S32, from, frames);
        } else {
            store_integers(at, stride_bytes, DSP_S32, from, frames);
        }
        break;
    case DSP_FORMAT_COUNT:
        break;
    }
}

static inline vec
clip(vec sum, float gain)
{
    sum = gain == 1.0f ? sum : vec_mul(sum, vec_set(gain));
    return vec_max(vec_set(-1.0f), vec_min(vec_set(1.0f), sum));
}

static void
mix(float *to, const float *const *sources, unsigned source_count, float gain, size_t first,
    size_t frames)
{
    size_t i = 0;
    for (; i + LANES <= frames; i += LANES) {
        vec sum = source_count ? vec_finite(vec_load(sources[0] + first + i)) : vec_set(0.0f);
        for (unsigned s = 1; s < source_count; s++) {
            sum = vec_add(sum, vec_finite(vec_load(sources[s] + first + i)));
        }
        vec_store(to + i, clip(sum, gain));
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
        vec_store(samples, clip(sum, gain));
        memcpy(to + i, samples, rest * sizeof(float));
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
        integers = ivec_shift_right(ivec_shift_left(integers, 8), 8);
    }
    return vec_mul(vec_from_ivec(integers), vec_set(1.0f / (float)(1U << (bits_of(format) - 1))));
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
