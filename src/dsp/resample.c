/* SPDX-License-Identifier: MIT */
/* The table of the windowed sinc; what reads with it is in the kernels. */
#include "dsp/resample.h"

#include <math.h>

static const double pi = 3.14159265358979323846;
/* Above this, what is left of images is below the resolution of float32. */
static const double most_attenuation_db = 140;
/* Of the whole band: from 20 to 28 kHz at 48 kHz. */
static const double widest_transition = 1.0 / 6;
/* Two clocks of one nominal rate: the fold of the last per mille of the band is inaudible. */
static const double nearly_one = 1.001;

unsigned
resample_taps(double most_step)
{
    if (most_step <= nearly_one && most_step >= 2 - nearly_one) {
        return RESAMPLE_NEAR_TAPS;
    }
    double taps = 2 * RESAMPLE_NEAR_TAPS * (most_step > 1 ? most_step : 1);
    return taps < RESAMPLE_MOST_TAPS ? ((unsigned)ceil(taps) + 7) / 8 * 8 : RESAMPLE_MOST_TAPS;
}

size_t
resample_bytes(unsigned taps)
{
    return (size_t)(RESAMPLE_PHASES + 1) * taps * sizeof(float);
}

/* The modified Bessel function of the first kind and order 0. */
static double
bessel(double x)
{
    double sum = 1, term = 1;
    for (unsigned n = 1; term > sum * 1e-17; n++) {
        term *= x / (2 * n) * (x / (2 * n));
        sum += term;
    }
    return sum;
}

/* Kaiser's window: its shape for the attenuation that so many taps reach within the transition. */
static double
shape_of(unsigned taps)
{
    double attenuation = 8 + 2.285 * (taps - 1) * 2 * pi * widest_transition;
    attenuation = attenuation < most_attenuation_db ? attenuation : most_attenuation_db;
    return 0.1102 * (attenuation - 8.7);
}

/* sin(pi * x) / (pi * x), exactly 0 at whole numbers. */
static double
sinc(double x)
{
    if (fabs(x) < 1e-12) {
        return 1;
    }
    return fabs(x - nearbyint(x)) < 1e-12 ? 0 : sin(pi * x) / (pi * x);
}

void
resample_init(struct resampler *resampler, float *table, unsigned taps, double most_step)
{
    double cutoff = most_step > nearly_one ? 1 / most_step : 1;
    double shape = shape_of(taps), half = taps / 2.0, weights[RESAMPLE_MOST_TAPS];
    for (unsigned phase = 0; phase <= RESAMPLE_PHASES; phase++) {
        double sum = 0;
        for (unsigned tap = 0; tap < taps; tap++) {
            double x = tap + 1 - half - (double)phase / RESAMPLE_PHASES;
            double edge = 1 - x / half * (x / half);
            weights[tap] = edge > 0 ? sinc(x * cutoff) * bessel(shape * sqrt(edge)) : 0;
            sum += weights[tap];
        }
        for (unsigned tap = 0; tap < taps; tap++) {
            table[(size_t)phase * taps + tap] = (float)(weights[tap] / sum);
        }
    }
    *resampler = (struct resampler){.table = table, .taps = taps};
}

unsigned
resample_before(const struct resampler *resampler)
{
    return resampler->taps / 2 - 1;
}

unsigned
resample_after(const struct resampler *resampler)
{
    return resampler->taps / 2;
}
