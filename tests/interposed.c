/* SPDX-License-Identifier: MIT */
/* The interposed functions: they count, and do what they are asked to. */
#include "interposed.h"

#include <stdlib.h>

#include "os/os.h"

bool in_real_time;
unsigned violations;

/* X(result, name, parameters, arguments): what is forbidden in real time. */
#define FORBIDDEN(X)                                                                               \
    X(void *, malloc, (size_t size), (size))                                                       \
    X(void *, calloc, (size_t count, size_t size), (count, size))                                  \
    X(void *, realloc, (void *memory, size_t size), (memory, size))                                \
    X(enum tutti_status, os_shm_create, (struct os_shm * shm, size_t size), (shm, size))           \
    X(enum tutti_status, os_lock_take,                                                             \
      (struct os_lock * *lock, const char *name, uint64_t deadline_ns), (lock, name, deadline_ns)) \
    X(bool, os_cond_wait_until,                                                                    \
      (struct os_cond * cond, struct os_mutex * mutex, uint64_t deadline_ns),                      \
      (cond, mutex, deadline_ns))
#define FORBIDDEN_VOID(X)                                                                          \
    X(free, (void *memory), (memory))                                                              \
    X(os_mutex_lock, (struct os_mutex * mutex), (mutex))                                           \
    X(os_sleep_until_ns, (uint64_t deadline_ns), (deadline_ns))

#define WRAP(result, name, parameters, arguments)                                                  \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        violations += in_real_time;                                                                \
        return __real_##name arguments;                                                            \
    }
#define WRAP_VOID(name, parameters, arguments)                                                     \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        violations += in_real_time;                                                                \
        __real_##name arguments;                                                                   \
    }
FORBIDDEN(WRAP)
FORBIDDEN_VOID(WRAP_VOID)

void __wrap_log_write(int level, const char *format, ...);
void
__wrap_log_write(int level, const char *format, ...)
{
    (void)level;
    (void)format;
    violations += in_real_time;
}
