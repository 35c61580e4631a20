/* SPDX-License-Identifier: MIT */
/* Calls into a server's library with a limit of time. */
#include "backend/graph/graph_call.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "os/os.h"

struct graph_call {
    struct graph_calls *calls;
    void (*run)(void *arg);
    void (*left)(void *arg);
    void *arg;
    struct graph_call *next; /* to be ended after this one */
    bool returned, is_left;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* covers calls and what is out */

/* Ends what was left, one after the other; each may hang in its turn. */
static void
end_left(struct graph_calls *calls)
{
    pthread_mutex_lock(&lock);
    while (calls->out) {
        struct graph_call *call = calls->out;
        pthread_mutex_unlock(&lock);
        call->left(call->arg);
        pthread_mutex_lock(&lock);
        calls->out = call->next;
        free(call);
    }
    pthread_mutex_unlock(&lock);
}

static void
call_main(void *arg)
{
    struct graph_call *call = arg;
    /* libraries write to sockets of servers that died; their own threads inherit this mask */
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    call->run(call->arg);
    pthread_mutex_lock(&lock);
    call->returned = true;
    bool is_left = call->is_left;
    pthread_mutex_unlock(&lock);
    if (is_left) {
        end_left(call->calls);
    }
}

/* Behind what is out; false when nothing is. */
static bool
queue(struct graph_call *call)
{
    pthread_mutex_lock(&lock);
    struct graph_call **last = &call->calls->out;
    while (*last) {
        last = &(*last)->next;
    }
    bool queued = call->calls->out != NULL;
    if (queued) {
        *last = call;
    }
    pthread_mutex_unlock(&lock);
    return queued;
}

/* The limit is over; false when the call returned in this very moment. */
static bool
leave(struct graph_call *call, struct os_thread *thread)
{
    pthread_mutex_lock(&lock);
    bool leaves = !call->returned;
    if (leaves) {
        call->is_left = true;
        call->calls->out = call;
        call->calls->left_thread = thread;
    }
    pthread_mutex_unlock(&lock);
    return leaves;
}

bool
graph_call(struct graph_calls *calls, void (*run)(void *arg), void (*left)(void *arg), void *arg,
           unsigned limit_ms)
{
    struct graph_call *call = calloc(1, sizeof(*call));
    struct os_thread *thread = NULL;
    if (!call) {
        log_error("graph: no memory to ask the server; something of it is kept till the end");
        return false;
    }
    *call = (struct graph_call){.calls = calls, .run = run, .left = left, .arg = arg};
    if (queue(call)) {
        return false;
    }
    os_thread_join(calls->left_thread); /* it has ended all, or is about to return */
    calls->left_thread = NULL;
    if (os_thread_start(&thread, "tutti-graph-call", OS_PRIORITY_NORMAL, call_main, call) !=
        TUTTI_OK) {
        free(call);
        return false;
    }
    if (!os_thread_join_until(thread, os_now_ns() + (uint64_t)limit_ms * OS_NS_PER_MS)) {
        if (leave(call, thread)) {
            return false;
        }
        os_thread_join(thread);
    }
    free(call);
    return true;
}
