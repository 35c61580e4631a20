/* SPDX-License-Identifier: MIT */
/*
 * Real processes on the real engine, POSIX: a program that spins for ever at real-time priority,
 * one that is stopped, one that sleeps past every deadline, and programs killed at random instants.
 * The card's clock is elastic (it waits 100 ms for a late program before it leaves it out), so that
 * a stall of the machine is not mistaken for a loss: the good program may lose nothing at all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"
#include "tutti/tutti.h"

enum { FRAMES = 128, WAIT_MS = 30000, AFTER_BLOCKS = 300, KILLS = 40 };

static const char *tuttid;

/* ---- the good program ---- */

static _Atomic unsigned blocks, silent, jumps;

static void
count(void *user, const struct tutti_block *block)
{
    (void)user;
    atomic_fetch_add(&silent, block->silent);
    atomic_fetch_add(&jumps, block->jumped);
    atomic_fetch_add(&blocks, 1);
}

static struct tutti_client *
open_program(const char *name, void (*process)(void *user, const struct tutti_block *block))
{
    struct tutti_open_params params = {.program = name, .engine_path = tuttid};
    struct tutti_stream_params stream = {
        .buffer_frames = FRAMES, .inputs = 2, .outputs = 2, .process = process};
    struct tutti_client *client;
    if (tutti_open(&client, &params) || tutti_prepare(client, &stream) || tutti_start(client)) {
        return NULL;
    }
    return client;
}

static void
await_blocks(unsigned more)
{
    unsigned until = atomic_load(&blocks) + more;
    uint64_t deadline = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (atomic_load(&blocks) < until && os_now_ns() < deadline) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
    assert_true(atomic_load(&blocks) >= until);
}

/* ---- bad ones, each a process ---- */

static _Atomic unsigned bad_calls;

static void
spin(void *user, const struct tutti_block *block)
{
    (void)user;
    (void)block;
    volatile unsigned turns = 0;
    while (atomic_fetch_add(&bad_calls, 1) >= 20) {
        for (;;) {
            turns++;
        }
    }
}

static void
oversleep(void *user, const struct tutti_block *block)
{
    (void)user;
    (void)block;
    if (atomic_fetch_add(&bad_calls, 1) >= 20) {
        os_sleep_until_ns(os_now_ns() + 300 * (uint64_t)OS_NS_PER_MS);
    }
}

static void
behave(void *user, const struct tutti_block *block)
{
    (void)user;
    (void)block;
    atomic_fetch_add(&bad_calls, 1);
}

/* A process with such a program; returns when it has been called 20 times and more. */
static pid_t
start_bad(void (*process)(void *user, const struct tutti_block *block))
{
    int tell[2];
    char byte;
    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!open_program("bad", process)) {
            _exit(1);
        }
        while (atomic_load(&bad_calls) < 20) {
            os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
        }
        byte = 'x';
        if (write(tell[1], &byte, 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(tell[0], &byte, 1), 1);
    close(tell[0]);
    close(tell[1]);
    return child;
}

static void
the_good_one_loses_nothing_beside(void (*process)(void *user, const struct tutti_block *block),
                                  int signal_number)
{
    pid_t bad = start_bad(process);
    struct tutti_client *good = open_program("good", count);
    assert_non_null(good);
    await_blocks(20);
    unsigned silent_before = atomic_load(&silent), jumps_before = atomic_load(&jumps);
    if (signal_number) {
        kill(bad, signal_number);
    }
    await_blocks(AFTER_BLOCKS);
    assert_int_equal(atomic_load(&silent), silent_before);
    assert_int_equal(atomic_load(&jumps), jumps_before);
    kill(bad, SIGKILL);
    waitpid(bad, NULL, 0);
    await_blocks(AFTER_BLOCKS);
    assert_int_equal(atomic_load(&silent), silent_before);
    assert_int_equal(atomic_load(&jumps), jumps_before);
    tutti_close(good);
}

static void
one_that_spins_for_ever_at_real_time_priority(void **state)
{
    (void)state;
    the_good_one_loses_nothing_beside(spin, 0);
}

static void
one_that_is_stopped(void **state)
{
    (void)state;
    the_good_one_loses_nothing_beside(behave, SIGSTOP);
}

static void
one_that_sleeps_past_every_deadline(void **state)
{
    (void)state;
    the_good_one_loses_nothing_beside(oversleep, 0);
}

static void
programs_killed_at_random_instants(void **state)
{
    (void)state;
    struct tutti_client *good = open_program("good", count);
    assert_non_null(good);
    await_blocks(20);
    unsigned silent_before = atomic_load(&silent), jumps_before = atomic_load(&jumps);
    srand(11);
    for (unsigned round = 0; round < KILLS; round++) {
        pid_t bad = start_bad(behave);
        os_sleep_until_ns(os_now_ns() + (uint64_t)(rand() % 4000) * 1000);
        kill(bad, SIGKILL);
        waitpid(bad, NULL, 0);
    }
    await_blocks(20);
    assert_int_equal(atomic_load(&silent), silent_before);
    assert_int_equal(atomic_load(&jumps), jumps_before);
    tutti_close(good);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_spins_for_ever_at_real_time_priority),
        cmocka_unit_test(one_that_is_stopped),
        cmocka_unit_test(one_that_sleeps_past_every_deadline),
        cmocka_unit_test(programs_killed_at_random_instants),
    };
    static char folder[64];
    if (argc != 2) {
        fprintf(stderr, "usage: test_bad_neighbours TUTTID\n");
        return 2;
    }
    tuttid = argv[1];
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-neighbours-%ld", (long)getpid());
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent/tutti.ini", 1);
    setenv("TUTTI_DEVICE_BACKEND", "sim", 1);
    setenv("TUTTI_DEVICE_PERIOD", "128", 1);
    setenv("TUTTI_SIM_ELASTIC_MS", "100", 1);
    setenv("TUTTI_ENGINE_GRACE_MS", "100", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
