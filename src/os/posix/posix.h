/* SPDX-License-Identifier: MIT */
/* What the files of the POSIX side share among themselves; nobody else includes it. */
#ifndef TUTTI_OS_POSIX_H
#define TUTTI_OS_POSIX_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

#include "os/os.h"

enum { POSIX_PATH_BYTES = 4096, POSIX_FIRST_FREE_FD = 3 };

/** A moment of os_now_ns() for the calls that take an absolute time. */
struct timespec posix_timespec(uint64_t ns);

/** poll() until a moment of os_now_ns() (UINT64_MAX: for ever), whatever signals arrive. As poll():
 * the number of ready entries, 0 at the deadline, -1 with errno. */
int posix_poll_until(struct pollfd *fds, unsigned count, uint64_t deadline_ns);

/** dir/name; false when it does not fit. */
bool posix_path_join(char *path, size_t path_bytes, const char *dir, const char *name);

/** The same open file beyond the standard streams' numbers: a program may have closed those, and
 * whatever writes to them would write into ours. Closes fd if it was one of them; -1, with errno,
 * passes. */
int posix_free_fd(int fd);

/** Puts back what a process inherits (clean.c). Between fork and exec, too. */
void posix_clean_process(void);

#endif
