/* SPDX-License-Identifier: MIT */
/* The command, as `tutti conform` and as a program of its own. */
#ifndef TUTTI_CONFORM_COMMAND_H
#define TUTTI_CONFORM_COMMAND_H

#include "console/args.h"
#include "console/style.h"

/* How it is called and what the standard output can show. */
struct conform_shown {
    const char *called; /* "tutti conform"; a child is called so, too */
    struct style out;
};

/** Runs it. Returns 0: no case failed; 1: one did; 2: it could not judge. */
int conform_command(const struct args *args, const struct conform_shown *shown);

#endif
