/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a server: writes down when each of its timed sleeps was to end and when it did, on
 * CLOCK_MONOTONIC, for JACK's dummy driver and Tutti's virtual card alike, which sleep, and for
 * PipeWire's driver, which sets a timer and reads it. TIMER_LOG names the file; the first thread at
 * real-time priority that sleeps is the one that counts.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 1 << 16 };

static struct timer_file {
    _Atomic uint64_t count;
    uint64_t reserved[7];
    struct {
        uint64_t due_ns, awake_ns;
    } record[RECORDS];
} * file;
static int (*real_clock_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);
static int (*real_timerfd_settime)(int, int, const struct itimerspec *, struct itimerspec *);
static ssize_t (*real_read)(int, void *, size_t);
static _Thread_local int timer = -1; /* this thread's, as set last */
static _Thread_local uint64_t timer_due_ns;
static _Thread_local int counts; /* 0: not known, 1: this thread's sleeps, -1: not these */

__attribute__((constructor)) static void
begin(void)
{
    *(void **)&real_clock_nanosleep = dlsym(RTLD_NEXT, "clock_nanosleep");
    *(void **)&real_timerfd_settime = dlsym(RTLD_NEXT, "timerfd_settime");
    *(void **)&real_read = dlsym(RTLD_NEXT, "read");
    const char *path = getenv("TIMER_LOG");
    int descriptor = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
    if (descriptor < 0 || ftruncate(descriptor, sizeof(*file)) != 0) {
        return;
    }
    void *mapped =
        mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    file = mapped == MAP_FAILED ? NULL : mapped;
    close(descriptor);
    unsetenv("LD_PRELOAD"); /* not in what the server starts */
}

static uint64_t
in_ns(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * UINT64_C(1000000000) + (uint64_t)time->tv_nsec;
}

static uint64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return in_ns(&now);
}

static int
is_counted(void)
{
    if (!counts) {
        int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
        if (policy != SCHED_FIFO && policy != SCHED_RR) {
            return 0; /* it may become so */
        }
        counts = 1;
    }
    return counts == 1;
}

static void
record(uint64_t due_ns)
{
    uint64_t count = atomic_load_explicit(&file->count, memory_order_relaxed);
    file->record[count % RECORDS].due_ns = due_ns;
    file->record[count % RECORDS].awake_ns = now_ns();
    atomic_store_explicit(&file->count, count + 1, memory_order_release);
}

int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *rest)
{
    uint64_t due_ns = flags & TIMER_ABSTIME ? in_ns(time) : now_ns() + in_ns(time);
    int result = real_clock_nanosleep(clock, flags, time, rest);
    if (file && is_counted()) {
        record(due_ns);
    }
    return result;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *time, struct itimerspec *before)
{
    if (flags & TFD_TIMER_ABSTIME && in_ns(&time->it_value) > 1000) {
        timer = fd;
        timer_due_ns = in_ns(&time->it_value);
    }
    return real_timerfd_settime(fd, flags, time, before);
}

ssize_t
read(int fd, void *data, size_t bytes)
{
    uint64_t due_ns = timer_due_ns;
    ssize_t got = real_read(fd, data, bytes);
    if (fd == timer && got == sizeof(uint64_t) && file && is_counted()) {
        record(due_ns);
    }
    return got;
}

int
usleep(useconds_t us)
{
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    return clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL) ? -1 : 0;
}
