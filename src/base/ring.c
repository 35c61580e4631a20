/* SPDX-License-Identifier: MIT */
/* One writer, one reader: head and tail count records and wrap at 2^32, which a power of two
 * divides. */
#include "base/ring.h"

#include <string.h>

void
ring_init(struct ring *ring, void *storage, uint32_t record_bytes, uint32_t capacity)
{
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    ring->storage = storage;
    ring->record_bytes = record_bytes;
    ring->capacity = capacity;
}

static void *
slot(const struct ring *ring, uint32_t count)
{
    return ring->storage + (size_t)(count & (ring->capacity - 1)) * ring->record_bytes;
}

bool
ring_put(struct ring *ring, const void *record)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    /* Partner: the reader's release store: the slot was read. */
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail >= ring->capacity) {
        return false;
    }
    memcpy(slot(ring, head), record, ring->record_bytes);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

bool
ring_is_full(const struct ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_relaxed) -
               atomic_load_explicit(&ring->tail, memory_order_relaxed) >=
           ring->capacity;
}

bool
ring_get(struct ring *ring, void *record)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    /* Partner: the writer's release store: the record is whole. */
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (head == tail) {
        return false;
    }
    memcpy(record, slot(ring, tail), ring->record_bytes);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}
