/* SPDX-License-Identifier: MIT */
/*
 * The driver's entries as Windows has them: one per profile, in the views of 64- and of 32-bit
 * programs. The driver itself writes them (regsvr32); here is asked what is there and what is to be
 * done. entries_win32.c; entries_posix.c says where that is done instead.
 */
#ifndef TUTTI_CLI_ENTRIES_H
#define TUTTI_CLI_ENTRIES_H

#include <stdbool.h>

enum { ENTRIES_NAME_BYTES = 32, ENTRIES_WHY_BYTES = 400, ENTRIES_MOST = 80 };

struct entry {
    char name[ENTRIES_NAME_BYTES]; /* "Tutti", "Tutti Low Latency" */
    bool machine[2], user[2];      /* for everybody, for this user alone; 64-bit, 32-bit */
};

/** Those that are there; how many. */
unsigned entries_list(struct entry list[ENTRIES_MOST]);

/** Makes or removes a profile's entry in each view in which Tutti is. user: for this user alone.
 * False: why says what to do. */
bool entries_change(const char *profile, bool add, bool user, char why[ENTRIES_WHY_BYTES]);

/** What lists entries besides the profiles of the configuration, for people; NULL: nothing does. */
extern const char *const entries_elsewhere;

#endif
