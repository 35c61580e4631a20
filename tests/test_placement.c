/* SPDX-License-Identifier: MIT */
/*
 * Where programs' threads run: gathered on the engine's processor, and let go in time when one of
 * them hogs it. The real tuttid with the virtual card on a real clock; three programs in this
 * process. POSIX; needs two processors and the right to real-time scheduling.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"
#include "tutti/tutti.h"

enum {
    PROGRAMS = 3,
    FRAMES = 2048, /* 43 ms: hardly a stall of the machine is so long */
    SLEEP_MS = 100,
    COMPUTERS = 16, /* over half a processor on a busy machine, too */
    HOG_MS = 70,    /* over a period */
    WAIT_MS = 20000,
    SKIPPED = 77,
};

struct program {
    struct tutti_client *client;
    _Atomic uint32_t thread;
    _Atomic uint64_t blocks;
    _Atomic bool hogs, sleeps; /* in its next callback */
};

static struct program programs[PROGRAMS];
static const char *tuttid;

static void
process(void *user, const struct tutti_block *block)
{
    struct program *program = user;
    (void)block;
    atomic_store(&program->thread, os_thread_id());
    if (atomic_exchange(&program->hogs, false)) {
        uint64_t until_ns = os_now_ns() + (uint64_t)HOG_MS * OS_NS_PER_MS;
        while (os_now_ns() < until_ns) {
        }
    }
    if (atomic_exchange(&program->sleeps, false)) {
        os_sleep_until_ns(os_now_ns() + (uint64_t)SLEEP_MS * OS_NS_PER_MS);
    }
    atomic_fetch_add(&program->blocks, 1);
}

static atomic_bool computes;

static void
compute(void *arg)
{
    (void)arg;
    while (atomic_load(&computes)) {
    }
}

static int
policy_of(const struct program *program)
{
    return sched_getscheduler((pid_t)atomic_load(&program->thread)) & ~SCHED_RESET_ON_FORK;
}

static void
await_policy(const struct program *program, int policy)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (policy_of(program) != policy) {
        assert_true(os_now_ns() < deadline_ns);
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

/* On how many processors a program's thread may run; *cpu: the first of them. */
static int
processors(const struct program *program, int *cpu)
{
    cpu_set_t set;
    uint32_t thread = atomic_load(&program->thread);
    assert_int_equal(sched_getaffinity((pid_t)thread, sizeof(set), &set), 0);
    for (*cpu = 0; *cpu < CPU_SETSIZE && !CPU_ISSET(*cpu, &set); ++*cpu) {
    }
    return CPU_COUNT(&set);
}

static bool
are_on(bool one, unsigned from)
{
    int first = 0;
    for (unsigned i = from; i < PROGRAMS; i++) {
        int cpu;
        bool kept = processors(&programs[i], &cpu) == 1;
        if (i == from) {
            first = cpu;
        }
        if (kept != one || cpu != first) {
            return false;
        }
    }
    return true;
}

/* Until the programs from number `from` on are kept on one processor, the same, or may run on any.
 */
static void
await_on(bool one, unsigned from)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (!are_on(one, from)) {
        assert_true(os_now_ns() < deadline_ns);
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

static void
await_blocks(struct program *program, uint64_t more)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    uint64_t enough = atomic_load(&program->blocks) + more;
    while (atomic_load(&program->blocks) < enough) {
        assert_true(os_now_ns() < deadline_ns);
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

static void
start_programs(void)
{
    for (unsigned i = 0; i < PROGRAMS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "program %u", i);
        struct tutti_open_params open = {.program = name, .engine_path = tuttid};
        struct tutti_stream_params stream = {.buffer_frames = FRAMES,
                                             .inputs = 2,
                                             .outputs = 2,
                                             .process = process,
                                             .user = &programs[i]};
        assert_int_equal(tutti_open(&programs[i].client, &open), TUTTI_OK);
        assert_int_equal(tutti_prepare(programs[i].client, &stream), TUTTI_OK);
        assert_int_equal(tutti_start(programs[i].client), TUTTI_OK);
    }
    for (unsigned i = 0; i < PROGRAMS; i++) {
        await_blocks(&programs[i], 2);
    }
}

/* Blocks of each program that came late so far. */
static void
count_late(uint64_t late[PROGRAMS])
{
    struct tutti_engine_status engine;
    struct tutti_program_status *status;
    assert_int_equal(tutti_get_status(programs[0].client, &engine, &status), TUTTI_OK);
    assert_int_equal(engine.program_count, PROGRAMS);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        late[status[i].name[8] - '0'] = status[i].late_program + status[i].late_machine;
    }
    tutti_free(status);
}

static void
stop_programs(void)
{
    assert_int_equal(tutti_ask_engine_to_leave(programs[0].client), TUTTI_OK);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        tutti_close(programs[i].client);
    }
    memset(programs, 0, sizeof(programs));
}

static void
who_waits_behind_a_hog_is_let_go_in_time(void **state)
{
    uint64_t before[PROGRAMS], after[PROGRAMS];
    start_programs();
    await_on(true, 0);
    await_blocks(&programs[0], 3); /* the engine has followed */
    count_late(before);

    atomic_store(&programs[0].hogs, true);
    await_blocks(&programs[1], 8);
    await_policy(&programs[0], SCHED_OTHER);
    await_on(false, 0);
    count_late(after);
    assert_true(after[0] > before[0]);
    assert_int_equal(after[1], before[1]);
    assert_int_equal(after[2], before[2]);

    /* The others are gathered again after a while. */
    await_on(true, 1);
    stop_programs();
}

static void
who_computes_loses_the_priority_for_a_while_and_who_sleeps_keeps_it(void **state)
{
    struct os_thread *others[COMPUTERS];
    start_programs();
    await_blocks(&programs[0], 20);
    atomic_store(&computes, true);
    for (unsigned i = 0; i < COMPUTERS; i++) {
        assert_int_equal(os_thread_start(&others[i], "computes", OS_PRIORITY_NORMAL, compute, NULL),
                         TUTTI_OK);
    }
    atomic_store(&programs[1].sleeps, true);
    await_blocks(&programs[1], 20);
    assert_int_equal(policy_of(&programs[1]), SCHED_FIFO);
    atomic_store(&computes, false);
    for (unsigned i = 0; i < COMPUTERS; i++) {
        os_thread_join(others[i]);
    }

    atomic_store(&programs[0].hogs, true);
    await_policy(&programs[0], SCHED_OTHER);
    uint64_t lost_ns = os_now_ns();
    await_policy(&programs[0], SCHED_FIFO);
    assert_true(os_now_ns() > lost_ns + 4500 * (uint64_t)OS_NS_PER_MS);
    assert_int_equal(policy_of(&programs[1]), SCHED_FIFO);
    stop_programs();
}

static bool
may_be_real_time(void)
{
    const struct sched_param param = {.sched_priority = 60}, normal = {.sched_priority = 0};
    return sched_setscheduler(0, SCHED_FIFO, &param) == 0 &&
           sched_setscheduler(0, SCHED_OTHER, &normal) == 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_behind_a_hog_is_let_go_in_time),
        cmocka_unit_test(who_computes_loses_the_priority_for_a_while_and_who_sleeps_keeps_it),
    };
    char folder[] = "/tmp/tutti-test-placement-XXXXXX";
    if (argc != 2 || !mkdtemp(folder)) {
        return 2;
    }
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || !may_be_real_time()) {
        puts("1..0 # SKIP needs two processors and real-time scheduling");
        return SKIPPED;
    }
    tuttid = argv[1];
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/dev/null", 1);
    setenv("TUTTI_DEVICE_BACKEND", "sim", 1);
    setenv("TUTTI_ENGINE_PLACEMENT", "gathered", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
