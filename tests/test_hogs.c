/* SPDX-License-Identifier: MIT */
/*
 * Who loses its real-time priority: the callback thread that computes, not the one that sleeps
 * while another thread of its process computes. On the stepped card, with the system's words about
 * threads replaced at link time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

enum { PID = 4711, THREAD = 4712, TIME = 99 };

static struct rig rig;

/* ---- the system ---- */

static struct {
    bool knows_thread, computes;
    unsigned demoted, restored, demoted_process, opened, closed;
    struct os_thread_level level;
} fake;

bool __wrap_os_process_has_thread(uint32_t pid, uint32_t tid);
bool
__wrap_os_process_has_thread(uint32_t pid, uint32_t tid)
{
    return fake.knows_thread && pid == PID && tid >= THREAD;
}

os_handle __wrap_os_thread_time_open(uint32_t pid, uint32_t tid);
os_handle
__wrap_os_thread_time_open(uint32_t pid, uint32_t tid)
{
    assert_int_equal(pid, PID);
    assert_true(tid >= THREAD);
    fake.opened++;
    return TIME;
}

void __real_os_handle_close(os_handle handle);
void __wrap_os_handle_close(os_handle handle);
void
__wrap_os_handle_close(os_handle handle)
{
    if (handle == TIME) {
        fake.closed++;
    } else {
        __real_os_handle_close(handle);
    }
}

uint64_t __wrap_os_thread_time_ns(os_handle time);
uint64_t
__wrap_os_thread_time_ns(os_handle time)
{
    assert_int_equal(time, TIME);
    return fake.computes ? sim_now_ns() * 6 / 10 : 7;
}

uint64_t __wrap_os_process_realtime_cpu_ns(uint32_t pid);
uint64_t
__wrap_os_process_realtime_cpu_ns(uint32_t pid)
{
    assert_int_equal(pid, PID);
    return fake.computes ? sim_now_ns() : 7;
}

bool __wrap_os_thread_demote(uint32_t pid, uint32_t tid, struct os_thread_level *former);
bool
__wrap_os_thread_demote(uint32_t pid, uint32_t tid, struct os_thread_level *former)
{
    assert_int_equal(pid, PID);
    assert_true(tid >= THREAD);
    fake.demoted++;
    *former = (struct os_thread_level){1, 60};
    return true;
}

bool __wrap_os_thread_restore(uint32_t pid, uint32_t tid, const struct os_thread_level *former);
bool
__wrap_os_thread_restore(uint32_t pid, uint32_t tid, const struct os_thread_level *former)
{
    assert_int_equal(pid, PID);
    assert_true(tid >= THREAD);
    fake.restored++;
    fake.level = *former;
    return true;
}

void __wrap_os_process_demote(uint32_t pid);
void
__wrap_os_process_demote(uint32_t pid)
{
    assert_int_equal(pid, PID);
    fake.demoted_process++;
}

/* ---- cases ---- */

static struct rig_program *
open_with_program(bool knows_thread)
{
    memset(&fake, 0, sizeof(fake));
    fake.knows_thread = knows_thread;
    rig_config(&rig);
    rig_open(&rig);
    rig.check_output = false;
    rig.pid = PID;
    struct rig_program *program = rig_join(&rig, 64, 1, 1, 0, 0);
    atomic_store(&program->segment->thread_id, THREAD);
    rig_steps(&rig, 20);
    return program;
}

static void
run_ms(unsigned ms)
{
    rig_run_frames(&rig, ms * (uint64_t)rig.rate_hz / 1000);
}

/* One callback of 100 ms. */
static void
be_late_once(struct rig_program *program)
{
    program->cost_ns = 100 * INT64_C(1000000);
    run_ms(20);
    program->cost_ns = 0;
    run_ms(150);
    assert_true(atomic_load(&program->segment->late_program) > 0);
}

static void
a_callback_that_sleeps_keeps_its_priority(void **state)
{
    (void)state;
    for (int knows = 0; knows < 2; knows++) {
        struct rig_program *program = open_with_program(knows);
        be_late_once(program);
        program->cost_ns = RIG_NEVER;
        run_ms(2000);
        assert_int_equal(fake.demoted + fake.demoted_process, 0);
        rig_close(&rig);
    }
}

static void
a_callback_that_computes_loses_it_until_it_was_in_time_for_5_s(void **state)
{
    (void)state;
    struct rig_program *program = open_with_program(true);
    fake.computes = true;
    be_late_once(program);
    assert_int_equal(fake.demoted, 1);
    run_ms(4500);
    assert_int_equal(fake.restored, 0);
    be_late_once(program); /* the 5 s begin again */
    run_ms(4500);
    assert_int_equal(fake.restored, 0);
    assert_int_equal(fake.demoted, 1); /* it has nothing more to lose */
    run_ms(1000);
    assert_int_equal(fake.restored, 1);
    assert_int_equal(fake.level.policy, 1);
    assert_int_equal(fake.level.level, 60);
    run_ms(10000);
    assert_int_equal(fake.restored, 1);
    be_late_once(program);
    assert_int_equal(fake.demoted, 2);
    assert_int_equal(fake.demoted_process, 0);
    rig_close(&rig);
    assert_int_equal(fake.opened, fake.closed);
}

static void
a_stopped_or_hanging_program_is_not_in_time(void **state)
{
    (void)state;
    struct rig_program *program = open_with_program(true);
    fake.computes = true;
    be_late_once(program);
    rig_stop(program);
    run_ms(10000);
    assert_int_equal(fake.restored, 0);
    rig_start(program);
    program->cost_ns = RIG_NEVER;
    run_ms(10000);
    assert_int_equal(fake.restored, 0);
    rig_close(&rig);
}

static void
another_callback_thread_begins_with_its_own_priority(void **state)
{
    (void)state;
    struct rig_program *program = open_with_program(true);
    fake.computes = true;
    be_late_once(program);
    for (uint32_t i = 1; i <= 50; i++) {
        atomic_store(&program->segment->thread_id, THREAD + i);
        rig_steps(&rig, 1);
    }
    assert_true(fake.opened >= 10);
    assert_true(fake.closed + 2 >= fake.opened);
    be_late_once(program);
    assert_int_equal(fake.demoted, 2);
    run_ms(6000);
    assert_int_equal(fake.restored, 1);
    rig_close(&rig);
    assert_int_equal(fake.opened, fake.closed);
}

static void
a_process_whose_thread_is_unknown_is_judged_by_its_real_time_threads(void **state)
{
    (void)state;
    struct rig_program *program = open_with_program(false);
    fake.computes = true;
    program->cost_ns = RIG_NEVER;
    run_ms(500);
    assert_int_equal(fake.demoted, 0);
    assert_int_equal(fake.demoted_process, 1);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callback_that_sleeps_keeps_its_priority),
        cmocka_unit_test(a_callback_that_computes_loses_it_until_it_was_in_time_for_5_s),
        cmocka_unit_test(a_stopped_or_hanging_program_is_not_in_time),
        cmocka_unit_test(another_callback_thread_begins_with_its_own_priority),
        cmocka_unit_test(a_process_whose_thread_is_unknown_is_judged_by_its_real_time_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
