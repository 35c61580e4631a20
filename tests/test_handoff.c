/* SPDX-License-Identifier: MIT */
/*
 * Every order in which engine and programs can take the steps of the handing over, run on the real
 * code, depth first, each world visited once. And the same with one mistake at a time put in: the
 * exploration finds each, which is what makes its silence about the real code worth something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "handoff_world.h"

/* ---- worlds seen ---- */

/* Worlds are known by 128 bits of hash: among a million worlds one is taken for another with
 * a probability of 10^-27. */
struct fingerprint {
    uint64_t a, b;
};

struct seen {
    struct fingerprint *slot; /* {0, 0}: free */
    size_t slots, used;
};

static struct fingerprint
fingerprint(const struct world *world)
{
    struct fingerprint print = {UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xC2B2AE3D27D4EB4F)};
    const unsigned char *bytes = (const unsigned char *)world;
    for (size_t i = 0; i < sizeof(*world); i += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof(word));
        print.a = (print.a ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
        print.a ^= print.a >> 32;
        print.b = (print.b + word) * UINT64_C(0xC4CEB9FE1A85EC53);
        print.b ^= print.b >> 29;
    }
    print.a |= 1;
    return print;
}

/* False when it was there already. */
static bool
put(struct seen *seen, struct fingerprint print)
{
    size_t at = (size_t)print.b & (seen->slots - 1);
    while (seen->slot[at].a) {
        if (seen->slot[at].a == print.a && seen->slot[at].b == print.b) {
            return false;
        }
        at = (at + 1) & (seen->slots - 1);
    }
    seen->slot[at] = print;
    seen->used++;
    return true;
}

static bool
see(struct seen *seen, const struct world *world)
{
    if (seen->used * 2 >= seen->slots) {
        struct seen bigger = {.slots = seen->slots ? seen->slots * 2 : 1 << 14};
        bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
        assert_non_null(bigger.slot);
        for (size_t i = 0; i < seen->slots; i++) {
            if (seen->slot[i].a) {
                put(&bigger, seen->slot[i]);
            }
        }
        free(seen->slot);
        *seen = bigger;
    }
    return put(seen, fingerprint(world));
}

/* ---- exploring ---- */

enum { MOVES = ACTOR_COUNT * CHOICE_COUNT, MOST_STEPS = 2000 };

struct visit {
    struct world world;
    unsigned next; /* move to try */
    bool moved;    /* by something other than a deadline */
};

struct outcome {
    const char *problem; /* NULL: no rule was broken in any world */
    size_t worlds, ends;
    bool recounted; /* somewhere the engine woke too early and counted anew */
    bool overtaken; /* somewhere a late exchange took the arming for a later call */
};

static void
show_way(const struct scenario *scenario, const struct visit *visits, size_t depth)
{
    struct world world;
    world_init(&world, scenario);
    for (size_t i = 0; i < depth; i++) {
        unsigned taken = visits[i].next - 1;
        world_move(&world, taken / CHOICE_COUNT, (enum world_choice)(taken % CHOICE_COUNT));
        print_message("  %3u %s\n", (unsigned)i, world_last_step());
    }
}

/* Takes the next move of the visit at hand. True: *after is a world to look at. */
static bool
take_next_move(struct visit *visit, struct world *after, const char **wrong)
{
    while (visit->next < MOVES) {
        unsigned actor = visit->next / CHOICE_COUNT;
        enum world_choice choice = (enum world_choice)(visit->next % CHOICE_COUNT);
        visit->next++;
        *after = visit->world;
        enum world_result result = world_move(after, actor, choice);
        if (result == WORLD_IMPOSSIBLE) {
            continue;
        }
        visit->moved |= choice != CHOICE_DEADLINE;
        *wrong = result == WORLD_BROKEN ? world_problem() : NULL;
        return true;
    }
    return false;
}

static struct outcome
explore(const struct scenario *scenario, bool show)
{
    struct outcome outcome = {0};
    struct seen seen = {0};
    struct visit *visits = malloc(MOST_STEPS * sizeof(*visits));
    size_t depth = 1;
    assert_non_null(visits);
    memset(visits, 0, sizeof(*visits));
    world_init(&visits[0].world, scenario);
    see(&seen, &visits[0].world);
    while (depth && !outcome.problem) {
        struct visit *visit = &visits[depth - 1];
        struct world *after = &visits[depth].world;
        if (!take_next_move(visit, after, &outcome.problem)) {
            if (!visit->moved) {
                outcome.ends++;
                outcome.problem = world_may_rest(&visit->world) ? NULL : world_problem();
            }
            outcome.recounted |= visit->world.recounts != 0;
            outcome.overtaken |= visit->world.overtaken != 0;
            depth -= !outcome.problem;
        } else if (outcome.problem || see(&seen, after)) {
            visits[depth].next = 0;
            visits[depth].moved = false;
            depth++;
            assert_true(depth < MOST_STEPS);
        }
    }
    if (outcome.problem && show) {
        show_way(scenario, visits, depth - 1);
    }
    outcome.worlds = seen.used;
    free(seen.slot);
    free(visits);
    return outcome;
}

/* ---- the protocol holds ---- */

/* Numbers of calls cross the point where owner[] loses their top bit, or where they wrap. */
#define BEFORE_LOST_BIT UINT32_C(0x7FFFFFFE)
#define BEFORE_WRAP UINT32_C(0xFFFFFFFE)

static const struct scenario one_program = {
    .name = "one program", .programs = 1, .cycles = 4, .first_seq = BEFORE_WRAP};
static const struct scenario two_programs = {
    .name = "two programs", .programs = 2, .cycles = 2, .first_seq = BEFORE_LOST_BIT};
static const struct scenario late = {
    .name = "late", .programs = 1, .cycles = 4, .first_seq = BEFORE_WRAP, .deadlines = 3};
static const struct scenario two_late = {
    .name = "two, late", .programs = 2, .cycles = 2, .first_seq = 2, .deadlines = 1};
static const struct scenario late_take = {
    .name = "late_take", .programs = 1, .cycles = 4, .first_seq = 2, .late_take = true};
static const struct scenario late_take_late = {.name = "late_take, late",
                                               .programs = 1,
                                               .cycles = 5,
                                               .first_seq = 2,
                                               .late_take = true,
                                               .deadlines = 2};
static const struct scenario bursts = {
    .name = "bursts", .programs = 1, .cycles = 2, .first_seq = 2, .bursts = 3};
static const struct scenario bursts_late = {.name = "bursts, late",
                                            .programs = 1,
                                            .cycles = 3,
                                            .first_seq = 2,
                                            .bursts = 3,
                                            .deadlines = 1};
static const struct scenario ready = {
    .name = "ready", .programs = 1, .cycles = 3, .first_seq = 2, .ready_thread = true};
static const struct scenario ready_late = {.name = "ready, late",
                                           .programs = 1,
                                           .cycles = 3,
                                           .first_seq = 2,
                                           .ready_thread = true,
                                           .deadlines = 1};
static const struct scenario ready_bursts = {.name = "ready, bursts",
                                             .programs = 1,
                                             .cycles = 1,
                                             .first_seq = 2,
                                             .bursts = 3,
                                             .ready_thread = true};
static const struct scenario restart = {
    .name = "restart", .programs = 1, .cycles = 5, .first_seq = 2, .restart_at = 2, .deadlines = 1};
static const struct scenario spurious = {
    .name = "spurious", .programs = 2, .cycles = 1, .first_seq = 2, .spurious = 2};

static struct outcome
explore_unflawed(const struct scenario *scenario)
{
    struct outcome outcome = explore(scenario, true);
    print_message("%s: %u worlds, %u ends\n", scenario->name, (unsigned)outcome.worlds,
                  (unsigned)outcome.ends);
    if (outcome.problem) {
        fail_msg("%s: %s", scenario->name, outcome.problem);
    }
    assert_true(outcome.ends > 0);
    return outcome;
}

/* When nobody is late, every armed program counts exactly once: the engine never counts anew. */
static void
in_time(const struct scenario *scenario)
{
    assert_false(explore_unflawed(scenario).recounted);
}

static void
the_last_program_done_wakes_the_engine_once(void **state)
{
    in_time(&one_program);
    in_time(&two_programs);
}

static void
a_half_kept_until_the_next_call_returns_is_waited_for(void **state)
{
    in_time(&late_take);
}

static void
each_block_of_a_burst_wakes_the_engine(void **state)
{
    in_time(&bursts);
}

static void
a_block_may_be_handed_back_by_two_threads_at_once(void **state)
{
    in_time(&ready);
    in_time(&ready_bursts);
}

static void
whoever_answers_in_a_later_cycle_costs_nobody_a_wake(void **state)
{
    assert_true(explore_unflawed(&late).recounted);
    assert_true(explore_unflawed(&two_late).recounted);
    explore_unflawed(&late_take_late);
    explore_unflawed(&bursts_late);
    explore_unflawed(&ready_late);
}

/* A program that stood still between handing back and its exchange takes what the engine has armed
 * since, for the next call, which then nobody counts out: the engine looks for itself. */
static void
an_exchange_that_comes_late_takes_the_next_arming_and_nobody_sleeps_for_it(void **state)
{
    assert_true(explore_unflawed(&late).overtaken);
    assert_true(explore_unflawed(&bursts_late).overtaken);
    assert_false(explore_unflawed(&one_program).overtaken);
}

static void
a_start_while_the_engine_still_calls_the_last_run_meets_no_old_call(void **state)
{
    explore_unflawed(&restart);
}

static void
a_count_that_nobody_asked_for_wakes_the_engine_early_and_no_more(void **state)
{
    assert_true(explore_unflawed(&spurious).recounted);
}

/* ---- and would not without any of its parts ---- */

static void
every_flaw_is_found(void **state)
{
    static const struct {
        const char *name;
        const struct scenario *scenario;
        const char *problem;
    } expected[FLAW_COUNT] = {
#define SLEEPS "the engine sleeps and nobody will wake it"
#define TWICE "one arming was taken twice"
#define TAKES "the engine takes a half that was not handed back"
        [FLAW_WEAK_OWNER] = {"owner word after the exchange", &one_program, SLEEPS},
        [FLAW_WEAK_ARM] = {"arming after the look", &bursts, SLEEPS},
        [FLAW_SPLIT_COUNT] = {"counting in two steps", &two_programs, SLEEPS},
        [FLAW_SPLIT_TAKE] = {"taking in two steps", &late, TWICE},
        [FLAW_SPLIT_DISARM] = {"disarming in two steps", &late, TWICE},
        [FLAW_COUNT_REACHABLE] = {"a count that can be reached early", &two_programs, SLEEPS},
        [FLAW_COUNT_AT_ZERO] = {"a count below zero that is none", &late, SLEEPS},
        [FLAW_COUNT_UNLOOKED] = {"sleeping without a look at the count", &one_program, SLEEPS},
        [FLAW_ARM_AFTER_CALL] = {"arming after the call", &one_program, SLEEPS},
        [FLAW_ARM_UNLOOKED] = {"no look after arming", &late, SLEEPS},
        [FLAW_SEEN_LATE] = {"the wake word read after looking", &one_program, SLEEPS},
        [FLAW_TRUST_COUNT] = {"the count taken for the truth", &spurious, TAKES},
        [FLAW_DONE_EARLY] = {"working on after handing back", &one_program, TAKES},
        [FLAW_SEQ_AGAIN] = {"a start with numbers of the last run", &restart, SLEEPS},
#undef SLEEPS
#undef TWICE
#undef TAKES
    };
    for (unsigned f = FLAW_NONE + 1; f < FLAW_COUNT; f++) {
        struct scenario flawed = *expected[f].scenario;
        flawed.flaw = (enum flaw)f;
        struct outcome outcome = explore(&flawed, false);
        if (!outcome.problem) {
            fail_msg("%s: not found in %u worlds", expected[f].name, (unsigned)outcome.worlds);
        }
        print_message("%s: found after %u worlds\n", expected[f].name, (unsigned)outcome.worlds);
        assert_string_equal(outcome.problem, expected[f].problem);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_program_done_wakes_the_engine_once),
        cmocka_unit_test(a_half_kept_until_the_next_call_returns_is_waited_for),
        cmocka_unit_test(each_block_of_a_burst_wakes_the_engine),
        cmocka_unit_test(a_block_may_be_handed_back_by_two_threads_at_once),
        cmocka_unit_test(whoever_answers_in_a_later_cycle_costs_nobody_a_wake),
        cmocka_unit_test(
            an_exchange_that_comes_late_takes_the_next_arming_and_nobody_sleeps_for_it),
        cmocka_unit_test(a_start_while_the_engine_still_calls_the_last_run_meets_no_old_call),
        cmocka_unit_test(a_count_that_nobody_asked_for_wakes_the_engine_early_and_no_more),
        cmocka_unit_test(every_flaw_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
