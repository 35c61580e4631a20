/* SPDX-License-Identifier: MIT */
/* The script of faults of the virtual card: "at CYCLE ACTION [ARG]; …". Grammar and actions:
 * docs/configuration.md. */
#ifndef TUTTI_SIM_FAULTS_H
#define TUTTI_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, word, takes an argument) */
#define SIM_FAULT_TABLE(X)                                                                         \
    X(LOSE, "lose", true)          /* frames: the device loses time */                             \
    X(LATE, "late", true)          /* us: the cycle begins late */                                 \
    X(STALL, "stall", true)        /* us: the card's thread sleeps before the cycle */             \
    X(STAND, "stand", true)        /* ms: the card stands still, its cycles are silent */          \
    X(UNPLUG, "unplug", false)     /* the device goes away */                                      \
    X(REPLUG, "replug", true)      /* after an unplug: back so many periods later */               \
    X(RATE, "rate", true)          /* Hz: the system changed the rate */                           \
    X(REFUSE, "refuse-open", true) /* the next so many openings fail: somebody holds the device */ \
    X(SLOW_OPEN, "slow-open", true)         /* ms: openings take so long, from that one on */      \
    X(SLOW_LIST, "slow-list", true)         /* ms: listing takes so long */                        \
    X(REFUSE_PERIOD, "refuse-period", true) /* ms: another period is refused after so long */

enum sim_fault_kind {
#define SIM_FAULT_ENUM(name, word, arg) SIM_FAULT_##name,
    SIM_FAULT_TABLE(SIM_FAULT_ENUM)
#undef SIM_FAULT_ENUM
        SIM_FAULT_COUNT
};

struct sim_fault {
    uint64_t cycle;
    enum sim_fault_kind kind;
    uint64_t argument;
};

enum { SIM_MAX_FAULTS = 64 };

struct sim_faults {
    struct sim_fault fault[SIM_MAX_FAULTS];
    unsigned count;
};

/** Reads a script. False: error holds a sentence. */
bool sim_faults_parse(struct sim_faults *faults, const char *script, char error[256]);

#endif
