/* SPDX-License-Identifier: MIT */
/*
 * How processes end, on POSIX: one that forked, one whose first thread ended before the others, and
 * one of which the system tells nothing but its link.
 */
#include "os_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a child that a failed test leaves behind. */
enum { LIFE_S = 30 };

static unsigned
count_open_fds(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

/* ---- a program that forked ---- */

/* A child that has a link and said something on it, and a child of its own that has the link too.
 */
struct family {
    struct os_listener *listener;
    struct os_link *link;
    pid_t parent, child;
};

static void
found_family(struct family *family)
{
    int tell[2];
    assert_int_equal(pipe(tell), 0);
    assert_int_equal(os_listener_open(&family->listener), TUTTI_OK);
    family->parent = fork();
    assert_true(family->parent >= 0);
    if (family->parent == 0) {
        struct os_link *link = NULL;
        if (os_link_connect(&link, fixture_patience()) != TUTTI_OK) {
            _exit(1);
        }
        const pid_t child = fork();
        alarm(LIFE_S);
        if (child > 0 && (os_link_send(link, "held", 5, NULL, 0, fixture_patience()) != TUTTI_OK ||
                          write(tell[1], &child, sizeof(child)) != (ssize_t)sizeof(child))) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(tell[0], &family->child, sizeof(family->child)),
                     (int)sizeof(family->child));
    close(tell[0]);
    close(tell[1]);
}

static void
end_family(struct family *family)
{
    kill(family->child, SIGKILL);
    os_link_close(family->link);
    os_listener_close(family->listener);
}

static void
kill_parent(const struct family *family)
{
    assert_int_equal(kill(family->parent, SIGKILL), 0);
    assert_int_equal(waitpid(family->parent, NULL, 0), family->parent);
}

static enum tutti_status
hear(struct family *family, char text[16], uint64_t deadline_ns)
{
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;
    text[0] = '\0';
    return os_link_recv(family->link, text, 16, &bytes, handles, deadline_ns);
}

static void
a_killed_process_ends_its_link_although_its_child_has_it(void **state)
{
    struct family family;
    char text[16];
    for (unsigned late = 0; late < 2; late++) {
        const unsigned before = count_open_fds();
        found_family(&family);
        if (late != 0) {
            kill_parent(&family);
        }
        assert_int_equal(os_listener_accept(family.listener, &family.link, fixture_patience()),
                         TUTTI_OK);
        if (late == 0) {
            kill_parent(&family);
        }
        /* its last words come first */
        assert_int_equal(hear(&family, text, fixture_patience()), TUTTI_OK);
        assert_string_equal(text, "held");
        assert_int_equal(hear(&family, text, fixture_patience()), TUTTI_CLOSED);
        assert_int_equal(hear(&family, text, fixture_patience()), TUTTI_CLOSED);
        assert_int_equal(kill(family.child, 0), 0);
        end_family(&family);
        assert_int_equal(count_open_fds(), before);
    }
}

/* No descriptor is left to watch the process with. */
static void
without_a_descriptor_of_the_process_the_link_counts(void **state)
{
    struct family family;
    struct rlimit limit, tight;
    char text[16];
    found_family(&family);
    const int lowest = dup(0); /* the descriptor that the link will be */
    assert_true(lowest >= 0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    tight = limit;
    tight.rlim_cur = (rlim_t)lowest + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    const enum tutti_status status =
        os_listener_accept(family.listener, &family.link, fixture_patience());
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(status, TUTTI_OK);
    kill_parent(&family);
    assert_int_equal(hear(&family, text, fixture_patience()), TUTTI_OK);
    assert_int_equal(hear(&family, text, fixture_in_ms(20)), TUTTI_TIMEOUT);
    kill(family.child, SIGKILL);
    assert_int_equal(hear(&family, text, fixture_patience()), TUTTI_CLOSED);
    end_family(&family);
}

/* ---- a program whose first thread ended ---- */

static void *
live_on(void *arg)
{
    char byte = 0;
    while (read(*(int *)arg, &byte, 1) != 1) {
    }
    _exit(0);
}

/* A child whose first thread has ended: ps shows it as a zombie. *end: a byte there ends it. */
static pid_t
start_headless(int *end)
{
    static int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pthread_t thread;
        alarm(LIFE_S);
        if (pthread_create(&thread, NULL, live_on, &ends[0]) != 0) {
            _exit(1);
        }
        pthread_exit(NULL);
    }
    close(ends[0]);
    *end = ends[1];
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
    for (const uint64_t deadline = fixture_patience(); os_now_ns() < deadline;) {
        FILE *const file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(text, sizeof(text), file));
        fclose(file);
        if (strstr(text, ") Z ") != NULL) {
            return child;
        }
    }
    fail_msg("the first thread does not end");
    return 0;
}

static void
a_process_lives_until_its_last_thread_ends(void **state)
{
    int end, status;
    const pid_t child = start_headless(&end);
    assert_true(os_process_alive((uint32_t)child));
    assert_true(os_process_is_ours((uint32_t)child));
    assert_int_equal(write(end, "x", 1), 1);
    for (const uint64_t deadline = fixture_patience();
         os_process_alive((uint32_t)child) && os_now_ns() < deadline;) {
        os_sleep_until_ns(fixture_in_ms(1));
    }
    assert_false(os_process_alive((uint32_t)child));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(end);
}

static void
a_process_without_its_first_thread_is_killed_by_its_name(void **state)
{
    int end, status;
    const pid_t child = start_headless(&end);
    assert_false(os_process_kill((uint32_t)child, "test_os"));
    assert_true(os_process_alive((uint32_t)child));
    assert_true(os_process_kill((uint32_t)child, "test_os_lives"));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(end);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_ends_its_link_although_its_child_has_it),
        cmocka_unit_test(without_a_descriptor_of_the_process_the_link_counts),
        cmocka_unit_test(a_process_lives_until_its_last_thread_ends),
        cmocka_unit_test(a_process_without_its_first_thread_is_killed_by_its_name),
    };
    fixture_use_own_runtime_dir("run");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
