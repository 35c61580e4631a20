/* SPDX-License-Identifier: MIT */
/* What sse2.c and ssse3.c have in common: four samples at a time. */
#ifndef TUTTI_DSP_SSE_H
#define TUTTI_DSP_SSE_H

#include <emmintrin.h>
#include <stdint.h>

enum { LANES = 4 };
typedef __m128 vec;
typedef __m128i ivec;

#define vec_load _mm_loadu_ps
#define vec_store _mm_storeu_ps
#define vec_set _mm_set1_ps
#define vec_add _mm_add_ps
#define vec_sub _mm_sub_ps
#define vec_mul _mm_mul_ps
#define vec_min _mm_min_ps
#define vec_max _mm_max_ps
#define vec_at_least _mm_cmpge_ps
#define vec_ordered(a) _mm_cmpord_ps(a, a)
#define vec_as_ivec _mm_castps_si128
#define ivec_from_vec _mm_cvtps_epi32
#define ivec_store(to, what) _mm_storeu_si128((__m128i *)(void *)(to), what)
#define ivec_and _mm_and_si128
#define ivec_xor _mm_xor_si128
#define ivec_load(from) _mm_loadu_si128((const __m128i *)(const void *)(from))
#define ivec_shift_left _mm_slli_epi32
#define ivec_as_vec _mm_castsi128_ps
#define vec_from_ivec _mm_cvtepi32_ps

/* Its greatest exponent marks what is not finite. */
static inline vec
vec_finite(vec samples)
{
    const ivec exponent = _mm_set1_epi32(0x7f800000);
    ivec bits = _mm_castps_si128(samples);
    ivec not_finite = _mm_cmpeq_epi32(_mm_and_si128(bits, exponent), exponent);
    return _mm_castsi128_ps(_mm_andnot_si128(not_finite, bits));
}

static inline vec
vec_magnitude(vec samples)
{
    return _mm_andnot_ps(_mm_set1_ps(-0.0f), samples);
}

static inline void
vec_transpose(vec *rows)
{
    _MM_TRANSPOSE4_PS(rows[0], rows[1], rows[2], rows[3]);
}

/* In the upper bytes of their lanes. */
static inline ivec
ivec_load_16(const void *from)
{
    ivec words = _mm_loadl_epi64((const __m128i *)from);
    return _mm_unpacklo_epi16(_mm_setzero_si128(), words);
}

static inline void
ivec_store_16(void *to, ivec first, ivec second)
{
    _mm_storeu_si128((__m128i *)to, _mm_packs_epi32(first, second));
}

#endif
