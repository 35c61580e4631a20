/* SPDX-License-Identifier: MIT */
/* Mutex and condition within one process: slim lock and condition variable, which need no ending.
 */
#include "win32.h"

#include <assert.h>

static_assert(sizeof(SRWLOCK) <= sizeof(struct os_mutex), "os_mutex is too small");
static_assert(sizeof(CONDITION_VARIABLE) <= sizeof(struct os_cond), "os_cond is too small");

static SRWLOCK *
lock_of(struct os_mutex *mutex)
{
    return (SRWLOCK *)(void *)mutex->storage;
}

static CONDITION_VARIABLE *
variable_of(struct os_cond *cond)
{
    return (CONDITION_VARIABLE *)(void *)cond->storage;
}

void
os_mutex_init(struct os_mutex *mutex)
{
    InitializeSRWLock(lock_of(mutex));
}

void
os_mutex_fini(struct os_mutex *mutex)
{
}

void
os_mutex_lock(struct os_mutex *mutex)
{
    AcquireSRWLockExclusive(lock_of(mutex));
}

void
os_mutex_unlock(struct os_mutex *mutex)
{
    ReleaseSRWLockExclusive(lock_of(mutex));
}

void
os_cond_init(struct os_cond *cond)
{
    InitializeConditionVariable(variable_of(cond));
}

void
os_cond_fini(struct os_cond *cond)
{
}

void
os_cond_signal_all(struct os_cond *cond)
{
    WakeAllConditionVariable(variable_of(cond));
}

bool
os_cond_wait_until(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns)
{
    for (;;) {
        const DWORD timeout_ms = win32_timeout_ms(deadline_ns);
        if (SleepConditionVariableSRW(variable_of(cond), lock_of(mutex), timeout_ms, 0)) {
            return true;
        }
        if (os_now_ns() >= deadline_ns) {
            return false; /* else the system's tick came before our deadline */
        }
    }
}
