/* SPDX-License-Identifier: MIT */
/*
 * What the two sides of ./run bench wine --only ways share: a Windows program (ways.c) sends a
 * number and waits for it to come back, from a native program (ways_echo.c) or, by Wine's events,
 * from another Windows program. Once a millisecond, for that is when a callback is due: both sides
 * are asleep by then.
 */
#ifndef TUTTI_BENCH_WAYS_H
#define TUTTI_BENCH_WAYS_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    WAYS_ROUNDS = 3000,
    WAYS_WARM_UP = 200,
    WAYS_LAST = UINT8_MAX, /* through a pipe: that was all */
    WAYS_SPINS = 200,      /* looks at a word of memory before another thread may run */
};

/* In a file that both map. */
struct ways_page {
    _Atomic uint32_t there, back;
};

#endif
