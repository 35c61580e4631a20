/* SPDX-License-Identifier: MIT */
/* What the cases of misbehaving hosts share: rude.c helps cases_rude_*.c. */
#ifndef TUTTI_CONFORM_RUDE_H
#define TUTTI_CONFORM_RUDE_H

#include "conform/conform.h"

/* What a callback did, for the thread that waits. The driver may still use it after a case that
 * failed: it is never freed. */
struct rude {
    struct subject *s;
    unsigned at_block; /* the callback that misbehaves */
    _Atomic uint32_t entered, done;
    _Atomic int32_t answer;
    DWORD thread;
};

/** A driver object that is Prepared, with this function in its callbacks. NULL: failed and said. */
struct rude *rude_open(struct conform *t,
                       void (*on_block)(struct host *host, const struct host_block *block));
/** Waits for `done`. False: failed and said; the object is left as it is. */
bool rude_wait_done(struct rude *rude, const char *what);
/** Waits until no callback runs. False: failed and said. */
bool rude_wait_outside(struct rude *rude);
/** As many callbacks more than there were. False: failed and said. */
bool rude_goes_on(struct rude *rude, uint32_t count, const char *after);
/** stop, disposeBuffers, Release. */
void rude_close(struct rude *rude);
/** Another object can be made and plays. */
void rude_expect_fresh(struct conform *t, const char *after);
/** The period of the buffers in ms. */
double rude_period_ms(const struct subject *s);

/* How a process of its own ends. */
enum rude_end { END_KILLED, END_BY_ITSELF };

/** Called at the begin of a case that uses rude_process(): in the process that was made for it this
 * does what was asked, and does not return. */
void rude_play_process(struct conform *t);
/** Makes another process lead the driver into a state, and end there in this way. False: failed
 * and said. */
bool rude_process(struct conform *t, const char *case_name, enum subject_state state,
                  enum rude_end end);

#endif
