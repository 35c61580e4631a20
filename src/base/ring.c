/* SPDX-License-Identifier: MIT */
/* One writer, one reader: head and tail count records and wrap at 2^32, which a power of two
 * divides. */
#include "base/ring.h"

#include <string.h>

uint32_t
ring_capacity(uint32_t records)
{
    uint32_t capacity = 1;
    while (capacity < records) {
        capacity *= 2;
    }
    return capacity;
}

void
ring_init(struct ring *ring, void *storage, uint32_t record_bytes, uint32_t capacity)
{
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    ring->storage = storage;
    ring->record_bytes = record_bytes;
    ring->capacity = capacity;
}

static struct ring_region
region_at(const struct ring *ring, uint32_t at, uint32_t count)
{
    uint32_t first = at & (ring->capacity - 1);
    uint32_t rest = ring->capacity - first;
    uint32_t whole = count < rest ? count : rest;
    return (struct ring_region){
        .run = {ring->storage + (size_t)first * ring->record_bytes, ring->storage},
        .count = {whole, count - whole},
    };
}

/* ---- writer's thread ---- */

uint32_t
ring_writable(const struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    /* Partner: the reader's release store: the records were read. */
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return ring->capacity - (head - tail);
}

struct ring_region
ring_write_region(const struct ring *ring, uint32_t count)
{
    return region_at(ring, atomic_load_explicit(&ring->head, memory_order_relaxed), count);
}

void
ring_write_done(struct ring *ring, uint32_t count)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    /* Partner: the acquire load in ring_readable(). */
    atomic_store_explicit(&ring->head, head + count, memory_order_release);
}

void
ring_write(struct ring *ring, const void *records, uint32_t count)
{
    struct ring_region to = ring_write_region(ring, count);
    size_t bytes = (size_t)to.count[0] * ring->record_bytes;
    memcpy(to.run[0], records, bytes);
    memcpy(to.run[1], (const unsigned char *)records + bytes,
           (size_t)to.count[1] * ring->record_bytes);
    ring_write_done(ring, count);
}

bool
ring_put(struct ring *ring, const void *record)
{
    if (ring_is_full(ring)) {
        return false;
    }
    ring_write(ring, record, 1);
    return true;
}

bool
ring_is_full(const struct ring *ring)
{
    return ring_writable(ring) == 0;
}

/* ---- reader's thread ---- */

uint32_t
ring_readable(const struct ring *ring)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    /* Partner: the writer's release store: the records are whole. */
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    return head - tail;
}

struct ring_region
ring_read_region(const struct ring *ring, uint32_t count)
{
    return region_at(ring, atomic_load_explicit(&ring->tail, memory_order_relaxed), count);
}

void
ring_read_done(struct ring *ring, uint32_t count)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    /* Partner: the acquire load in ring_writable(). */
    atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
}

void
ring_read(struct ring *ring, void *records, uint32_t count)
{
    struct ring_region from = ring_read_region(ring, count);
    size_t bytes = (size_t)from.count[0] * ring->record_bytes;
    memcpy(records, from.run[0], bytes);
    memcpy((unsigned char *)records + bytes, from.run[1],
           (size_t)from.count[1] * ring->record_bytes);
    ring_read_done(ring, count);
}

bool
ring_get(struct ring *ring, void *record)
{
    if (ring_readable(ring) == 0) {
        return false;
    }
    ring_read(ring, record, 1);
    return true;
}
