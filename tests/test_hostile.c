/* SPDX-License-Identifier: MIT */
/*
 * Programs that mean harm, on the stepped virtual card: the others lose nothing. What needs the
 * system's own time is in test_bad_neighbours.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

enum { PERIOD = 64, COST_NS = 100000 };

static struct rig rig;

static void
open_rig(void)
{
    char problem[CONFIG_TEXT_BYTES];
    rig_config(&rig);
    assert_int_equal(config_set(&rig.config, "device", "period", "64", problem), TUTTI_OK);
    rig_open(&rig);
}

static void
assert_nothing_lost(const struct rig_program *program)
{
    const struct proto_segment *s = program->segment;
    assert_int_equal(program->jumps, 0);
    assert_int_equal(program->wrong_inputs, 0);
    assert_int_equal(program->wrong_stamps, 0);
    assert_int_equal(atomic_load(&s->late_program) + atomic_load(&s->late_device) +
                         atomic_load(&s->late_machine),
                     0);
    assert_int_equal(rig.wrong_outputs, 0);
}

static uint32_t
cycle_p99_us(void)
{
    static struct proto_status_reply reply;
    engine_get_status(rig.engine, 0, &reply);
    return reply.cycle_p99_us;
}

/* ---- the page that all programs can write ---- */

static void
spoil_the_count(struct rig *spoiled)
{
    atomic_store(&spoiled->rendezvous->pending, 1000);
}

static void
a_spoilt_count_costs_each_cycle_half_of_its_time_and_nothing_else(void **state)
{
    (void)state;
    open_rig();
    for (unsigned p = 0; p < 3; p++) {
        rig_join(&rig, PERIOD, 2, 2, p, 0)->cost_ns = COST_NS;
    }
    rig_run_frames(&rig, 3000);
    assert_true(cycle_p99_us() <= 2 * COST_NS / 1000);
    rig.in_cycle = spoil_the_count;
    rig_run_frames(&rig, 48000);
    for (unsigned p = 0; p < 3; p++) {
        assert_nothing_lost(&rig.program[p]);
    }
    /* a period lasts 1333 us */
    assert_true(cycle_p99_us() <= 900);
    rig_close(&rig);
}

static void
a_spoilt_count_does_not_keep_small_buffers_from_being_called_again(void **state)
{
    (void)state;
    open_rig();
    rig_join(&rig, PERIOD / 4, 2, 2, 0, 0)->cost_ns = COST_NS / 4;
    rig_join(&rig, PERIOD, 2, 2, 1, 0)->cost_ns = COST_NS;
    rig.in_cycle = spoil_the_count;
    rig_run_frames(&rig, 48000);
    assert_nothing_lost(&rig.program[0]);
    assert_nothing_lost(&rig.program[1]);
    rig_close(&rig);
}

/* ---- more than there is room for ---- */

static enum tutti_status
join_routes(uint32_t inputs, uint32_t outputs, enum proto_channel_kind kind, uint32_t from)
{
    static struct proto_channel input[PROTO_MAX_CHANNELS], output[PROTO_MAX_CHANNELS];
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        input[c] = (struct proto_channel){.kind = (uint16_t)kind, .channel = (uint16_t)c};
        input[c].program = kind == PROTO_CHANNEL_PROGRAM ? from : 0;
        output[c] = (struct proto_channel){.kind = PROTO_CHANNEL_NONE};
    }
    enum tutti_status status =
        rig_try_join(&rig, &rig.program[rig.programs], PERIOD, inputs, input, outputs, output, 0);
    if (status == TUTTI_OK) {
        rig_start(&rig.program[rig.programs]);
        rig.programs++;
    }
    return status;
}

static void
signals_between_programs_have_an_end(void **state)
{
    (void)state;
    open_rig();
    rig_join(&rig, PERIOD, 2, 2, 0, 0);
    for (unsigned p = 0; p < 4; p++) {
        assert_int_equal(join_routes(256, 0, PROTO_CHANNEL_PROGRAM, 100 + p), TUTTI_OK);
    }
    /* what is carried already may be read by others, too */
    assert_int_equal(join_routes(256, 0, PROTO_CHANNEL_PROGRAM, 100), TUTTI_OK);
    assert_int_equal(join_routes(1, 0, PROTO_CHANNEL_PROGRAM, 200), TUTTI_FULL);
    assert_non_null(strstr(rig.error, "1024 signals between programs"));
    rig_run_frames(&rig, 3000);
    assert_nothing_lost(&rig.program[0]);
    rig_kill(&rig.program[1]);
    rig_steps(&rig, 2);
    assert_int_equal(join_routes(0, 1, PROTO_CHANNEL_NONE, 0), TUTTI_OK);
    rig_close(&rig);
}

static void
channels_of_all_programs_together_have_an_end(void **state)
{
    (void)state;
    open_rig();
    rig_join(&rig, PERIOD, 2, 2, 0, 0);
    for (unsigned p = 0; p < 15; p++) {
        assert_int_equal(join_routes(256, 256, PROTO_CHANNEL_NONE, 0), TUTTI_OK);
    }
    assert_int_equal(join_routes(256, 256, PROTO_CHANNEL_NONE, 0), TUTTI_FULL);
    assert_non_null(strstr(rig.error, "8192 channels, 7684 are in use"));
    rig_run_frames(&rig, 3000);
    assert_nothing_lost(&rig.program[0]);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spoilt_count_costs_each_cycle_half_of_its_time_and_nothing_else),
        cmocka_unit_test(a_spoilt_count_does_not_keep_small_buffers_from_being_called_again),
        cmocka_unit_test(signals_between_programs_have_an_end),
        cmocka_unit_test(channels_of_all_programs_together_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
