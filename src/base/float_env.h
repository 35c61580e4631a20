/* SPDX-License-Identifier: MIT */
/*
 * The floating-point environment: which exceptions are traps, how results are rounded, whether
 * denormals are flushed, and which exceptions were seen. It belongs to a thread, and where the
 * thread calls the host or is the host's, it is the host's: it may trap on what our arithmetic
 * meets in anybody's samples. So our code enters its own and puts the host's back, to the bit.
 *
 *     struct float_env theirs;
 *     float_env_enter(&theirs);
 *     ...                            may call the host between float_env_leave(&theirs) and
 *     float_env_leave(&theirs);      float_env_enter(&theirs)
 *
 * Real time: some 50 ns for the pair. The two are never inlined, so that no arithmetic moves
 * across.
 */
#ifndef TUTTI_FLOAT_ENV_H
#define TUTTI_FLOAT_ENV_H

#include <stdbool.h>
#include <stdint.h>

struct float_env {
    uint64_t control, status; /* x86: MXCSR, nothing; ARM: FPCR, FPSR */
    uint16_t x87_control, x87_status;
    bool x87_whole;  /* x87[] holds all of it */
    uint32_t x87[7]; /* as FNSTENV writes it */
};

/** Keeps the calling thread's environment and sets ours: no traps, to nearest, denormals are 0. */
void float_env_enter(struct float_env *theirs);
/** Puts back what was kept. */
void float_env_leave(const struct float_env *theirs);

/* For functions with several ends: ours until the function returns. */
#define FLOAT_ENV_OURS                                                                             \
    __attribute__((cleanup(float_env_cleanup))) struct float_env float_env_theirs;                 \
    float_env_enter(&float_env_theirs)

static inline void
float_env_cleanup(const struct float_env *theirs)
{
    float_env_leave(theirs);
}

#endif
