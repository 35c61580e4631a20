/* SPDX-License-Identifier: MIT */
/*
 * What parent and child share, and what cases need not know. A child writes lines to a pipe (see
 * verdict.c) and keeps in shared memory which methods it is in, so that the parent can tell where
 * it hangs or died.
 */
#ifndef TUTTI_CONFORM_INSIDE_H
#define TUTTI_CONFORM_INSIDE_H

#include "conform/conform.h"
#include "conform/find.h"

enum { SHARED_CALLS = 64, LINE_BYTES = 2048, FAILURES_KEPT = 3, SERIES_POINTS = 2000 };

/* A call of the driver that runs: since when, 0: the slot is free. */
struct shared_call {
    _Atomic uint32_t method; /* enum conform_method + 1; 0: free */
    _Atomic uint32_t since_ms;
};

/* One section, made by the parent, mapped by each child. */
struct conform_shared {
    struct conform_facts facts;
    struct shared_call calls[SHARED_CALLS];
};

/* The child's own world, and the case in it. */
struct conform {
    const char *driver_name; /* borrowed */
    struct asio_guid clsid;
    double seconds;
    struct conform_shared *shared;
    HANDLE pipe;
    CRITICAL_SECTION lock; /* of the pipe and the fields below */
    const struct conform_case *current;
    unsigned failures;
    bool skipped;
};

extern struct conform *conform_child; /* for the crash handler and marks; NULL in the parent */

/** Milliseconds since the system began, never 0. */
uint32_t conform_now_ms(void);

/** A line to the parent; a line feed is added, and those within become spaces. */
void conform_say(struct conform *t, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));

/* ---- groups.c ---- */

/** A case by its number over all groups; group may be NULL. NULL: no such number. */
const struct conform_case *conform_case_at(unsigned number, const struct conform_group **group);
unsigned conform_case_count(void);
/** True when a case is chosen by "NAME|GROUP|glob[,...]"; NULL chooses all. */
bool conform_chosen(const char *only, const struct conform_group *group,
                    const struct conform_case *one);

/* ---- look.c ---- */

/** Fills shared->facts. */
void look(struct conform *t);

/* ---- child.c ---- */

enum { CHILD_LOOKS = -1 /* in place of a first case: fill the facts */ };

/** Runs cases from number `first` on, as the handles say that parent.c wrote on the command line.
 * Returns the process's exit code. */
int child_run(const char *driver_name, const char *handles, const char *only, double seconds);

#endif
