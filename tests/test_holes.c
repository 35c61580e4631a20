/* SPDX-License-Identifier: MIT */
/*
 * Holes punched into shared memory (Linux): whoever touches such a page next may wait for whoever
 * punches, 20 ms and more. On the stepped card: who does it is removed, and where that is not known
 * the engine does without the page. The others lose nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "rig.h"

enum { PERIOD = 64, COST_NS = 100000 };

static struct rig rig;

static void
open_rig(void)
{
    rig_config(&rig);
    rig.config.device_period = PERIOD;
    rig_open(&rig);
    rig_join(&rig, PERIOD, 2, 2, 0, 0)->cost_ns = COST_NS;
    rig_join(&rig, PERIOD / 4, 2, 2, 1, 0)->cost_ns = COST_NS / 10;
    rig_join(&rig, 4 * PERIOD, 2, 2, 2, 0)->cost_ns = COST_NS;
    rig_run_frames(&rig, 3000);
}

static void
punch(os_handle memory, off_t at, off_t bytes)
{
    assert_int_equal(fallocate((int)memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, bytes),
                     0);
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
}

static void
memory_is_whole_until_somebody_takes_a_page_out(void **state)
{
    (void)state;
    struct os_shm shm;
    assert_int_equal(os_shm_create(&shm, 1 << 20), TUTTI_OK);
    assert_true(os_shm_is_whole(&shm));
    punch(shm.handle, 8192, 4096);
    assert_false(os_shm_is_whole(&shm));
    assert_false(os_shm_is_whole(&shm)); /* looking does not fill it */
    ((volatile char *)shm.base)[8192] = 1;
    assert_true(os_shm_is_whole(&shm));
    os_shm_close(&shm);
}

static void
who_takes_pages_out_of_its_segment_is_removed(void **state)
{
    (void)state;
    open_rig();
    struct rig_program *bad = rig_join(&rig, 1024, 2, 2, 3, 0);
    rig_run_frames(&rig, 3000);
    assert_int_equal(rig.removed, 0);
    punch(bad->shm.handle, 4096, (off_t)bad->layout.size_bytes - 4096);
    engine_tend(rig.engine);
    assert_int_equal(rig.removed, bad->id);
    assert_non_null(strstr(rig.last_event[PROTO_EVENT_OVERLOAD].text, "memory"));
    rig_kill(bad);
    rig_run_frames(&rig, 3000);
    for (unsigned p = 0; p < 3; p++) {
        assert_nothing_lost(&rig.program[p]);
    }
    rig_close(&rig);
}

static void
without_the_page_that_all_share_the_engine_looks_by_itself(void **state)
{
    (void)state;
    static struct proto_status_reply reply;
    os_handle event;
    open_rig();
    struct os_shm page = {.base = rig.rendezvous, .size_bytes = sizeof(struct proto_rendezvous)};
    engine_get_rendezvous(rig.engine, rig.program[0].id, &page.handle, &event);
    punch(page.handle, 0, 4096);
    engine_tend(rig.engine);
    rig_run_frames(&rig, 1000);
    punch(page.handle, 0, 4096); /* the first one was filled again by who was on its way */
    rig_run_frames(&rig, 144000);
    /* nobody touches it any more, neither the engine nor the programs */
    assert_false(os_shm_is_whole(&page));
    for (unsigned p = 0; p < 3; p++) {
        assert_nothing_lost(&rig.program[p]);
    }
    engine_get_status(rig.engine, 0, &reply);
    assert_true(reply.cycle_p99_us <= 400); /* of 1333 */
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_whole_until_somebody_takes_a_page_out),
        cmocka_unit_test(who_takes_pages_out_of_its_segment_is_removed),
        cmocka_unit_test(without_the_page_that_all_share_the_engine_looks_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
