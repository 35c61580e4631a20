/* SPDX-License-Identifier: MIT */
/* The last block as it was given to the host, for readers on any thread: a sequence lock of
 * atomics.
 */
#ifndef TUTTI_CLIENT_LAST_BLOCK_H
#define TUTTI_CLIENT_LAST_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tutti/tutti.h"

struct last_block {
    _Atomic uint32_t version; /* odd: being written; 0: nothing yet */
    _Atomic uint32_t flags;   /* half, jumped, silent */
    _Atomic uint32_t frames;
    _Atomic uint64_t position_frames, time_ns, device_frames, generation;
};

/** Forgets. No reader is to see anything until the next last_block_put(). */
void last_block_clear(struct last_block *last);
/** One thread. Real time. */
void last_block_put(struct last_block *last, const struct tutti_block *block);
/** All of one block; false before the first. Any thread. */
bool last_block_get(struct last_block *last, struct tutti_block *block);

#endif
