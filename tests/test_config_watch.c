/* SPDX-License-Identifier: MIT */
/* The configuration's file as it changes: what a look notices, and when it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "config/config_watch.h"
#include "os/os.h"

enum { LIMIT_MS = 50, STEP_MS = 5, WAIT_MS = 10000 };

static char path[600];
static struct config_watch watch;
static struct config_text text;

/* ---- a file that does not answer ---- */

static atomic_bool hangs;

/* The linker puts it in file_look()'s place. */
void __real_file_look(const char *file, struct file_stamp *stamp);
void __wrap_file_look(const char *file, struct file_stamp *stamp);

void
__wrap_file_look(const char *file, struct file_stamp *stamp)
{
    while (atomic_load(&hangs)) {
        os_sleep_until_ns(os_now_ns() + STEP_MS * OS_NS_PER_MS);
    }
    __real_file_look(file, stamp);
}

/* ---- looking ---- */

static bool
variables(const char *name, char *value, size_t bytes)
{
    return strcmp(name, "TUTTI_CONFIG") == 0 && snprintf(value, bytes, "%s", path) > 0;
}

static bool
no_variables(const char *name, char *value, size_t bytes)
{
    return false;
}

static void
write_file(const char *content)
{
    assert_int_equal(file_write(path, content, strlen(content)), TUTTI_OK);
}

static enum config_watch_news
look(void)
{
    free(text.text);
    return config_watch_look(&watch, LIMIT_MS, &text);
}

/* A text that is there. */
#define assert_holds(content)                                                                      \
    do {                                                                                           \
        assert_int_equal(text.status, TUTTI_OK);                                                   \
        assert_string_equal(text.text ? text.text : "", content);                                  \
    } while (0)

static int
begin(void **state)
{
    const char *folder = getenv("TEMP");

    if (!folder) {
        folder = getenv("TMPDIR");
    }
    snprintf(path, sizeof(path), "%s/tutti-watch-%u.ini", folder ? folder : "/tmp",
             (unsigned)os_process_id());
    file_remove(path);
    watch = (struct config_watch){.opened = false};
    text = (struct config_text){.text = NULL};
    return 0;
}

static int
end(void **state)
{
    atomic_store(&hangs, false);
    config_watch_close(&watch);
    free(text.text);
    return file_remove(path) ? 0 : 1;
}

/* ---- tests ---- */

static void
a_change_is_noticed_once_it_stands_still_and_once(void **state)
{
    write_file("one");
    config_watch_open(&watch, variables, &text);
    assert_string_equal(watch.path, path);
    assert_holds("one");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    write_file("another");
    assert_int_equal(look(), CONFIG_WATCH_SAME); /* perhaps still being written */
    write_file("another one");
    assert_int_equal(look(), CONFIG_WATCH_SAME); /* so it was */
    assert_int_equal(look(), CONFIG_WATCH_CHANGED);
    assert_holds("another one");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    assert_null(text.text);
}

static void
a_file_comes_and_goes(void **state)
{
    config_watch_open(&watch, variables, &text);
    assert_false(watch.read.there);
    assert_holds("");
    write_file("one");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    assert_int_equal(look(), CONFIG_WATCH_CHANGED);
    assert_holds("one");
    assert_true(file_remove(path));
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    assert_int_equal(look(), CONFIG_WATCH_CHANGED);
    assert_holds("");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
}

static void
without_a_path_nothing_is_read(void **state)
{
    config_watch_open(&watch, no_variables, &text);
    assert_string_equal(watch.path, "");
    assert_holds("");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    assert_int_equal(look(), CONFIG_WATCH_SAME);
}

/* Until the thread that hung is back. */
static enum config_watch_news
await_news(void)
{
    const uint64_t deadline_ns = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    enum config_watch_news news = CONFIG_WATCH_SAME;

    while (news == CONFIG_WATCH_SAME && os_now_ns() < deadline_ns) {
        news = look();
    }
    return news;
}

static void
a_file_that_hangs_is_reported_once_and_read_again_when_it_answers(void **state)
{
    write_file("one");
    config_watch_open(&watch, variables, &text);
    atomic_store(&hangs, true);
    assert_int_equal(look(), CONFIG_WATCH_HANGS);
    assert_int_equal(text.status, TUTTI_BAD_CONFIG);
    assert_non_null(strstr(text.problem, "does not answer"));
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    atomic_store(&hangs, false);
    assert_int_equal(await_news(), CONFIG_WATCH_CHANGED);
    assert_holds("one");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
}

static void
a_file_that_hangs_at_first_is_read_when_it_answers(void **state)
{
    write_file("one");
    atomic_store(&hangs, true);
    config_watch_open(&watch, variables, &text);
    assert_true(watch.hangs);
    assert_int_equal(text.status, TUTTI_BAD_CONFIG);
    assert_int_equal(look(), CONFIG_WATCH_SAME);
    atomic_store(&hangs, false);
    assert_int_equal(await_news(), CONFIG_WATCH_CHANGED);
    assert_holds("one");
}

static void
it_may_be_opened_again(void **state)
{
    write_file("one");
    config_watch_open(&watch, variables, &text);
    free(text.text);
    write_file("another");
    config_watch_open(&watch, variables, &text);
    assert_holds("another");
    assert_int_equal(look(), CONFIG_WATCH_SAME);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_change_is_noticed_once_it_stands_still_and_once),
        TEST(a_file_comes_and_goes),
        TEST(without_a_path_nothing_is_read),
        TEST(a_file_that_hangs_is_reported_once_and_read_again_when_it_answers),
        TEST(a_file_that_hangs_at_first_is_read_when_it_answers),
        TEST(it_may_be_opened_again),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
