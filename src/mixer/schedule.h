/* SPDX-License-Identifier: MIT */
/*
 * When a client is called, when its answer is needed, and what latency follows: the arithmetic of
 * buffer B on quantum Q. Pure.
 *
 * The engine counts frames: a cycle at position pos has just captured the frames before pos and
 * mixes the frames [pos, pos + Q). A client's block that begins at frame a is due in the first
 * cycle with a + B <= pos; its output stands at the frames from a + offset on, and is needed in the
 * first cycle with a + offset < pos + Q. Both hold for every phase that a and pos can have: their
 * difference is a multiple of `phase`, a common divisor of B and Q.
 *
 * With D frames to answer the offset is B + D - phase: B for collecting, D - Q for answering later
 * than at once, Q - phase for the worst phase between the two grids.
 */
#ifndef TUTTI_SCHEDULE_H
#define TUTTI_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/** Greatest common divisor; b may be 0. */
uint32_t schedule_gcd(uint32_t a, uint32_t b);

/** D, the time to answer in frames: Q for B <= Q, else B rounded down to whole quanta (Q when
 * tight). */
uint32_t schedule_answer_frames(uint32_t buffer, uint32_t quantum, bool tight);

/** The offset for a client that joins at quantum Q; one buffer more when its blocks are complete
 * only at the next call. */
uint32_t schedule_offset(uint32_t buffer, uint32_t quantum, bool tight, bool late_take);

/** Whether an offset that was promised earlier still leaves every block at least one quantum to
 * answer. */
bool schedule_feasible(uint32_t buffer, uint32_t quantum, uint32_t phase, uint32_t offset,
                       bool late_take);

/** Latencies told to a client. device_in: from a frame in the air to the start of the cycle that
 * brings it first of its period; device_out: from a cycle's start to its first output frame in the
 * air. input: to the block's time stamp (when its last frame was captured). */
uint32_t schedule_input_latency(uint32_t buffer, uint32_t quantum, uint32_t device_in,
                                uint32_t input_delay);
uint32_t schedule_output_latency(uint32_t buffer, uint32_t offset, uint32_t device_out);

/** True when a block's output can be read where the client wrote it, because every mixing window
 * lies within one block and is read before the half is needed again. */
bool schedule_in_place(uint32_t buffer, uint32_t quantum, uint32_t phase, uint32_t offset);

#endif
