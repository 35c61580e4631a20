/* SPDX-License-Identifier: MIT */
/* The log: what a line holds, which lines are written, and files that are put aside. */
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

static char folder[400], path[512];

/* The file, or path.n for n > 0; "" when it is not there. The caller's. */
static char *
content(unsigned n)
{
    char name[600], *text = NULL;
    size_t bytes = 0;

    snprintf(name, sizeof name, n ? "%s.%u" : "%s", path, n);
    assert_int_equal(file_read(name, 1 << 20, &text, &bytes), TUTTI_OK);
    return text;
}

static void
remove_all(void)
{
    char name[600];

    for (unsigned n = 0; n < 6; n++) {
        snprintf(name, sizeof name, n ? "%s.%u" : "%s", path, n);
        assert_true(file_remove(name));
    }
}

static int
begin(void **state)
{
    (void)state;
    const char *temp = getenv("TEMP");
    if (!temp)
        temp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s", temp ? temp : "/tmp");
    snprintf(path, sizeof path, "%s/tutti-test-%u-J\xc3\xb6rg.log", folder,
             (unsigned)os_process_id());
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
    for (unsigned i = first; i < first + count; i++)
        log_info("line %04u ..........................................", i);
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
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    log_info("%s", longer);
    char *text = content(0);
    assert_true(strlen(text) > 500 && strlen(text) < 1100);
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_line_tells_time_level_process_and_what),
        TEST(the_level_is_changed_while_it_is_open),
        TEST(a_long_file_is_put_aside_and_so_many_are_kept),
        TEST(with_none_kept_it_begins_anew),
        TEST(a_file_that_somebody_deletes_is_made_again),
        TEST(a_long_line_is_cut_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
