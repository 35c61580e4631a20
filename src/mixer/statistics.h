/* SPDX-License-Identifier: MIT */
/*
 * Percentiles of a duration over the last seconds: a histogram with eight steps per octave, two of
 * them in turn. The cycle counts, control reads and turns. All counters are atomic; a count lost
 * while turning does not matter.
 */
#ifndef TUTTI_STATISTICS_H
#define TUTTI_STATISTICS_H

#include <stdatomic.h>
#include <stdint.h>

enum { STATISTICS_BUCKETS = 256 };

struct statistics {
    _Atomic uint32_t count[2][STATISTICS_BUCKETS]; /* written by the cycle, cleared by control */
    _Atomic uint32_t current;                      /* 0 or 1, written by control */
    _Atomic uint64_t max;                          /* ever */
};

/** Counts one value. Real time; one thread. */
void statistics_add(struct statistics *statistics, uint64_t value);
/** Begins a new span: percentiles cover this span and the one before. Control. */
void statistics_turn(struct statistics *statistics);
/** The value below which share (0..1) of the recent values lie; exact to 1/8 octave; 0 when there
 * are none. Control. */
uint32_t statistics_quantile(const struct statistics *statistics, double share);
/** Greatest value ever counted, clipped to 32 bits. */
uint32_t statistics_max(const struct statistics *statistics);

/** Raises a peak (float bits) to value. One writer; control takes it with statistics_take_peak().
 * Real time. */
void statistics_peak(_Atomic uint32_t *peak, float value);
/** The peak since last taken. */
float statistics_take_peak(_Atomic uint32_t *peak);

#endif
