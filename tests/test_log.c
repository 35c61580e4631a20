/* SPDX-License-Identifier: MIT */
/*
 * The log: what a line holds, which lines are written, and files that are put aside, also by
 * several processes at once: this program starts itself with a path and a number to be one of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "os/os.h"

enum { MOST_FILES = 100 };

static char folder[400], path[512];

/* The file, or path.n for n > 0; "" when it is not there. The caller's. */
static char *
content(unsigned n)
{
    char name[600], *text = NULL;
    size_t bytes = 0;

    snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
    assert_int_equal(file_read(name, 1 << 20, &text, &bytes), TUTTI_OK);
    return text;
}

static void
remove_all(void)
{
    char name[600];

    for (unsigned n = 0; n <= MOST_FILES; n++) {
        snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
        assert_true(file_remove(name));
    }
}

static void
set_path(unsigned pid)
{
    const char *temp = getenv("TEMP");

    if (!temp) {
        temp = getenv("TMPDIR");
    }
    snprintf(folder, sizeof(folder), "%s", temp ? temp : "/tmp");
    snprintf(path, sizeof(path), "%s/tutti-test-%u-J\xc3\xb6rg.log", folder, pid);
}

static int
begin(void **state)
{
    (void)state;
    set_path((unsigned)os_process_id());
    remove_all();
    log_set_level(LOG_INFO);
    log_set_limits(LOG_SIZE_BYTES, LOG_KEEP);
    log_open("host.exe[77]", path);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    log_close();
    remove_all();
    return 0;
}

static void
a_line_tells_time_level_process_and_what(void **state)
{
    int year, month, day, hour, minute, second, ms, used = 0;

    (void)state;
    log_warning("the device went away: %d", 5);
    char *text = content(0);
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour,
                            &minute, &second, &ms, &used),
                     7);
    assert_true(year >= 2024 && month <= 12 && day <= 31);
    assert_string_equal(text + used, "warning host.exe[77]: the device went away: 5\n");
    free(text);
}

static void
the_level_is_changed_while_it_is_open(void **state)
{
    (void)state;
    log_debug("one");
    log_set_level(LOG_DEBUG);
    log_debug("two");
    log_set_level(LOG_ERROR);
    log_warning("three");
    char *text = content(0);
    assert_null(strstr(text, "one"));
    assert_non_null(strstr(text, "two\n"));
    assert_null(strstr(text, "three"));
    free(text);
}

/* Lines of about 100 bytes, each with its number. */
static void
write_lines(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        log_info("line %04u ..........................................", i);
    }
}

static void
a_long_file_is_put_aside_and_so_many_are_kept(void **state)
{
    (void)state;
    log_set_limits(400, 2);
    write_lines(0, 60);
    char *now = content(0), *one = content(1), *two = content(2), *three = content(3);
    assert_true(strlen(one) > 400 && strlen(two) > 400);
    assert_true(strlen(now) <= 400);
    assert_string_equal(three, "");
    /* in order, and none lost in between */
    unsigned first = 0, last = 0;
    assert_int_equal(sscanf(strstr(two, "line "), "line %u", &first), 1);
    const char *all[] = {two, one, now};
    last = first;
    for (unsigned f = 0; f < 3; f++) {
        for (const char *at = strstr(all[f], "line "); at; at = strstr(at + 1, "line ")) {
            unsigned number = 0;
            assert_int_equal(sscanf(at, "line %u", &number), 1);
            assert_int_equal(number, last);
            last++;
        }
    }
    assert_int_equal(last, 60);
    free(now);
    free(one);
    free(two);
    free(three);
}

static void
with_none_kept_it_begins_anew(void **state)
{
    (void)state;
    log_set_limits(400, 0);
    write_lines(0, 30);
    char *now = content(0), *one = content(1);
    assert_true(strlen(now) <= 400);
    assert_string_equal(one, "");
    free(now);
    free(one);
}

static void
a_file_that_somebody_deletes_is_made_again(void **state)
{
    (void)state;
    log_info("before");
    assert_true(file_remove(path));
    log_info("after");
    char *text = content(0);
    assert_null(strstr(text, "before"));
    assert_non_null(strstr(text, "after"));
    free(text);
}

static void
a_long_line_is_cut_and_ends(void **state)
{
    char longer[2000];

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    log_info("%s", longer);
    char *text = content(0);
    assert_true(strlen(text) > 500 && strlen(text) < 1100);
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
}

/* ---- several processes ---- */

enum { WRITERS = 4, WRITER_LINES = 250, WRITER_LIMIT = 1000 };

/* Another process: its lines, and at last a file that says so. */
static int
write_as(const char *number, unsigned test_pid)
{
    char done[sizeof(path) + 16];

    set_path(test_pid);
    snprintf(done, sizeof(done), "%s.done-%s", path, number);
    log_set_limits(WRITER_LIMIT, MOST_FILES);
    log_open("writer", path);
    for (unsigned i = 0; i < WRITER_LINES; i++) {
        log_info("of %s number %04u.", number, i);
    }
    return file_write(done, "done", 4) == TUTTI_OK ? 0 : 1;
}

static bool
await_file(const char *name)
{
    uint64_t deadline = os_now_ns() + 60000000000U;
    struct file_stamp stamp;

    for (file_look(name, &stamp); !stamp.there && os_now_ns() < deadline; file_look(name, &stamp)) {
        os_sleep_until_ns(os_now_ns() + 5000000);
    }
    return stamp.there;
}

/* Counts the lines of a file that is then removed; false: it is not there. */
static bool
take_lines(unsigned n, unsigned char seen[WRITERS][WRITER_LINES])
{
    char name[600], *text = content(n);
    bool there = text[0] != '\0';

    for (char *at = strstr(text, "of "); at; at = strstr(at + 1, "of ")) {
        unsigned writer = WRITERS, line = WRITER_LINES;
        assert_int_equal(sscanf(at, "of %u number %u.", &writer, &line), 2);
        assert_true(writer < WRITERS && line < WRITER_LINES);
        seen[writer][line]++;
    }
    free(text);
    snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
    assert_true(file_remove(name));
    return there;
}

static void
processes_that_meet_the_limit_at_once_lose_nothing(void **state)
{
    static unsigned char seen[WRITERS][WRITER_LINES];
    char program[512], number[8], pid[16], done[sizeof(path) + 16];

    (void)state;
    log_close();
    snprintf(pid, sizeof(pid), "%u", (unsigned)os_process_id());
    assert_int_equal(os_program_path(program, sizeof(program)), TUTTI_OK);
    for (unsigned w = 0; w < WRITERS; w++) {
        snprintf(number, sizeof(number), "%u", w);
        const char *const argv[] = {program, number, pid, NULL};
        uint32_t spawned;
        assert_int_equal(os_process_spawn(program, argv, &spawned), TUTTI_OK);
    }
    for (unsigned w = 0; w < WRITERS; w++) {
        snprintf(done, sizeof(done), "%s.done-%u", path, w);
        if (!await_file(done)) {
            fail_msg("writer %u did not end", w);
        }
        assert_true(file_remove(done));
    }
    unsigned aside = 0;
    take_lines(0, seen);
    for (unsigned n = 1; n <= MOST_FILES; n++) {
        aside += take_lines(n, seen);
    }
    assert_true(aside > 0 && aside < MOST_FILES);
    for (unsigned w = 0; w < WRITERS; w++) {
        for (unsigned i = 0; i < WRITER_LINES; i++) {
            assert_int_equal(seen[w][i], 1);
        }
    }
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_line_tells_time_level_process_and_what),
        TEST(the_level_is_changed_while_it_is_open),
        TEST(a_long_file_is_put_aside_and_so_many_are_kept),
        TEST(with_none_kept_it_begins_anew),
        TEST(a_file_that_somebody_deletes_is_made_again),
        TEST(a_long_line_is_cut_and_ends),
        TEST(processes_that_meet_the_limit_at_once_lose_nothing),
    };

    if (argc == 3) {
        return write_as(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
