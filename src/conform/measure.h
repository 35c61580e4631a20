/* SPDX-License-Identifier: MIT */
/* What cases of streams share: a stream of some length, and figures from its blocks. */
#ifndef TUTTI_CONFORM_MEASURE_H
#define TUTTI_CONFORM_MEASURE_H

#include "conform/conform.h"

/** Blocks that fill so many seconds, at least 8. The subject is Prepared. */
uint32_t measure_blocks(const struct subject *s, double seconds);

/** A subject that has streamed so long on two channels each way and was stopped, with all blocks in
 * host.blocks; NULL: failed and said. ask_position: getSamplePosition in calls without time info.
 * Ends with subject_close(). */
struct subject *measure_stream(struct conform *t, double seconds, bool ask_position);

/** Blocks that were seen and kept. */
uint32_t measure_count(const struct subject *s);

/** The value below which so much (0..1) of them lie; sorts them. */
double measure_quantile(double *values, uint32_t count, double share);

/** Frames per second that callbacks brought: blocks by the wall clock, from the first callback to
 * the last one. */
double measure_delivered(const struct subject *s);
/** Frames per second by positions, where they were told: what was lost on the way counts. Else
 * measure_delivered(). */
double measure_rate(const struct subject *s);

/** Rates that devices have, in rising order; ends with 0. */
extern const double measure_rates_hz[];
/** Sets a rate that the driver says it can. False: it says that it cannot, or it refuses all the
 * same, which is said. */
bool measure_set_rate(struct subject *s, double rate_hz);

/** So far a round trip may be from the one reported, in frames: 1 ms, or half a buffer where that
 * is less. */
int32_t measure_tolerance(const struct subject *s);

/** Nanoseconds of one block. */
double measure_block_ns(const struct subject *s);

/** What this process holds now. */
struct measure_holding {
    uint32_t handles, threads;
    uint64_t private_bytes;
};
void measure_holding(struct measure_holding *holding);

/* ---- what a busy machine spoils ---- */

enum { MEASURE_TRIES = 3, MEASURE_BUSY_PERCENT = 50 };

/* Processor time since the machine began, in 100 ns. */
struct measure_time {
    uint64_t idle, all, own;
};
void measure_time(struct measure_time *now);
/** Percent of all processors that other programs, the system included, had since then. */
double measure_others(const struct measure_time *since);

/** Tries until it is good, MEASURE_TRIES times at most. What is not good then has failed, or is
 * skipped when other programs had more than MEASURE_BUSY_PERCENT of the processors in the last try.
 * once: true when good, or when the case has failed already; else why is its sentence. */
void measure_try(struct conform *t,
                 bool (*once)(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES]),
                 const void *arg);

#endif
