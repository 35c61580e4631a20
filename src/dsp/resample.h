/* SPDX-License-Identifier: MIT */
/*
 * Samples between samples: a signal read at any positions, so that frames of one clock can be
 * played by another. A windowed sinc of `taps` samples, from a table of its values at
 * RESAMPLE_PHASES places between two samples, with straight lines between those.
 *
 * Delay: none of its own. The sample at position p is the input's value at p, to less than 0.001
 * frames, and needs the resample_after() frames behind p: that is the latency. A position that is a
 * whole number of frames gives that frame's sample, bit for bit, while the input is not faster than
 * the output.
 *
 * Reading is real time, on any thread: it keeps nothing from one call to the next. Pointers are
 * borrowed for the call; the table belongs to the caller and is only read.
 */
#ifndef TUTTI_DSP_RESAMPLE_H
#define TUTTI_DSP_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    RESAMPLE_PHASES = 512,
    RESAMPLE_NEAR_TAPS = 48,  /* for two clocks of one nominal rate: flat to 20 of 48 kHz */
    RESAMPLE_MOST_TAPS = 384, /* input of four times the output's rate */
};

struct resampler {
    const float *table; /* RESAMPLE_PHASES + 1 rows of `taps` */
    unsigned taps;
};

/* What one call reads and writes. Positions are frames in 32.32 from the first sample of `from` on.
 * From each frame of the output to the next the position moves by step, and then step by bend. */
struct resample_block {
    float *const *to;         /* per channel: `frames` samples, not those of `from` */
    const float *const *from; /* per channel: all samples within reach of all positions */
    unsigned channels;
    size_t frames;
    uint64_t position;
    int64_t step, bend;
};

/** How many taps steps up to most_step (input frames per output frame, at most 4) want. */
unsigned resample_taps(double most_step);

/** Size of the table for so many taps. */
size_t resample_bytes(unsigned taps);

/** Makes the table in `table`, of resample_bytes(), for steps up to most_step. taps: a multiple of
 * 8, at most RESAMPLE_MOST_TAPS. Not real time. */
void resample_init(struct resampler *resampler, float *table, unsigned taps, double most_step);

/** Frames before and after the whole part of a position that its sample is made of. */
unsigned resample_before(const struct resampler *resampler);
unsigned resample_after(const struct resampler *resampler);

/** Reads a block. Real time: a fixed number of steps for each frame and channel. */
void resample_read(const struct resampler *resampler, const struct resample_block *block);

#endif
