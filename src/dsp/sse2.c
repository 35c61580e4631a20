/* SPDX-License-Identifier: MIT */
/* The kernels with SSE2, which every 64-bit processor of this kind has: four samples at a time. It
 * moves no single bytes: packed 24-bit integers go one by one. */
#include <string.h>

#include "dsp/sse.h"

static inline ivec
ivec_load_24(const void *from)
{
    const unsigned char *at = from;
    uint32_t integers[LANES];
    for (unsigned lane = 0; lane < LANES; lane++, at += 3) {
        integers[lane] = (uint32_t)at[0] << 8 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 24;
    }
    return ivec_load(integers);
}

static inline void
ivec_store_24(void *to, ivec integers)
{
    unsigned char *at = to;
    uint32_t lanes[LANES];
    ivec_store(lanes, integers);
    for (unsigned lane = 0; lane < LANES; lane++, at += 3) {
        at[0] = (unsigned char)lanes[lane];
        at[1] = (unsigned char)(lanes[lane] >> 8);
        at[2] = (unsigned char)(lanes[lane] >> 16);
    }
}

#include "dsp/simd_kernels.h"

const struct dsp_kernels dsp_kernels_sse2 = {
    from_device, to_device, mix, peak, LANES, from_side_by_side, to_side_by_side, resample};
