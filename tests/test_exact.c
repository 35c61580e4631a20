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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nobody_joins_beside_an_exact_program, close_card),
        cmocka_unit_test_teardown(an_exact_program_does_not_join_beside_others, close_card),
        cmocka_unit_test_teardown(a_device_of_16_bits_is_refused, close_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
