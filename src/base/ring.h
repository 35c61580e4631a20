/* SPDX-License-Identifier: MIT */
/*
 * A ring of fixed-size records for one writer and one reader thread, lock-free and real time on
 * both sides. The storage is the caller's. Records are copied in and out whole.
 */
#ifndef TUTTI_RING_H
#define TUTTI_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    _Atomic uint32_t head; /* written by the writer, read by the reader */
    /* Each in a cache line of its own, by room and not by alignment: the heap gives 8 bytes of that
     * to 32-bit programs, and code for larger ones may fault. */
    unsigned char apart[60];
    _Atomic uint32_t tail; /* the other way round */
    unsigned char apart_too[60];
    unsigned char *storage;
    uint32_t record_bytes;
    uint32_t capacity; /* records; a power of two */
};

/** storage: capacity * record_bytes bytes, outlives the ring. capacity: a power of two. */
void ring_init(struct ring *ring, void *storage, uint32_t record_bytes, uint32_t capacity);
/** False when full. Writer's thread. */
bool ring_put(struct ring *ring, const void *record);
/** True when ring_put() would fail now. Writer's thread. */
bool ring_is_full(const struct ring *ring);
/** False when empty. Reader's thread. */
bool ring_get(struct ring *ring, void *record);

#endif
