/* SPDX-License-Identifier: MIT */
/*
 * Several processes with the real tuttid and its virtual sound card: who starts engines, and what
 * programs see when one is killed, stopped or asked to leave. POSIX. Every wait is for something to
 * happen; its limit only ends a test that failed.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"
#include "tutti/tutti.h"

enum { FRAMES = 256, RACERS = 64, WAIT_MS = 20000 };

static const char *tuttid;

struct host {
    struct tutti_client *client;
    struct os_mutex lock;
    struct os_cond changed;
    struct tutti_block last; /* guarded by lock, like all below */
    unsigned blocks;
    unsigned backward, unalternated;
    uint64_t longest_ns; /* without a call */
    uint64_t called_ns;
    unsigned lost, back;
    unsigned devices_back;
    bool plays;         /* LOUD on output 0 */
    unsigned monitored; /* blocks that heard it on input 1 */
};
#define LOUD 0.25f

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

static void
process(void *user, const struct tutti_block *block)
{
    struct host *host = user;

    os_mutex_lock(&host->lock);
    uint64_t now_ns = os_now_ns();
    if (host->called_ns && now_ns - host->called_ns > host->longest_ns) {
        host->longest_ns = now_ns - host->called_ns;
    }
    host->called_ns = now_ns;
    if (host->blocks) {
        host->backward += block->position_frames < host->last.position_frames + block->frames;
        host->unalternated += block->half == host->last.half;
    }
    for (unsigned i = 0; host->plays && i < block->frames; i++) {
        tutti_output(host->client, 0, block->half)[i] = LOUD;
    }
    host->monitored += host->plays && tutti_input(host->client, 1, block->half)[0] == LOUD;
    host->last = *block;
    host->blocks++;
    os_cond_signal_all(&host->changed);
    os_mutex_unlock(&host->lock);
}

static void
on_event(void *user, const struct tutti_event *event)
{
    struct host *host = user;

    os_mutex_lock(&host->lock);
    host->lost += event->kind == TUTTI_EVENT_ENGINE_LOST;
    host->back += event->kind == TUTTI_EVENT_ENGINE_BACK;
    host->devices_back += event->kind == TUTTI_EVENT_DEVICE_BACK;
    os_cond_signal_all(&host->changed);
    os_mutex_unlock(&host->lock);
}

static void
host_open(struct host *host)
{
    struct tutti_open_params params = {
        .program = "host", .engine_path = tuttid, .event = on_event, .user = host};

    memset(host, 0, sizeof(*host));
    os_mutex_init(&host->lock);
    os_cond_init(&host->changed);
    assert_int_equal(tutti_open(&host->client, &params), TUTTI_OK);
}

static void
host_run_at(struct host *host, uint32_t frames)
{
    struct tutti_stream_params params = {
        .buffer_frames = frames, .inputs = 2, .outputs = 2, .process = process, .user = host};

    enum tutti_status status = tutti_prepare(host->client, &params);
    if (status) {
        fprintf(stderr, "prepare: %s\n", tutti_last_error(host->client));
    }
    assert_int_equal(status, TUTTI_OK);
    assert_int_equal(tutti_start(host->client), TUTTI_OK);
}

static void
host_run(struct host *host)
{
    host_run_at(host, FRAMES);
}

static void
host_close(struct host *host)
{
    tutti_close(host->client);
    assert_int_equal(host->backward, 0);
    assert_int_equal(host->unalternated, 0);
    os_cond_fini(&host->changed);
    os_mutex_fini(&host->lock);
}

/* Waits for `more` blocks of an engine that is not `generation`; that engine's. 0 as generation: of
 * any. */
static uint64_t
await_sound(struct host *host, unsigned more, uint64_t generation)
{
    uint64_t deadline = in_ms(WAIT_MS);
    unsigned heard = 0, seen;
    uint64_t of = 0;

    os_mutex_lock(&host->lock);
    seen = host->blocks;
    while (heard < more) {
        if (host->blocks != seen && host->last.generation && host->last.generation != generation) {
            of = host->last.generation;
            heard++;
        }
        seen = host->blocks;
        if (heard < more && !os_cond_wait_until(&host->changed, &host->lock, deadline)) {
            break;
        }
    }
    os_mutex_unlock(&host->lock);
    assert_int_equal(heard, more);
    return of;
}

static void
await_count(struct host *host, const unsigned *counter, unsigned count)
{
    uint64_t deadline = in_ms(WAIT_MS);

    os_mutex_lock(&host->lock);
    while (*counter < count && os_cond_wait_until(&host->changed, &host->lock, deadline)) {
    }
    unsigned reached = *counter;
    os_mutex_unlock(&host->lock);
    assert_true(reached >= count);
}

static struct tutti_engine_status
status_of(struct tutti_client *client)
{
    struct tutti_engine_status status;

    assert_int_equal(tutti_get_status(client, &status, NULL), TUTTI_OK);
    return status;
}

static void
await_end_of(uint32_t pid)
{
    uint64_t deadline = in_ms(WAIT_MS);

    while (os_process_alive(pid) && os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(5));
    }
    assert_false(os_process_alive(pid));
}

/* ---- who starts engines ---- */

/* A racer: opens, tells which engine it met, stays until the parent closes `stay`. */
static void
race(int tell, int stay)
{
    struct tutti_open_params params = {.program = "racer", .engine_path = tuttid};
    struct tutti_client *client;
    struct tutti_engine_status status;
    uint64_t generation = 0;
    char byte;

    if (tutti_open(&client, &params) == TUTTI_OK &&
        tutti_get_status(client, &status, NULL) == TUTTI_OK) {
        generation = status.generation;
    }
    if (write(tell, &generation, sizeof(generation)) != sizeof(generation)) {
        _exit(1);
    }
    while (read(stay, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

static void
programs_that_race_meet_one_engine(void **state)
{
    int tell[2], stay[2];
    pid_t racers[RACERS];
    uint64_t generation[RACERS];

    assert_int_equal(pipe(tell), 0);
    assert_int_equal(pipe(stay), 0);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = fork();
        assert_true(racers[i] >= 0);
        if (racers[i] == 0) {
            close(stay[1]);
            race(tell[1], stay[0]);
        }
    }
    close(tell[1]);
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(read(tell[0], &generation[i], sizeof(generation[i])),
                         sizeof(generation[i]));
    }
    struct host host;
    host_open(&host);
    struct tutti_engine_status status = status_of(host.client);
    assert_int_equal(status.program_count, RACERS + 1);
    for (unsigned i = 0; i < RACERS; i++) {
        assert_true(generation[i] == status.generation);
    }
    close(stay[1]);
    for (unsigned i = 0; i < RACERS; i++) {
        waitpid(racers[i], NULL, 0);
    }
    close(stay[0]);
    close(tell[0]);
    host_close(&host);
}

/* Opens with a script as the engine: it writes a line into $0.n each time that it is started, does
 * what `before` says, where $n is the number of lines, and becomes the engine. How often it was
 * started. */
static unsigned
starts_of_engine(const char *before)
{
    char path[96], lines[112];
    struct tutti_open_params params = {.program = "patient", .engine_path = path};
    struct tutti_client *client;
    unsigned starts = 0;

    snprintf(path, sizeof(path), "/tmp/tutti-test-script-%ld", (long)getpid());
    snprintf(lines, sizeof(lines), "%s.n", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\necho >>$0.n\nn=$(wc -l <$0.n)\n%s\nexec %s\n", before, tuttid);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(tutti_open(&client, &params), TUTTI_OK);
    tutti_close(client);
    file = fopen(lines, "r");
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;) {
        starts += c == '\n';
    }
    fclose(file);
    unlink(lines);
    unlink(path);
    return starts;
}

static void
an_engine_that_dies_while_it_starts_is_started_again(void **state)
{
    assert_int_equal(starts_of_engine("[ $n -gt 2 ] || exit 1"), 3);
}

/* As on a busy machine: the first one gives a second one time to come before it begins. */
static void
an_engine_that_is_slow_to_start_is_started_once(void **state)
{
    assert_int_equal(starts_of_engine("for i in 1 2 3 4 5 6 7 8 9 10; do\n"
                                      "[ $(wc -l <$0.n) -gt 1 ] && break\nsleep 0.1\ndone"),
                     1);
}

static void
a_second_engine_ends_at_once(void **state)
{
    struct host host;
    int status = 0;

    host_open(&host);
    uint64_t generation = status_of(host.client).generation;
    pid_t second = fork();
    assert_true(second >= 0);
    if (second == 0) {
        execl(tuttid, tuttid, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(status_of(host.client).generation == generation);
    host_close(&host);
}

static void
the_engine_leaves_after_the_last_program(void **state)
{
    struct host host;

    host_open(&host);
    uint32_t pid = status_of(host.client).engine_pid;
    assert_true(os_process_alive(pid));
    host_close(&host);
    await_end_of(pid);
}

/* ---- engines that end ---- */

static void
a_killed_engine_is_replaced(void **state)
{
    struct host host, other;

    host_open(&host);
    host_open(&other);
    host_run(&host);
    host_run(&other);
    uint64_t first = await_sound(&host, 3, 0);
    assert_true(await_sound(&other, 3, 0) == first);
    kill((pid_t)status_of(host.client).engine_pid, SIGKILL);
    uint64_t second = await_sound(&host, 3, first);
    assert_true(await_sound(&other, 3, first) == second);
    await_count(&host, &host.back, 1);
    assert_int_equal(host.lost, 1);
    assert_int_equal(status_of(host.client).program_count, 2);
    host_close(&host);
    host_close(&other);
}

/* Output 0 comes in at input 0, by the card's cable, is monitored on output 1, and comes in at 1.
 */
static void
the_direct_monitor_is_there_again_with_the_next_engine(void **state)
{
    const struct tutti_path path = {.input = 0, .output = 1, .gain = 1.0f};
    const struct tutti_monitor monitor = {.path = &path, .paths = 1};
    struct host host, other;

    host_open(&host);
    host_open(&other);
    host.plays = true;
    host_run(&host);
    uint64_t first = await_sound(&host, 10, 0);
    assert_int_equal(host.monitored, 0);
    assert_int_equal(tutti_set_monitor(other.client, &monitor), TUTTI_OK);
    host_run(&other);
    await_count(&host, &host.monitored, 3);
    kill((pid_t)status_of(host.client).engine_pid, SIGKILL);
    await_sound(&host, 3, first);
    await_sound(&other, 3, first);
    os_mutex_lock(&host.lock);
    unsigned so_far = host.monitored;
    os_mutex_unlock(&host.lock);
    await_count(&host, &host.monitored, so_far + 10);
    /* Who asked looks at what it monitors; the other one's meter has no part in it. */
    uint64_t deadline = in_ms(WAIT_MS);
    while (tutti_take_peak(other.client, false, 1) != LOUD && os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(5));
    }
    assert_true(os_now_ns() < deadline);
    assert_true(tutti_take_peak(host.client, false, 1) == 0);
    /* It goes with the program that asked. */
    host_close(&other);
    await_sound(&host, 10, first);
    os_mutex_lock(&host.lock);
    so_far = host.monitored;
    os_mutex_unlock(&host.lock);
    await_sound(&host, 10, first);
    assert_int_equal(host.monitored, so_far);
    host_close(&host);
}

static void
a_stopped_engine_is_ended_and_replaced(void **state)
{
    struct host host, other;

    host_open(&host);
    host_open(&other);
    host_run(&host);
    host_run(&other);
    uint64_t first = await_sound(&host, 3, 0);
    await_sound(&other, 3, 0);
    uint32_t pid = status_of(host.client).engine_pid;
    kill((pid_t)pid, SIGSTOP);
    uint64_t second = await_sound(&host, 3, first);
    assert_true(await_sound(&other, 3, first) == second);
    await_end_of(pid);
    host_close(&host);
    host_close(&other);
}

static void
a_stopped_engine_does_not_keep_a_program_from_opening(void **state)
{
    struct host host, next;

    host_open(&host);
    uint32_t pid = status_of(host.client).engine_pid;
    kill((pid_t)pid, SIGSTOP);
    host_open(&next);
    await_end_of(pid);
    host_run(&next);
    await_sound(&next, 3, 0);
    host_close(&next);
    host_close(&host);
}

static void
an_engine_that_was_asked_to_leave_is_replaced_for_those_who_play(void **state)
{
    struct host host, asker;

    host_open(&host);
    host_run(&host);
    host_open(&asker);
    uint64_t first = await_sound(&host, 3, 0);
    uint32_t pid = status_of(asker.client).engine_pid;
    assert_int_equal(tutti_ask_engine_to_leave(asker.client), TUTTI_OK);
    assert_true(await_sound(&host, 3, first) != first);
    await_end_of(pid);
    host_close(&asker);
    host_close(&host);
}

/* ---- programs that end ---- */

static void
await_programs(struct host *host, unsigned count)
{
    uint64_t deadline = in_ms(WAIT_MS);

    while (status_of(host->client).program_count != count && os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(5));
    }
    assert_int_equal(status_of(host->client).program_count, count);
}

static void
a_killed_program_leaves_the_others_playing(void **state)
{
    struct host host;
    int tell[2];
    char byte;

    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static struct host mine;
        host_open(&mine);
        host_run(&mine);
        await_sound(&mine, 3, 0);
        if (write(tell[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(tell[0], &byte, 1), 1);
    host_open(&host);
    host_run(&host);
    uint64_t generation = await_sound(&host, 3, 0);
    assert_int_equal(status_of(host.client).program_count, 2);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    await_programs(&host, 1);
    assert_true(await_sound(&host, 3, 0) == generation);
    assert_int_equal(host.lost, 0);
    close(tell[0]);
    close(tell[1]);
    host_close(&host);
}

/* Its child has all its descriptors, and holds the rate no longer. */
static void
a_killed_program_that_forked_is_forgotten(void **state)
{
    struct host host;
    int tell[2];
    pid_t child, grandchild = 0;

    assert_int_equal(pipe(tell), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static struct host mine;
        host_open(&mine);
        host_run(&mine);
        await_sound(&mine, 3, 0);
        grandchild = fork();
        if (grandchild && write(tell[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild)) {
            _exit(1);
        }
        alarm(WAIT_MS / 1000);
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(tell[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    host_open(&host);
    assert_int_equal(status_of(host.client).program_count, 2);
    assert_int_not_equal(tutti_set_rate(host.client, 44100), TUTTI_OK);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    await_programs(&host, 1);
    assert_int_equal(kill(grandchild, 0), 0);
    assert_int_equal(tutti_set_rate(host.client, 44100), TUTTI_OK);
    kill(grandchild, SIGKILL);
    close(tell[0]);
    close(tell[1]);
    host_close(&host);
}

static int headless_says;

static void
play_headless(void *arg)
{
    for (;;) {
        await_sound(arg, 3, 0);
        if (write(headless_says, "x", 1) != 1) {
            _exit(1);
        }
    }
}

/* ps shows it as a zombie. */
static void
a_program_whose_first_thread_ended_plays_on(void **state)
{
    struct host host;
    int tell[2];
    char path[64], text[512] = "", byte;

    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static struct host mine;
        struct os_thread *thread;
        alarm(WAIT_MS / 1000);
        headless_says = tell[1];
        host_open(&mine);
        host_run(&mine);
        if (os_thread_start(&thread, "headless", OS_PRIORITY_NORMAL, play_headless, &mine)) {
            _exit(1);
        }
        pthread_exit(NULL);
    }
    close(tell[1]);
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
    for (uint64_t deadline = in_ms(WAIT_MS); !strstr(text, ") Z ") && os_now_ns() < deadline;) {
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(text, sizeof(text), file));
        fclose(file);
    }
    assert_non_null(strstr(text, ") Z "));
    host_open(&host);
    host_run(&host);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(read(tell[0], &byte, 1), 1);
    }
    await_programs(&host, 2);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    await_programs(&host, 1);
    close(tell[0]);
    host_close(&host);
}

/* ---- devices that come back ---- */

/* Longer than a program waits for a call: it is called meanwhile, or it would end the engine. */
static void
a_device_that_comes_back_slowly_costs_no_engine(void **state)
{
    struct host host;

    (void)state;
    setenv("TUTTI_SIM_FAULTS", "at 0 slow-open 1500; at 100 unplug; at 100 replug 1", 1);
    host_open(&host);
    unsetenv("TUTTI_SIM_FAULTS");
    host_run(&host);
    uint64_t generation = await_sound(&host, 3, 0);
    await_count(&host, &host.devices_back, 2);
    assert_true(await_sound(&host, 3, 0) == generation);
    assert_int_equal(host.lost, 0);
    host_close(&host);
}

/* A program that joins with a smaller buffer has the device reopened, which takes its time: the one
 * that plays is called meanwhile, and nobody ends the engine. */
static void
a_reopening_takes(const char *faults, uint64_t ms)
{
    static struct host large, small;

    setenv("TUTTI_SIM_FAULTS", faults, 1);
    host_open(&large);
    unsetenv("TUTTI_SIM_FAULTS");
    host_run_at(&large, 1024);
    uint64_t generation = await_sound(&large, 3, 0), from_ns = os_now_ns();
    host_open(&small);
    host_run_at(&small, 64);
    assert_true(os_now_ns() - from_ns >= ms * OS_NS_PER_MS);
    assert_true(await_sound(&small, 3, 0) == generation);
    assert_true(await_sound(&large, 3, 0) == generation);
    assert_int_equal(small.lost, 0);
    assert_int_equal(large.lost, 0);
    assert_true(large.longest_ns < UINT64_C(2000) * OS_NS_PER_MS);
    host_close(&small);
    host_close(&large);
}

static void
a_device_that_reopens_slowly_costs_no_engine(void **state)
{
    (void)state;
    a_reopening_takes("at 0 slow-open 500", 500);
}

static void
a_device_that_reopens_in_five_seconds_costs_no_engine(void **state)
{
    (void)state;
    a_reopening_takes("at 1 slow-open 5000", 5000);
}

static void
run_small(void *arg)
{
    struct tutti_stream_params params = {
        .buffer_frames = 64, .inputs = 2, .outputs = 2, .process = process, .user = arg};

    /* Each engine in its turn hangs at the second opening: whatever comes of it. */
    tutti_prepare(((struct host *)arg)->client, &params);
}

static void
a_device_that_never_reopens_costs_that_engine_and_no_call(void **state)
{
    static struct host large, small;
    struct os_thread *thread;

    (void)state;
    setenv("TUTTI_SIM_FAULTS", "at 1 slow-open 1000000", 1);
    host_open(&large);
    host_run_at(&large, 1024);
    uint64_t generation = await_sound(&large, 3, 0);
    uint32_t pid = status_of(large.client).engine_pid;
    host_open(&small);
    uint64_t from_ns = os_now_ns();
    assert_int_equal(os_thread_start(&thread, "small", OS_PRIORITY_NORMAL, run_small, &small),
                     TUTTI_OK);
    await_end_of(pid);
    unsetenv("TUTTI_SIM_FAULTS");
    assert_true(os_now_ns() - from_ns >= UINT64_C(10000) * OS_NS_PER_MS);
    await_sound(&large, 3, generation);
    assert_int_equal(large.lost, 1);
    assert_true(large.longest_ns < UINT64_C(2000) * OS_NS_PER_MS);
    kill((pid_t)status_of(large.client).engine_pid, SIGKILL); /* no need to see it hang, too */
    os_thread_join(thread);
    host_close(&large);
    host_close(&small);
}

/* Between tests the engine leaves, so that each begins with none. */
static int
await_no_engine(void **state)
{
    uint64_t deadline = in_ms(WAIT_MS);
    struct os_lock *lock;

    (void)state;
    if (os_lock_take(&lock, "engine", deadline)) {
        return -1;
    }
    os_lock_release(lock);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(programs_that_race_meet_one_engine, await_no_engine),
        cmocka_unit_test_teardown(an_engine_that_dies_while_it_starts_is_started_again,
                                  await_no_engine),
        cmocka_unit_test_teardown(an_engine_that_is_slow_to_start_is_started_once, await_no_engine),
        cmocka_unit_test_teardown(a_second_engine_ends_at_once, await_no_engine),
        cmocka_unit_test_teardown(the_engine_leaves_after_the_last_program, await_no_engine),
        cmocka_unit_test_teardown(a_killed_engine_is_replaced, await_no_engine),
        cmocka_unit_test_teardown(the_direct_monitor_is_there_again_with_the_next_engine,
                                  await_no_engine),
        cmocka_unit_test_teardown(a_stopped_engine_is_ended_and_replaced, await_no_engine),
        cmocka_unit_test_teardown(a_stopped_engine_does_not_keep_a_program_from_opening,
                                  await_no_engine),
        cmocka_unit_test_teardown(an_engine_that_was_asked_to_leave_is_replaced_for_those_who_play,
                                  await_no_engine),
        cmocka_unit_test_teardown(a_killed_program_leaves_the_others_playing, await_no_engine),
        cmocka_unit_test_teardown(a_killed_program_that_forked_is_forgotten, await_no_engine),
        cmocka_unit_test_teardown(a_program_whose_first_thread_ended_plays_on, await_no_engine),
        cmocka_unit_test_teardown(a_device_that_comes_back_slowly_costs_no_engine, await_no_engine),
        cmocka_unit_test_teardown(a_device_that_reopens_slowly_costs_no_engine, await_no_engine),
        cmocka_unit_test_teardown(a_device_that_reopens_in_five_seconds_costs_no_engine,
                                  await_no_engine),
        cmocka_unit_test_teardown(a_device_that_never_reopens_costs_that_engine_and_no_call,
                                  await_no_engine),
    };
    static char folder[64];

    if (argc != 2) {
        fprintf(stderr, "usage: test_processes TUTTID\n");
        return 2;
    }
    tuttid = argv[1];
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-processes-%ld", (long)getpid());
    setenv("TUTTI_RUNTIME_DIR", folder, 1);
    setenv("TUTTI_CONFIG", "/nonexistent/tutti.ini", 1);
    setenv("TUTTI_DEVICE_BACKEND", "sim", 1);
    setenv("TUTTI_ENGINE_GRACE_MS", "100", 1);
    setenv("TUTTI_SIM_CABLE", "0", 1);
    cmocka_set_test_filter(getenv("TUTTI_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
