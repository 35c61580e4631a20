/* SPDX-License-Identifier: MIT */
/*
 * The cycle allocates nothing, takes no lock and writes no log: every such function that the engine
 * could reach is interposed at link time and counted while a cycle runs. An allocation and a lock
 * injected on purpose show that the count sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mixer/cycle.h"
#include "interposed.h"
#include "rig.h"

static struct rig rig;
static uint64_t cycles;

void __real_cycle_run(struct cycle *cycle, const struct backend_cycle *period);
void __wrap_cycle_run(struct cycle *cycle, const struct backend_cycle *period);
void
__wrap_cycle_run(struct cycle *cycle, const struct backend_cycle *period)
{
    in_real_time = true;
    __real_cycle_run(cycle, period);
    in_real_time = false;
    cycles++;
}

static void
begin(void)
{
    char problem[CONFIG_TEXT_BYTES];
    rig_config(&rig);
    config_set(&rig.config, "sim", "faults", "at 60 lose 256", problem);
    rig_open(&rig);
    rig.check_output = false;
    violations = 0;
    cycles = 0;
}

static void
a_cycle_allocates_nothing_and_takes_no_lock(void **state)
{
    (void)state;
    begin();
    static const uint32_t buffers[] = {64, 256, 100, 32, 1024, 17};
    for (unsigned i = 0; i < 6; i++) {
        rig_join(&rig, buffers[i], 2, 2, i, i == 2 ? PROTO_PREPARE_LATE_TAKE : 0);
        rig_steps(&rig, 5); /* joins, shrinking periods */
    }
    struct rig_program *listener = &rig.program[rig.programs];
    struct proto_channel input[2] = {{PROTO_CHANNEL_MIX, 0, 0},
                                     {PROTO_CHANNEL_PROGRAM, 0, rig.program[0].id}};
    struct proto_channel output = {PROTO_CHANNEL_NONE, 0, 0};
    assert_int_equal(rig_try_join(&rig, listener, 64, 2, input, 1, &output, 0), TUTTI_OK);
    rig.programs++;
    rig_start(listener);
    rig_steps(&rig, 50);
    rig.program[1].cost_ns = RIG_NEVER; /* late, and answering again */
    rig.program[0].never_starts = true;
    rig_steps(&rig, 40);
    rig.program[0].never_starts = false;
    rig_stop(&rig.program[2]);
    rig_steps(&rig, 20);
    struct proto_status_reply *reply = test_calloc(1, sizeof(*reply));
    engine_get_status(rig.engine, 0, reply); /* meters are measured from now on */
    test_free(reply);
    rig_steps(&rig, 20);
    static struct proto_monitor monitor = {.count = 2, .path = {{0, 0, 1.0f}, {1, 1, 0.5f}}};
    for (unsigned c = 0; c < PROTO_MAX_CHANNELS; c++) {
        monitor.input_gain[c] = monitor.output_gain[c] = 0.5f;
    }
    for (unsigned i = 0; i < 3; i++) { /* on, away, and gone */
        assert_int_equal(engine_set_monitor(rig.engine, rig.program[0].id, &monitor), TUTTI_OK);
        atomic_store(&rig.program[0].segment->meters_until_ns, UINT64_MAX);
        monitor.count = monitor.count ? monitor.count - 1 : 0;
        rig_steps(&rig, 20);
    }
    rig_kill(&rig.program[3]);
    rig_steps(&rig, 20);
    assert_true(cycles > 100);
    assert_int_equal(violations, 0);
    rig_close(&rig);
}

static void
allocate(struct rig *at)
{
    (void)at;
    void *volatile memory = malloc(16); /* volatile: or the compiler leaves both out */
    free(memory);
}

static void
an_allocation_within_the_cycle_is_seen(void **state)
{
    (void)state;
    begin();
    rig_join(&rig, 64, 1, 1, 0, 0);
    rig.in_cycle = allocate;
    rig_steps(&rig, 5);
    assert_true(violations > 0);
    rig_close(&rig);
}

static struct os_mutex mutex;

static void
take_lock(struct rig *at)
{
    (void)at;
    os_mutex_lock(&mutex);
    os_mutex_unlock(&mutex);
}

static void
a_lock_within_the_cycle_is_seen(void **state)
{
    (void)state;
    begin();
    os_mutex_init(&mutex);
    rig_join(&rig, 64, 1, 1, 0, 0);
    rig.in_cycle = take_lock;
    rig_steps(&rig, 5);
    assert_true(violations > 0);
    os_mutex_fini(&mutex);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cycle_allocates_nothing_and_takes_no_lock),
        cmocka_unit_test(an_allocation_within_the_cycle_is_seen),
        cmocka_unit_test(a_lock_within_the_cycle_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
