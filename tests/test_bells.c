/* SPDX-License-Identifier: MIT */
/*
 * Doorbells by pipe: they are rung and heard, and a program that keeps whoever touches its pipe
 * waiting keeps neither the cycle nor its neighbours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "held_pipe.h"
#include "rig.h"

enum { WAIT_MS = 20000 };

static struct os_bells *bells;
static struct os_wake heard;
static _Atomic uint32_t heard_word;

static int
make_bells(void **state)
{
    (void)state;
    atomic_store(&heard_word, 0);
    os_wake_init(&heard, &heard_word);
    return os_bells_new(&bells, &heard);
}

static int
free_bells(void **state)
{
    (void)state;
    os_bells_free(bells);
    return 0;
}

/* A program's pipe: what it reads from, *bell its number. */
static int
add_bell(uint32_t *bell, int *writes)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    os_handle doorbell = writes ? (*writes = fcntl(ends[1], F_DUPFD_CLOEXEC, 0)) : 0;
    doorbell = ends[1];
    assert_int_equal(os_bells_add(bells, &doorbell, bell), TUTTI_OK);
    assert_int_equal(doorbell, OS_NO_HANDLE);
    assert_int_not_equal(*bell, OS_NO_BELL);
    return ends[0];
}

static void
cycle(uint32_t first, uint32_t second)
{
    os_bells_watch(bells);
    if (first != OS_NO_BELL) {
        os_bells_ring(bells, first);
    }
    if (second != OS_NO_BELL) {
        os_bells_ring(bells, second);
    }
    os_bells_go(bells, os_thread_cpu());
}

static void
await_byte(int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char byte;
    assert_int_equal(poll(&readable, 1, WAIT_MS), 1);
    assert_int_equal(read(fd, &byte, 1), 1);
}

static void
await_heard(uint32_t seen)
{
    uint64_t deadline = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (!os_wake_wait(&heard, seen, deadline)) {
        assert_true(os_now_ns() < deadline);
    }
}

static void
a_bell_is_rung_and_its_answer_heard(void **state)
{
    (void)state;
    uint32_t bell;
    int reads = add_bell(&bell, NULL);
    for (unsigned i = 0; i < 200; i++) {
        cycle(bell, OS_NO_BELL);
        await_byte(reads);
        uint32_t seen = atomic_load(&heard_word);
        assert_int_equal(write((int)os_bells_answer(bells, bell), "", 1), 1);
        await_heard(seen);
    }
    os_bells_remove(bells, bell);
    close(reads);
}

static void
a_program_that_went_or_does_not_read_is_rung_all_the_same(void **state)
{
    (void)state;
    uint32_t gone, other;
    close(add_bell(&gone, NULL));
    int reads = add_bell(&other, NULL);
    fcntl(reads, F_SETPIPE_SZ, 4096);
    for (unsigned i = 0; i < 5000; i++) {
        cycle(gone, other);
    }
    await_byte(reads);
    assert_int_equal(os_bells_tend(bells), OS_NO_BELL);
    os_bells_remove(bells, gone);
    os_bells_remove(bells, other);
    close(reads);
}

static void
what_is_no_pipe_to_be_written_is_no_bell(void **state)
{
    (void)state;
    int ends[2];
    uint32_t bell;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    os_handle wrong[] = {ends[0], open("/dev/null", O_RDWR | O_CLOEXEC),
                         memfd_create("none", MFD_CLOEXEC)};
    for (unsigned i = 0; i < 3; i++) {
        int fd = (int)wrong[i];
        assert_int_equal(os_bells_add(bells, &wrong[i], &bell), TUTTI_PROTOCOL);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
    }
    close(ends[1]);
    os_handle none = OS_NO_HANDLE;
    assert_int_equal(os_bells_add(bells, &none, &bell), TUTTI_OK);
    assert_int_equal(bell, OS_NO_BELL);
}

/* Else a flood would keep the engine's processor. */
static void
answers_that_nobody_asked_for_are_not_listened_to(void **state)
{
    (void)state;
    uint32_t loud, other;
    int reads = add_bell(&loud, NULL), others = add_bell(&other, NULL);
    fcntl((int)os_bells_answer(bells, loud), F_SETPIPE_SZ, 1 << 20);
    for (unsigned i = 0; i < 20000; i++) {
        (void)!write((int)os_bells_answer(bells, loud), "", 1);
    }
    uint32_t most = atomic_load(&heard_word);
    assert_true(most <= 3); /* what it had to begin with; one when a thread takes the lead */
    cycle(loud, other);
    await_byte(reads);
    await_byte(others);
    /* what waited in the pipe is heard now, and it is heard again when it was rung */
    await_heard(most);
    for (unsigned i = 0; i < 100; i++) {
        cycle(loud, OS_NO_BELL);
        await_byte(reads);
        uint32_t seen = atomic_load(&heard_word);
        assert_int_equal(write((int)os_bells_answer(bells, loud), "", 1), 1);
        await_heard(seen);
    }
    os_bells_remove(bells, loud);
    os_bells_remove(bells, other);
    close(reads);
    close(others);
}

static void
who_holds_a_pipe_is_left_alone_and_named(bool answers)
{
    struct held_pipe held;
    uint32_t bad, good;
    int writes, reads = add_bell(&bad, &writes), others = add_bell(&good, NULL);
    int answer = (int)os_bells_answer(bells, bad), own = -1;
    if (answers) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", answer);
        own = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(own >= 0);
    }
    if (!held_pipe_take(&held, answers ? own : reads, answers ? answer : writes)) {
        skip();
    }
    cycle(bad, OS_NO_BELL);
    uint64_t deadline = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    uint32_t named = OS_NO_BELL;
    /* a cycle that touched the pipe would stand still here */
    for (unsigned i = 0; i < 20 || named == OS_NO_BELL; i++) {
        cycle(i % 2 ? bad : OS_NO_BELL, good);
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
        named = os_bells_tend(bells);
        assert_true(os_now_ns() < deadline);
    }
    assert_int_equal(named, bad);
    struct pollfd rung = {.fd = others, .events = POLLIN};
    assert_int_equal(poll(&rung, 1, 0), 1);
    os_bells_remove(bells, bad);
    bad = OS_NO_BELL;
    /* also afterwards, in both directions */
    char bytes[4096];
    assert_true(read(others, bytes, sizeof(bytes)) > 0);
    cycle(OS_NO_BELL, good);
    await_byte(others);
    uint32_t seen = atomic_load(&heard_word);
    assert_int_equal(write((int)os_bells_answer(bells, good), "", 1), 1);
    await_heard(seen);
    held_pipe_release(&held);
    os_bells_remove(bells, good);
    close(writes);
    close(reads);
    close(others);
    if (answers) {
        close(own);
    }
}

static void
who_holds_its_doorbell_is_left_alone_and_named(void **state)
{
    (void)state;
    who_holds_a_pipe_is_left_alone_and_named(false);
}

static void
who_holds_its_way_to_the_engine_is_left_alone_and_named(void **state)
{
    (void)state;
    who_holds_a_pipe_is_left_alone_and_named(true);
}

static void
too_many_that_hold_their_pipes_shut_the_door_behind_them(void **state)
{
    (void)state;
    enum { MANY = 7 };
    struct held_pipe held[MANY];
    uint32_t bad[MANY], good;
    int writes[MANY], reads[MANY], others = add_bell(&good, NULL);
    for (unsigned i = 0; i < MANY; i++) {
        reads[i] = add_bell(&bad[i], &writes[i]);
        if (!held_pipe_take(&held[i], reads[i], writes[i])) {
            skip();
        }
        /* until it stands in there and the other one has taken over */
        uint64_t deadline = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
        for (struct pollfd rung = {.fd = others, .events = POLLIN};
             cycle(bad[i], good), poll(&rung, 1, 1) < 1 && i < MANY - 1;) {
            assert_true(os_now_ns() < deadline);
            os_bells_tend(bells);
        }
        char bytes[4096];
        if (i < MANY - 1) {
            assert_true(read(others, bytes, sizeof(bytes)) > 0);
        }
    }
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    enum tutti_status status = TUTTI_OK;
    uint64_t deadline = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (status != TUTTI_FULL) {
        os_handle doorbell = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
        uint32_t bell;
        cycle(bad[MANY - 1], good);
        os_bells_tend(bells);
        status = os_bells_add(bells, &doorbell, &bell);
        os_bells_remove(bells, bell);
        assert_true(os_now_ns() < deadline);
    }
    for (unsigned i = 0; i < MANY; i++) {
        held_pipe_release(&held[i]);
        os_bells_remove(bells, bad[i]);
        close(writes[i]);
        close(reads[i]);
    }
    os_bells_remove(bells, good);
    close(others);
    close(ends[0]);
    close(ends[1]);
}

/* ---- on the stepped card ---- */

static void
neighbours_of_one_that_holds_its_pipe_lose_nothing_and_it_is_removed(void **state)
{
    (void)state;
    static struct rig rig;
    struct held_pipe held;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    rig_config(&rig);
    rig_open(&rig);
    rig_join(&rig, 64, 2, 2, 0, 0);
    rig.doorbell = ends[1];
    struct rig_program *bad = rig_join(&rig, 64, 2, 2, 1, 0);
    rig_join(&rig, 256, 2, 2, 2, 0);
    rig_run_frames(&rig, 3000);
    if (!held_pipe_take(&held, ends[0], ends[1])) {
        skip();
    }
    uint64_t deadline = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (!rig.removed) {
        rig_run_frames(&rig, 64);
        assert_true(os_now_ns() < deadline);
    }
    assert_int_equal(rig.removed, bad->id);
    assert_non_null(strstr(rig.last_event[PROTO_EVENT_OVERLOAD].text, "doorbell"));
    rig_kill(bad);
    rig_run_frames(&rig, 3000);
    for (unsigned p = 0; p < 3; p += 2) {
        const struct proto_segment *s = rig.program[p].segment;
        assert_int_equal(rig.program[p].jumps, 0);
        assert_int_equal(rig.program[p].wrong_inputs, 0);
        assert_int_equal(atomic_load(&s->late_program) + atomic_load(&s->late_device) +
                             atomic_load(&s->late_machine),
                         0);
    }
    held_pipe_release(&held);
    rig_close(&rig);
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bell_is_rung_and_its_answer_heard, make_bells,
                                        free_bells),
        cmocka_unit_test_setup_teardown(a_program_that_went_or_does_not_read_is_rung_all_the_same,
                                        make_bells, free_bells),
        cmocka_unit_test_setup_teardown(what_is_no_pipe_to_be_written_is_no_bell, make_bells,
                                        free_bells),
        cmocka_unit_test_setup_teardown(answers_that_nobody_asked_for_are_not_listened_to,
                                        make_bells, free_bells),
        cmocka_unit_test_setup_teardown(who_holds_its_doorbell_is_left_alone_and_named, make_bells,
                                        free_bells),
        cmocka_unit_test_setup_teardown(who_holds_its_way_to_the_engine_is_left_alone_and_named,
                                        make_bells, free_bells),
        cmocka_unit_test_setup_teardown(too_many_that_hold_their_pipes_shut_the_door_behind_them,
                                        make_bells, free_bells),
        cmocka_unit_test(neighbours_of_one_that_holds_its_pipe_lose_nothing_and_it_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
