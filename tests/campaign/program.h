/* SPDX-License-Identifier: MIT */
/*
 * What a campaign's program writes down while it plays, in a file that campaign.py maps. Written by
 * the callback thread alone, but for `state`; campaign.py knows the order of the words.
 */
#ifndef TUTTI_CAMPAIGN_PROGRAM_H
#define TUTTI_CAMPAIGN_PROGRAM_H

#include <stdatomic.h>
#include <stdint.h>

struct program_report {
    _Atomic uint64_t blocks;
    _Atomic uint64_t frames;     /* compared with what was sent a round trip before */
    _Atomic uint64_t lost;       /* frames that came back wrong or were jumped over */
    _Atomic uint64_t jumped;     /* of those, jumped over */
    _Atomic uint64_t silent;     /* frames of blocks without a device or an engine */
    _Atomic uint64_t engines;    /* generations met */
    _Atomic uint64_t gap_ns;     /* longest time between two callbacks */
    _Atomic uint64_t silence_ns; /* longest time from a sounding block to the next one */
    _Atomic uint64_t wrong;      /* position backward, halves not alternating, another address */
    _Atomic uint64_t generation; /* of the last block; 0: none */
    _Atomic uint64_t checked;    /* frames compared since the last change of engine */
    _Atomic uint64_t state;      /* 0 starting, 1 plays, 2 stopped, 3 disposed, 4 failed */
    _Atomic uint64_t commands;   /* carried out */
    _Atomic uint64_t thread;     /* of the callback */
    _Atomic uint64_t last_ns;    /* when the last callback began */
    _Atomic uint64_t unheard;    /* frames not compared: around silence, a gap, other latencies */
};

#endif
