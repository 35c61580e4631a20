/* SPDX-License-Identifier: MIT */
/*
 * A small world in which the real handoff.c is run step by step: one engine, its programs, their
 * second threads, and shared memory with store buffers. The explorer moves it through every order
 * of steps; after each the world says whether a rule of the protocol was broken.
 *
 * A store that is weaker than sequentially consistent may reach the others late (as on x86); a step
 * is one atomic access.
 */
#ifndef TUTTI_TESTS_HANDOFF_WORLD_H
#define TUTTI_TESTS_HANDOFF_WORLD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WORLD_PROGRAMS = 2,
    WORLD_LOG = 24,   /* atomic accesses between two points where an actor's locals are kept */
    WORLD_BUFFER = 4, /* stores under way, per actor */
};

/* One deliberate mistake. Those in handoff.c are made where its atomic accesses arrive; the others
 * break what handoff.h asks of its callers. */
enum flaw {
    FLAW_NONE,
    FLAW_WEAK_OWNER,      /* handoff_done(): the owner word is seen after the exchange */
    FLAW_WEAK_ARM,        /* handoff_arm(): the arming is seen after the engine's next look */
    FLAW_SPLIT_COUNT,     /* handoff_done(): counting out is a load and a store */
    FLAW_SPLIT_TAKE,      /* handoff_done(): taking the arming is a load and a store */
    FLAW_SPLIT_DISARM,    /* handoff_disarm(): likewise */
    FLAW_COUNT_REACHABLE, /* handoff_count_begin(): programs can count to zero before the end */
    FLAW_COUNT_AT_ZERO,   /* handoff_is_counted(): below zero is not taken for counted */
    FLAW_COUNT_UNLOOKED,  /* the engine sleeps without looking at the count again */
    FLAW_ARM_AFTER_CALL,  /* the engine arms after it issued the call */
    FLAW_ARM_UNLOOKED,    /* the engine does not look at owner[] after arming */
    FLAW_SEEN_LATE,       /* the engine reads its wake word after looking */
    FLAW_TRUST_COUNT,     /* the engine takes the count for the truth */
    FLAW_DONE_EARLY,      /* the program goes on working after it handed back */
    FLAW_SEQ_AGAIN,       /* a start whose first call has a number of the last run */
    FLAW_COUNT
};

struct scenario {
    const char *name;
    unsigned programs, cycles;
    uint32_t first_seq;
    unsigned bursts;     /* calls per cycle of buffers smaller than the quantum; 0: one, not so */
    unsigned deadlines;  /* how often the engine may give up waiting */
    unsigned spurious;   /* counts by somebody whom nobody armed */
    unsigned restart_at; /* > 0: the first program stops after so many calls and starts again */
    bool late_take;      /* a half is handed back when the next call returns */
    bool ready_thread;   /* the host says ready on another thread, and at its call's return */
    enum flaw flaw;
};

enum { WORDS_PER_PROGRAM = 8 };
enum world_word {
    WORD_WAKE,
    WORD_PENDING,
    WORD_PROGRAMS, /* then per program: */
    WORD_OWNER = 0,
    WORD_ARMED = 2,
    WORD_DOORBELL,
    WORD_RUN,
    WORD_START,
    WORD_OPEN,
    WORD_DEFERRED,
    WORD_COUNT = WORD_PROGRAMS + WORLD_PROGRAMS * WORDS_PER_PROGRAM
};

enum world_actor {
    ACTOR_ENGINE,
    ACTOR_PROGRAM,
    ACTOR_READY = ACTOR_PROGRAM + WORLD_PROGRAMS,
    ACTOR_INTRUDER = ACTOR_READY + WORLD_PROGRAMS,
    ACTOR_COUNT
};

enum world_choice { CHOICE_STEP, CHOICE_DEADLINE, CHOICE_STORE_ARRIVES, CHOICE_COUNT };

/* Where an actor is: results of the accesses since its locals were kept. */
struct world_thread {
    uint32_t log[WORLD_LOG];
    uint32_t logged;
    uint32_t ended;
    uint32_t stored;
    struct world_store {
        uint32_t word, value;
    } store[WORLD_BUFFER];
};

enum view_state { VIEW_STOPPED, VIEW_RUNNING, VIEW_LATE };
enum half_state { HALF_FREE, HALF_ISSUED, HALF_DROPPED, HALF_DONE };

struct world_engine {
    uint32_t phase, program_at, cycle, gone;
    uint32_t counted, bursting, all_counted, recounts, expired;
    struct engine_view {
        uint32_t state, run, next_seq, due, waited;
        struct engine_half {
            uint32_t state, seq, need; /* need: the cycle that waits for it */
        } half[2];
    } program[WORLD_PROGRAMS];
};

struct world_program {
    uint32_t phase, next_seq, calls, have_previous, starts;
};

/* The truth about a half, seen from nowhere: what nobody but the test knows. */
enum truth_owner { TRUTH_ENGINE, TRUTH_GIVEN, TRUTH_HELD, TRUTH_RETURNED };
struct world_truth {
    uint32_t owner;
    uint32_t in, out; /* whose samples: numbers of calls */
};

/* Everything, so that two worlds of equal bytes have the same future. */
struct world {
    uint32_t word[WORD_COUNT];
    struct world_thread thread[ACTOR_COUNT];
    struct world_engine engine;
    struct world_program program[WORLD_PROGRAMS];
    struct world_truth truth[WORLD_PROGRAMS][2];
    uint32_t armed[WORLD_PROGRAMS]; /* an arming that nobody took yet */
    uint32_t deadlines, spurious, recounts;
    uint32_t overtaken; /* an exchange came so late that it took the arming for another call */
};

enum world_result {
    WORLD_IMPOSSIBLE, /* that actor waits, has ended or has no such choice: nothing changed */
    WORLD_MOVED,
    WORLD_BROKEN, /* a rule was broken: world_problem() */
};

/** The beginning of a scenario, which is borrowed until the next call. */
void world_init(struct world *world, const struct scenario *scenario);

/** One step of one actor. */
enum world_result world_move(struct world *world, unsigned actor, enum world_choice choice);

/** Judges a world in which nobody can move but by a deadline; false: world_problem(). */
bool world_may_rest(const struct world *world);

/** What the last broken world broke. Static text. */
const char *world_problem(void);

/** The last step, for people: valid until the next. */
const char *world_last_step(void);

#endif
