/* SPDX-License-Identifier: MIT */
/*
 * The handing over between real threads, with samples that nothing but the protocol protects: what
 * the interleaving test cannot show (weaker orders than a store buffer's, real sleeping) a thread
 * sanitizer and a machine with other orders can. Nobody gives up waiting here, so a lost wake shows
 * as one that took ten seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "os/os.h"
#include "proto/handoff.h"

enum { PROGRAMS = 2, SAMPLES = 16, CYCLES = 8000, LOST_S = 10 };

struct half {
    uint32_t in[SAMPLES], out[SAMPLES];
};

struct program {
    struct proto_segment segment;
    struct half half[2];
    struct os_wake doorbell;
    struct engine_side *engine;
    struct os_thread *thread;
    _Atomic bool lost; /* a wait that nobody ended */
    uint32_t wrong;    /* blocks whose input was not whole; read after the end */
};

struct engine_side {
    struct proto_rendezvous page;
    struct os_wake wake;
    struct program *program[PROGRAMS];
    uint32_t first_seq, cycles;
    enum proto_armed how;
    uint32_t wrong;
    bool lost;
};

/* False: nobody posted for so long that nobody will. A wait alone may end early. */
static bool
wait_for_post(struct os_wake *wake, uint32_t seen)
{
    uint64_t deadline = os_now_ns() + LOST_S * OS_NS_PER_S;
    while (!os_wake_wait(wake, seen, deadline)) {
        if (os_now_ns() >= deadline) {
            return false;
        }
    }
    return true;
}

static void
program_main(void *arg)
{
    struct program *program = arg;
    struct engine_side *engine = program->engine;
    uint32_t seq = engine->first_seq;
    for (uint32_t i = 0; i < engine->cycles; seq++, i++) {
        struct half *half = &program->half[seq & 1];
        for (;;) {
            uint32_t seen = atomic_load(program->doorbell.word);
            if (handoff_begin(&program->segment, seq)) {
                break;
            }
            if (!wait_for_post(&program->doorbell, seen)) {
                atomic_store(&program->lost, true);
                return;
            }
        }
        for (unsigned s = 0; s < SAMPLES; s++) {
            program->wrong += half->in[s] != seq + s;
            half->out[s] = ~half->in[s];
        }
        if (handoff_done(&program->segment, &engine->page, seq)) {
            os_wake_post(&engine->wake);
        }
    }
}

static void
call_program(struct program *program, uint32_t seq)
{
    struct half *half = &program->half[seq & 1];
    for (unsigned s = 0; s < SAMPLES; s++) {
        half->in[s] = seq + s;
    }
    handoff_issue(&program->segment, seq);
    os_wake_post(&program->doorbell);
}

static bool
all_done(struct engine_side *engine, uint32_t seq)
{
    bool done = true;
    for (unsigned p = 0; p < PROGRAMS; p++) {
        done &= handoff_is_done(&engine->program[p]->segment, seq);
    }
    return done;
}

/* Armed to count: until the last one counted. Armed to wake: until nobody is missing. */
static void
wait_for_all(struct engine_side *engine, bool counted, uint32_t seq)
{
    for (;;) {
        uint32_t seen = atomic_load(engine->wake.word);
        counted = counted || handoff_is_counted(&engine->page);
        if (engine->how == PROTO_ARMED_COUNT ? counted : all_done(engine, seq)) {
            return;
        }
        if (engine->how == PROTO_ARMED_WAKE) {
            for (unsigned p = 0; p < PROGRAMS; p++) {
                handoff_arm(&engine->program[p]->segment, PROTO_ARMED_WAKE);
            }
            if (all_done(engine, seq)) {
                return;
            }
        }
        if (!wait_for_post(&engine->wake, seen)) {
            engine->lost = true;
            return;
        }
    }
}

static void
run_cycle(struct engine_side *engine, uint32_t seq)
{
    handoff_count_begin(&engine->page);
    for (unsigned p = 0; p < PROGRAMS; p++) {
        handoff_arm(&engine->program[p]->segment, engine->how);
        call_program(engine->program[p], seq);
    }
    bool counting = engine->how == PROTO_ARMED_COUNT;
    bool counted = handoff_count_end(&engine->page, counting ? PROGRAMS : 0);
    wait_for_all(engine, counted, seq);
    for (unsigned p = 0; p < PROGRAMS; p++) {
        struct program *program = engine->program[p];
        handoff_disarm(&program->segment);
        if (!handoff_is_done(&program->segment, seq)) {
            engine->wrong++; /* nobody is late here: counted out means done */
            continue;
        }
        for (unsigned s = 0; s < SAMPLES; s++) {
            engine->wrong += program->half[seq & 1].out[s] != ~(seq + s);
        }
    }
}

static void
run(enum proto_armed how, uint32_t first_seq)
{
    static struct engine_side engine;
    static struct program programs[PROGRAMS];
    engine = (struct engine_side){.how = how, .first_seq = first_seq, .cycles = CYCLES};
    assert_int_equal(os_wake_init(&engine.wake, &engine.page.wake), TUTTI_OK);
    for (unsigned p = 0; p < PROGRAMS; p++) {
        struct program *program = &programs[p];
        engine.program[p] = program;
        *program = (struct program){.engine = &engine};
        assert_int_equal(os_wake_init(&program->doorbell, &program->segment.doorbell), TUTTI_OK);
        handoff_reset(&program->segment, first_seq);
        assert_int_equal(
            os_thread_start(&program->thread, "program", OS_PRIORITY_NORMAL, program_main, program),
            TUTTI_OK);
    }
    bool lost = false;
    for (uint32_t i = 0; i < CYCLES && !engine.lost && !lost; i++) {
        run_cycle(&engine, first_seq + i);
        for (unsigned p = 0; p < PROGRAMS; p++) {
            lost |= atomic_load(&programs[p].lost);
        }
    }
    for (unsigned p = 0; p < PROGRAMS; p++) {
        os_thread_join(programs[p].thread);
        os_wake_fini(&programs[p].doorbell);
        assert_int_equal(programs[p].wrong, 0);
    }
    os_wake_fini(&engine.wake);
    assert_false(lost || engine.lost);
    assert_int_equal(engine.wrong, 0);
}

static void
the_last_of_several_threads_wakes_the_engine(void **state)
{
    run(PROTO_ARMED_COUNT, 0);
}

static void
each_of_several_threads_wakes_the_engine(void **state)
{
    run(PROTO_ARMED_WAKE, 0);
}

static void
numbers_of_calls_wrap(void **state)
{
    run(PROTO_ARMED_COUNT, UINT32_MAX - CYCLES / 2);
}

static void
numbers_of_calls_lose_their_top_bit(void **state)
{
    run(PROTO_ARMED_COUNT, UINT32_C(0x80000000) - CYCLES / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_several_threads_wakes_the_engine),
        cmocka_unit_test(each_of_several_threads_wakes_the_engine),
        cmocka_unit_test(numbers_of_calls_wrap),
        cmocka_unit_test(numbers_of_calls_lose_their_top_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
