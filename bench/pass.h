/* SPDX-License-Identifier: MIT */
/*
 * A pass-through program of 2 inputs and 2 outputs that writes down when each of its cycles ended.
 * The records lie in a file that bench/cycle.py maps, so that writing them costs a store or two.
 */
#ifndef TUTTI_BENCH_PASS_H
#define TUTTI_BENCH_PASS_H

#include <stdatomic.h>
#include <stdint.h>

enum { PASS_RECORDS = 1 << 16 };

struct pass_record {
    uint64_t cycle;   /* number of the period, from the server's count of frames */
    uint64_t call_ns; /* CLOCK_MONOTONIC: the callback began */
    uint64_t done_ns; /* its last act */
    uint64_t reserved;
};

struct pass_file {
    _Atomic uint64_t count; /* records so far; the oldest are overwritten */
    _Atomic uint64_t ready; /* 1: the server calls */
    uint64_t reserved[6];
    struct pass_record record[PASS_RECORDS];
};

/** Begins a callback; the record is this program's alone. Real time. */
struct pass_record *pass_begin(struct pass_file *file);
/** Ends it. Real time. */
void pass_end(struct pass_file *file, struct pass_record *record);

/** Each system's own: runs until standard input ends. 0: all right; else a sentence was printed. */
int pass_run(struct pass_file *file, unsigned number, uint32_t frames);

#endif
