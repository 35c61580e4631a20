/* SPDX-License-Identifier: MIT */
/* The driver's configuration, on a libtutti of the test's own: what a host is told of it, and what
 * happens when the file changes while the host has buffers. */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asio/dll.h"
#include "asio/settings.h"
#include "base/file.h"
#include "fake_host.h"

static char path[MAX_PATH * 3];

/* ---- a file that does not answer ---- */

enum { HANG_MS = 20000, BRIEF_MS = 5000 };

static struct {
    HANDLE gate; /* set: who waits goes on */
    volatile LONG hangs, waiting;
} folder;

/* The linker puts it in file_look()'s place. */
void __real_file_look(const char *file, struct file_stamp *stamp);
void __wrap_file_look(const char *file, struct file_stamp *stamp);

void
__wrap_file_look(const char *file, struct file_stamp *stamp)
{
    if (folder.hangs && strcmp(file, path) == 0) {
        InterlockedIncrement(&folder.waiting);
        WaitForSingleObject(folder.gate, HANG_MS);
    }
    __real_file_look(file, stamp);
}

static void
folder_hangs(void)
{
    ResetEvent(folder.gate);
    folder.waiting = 0;
    folder.hangs = 1;
}

static void
folder_answers(void)
{
    folder.hangs = 0;
    SetEvent(folder.gate);
}

static void
write_file(const char *text)
{
    assert_int_equal(file_write(path, text, strlen(text)), TUTTI_OK);
}

static int
begin(void **state)
{
    wchar_t temp[MAX_PATH], wide[MAX_PATH + 64];

    GetTempPathW(MAX_PATH, temp);
    _snwprintf(wide, ARRAYSIZE(wide), L"%lsTutti J\u00f6rg \u97f3-%lu.ini", temp,
               GetCurrentProcessId());
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, sizeof(path), NULL, NULL);
    SetEnvironmentVariableW(L"TUTTI_CONFIG", wide);
    file_remove(path);
    folder.gate = CreateEventW(NULL, TRUE, TRUE, NULL);
    return fake_host_begin(state);
}

static int
end(void **state)
{
    folder_answers();
    file_remove(path);
    int failed = fake_host_end(state);
    Sleep(10); /* who waited for the gate is past it */
    CloseHandle(folder.gate);
    return failed;
}

static int32_t
preferred(void)
{
    int32_t min, max, size = 0, granularity;

    assert_int_equal(M->get_buffer_size(host.driver, &min, &max, &size, &granularity), ASIO_OK);
    return size;
}

/* Until the driver offers this: it looks at the file now and then. */
static bool
await_preferred(int32_t size)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (preferred() != size && GetTickCount64() < deadline) {
        Sleep(10);
    }
    return preferred() == size;
}

static bool
await_told(int32_t selector, LONG times)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;

    while (host.told[selector] < times && GetTickCount64() < deadline) {
        Sleep(10);
    }
    return host.told[selector] == times;
}

static void
the_file_says_what_a_host_is_offered(void **state)
{
    struct asio_channel_info info = {.channel = 0, .is_input = 1};
    int32_t inputs, outputs;

    (void)state;
    write_file("[program]\nbuffer = 128\ninput_channels = 3, 1\ninput_names = Vocal\n");
    fake_host_init();
    assert_int_equal(preferred(), 128);
    assert_int_equal(M->get_channels(host.driver, &inputs, &outputs), ASIO_OK);
    assert_int_equal(inputs, 2);
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
    assert_string_equal(info.name, "Vocal");
    info.channel = 1;
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_OK);
    assert_string_equal(info.name, "In 1");
    info.channel = 2;
    assert_int_equal(M->get_channel_info(host.driver, &info), ASIO_INVALID_PARAMETER);
}

static void
buffers_are_joined_to_the_channels_that_were_chosen(void **state)
{
    struct asio_buffer_info two[2] = {{.is_input = 1, .channel = 0}, {.is_input = 0, .channel = 1}};

    (void)state;
    write_file("[program]\ninput_channels = 4\noutput_channels = 1, 6\n");
    fake_host_init();
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks), ASIO_OK);
    assert_int_equal(fake_tutti.last->input[0].channel, 3);
    assert_int_equal(fake_tutti.last->output[0].channel, 5);
}

static void
a_mistake_is_what_get_error_message_says(void **state)
{
    (void)state;
    write_file("[program]\ninputs = 2\nbuffer = big\n");
    fake_host_init();
    fake_host_assert_says(".ini:3: buffer is a whole number from 16 to 8192, not 'big'; 256 stays");
    assert_int_equal(preferred(), 256);
}

static void
a_mono_microphone_is_offered_twice(void **state)
{
    struct asio_buffer_info two[2] = {{.is_input = 1, .channel = 0}, {.is_input = 1, .channel = 1}};
    int32_t inputs, outputs;

    (void)state;
    write_file("[program]\ninput_channels = 1, 1\n");
    fake_host_init();
    assert_int_equal(M->get_channels(host.driver, &inputs, &outputs), ASIO_OK);
    assert_int_equal(inputs, 2);
    assert_int_equal(M->create_buffers(host.driver, two, 2, 64, &callbacks), ASIO_OK);
    assert_int_equal(fake_tutti.last->input[0].channel, 0);
    assert_int_equal(fake_tutti.last->input[1].channel, 0);
}

static void
a_folder_in_the_files_place_is_an_error_text_and_no_more(void **state)
{
    wchar_t wide[MAX_PATH * 3];

    (void)state;
    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, MAX_PATH * 3);
    assert_true(CreateDirectoryW(wide, NULL));
    fake_host_init();
    assert_true(RemoveDirectoryW(wide));
    fake_host_assert_says(".ini: this is no regular file but a folder, a pipe or a device");
    assert_int_equal(preferred(), 256);
}

static void
a_changed_file_makes_a_reset_request_and_counts_after_the_buffers_are_gone(void **state)
{
    (void)state;
    write_file("[program]\nbuffer = 128\n");
    fake_host_run();
    write_file("[program]\nbuffer = 64\n");
    assert_true(await_told(ASIO_MESSAGE_RESET_REQUEST, 1));
    assert_int_equal(preferred(), 128); /* what these buffers were made by */
    assert_int_equal(M->dispose_buffers(host.driver), ASIO_OK);
    assert_int_equal(preferred(), 64);
}

static void
without_buffers_a_changed_file_counts_at_once(void **state)
{
    (void)state;
    fake_host_init();
    assert_int_equal(preferred(), 256);
    write_file("[program]\nbuffer = 512\n");
    assert_true(await_preferred(512));
    /* replaced by another file, as editors do */
    char other[sizeof(path) + 8];
    snprintf(other, sizeof(other), "%s.tmp", path);
    assert_int_equal(file_write(other, "[program]\nbuffer = 1024\n", 24), TUTTI_OK);
    assert_true(file_replace(other, path));
    assert_true(await_preferred(1024));
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
}

static void
what_does_not_concern_the_host_makes_no_reset_request(void **state)
{
    (void)state;
    write_file("[program]\nbuffer = 128\n");
    fake_host_run();
    write_file("[program]\nbuffer = 128\n[log]\nlevel = debug\n[engine]\ngrace_ms = 1\n");
    Sleep(3 * SETTINGS_LOOK_MS);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
    /* and that it was read: the next change is told */
    write_file("[program]\nbuffer = 64\n");
    assert_true(await_told(ASIO_MESSAGE_RESET_REQUEST, 1));
}

static void
a_mistake_while_it_runs_keeps_the_last_good_value(void **state)
{
    (void)state;
    write_file("[program]\nbuffer = 128\n");
    fake_host_init();
    write_file("[program]\nbuffer = 64k\ninputs = 1\n");
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    int32_t inputs = 0, outputs = 0;
    while (inputs != 1 && GetTickCount64() < deadline) {
        Sleep(10);
        M->get_channels(host.driver, &inputs, &outputs);
    }
    assert_int_equal(inputs, 1);
    assert_int_equal(preferred(), 128);
    fake_host_assert_says("128 stays");
}

static void
a_folder_that_does_not_answer_holds_init_up_for_a_limited_time_and_once(void **state)
{
    ULONGLONG began = GetTickCount64();

    (void)state;
    write_file("[program]\nbuffer = 128\n");
    folder_hangs();
    fake_host_init();
    assert_true(GetTickCount64() - began < BRIEF_MS);
    fake_host_assert_says(".ini: this does not answer; a folder on a network is away, or hangs");
    assert_int_equal(preferred(), 256);
    struct asio_driver *other = fake_host_create();
    assert_int_equal(other->methods->init(other, NULL), 1);
    other->methods->release(other);
    Sleep(3 * SETTINGS_LOOK_MS); /* the first one looks on */
    assert_int_equal(folder.waiting, 1);
    folder_answers();
    assert_true(await_preferred(128));
}

static void
a_folder_that_hangs_while_the_host_plays_leaves_the_last_good_values(void **state)
{
    ULONGLONG deadline = GetTickCount64() + BRIEF_MS;
    char text[128] = "";

    (void)state;
    write_file("[program]\nbuffer = 128\n");
    fake_host_run();
    folder_hangs();
    write_file("[program]\nbuffer = 64\n");
    while (!strstr(text, "this does not answer") && GetTickCount64() < deadline) {
        Sleep(10);
        M->get_error_message(host.driver, text);
    }
    fake_host_assert_says("this does not answer");
    assert_int_equal(preferred(), 128);
    assert_int_equal(host.told[ASIO_MESSAGE_RESET_REQUEST], 0);
    assert_int_equal(folder.waiting, 1);
    folder_answers();
    assert_true(await_told(ASIO_MESSAGE_RESET_REQUEST, 1));
}

static void
an_object_ends_while_the_folder_hangs_and_the_next_starts_no_second_thread(void **state)
{
    ULONGLONG deadline = GetTickCount64() + BRIEF_MS;

    (void)state;
    write_file("[program]\nbuffer = 128\n");
    folder_hangs();
    for (unsigned i = 0; i < 3; i++) {
        fake_host_go_to(STATE_INITIALIZED);
    }
    M->release(host.driver);
    while (DllCanUnloadNow() != S_OK && GetTickCount64() < deadline) {
        Sleep(10);
    }
    assert_int_equal(DllCanUnloadNow(), S_OK);
    assert_int_equal(folder.waiting, 1);
    folder_answers();
    Sleep(SETTINGS_LOOK_MS); /* the thread is back, finds nobody and ends */
    host.driver = fake_host_create();
    fake_host_init();
    assert_int_equal(preferred(), 128);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_file_says_what_a_host_is_offered),
        TEST(buffers_are_joined_to_the_channels_that_were_chosen),
        TEST(a_mistake_is_what_get_error_message_says),
        TEST(a_mono_microphone_is_offered_twice),
        TEST(a_folder_in_the_files_place_is_an_error_text_and_no_more),
        TEST(a_changed_file_makes_a_reset_request_and_counts_after_the_buffers_are_gone),
        TEST(without_buffers_a_changed_file_counts_at_once),
        TEST(what_does_not_concern_the_host_makes_no_reset_request),
        TEST(a_mistake_while_it_runs_keeps_the_last_good_value),
        TEST(a_folder_that_does_not_answer_holds_init_up_for_a_limited_time_and_once),
        TEST(a_folder_that_hangs_while_the_host_plays_leaves_the_last_good_values),
        TEST(an_object_ends_while_the_folder_hangs_and_the_next_starts_no_second_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
