/* SPDX-License-Identifier: MIT */
/*
 * tutti-bridge, spoken to as a Windows program under Wine does it: what such a program cannot wait
 * for any longer must not stay behind. POSIX.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/bridge_records.h"
#include "os_fixture.h"

enum { PATH_BYTES = 4200 };

static const char *program;

struct bridge {
    pid_t pid;
    int requests, answers;
    uint32_t serial;
};

/* Starts one and reads what it announces: version, process, two descriptors, the clock's. */
static pid_t
start(const char *runtime_dir, int said[5])
{
    char path[PATH_BYTES];
    assert_int_equal(os_runtime_dir(path, sizeof(path) - 32), TUTTI_OK);
    strcat(path, "/announced");
    unlink(path);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (runtime_dir != NULL) {
            setenv("TUTTI_RUNTIME_DIR", runtime_dir, 1);
        }
        execl(program, program, path, (char *)NULL);
        _exit(127);
    }
    const uint64_t deadline = fixture_patience();
    while (access(path, F_OK) != 0 && os_now_ns() < deadline) {
        os_sleep_until_ns(fixture_in_ms(1));
    }
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(
        fscanf(file, "%d %d %d %d %d", &said[0], &said[1], &said[2], &said[3], &said[4]), 5);
    fclose(file);
    return pid;
}

static int
open_end(int pid, int fd, int flags)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
    const int opened = open(path, flags | O_CLOEXEC);
    assert_true(opened >= 0);
    return opened;
}

static void
tell(struct bridge *bridge, struct bridge_record request)
{
    request.size_bytes = sizeof(request);
    request.serial = ++bridge->serial;
    assert_int_equal(write(bridge->requests, &request, sizeof(request)), sizeof(request));
}

/* The answer to the oldest request that was not answered yet. */
static struct bridge_record
hear(const struct bridge *bridge)
{
    struct bridge_record answer;
    char *at = (char *)&answer;
    for (size_t left = sizeof(answer); left > 0;) {
        const ssize_t got = read(bridge->answers, at, left);
        assert_true(got > 0 || errno == EINTR);
        at += got > 0 ? got : 0;
        left -= got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(answer.size_bytes, sizeof(answer));
    return answer;
}

static struct bridge_record
ask(struct bridge *bridge, struct bridge_record request)
{
    tell(bridge, request);
    struct bridge_record answer = hear(bridge);
    assert_int_equal(answer.serial, bridge->serial);
    return answer;
}

static void
open_bridge(struct bridge *bridge)
{
    int said[5];
    memset(bridge, 0, sizeof(*bridge));
    bridge->pid = start(NULL, said);
    assert_int_equal(said[0], BRIDGE_VERSION);
    assert_int_equal(said[1], bridge->pid);
    bridge->answers = open_end(said[1], said[2], O_RDONLY);
    bridge->requests = open_end(said[1], said[3], O_WRONLY);
    assert_int_equal(ask(bridge, (struct bridge_record){.kind = BRIDGE_GREET}).status, TUTTI_OK);
}

static void
close_bridge(struct bridge *bridge)
{
    close(bridge->requests);
    assert_int_equal(waitpid(bridge->pid, NULL, 0), bridge->pid);
    close(bridge->answers);
}

static void
a_lock_is_held_until_it_is_let_go(void **state)
{
    struct bridge bridge;
    struct os_lock *lock = NULL;
    struct bridge_record request = {.kind = BRIDGE_LOCK, .value = 7, .text = "test"};
    open_bridge(&bridge);
    assert_int_equal(ask(&bridge, request).status, TUTTI_OK);
    request.value = 8;
    assert_int_equal(ask(&bridge, request).status, TUTTI_TIMEOUT);
    ask(&bridge, (struct bridge_record){.kind = BRIDGE_UNLOCK, .value = 8});
    assert_int_equal(os_lock_take(&lock, "test", 0), TUTTI_TIMEOUT);
    ask(&bridge, (struct bridge_record){.kind = BRIDGE_UNLOCK, .value = 7});
    assert_int_equal(os_lock_take(&lock, "test", 0), TUTTI_OK);
    os_lock_release(lock);
    close_bridge(&bridge);
}

/* As when the machine was too busy to answer in time: the program has given up on it. */
static void
a_lock_that_comes_too_late_is_let_go(void **state)
{
    struct bridge bridge;
    struct os_lock *lock = NULL;
    open_bridge(&bridge);
    kill(bridge.pid, SIGSTOP);
    tell(&bridge, (struct bridge_record){.kind = BRIDGE_LOCK, .value = 7, .text = "test"});
    tell(&bridge, (struct bridge_record){.kind = BRIDGE_UNLOCK, .value = 7});
    kill(bridge.pid, SIGCONT);
    assert_int_equal(hear(&bridge).status, TUTTI_OK);
    assert_int_equal(hear(&bridge).status, TUTTI_OK);
    assert_int_equal(os_lock_take(&lock, "test", 0), TUTTI_OK);
    os_lock_release(lock);
    close_bridge(&bridge);
}

static void
the_process_of_a_started_engine_is_told(void **state)
{
    struct bridge bridge;
    open_bridge(&bridge);
    const struct bridge_record answer =
        ask(&bridge, (struct bridge_record){.kind = BRIDGE_START, .text = "/bin/cat"});
    assert_int_equal(answer.status, TUTTI_OK);
    assert_int_not_equal(answer.number, 0);
    close_bridge(&bridge);
}

/* Without it a program would wait as long as a busy machine may take. */
static void
a_bridge_that_cannot_begin_says_so(void **state)
{
    int said[5], status = 0;
    const pid_t pid = start("not/an/absolute/path", said);
    assert_int_equal(said[0], 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_is_held_until_it_is_let_go),
        cmocka_unit_test(a_lock_that_comes_too_late_is_let_go),
        cmocka_unit_test(the_process_of_a_started_engine_is_told),
        cmocka_unit_test(a_bridge_that_cannot_begin_says_so),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: test_bridge TUTTI-BRIDGE\n");
        return 2;
    }
    program = argv[1];
    fixture_use_own_runtime_dir("run");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
