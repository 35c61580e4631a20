/* SPDX-License-Identifier: MIT */
/* On which processor threads run: the calling one's, and threads of other processes of this user.
 */
#include "posix.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

uint32_t
os_thread_cpu(void)
{
    const int cpu = sched_getcpu();
    return cpu < 0 ? 0 : (uint32_t)cpu;
}

static bool
pin(pid_t tid, uint32_t cpu)
{
    cpu_set_t one;
    if (cpu >= CPU_SETSIZE) {
        return false;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(tid, sizeof(one), &one) == 0;
}

bool
os_thread_pin(uint32_t cpu)
{
    return pin(0, cpu);
}

bool
os_process_has_thread(uint32_t pid, uint32_t tid)
{
    /* 0 would mean the calling thread */
    if (pid == 0 || tid == 0 || pid > INT32_MAX || tid > INT32_MAX) {
        return false;
    }
    char path[64];
    snprintf(path, sizeof(path), "/proc/%u/task/%u", pid, tid);
    return access(path, F_OK) == 0;
}

bool
os_thread_gather(uint32_t pid, uint32_t tid, uint32_t cpu)
{
    cpu_set_t allowed;
    if (!os_process_has_thread(pid, tid) || cpu >= CPU_SETSIZE) {
        return false;
    }
    const int policy = sched_getscheduler((pid_t)tid) & ~SCHED_RESET_ON_FORK;
    if (policy != SCHED_FIFO && policy != SCHED_RR) {
        return false;
    }
    if (sched_getaffinity((pid_t)pid, sizeof(allowed), &allowed) != 0 ||
        !CPU_ISSET(cpu, &allowed)) {
        return false;
    }
    return pin((pid_t)tid, cpu);
}

bool
os_thread_scatter(uint32_t pid, uint32_t tid)
{
    cpu_set_t allowed;
    return pid != 0 && tid != 0 && pid <= INT32_MAX && tid <= INT32_MAX &&
           sched_getaffinity((pid_t)pid, sizeof(allowed), &allowed) == 0 &&
           sched_setaffinity((pid_t)tid, sizeof(allowed), &allowed) == 0;
}
