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

enum { MEASURE_TRIES = 3, MEASURE_BUSY_PERCENT = 50, MEASURE_REST_MS = 500 };

/* Processor time since the machine began, in 100 ns. */
struct measure_time {
    uint64_t idle, all, own;
};
void measure_time(struct measure_time *now);
/** Percent of all processors that other programs, the system included, had since then. */
double measure_others(const struct measure_time *since);
/** The same within MEASURE_REST_MS from now, during which no driver is to be loaded: what a
 * driver's own engine or service takes while it plays is not there then. */
double measure_others_at_rest(void);
/** True when a busy machine excuses what went wrong: other programs had more than
 * MEASURE_BUSY_PERCENT of the processors then, and have it while the driver rests. */
bool measure_excuses(double others, double at_rest);
/** Skips the case with that reason when the machine was busy, else fails it. The driver rests. */
void measure_judge_busy(struct conform *t, double others, const char *why);

/** Tries until it is good, MEASURE_TRIES times at most; the report tells how often. What is not
 * good then has failed, or is skipped when a busy machine excuses the last try. once: true when
 * good, or when the case has failed already; else why is its sentence. It leaves no driver loaded.
 */
void measure_try(struct conform *t,
                 bool (*once)(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES]),
                 const void *arg);

#endif
