/* SPDX-License-Identifier: MIT */
/*
 * The device's period changes while programs play: each program goes on being called, each sample
 * arrives at the frame that the latencies reported last say, and latencies that a long period
 * raised fall again with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

static const uint32_t buffers[] = {16,  17,  32,  33,   48,   63,   64,   65,   96,   100,  127,
                                   128, 192, 240, 255,  256,  257,  333,  441,  480,  511,  512,
                                   513, 768, 999, 1000, 1024, 1536, 2047, 2048, 3000, 4095, 4096};
enum { BUFFERS = sizeof(buffers) / sizeof(buffers[0]), PERIODS = 5 };

/* Each returns to the period that it began with. */
static const uint32_t walks[][PERIODS] = {
    {64, 256, 64, 256, 64},    {256, 64, 256, 64, 256},    {256, 4096, 256, 480, 256},
    {64, 480, 441, 17, 64},    {441, 64, 100, 4096, 441},  {16, 33, 1024, 100, 16},
    {128, 127, 129, 255, 128}, {1000, 16, 4096, 96, 1000},
};
enum { WALKS = sizeof(walks) / sizeof(walks[0]) };

static void
set_period(uint32_t period)
{
    char problem[CONFIG_TEXT_BYTES], text[16];
    snprintf(text, sizeof(text), "%u", period);
    assert_int_equal(config_set(&rig.config, "device", "period", text, problem), TUTTI_OK);
}

static void
open_at(uint32_t period)
{
    char problem[CONFIG_TEXT_BYTES];
    rig_config(&rig);
    set_period(period);
    assert_int_equal(config_set(&rig.config, "sim", "input_latency", "13", problem), TUTTI_OK);
    assert_int_equal(config_set(&rig.config, "sim", "output_latency", "29", problem), TUTTI_OK);
    rig_open(&rig);
}

static uint64_t
late_blocks(const struct rig_program *program)
{
    const struct proto_segment *s = program->segment;
    return atomic_load(&s->late_program) + atomic_load(&s->late_device) +
           atomic_load(&s->late_machine);
}

/* What was on its way at the change is lost; from then on nothing is. */
static void
settle(uint32_t period)
{
    uint32_t longest = period;
    rig.check_output = false;
    for (uint32_t p = 0; p < rig.programs; p++) {
        uint32_t buffer = rig.program[p].layout.buffer_frames;
        rig.program[p].silent_before_frame = UINT64_MAX;
        longest = longest > buffer ? longest : buffer;
    }
    rig_run_frames(&rig, 6 * (uint64_t)longest);
}

static void
change_period(uint32_t period)
{
    char error[PROTO_TEXT_BYTES];
    set_period(period);
    assert_int_equal(engine_configure(rig.engine, &rig.config, NULL, 0, error), TUTTI_OK);
    engine_tend(rig.engine);
    rig_follow_card(&rig);
    settle(period);
}

static void
fail_at(const struct rig_program *program, const char *what, uint32_t period)
{
    print_error("buffer %u at period %u (%u + %u frames reported): %s\n",
                program->layout.buffer_frames, period, program->input_latency,
                program->output_latency, what);
    fail();
}

static void
check_all(uint32_t period)
{
    struct {
        uint64_t blocks, late, jumps;
    } before[RIG_MAX_PROGRAMS];
    uint32_t frames = 3 * period;
    for (uint32_t p = 0; p < rig.programs; p++) {
        struct rig_program *program = &rig.program[p];
        before[p].blocks = program->blocks;
        before[p].late = late_blocks(program);
        before[p].jumps = program->jumps;
        program->wrong_inputs = 0;
        program->silent_before_frame = 0;
        if (frames < 3 * program->layout.buffer_frames) {
            frames = 3 * program->layout.buffer_frames;
        }
    }
    rig.check_output = true;
    rig.wrong_outputs = rig.output_frames = 0;
    rig_run_frames(&rig, frames);
    for (uint32_t p = 0; p < rig.programs; p++) {
        struct rig_program *program = &rig.program[p];
        uint32_t buffer = program->layout.buffer_frames;
        if ((program->blocks - before[p].blocks + 1) * buffer + period < frames) {
            fail_at(program, "it is not called any more", period);
        }
        if (late_blocks(program) != before[p].late || program->jumps != before[p].jumps) {
            fail_at(program, "blocks are left out", period);
        }
        if (program->next_position % buffer) {
            fail_at(program, "its position is no multiple of the buffer", period);
        }
        if (program->wrong_inputs || program->wrong_stamps) {
            fail_at(program, "its inputs or stamps are wrong", period);
        }
    }
    if (rig.wrong_outputs || !rig.output_frames) {
        fail_at(&rig.program[0], "the outputs are wrong", period);
    }
}

static void
walk(const uint32_t *periods, uint32_t count, uint32_t flags)
{
    uint32_t latency[RIG_MAX_PROGRAMS];
    settle(periods[0]);
    check_all(periods[0]);
    for (uint32_t p = 0; p < rig.programs; p++) {
        latency[p] = rig.program[p].input_latency + rig.program[p].output_latency;
    }
    for (uint32_t i = 1; i < count; i++) {
        change_period(periods[i]);
        check_all(periods[i]);
    }
    for (uint32_t p = 0; p < rig.programs; p++) {
        const struct rig_program *program = &rig.program[p];
        if (program->input_latency + program->output_latency != latency[p]) {
            print_error("flags %u: %u frames at first, ", flags, latency[p]);
            fail_at(program, "the latency stays up", periods[0]);
        }
    }
}

static void
walk_with_one_program(uint32_t flags, uint32_t step)
{
    for (uint32_t w = 0; w < WALKS; w++) {
        for (uint32_t b = w % step; b < BUFFERS; b += step) {
            open_at(walks[w][0]);
            rig_join(&rig, buffers[b], 1, 1, 0, flags);
            walk(walks[w], PERIODS, flags);
            rig_close(&rig);
        }
    }
}

static void
every_buffer_goes_on_exactly_when_the_period_changes(void **state)
{
    (void)state;
    walk_with_one_program(0, 1);
}

static void
tight_and_late_taking_programs_do_too(void **state)
{
    (void)state;
    walk_with_one_program(PROTO_PREPARE_TIGHT, 3);
    walk_with_one_program(PROTO_PREPARE_LATE_TAKE, 3);
}

static void
programs_of_all_sizes_go_on_together(void **state)
{
    (void)state;
    for (uint32_t w = 0; w < WALKS; w++) {
        open_at(walks[w][0]);
        for (uint32_t b = w % 3; b < BUFFERS; b += 3) {
            rig_join(&rig, buffers[b], 1, 1, b % 2, 0);
            rig_run_frames(&rig, 37 * b); /* each on a grid of its own */
        }
        walk(walks[w], PERIODS, 0);
        rig_close(&rig);
    }
}

static void
a_latency_that_falls_is_reported_by_an_event(void **state)
{
    (void)state;
    open_at(256);
    const struct rig_program *program = rig_join(&rig, 256, 1, 1, 0, 0);
    uint32_t input = program->input_latency, output = program->output_latency;
    assert_int_equal(input, 256 + 13);
    assert_int_equal(output, 256 + 29);
    change_period(4096);
    assert_int_equal(rig.events[PROTO_EVENT_LATENCIES], 1);
    assert_int_equal(program->output_latency, 2 * 4096 - 256 + 29);
    change_period(256);
    assert_int_equal(rig.events[PROTO_EVENT_LATENCIES], 2);
    assert_int_equal(program->input_latency, input);
    assert_int_equal(program->output_latency, output);
    check_all(256);
    rig_close(&rig);
}

static void
a_program_that_joined_at_a_long_period_gains_by_a_short_one(void **state)
{
    (void)state;
    open_at(4096);
    const struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    assert_int_equal(program->output_latency, 2 * 4096 - 64 + 29);
    settle(4096);
    change_period(64);
    assert_int_equal(rig.events[PROTO_EVENT_LATENCIES], 1);
    assert_int_equal(program->input_latency, 64 + 13);
    assert_int_equal(program->output_latency, 64 + 29);
    check_all(64);
    rig_close(&rig);
}

/* The period falls to serve the one that joins: the others' latency stays as it was reported. */
static void
a_program_that_joins_changes_no_latency_of_others(void **state)
{
    (void)state;
    char problem[CONFIG_TEXT_BYTES];
    rig_config(&rig);
    rig_open(&rig);
    struct rig_program *tight = rig_join(&rig, 1024, 1, 1, 0, PROTO_PREPARE_TIGHT);
    assert_int_equal(tight->answer.device.period_frames, 1024);
    uint32_t input = tight->input_latency, output = tight->output_latency;
    settle(1024);
    rig_join(&rig, 64, 1, 1, 1, 0);
    engine_tend(rig.engine);
    assert_int_equal(rig.program[1].answer.device.period_frames, 64);
    assert_int_equal(rig.events[PROTO_EVENT_LATENCIES], 0);
    assert_int_equal(tight->input_latency, input);
    assert_int_equal(tight->output_latency, output);
    rig_follow_card(&rig);
    settle(64);
    check_all(64);
    /* Nor does one that joins at a period that a change had raised before. */
    change_period(4096);
    assert_true(tight->output_latency > output);
    assert_int_equal(config_set(&rig.config, "device", "period", "0", problem), TUTTI_OK);
    assert_int_equal(engine_configure(rig.engine, &rig.config, NULL, 0, problem), TUTTI_OK);
    rig_join(&rig, 64, 1, 1, 2, 0);
    engine_tend(rig.engine);
    assert_int_equal(rig.program[2].answer.device.period_frames, 64);
    assert_int_equal(tight->input_latency, input);
    assert_int_equal(tight->output_latency, output);
    rig_follow_card(&rig);
    settle(64);
    check_all(64);
    rig_close(&rig);
}

/* ---- forecasts ---- */

/* What is forecast to a program is what it gets when it joins, and the forecast changes nothing. */
static struct rig_program *
join_as_forecast(uint32_t buffer, uint32_t flags)
{
    const struct proto_hello hello = {.bits = 64, .program = "asks"};
    const struct proto_forecast message = {.buffer_frames = buffer, .flags = flags};
    struct proto_forecast_reply reply;
    struct proto_device before, after;
    uint32_t id;
    engine_get_device(rig.engine, "", &before);
    assert_int_equal(engine_connect(rig.engine, &hello, 0, &id), TUTTI_OK);
    engine_forecast(rig.engine, id, &message, &reply);
    engine_disconnect(rig.engine, id);
    engine_get_device(rig.engine, "", &after);
    assert_memory_equal(&before, &after, sizeof(before));
    struct rig_program *program = rig_join(&rig, buffer, 1, 1, 0, flags);
    if (program->input_latency != reply.input_latency_frames ||
        program->output_latency != reply.output_latency_frames) {
        print_error("%u + %u frames forecast; ", reply.input_latency_frames,
                    reply.output_latency_frames);
        fail_at(program, "it got others", program->answer.device.period_frames);
    }
    rig_steps(&rig, 4);
    return program;
}

/* A program that was there, then left or stays; then one asks. */
static void
forecast_after(uint32_t fixed, const char *live, uint32_t first, bool leaves, uint32_t flags)
{
    static const uint32_t sizes[] = {16, 64, 100, 256, 480, 1024, 4096};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char problem[CONFIG_TEXT_BYTES];
        rig_config(&rig);
        set_period(fixed);
        assert_int_equal(config_set(&rig.config, "sim", "live_period", live, problem), TUTTI_OK);
        assert_int_equal(config_set(&rig.config, "sim", "input_latency", "13", problem), TUTTI_OK);
        assert_int_equal(config_set(&rig.config, "sim", "output_latency", "29", problem), TUTTI_OK);
        rig_open(&rig);
        rig.check_output = false;
        struct rig_program *program = rig_join(&rig, first, 1, 1, 0, PROTO_PREPARE_TIGHT);
        rig_steps(&rig, 4);
        if (leaves) {
            rig_kill(program);
            rig_steps(&rig, 1); /* the device is still open, at that program's period */
        }
        join_as_forecast(sizes[i], flags);
        join_as_forecast(sizes[i] / 2, flags);
        rig_close(&rig);
    }
}

static void
the_latency_that_is_forecast_is_the_one_that_comes(void **state)
{
    (void)state;
    static const uint32_t first[] = {64, 1024};
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned leaves = 0; leaves < 2; leaves++) {
            forecast_after(0, "no", first[i], leaves, 0);
            forecast_after(0, "yes", first[i], leaves, PROTO_PREPARE_LATE_TAKE);
            forecast_after(240, "no", first[i], leaves, PROTO_PREPARE_TIGHT);
        }
    }
}

/* Nothing was opened yet: a card without latency of its own holds no surprise. */
static void
a_device_that_was_never_opened_is_forecast_too(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {32, 256, 1000, 4096};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        rig_config(&rig);
        rig_open(&rig);
        rig.check_output = false;
        join_as_forecast(sizes[i], 0);
        rig_close(&rig);
    }
}

static void
while_the_device_is_lost_its_last_period_counts(void **state)
{
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    rig.check_output = false;
    rig_join(&rig, 1024, 1, 1, 0, 0);
    rig_steps(&rig, 4);
    sim_unplug();
    assert_false(sim_step(sim_current()));
    engine_tend(rig.engine);
    const struct proto_forecast message = {.buffer_frames = 256};
    struct proto_forecast_reply reply;
    engine_forecast(rig.engine, rig.program[0].id, &message, &reply);
    assert_int_equal(reply.input_latency_frames, 256);
    assert_int_equal(reply.output_latency_frames, 1024 - 256 + 1024);
    sim_plug();
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_buffer_goes_on_exactly_when_the_period_changes),
        cmocka_unit_test(tight_and_late_taking_programs_do_too),
        cmocka_unit_test(programs_of_all_sizes_go_on_together),
        cmocka_unit_test(a_latency_that_falls_is_reported_by_an_event),
        cmocka_unit_test(a_program_that_joined_at_a_long_period_gains_by_a_short_one),
        cmocka_unit_test(a_program_that_joins_changes_no_latency_of_others),
        cmocka_unit_test(the_latency_that_is_forecast_is_the_one_that_comes),
        cmocka_unit_test(a_device_that_was_never_opened_is_forecast_too),
        cmocka_unit_test(while_the_device_is_lost_its_last_period_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
