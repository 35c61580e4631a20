/* SPDX-License-Identifier: MIT */
/* The loopback: a burst goes out on outputs and is looked for on inputs, frames counted by blocks.
 */
#ifndef TUTTI_CONFORM_LOOP_H
#define TUTTI_CONFORM_LOOP_H

#include "conform/conform.h"
#include "conform/loop_writer.h"

/** Plays a burst of its own on each of the first outputs and finds one that an input hears; -1 and
 * -1: none. The subject is Initialized before and after. */
void loop_look(struct subject *s, int32_t *output, int32_t *input);

/** The round trip of one output to one input with a buffer size, in frames: from a block's first
 * frame to the frame of input, counted by blocks, that begins the burst. -1: not heard; -2: failed
 * and said. Latencies as the driver reports them are in the subject. It is Initialized before and
 * after. */
int32_t loop_measure(struct subject *s, int32_t output, int32_t input, int32_t buffer_frames);
/** The same of a host that writes its outputs so. */
int32_t loop_measure_as(struct subject *s, int32_t output, int32_t input, int32_t buffer_frames,
                        enum loop_writing how);

/** Fills half 1 of one output with a burst before start (`fills`), plays silence, and looks where
 * the burst is heard: the frame of input that begins it, counted from the first block; -1: it is
 * not; -2: failed and said. brief: it stops after the first block, so that half 1 stays as it is,
 * and hears nothing. The subject is Prepared before and after, with buffers of at least
 * loop_least_frames(). */
int32_t loop_first_half(struct subject *s, int32_t output, int32_t input, bool fills, bool brief);
int32_t loop_least_frames(void);

/* What comes back of a long noise. */
struct loop_heard {
    uint32_t compared;        /* frames where nothing was told to be lost */
    uint32_t different;       /* among those: not what was played, at the level found */
    uint32_t first_different; /* counted from the first block */
    uint32_t told;            /* frames that were on their way when the position jumped, or were
                                 given shortly before an Overload came */
    int32_t round_trip_frames;
    double gain;
};
/** Plays noise for some seconds and compares what comes back; compared is 0 when it was not heard.
 * False: failed and said. */
bool loop_compare(struct subject *s, int32_t output, int32_t input, double seconds,
                  struct loop_heard *heard);

#endif
