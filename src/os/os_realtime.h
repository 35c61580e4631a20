/* SPDX-License-Identifier: MIT */
/*
 * The part of os.h that the cycle may use: the clock, its own thread, wake-ups. Nothing here
 * allocates, takes a lock, writes a log or waits for another program. The mixer includes this
 * header and not os.h.
 */
#ifndef TUTTI_OS_REALTIME_H
#define TUTTI_OS_REALTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- time ---------------------------------------------------------------------------------- */

enum { OS_NS_PER_MS = 1000000 };
#define OS_NS_PER_S UINT64_C(1000000000)

/** Monotonic time in ns, the same scale in every process of the machine (CLOCK_MONOTONIC;
 *  QueryPerformanceCounter). Real time. */
uint64_t os_now_ns(void);

/* A file descriptor or a HANDLE. */
typedef intptr_t os_handle;
#define OS_NO_HANDLE ((os_handle)-1)

/* ---- threads ------------------------------------------------------------------------------- */

/** System-wide id of the calling thread (gettid; GetCurrentThreadId). Real time. */
uint32_t os_thread_id(void);

/** The processor that the calling thread runs on now. Real time. */
uint32_t os_thread_cpu(void);

/** Keeps the calling thread on one processor; false when the system refused it. */
bool os_thread_pin(uint32_t cpu);

/** Lets a thread run again wherever its process may. tid was a thread of that process. Real time:
 * two system calls that wait for nobody. */
bool os_thread_scatter(uint32_t pid, uint32_t tid);

/** Processor time that the thread has had, ns; 0 when it is gone, or of OS_NO_HANDLE. Real time: a
 * system call that waits for nobody. */
uint64_t os_thread_time_ns(os_handle time);

/* How the system schedules a thread; its own words. */
struct os_thread_level {
    int32_t policy, level;
};

/** Takes thread tid of process pid down to normal scheduling. The caller knows that it is one
 * (os_process_has_thread()). former: how it was scheduled. False when the system refused. Real
 * time: a few system calls that wait for nobody. */
bool os_thread_demote(uint32_t pid, uint32_t tid, struct os_thread_level *former);

/** The calling thread flushes denormals to zero from now on. Real time. */
void os_thread_flush_denormals(void);

/** This process. Real time. */
uint32_t os_process_id(void);

/* ---- wake-ups ------------------------------------------------------------------------------ */

/*
 * A doorbell between two processes. word lies in shared memory; each post increments it. On Linux
 * the word is a futex; on Windows an auto-reset event goes with it. Windows programs under Wine
 * have no futex between processes: a pipe goes with the word (bells, below).
 * The word is a hint from the other side: a waiter always looks at the protocol's own words.
 */
struct os_wake {
    _Atomic uint32_t *word; /* borrowed: lives in a mapped segment */
    os_handle event;        /* what is posted beside the word: Windows: an event, under Wine perhaps
                               a pipe; Linux: OS_NO_HANDLE */
};

/** Increments the word and wakes the waiter. Real time. */
void os_wake_post(struct os_wake *wake);

struct os_bells;
enum { OS_NO_BELL = 0xffff };

/** The cycle's alone, real time. bells: NULL where there are none. ring: marks a bell. go: wakes
 * the thread if one is marked, by one call; cpu: where the cycle runs. watch: once a period; lets
 * the other thread take over from one that was in the same step a period ago. */
void os_bells_ring(struct os_bells *bells, uint32_t bell);
void os_bells_go(struct os_bells *bells, uint32_t cpu);
void os_bells_watch(struct os_bells *bells);

#endif
