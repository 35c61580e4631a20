/* SPDX-License-Identifier: MIT */
/*
 * Memory, the stepping of actors, and the rules that they are held to.
 *
 * How a function is stopped before an access: it is not. An actor's function runs from the last
 * point where its locals were kept, is given the results it saw before, makes exactly one access in
 * earnest, and runs on over results of zero that nobody keeps. So each move is one access, there
 * are no stacks to save, and the world is plain bytes.
 */
#include "handoff_steps.h"

#include <stdio.h>
#include <string.h>

/* The move under way. */
static struct {
    struct world *world;
    unsigned actor;
    enum world_choice choice;
    uint32_t at; /* accesses so far */
    bool made;   /* the one in earnest */
    bool over;   /* another was asked for: what follows counts for nothing */
    bool blocked;
    bool at_once; /* building a world: every access is made, none is logged */
} move;

const struct scenario *scenario;
static const char *problem;
static char last_step[128];
static uint32_t handed_back; /* number of the call */

/* Their addresses are the words' names; their memory is not used. */
struct proto_segment segments[WORLD_PROGRAMS];
struct proto_rendezvous page;

const char *
world_problem(void)
{
    return problem;
}

const char *
world_last_step(void)
{
    return last_step;
}

void
broken(const char *text)
{
    if (!problem) {
        problem = text;
    }
}

unsigned
word_of(unsigned program, enum world_word word)
{
    return WORD_PROGRAMS + program * WORDS_PER_PROGRAM + (unsigned)word;
}

/* True directly after the access in earnest: the time for what the world alone sees of it. */
bool
in_earnest(void)
{
    return move.made && !move.over;
}

bool
is_over(void)
{
    return move.over;
}

struct world *
real_world(void)
{
    return move.world;
}

/* ---- memory ---- */

static void
write_word(struct world *world, unsigned word, uint32_t value)
{
    world->word[word] = value;
    for (unsigned p = 0; p < scenario->programs; p++) {
        if (word == word_of(p, WORD_ARMED) && value != PROTO_ARMED_NOT) {
            world->armed[p] = 1;
        }
    }
}

static void
store_arrives(struct world *world, struct world_thread *thread)
{
    struct world_store store = thread->store[0];
    thread->stored--;
    memmove(&thread->store[0], &thread->store[1], thread->stored * sizeof(thread->store[0]));
    memset(&thread->store[thread->stored], 0, sizeof(thread->store[0]));
    write_word(world, store.word, store.value);
}

static void
all_stores_arrive(struct world *world, struct world_thread *thread)
{
    while (thread->stored) {
        store_arrives(world, thread);
    }
}

static uint32_t
read_word(const struct world *world, const struct world_thread *thread, unsigned word)
{
    for (uint32_t i = thread->stored; i > 0; i--) {
        if (thread->store[i - 1].word == word) {
            return thread->store[i - 1].value;
        }
    }
    return world->word[word];
}

static uint32_t
make(enum access access, unsigned word, uint32_t value)
{
    struct world *world = move.world;
    struct world_thread *thread = &world->thread[move.actor];
    uint32_t was = word < WORD_COUNT ? read_word(world, thread, word) : 0;
    bool waits_for_stores =
        access == ACCESS_STORE || access == ACCESS_ADD || access == ACCESS_EXCHANGE;
    if (waits_for_stores && scenario->flaw != FLAW_WEAK_OWNER) {
        all_stores_arrive(world, thread);
    }
    switch (access) {
    case ACCESS_LOAD:
    case ACCESS_PAUSE:
        break;
    case ACCESS_STORE:
    case ACCESS_EXCHANGE:
        write_word(world, word, value);
        break;
    case ACCESS_ADD:
        write_word(world, word, was + value);
        break;
    case ACCESS_WEAK_STORE:
        if (thread->stored == WORLD_BUFFER) {
            store_arrives(world, thread);
        }
        thread->store[thread->stored++] = (struct world_store){word, value};
        break;
    case ACCESS_WAIT:
        if (move.choice == CHOICE_DEADLINE) {
            return 1;
        }
        move.blocked = was == value;
        return 0;
    }
    return was;
}

static void
describe(enum access access, unsigned word, uint32_t value, uint32_t result)
{
    static const char *const accesses[] = {"loads",   "stores",    "stores weakly", "exchanges",
                                           "adds to", "waits for", "works"};
    static const char *const words[] = {"owner[0]", "owner[1]",  "armed", "doorbell",
                                        "run",      "start_seq", "open",  "deferred"};
    const char *name = word == WORD_WAKE      ? "wake"
                       : word == WORD_PENDING ? "pending"
                       : word < WORD_COUNT    ? words[(word - WORD_PROGRAMS) % WORDS_PER_PROGRAM]
                                              : "";
    snprintf(last_step, sizeof(last_step), "actor %u %s %s of %d: %x -> %x", move.actor,
             accesses[access], name,
             word < WORD_PROGRAMS ? -1 : (int)(word - WORD_PROGRAMS) / WORDS_PER_PROGRAM, value,
             result);
}

uint32_t
step(enum access access, unsigned word, uint32_t value)
{
    struct world_thread *thread = &move.world->thread[move.actor];
    if (move.at_once) {
        uint32_t result = make(access, word, value);
        all_stores_arrive(move.world, thread);
        return result;
    }
    if (move.at < thread->logged) {
        return thread->log[move.at++];
    }
    bool choice_fits = move.choice == CHOICE_STEP || access == ACCESS_WAIT;
    if (move.made || move.blocked || !choice_fits || thread->logged == WORLD_LOG) {
        if (!move.made && !move.over && thread->logged == WORLD_LOG) {
            broken("the test's log is too short");
        }
        move.blocked |= !move.made && !choice_fits;
        move.over = true;
        return 0;
    }
    uint32_t result = make(access, word, value);
    if (move.blocked) {
        move.over = true;
        return 0;
    }
    describe(access, word, value, result);
    move.made = true;
    move.at++;
    thread->log[thread->logged++] = result;
    return result;
}

/* ---- the accesses of handoff.c ---- */

static unsigned
index_of(const _Atomic uint32_t *word)
{
    for (unsigned p = 0; p < WORLD_PROGRAMS; p++) {
        if (word == &segments[p].owner[0] || word == &segments[p].owner[1]) {
            return word_of(p, WORD_OWNER) + (word == &segments[p].owner[1]);
        }
        if (word == &segments[p].armed) {
            return word_of(p, WORD_ARMED);
        }
    }
    return WORD_PENDING;
}

static bool
is_armed_word(unsigned word)
{
    return word >= WORD_PROGRAMS && (word - WORD_PROGRAMS) % WORDS_PER_PROGRAM == WORD_ARMED;
}

uint32_t
world_load(const _Atomic uint32_t *word)
{
    return step(ACCESS_LOAD, index_of(word), 0);
}

void
world_store(_Atomic uint32_t *word, uint32_t value, memory_order order)
{
    unsigned at = index_of(word);
    bool weak = order != memory_order_seq_cst;
    if (at == WORD_PENDING && scenario->flaw == FLAW_COUNT_REACHABLE) {
        value = 1;
    }
    weak |= is_armed_word(at) && scenario->flaw == FLAW_WEAK_ARM;
    weak |= at != WORD_PENDING && !is_armed_word(at) && move.actor != ACTOR_ENGINE &&
            scenario->flaw == FLAW_WEAK_OWNER;
    step(weak ? ACCESS_WEAK_STORE : ACCESS_STORE, at, value);
}

uint32_t
world_exchange(_Atomic uint32_t *word, uint32_t value)
{
    unsigned at = index_of(word);
    bool engine = move.actor == ACTOR_ENGINE;
    uint32_t was;
    if (scenario->flaw == (engine ? FLAW_SPLIT_DISARM : FLAW_SPLIT_TAKE)) {
        was = step(ACCESS_LOAD, at, 0);
        step(ACCESS_STORE, at, value);
    } else {
        was = step(ACCESS_EXCHANGE, at, value);
    }
    if (in_earnest() && was != PROTO_ARMED_NOT && !engine) {
        /* The engine has taken that half already: what it armed since is for a later call. */
        const struct world_truth *truth =
            &move.world->truth[(at - WORD_PROGRAMS) / WORDS_PER_PROGRAM][handed_back & 1];
        move.world->overtaken |= truth->owner != TRUTH_RETURNED || truth->out != handed_back;
    }
    if (in_earnest() && was != PROTO_ARMED_NOT) {
        uint32_t *armed = &move.world->armed[(at - WORD_PROGRAMS) / WORDS_PER_PROGRAM];
        if (!*armed) {
            broken("one arming was taken twice");
        }
        *armed = 0;
    }
    return was;
}

uint32_t
world_fetch_sub(_Atomic uint32_t *word, uint32_t value)
{
    unsigned at = index_of(word);
    if (scenario->flaw == FLAW_SPLIT_COUNT && move.actor != ACTOR_ENGINE) {
        uint32_t was = step(ACCESS_LOAD, at, 0);
        step(ACCESS_STORE, at, was - value);
        return was;
    }
    return step(ACCESS_ADD, at, 0 - value);
}

/* ---- the truth ---- */

void
give(unsigned p, uint32_t seq)
{
    struct world_truth *truth = &move.world->truth[p][seq & 1];
    if (in_earnest()) {
        if (truth->owner != TRUTH_ENGINE) {
            broken("the engine fills a half that is not its own");
        }
        truth->owner = TRUTH_GIVEN;
        truth->in = seq;
    }
}

void
hold(unsigned p, uint32_t seq)
{
    struct world_truth *truth = &move.world->truth[p][seq & 1];
    if (in_earnest()) {
        if (truth->owner != TRUTH_GIVEN || truth->in != seq) {
            broken("the program takes a half that was not given to it");
        }
        truth->owner = TRUTH_HELD;
    }
}

void
let_go(unsigned p, uint32_t seq)
{
    struct world_truth *truth = &move.world->truth[p][seq & 1];
    if (in_earnest()) {
        if (truth->owner != TRUTH_HELD || truth->in != seq) {
            broken("the program works on a half that is not its own");
        }
        truth->owner = TRUTH_RETURNED;
        truth->out = seq;
    }
}

void
take_back(unsigned p, uint32_t seq)
{
    struct world_truth *truth = &move.world->truth[p][seq & 1];
    if (in_earnest()) {
        /* A call of a former run, which nobody will begin, is handed back by the next start. */
        if (truth->owner == TRUTH_GIVEN && seq < move.world->program[p].next_seq) {
            truth->owner = TRUTH_RETURNED;
            truth->out = seq;
        }
        if (truth->owner != TRUTH_RETURNED || truth->out != seq) {
            broken("the engine takes a half that was not handed back");
        }
        truth->owner = TRUTH_ENGINE;
    }
}

/* A start: to the engine both halves are its own. Before it, from a stop on, they are nothing to
 * it. */
void
take_both(unsigned p)
{
    for (unsigned h = 0; in_earnest() && h < 2; h++) {
        if (move.world->truth[p][h].owner == TRUTH_HELD) {
            broken("the engine begins anew with a half that the program works on");
        }
        move.world->truth[p][h].owner = TRUTH_ENGINE;
    }
}

void
hands_back(uint32_t seq)
{
    handed_back = seq;
}

/* ---- moves ---- */

static void
forget_log(struct world_thread *thread)
{
    memset(thread->log, 0, sizeof(thread->log));
    thread->logged = 0;
}

/* Runs the actor's function once; true when it came to its end, where locals are kept. */
static bool
run_actor(struct world *world, unsigned actor)
{
    struct world_engine engine = world->engine;
    struct world_program program;
    unsigned p = (actor - ACTOR_PROGRAM) % WORLD_PROGRAMS;
    if (actor == ACTOR_ENGINE) {
        actor_engine(&engine);
    } else if (actor < ACTOR_READY) {
        program = world->program[p];
        actor_program(&program, p);
    } else if (actor < ACTOR_INTRUDER) {
        actor_ready(p);
    } else {
        actor_intruder();
    }
    if (move.over) {
        return false;
    }
    if (actor == ACTOR_ENGINE) {
        world->engine = engine;
        world->thread[actor].ended = engine.gone;
    } else if (actor < ACTOR_READY) {
        world->program[p] = program;
    } else if (actor == ACTOR_INTRUDER) {
        world->thread[actor].ended = --world->spurious == 0;
    }
    forget_log(&world->thread[actor]);
    return true;
}

enum world_result
world_move(struct world *world, unsigned actor, enum world_choice choice)
{
    struct world_thread *thread = &world->thread[actor];
    problem = NULL;
    if (choice == CHOICE_STORE_ARRIVES) {
        if (!thread->stored) {
            return WORLD_IMPOSSIBLE;
        }
        snprintf(last_step, sizeof(last_step), "a store of actor %u arrives", actor);
        store_arrives(world, thread);
        return WORLD_MOVED;
    }
    if (thread->ended ||
        (choice == CHOICE_DEADLINE && (actor != ACTOR_ENGINE || !world->deadlines))) {
        return WORLD_IMPOSSIBLE;
    }
    memset(&move, 0, sizeof(move));
    move.world = world;
    move.actor = actor;
    move.choice = choice;
    /* A function that came to its end without an access hands on to the next. */
    do {
        move.at = 0;
    } while (run_actor(world, actor) && !move.made && !thread->ended);
    if (problem) {
        return WORLD_BROKEN;
    }
    if (!move.made && !thread->ended) {
        return WORLD_IMPOSSIBLE;
    }
    world->deadlines -= choice == CHOICE_DEADLINE;
    return WORLD_MOVED;
}

/* After it was late, a program that keeps each half for one call more may be waited for in vain
 * once: the next call could not be made while it had both halves. */
static bool
keeps_for_next_call(const struct engine_view *view)
{
    const struct engine_half *last = &view->half[~view->next_seq & 1];
    return scenario->late_take && scenario->deadlines && last->state == HALF_ISSUED &&
           last->seq == view->next_seq - 1;
}

bool
world_may_rest(const struct world *world)
{
    if (world->thread[ACTOR_ENGINE].ended) {
        return true;
    }
    for (unsigned p = 0; p < scenario->programs; p++) {
        const struct engine_view *view = &world->engine.program[p];
        /* Stopped since: that does not answer, and a start wipes an answer that was not seen. */
        bool stopped = view->run != world->word[word_of(p, WORD_RUN)];
        if (is_awaited(&world->engine, p) && (stopped || keeps_for_next_call(view))) {
            return true;
        }
    }
    problem = "the engine sleeps and nobody will wake it";
    return false;
}

void
world_init(struct world *world, const struct scenario *of)
{
    scenario = of;
    memset(world, 0, sizeof(*world));
    memset(&move, 0, sizeof(move));
    move.world = world;
    move.at_once = true;
    for (unsigned p = 0; p < WORLD_PROGRAMS; p++) {
        world->program[p].next_seq = scenario->first_seq;
        if (p < scenario->programs) {
            move.actor = ACTOR_PROGRAM + p;
            actor_start(&world->program[p], p);
        }
        world->thread[ACTOR_PROGRAM + p].ended = p >= scenario->programs;
        world->thread[ACTOR_READY + p].ended = p >= scenario->programs || !scenario->ready_thread;
    }
    world->deadlines = scenario->deadlines;
    world->spurious = scenario->spurious;
    world->thread[ACTOR_INTRUDER].ended = scenario->spurious == 0;
}
