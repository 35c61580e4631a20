/* SPDX-License-Identifier: MIT */
/* Mutex and condition within one process: pthread's, the condition on the monotonic clock. */
#include "posix.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

static_assert(sizeof(pthread_mutex_t) <= sizeof(struct os_mutex), "os_mutex is too small");
static_assert(sizeof(pthread_cond_t) <= sizeof(struct os_cond), "os_cond is too small");

static pthread_mutex_t *
mutex_of(struct os_mutex *mutex)
{
    return (pthread_mutex_t *)(void *)mutex->storage;
}

static pthread_cond_t *
cond_of(struct os_cond *cond)
{
    return (pthread_cond_t *)(void *)cond->storage;
}

/* With correct use none of these calls can fail: a failure is a bug of our own. */
static void
must(int error)
{
    assert(error == 0);
    (void)error;
}

void
os_mutex_init(struct os_mutex *mutex)
{
    must(pthread_mutex_init(mutex_of(mutex), NULL));
}

void
os_mutex_fini(struct os_mutex *mutex)
{
    must(pthread_mutex_destroy(mutex_of(mutex)));
}

void
os_mutex_lock(struct os_mutex *mutex)
{
    must(pthread_mutex_lock(mutex_of(mutex)));
}

void
os_mutex_unlock(struct os_mutex *mutex)
{
    must(pthread_mutex_unlock(mutex_of(mutex)));
}

void
os_cond_init(struct os_cond *cond)
{
    pthread_condattr_t attributes;
    must(pthread_condattr_init(&attributes));
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    must(pthread_cond_init(cond_of(cond), &attributes));
    pthread_condattr_destroy(&attributes);
}

void
os_cond_fini(struct os_cond *cond)
{
    must(pthread_cond_destroy(cond_of(cond)));
}

void
os_cond_signal_all(struct os_cond *cond)
{
    must(pthread_cond_broadcast(cond_of(cond)));
}

bool
os_cond_wait_until(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX) {
        must(pthread_cond_wait(cond_of(cond), mutex_of(mutex)));
        return true;
    }
    const struct timespec at = posix_timespec(deadline_ns);
    return pthread_cond_timedwait(cond_of(cond), mutex_of(mutex), &at) != ETIMEDOUT;
}
