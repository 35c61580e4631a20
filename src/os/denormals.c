/* SPDX-License-Identifier: MIT */
/*
 * Flushing denormals: a matter of the processor, not of the system, so both platforms share it.
 * Other processors than these have no such mode or no need of it.
 */
#include "os/os.h"

#if defined(__SSE__)
#include <xmmintrin.h>

void
os_thread_flush_denormals(void)
{
    /* bit 15 flushes results, bit 6 takes denormal operands for zero */
    _mm_setcsr(_mm_getcsr() | 0x8040u);
}

#elif defined(__aarch64__)

void
os_thread_flush_denormals(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    fpcr |= UINT64_C(1) << 24;
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
}

#else

void
os_thread_flush_denormals(void)
{
}

#endif
