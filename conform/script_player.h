/* SPDX-License-Identifier: MIT */
/* What the parts of the script player share. */
#ifndef TUTTI_CONFORM_SCRIPT_PLAYER_H
#define TUTTI_CONFORM_SCRIPT_PLAYER_H

#include "conform/script.h"

enum { SCRIPT_OBJECTS = 2, SCRIPT_RATES = 20 };

/* Writes outputs after the callback has returned. */
struct script_writer {
    HANDLE thread, wake;
    CRITICAL_SECTION lock; /* the rest */
    struct subject *subject;
    int32_t half; /* to be written; -1: none */
    bool quit;
};

struct script_player {
    struct conform *t;
    const struct script *script;
    struct subject *subjects[SCRIPT_OBJECTS];
    HMODULE modules[SCRIPT_OBJECTS]; /* that DO_LOAD loaded */
    unsigned which, step;
    double rates[SCRIPT_RATES]; /* that were accepted */
    unsigned rate_count;
    double first_rate, set_rate; /* 0: none yet */
    struct script_writer writer;
    bool fresh; /* createBuffers was the last but questions */
    bool ended; /* a step failed */
};

/* ---- script.c ---- */

/** The script ends here: "HOST, step N: WHAT WHY". */
void script_fail(struct script_player *player, const char *what, const char *why);
/** script_fail() when the step does not allow the answer. */
void script_judge(struct script_player *player, const char *what, int32_t answer);

/* ---- script_host.c ---- */

/** Gives a fresh object the host's callbacks and answers. */
void script_behave(struct script_player *player, struct subject *s);
void script_clear_half(struct subject *s, int32_t half);
bool script_writer_open(struct script_writer *writer);
/** Nothing is written any more once this returns. */
void script_writer_forget(struct script_writer *writer);
void script_writer_close(struct script_writer *writer);

/* ---- script_steps.c ---- */

/** Takes the step that player->step is. */
void script_take_step(struct script_player *player);

#endif
