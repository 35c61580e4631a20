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

#include "dsp/simd_kernels.h"

const struct dsp_kernels dsp_kernels_avx2 = {from_device, to_device, mix, peak};
