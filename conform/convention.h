/* SPDX-License-Identifier: MIT */
/*
 * Calls a method by hand, so that what the calling convention promises can be looked at: how much
 * the callee took off the stack, and the registers that it must keep. convention_x86.c and
 * convention_x64.c, chosen by the build.
 */
#ifndef TUTTI_CONFORM_CONVENTION_H
#define TUTTI_CONFORM_CONVENTION_H

#include <stdint.h>

enum { CONVENTION_ARGS = 4 };

struct convention_seen {
    uintptr_t popped; /* bytes beyond the return address that the callee took off the stack */
    uintptr_t kept;   /* bits of the registers that were not kept, 0: all were */
};

/** Calls function(self, args...). count: 32-bit words of arguments that are pushed on x86; on x64
 * all CONVENTION_ARGS are passed, the first one as a double, too. */
uintptr_t convention_call(void *function, void *self, const uintptr_t args[CONVENTION_ARGS],
                          unsigned count, struct convention_seen *seen);

/** Bytes that a method (of IUnknown: `unknown`) with so many words of arguments must pop. */
unsigned convention_pops(unsigned words, int unknown);

/** Rounding, exceptions and denormals: the control bits of SSE and the x87 in one number, and the
 * direction flag. */
uint64_t convention_float_state(void);

#endif
