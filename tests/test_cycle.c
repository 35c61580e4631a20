/* SPDX-License-Identifier: MIT */
/*
 * The cycle on the stepped virtual card: what is mixed, when, and what latency programs are told.
 * Everything is compared sample by sample with what the stamps and latencies promise.
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

static void
set(const char *section, const char *key, int value)
{
    char problem[CONFIG_TEXT_BYTES], text[16];
    snprintf(text, sizeof(text), "%d", value);
    assert_int_equal(config_set(&rig.config, section, key, text, problem), TUTTI_OK);
}

static void
assert_clean(void)
{
    assert_int_equal(rig.wrong_outputs, 0);
    for (uint32_t p = 0; p < rig.programs; p++) {
        assert_int_equal(rig.program[p].wrong_inputs, 0);
        assert_int_equal(rig.program[p].wrong_stamps, 0);
    }
}

static uint64_t
late_blocks(const struct rig_program *program)
{
    struct proto_segment *s = program->segment;
    return atomic_load(&s->late_program) + atomic_load(&s->late_device) +
           atomic_load(&s->late_machine);
}

/* ---- mixing ---- */

static void
every_mix_equals_the_reference(void **state)
{
    (void)state;
    static const uint32_t buffers[] = {64, 128, 32, 256, 100, 96, 512, 48, 17, 1024};
    static const struct {
        uint32_t programs, channels, period;
    } cases[] = {
        {1, 1, 64}, {1, 8, 64},   {2, 2, 64},  {3, 8, 128},
        {8, 2, 32}, {16, 1, 256}, {64, 2, 64}, {64, 1, 480},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_config(&rig);
        set("device", "period", (int)cases[i].period);
        rig_open(&rig);
        for (uint32_t p = 0; p < cases[i].programs; p++) {
            rig_join(&rig, buffers[p % 10], cases[i].channels, cases[i].channels, p, 0);
        }
        rig_run_frames(&rig, 6000);
        assert_clean();
        assert_true(rig.output_frames > 0);
        for (uint32_t p = 0; p < rig.programs; p++) {
            uint32_t buffer = rig.program[p].layout.buffer_frames;
            assert_true(rig.program[p].blocks * buffer + buffer + 2 * cases[i].period >= 6000);
            assert_int_equal(rig.program[p].jumps, 0);
            assert_int_equal(late_blocks(&rig.program[p]), 0);
        }
        rig_close(&rig);
    }
}

static void
integer_devices_get_the_same_samples(void **state)
{
    (void)state;
    static const char *const formats[] = {"int24", "int24in32", "int32"};
    for (size_t i = 0; i < 3; i++) {
        char problem[CONFIG_TEXT_BYTES];
        rig_config(&rig);
        assert_int_equal(config_set(&rig.config, "sim", "format", formats[i], problem), TUTTI_OK);
        set("sim", "interleaved", (int)(i & 1));
        rig_open(&rig);
        rig_join(&rig, 64, 2, 2, 0, 0);
        rig_join(&rig, 96, 2, 2, 1, 0);
        rig_run_frames(&rig, 3000);
        assert_clean();
        rig_close(&rig);
    }
}

static void
outputs_of_one_program_on_one_channel_are_added(void **state)
{
    (void)state;
    rig_config(&rig);
    set("sim", "inputs", 2);
    set("sim", "outputs", 2);
    rig_open(&rig);
    const struct rig_program *program = rig_join(&rig, 64, 4, 4, 0, 0);
    assert_int_equal(program->output[0].channel, program->output[2].channel);
    rig_run_frames(&rig, 3000);
    assert_clean();
    assert_true(rig.output_frames > 0);
    rig_close(&rig);
}

static void
every_rate_that_the_card_has_plays_the_same_samples(void **state)
{
    (void)state;
    static const double rates[] = {44100,  48000,  88200,  96000,  176400,
                                   192000, 352800, 384000, 705600, 768000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        char error[PROTO_TEXT_BYTES];
        struct proto_device device;
        rig_config(&rig);
        rig_open(&rig);
        assert_int_equal(engine_set_rate(rig.engine, 0, rates[i], error), TUTTI_OK);
        rig.rate_hz = rates[i];
        rig_join(&rig, 64, 2, 2, 0, 0);
        rig_join(&rig, 96, 2, 2, 1, 0);
        engine_get_device(rig.engine, "", &device);
        assert_true(device.rate_hz == rates[i]);
        rig_run_frames(&rig, 3000);
        assert_clean();
        assert_true(rig.output_frames > 3000);
        rig_close(&rig);
    }
}

static void
a_rate_changes_under_the_one_program_that_plays_and_not_under_others(void **state)
{
    char error[PROTO_TEXT_BYTES];
    struct proto_device device;
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    const struct rig_program *program = rig_join(&rig, 64, 2, 2, 0, 0);
    rig_run_frames(&rig, 3000);
    assert_int_equal(engine_can_rate(rig.engine, program->id, 22051, error),
                     TUTTI_UNSUPPORTED_RATE);
    assert_int_equal(engine_can_rate(rig.engine, program->id, 96000, error), TUTTI_OK);
    assert_int_equal(rig.events[PROTO_EVENT_RATE], 0);
    rig.check_output = false; /* the card goes on where the air of the former one ended */
    assert_int_equal(engine_set_rate(rig.engine, program->id, 96000, error), TUTTI_OK);
    rig.rate_hz = 96000;
    uint64_t blocks = program->blocks;
    rig_run_frames(&rig, 3000);
    engine_get_device(rig.engine, "", &device);
    assert_true(device.rate_hz == 96000);
    assert_int_equal(device.state, PROTO_STREAM_RUNNING);
    assert_int_equal(rig.events[PROTO_EVENT_RATE], 1);
    assert_true(rig.last_event[PROTO_EVENT_RATE].rate_hz == 96000);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 1);
    assert_true(program->blocks > blocks + 20);
    const struct rig_program *other = rig_join(&rig, 64, 2, 2, 1, 0);
    const struct rig_program *asking[] = {program, other};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(engine_can_rate(rig.engine, asking[i]->id, 96000, error), TUTTI_OK);
        assert_int_equal(engine_can_rate(rig.engine, asking[i]->id, 48000, error),
                         TUTTI_RATE_IN_USE);
        assert_string_equal(error, "another program holds the device at 96000 Hz; stop it first");
        assert_int_equal(engine_set_rate(rig.engine, asking[i]->id, 48000, error),
                         TUTTI_RATE_IN_USE);
    }
    engine_get_device(rig.engine, "", &device);
    assert_true(device.rate_hz == 96000);
    rig_close(&rig);
}

static void
what_a_program_clipped_is_in_the_status(void **state)
{
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    rig_join(&rig, 64, 1, 1, 0, 0);
    const struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    rig_steps(&rig, 4);
    atomic_store(&program->segment->clipped_samples, 7);
    rig_steps(&rig, 4);
    engine_get_status(rig.engine, 0, reply);
    assert_int_equal(reply->clipped_samples[0], 0);
    assert_int_equal(reply->clipped_samples[1], 7);
    free(reply);
    rig_close(&rig);
}

static void
play_loud(struct rig_program *program, const struct proto_stamp *stamp)
{
    for (uint32_t i = 0; i < program->layout.buffer_frames; i++) {
        proto_output(&program->layout, program->segment, 0, stamp->seq & 1)[i] = 0.75f;
    }
}

static uint64_t clipped;

static void
count_clipped(void *user, uint32_t channel, uint64_t frame, const float *samples, uint32_t frames)
{
    (void)user;
    (void)frame;
    for (uint32_t i = 0; i < frames && channel == 0; i++) {
        clipped += samples[i] == 1.0f;
        assert_true(samples[i] == 0.0f || samples[i] == 0.75f || samples[i] == 1.0f);
    }
}

static void
too_loud_a_sum_is_clipped(void **state)
{
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    rig_join(&rig, 64, 1, 1, 0, 0)->on_block = play_loud;
    rig_join(&rig, 64, 1, 1, 0, 0)->on_block = play_loud;
    clipped = 0;
    sim_set_air(sim_current(), NULL, count_clipped, NULL);
    rig_steps(&rig, 10);
    assert_true(clipped >= 64 * 7);
    rig_close(&rig);
}

static uint64_t heard_mix;

static void
hear_the_mix(struct rig_program *program, const struct proto_stamp *stamp)
{
    /* Input 0 is the mix of device output 0: what program 0 played there, at its place on the
     * device's timeline. */
    const struct rig_program *source = &program->rig->program[0];
    const float *input = proto_input(&program->layout, program->segment, 0, stamp->seq & 1);
    for (uint32_t i = 0; i < program->layout.buffer_frames; i++) {
        /* The mix is heard one device period earlier than through the air: at the place where the
         * engine mixed it. */
        int64_t mixed = (int64_t)stamp->device_frames + i +
                        (int64_t)program->answer.device.output_latency_frames;
        int64_t position = mixed - (int64_t)source->origin_frame - source->layout.buffer_frames -
                           source->output_latency;
        float expected = position < 0 ? 0 : rig_played(source->index, 0, (uint64_t)position);
        if (input[i] != expected) {
            program->wrong_inputs++;
        }
        heard_mix += expected != 0;
    }
}

static void
a_program_hears_the_mix_and_another_program(void **state)
{
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    struct rig_program *source = rig_join(&rig, 64, 1, 1, 0, 0);
    for (unsigned kind = PROTO_CHANNEL_MIX; kind <= PROTO_CHANNEL_PROGRAM; kind++) {
        struct rig_program *listener = &rig.program[rig.programs];
        struct proto_channel input = {(uint16_t)kind, 0, source->id};
        struct proto_channel output = {PROTO_CHANNEL_NONE, 0, 0};
        assert_int_equal(rig_try_join(&rig, listener, 96, 1, &input, 1, &output, 0), TUTTI_OK);
        rig.programs++;
        listener->on_block = hear_the_mix;
        heard_mix = 0;
        rig_start(listener);
        rig_run_frames(&rig, 4000);
        assert_clean();
        assert_true(heard_mix > 3000);
    }
    rig_close(&rig);
}

/* ---- latency ---- */

static void
check_latency(uint32_t period, uint32_t buffer, uint32_t flags)
{
    rig_config(&rig);
    set("device", "period", (int)period);
    set("sim", "outputs", 1);
    set("sim", "inputs", 1);
    set("sim", "input_latency", 13);
    set("sim", "output_latency", 29);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, buffer, 1, 1, 0, flags);
    /* Each direction on its own: inputs against what the air sounded like, outputs against where
     * they are in the air. */
    rig_run_frames(&rig, 4 * (uint64_t)buffer + 8 * (uint64_t)period);
    assert_true(program->blocks >= 2);
    if (rig.wrong_outputs || program->wrong_inputs || program->wrong_stamps || program->jumps ||
        late_blocks(program)) {
        print_error("buffer %u on period %u flags %u: %d wrong out, %d in, %d stamps, %d jumps\n",
                    buffer, period, flags, (int)rig.wrong_outputs, (int)program->wrong_inputs,
                    (int)program->wrong_stamps, (int)program->jumps);
        fail();
    }
    if (buffer == period && !flags) {
        assert_int_equal(program->input_latency, period + 13);
        assert_int_equal(program->output_latency, period + 29);
    }
    rig_close(&rig);
}

static void
latency_is_as_reported_in_each_direction(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {16,  17,  32,  48,  64,  96,   100,  128,  192,  240,  256,
                                     333, 441, 480, 512, 768, 1000, 1024, 1536, 2048, 3000, 4096};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    for (size_t p = 0; p < SIZES; p++) {
        for (size_t b = 0; b < SIZES; b++) {
            check_latency(sizes[p], sizes[b], 0);
        }
    }
}

static void
latency_is_as_reported_for_tight_and_late_taking_programs(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {16, 64, 100, 256, 480, 1024};
    for (size_t p = 0; p < 6; p++) {
        for (size_t b = 0; b < 6; b++) {
            check_latency(sizes[p], sizes[b], PROTO_PREPARE_TIGHT);
            check_latency(sizes[p], sizes[b], PROTO_PREPARE_LATE_TAKE);
            check_latency(sizes[p], sizes[b], PROTO_PREPARE_TIGHT | PROTO_PREPARE_LATE_TAKE);
        }
    }
}

/* ---- load ---- */

static void
a_program_may_burn_four_fifths_of_its_buffer(void **state)
{
    (void)state;
    static const uint32_t periods[] = {32, 64, 256};
    static const uint32_t times[] = {1, 2, 8};
    for (size_t p = 0; p < 3; p++) {
        for (size_t t = 0; t < 3; t++) {
            rig_config(&rig);
            set("device", "period", (int)periods[p]);
            rig_open(&rig);
            uint32_t buffer = periods[p] * times[t];
            struct rig_program *program = rig_join(&rig, buffer, 2, 2, 0, 0);
            program->cost_ns = (int64_t)(0.8 * buffer * 1e9 / rig.rate_hz);
            rig_run_frames(&rig, 40 * (uint64_t)buffer);
            assert_int_equal(late_blocks(program), 0);
            assert_clean();
            rig_close(&rig);
        }
    }
}

/* ---- who chooses the period ---- */

static void
joins_with_a_smaller_buffer(bool live)
{
    rig_config(&rig);
    set("sim", "live_period", live);
    rig_open(&rig);
    struct rig_program *first = rig_join(&rig, 256, 1, 1, 0, 0);
    rig_run_frames(&rig, 2048);
    assert_int_equal(first->answer.device.period_frames, 256);
    uint32_t input = first->input_latency, output = first->output_latency;

    rig.check_output = false; /* what was on its way is lost */
    struct rig_program *second = rig_join(&rig, 32, 1, 1, 1, 0);
    assert_int_equal(second->answer.device.period_frames, 32);
    engine_tend(rig.engine);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 1);
    assert_int_equal(rig.events[PROTO_EVENT_LATENCIES], 0);
    rig_run_frames(&rig, 1024);
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    engine_get_status(rig.engine, 0, reply);
    assert_int_equal(reply->reopenings, 1);
    assert_int_equal(reply->program[0].input_latency_frames, input);
    assert_int_equal(reply->program[0].output_latency_frames, output);
    free(reply);

    /* What was promised holds on the new period, to the frame. A reopened card counts its frames
     * anew. */
    uint64_t jumps = first->jumps;
    if (!live) {
        /* The engine's frame at which the reopened card began: where the second program's timeline
         * began. */
        rig.frame_offset = (int64_t)second->origin_frame;
    }
    rig.check_output = true;
    rig.wrong_outputs = 0;
    rig_run_frames(&rig, 4096);
    assert_int_equal(rig.wrong_outputs, 0);
    assert_int_equal(first->jumps, jumps);
    rig_close(&rig);
}

static void
a_smaller_buffer_shrinks_the_period_of_a_reopened_device(void **state)
{
    (void)state;
    joins_with_a_smaller_buffer(false);
}

static void
a_smaller_buffer_shrinks_the_period_of_a_live_device(void **state)
{
    (void)state;
    joins_with_a_smaller_buffer(true);
}

/* ---- programs that do not answer ---- */

static void
one_that_hangs_costs_the_others_nothing(int64_t cost_ns, bool never_starts)
{
    rig_config(&rig);
    rig_open(&rig);
    struct rig_program *good = rig_join(&rig, 64, 1, 1, 0, 0);
    struct rig_program *large = rig_join(&rig, 512, 1, 1, 2, 0);
    struct rig_program *bad = rig_join(&rig, 64, 1, 1, 1, 0);
    rig_run_frames(&rig, 2048);
    rig.check_output = false;
    bad->cost_ns = cost_ns;
    bad->never_starts = never_starts;
    rig_run_frames(&rig, 4096);
    assert_int_equal(late_blocks(good), 0);
    assert_int_equal(late_blocks(large), 0);
    assert_int_equal(good->jumps, 0);
    assert_int_equal(large->jumps, 0);
    assert_true(late_blocks(bad) > 0);
    assert_int_equal(good->wrong_inputs, 0);
    /* It answers again and is in again. */
    bad->never_starts = false;
    bad->cost_ns = 0;
    if (cost_ns == RIG_NEVER) {
        bad->busy_until_ns = sim_now_ns();
    }
    rig_run_frames(&rig, 2048);
    rig.check_output = true;
    uint64_t late = late_blocks(bad);
    rig_run_frames(&rig, 2048);
    assert_int_equal(late_blocks(bad), late);
    assert_clean();
    rig_close(&rig);
}

static void
a_program_that_hangs_or_sleeps_costs_the_others_nothing(void **state)
{
    (void)state;
    one_that_hangs_costs_the_others_nothing(RIG_NEVER, false);
    one_that_hangs_costs_the_others_nothing(0, true);
    one_that_hangs_costs_the_others_nothing(5000000, false);
}

static void
scribble(struct rig *at)
{
    static const uint32_t nonsense[] = {0, 1, 2, UINT32_MAX, 1U << 30, 7};
    atomic_store(&at->rendezvous->pending, nonsense[at->waits % 6]);
    atomic_fetch_add(&at->rendezvous->wake, (uint32_t)at->waits % 3);
}

static void
nonsense_on_the_hint_page_costs_nobody_a_frame(void **state)
{
    (void)state;
    static const uint32_t buffers[] = {64, 256, 100, 32, 1024};
    rig_config(&rig);
    set("device", "period", 64);
    rig_open(&rig);
    for (uint32_t p = 0; p < 5; p++) {
        rig_join(&rig, buffers[p], 2, 2, p, 0)->cost_ns = 100000 * (p + 1);
    }
    rig.in_cycle = scribble;
    rig_run_frames(&rig, 20000);
    assert_clean();
    assert_true(rig.waits > 200);
    for (uint32_t p = 0; p < 5; p++) {
        assert_int_equal(late_blocks(&rig.program[p]), 0);
        assert_int_equal(rig.program[p].jumps, 0);
    }
    rig_close(&rig);
}

/* Writes a pattern over what a stuck program owns, and finds it as it was after many cycles. */
static void
stuck_in_a_callback(uint32_t buffer, uint32_t flags)
{
    rig_config(&rig);
    set("device", "period", 64);
    rig_open(&rig);
    rig_join(&rig, 64, 2, 2, 0, 0);
    struct rig_program *stuck = rig_join(&rig, buffer, 2, 2, 2, flags);
    rig_run_frames(&rig, 4096);
    rig.check_output = false;
    stuck->cost_ns = RIG_NEVER;
    rig_run_frames(&rig, 2048);
    assert_true(stuck->busy);
    unsigned owned = 0;
    for (unsigned h = 0; h < 2; h++) {
        if (atomic_load(&stuck->segment->owner[h]) & 1) {
            owned++;
            for (uint32_t c = 0; c < 2; c++) {
                memset(proto_input(&stuck->layout, stuck->segment, c, h), 0x5A, buffer * 4);
                memset(proto_output(&stuck->layout, stuck->segment, c, h), 0x5A, buffer * 4);
            }
        }
    }
    assert_true(owned >= (flags & PROTO_PREPARE_LATE_TAKE ? 2U : 1U));
    struct proto_stamp stamps[2];
    memcpy(stamps, stuck->segment->stamp, sizeof(stamps));
    rig_run_frames(&rig, 8192);
    for (unsigned h = 0; h < 2; h++) {
        if (!(atomic_load(&stuck->segment->owner[h]) & 1)) {
            continue;
        }
        assert_memory_equal(&stamps[h], &stuck->segment->stamp[h], sizeof(stamps[h]));
        for (uint32_t c = 0; c < 2; c++) {
            const unsigned char *in =
                (unsigned char *)proto_input(&stuck->layout, stuck->segment, c, h);
            const unsigned char *out =
                (unsigned char *)proto_output(&stuck->layout, stuck->segment, c, h);
            for (uint32_t i = 0; i < buffer * 4; i++) {
                assert_int_equal(in[i], 0x5A);
                assert_int_equal(out[i], 0x5A);
            }
        }
    }
    rig_close(&rig);
}

static void
what_a_stuck_program_owns_is_left_alone(void **state)
{
    (void)state;
    static const uint32_t buffers[] = {64, 32, 256, 100};
    for (size_t b = 0; b < 4; b++) {
        stuck_in_a_callback(buffers[b], 0);
        stuck_in_a_callback(buffers[b], PROTO_PREPARE_LATE_TAKE);
    }
}

static void
programs_killed_at_random_instants_cost_the_survivors_no_frame(void **state)
{
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    srand(7);
    rig_join(&rig, 64, 2, 2, 0, 0);
    rig_join(&rig, 256, 2, 2, 1, 0);
    rig_join(&rig, 160, 2, 2, 2, 0);
    struct rig_program *victim = &rig.program[3];
    static const uint32_t sizes[] = {64, 128, 96, 1024};
    for (unsigned round = 0; round < 200; round++) {
        rig.programs = 3;
        if (victim->segment) {
            os_wake_fini(&victim->doorbell);
            os_shm_close(&victim->shm);
        }
        victim = rig_join(&rig, sizes[round % 4], 1, 1, 5, 0); /* on a channel of its own */
        rig_steps(&rig, (unsigned)(rand() % 9));
        /* Its process ends anywhere: before, within or after its answer; the link breaks some
         * cycles later. */
        victim->cost_ns = rand() % 3 ? RIG_NEVER : 300000;
        victim->never_starts = rand() % 2;
        rig_steps(&rig, (unsigned)(rand() % 4));
        rig_kill(victim);
        for (unsigned p = 0; p < 3; p++) {
            assert_int_equal(late_blocks(&rig.program[p]), 0);
            assert_int_equal(rig.program[p].jumps, 0);
            assert_int_equal(rig.program[p].wrong_inputs, 0);
        }
    }
    rig_close(&rig);
}

/* ---- the device's faults ---- */

static void
lost_time_is_counted_as_the_devices(void **state)
{
    (void)state;
    char problem[CONFIG_TEXT_BYTES];
    rig_config(&rig);
    assert_int_equal(config_set(&rig.config, "sim", "faults", "at 30 lose 256", problem), TUTTI_OK);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    rig_steps(&rig, 60);
    assert_int_equal(atomic_load(&program->segment->late_program), 0);
    assert_true(atomic_load(&program->segment->late_device) > 0);
    assert_int_equal(program->jumps, 1);
    assert_int_equal(program->wrong_inputs, 0);
    assert_int_equal(program->wrong_stamps, 0);
    rig_close(&rig);
}

static void
lost_time_within_a_block_is_told_as_an_overload(void **state)
{
    (void)state;
    char problem[CONFIG_TEXT_BYTES];
    rig_config(&rig);
    assert_int_equal(config_set(&rig.config, "sim", "faults", "at 30 lose 64", problem), TUTTI_OK);
    rig_open(&rig);
    struct rig_program *small = rig_join(&rig, 64, 1, 1, 0, 0);
    struct rig_program *large = rig_join(&rig, 256, 1, 1, 1, 0);
    rig.check_output = false;
    rig_steps(&rig, 29);
    engine_tend(rig.engine);
    assert_int_equal(rig.events[PROTO_EVENT_OVERLOAD], 0);
    rig_steps(&rig, 30);
    engine_tend(rig.engine);
    assert_int_equal(small->jumps, 1);
    assert_int_equal(large->jumps, 0); /* its position goes on */
    assert_int_equal(atomic_load(&large->segment->missed_frames), 0);
    assert_int_equal(rig.events[PROTO_EVENT_OVERLOAD], 2);
    rig_close(&rig);
}

static void
each_loss_of_the_device_is_reported_to_each_program(void **state)
{
    (void)state;
    char problem[CONFIG_TEXT_BYTES];
    static const uint32_t buffers[] = {16, 64, 100, 128, 1024};
    rig_config(&rig);
    assert_int_equal(config_set(&rig.config, "device", "period", "64", problem), TUTTI_OK);
    assert_int_equal(config_set(&rig.config, "sim", "faults",
                                "at 200 lose 64;at 240 lose 1;at 280 lose 4096;at 281 lose 64",
                                problem),
                     TUTTI_OK);
    rig_open(&rig);
    for (uint32_t p = 0; p < 5; p++) {
        rig_join(&rig, buffers[p], 1, 1, 0, 0);
    }
    rig.check_output = false;
    uint32_t reported = 0;
    for (unsigned step = 0; step < 340; step++) {
        rig_steps(&rig, 1);
        engine_tend(rig.engine);
        if (rig.events[PROTO_EVENT_OVERLOAD] > reported) {
            /* the cycle's numbers begin with 0 */
            assert_true(step == 200 || step == 240 || step == 280 || step == 281);
            assert_int_equal(rig.events[PROTO_EVENT_OVERLOAD], reported + 5);
            assert_int_equal(rig.last_event[PROTO_EVENT_OVERLOAD].value, 1);
            assert_int_equal(rig.last_event[PROTO_EVENT_OVERLOAD].losses, 1);
            reported += 5;
        }
    }
    assert_int_equal(reported, 20);
    rig_close(&rig);
}

static void
an_unplugged_device_is_replaced_by_silence_and_comes_back(void **state)
{
    (void)state;
    rig_config(&rig);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    rig_steps(&rig, 20);
    rig.check_output = false;
    sim_unplug();
    assert_false(sim_step(sim_current()));
    engine_tend(rig.engine);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 1);
    uint64_t blocks = program->blocks;
    program->silent_before_frame = UINT64_MAX;
    for (unsigned i = 0; i < 500; i++) {
        sim_advance_ns(sim_now_ns() + 1000000);
        rig_steps(&rig, 1);
    }
    assert_true(program->blocks > blocks + 300); /* called on, by the engine's own clock */
    sim_plug();
    for (unsigned i = 0; i < 300 && !sim_current(); i++) {
        sim_advance_ns(sim_now_ns() + 1000000);
        rig_steps(&rig, 1);
    }
    assert_non_null(sim_current());
    engine_tend(rig.engine);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_BACK], 1);
    blocks = program->blocks;
    rig_steps(&rig, 20);
    assert_true(program->blocks >= blocks + 19);
    assert_int_equal(program->wrong_stamps, 0);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mix_equals_the_reference),
        cmocka_unit_test(integer_devices_get_the_same_samples),
        cmocka_unit_test(outputs_of_one_program_on_one_channel_are_added),
        cmocka_unit_test(what_a_program_clipped_is_in_the_status),
        cmocka_unit_test(every_rate_that_the_card_has_plays_the_same_samples),
        cmocka_unit_test(a_rate_changes_under_the_one_program_that_plays_and_not_under_others),
        cmocka_unit_test(too_loud_a_sum_is_clipped),
        cmocka_unit_test(a_program_hears_the_mix_and_another_program),
        cmocka_unit_test(latency_is_as_reported_in_each_direction),
        cmocka_unit_test(latency_is_as_reported_for_tight_and_late_taking_programs),
        cmocka_unit_test(a_program_may_burn_four_fifths_of_its_buffer),
        cmocka_unit_test(a_smaller_buffer_shrinks_the_period_of_a_reopened_device),
        cmocka_unit_test(a_smaller_buffer_shrinks_the_period_of_a_live_device),
        cmocka_unit_test(a_program_that_hangs_or_sleeps_costs_the_others_nothing),
        cmocka_unit_test(nonsense_on_the_hint_page_costs_nobody_a_frame),
        cmocka_unit_test(what_a_stuck_program_owns_is_left_alone),
        cmocka_unit_test(programs_killed_at_random_instants_cost_the_survivors_no_frame),
        cmocka_unit_test(lost_time_is_counted_as_the_devices),
        cmocka_unit_test(lost_time_within_a_block_is_told_as_an_overload),
        cmocka_unit_test(each_loss_of_the_device_is_reported_to_each_program),
        cmocka_unit_test(an_unplugged_device_is_replaced_by_silence_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
