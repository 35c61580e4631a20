/* SPDX-License-Identifier: MIT */
/* The floating-point environment as a host sets and sees it, to the bit. */
#ifndef TUTTI_TESTS_HOST_FLOAT_H
#define TUTTI_TESTS_HOST_FLOAT_H

#include <stdint.h>

struct host_float {
    uint64_t control, status;
    uint16_t x87_control, x87_status;
};

#if defined(__SSE2__)

/* Invalid, division by 0, overflow and underflow are traps, as programs of some compilers have it;
 * the results of others are rounded up, and inexact ones were seen. */
static const struct host_float host_float_traps = {0x1000 | 0x100 | 0x4000 | 0x20, 0, 0x0b72, 0};
/* Everything is a trap. */
static const struct host_float host_float_all_traps = {0x2000, 0, 0x0740, 0};

static inline void
host_float_set(const struct host_float *wanted)
{
    const uint32_t control = (uint32_t)wanted->control;
    __asm__ volatile("fnclex\n\tfldcw %0\n\tldmxcsr %1" : : "m"(wanted->x87_control), "m"(control));
}

static inline struct host_float
host_float_get(void)
{
    struct host_float now = {0};
    uint32_t control;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfnstsw %2"
                     : "=m"(control), "=m"(now.x87_control), "=m"(now.x87_status));
    now.control = control;
    now.x87_status &= 0xff;
    return now;
}

#elif defined(__aarch64__)

/* Rounded up, denormals flushed, inexact seen; traps are not there on most of these processors. */
static const struct host_float host_float_traps = {0x1400000 | 0x700, 0x10, 0, 0};
static const struct host_float host_float_all_traps = {0x800000 | 0x9f00, 0, 0, 0};

static inline void
host_float_set(const struct host_float *wanted)
{
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(wanted->control), "r"(wanted->status));
}

static inline struct host_float
host_float_get(void)
{
    struct host_float now = {0};
    __asm__ volatile("mrs %0, fpcr" : "=r"(now.control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(now.status));
    return now;
}

#endif

#define assert_host_float(expected)                                                                \
    do {                                                                                           \
        const struct host_float now_ = host_float_get();                                           \
        host_float_set(&host_float_usual);                                                         \
        assert_int_equal(now_.control, (expected)->control);                                       \
        assert_int_equal(now_.status, (expected)->status);                                         \
        assert_int_equal(now_.x87_control, (expected)->x87_control);                               \
        assert_int_equal(now_.x87_status, (expected)->x87_status);                                 \
    } while (0)

/* As the process began; set by each test's main(). */
static struct host_float host_float_usual;

#endif
