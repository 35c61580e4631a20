/* SPDX-License-Identifier: MIT */
/*
 * The direct monitor on the stepped virtual card: what comes in is heard on the promised frame,
 * beside what programs play, with the gain that was asked for, and for as long as the program that
 * asked is there. Compared sample by sample with the air of the card.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine_state.h"
#include "rig.h"

enum { FADE_FRAMES = 240 }; /* 5 ms at 48 kHz */

static struct rig rig;
static struct proto_monitor wish;

/* What the air is expected to hear, and what was found. */
static struct {
    float gain[8][8];    /* input, output */
    uint64_t from_frame; /* earlier frames are not compared */
    uint64_t compared, wrong;
    uint32_t delay;             /* of the promise: from the air to the air */
    struct rig_program *silent; /* what it plays is not to be heard; NULL: nobody */
} air;

static float
heard(uint32_t channel, int64_t frame)
{
    return frame < 0 ? 0 : rig_heard(channel, (uint64_t)frame);
}

static void
source(void *user, uint32_t channel, uint64_t frame, float *samples, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        samples[i] = rig_heard(channel, frame + i);
    }
}

static void
compare(void *user, uint32_t channel, uint64_t frame, const float *samples, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        if (frame + i < air.from_frame) {
            continue;
        }
        bool had_origin = air.silent && air.silent->has_origin;
        if (air.silent) {
            air.silent->has_origin = false;
        }
        float expected = rig_reference(&rig, channel, (int64_t)(frame + i) + rig.frame_offset);
        if (air.silent) {
            air.silent->has_origin = had_origin;
        }
        for (uint32_t in = 0; in < 8; in++) {
            expected += air.gain[in][channel] * heard(in, (int64_t)(frame + i) - air.delay);
        }
        air.compared++;
        air.wrong += samples[i] != expected;
    }
}

static void
set(const char *section, const char *key, int value)
{
    char problem[CONFIG_TEXT_BYTES], text[16];
    snprintf(text, sizeof(text), "%d", value);
    assert_int_equal(config_set(&rig.config, section, key, text, problem), TUTTI_OK);
}

static void
begin(int period)
{
    memset(&air, 0, sizeof(air));
    memset(&wish, 0, sizeof(wish));
    proto_header_init(&wish.header, PROTO_MONITOR, 1);
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        wish.input_gain[c] = wish.output_gain[c] = 1.0f;
    }
    rig_config(&rig);
    rig.check_output = false;
    set("device", "period", period);
}

static void
path(uint16_t input, uint16_t output, float gain)
{
    wish.path[wish.count++] = (struct proto_path){input, output, gain};
    air.gain[input][output] = gain;
}

/* From here on every sample is compared: what is on its way arrives first. */
static void
compare_from_now(void)
{
    struct proto_device device;
    engine_get_device(rig.engine, "", &device);
    air.delay = device.input_latency_frames + device.output_latency_frames;
    air.from_frame =
        sim_device_frame(sim_current()) + air.delay + 2 * device.period_frames + FADE_FRAMES;
    air.compared = air.wrong = 0;
    sim_set_air(sim_current(), source, compare, NULL);
}

static void
assert_compared(void)
{
    assert_true(air.compared > 1000);
    assert_int_equal(air.wrong, 0);
}

static void
ask(const struct rig_program *program)
{
    const char *why = "";
    assert_int_equal(proto_check(&wish, sizeof(wish), true, &why), TUTTI_OK);
    assert_int_equal(engine_set_monitor(rig.engine, program->id, &wish), TUTTI_OK);
}

static uint32_t
paths_in_status(void)
{
    static struct proto_status_reply reply;
    engine_get_status(rig.engine, 0, &reply);
    return reply.monitor_paths[0];
}

/* ---- what is heard ---- */

static void
what_comes_in_is_heard_on_the_promised_frame_beside_what_programs_play(void **state)
{
    static const struct {
        int period, buffer, input_latency, output_latency;
    } cases[] = {{64, 64, 0, 0},   {64, 256, 11, 5}, {256, 64, 3, 0},
                 {480, 128, 7, 9}, {100, 100, 0, 1}, {16, 1024, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(cases[i].period);
        set("sim", "input_latency", cases[i].input_latency);
        set("sim", "output_latency", cases[i].output_latency);
        rig_open(&rig);
        struct rig_program *program = rig_join(&rig, (uint32_t)cases[i].buffer, 2, 2, 0, 0);
        rig_join(&rig, 64, 2, 2, 1, 0);
        path(3, 1, 1.0f);
        path(0, 0, 1.0f);
        path(1, 0, 1.0f);
        ask(program);
        compare_from_now();
        rig_run_frames(&rig, 3 * 32768); /* the rings go round */
        assert_compared();
        assert_int_equal(program->wrong_inputs, 0);
        rig_close(&rig);
    }
}

static void
it_goes_on_while_its_program_is_stopped_or_hangs(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    path(2, 3, 1.0f);
    assert_int_equal(paths_in_status(), 0);
    ask(program);
    assert_int_equal(paths_in_status(), 1);
    rig_steps(&rig, 10);
    rig_stop(program);
    program->has_origin = false;
    compare_from_now();
    rig_run_frames(&rig, 3000);
    assert_compared();
    rig_start(program);
    program->never_starts = true;
    compare_from_now();
    rig_run_frames(&rig, 3000);
    assert_compared();
    rig_close(&rig);
}

static void
asked_for_before_the_device_is_joined_it_acts_from_then_on(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *other = rig_join(&rig, 64, 1, 1, 0, 0);
    assert_int_equal(engine_dispose(rig.engine, other->id), TUTTI_OK);
    other->running = other->has_origin = false;
    path(1, 2, 1.0f);
    ask(other);
    struct proto_prepare message = {.buffer_frames = 64, .outputs = 1};
    struct proto_prepared answer;
    char error[PROTO_TEXT_BYTES];
    struct os_shm shm;
    struct os_wake doorbell;
    struct proto_layout layout;
    assert_int_equal(proto_layout_init(&layout, 64, 0, 1), TUTTI_OK);
    assert_int_equal(os_shm_create(&shm, layout.size_bytes), TUTTI_OK);
    proto_segment_init(shm.base, &layout);
    struct proto_segment *segment = shm.base;
    assert_int_equal(os_wake_init(&doorbell, &segment->doorbell), TUTTI_OK);
    assert_int_equal(engine_prepare(rig.engine, other->id, &message,
                                    os_handle_duplicate(shm.handle),
                                    os_handle_duplicate(doorbell.event), &answer, error),
                     TUTTI_OK);
    compare_from_now();
    rig_run_frames(&rig, 3000);
    assert_compared();
    os_wake_fini(&doorbell);
    os_shm_close(&shm);
    rig_close(&rig);
}

static void
it_ends_with_the_program_that_asked_for_it(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *first = rig_join(&rig, 64, 1, 1, 0, 0);
    struct rig_program *second = rig_join(&rig, 64, 1, 1, 1, 0);
    path(4, 4, 1.0f);
    ask(first);
    wish.count = 0;
    path(5, 5, 1.0f);
    ask(second);
    compare_from_now();
    rig_run_frames(&rig, 2000);
    assert_compared();
    rig_kill(first);
    air.gain[4][4] = 0;
    compare_from_now();
    rig_run_frames(&rig, 2000);
    assert_compared();
    rig_kill(second);
    air.gain[5][5] = 0;
    compare_from_now();
    rig_run_frames(&rig, 1200);
    assert_compared();
    rig_close(&rig);
}

static void
it_stays_when_the_device_is_opened_anew_at_another_period(void **state)
{
    begin(0);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 512, 1, 1, 0, 0);
    path(2, 2, 1.0f);
    ask(program);
    rig_run_frames(&rig, 2000);
    assert_int_equal(program->answer.device.period_frames, 512);
    struct rig_program *smaller = rig_join(&rig, 128, 1, 1, 1, 0);
    assert_int_equal(smaller->answer.device.period_frames, 128);
    /* the former program's output stands elsewhere while it is late: only the path is looked at */
    rig_stop(program);
    rig_stop(smaller);
    program->has_origin = smaller->has_origin = false;
    compare_from_now();
    rig_run_frames(&rig, 3000);
    assert_compared();
    rig_close(&rig);
}

static uint64_t mixes_compared, mixes_wrong;

static void
hear_the_mix(struct rig_program *program, const struct proto_stamp *stamp)
{
    const float *input = proto_input(&program->layout, program->segment, 0, stamp->seq & 1);
    for (uint32_t i = 0; i < program->layout.buffer_frames && program->blocks > 20; i++) {
        /* what was mixed for a frame carries the input of one period before */
        int64_t frame = (int64_t)stamp->device_frames + i;
        float monitored = heard(2, frame - 64 - rig.frame_offset);
        mixes_compared++;
        mixes_wrong += input[i] != monitored;
    }
}

static void
the_mix_that_programs_read_holds_it(void **state)
{
    begin(64);
    rig_open(&rig);
    struct proto_channel input = {PROTO_CHANNEL_MIX, 5, 0}, output = {PROTO_CHANNEL_NONE, 0, 0};
    struct rig_program *listener = &rig.program[rig.programs];
    assert_int_equal(rig_try_join(&rig, listener, 64, 1, &input, 1, &output, 0), TUTTI_OK);
    rig.programs++;
    listener->on_block = hear_the_mix;
    path(2, 5, 1.0f);
    ask(listener);
    rig_start(listener);
    mixes_compared = mixes_wrong = 0;
    rig_steps(&rig, 100);
    assert_true(mixes_compared > 1000);
    assert_int_equal(mixes_wrong, 0);
    rig_close(&rig);
}

/* ---- gains ---- */

static void
gains_of_path_input_and_output_multiply(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 6, 0);
    path(0, 1, 0.5f);
    path(1, 1, 2.0f);
    path(1, 2, 4.0f);
    path(3, 3, 1.0f);
    wish.input_gain[1] = 0.5f;
    wish.output_gain[2] = 0.25f;
    wish.output_gain[3] = 0.0f;
    ask(program);
    air.gain[1][1] = 1.0f;
    air.gain[1][2] = 0.5f;
    air.gain[3][3] = 0.0f;
    compare_from_now();
    rig_run_frames(&rig, 40000);
    assert_compared();
    rig_close(&rig);
}

static uint64_t inputs_compared, inputs_wrong;

static void
hear_half(struct rig_program *program, const struct proto_stamp *stamp)
{
    const float *input = proto_input(&program->layout, program->segment, 0, stamp->seq & 1);
    for (uint32_t i = 0; i < program->layout.buffer_frames && program->blocks > 10; i++) {
        float air_sample = heard(0, (int64_t)stamp->device_frames + i - rig.frame_offset);
        inputs_compared++;
        inputs_wrong += input[i] != 0.5f * air_sample;
    }
}

static void
gains_of_channels_count_for_their_own_program_alone(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *quiet = rig_join(&rig, 96, 1, 1, 0, 0);
    struct rig_program *plain = rig_join(&rig, 64, 1, 1, 0, 0);
    quiet->on_block = hear_half;
    wish.input_gain[0] = 0.5f;
    wish.output_gain[0] = 0.0f;
    air.silent = quiet;
    ask(quiet);
    rig_steps(&rig, 40);
    inputs_compared = inputs_wrong = 0;
    compare_from_now();
    rig_steps(&rig, 200);
    assert_compared();
    assert_true(inputs_compared > 1000);
    assert_int_equal(inputs_wrong, 0);
    assert_int_equal(plain->wrong_inputs, 0);
    rig_close(&rig);
}

/* ---- no clicks ---- */

static float last_sample, greatest_step;
static uint64_t first_change, last_change;

static void
steady(void *user, uint32_t channel, uint64_t frame, float *samples, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        samples[i] = 0.5f;
    }
}

static void
watch_steps(void *user, uint32_t channel, uint64_t frame, const float *samples, uint32_t frames)
{
    for (uint32_t i = 0; i < frames && channel == 1; i++) {
        float step = fabsf(samples[i] - last_sample);
        if (step > 0) {
            first_change = first_change ? first_change : frame + i;
            last_change = frame + i;
        }
        greatest_step = step > greatest_step ? step : greatest_step;
        last_sample = samples[i];
    }
}

static void
watch_from_now(void)
{
    greatest_step = 0;
    first_change = last_change = 0;
}

static void
a_gain_arrives_within_five_milliseconds_in_small_steps(void **state)
{
    static const float gains[] = {1.0f, 0.25f, 2.0f, 0.0f, 1.0f};
    begin(64);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    sim_set_air(sim_current(), steady, watch_steps, NULL);
    last_sample = 0;
    float before = 0;
    for (unsigned i = 0; i < sizeof(gains) / sizeof(gains[0]); i++) {
        rig_steps(&rig, 20);
        watch_from_now();
        wish.count = 0;
        path(3, 1, gains[i]);
        ask(program);
        rig_steps(&rig, 20);
        float change = fabsf(gains[i] - before) * 0.5f;
        assert_true(last_sample == gains[i] * 0.5f);
        assert_true(greatest_step <= change / FADE_FRAMES * 1.01f);
        assert_true(last_change - first_change <= FADE_FRAMES);
        before = gains[i];
    }
    /* a new wish in the middle of the way goes on from there, and a path that is gone fades */
    watch_from_now();
    wish.path[0].gain = 0.0f;
    ask(program);
    rig_steps(&rig, 1);
    wish.count = 0;
    ask(program);
    rig_steps(&rig, 1);
    path(3, 1, 1.0f);
    ask(program);
    rig_steps(&rig, 1);
    wish.count = 0;
    ask(program);
    rig_steps(&rig, 20);
    assert_true(last_sample == 0);
    assert_true(greatest_step <= 0.5f / FADE_FRAMES * 1.01f);
    rig_close(&rig);
}

static uint64_t ramp_from, ramp_compared;

static void
compare_ramp(void *user, uint32_t channel, uint64_t frame, const float *samples, uint32_t frames)
{
    for (uint32_t i = 0; i < frames && channel == 5; i++) {
        if (frame + i >= ramp_from && frame + i < ramp_from + 2 * FADE_FRAMES) {
            float way = (float)(frame + i - ramp_from) / FADE_FRAMES;
            float gain = way < 1 ? way : 1;
            float expected = gain * heard(3, (int64_t)(frame + i) - air.delay);
            assert_true(fabsf(samples[i] - expected) < 1e-7f);
            ramp_compared++;
        }
    }
}

static void
each_frame_of_the_way_has_its_own_gain(void **state)
{
    begin(100); /* the way ends within a period */
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    rig_steps(&rig, 20);
    compare_from_now();
    path(3, 5, 1.0f);
    ask(program);
    ramp_from = sim_device_frame(sim_current()) + 100; /* the next cycle's first frame out */
    ramp_compared = 0;
    sim_set_air(sim_current(), source, compare_ramp, NULL);
    rig_steps(&rig, 20);
    assert_int_equal(ramp_compared, 2 * FADE_FRAMES);
    rig_close(&rig);
}

/* ---- what it costs ---- */

static void
a_monitor_that_is_switched_off_leaves_nothing_behind(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    rig_steps(&rig, 2);
    ask(program); /* off, and it never was on */
    rig_steps(&rig, 2);
    assert_false(rig.engine->mix[0]->commands.plan->monitored);
    path(0, 1, 1.0f);
    ask(program);
    rig_steps(&rig, 20);
    assert_true(rig.engine->mix[0]->commands.plan->monitored);
    wish.count = 0;
    ask(program);
    rig_steps(&rig, 20);
    assert_false(rig.engine->mix[0]->commands.plan->monitored);
    assert_null(rig.engine->client[0]->monitor);
    rig_close(&rig);
}

/* ---- meters ---- */

static float
peak_of(_Atomic uint32_t *peak)
{
    uint32_t bits = atomic_exchange(peak, 0);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void
play_eighth(struct rig_program *program, const struct proto_stamp *stamp)
{
    for (uint32_t i = 0; i < program->layout.buffer_frames; i++) {
        proto_output(&program->layout, program->segment, 0, stamp->seq & 1)[i] = -0.125f;
    }
}

static void
meters_tell_peaks_while_somebody_looks(void **state)
{
    begin(64);
    rig_open(&rig);
    struct rig_program *program = rig_join(&rig, 96, 1, 1, 0, 0);
    struct rig_program *other = rig_join(&rig, 64, 1, 1, 0, 0);
    struct proto_segment *segment = program->segment;
    program->on_block = other->on_block = play_eighth;
    sim_set_air(sim_current(), steady, NULL, NULL);
    rig_steps(&rig, 20);
    assert_true(peak_of(&segment->input_peak[0]) == 0);
    atomic_store(&segment->meters_until_ns, UINT64_MAX);
    rig_steps(&rig, 20);
    assert_true(peak_of(&segment->input_peak[7]) == 0.5f);
    assert_true(peak_of(&segment->output_peak[0]) == 0.125f); /* its own, not the other's */
    assert_true(peak_of(&segment->output_peak[1]) == 0);
    path(1, 0, 0.5f);
    path(2, 5, 4.0f);
    wish.output_gain[0] = 2.0f;
    wish.input_gain[3] = 0.5f;
    ask(program);
    rig_steps(&rig, 20);
    for (uint32_t c = 0; c < 8; c++) {
        peak_of(&segment->input_peak[c]);
        peak_of(&segment->output_peak[c]);
    }
    rig_steps(&rig, 20);
    assert_true(peak_of(&segment->input_peak[3]) == 0.25f);
    assert_true(peak_of(&segment->input_peak[2]) == 0.5f);
    assert_true(peak_of(&segment->output_peak[0]) == 0.5f - 0.25f);
    assert_true(peak_of(&segment->output_peak[5]) == 1.0f); /* full scale is the most */
    assert_true(atomic_load(&other->segment->input_peak[3]) == 0);
    wish.count = 0;
    path(2, 6, 1.0f);
    ask(other);
    rig_steps(&rig, 20);
    assert_true(peak_of(&segment->output_peak[6]) == 0); /* the other one's */
    atomic_store(&segment->meters_until_ns, 0);
    rig_steps(&rig, 1);
    peak_of(&segment->input_peak[3]);
    rig_steps(&rig, 20);
    assert_true(peak_of(&segment->input_peak[3]) == 0);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_in_is_heard_on_the_promised_frame_beside_what_programs_play),
        cmocka_unit_test(it_goes_on_while_its_program_is_stopped_or_hangs),
        cmocka_unit_test(asked_for_before_the_device_is_joined_it_acts_from_then_on),
        cmocka_unit_test(it_ends_with_the_program_that_asked_for_it),
        cmocka_unit_test(it_stays_when_the_device_is_opened_anew_at_another_period),
        cmocka_unit_test(the_mix_that_programs_read_holds_it),
        cmocka_unit_test(gains_of_path_input_and_output_multiply),
        cmocka_unit_test(gains_of_channels_count_for_their_own_program_alone),
        cmocka_unit_test(a_gain_arrives_within_five_milliseconds_in_small_steps),
        cmocka_unit_test(each_frame_of_the_way_has_its_own_gain),
        cmocka_unit_test(a_monitor_that_is_switched_off_leaves_nothing_behind),
        cmocka_unit_test(meters_tell_peaks_while_somebody_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
