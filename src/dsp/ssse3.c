/* SPDX-License-Identifier: MIT */
/* The kernels with SSSE3: those of SSE2, and packed 24-bit integers by shuffling bytes. */
#include <string.h>
#include <tmmintrin.h>

#include "dsp/sse.h"

static inline ivec
ivec_load_24(const void *from)
{
    const ivec spread = _mm_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11);
    int32_t last;
    memcpy(&last, (const unsigned char *)from + 8, sizeof(last));
    ivec first = _mm_loadl_epi64((const __m128i *)from);
    return _mm_shuffle_epi8(_mm_unpacklo_epi64(first, _mm_cvtsi32_si128(last)), spread);
}

static inline void
ivec_store_24(void *to, ivec integers)
{
    const ivec gather = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    ivec bytes = _mm_shuffle_epi8(integers, gather);
    int32_t last = _mm_cvtsi128_si32(_mm_srli_si128(bytes, 8));
    _mm_storel_epi64((__m128i *)to, bytes);
    memcpy((unsigned char *)to + 8, &last, sizeof(last));
}

#include "dsp/simd_kernels.h"

const struct dsp_kernels dsp_kernels_ssse3 = {
    from_device, to_device, mix, peak, LANES, from_side_by_side, to_side_by_side, resample};
