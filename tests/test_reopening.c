/* SPDX-License-Identifier: MIT */
/*
 * What programs notice while the device is reopened, changes its period or refuses one, on the
 * stepped card: they are called all the time. The card lets time pass in each opening.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

enum { MS = 1000000 };

static struct rig rig;

/* What one program saw. */
static struct {
    uint64_t last_ns, longest_ns, last_position;
} seen[RIG_MAX_PROGRAMS];

static void
on_block(struct rig_program *program, const struct proto_stamp *stamp)
{
    uint64_t now_ns = sim_now_ns(), *last_ns = &seen[program->index].last_ns;
    if (*last_ns && now_ns - *last_ns > seen[program->index].longest_ns) {
        seen[program->index].longest_ns = now_ns - *last_ns;
    }
    *last_ns = now_ns;
    seen[program->index].last_position = stamp->position_frames;
}

static void
pass(void *user)
{
    rig_pass(user);
}

static void
set(const char *section, const char *key, const char *value)
{
    char problem[CONFIG_TEXT_BYTES];
    assert_int_equal(config_set(&rig.config, section, key, value, problem), TUTTI_OK);
}

static void
open_rig(const char *faults)
{
    memset(seen, 0, sizeof(seen));
    set("sim", "faults", faults);
    rig_open(&rig);
    sim_set_passing(pass, &rig);
    rig.check_output = false;
}

static struct rig_program *
join(uint32_t buffer)
{
    struct rig_program *program = rig_join(&rig, buffer, 1, 1, 0, 0);
    program->on_block = on_block;
    return program;
}

static struct proto_status_reply *
status(void)
{
    static struct proto_status_reply reply;
    engine_get_status(rig.engine, 0, &reply);
    return &reply;
}

/* It was called at least every two blocks and two periods, and its position kept up with time. */
static void
expect_called_on(const struct rig_program *program, uint64_t since_ns, uint64_t since_position)
{
    uint32_t buffer = program->layout.buffer_frames, period = 2048;
    double passed = (double)(seen[program->index].last_ns - since_ns) * 48000 / 1e9;
    double played = (double)(seen[program->index].last_position - since_position);
    assert_true(seen[program->index].longest_ns <= (2 * buffer + period) * UINT64_C(1000000) / 48);
    assert_true(played > passed - 2 * buffer - period && played < passed + 2 * buffer + period);
    assert_int_equal(program->wrong_stamps, 0);
}

static void
a_slow_reopening_keeps_calling(const char *faults, bool live)
{
    rig_config(&rig);
    set("sim", "live_period", live ? "yes" : "no");
    open_rig(faults);
    struct rig_program *first = join(1024);
    rig_steps(&rig, 20);
    uint64_t from_ns = seen[0].last_ns, from = seen[0].last_position;
    uint64_t cycles = status()->cycles;
    struct rig_program *second = join(64);
    uint64_t passed_ns = sim_now_ns() - from_ns;
    assert_true(passed_ns >= UINT64_C(5000) * MS);
    assert_true(status()->cycles - cycles > 200); /* of 1024 frames, in 5 s */
    expect_called_on(first, from_ns, from);
    rig_steps(&rig, 400);
    expect_called_on(first, from_ns, from);
    expect_called_on(second, seen[1].last_ns, seen[1].last_position);
    assert_true(second->blocks > 100);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 0);
    rig_close(&rig);
}

static void
programs_are_called_while_the_device_opens_slowly(void **state)
{
    (void)state;
    a_slow_reopening_keeps_calling("at 1 slow-open 5000", false);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 1);
    assert_true(rig.last_event[PROTO_EVENT_GAP].value >= 5 * 48000);
}

static void
programs_are_called_while_another_device_opens_slowly(void **state)
{
    char error[PROTO_TEXT_BYTES];
    (void)state;
    rig_config(&rig);
    open_rig("");
    struct rig_program *program = join(256);
    rig_steps(&rig, 20);
    uint64_t from_ns = seen[0].last_ns, from = seen[0].last_position;
    set("sim", "faults", "at 1 slow-open 3000");
    assert_int_equal(engine_configure(rig.engine, &rig.config, NULL, 0, error), TUTTI_OK);
    assert_true(sim_now_ns() - from_ns >= UINT64_C(3000) * MS);
    rig_steps(&rig, 100);
    expect_called_on(program, from_ns, from);
    rig_close(&rig);
}

/* An opening that fails, and the former one that takes its time to be there again. */
static void
programs_are_called_while_a_refused_device_gives_way_to_the_former(void **state)
{
    char error[PROTO_TEXT_BYTES];
    (void)state;
    rig_config(&rig);
    open_rig("at 1 slow-open 1000");
    struct rig_program *program = join(256);
    rig_steps(&rig, 20);
    uint64_t from_ns = seen[0].last_ns, from = seen[0].last_position;
    struct config other = rig.config;
    snprintf(other.device_name, sizeof(other.device_name), "no such card");
    assert_int_equal(engine_configure(rig.engine, &other, NULL, 0, error), TUTTI_NO_DEVICE);
    assert_true(sim_now_ns() - from_ns >= UINT64_C(1000) * MS);
    rig_steps(&rig, 100);
    expect_called_on(program, from_ns, from);
    rig_close(&rig);
}

/* ---- refusals ---- */

static void
pass_with_the_card(void *user)
{
    rig_steps(user, 1);
}

static void
a_refused_period_is_asked_for_once_while_the_device_plays(void **state)
{
    char error[PROTO_TEXT_BYTES];
    (void)state;
    rig_config(&rig);
    set("sim", "live_period", "yes");
    open_rig("at 0 refuse-period 500");
    struct rig_program *first = join(1024);
    rig_steps(&rig, 20);
    uint64_t from_ns = seen[0].last_ns, from = seen[0].last_position;
    sim_set_passing(pass_with_the_card, &rig);
    struct rig_program *second = join(64);
    assert_int_equal(second->answer.device.period_frames, 1024);
    assert_int_equal(sim_period_refusals(), 1);
    join(64);
    join(32);
    assert_int_equal(sim_period_refusals(), 1);
    rig_steps(&rig, 100);
    expect_called_on(first, from_ns, from);
    assert_true(second->blocks > 100);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 0);
    assert_int_equal(rig.events[PROTO_EVENT_GAP], 0);
    assert_int_equal(sim_starts(sim_current()), 1); /* neither opened again nor stopped */
    assert_int_equal(first->jumps, 0);
    /* Another device may give it. */
    snprintf(rig.config.device_name, sizeof(rig.config.device_name), "Second virtual sound card");
    assert_int_equal(engine_configure(rig.engine, &rig.config, NULL, 0, error), TUTTI_OK);
    join(32);
    assert_int_equal(sim_period_refusals(), 2);
    rig_close(&rig);
}

/* One that does not open at another period was there at the former one. */
static void
a_period_at_which_the_device_does_not_open_costs_no_device(void **state)
{
    (void)state;
    rig_config(&rig);
    open_rig("at 10 refuse-open 1");
    struct rig_program *first = join(1024);
    rig_steps(&rig, 20);
    uint64_t from_ns = seen[0].last_ns, from = seen[0].last_position;
    struct rig_program *second = join(64);
    assert_int_equal(second->answer.device.period_frames, 1024);
    assert_int_equal(status()->device.state, PROTO_STREAM_RUNNING);
    rig_steps(&rig, 100);
    expect_called_on(first, from_ns, from);
    assert_true(second->blocks > 100);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 0);
    rig_close(&rig);
}

static void
a_period_above_the_limit_is_refused_with_a_sentence(void **state)
{
    struct proto_channel channel = {0};
    (void)state;
    rig_config(&rig);
    /* beyond what the configuration allows: a server's own choice */
    rig.config.sim_period_min = rig.config.sim_period_max = rig.config.sim_period = 8192;
    open_rig("");
    assert_int_equal(rig_try_join(&rig, &rig.program[0], 256, 1, &channel, 1, &channel, 0),
                     TUTTI_UNSUPPORTED);
    assert_non_null(strstr(rig.error, "8192"));
    assert_null(sim_current());
    rig_close(&rig);
}

/* ---- what the system changes ---- */

static void
another_default_device_beside_another_period_is_followed(void **state)
{
    (void)state;
    rig_config(&rig);
    set("sim", "live_period", "yes");
    open_rig("");
    join(256);
    rig_steps(&rig, 20);
    sim_tell(BACKEND_EVENT_PERIOD_CHANGED);
    sim_tell(BACKEND_EVENT_DEFAULT_CHANGED);
    engine_tend(rig.engine);
    assert_int_equal(sim_starts(sim_current()), 1); /* opened, and not started once more */
    assert_int_equal(status()->reopenings, 1);
    rig_close(&rig);
}

static unsigned passed_ms;

static void
pass_and_lose(void *user)
{
    if (passed_ms++ == 100) {
        sim_tell(BACKEND_EVENT_LOST); /* no cycle follows */
    }
    rig_pass(user);
}

static void
list_for_a_program(void)
{
    static struct proto_devices_reply devices;
    engine_get_devices(rig.engine, &devices);
    assert_int_equal(devices.count, 1);
}

static void
list_for_a_configuration(void)
{
    char error[PROTO_TEXT_BYTES];
    struct engine_profile profile = {.name = "Other", .config = rig.config};
    profile.config.sim_cable = 1; /* another setup than those that were listed */
    assert_int_equal(engine_configure(rig.engine, &rig.config, &profile, 1, error), TUTTI_OK);
}

static void
a_device_goes_while_somebody_lists(void (*list)(void))
{
    rig_config(&rig);
    open_rig("at 0 slow-list 3000");
    struct rig_program *program = join(256);
    rig_steps(&rig, 20);
    uint64_t from_ns = seen[0].last_ns, from = seen[0].last_position;
    passed_ms = 0;
    sim_set_passing(pass_and_lose, &rig);
    list();
    assert_true(sim_now_ns() - from_ns >= UINT64_C(3000) * MS);
    sim_set_passing(pass, &rig);
    rig_pass(&rig);
    assert_int_equal(rig.events[PROTO_EVENT_DEVICE_LOST], 1);
    rig_pass(&rig);
    /* the card stood still for 100 ms before it told that it was lost */
    seen[0].longest_ns -= UINT64_C(100) * MS < seen[0].longest_ns ? UINT64_C(100) * MS : 0;
    expect_called_on(program, from_ns, from);
    rig_close(&rig);
}

static void
a_device_that_goes_while_somebody_lists_is_replaced_at_once(void **state)
{
    (void)state;
    a_device_goes_while_somebody_lists(list_for_a_program);
    a_device_goes_while_somebody_lists(list_for_a_configuration);
}

/* ---- the engine timeout ---- */

static void
a_longer_timeout_is_reported_before_the_longer_period_begins(void **state)
{
    char error[PROTO_TEXT_BYTES];
    (void)state;
    rig_config(&rig);
    open_rig("");
    struct rig_program *program = join(64);
    uint32_t former_ms = program->answer.patience_ms;
    rig_steps(&rig, 20);
    set("device", "period", "4096");
    assert_int_equal(engine_configure(rig.engine, &rig.config, NULL, 0, error), TUTTI_OK);
    /* nothing was tended since */
    assert_int_equal(rig.events[PROTO_EVENT_TIMEOUT], 1);
    uint64_t longer_ms = rig.last_event[PROTO_EVENT_TIMEOUT].value;
    assert_true(longer_ms > former_ms + 4 * 4000 * UINT64_C(1000) / 48000);
    set("device", "period", "64");
    assert_int_equal(engine_configure(rig.engine, &rig.config, NULL, 0, error), TUTTI_OK);
    engine_tend(rig.engine);
    assert_int_equal(rig.events[PROTO_EVENT_TIMEOUT], 2);
    assert_int_equal(rig.last_event[PROTO_EVENT_TIMEOUT].value, former_ms);
    rig_close(&rig);
}

/* ---- commands ---- */

/* More wishes than the ring of commands holds, between two cycles. */
static void
a_full_ring_of_commands_does_not_stop_the_device(void **state)
{
    (void)state;
    rig_config(&rig);
    open_rig("");
    struct rig_program *program = join(64);
    rig_steps(&rig, 20);
    struct proto_monitor *message = calloc(1, sizeof(*message));
    assert_non_null(message);
    message->count = 1;
    message->path[0] = (struct proto_path){0, 0, 1.0f};
    for (unsigned i = 0; i < 3 * 1024; i++) {
        assert_int_equal(engine_set_monitor(rig.engine, program->id, message), TUTTI_OK);
    }
    free(message);
    assert_int_equal(sim_starts(sim_current()), 1);
    rig_steps(&rig, 20);
    assert_int_equal(program->jumps, 0);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_called_while_the_device_opens_slowly),
        cmocka_unit_test(programs_are_called_while_another_device_opens_slowly),
        cmocka_unit_test(programs_are_called_while_a_refused_device_gives_way_to_the_former),
        cmocka_unit_test(a_refused_period_is_asked_for_once_while_the_device_plays),
        cmocka_unit_test(a_period_at_which_the_device_does_not_open_costs_no_device),
        cmocka_unit_test(a_period_above_the_limit_is_refused_with_a_sentence),
        cmocka_unit_test(another_default_device_beside_another_period_is_followed),
        cmocka_unit_test(a_device_that_goes_while_somebody_lists_is_replaced_at_once),
        cmocka_unit_test(a_longer_timeout_is_reported_before_the_longer_period_begins),
        cmocka_unit_test(a_full_ring_of_commands_does_not_stop_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
