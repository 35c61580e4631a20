/* SPDX-License-Identifier: MIT */
/*
 * Threads: pthread, SCHED_FIFO asked for by the thread itself, demotion of other processes'
 * threads.
 *
 * A thread tells its end through a flag of its own rather than through pthread_timedjoin_np(),
 * which measures on the wall clock.
 */
#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "rtkit.h"

enum { THREAD_NAME_BYTES = 16, FIFO_PROGRAM = 60, FIFO_BELLS = 69, FIFO_ENGINE = 70 };

struct os_thread {
    pthread_t thread;
    char name[THREAD_NAME_BYTES];
    enum os_priority priority;
    void (*run)(void *arg);
    void *arg;
    struct os_mutex mutex; /* covers ended */
    struct os_cond cond;
    bool ended; /* the thread touches nothing of this struct after it */
};

uint32_t
os_thread_id(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

static bool
set_fifo(pid_t tid, int level)
{
    /* a process that the program forks from this thread does not inherit the priority */
    const struct sched_param param = {.sched_priority = level};
    return sched_setscheduler(tid, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0;
}

/* tid 0: the calling thread. */
static bool
set_priority(pid_t tid, enum os_priority priority)
{
    if (priority == OS_PRIORITY_NORMAL) {
        const struct sched_param param = {.sched_priority = 0};
        return sched_setscheduler(tid, SCHED_OTHER, &param) == 0;
    }
    const bool engine = priority == OS_PRIORITY_ENGINE;
    const int level = engine                          ? FIFO_ENGINE
                      : priority == OS_PRIORITY_BELLS ? FIFO_BELLS
                                                      : FIFO_PROGRAM;
    if (set_fifo(tid, level)) {
        return true;
    }

    /* a lower limit still keeps the order: the engine at the limit, programs below it */
    const int error = errno;
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur >= 2 &&
        limit.rlim_cur < FIFO_ENGINE && set_fifo(tid, (int)limit.rlim_cur - (engine ? 0 : 1))) {
        return true;
    }
    errno = error;
    return false;
}

bool
os_thread_set_priority(enum os_priority priority)
{
    return set_priority(0, priority);
}

bool
os_thread_promote(uint32_t tid, enum os_priority priority)
{
    return tid != 0 && tid <= INT32_MAX && set_priority((pid_t)tid, priority);
}

bool
os_thread_raise_priority(enum os_priority priority)
{
    struct sched_param param;
    const int policy = sched_getscheduler(0);
    const int level = priority == OS_PRIORITY_ENGINE ? FIFO_ENGINE : FIFO_PROGRAM;
    if (priority == OS_PRIORITY_NORMAL) {
        return true;
    }
    if (policy >= 0 && (policy & ~SCHED_RESET_ON_FORK) != SCHED_OTHER &&
        sched_getparam(0, &param) == 0 && param.sched_priority >= level) {
        return true;
    }
    return os_thread_set_priority(priority);
}

static void
set_priority_or_say_why_not(const struct os_thread *thread)
{
    static atomic_bool said;
    char why[RTKIT_WHY_BYTES];
    if (os_thread_set_priority(thread->priority)) {
        return;
    }
    const int error = errno;
    if (rtkit_ask(os_thread_id(), why) || atomic_exchange(&said, true)) {
        return;
    }
    log_warning(
        "thread %s runs without real-time priority (%s; RealtimeKit: %s): allow it with 'rtprio "
        "95' for this user in /etc/security/limits.d, then log in again; 'tutti doctor' tells more",
        thread->name, strerror(error), why);
}

static void *
thread_main(void *arg)
{
    struct os_thread *thread = arg;
    pthread_setname_np(pthread_self(), thread->name);
    if (thread->priority != OS_PRIORITY_NORMAL) {
        set_priority_or_say_why_not(thread);
    }

    thread->run(thread->arg);

    os_mutex_lock(&thread->mutex);
    thread->ended = true;
    os_cond_signal_all(&thread->cond);
    os_mutex_unlock(&thread->mutex);
    return NULL;
}

static void
thread_free(struct os_thread *thread)
{
    os_cond_fini(&thread->cond);
    os_mutex_fini(&thread->mutex);
    free(thread);
}

/* What a thread may get for what it does itself; anything else is for the program, whose threads
 * and handlers expect it. */
static void
all_but_faults(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigfillset(set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(set, faults[i]);
    }
}

/* A thread does not begin at its creator's real-time priority, and takes no signals. */
static int
create(struct os_thread *thread)
{
    pthread_attr_t attributes;
    sigset_t blocked, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    const struct sched_param param = {.sched_priority = 0};
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
    pthread_attr_setschedparam(&attributes, &param);
    all_but_faults(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    error = pthread_create(&thread->thread, &attributes, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

enum tutti_status
os_thread_start(struct os_thread **out, const char *name, enum os_priority priority,
                void (*run)(void *arg), void *arg)
{
    struct os_thread *thread = calloc(1, sizeof(*thread));
    if (thread == NULL) {
        return TUTTI_NO_MEMORY;
    }
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    thread->priority = priority;
    thread->run = run;
    thread->arg = arg;
    os_mutex_init(&thread->mutex);
    os_cond_init(&thread->cond);

    const int error = create(thread);
    if (error != 0) {
        log_error("cannot start thread %s: %s", name, strerror(error));
        thread_free(thread);
        return TUTTI_NO_MEMORY;
    }
    *out = thread;
    return TUTTI_OK;
}

bool
os_thread_join_until(struct os_thread *thread, uint64_t deadline_ns)
{
    if (thread == NULL) {
        return true;
    }
    os_mutex_lock(&thread->mutex);
    while (!thread->ended && os_cond_wait_until(&thread->cond, &thread->mutex, deadline_ns)) {
        continue;
    }
    const bool ended = thread->ended;
    os_mutex_unlock(&thread->mutex);
    if (!ended) {
        return false;
    }
    pthread_join(thread->thread, NULL);
    thread_free(thread);
    return true;
}

void
os_thread_join(struct os_thread *thread)
{
    os_thread_join_until(thread, UINT64_MAX);
}

static bool
is_real_time(int policy)
{
    policy &= ~SCHED_RESET_ON_FORK;
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

bool
os_thread_demote(uint32_t pid, uint32_t tid, struct os_thread_level *former)
{
    (void)pid;
    struct sched_param was, param = {.sched_priority = 0};
    /* 0 would mean the calling thread */
    if (tid == 0 || tid > INT32_MAX) {
        return false;
    }
    const int policy = sched_getscheduler((pid_t)tid);
    if (policy < 0 || sched_getparam((pid_t)tid, &was) != 0 ||
        sched_setscheduler((pid_t)tid, SCHED_OTHER, &param) != 0) {
        return false;
    }
    *former = (struct os_thread_level){policy, was.sched_priority};
    return true;
}

bool
os_thread_restore(uint32_t pid, uint32_t tid, const struct os_thread_level *former)
{
    (void)pid;
    const struct sched_param param = {.sched_priority = former->level};
    return tid != 0 && tid <= INT32_MAX &&
           sched_setscheduler((pid_t)tid, former->policy, &param) == 0;
}

/* Calls `each` for each thread of a process at real-time priority. */
static void
for_each_real_time(uint32_t pid, void (*each)(uint32_t pid, uint32_t tid, void *arg), void *arg)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%u/task", pid);
    DIR *const folder = opendir(path);
    if (folder == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid != 0 && is_real_time(sched_getscheduler((pid_t)tid))) {
            each(pid, tid, arg);
        }
    }
    closedir(folder);
}

static void
demote_one(uint32_t pid, uint32_t tid, void *arg)
{
    struct os_thread_level former;
    (void)arg;
    os_thread_demote(pid, tid, &former);
}

void
os_process_demote(uint32_t pid)
{
    for_each_real_time(pid, demote_one, NULL);
}

/* ---- processor time ---- */

os_handle
os_thread_time_open(uint32_t pid, uint32_t tid)
{
    char path[64];
    if (pid == 0 || tid == 0 || pid > INT32_MAX || tid > INT32_MAX) {
        return OS_NO_HANDLE;
    }
    /* Not a thread's own clock: the system shows that to the thread's process alone. */
    snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", pid, tid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return OS_NO_HANDLE;
    }
    os_thread_time_ns(file); /* the first reading makes the kernel's buffer */
    return file;
}

uint64_t
os_thread_time_ns(os_handle time)
{
    char text[64];
    if (time == OS_NO_HANDLE) {
        return 0;
    }
    const ssize_t bytes = pread((int)time, text, sizeof(text), 0);
    uint64_t ns = 0;
    for (ssize_t i = 0; i < bytes && text[i] >= '0' && text[i] <= '9'; i++) {
        ns = ns * 10 + (uint64_t)(text[i] - '0');
    }
    return ns;
}

static void
add_time(uint32_t pid, uint32_t tid, void *arg)
{
    uint64_t *const sum = arg;
    const os_handle time = os_thread_time_open(pid, tid);
    *sum += os_thread_time_ns(time);
    os_handle_close(time);
}

uint64_t
os_process_realtime_cpu_ns(uint32_t pid)
{
    uint64_t sum = 0;
    for_each_real_time(pid, add_time, &sum);
    return sum;
}
