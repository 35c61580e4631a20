/* SPDX-License-Identifier: MIT */
/*
 * The test signal and its detection. See probe.h. The correlation at all offsets is one product in
 * the frequency domain; a small radix-2 transform in double precision is all it takes, once per
 * measurement.
 */
#include "cli/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

struct complex {
    double re, im;
};

uint32_t
probe_frames(unsigned order)
{
    return (1U << order) - 1;
}

void
probe_make(unsigned order, float level, float *samples)
{
    /* Feedback masks of Galois registers with the longest period, by order. */
    static const uint32_t masks[PROBE_MAX_ORDER + 1] = {
        [4] = 0x9,     [5] = 0x12,    [6] = 0x21,    [7] = 0x41,     [8] = 0x8E,
        [9] = 0x108,   [10] = 0x204,  [11] = 0x402,  [12] = 0x829,   [13] = 0x100D,
        [14] = 0x2015, [15] = 0x4001, [16] = 0x8016, [17] = 0x10004, [18] = 0x20013,
    };
    uint32_t state = 1, count = probe_frames(order);

    for (uint32_t i = 0; i < count; i++) {
        samples[i] = state & 1U ? level : -level;
        state = (state >> 1) ^ (state & 1U ? masks[order] : 0);
    }
}

/* In place, size a power of two. roots: exp(-2 pi i k / size) for k < size/2. */
static void
transform(struct complex *data, size_t size, const struct complex *roots, bool inverse)
{
    for (size_t i = 1, j = 0; i < size; i++) {
        size_t bit = size >> 1;
        for (; j & bit; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            struct complex swap = data[i];
            data[i] = data[j];
            data[j] = swap;
        }
    }
    for (size_t length = 2; length <= size; length *= 2) {
        size_t step = size / length, half = length / 2;
        for (size_t start = 0; start < size; start += length) {
            for (size_t k = 0; k < half; k++) {
                struct complex root = roots[k * step];
                struct complex *a = &data[start + k], *b = &data[start + k + half];
                double im = inverse ? -root.im : root.im;
                struct complex turned = {b->re * root.re - b->im * im,
                                         b->re * im + b->im * root.re};
                *b = (struct complex){a->re - turned.re, a->im - turned.im};
                *a = (struct complex){a->re + turned.re, a->im + turned.im};
            }
        }
    }
}

/* Both real signals ride in one transform: heard as the real, sent as the imaginary part. Then
 * data[k].re is the correlation of heard from k on with sent, times size. */
static void
correlate(struct complex *data, size_t size, const struct complex *roots)
{
    transform(data, size, roots, false);
    for (size_t k = 0; k <= size / 2; k++) {
        size_t mirror = (size - k) & (size - 1);
        struct complex z = data[k], w = data[mirror];
        struct complex heard = {(z.re + w.re) / 2, (z.im - w.im) / 2};
        struct complex sent = {(z.im + w.im) / 2, (w.re - z.re) / 2};
        struct complex product = {heard.re * sent.re + heard.im * sent.im,
                                  heard.im * sent.re - heard.re * sent.im};
        data[k] = product;
        data[mirror] = (struct complex){product.re, -product.im};
    }
    transform(data, size, roots, true);
}

/* The place that stands out. energy: of what was sent. */
static void
judge(const struct complex *data, size_t size, uint64_t offsets, double energy,
      struct probe_match *match)
{
    uint64_t best = 0;
    double squares = 0;

    for (uint64_t k = 0; k < offsets; k++) {
        squares += data[k].re * data[k].re;
        if (fabs(data[k].re) > fabs(data[best].re)) {
            best = k;
        }
    }
    double peak = data[best].re;
    double rest = offsets > 1 ? sqrt((squares - peak * peak) / (double)(offsets - 1)) : 0;
    /* Rounding alone: what silence would leave. */
    double least = energy * (double)size * 1e-9;
    if (!(rest > least)) {
        rest = least;
    }
    double clarity = rest > 0 ? fabs(peak) / rest : 0;
    *match = (struct probe_match){
        .found = clarity >= PROBE_CLEAR,
        .inverted = peak < 0,
        .offset = best,
        .gain = fabs(peak) / (energy * (double)size),
        .clarity = clarity,
    };
}

bool
probe_find(const float *sent, uint32_t count, const float *heard, uint64_t heard_count,
           struct probe_match *match)
{
    size_t size = 2;
    double energy = 0;

    while (size < heard_count + count) {
        size *= 2;
    }
    struct complex *data = calloc(size, sizeof(*data));
    struct complex *roots = calloc(size / 2, sizeof(*roots));
    bool done = data && roots;
    if (done) {
        for (size_t k = 0; k < size / 2; k++) {
            double angle = -2 * pi * (double)k / (double)size;
            roots[k] = (struct complex){cos(angle), sin(angle)};
        }
        for (uint64_t i = 0; i < heard_count; i++) {
            data[i].re = isfinite(heard[i]) ? (double)heard[i] : 0;
        }
        for (uint32_t i = 0; i < count; i++) {
            data[i].im = (double)sent[i];
            energy += (double)sent[i] * (double)sent[i];
        }
        correlate(data, size, roots);
        judge(data, size, heard_count - count + 1, energy, match);
        match->exact = memcmp(sent, heard + match->offset, count * sizeof(*sent)) == 0;
    }
    free(roots);
    free(data);
    return done;
}
