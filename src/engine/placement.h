/* SPDX-License-Identifier: MIT */
/*
 * Where programs' threads run. Waking a sleeping thread on another processor costs an interrupt and
 * the leaving of its idle state; on the engine's own processor it costs a switch. Programs that
 * compute little are therefore done sooner, and with less work for the machine, on the engine's
 * processor one after the other than side by side; programs that compute much are not. Nobody can
 * know beforehand, so it is tried and measured: the programs are gathered, and stay so only while
 * the cycle's answer is no later than it was. Whoever has not answered by a part of the budget is
 * let go by the cycle itself (cycle.c), in time to run elsewhere: a program that hogs the processor
 * takes nothing from the others.
 *
 * All of it runs under the engine's lock, on the tending thread.
 */
#ifndef TUTTI_PLACEMENT_H
#define TUTTI_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

struct mix;

enum placement_state {
    PLACEMENT_FREE,     /* the system places every thread */
    PLACEMENT_TRYING,   /* gathered, being measured */
    PLACEMENT_GATHERED, /* gathered to stay */
};

struct placement {
    enum placement_state state;
    uint64_t since_ns;      /* of the state, or of the last change among the programs */
    uint64_t not_before_ns; /* of the next trial */
    uint64_t pause_ms;      /* until then, when something goes wrong now */
    uint64_t troubles;      /* late blocks and rescues seen so far */
    uint32_t programs;      /* running ones, when last looked */
    uint32_t cpu;           /* where they are gathered */
    uint32_t free_us;       /* median answer before the trial */
};

/** Looks, tries, decides: called every few ms. */
void placement_tend(struct mix *mix, uint64_t now_ns);
/** Lets every program's thread go: the engine ends, or the device closes. */
void placement_free_all(struct mix *mix);

#endif
