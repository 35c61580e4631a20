/* SPDX-License-Identifier: MIT */
/* What a process holds of the system, for tests that nothing is left behind. */
#ifndef TUTTI_TEST_BACKEND_LEAKS_H
#define TUTTI_TEST_BACKEND_LEAKS_H

struct backend_leaks {
    unsigned files; /* or handles */
    unsigned threads;
    unsigned mappings; /* 0 where they cannot be counted */
};

struct backend_leaks backend_leaks_count(void);

#endif
