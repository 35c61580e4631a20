/* SPDX-License-Identifier: MIT */
/* The last block as the host was told of it, for readers on any thread: a sequence lock of atomics.
 */
#ifndef TUTTI_CLIENT_TOLD_H
#define TUTTI_CLIENT_TOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tutti/tutti.h"

struct told {
    _Atomic uint32_t version; /* odd: being written; 0: nothing yet */
    _Atomic uint32_t flags;   /* half, jumped, silent */
    _Atomic uint32_t frames;
    _Atomic uint64_t position_frames, time_ns, device_frames, generation;
};

/** Forgets. No reader is to see anything until the next told_put(). */
void told_clear(struct told *told);
/** One thread. Real time. */
void told_put(struct told *told, const struct tutti_block *block);
/** All of one block; false before the first. Any thread. */
bool told_get(struct told *told, struct tutti_block *block);

#endif
