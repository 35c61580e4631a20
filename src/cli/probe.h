/* SPDX-License-Identifier: MIT */
/*
 * The test signal of 'tutti latency': a maximum length sequence, and finding it again in what was
 * heard. The sequence looks like noise but matches itself at one shift only, so it is found to the
 * frame, below other sound and with reversed polarity. Pure.
 */
#ifndef TUTTI_CLI_PROBE_H
#define TUTTI_CLI_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum { PROBE_MIN_ORDER = 4, PROBE_MAX_ORDER = 18, PROBE_CLEAR = 8 };

/** Frames of the sequence: 2^order - 1. */
uint32_t probe_frames(unsigned order);

/** Writes the sequence as +level and -level, probe_frames(order) long. order:
 * PROBE_MIN_ORDER..PROBE_MAX_ORDER. */
void probe_make(unsigned order, float level, float *samples);

struct probe_match {
    bool found;      /* it stands out clearly */
    bool inverted;   /* with reversed polarity */
    bool exact;      /* every sample came back bit for bit */
    uint64_t offset; /* of the sequence's first frame in what was heard */
    double gain;     /* heard level over sent level */
    double clarity;  /* the match over the usual level of matches elsewhere; PROBE_CLEAR and more is
                        found */
};

/** Looks for `sent` (count frames) at every offset of `heard` at which it fits whole. heard_count
 * >= count. False: no memory. */
bool probe_find(const float *sent, uint32_t count, const float *heard, uint64_t heard_count,
                struct probe_match *match);

#endif
