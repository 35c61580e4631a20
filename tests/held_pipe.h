/* SPDX-License-Identifier: MIT */
/* A reader that keeps a pipe locked: it reads into a page whose fault nobody resolves. Linux. */
#ifndef TUTTI_TEST_HELD_PIPE_H
#define TUTTI_TEST_HELD_PIPE_H

#include <pthread.h>
#include <stdbool.h>

struct held_pipe {
    int reads, faults;
    void *page;
    pthread_t reader;
};

/** Puts a byte into the pipe and holds it from then on. reads, writes: its ends. False, and nothing
 * is held, where the system gives this user no such pages. */
bool held_pipe_take(struct held_pipe *held, int reads, int writes);
/** Lets it go. */
void held_pipe_release(struct held_pipe *held);

#endif
