/* SPDX-License-Identifier: MIT */
/* The sequence lock around the last block. */
#include "client/last_block.h"

enum { TOLD_HALF = 1, TOLD_JUMPED = 2, TOLD_SILENT = 4 };

void
last_block_clear(struct last_block *last)
{
    atomic_store(&last->version, 0);
}

void
last_block_put(struct last_block *last, const struct tutti_block *block)
{
    uint32_t version = atomic_load_explicit(&last->version, memory_order_relaxed);
    uint32_t flags =
        block->half | (block->jumped ? TOLD_JUMPED : 0) | (block->silent ? TOLD_SILENT : 0);

    /* A reader that acquires a new field sees the odd version too: its second look at the version
     * fails. */
    atomic_store_explicit(&last->version, version + 1, memory_order_relaxed);
    atomic_store_explicit(&last->flags, flags, memory_order_release);
    atomic_store_explicit(&last->frames, block->frames, memory_order_release);
    atomic_store_explicit(&last->position_frames, block->position_frames, memory_order_release);
    atomic_store_explicit(&last->time_ns, block->time_ns, memory_order_release);
    atomic_store_explicit(&last->device_frames, block->device_frames, memory_order_release);
    atomic_store_explicit(&last->generation, block->generation, memory_order_release);
    atomic_store_explicit(&last->version, version + 2, memory_order_release);
}

bool
last_block_get(struct last_block *last, struct tutti_block *block)
{
    uint32_t before, after;

    do {
        before = atomic_load_explicit(&last->version, memory_order_acquire);
        if (before == 0) {
            return false;
        }
        uint32_t flags = atomic_load_explicit(&last->flags, memory_order_acquire);
        block->half = flags & TOLD_HALF;
        block->jumped = flags & TOLD_JUMPED;
        block->silent = flags & TOLD_SILENT;
        block->frames = atomic_load_explicit(&last->frames, memory_order_acquire);
        block->position_frames = atomic_load_explicit(&last->position_frames, memory_order_acquire);
        block->time_ns = atomic_load_explicit(&last->time_ns, memory_order_acquire);
        block->device_frames = atomic_load_explicit(&last->device_frames, memory_order_acquire);
        block->generation = atomic_load_explicit(&last->generation, memory_order_acquire);
        after = atomic_load_explicit(&last->version, memory_order_relaxed);
    } while (before != after || before & 1);
    return true;
}
