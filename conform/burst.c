/* SPDX-License-Identifier: MIT */
/* A burst of noise and where it comes back. See burst.h. */
#include "conform/burst.h"

#include <math.h>

enum { PROBE_FRAMES = 48 };

void
burst_make(float burst[BURST_FRAMES], uint32_t number)
{
    uint32_t x = 0x9e3779b9u * (number + 1);

    for (unsigned i = 0; i < BURST_FRAMES; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        burst[i] = ((float)(x >> 8) / 8388608.0f - 1.0f) * 0.5f;
    }
}

/* How like the burst's first n samples these are: 1 the same up to a factor, 0 not at all. */
static double
likeness(const float *burst, const float *samples, unsigned n)
{
    double product = 0, own = 0, other = 0;

    for (unsigned i = 0; i < n; i++) {
        product += (double)samples[i] * (double)burst[i];
        own += (double)burst[i] * (double)burst[i];
        other += (double)samples[i] * (double)samples[i];
    }
    return other > 1e-9 ? product / sqrt(own * other) : 0;
}

int32_t
burst_find(const float burst[BURST_FRAMES], const float *heard, uint32_t n)
{
    double best = 0.5;
    int32_t place = -1;

    for (uint32_t at = 0; at + BURST_FRAMES <= n; at++) {
        if (likeness(burst, heard + at, PROBE_FRAMES) < 0.4) {
            continue;
        }
        double like = likeness(burst, heard + at, BURST_FRAMES);
        if (like > best) {
            best = like;
            place = (int32_t)at;
        }
    }
    return place;
}
