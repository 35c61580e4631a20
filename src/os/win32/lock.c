/* SPDX-License-Identifier: MIT */
/*
 * A lock by name: a mutex of this user, session and runtime folder, which the system abandons to
 * the next in line when its holder dies.
 *
 * A Windows mutex belongs to a thread and may be taken twice by it. So each lock has a thread of
 * its own that takes the mutex and keeps it: callers exclude each other even on one thread, and any
 * of them may release. (A locked file would do without the thread, but packaged programs are shown
 * a private copy of the folder.)
 */
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>

struct os_lock {
    struct os_thread *thread;
    HANDLE mutex;
    HANDLE answered;  /* set by the thread when status is known */
    HANDLE release;   /* set by os_lock_release() */
    uint64_t bridged; /* what the bridge calls it; 0: none of this is there */
    uint64_t deadline_ns;
    enum tutti_status status; /* written by the thread before answered */
};

static void
hold(void *arg)
{
    struct os_lock *lock = arg;
    switch (WaitForSingleObject(lock->mutex, win32_timeout_ms(lock->deadline_ns))) {
    case WAIT_OBJECT_0:
    case WAIT_ABANDONED:
        lock->status = TUTTI_OK;
        break;
    case WAIT_TIMEOUT:
        lock->status = TUTTI_TIMEOUT;
        break;
    default:
        lock->status = TUTTI_REFUSED;
        break;
    }
    const bool held = lock->status == TUTTI_OK;
    SetEvent(lock->answered);
    if (!held) {
        return;
    }
    WaitForSingleObject(lock->release, INFINITE);
    ReleaseMutex(lock->mutex);
}

static void
lock_free(struct os_lock *lock)
{
    if (lock->thread != NULL) {
        SetEvent(lock->release);
        os_thread_join(lock->thread);
    }
    if (lock->release != NULL) {
        CloseHandle(lock->release);
    }
    if (lock->answered != NULL) {
        CloseHandle(lock->answered);
    }
    if (lock->mutex != NULL) {
        CloseHandle(lock->mutex);
    }
    free(lock);
}

/* NULL (logged) when it is refused. */
static HANDLE
open_mutex(const char *name)
{
    struct win32_security security;
    wchar_t *wide = win32_object_name("Local\\", name);
    if (wide == NULL) {
        return NULL;
    }
    HANDLE mutex = NULL;
    if (win32_security_init_private(&security)) {
        mutex = CreateMutexExW(&security.attributes, wide, 0, SYNCHRONIZE | MUTEX_MODIFY_STATE);
        if (mutex == NULL) {
            win32_log_failure("open the lock", GetLastError());
        }
        win32_security_fini(&security);
    }
    free(wide);
    return mutex;
}

/* A lock among native programs, held by the bridge. One that came too late to be waited for would
 * be held as long as this program runs. */
static enum tutti_status
take_bridged(struct os_lock *lock, const char *name, uint64_t deadline_ns)
{
    static _Atomic uint64_t last;
    const uint64_t value = atomic_fetch_add(&last, 1) + 1;
    struct bridge_record undo = {.kind = BRIDGE_UNLOCK, .value = value};
    struct bridge_record request = {
        .kind = BRIDGE_LOCK, .number = win32_timeout_ms(deadline_ns), .value = value};
    enum tutti_status status = bridge_hold();
    if (status != TUTTI_OK) {
        return TUTTI_REFUSED;
    }
    snprintf(request.text, sizeof(request.text), "%s", name);
    status = bridge_ask(&request, NULL, 0, NULL, request.number);
    if (status == TUTTI_CLOSED) {
        bridge_tell(&undo);
    }
    if (status == TUTTI_OK) {
        lock->bridged = value;
    } else {
        bridge_release();
    }
    return status == TUTTI_CLOSED ? TUTTI_REFUSED : status;
}

static void
release_bridged(const struct os_lock *lock)
{
    struct bridge_record request = {.kind = BRIDGE_UNLOCK, .value = lock->bridged};
    bridge_ask(&request, NULL, 0, NULL, 0);
    bridge_release();
}

enum tutti_status
os_lock_take(struct os_lock **out, const char *name, uint64_t deadline_ns)
{
    struct os_lock *lock = calloc(1, sizeof(*lock));
    if (lock == NULL) {
        return TUTTI_NO_MEMORY;
    }
    if (bridge_is_on()) {
        const enum tutti_status bridged = take_bridged(lock, name, deadline_ns);
        if (bridged == TUTTI_OK) {
            *out = lock;
        } else {
            free(lock);
        }
        return bridged;
    }
    lock->deadline_ns = deadline_ns;
    enum tutti_status status = TUTTI_REFUSED;
    lock->mutex = open_mutex(name);
    if (lock->mutex == NULL) {
        goto out_lock;
    }
    status = TUTTI_NO_MEMORY;
    lock->answered = CreateEventW(NULL, TRUE, FALSE, NULL);
    lock->release = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (lock->answered == NULL || lock->release == NULL) {
        goto out_lock;
    }
    status = os_thread_start(&lock->thread, "tutti-lock", OS_PRIORITY_NORMAL, hold, lock);
    if (status != TUTTI_OK) {
        goto out_lock;
    }
    WaitForSingleObject(lock->answered, INFINITE);
    status = lock->status;
    if (status != TUTTI_OK) {
        goto out_lock;
    }
    *out = lock;
    return TUTTI_OK;

out_lock:
    lock_free(lock);
    return status;
}

void
os_lock_release(struct os_lock *lock)
{
    if (lock != NULL && lock->bridged) {
        release_bridged(lock);
    }
    if (lock != NULL) {
        lock_free(lock);
    }
}
