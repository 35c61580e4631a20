/* SPDX-License-Identifier: MIT */
/* Programs whose words must reach the device unchanged: who may join beside them, and which devices
 * carry them. On the stepped card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine_state.h"
#include "rig.h"

static struct rig rig;

static void
open_card(const char *format)
{
    char problem[CONFIG_TEXT_BYTES];

    rig_config(&rig);
    assert_int_equal(config_set(&rig.config, "sim", "format", format, problem), TUTTI_OK);
    rig_open(&rig);
}

static int
close_card(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

/* On the rig's last place; what joined there does nothing, and is gone with the engine. */
static enum tutti_status
try_join(uint32_t flags)
{
    const struct proto_channel first = {PROTO_CHANNEL_DEVICE, 0, 0};
    struct rig_program *program = &rig.program[RIG_MAX_PROGRAMS - 1];
    enum tutti_status status = rig_try_join(&rig, program, 64, 0, &first, 1, &first, flags);

    if (status == TUTTI_OK) {
        os_wake_fini(&program->doorbell);
        os_shm_close(&program->shm);
    }
    return status;
}

static void
nobody_joins_beside_an_exact_program(void **state)
{
    (void)state;
    open_card("int24");
    struct rig_program *exact = rig_join(&rig, 64, 0, 1, 0, PROTO_PREPARE_EXACT);
    assert_int_equal(try_join(0), TUTTI_DEVICE_BUSY);
    assert_int_equal(try_join(PROTO_PREPARE_EXACT), TUTTI_DEVICE_BUSY);
    rig_run_frames(&rig, 4096);
    assert_true(exact->blocks > 10);
    assert_int_equal(rig.wrong_outputs, 0);
    rig_kill(exact);
    assert_int_equal(try_join(0), TUTTI_OK);
}

static void
an_exact_program_does_not_join_beside_others(void **state)
{
    (void)state;
    open_card("int24in32");
    struct rig_program *other = rig_join(&rig, 64, 0, 1, 0, 0);
    assert_int_equal(try_join(PROTO_PREPARE_EXACT), TUTTI_DEVICE_BUSY);
    rig_run_frames(&rig, 1024);
    rig_kill(other);
    assert_int_equal(try_join(PROTO_PREPARE_EXACT), TUTTI_OK);
}

static void
a_device_of_16_bits_is_refused(void **state)
{
    (void)state;
    open_card("int16");
    assert_int_equal(try_join(PROTO_PREPARE_EXACT), TUTTI_UNSUPPORTED_FORMAT);
    assert_int_equal(try_join(0), TUTTI_OK);
}

static void
gains_and_the_monitor_do_not_touch_an_exact_program(void **state)
{
    static struct proto_monitor wish;

    (void)state;
    open_card("int24");
    struct rig_program *exact = rig_join(&rig, 64, 0, 1, 0, PROTO_PREPARE_EXACT);
    for (unsigned c = 0; c < PROTO_MAX_CHANNELS; c++) {
        wish.input_gain[c] = wish.output_gain[c] = 0.5f;
    }
    wish.count = 1;
    wish.path[0] = (struct proto_path){.input = 0, .output = 0, .gain = 1.0f};
    assert_int_equal(engine_set_monitor(rig.engine, exact->id, &wish), TUTTI_OK);
    rig_run_frames(&rig, 4096);
    assert_true(exact->blocks > 10);
    assert_int_equal(rig.wrong_outputs, 0);
}

/* ---- a device that comes back as another ---- */

static uint64_t sounding;

static void
count_sound(void *user, uint32_t channel, uint64_t device_frame, const float *samples,
            uint32_t frames)
{
    (void)user;
    (void)channel;
    (void)device_frame;
    for (uint32_t i = 0; i < frames; i++) {
        sounding += samples[i] != 0;
    }
}

/* Pulls the card out and puts another in; what it plays then. */
static uint64_t
sound_after_change_to(const char *format)
{
    char problem[CONFIG_TEXT_BYTES];

    rig.check_output = false;
    sim_unplug();
    assert_false(sim_step(sim_current()));
    engine_tend(rig.engine);
    assert_int_equal(
        config_set(&rig.engine->mix[0]->master.config, "sim", "format", format, problem), TUTTI_OK);
    sim_plug();
    for (unsigned i = 0; i < 1000 && !sim_current(); i++) {
        sim_advance_ns(sim_now_ns() + 1000000);
        rig_steps(&rig, 1);
    }
    assert_non_null(sim_current());
    sim_set_air(sim_current(), NULL, count_sound, NULL);
    sounding = 0;
    rig_steps(&rig, 40);
    return sounding;
}

static void
a_device_that_comes_back_with_short_words_stays_mute(void **state)
{
    (void)state;
    open_card("int24");
    struct rig_program *exact = rig_join(&rig, 64, 0, 1, 0, PROTO_PREPARE_EXACT);
    rig_steps(&rig, 20);
    assert_int_equal(sound_after_change_to("int16"), 0);
    uint64_t blocks = exact->blocks;
    assert_true(sound_after_change_to("int32") > 0);
    assert_true(exact->blocks > blocks);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nobody_joins_beside_an_exact_program, close_card),
        cmocka_unit_test_teardown(an_exact_program_does_not_join_beside_others, close_card),
        cmocka_unit_test_teardown(a_device_of_16_bits_is_refused, close_card),
        cmocka_unit_test_teardown(gains_and_the_monitor_do_not_touch_an_exact_program, close_card),
        cmocka_unit_test_teardown(a_device_that_comes_back_with_short_words_stays_mute, close_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
