/* SPDX-License-Identifier: MIT */
/* The kernels with AVX2: eight samples at a time. */
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 8 };
typedef __m256 vec;
typedef __m256i ivec;

#define vec_load _mm256_loadu_ps
#define vec_store _mm256_storeu_ps
#define vec_set _mm256_set1_ps
#define vec_add _mm256_add_ps
#define vec_sub _mm256_sub_ps
#define vec_mul _mm256_mul_ps
#define vec_min _mm256_min_ps
#define vec_max _mm256_max_ps
#define vec_at_least(a, b) _mm256_cmp_ps(a, b, _CMP_GE_OQ)
#define vec_ordered(a) _mm256_cmp_ps(a, a, _CMP_ORD_Q)
#define vec_as_ivec _mm256_castps_si256
#define ivec_from_vec _mm256_cvtps_epi32
#define ivec_store(to, what) _mm256_storeu_si256((__m256i *)(void *)(to), what)
#define ivec_and _mm256_and_si256
#define ivec_xor _mm256_xor_si256
#define ivec_load(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define ivec_shift_left _mm256_slli_epi32
#define ivec_as_vec _mm256_castsi256_ps
#define vec_from_ivec _mm256_cvtepi32_ps

/* Its greatest exponent marks what is not finite. */
static inline vec
vec_finite(vec samples)
{
    const ivec exponent = _mm256_set1_epi32(0x7f800000);
    ivec bits = _mm256_castps_si256(samples);
    ivec not_finite = _mm256_cmpeq_epi32(_mm256_and_si256(bits, exponent), exponent);
    return _mm256_castsi256_ps(_mm256_andnot_si256(not_finite, bits));
}

static inline vec
vec_magnitude(vec samples)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), samples);
}

/* Pairs, then fours, then the halves of all eight. */
static inline void
vec_transpose(vec *rows)
{
    vec pairs[LANES], fours[LANES];
    for (unsigned i = 0; i < LANES; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (unsigned i = 0; i < LANES; i += 4) {
        for (unsigned half = 0; half < 2; half++) {
            vec first = pairs[i + half], second = pairs[i + 2 + half];
            fours[i + 2 * half] = _mm256_shuffle_ps(first, second, _MM_SHUFFLE(1, 0, 1, 0));
            fours[i + 2 * half + 1] = _mm256_shuffle_ps(first, second, _MM_SHUFFLE(3, 2, 3, 2));
        }
    }
    for (unsigned i = 0; i < LANES / 2; i++) {
        rows[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}

/* In the upper bytes of their lanes. */
static inline ivec
ivec_load_16(const void *from)
{
    return _mm256_slli_epi32(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)from)), 16);
}

/* Two loads, the second 8 bytes on: each half holds its four integers, and 24 bytes are read. */
static inline ivec
ivec_load_24(const void *from)
{
    const ivec spread = _mm256_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1,
                                         4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15);
    const __m128i *at = (const __m128i *)from;
    __m128i low = _mm_loadu_si128(at);
    __m128i high = _mm_loadu_si128((const __m128i *)((const unsigned char *)from + 8));
    return _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1),
                               spread);
}

static inline void
ivec_store_16(void *to, ivec first, ivec second)
{
    ivec packed = _mm256_packs_epi32(first, second); /* by halves */
    _mm256_storeu_si256((__m256i *)to, _mm256_permute4x64_epi64(packed, _MM_SHUFFLE(3, 1, 2, 0)));
}

static inline void
ivec_store_24(void *to, ivec integers)
{
    const ivec gather = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0,
                                         1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    const ivec together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
    ivec bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(integers, gather), together);
    _mm_storeu_si128((__m128i *)to, _mm256_castsi256_si128(bytes));
    _mm_storel_epi64((__m128i *)((unsigned char *)to + 16), _mm256_extracti128_si256(bytes, 1));
}

#include "dsp/simd_kernels.h"

const struct dsp_kernels dsp_kernels_avx2 = {
    from_device, to_device, mix, peak, LANES, from_side_by_side, to_side_by_side, resample};
