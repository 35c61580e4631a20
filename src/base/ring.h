/* SPDX-License-Identifier: MIT */
/*
 * A ring of fixed-size records for one writer and one reader thread, lock-free and real time on
 * both sides. The storage is the caller's. Records are copied in and out whole, or written and read
 * in place, in regions.
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

/* Records in a row; where the memory wraps they are two runs. */
struct ring_region {
    void *run[2];
    uint32_t count[2]; /* records in each */
};

/** The least capacity for so many records (1..2^31): a power of two. */
uint32_t ring_capacity(uint32_t records);
/** storage: capacity * record_bytes bytes, outlives the ring. capacity: a power of two. */
void ring_init(struct ring *ring, void *storage, uint32_t record_bytes, uint32_t capacity);

/* ---- writer's thread ---- */

/** Records for which there is room now; grows when the reader has read. */
uint32_t ring_writable(const struct ring *ring);
/** False when full. */
bool ring_put(struct ring *ring, const void *record);
/** True when ring_put() would fail now. */
bool ring_is_full(const struct ring *ring);
/** Writes records, at most what is writable. */
void ring_write(struct ring *ring, const void *records, uint32_t count);
/** Memory of the next `count` records, at most what is writable; ring_write_done() hands any number
 * of them over. */
struct ring_region ring_write_region(const struct ring *ring, uint32_t count);
void ring_write_done(struct ring *ring, uint32_t count);

/* ---- reader's thread ---- */

/** Records that can be read now; grows when the writer has written. */
uint32_t ring_readable(const struct ring *ring);
/** False when empty. */
bool ring_get(struct ring *ring, void *record);
/** Reads records, at most what is readable. */
void ring_read(struct ring *ring, void *records, uint32_t count);
/** Memory of the next `count` records, at most what is readable; ring_read_done() gives any number
 * of them back to the writer. */
struct ring_region ring_read_region(const struct ring *ring, uint32_t count);
void ring_read_done(struct ring *ring, uint32_t count);

#endif
