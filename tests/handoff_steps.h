/* SPDX-License-Identifier: MIT */
/* Between the world and its actors: one access at a time, and what the world wants to know. */
#ifndef TUTTI_TESTS_HANDOFF_STEPS_H
#define TUTTI_TESTS_HANDOFF_STEPS_H

#include <stdatomic.h>

#include "handoff_world.h"
#include "proto/segment.h"

/* ---- the world, for actors ---- */

enum access {
    ACCESS_LOAD,
    ACCESS_STORE,
    ACCESS_WEAK_STORE,
    ACCESS_EXCHANGE,
    ACCESS_ADD,
    ACCESS_WAIT, /* until the word differs from the value; 1: the deadline came instead */
    ACCESS_PAUSE,
};

extern const struct scenario *scenario;

/* Their addresses are the words' names; their memory is not used. */
extern struct proto_segment segments[WORLD_PROGRAMS];
extern struct proto_rendezvous page;

unsigned word_of(unsigned program, enum world_word word);

/** One access of the actor whose move it is. word: WORD_COUNT for a pause. */
uint32_t step(enum access access, unsigned word, uint32_t value);

/** True directly after the access in earnest: the time for what the world alone sees of it. */
bool in_earnest(void);

/** True when nothing counts any more: leave loops that wait for something. */
bool is_over(void);

struct world *real_world(void);
void broken(const char *problem);

/* The accesses of handoff.c. */
uint32_t world_load(const _Atomic uint32_t *word);
void world_store(_Atomic uint32_t *word, uint32_t value, memory_order order);
uint32_t world_exchange(_Atomic uint32_t *word, uint32_t value);
uint32_t world_fetch_sub(_Atomic uint32_t *word, uint32_t value);

/* Who has a half, in truth. Call them in earnest or not. */
void give(unsigned p, uint32_t seq);
void hold(unsigned p, uint32_t seq);
void let_go(unsigned p, uint32_t seq);
void take_back(unsigned p, uint32_t seq);
void take_both(unsigned p);
/* Whose half the program hands back with its next exchange. */
void hands_back(uint32_t seq);

/* ---- actors, for the world ---- */

/* Each runs to the next point where its locals are kept. */
void actor_engine(struct world_engine *engine);
void actor_program(struct world_program *program, unsigned p);
void actor_ready(unsigned p);
void actor_intruder(void);

/** A start before the world begins to move. */
void actor_start(struct world_program *program, unsigned p);

/** True when this cycle needs a half that program p was given. */
bool is_awaited(const struct world_engine *engine, unsigned p);

#endif
