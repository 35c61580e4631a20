/* SPDX-License-Identifier: MIT */
/*
 * The one pacing routine for silence: when the next block of a clock that nobody drives is due.
 * Used by the engine for a lost device and by a program while no engine answers. Pure: time is
 * given.
 */
#ifndef TUTTI_PACE_H
#define TUTTI_PACE_H

#include <stdint.h>

struct pace {
    uint64_t origin_ns; /* when block 0 is due */
    uint64_t blocks;    /* that were due so far */
    double rate_hz;
    uint32_t block_frames;
};

/** The first block is due at first_ns. */
void pace_init(struct pace *pace, uint64_t first_ns, double rate_hz, uint32_t block_frames);
/** When the next block is due, without drift: origin + blocks * frames / rate. */
uint64_t pace_due_ns(const struct pace *pace);
/** Counts the block that is due at now_ns as begun; returns how many whole blocks were skipped
 * because now_ns is later than their whole length: a paused machine goes on at the present, it does
 * not catch up in a burst. */
uint64_t pace_next(struct pace *pace, uint64_t now_ns);

/** How long after a cycle a device may take for the next one, in ns: then a cycle in silence is
 * due. It keeps the rule of the backends (backend.h) with some reserve for a thread that wakes
 * late. */
uint64_t pace_patience_ns(double rate_hz, uint32_t block_frames);

#endif
