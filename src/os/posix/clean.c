/* SPDX-License-Identifier: MIT */
/*
 * What a process inherits from the program that started it, put back to what a session gives: an
 * engine serves all programs, and one that was started niced, or on one processor alone, or with
 * its files and memory limited, is not to make that everybody's.
 *
 * Called between fork and exec: system calls only. What the system refuses stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix.h"

enum {
    CPU_BYTES = 1024,       /* of a mask: more processors than there are */
    FILES = 65536,          /* at most: some programs close each descriptor there could be */
    TIMER_SLACK_NS = 50000, /* the kernel's own */
    KERNEL_MASK_BYTES = 8,  /* of signals */
};

/* As the kernel has it; libc's sigaction() may take a lock. */
struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static void
reset_signals(void)
{
    const struct kernel_action action = {0};
    const uint64_t none = 0;
    for (int number = 1; number < NSIG; number++) { /* KILL and STOP cannot be set */
        (void)syscall(SYS_rt_sigaction, number, &action, NULL, KERNEL_MASK_BYTES);
    }
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_MASK_BYTES);
}

static void
reset_limits(void)
{
    static const int limits[] = {RLIMIT_NOFILE, RLIMIT_CPU,     RLIMIT_FSIZE,  RLIMIT_DATA,
                                 RLIMIT_AS,     RLIMIT_MEMLOCK, RLIMIT_RTPRIO, RLIMIT_NICE,
                                 RLIMIT_RTTIME, RLIMIT_NPROC};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit;
        if (getrlimit(limits[i], &limit) != 0) {
            continue;
        }
        const rlim_t most =
            limits[i] == RLIMIT_NOFILE && limit.rlim_max > FILES ? FILES : limit.rlim_max;
        if (limit.rlim_cur >= most) {
            continue;
        }
        limit.rlim_cur = most;
        (void)setrlimit(limits[i], &limit);
    }
}

static void
reset_scheduling(void)
{
    unsigned char all[CPU_BYTES];
    const struct sched_param param = {.sched_priority = 0};
    memset(all, 0xff, sizeof(all));
    /* the kernel takes of it what the cgroup has */
    (void)syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
    (void)sched_setscheduler(0, SCHED_OTHER, &param);
    (void)setpriority(PRIO_PROCESS, 0, 0);
    (void)syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, 0);
    (void)syscall(SYS_set_mempolicy, 0 /* MPOL_DEFAULT */, NULL, 0);
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
}

static void
reset_oom_score(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    (void)!write(fd, "0", 1);
    close(fd);
}

void
posix_clean_process(void)
{
    umask(S_IRWXG | S_IRWXO);
    reset_limits(); /* the nice value's comes first */
    reset_scheduling();
    reset_oom_score();
    reset_signals();
}

void
os_process_begin(void)
{
    for (;;) {
        const int fd = open("/dev/null", O_RDWR);
        if (fd < 0 || fd >= POSIX_FIRST_FREE_FD) {
            if (fd >= 0) {
                close(fd);
            }
            break;
        }
    }
    posix_clean_process();
}

int
posix_free_fd(int fd)
{
    if (fd < 0 || fd >= POSIX_FIRST_FREE_FD) {
        return fd;
    }
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, POSIX_FIRST_FREE_FD);
    const int error = errno;
    close(fd);
    errno = error;
    return moved;
}
