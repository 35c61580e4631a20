/* SPDX-License-Identifier: MIT */
/*
 * Samples on their way into 24-bit files. See pcm.h. libsndfile would scale floats by 2^23 - 1,
 * which moves every sample of a 24-bit recording; so the numbers are made here and written as
 * integers.
 */
#include "cli/pcm.h"

#include <math.h>

void
pcm_to_int24(int32_t *to, const float *from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        double scaled = (double)from[i] * 8388608.0;
        if (!(scaled > -8388608.0)) {
            scaled = isnan(scaled) ? 0 : -8388608.0;
        } else if (scaled > 8388607.0) {
            scaled = 8388607.0;
        }
        to[i] = (int32_t)lrint(scaled) * 256;
    }
}
