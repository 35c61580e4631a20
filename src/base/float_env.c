/* SPDX-License-Identifier: MIT */
#include "base/float_env.h"

#include <assert.h>

#if defined(__SSE2__)

enum {
    OUR_MXCSR = 0x9fc0, /* all exceptions masked, none seen; bits 15 and 6: denormals are 0 */
    OUR_X87 = 0x037f,   /* all masked, 64-bit mantissas */
    X87_MASKS = 0x3f,
    X87_ROUNDING = 0x0c00,
    X87_SEEN = 0xff,     /* exceptions, stack fault, their sum */
    X87_STATUS_WORD = 1, /* in what FNSTENV writes */
};

/* The x87 unit is used by few things here: 64-bit integers in 32-bit code, long double in the C
 * library. Its environment is slow to change, so it is left alone where it does no harm. */
static void
enter_x87(struct float_env *theirs)
{
    __asm__ volatile("fnstcw %0" : "=m"(theirs->x87_control));
    __asm__ volatile("fnstsw %0" : "=m"(theirs->x87_status));
    theirs->x87_whole = (theirs->x87_control & (X87_MASKS | X87_ROUNDING)) != X87_MASKS;
    if (theirs->x87_whole) {
        const uint16_t ours = OUR_X87;
        /* FNCLEX before FLDCW, which would trap on what the host has not looked at yet */
        __asm__ volatile("fnstenv %0\n\tfnclex\n\tfldcw %1" : "=m"(theirs->x87) : "m"(ours));
    }
}

static void
leave_x87(const struct float_env *theirs)
{
    if (theirs->x87_whole) {
        __asm__ volatile("fnclex\n\tfldenv %0" : : "m"(theirs->x87));
        return;
    }
    uint16_t status;
    __asm__ volatile("fnstsw %0" : "=m"(status));
    if (((status ^ theirs->x87_status) & X87_SEEN) != 0) {
        uint32_t now[7];
        __asm__ volatile("fnstenv %0" : "=m"(now));
        now[X87_STATUS_WORD] = (now[X87_STATUS_WORD] & ~(uint32_t)X87_SEEN) |
                               (theirs->x87_status & (uint32_t)X87_SEEN);
        __asm__ volatile("fldenv %0" : : "m"(now));
    }
}

void
float_env_enter(struct float_env *theirs)
{
    uint32_t control;
    const uint32_t ours = OUR_MXCSR;
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    theirs->control = control;
    __asm__ volatile("ldmxcsr %0" : : "m"(ours));
    enter_x87(theirs);
}

void
float_env_leave(const struct float_env *theirs)
{
    const uint32_t control = (uint32_t)theirs->control;
    leave_x87(theirs);
    __asm__ volatile("ldmxcsr %0" : : "m"(control));
}

#elif defined(__aarch64__)

enum { FLUSH = 1 << 24 };

void
float_env_enter(struct float_env *theirs)
{
    const uint64_t ours = FLUSH;
    __asm__ volatile("mrs %0, fpcr" : "=r"(theirs->control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(theirs->status));
    __asm__ volatile("msr fpcr, %0" : : "r"(ours));
}

void
float_env_leave(const struct float_env *theirs)
{
    __asm__ volatile("msr fpsr, %0" : : "r"(theirs->status));
    __asm__ volatile("msr fpcr, %0" : : "r"(theirs->control));
}

#else

#include <fenv.h>

static_assert(sizeof(fenv_t) <= sizeof(((struct float_env *)0)->x87), "no room");

void
float_env_enter(struct float_env *theirs)
{
    feholdexcept((fenv_t *)(void *)theirs->x87);
    fesetround(FE_TONEAREST);
}

void
float_env_leave(const struct float_env *theirs)
{
    fesetenv((const fenv_t *)(const void *)theirs->x87);
}

#endif
