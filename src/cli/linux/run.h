/* SPDX-License-Identifier: MIT */
/* Running another program: its own environment, a time limit, what it said. */
#ifndef TUTTI_CLI_LINUX_RUN_H
#define TUTTI_CLI_LINUX_RUN_H

#include <stdbool.h>

#include "console/text.h"

enum { RUN_MOST_CHANGES = 16, RUN_CANNOT_START = -1, RUN_TOO_LONG = -2, RUN_KILLED = -3 };

/* One change to the environment. */
struct run_change {
    const char *name;
    const char *value; /* NULL: not set */
};

/** Runs argv[0] (searched in PATH, ends with NULL) with this process's environment and the changes
 * (at most RUN_MOST_CHANGES, ending with a NULL name; NULL: none), its input empty. said: its
 * standard output, up to 64 KiB, the rest dropped; its standard error is dropped. Ends it and what
 * it started in its group after so many seconds. Returns its exit code or one of the above. */
int run_program(const char *const *argv, const struct run_change *changes, unsigned seconds,
                struct text *said);

#endif
