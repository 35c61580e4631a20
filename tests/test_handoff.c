/* SPDX-License-Identifier: MIT */
/*
 * Every interleaving of the handing over. The real handoff.c runs on fibers, one for the engine and
 * one per program, that can be exchanged before each atomic operation; all schedules are explored
 * depth first, and a state (memory and what each fiber has seen) that was reached before is not
 * explored again. Deliberately broken variants must be found out by the same search.
 *
 * The engine's fiber does what cycle.c does: arm, fill, issue, count, wait, look, disarm.
 * Sequential consistency is assumed between steps; orders are argued in handoff.c and run under the
 * thread sanitizer by the other tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

static void yield(void);
static uint32_t observe(uint32_t value);

#define STEP_LOAD(word, order) (yield(), observe(atomic_load_explicit(word, order)))
#define STEP_STORE(word, value, order) (yield(), atomic_store_explicit(word, value, order))
#define STEP_EXCHANGE(word, value)                                                                 \
    (yield(), observe(atomic_exchange_explicit(word, value, memory_order_seq_cst)))
#define STEP_FETCH_SUB(word, value)                                                                \
    (yield(), observe(atomic_fetch_sub_explicit(word, value, memory_order_seq_cst)))
#include "../src/proto/handoff.c"

enum { FIBERS = 3, STACK_BYTES = 65536, MOST_CHOICES = 1000, VISITED = 1 << 21 };

enum mutant {
    NONE,
    COUNT_BEFORE_OWNER, /* the program counts itself out before it hands the half back */
    ARM_AFTER_ISSUE,    /* the engine arms when the program may be done already */
    DIVIDED_DECREMENT,  /* the program reads the count and stores one less */
    MUTANTS_END
};

struct fiber {
    ucontext_t context;
    unsigned char stack[STACK_BYTES];
    bool done;
    uint64_t history;             /* of what it has seen and how far it is */
    bool (*blocked)(unsigned id); /* NULL: can run */
};

/* One run: everything that schedules may differ in. */
static struct {
    struct proto_segment segment[2];
    struct proto_rendezvous rendezvous;
    bool engine_in[2][2], program_in[2][2]; /* [program][half]: who is touching it */
} world;

static struct fiber fibers[FIBERS];
static ucontext_t scheduler;
static unsigned running, programs, cycles;
static bool exploring;
static bool deadlines; /* the engine's deadline may pass at any time */
static enum mutant mutant;
static const char *violation;
static unsigned choice[MOST_CHOICES], width[MOST_CHOICES], choices, replay;
static uint64_t *visited;
static uint64_t schedules, states;

static uint64_t
mix(uint64_t a, uint64_t b)
{
    a ^= b + UINT64_C(0x9E3779B97F4A7C15) + (a << 6) + (a >> 2);
    return (a ^ a >> 31) * UINT64_C(0xBF58476D1CE4E5B9);
}

static void
yield(void)
{
    if (!exploring) {
        return; /* setting up, before the fibers run */
    }
    struct fiber *fiber = &fibers[running];
    fiber->history = mix(fiber->history, 1);
    swapcontext(&fiber->context, &scheduler);
}

static uint32_t
observe(uint32_t value)
{
    fibers[running].history = mix(fibers[running].history, value + 2ULL);
    return value;
}

static void
violate(const char *what)
{
    if (!violation) {
        violation = what;
    }
}

static void
wait_until(bool (*blocked)(unsigned id))
{
    fibers[running].blocked = blocked;
    yield();
    fibers[running].blocked = NULL;
}

/* ---- touching halves ---- */

static void
touch(bool engine, unsigned p, unsigned half)
{
    bool *mine = engine ? &world.engine_in[p][half] : &world.program_in[p][half];
    const bool *other = engine ? &world.program_in[p][half] : &world.engine_in[p][half];
    *mine = true;
    if (*other) {
        violate("a half is touched by both");
    }
    yield();
    if (*other) {
        violate("a half is touched by both");
    }
    *mine = false;
}

/* ---- a program ---- */

static uint32_t program_seq[2];

static bool
not_called(unsigned id)
{
    uint32_t seq = program_seq[id - 1];
    return atomic_load(&world.segment[id - 1].owner[seq & 1]) != (seq << 1 | 1);
}

static bool
hand_back(unsigned p, uint32_t seq)
{
    struct proto_segment *segment = &world.segment[p];
    if (mutant == COUNT_BEFORE_OWNER) {
        bool last = STEP_EXCHANGE(&segment->armed, PROTO_ARMED_NOT) &&
                    STEP_FETCH_SUB(&world.rendezvous.pending, 1) == 1;
        STEP_STORE(&segment->owner[seq & 1], owned_by_engine(seq), memory_order_seq_cst);
        return last;
    }
    if (mutant == DIVIDED_DECREMENT) {
        STEP_STORE(&segment->owner[seq & 1], owned_by_engine(seq), memory_order_seq_cst);
        if (!STEP_EXCHANGE(&segment->armed, PROTO_ARMED_NOT)) {
            return false;
        }
        uint32_t pending = STEP_LOAD(&world.rendezvous.pending, memory_order_seq_cst);
        STEP_STORE(&world.rendezvous.pending, pending - 1, memory_order_seq_cst);
        return pending == 1;
    }
    return handoff_done(segment, &world.rendezvous, seq);
}

static void
run_program(void)
{
    unsigned p = running - 1;
    for (uint32_t seq = 2; seq < 2 + cycles; seq++) {
        program_seq[p] = seq;
        wait_until(not_called);
        if (!handoff_begin(&world.segment[p], seq)) {
            violate("called, but the call cannot be begun");
        }
        touch(false, p, seq & 1);
        if (hand_back(p, seq)) {
            yield();
            atomic_fetch_add(&world.rendezvous.wake, 1);
        }
    }
    fibers[running].done = true;
    swapcontext(&fibers[running].context, &scheduler);
}

/* ---- the engine, as cycle.c does it ---- */

static uint32_t engine_seen;

static bool
not_woken(unsigned id)
{
    (void)id;
    return atomic_load(&world.rendezvous.wake) == engine_seen && !deadlines;
}

/* The count was wrong: a program's last handing back may take the arming of its next call. It costs
 * a look. */
static bool
recount(const uint32_t *seq, const bool *waited)
{
    uint32_t counted = 0;
    handoff_count_begin(&world.rendezvous);
    for (unsigned p = 0; p < programs; p++) {
        struct proto_segment *segment = &world.segment[p];
        if (!waited[p] || handoff_is_done(segment, seq[p])) {
            continue;
        }
        handoff_arm(segment, PROTO_ARMED_COUNT);
        if (!handoff_is_done(segment, seq[p]) || handoff_disarm(segment) == PROTO_ARMED_NOT) {
            counted++;
        }
    }
    return handoff_count_end(&world.rendezvous, counted);
}

static void
run_engine(void)
{
    uint32_t seq[2] = {2, 2};
    bool out[2] = {false, false}, waited[2];
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        uint32_t counted = 0;
        handoff_count_begin(&world.rendezvous);
        for (unsigned p = 0; p < programs; p++) {
            struct proto_segment *segment = &world.segment[p];
            waited[p] = false;
            if (out[p]) {
                if (!handoff_is_done(segment, seq[p])) {
                    continue; /* late: not waited for */
                }
                out[p] = false;
                seq[p]++;
            }
            if (mutant != ARM_AFTER_ISSUE) {
                handoff_arm(segment, PROTO_ARMED_COUNT);
            }
            touch(true, p, seq[p] & 1);
            handoff_issue(segment, seq[p]);
            if (mutant == ARM_AFTER_ISSUE) {
                handoff_arm(segment, PROTO_ARMED_COUNT);
            }
            out[p] = waited[p] = true;
            counted++;
        }
        bool all = handoff_count_end(&world.rendezvous, counted);
        bool woken_for_nothing = false;
        unsigned recounts = 0, most_recounts = deadlines ? 1 : 100;
        for (;;) {
            engine_seen = STEP_LOAD(&world.rendezvous.wake, memory_order_acquire);
            all = all || STEP_LOAD(&world.rendezvous.pending, memory_order_acquire) == 0;
            bool everybody = true;
            for (unsigned p = 0; p < programs; p++) {
                everybody = everybody && (!waited[p] || handoff_is_done(&world.segment[p], seq[p]));
            }
            if (all && everybody) {
                break;
            }
            if (all && recounts < most_recounts) {
                recounts++;
                all = recount(seq, waited);
                continue;
            }
            if (deadlines && woken_for_nothing) {
                break; /* the deadline */
            }
            wait_until(not_woken);
            woken_for_nothing = true;
        }
        for (unsigned p = 0; p < programs; p++) {
            if (waited[p]) {
                handoff_disarm(&world.segment[p]);
            }
            if (out[p] && handoff_is_done(&world.segment[p], seq[p])) {
                touch(true, p, seq[p] & 1);
                out[p] = false;
                seq[p]++;
            }
        }
    }
    fibers[running].done = true;
    swapcontext(&fibers[running].context, &scheduler);
}

/* ---- exploring ---- */

static void
start_fiber(unsigned id, void (*run)(void))
{
    struct fiber *fiber = &fibers[id];
    fiber->done = false;
    fiber->history = id + 1;
    fiber->blocked = NULL;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = sizeof(fiber->stack);
    fiber->context.uc_link = &scheduler;
    makecontext(&fiber->context, run, 0);
}

static bool
seen_before(void)
{
    uint64_t key = 7;
    for (unsigned f = 0; f <= programs; f++) {
        key = mix(key, fibers[f].history + fibers[f].done);
    }
    for (unsigned p = 0; p < programs; p++) {
        struct proto_segment *s = &world.segment[p];
        key = mix(key, (uint64_t)atomic_load(&s->owner[0]) << 32 | atomic_load(&s->owner[1]));
        key = mix(key, atomic_load(&s->armed));
        key = mix(key, world.engine_in[p][0] | world.engine_in[p][1] << 1 |
                           world.program_in[p][0] << 2 | world.program_in[p][1] << 3);
    }
    key = mix(key, (uint64_t)atomic_load(&world.rendezvous.wake) << 32 |
                       atomic_load(&world.rendezvous.pending));
    key += key == 0;
    for (uint64_t i = key;; i++) {
        uint64_t *slot = &visited[i & (VISITED - 1)];
        if (*slot == key) {
            return true;
        }
        if (!*slot) {
            *slot = key;
            states++;
            return false;
        }
    }
}

/* One schedule, to the engine's end, a violation, or a state that another schedule had reached. */
static void
run_schedule(void)
{
    exploring = false;
    memset(&world, 0, sizeof(world));
    start_fiber(0, run_engine);
    for (unsigned p = 0; p < programs; p++) {
        handoff_reset(&world.segment[p], 2);
        start_fiber(p + 1, run_program);
    }
    choices = 0;
    exploring = true;
    while (!violation) {
        unsigned ready[FIBERS], count = 0;
        for (unsigned f = 0; f <= programs; f++) {
            if (!fibers[f].done && !(fibers[f].blocked && fibers[f].blocked(f))) {
                ready[count++] = f;
            }
        }
        if (fibers[0].done) {
            return; /* the engine's cycles are over; programs may be left waiting for a call */
        }
        if (!count) {
            violate("nobody wakes anybody: a wake-up was lost");
            return;
        }
        if (choices >= replay) {
            if (choices == MOST_CHOICES) {
                violate("longer than any schedule can be");
                return;
            }
            if (seen_before()) {
                return;
            }
            choice[choices] = 0;
            width[choices] = count;
        }
        running = ready[choice[choices++]];
        swapcontext(&scheduler, &fibers[running].context);
    }
}

static const char too_many[] = "too many states to explore";

static const char *
explore(unsigned how_many, bool with_deadlines, enum mutant which)
{
    programs = how_many;
    cycles = how_many == 1 && !with_deadlines ? 4 : 2;
    deadlines = with_deadlines;
    mutant = which;
    violation = NULL;
    schedules = states = 0;
    replay = 0;
    memset(visited, 0, VISITED * sizeof(*visited));
    for (;;) {
        run_schedule();
        schedules++;
        if (violation || states > VISITED / 2) {
            return violation ? violation : too_many;
        }
        while (choices && choice[choices - 1] + 1 >= width[choices - 1]) {
            choices--;
        }
        if (!choices) {
            return NULL;
        }
        choice[choices - 1]++;
        replay = choices;
    }
}

static void
assert_sound(unsigned how_many, bool with_deadlines)
{
    const char *found = explore(how_many, with_deadlines, NONE);
    print_message("%u programs%s: %llu schedules, %llu states\n", how_many,
                  with_deadlines ? ", deadlines" : "", (unsigned long long)schedules,
                  (unsigned long long)states);
    if (found) {
        print_error("%s\n", found);
    }
    assert_null(found);
    assert_true(schedules > 20);
}

static void
every_schedule_of_one_program_is_sound(void **state)
{
    (void)state;
    assert_sound(1, false);
    assert_sound(1, true);
}

static void
every_schedule_of_two_programs_is_sound(void **state)
{
    (void)state;
    assert_sound(2, false);
}

static void
broken_protocols_are_found_out(void **state)
{
    (void)state;
    for (enum mutant m = COUNT_BEFORE_OWNER; m < MUTANTS_END; m++) {
        const char *found = explore(1, false, m);
        found = found ? found : explore(2, false, m);
        print_message("mutant %d: %s (after %llu schedules)\n", (int)m, found ? found : "not found",
                      (unsigned long long)schedules);
        assert_non_null(found);
        assert_ptr_not_equal(found, too_many);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schedule_of_one_program_is_sound),
        cmocka_unit_test(every_schedule_of_two_programs_is_sound),
        cmocka_unit_test(broken_protocols_are_found_out),
    };
    visited = malloc(VISITED * sizeof(*visited));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(visited);
    return failed;
}
