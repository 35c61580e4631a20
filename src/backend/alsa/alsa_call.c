/* SPDX-License-Identifier: MIT */
/* Calls into libasound with a limit of time. */
#include "backend/alsa/alsa_call.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "os/os.h"

struct call {
    void (*run)(void *arg);
    void (*left)(void *arg);
    void *arg;
    struct call *next; /* queued behind this one */
};

/* Of one thread that runs calls in order; it ends when there are none. */
static struct {
    bool ready;
    struct os_mutex lock;
    struct os_cond returned;
    struct call *first; /* it runs now; NULL: there is no thread, or it is about to end */
    bool first_is_left; /* nobody waits for it any more */
    struct os_thread *thread;
} calls;

static void
run_calls(void *arg)
{
    (void)arg;
    os_mutex_lock(&calls.lock);
    for (bool begun = false; calls.first; begun = true) {
        struct call *call = calls.first;
        os_mutex_unlock(&calls.lock);
        if (!begun) {
            call->run(call->arg);
        }
        os_mutex_lock(&calls.lock);
        if (calls.first_is_left) {
            /* all that come after it were never begun: who asked was told at once */
            os_mutex_unlock(&calls.lock);
            call->left(call->arg);
            os_mutex_lock(&calls.lock);
        }
        calls.first = call->next;
        free(call);
    }
    os_cond_signal_all(&calls.returned);
    os_mutex_unlock(&calls.lock);
}

/* With the lock: behind what is out. */
static void
queue(struct call *call)
{
    struct call **last = &calls.first;
    while (*last) {
        last = &(*last)->next;
    }
    *last = call;
}

bool
alsa_call(void (*run)(void *arg), void (*left)(void *arg), void *arg, unsigned limit_ms)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)limit_ms * OS_NS_PER_MS;
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        log_error("alsa: no memory to ask the device; something of it is kept till the end");
        return false;
    }
    *call = (struct call){.run = run, .left = left, .arg = arg};
    if (!calls.ready) {
        os_mutex_init(&calls.lock);
        os_cond_init(&calls.returned);
        calls.ready = true;
    }
    os_mutex_lock(&calls.lock);
    bool waits = !calls.first;
    queue(call);
    if (!waits) {
        os_mutex_unlock(&calls.lock);
        return false;
    }
    calls.first_is_left = false;
    os_mutex_unlock(&calls.lock);
    os_thread_join(calls.thread); /* that of calls which were left: it has ended, or is about to */
    calls.thread = NULL;
    if (os_thread_start(&calls.thread, "tutti-alsa-call", OS_PRIORITY_NORMAL, run_calls, NULL) !=
        TUTTI_OK) {
        calls.first = NULL;
        free(call);
        return false;
    }
    os_mutex_lock(&calls.lock);
    while (calls.first && os_now_ns() < deadline_ns) {
        os_cond_wait_until(&calls.returned, &calls.lock, deadline_ns);
    }
    bool returned = !calls.first;
    calls.first_is_left = !returned;
    os_mutex_unlock(&calls.lock);
    if (returned) {
        os_thread_join(calls.thread);
        calls.thread = NULL;
    }
    return returned;
}
