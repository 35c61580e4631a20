/* SPDX-License-Identifier: MIT */
/* Time: CLOCK_MONOTONIC, read and slept on. */
#include "posix.h"

#include <errno.h>

uint64_t
os_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * OS_NS_PER_S + (uint64_t)now.tv_nsec;
}

struct timespec
posix_timespec(uint64_t ns)
{
    /* far beyond any uptime and within every time_t of 64 bits: UINT64_MAX stays "for ever" */
    const struct timespec at = {
        .tv_sec = (time_t)(ns / OS_NS_PER_S),
        .tv_nsec = (long)(ns % OS_NS_PER_S),
    };
    return at;
}

void
os_sleep_until_ns(uint64_t deadline_ns)
{
    const struct timespec at = posix_timespec(deadline_ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
        continue;
    }
}

int
posix_poll_until(struct pollfd *fds, unsigned count, uint64_t deadline_ns)
{
    for (;;) {
        struct timespec left, *timeout = NULL;
        if (deadline_ns != UINT64_MAX) {
            const uint64_t now = os_now_ns();
            left = posix_timespec(deadline_ns > now ? deadline_ns - now : 0);
            timeout = &left;
        }
        const int ready = ppoll(fds, count, timeout, NULL);
        if (ready >= 0 || errno != EINTR) {
            return ready;
        }
    }
}
