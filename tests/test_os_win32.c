/* SPDX-License-Identifier: MIT */
/*
 * What only Windows has to get right: handles on their way between processes of different rank,
 * sections of the wrong kind, and a pipe that a dead engine's client still holds.
 */
#include "os_fixture.h"

#include "base/file.h"
#include "os/win32/link.h"

enum { SIZE_BYTES = 65536 };

static HANDLE
open_ourselves(void)
{
    const HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, GetCurrentProcessId());
    assert_non_null(process);
    return process;
}

static void
handles_that_cannot_be_given_are_pulled_once(void **state)
{
    const HANDLE self = open_ourselves();
    struct win32_wire_handle wire[OS_LINK_MAX_HANDLES] = {{0}};
    os_handle got[OS_LINK_MAX_HANDLES];
    struct os_shm shm = {0}, adopted = {0};
    assert_int_equal(os_shm_create(&shm, SIZE_BYTES), TUTTI_OK);
    const os_handle sent[] = {OS_NO_HANDLE, shm.handle};

    assert_true(win32_handles_give(NULL, wire, sent, 2)); /* may not open the peer */
    assert_int_equal(wire[0].way, WIN32_WAY_NONE);
    assert_int_equal(wire[1].way, WIN32_WAY_PULL);
    assert_false(win32_handles_receive(NULL, wire, got)); /* nor may the peer */
    assert_true(win32_handles_receive(self, wire, got));
    assert_true(got[0] == OS_NO_HANDLE);
    assert_int_equal(os_shm_adopt(&adopted, got[1], SIZE_BYTES), TUTTI_OK);
    memcpy(adopted.base, "same", 5);
    assert_string_equal(shm.base, "same");
    os_shm_close(&adopted);
    /* the duplicate moved, nothing is left behind */
    assert_false(win32_handles_receive(self, wire, got));
    os_shm_close(&shm);
    CloseHandle(self);
}

static void
handles_are_taken_back_when_the_message_did_not_leave(void **state)
{
    const HANDLE peers[] = {NULL, open_ourselves()};
    struct os_shm shm = {0};
    assert_int_equal(os_shm_create(&shm, SIZE_BYTES), TUTTI_OK);
    for (int i = 0; i < 2; i++) {
        struct win32_wire_handle wire[OS_LINK_MAX_HANDLES] = {{0}};
        assert_true(win32_handles_give(peers[i], wire, &shm.handle, 1));
        const HANDLE copy = (HANDLE)(uintptr_t)wire[0].value;
        assert_int_equal(win32_object_type(copy), WIN32_OBJECT_SECTION);
        win32_handles_take_back(peers[i], wire);
        assert_int_equal(win32_object_type(copy), WIN32_OBJECT_OTHER);
    }
    CloseHandle(peers[1]);
    os_shm_close(&shm);
}

static void
only_sections_and_events_travel(void **state)
{
    const HANDLE self = open_ourselves();
    struct win32_wire_handle wire[OS_LINK_MAX_HANDLES] = {{0}};
    os_handle got[OS_LINK_MAX_HANDLES];
    const HANDLE mutex = CreateMutexW(NULL, FALSE, NULL);
    const os_handle sent = (os_handle)mutex;
    assert_false(win32_handles_give(self, wire, &sent, 1));

    /* a peer that names a handle of our own as given gets nothing, and we keep it */
    wire[2] = (struct win32_wire_handle){WIN32_WAY_GIVEN, (uint32_t)(uintptr_t)mutex};
    assert_false(win32_handles_receive(self, wire, got));
    assert_int_equal(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    wire[2].way = 77;
    assert_false(win32_handles_receive(self, wire, got));
    CloseHandle(mutex);
    CloseHandle(self);
}

static void
expect_refused(HANDLE section)
{
    struct os_shm shm = {0};
    assert_non_null(section);
    assert_int_equal(os_shm_adopt(&shm, (os_handle)section, SIZE_BYTES), TUTTI_PROTOCOL);
    assert_null(shm.base);
}

static void
sections_whose_pages_may_be_missing_are_refused(void **state)
{
    expect_refused(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0,
                                      SIZE_BYTES, NULL));
    char path[4096];
    assert_int_equal(os_runtime_dir(path, sizeof(path) - 16), TUTTI_OK);
    strcat(path, "\\section");
    wchar_t *wide = win32_wide(path);
    const HANDLE file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                                    FILE_FLAG_DELETE_ON_CLOSE, NULL);
    free(wide);
    assert_true(file != INVALID_HANDLE_VALUE);
    expect_refused(CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, SIZE_BYTES, NULL));
    CloseHandle(file);
}

static HANDLE
connect_raw(void)
{
    wchar_t *name = win32_link_name();
    assert_non_null(name);
    const HANDLE pipe =
        CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    free(name);
    assert_true(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

static void
malformed_messages_end_the_link(void **state)
{
    static unsigned char data[sizeof(struct win32_packet) + 100];
    /* bytes written, length said, way of the first handle */
    static const struct {
        DWORD bytes;
        uint32_t message_bytes, way;
    } messages[] = {{3, 0, 0},  {40, 0, 0}, {44, 5, 0},  {44, UINT32_MAX, 0},
                    {44, 4, 1}, {44, 4, 2}, {44, 4, 99}, {sizeof(data), sizeof(data) - 40, 0}};
    struct os_listener *listener = NULL;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct os_link *link = NULL;
        os_handle handles[OS_LINK_MAX_HANDLES];
        char message[64];
        size_t bytes;
        DWORD written;
        const HANDLE pipe = connect_raw();
        assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
        memcpy(data, &messages[i].message_bytes, sizeof(uint32_t));
        memcpy(data + 8, &messages[i].way, sizeof(uint32_t));
        assert_true(WriteFile(pipe, data, messages[i].bytes, &written, NULL));
        assert_int_equal(
            os_link_recv(link, message, sizeof(message), &bytes, handles, fixture_patience()),
            TUTTI_PROTOCOL);
        assert_int_equal(
            os_link_recv(link, message, sizeof(message), &bytes, handles, fixture_patience()),
            TUTTI_CLOSED);
        os_link_close(link);
        CloseHandle(pipe);
    }
    os_listener_close(listener);
}

static void
a_dead_engines_client_does_not_keep_the_next_engine_out(void **state)
{
    struct os_listener *listener = NULL;
    struct os_link *link = NULL, *program = NULL;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    const HANDLE lingering = connect_raw();
    assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
    os_link_close(link);
    os_listener_close(listener);

    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    assert_int_equal(os_link_connect(&program, fixture_patience()), TUTTI_OK);
    assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
    os_link_close(program);
    os_link_close(link);
    os_listener_close(listener);
    CloseHandle(lingering);
}

static void
names_carry_user_session_and_folder(void **state)
{
    wchar_t *first = win32_object_name("Local\\", "test");
    fixture_use_own_runtime_dir("other");
    wchar_t *second = win32_object_name("Local\\", "test");
    fixture_use_own_runtime_dir("run");
    wchar_t *third = win32_object_name("Local\\", "test");
    wchar_t *sid = win32_wide(win32_user_sid());
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(third);
    assert_non_null(wcsstr(first, sid));
    assert_int_not_equal(wcscmp(first, second), 0);
    assert_int_equal(wcscmp(first, third), 0);
    free(sid);
    free(third);
    free(second);
    free(first);
}

static void
a_process_tells_whose_it_is(void **state)
{
    assert_int_equal(win32_user_of_process(GetCurrentProcess()), WIN32_USER_SAME);
    assert_int_equal(win32_user_of_process(NULL), WIN32_USER_UNKNOWN);
}

/* ---- libraries ---- */

static void
a_library_is_loaded_when_it_is_there(void **state)
{
    struct os_library *library = NULL;
    char reason[256] = "";
    DWORD(WINAPI * function)(void) = NULL;
    assert_int_equal(os_library_open(&library, "no-such-library", reason), TUTTI_UNSUPPORTED);
    assert_null(library);
    assert_true(reason[0] != '\0');
    assert_int_equal(os_library_open(&library, "kernel32.dll", reason), TUTTI_OK);
    assert_false(os_library_symbol(library, "no_such_function", &function));
    assert_null(function);
    assert_true(os_library_symbol(library, "GetCurrentProcessId", &function));
    assert_int_equal(function(), os_process_id());
    os_library_close(library);
    os_library_close(NULL);
}

/* The engine serves everybody, whatever the program is that starts it. */
static void
a_started_program_has_no_low_class_and_all_processors(void **state)
{
    static const char *const argv[] = {"test", "wait", NULL};
    char module[4096];
    DWORD_PTR own, all, theirs = 0, ignored;
    uint32_t pid = 0;
    assert_int_equal(os_module_path(module, sizeof(module)), TUTTI_OK);
    assert_true(GetProcessAffinityMask(GetCurrentProcess(), &own, &all));
    assert_true(SetProcessAffinityMask(GetCurrentProcess(), own & (~own + 1)));
    assert_true(SetPriorityClass(GetCurrentProcess(), IDLE_PRIORITY_CLASS));
    const enum tutti_status status = os_process_spawn(module, argv, &pid);
    SetPriorityClass(GetCurrentProcess(), NORMAL_PRIORITY_CLASS);
    SetProcessAffinityMask(GetCurrentProcess(), own);
    assert_int_equal(status, TUTTI_OK);
    const HANDLE child =
        OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);
    assert_non_null(child);
    const DWORD class = GetPriorityClass(child);
    GetProcessAffinityMask(child, &theirs, &ignored);
    TerminateProcess(child, 0);
    WaitForSingleObject(child, FIXTURE_PATIENCE_MS);
    CloseHandle(child);
    assert_int_equal(class, NORMAL_PRIORITY_CLASS);
    assert_int_equal(theirs, all);
}

/* ---- a file that somebody reads ---- */

static DWORD WINAPI
read_for_a_moment(void *opened)
{
    FILE *file = file_open("tutti-read.txt", "rb");
    SetEvent(opened);
    Sleep(50);
    fclose(file);
    return 0;
}

static void
a_file_is_written_while_another_program_reads_it(void **state)
{
    (void)state;
    HANDLE opened = CreateEventW(NULL, FALSE, FALSE, NULL);
    assert_int_equal(file_write("tutti-read.txt", "old", 3), TUTTI_OK);
    HANDLE reader = CreateThread(NULL, 0, read_for_a_moment, opened, 0, NULL);
    WaitForSingleObject(opened, INFINITE);
    assert_int_equal(file_write("tutti-read.txt", "new", 3), TUTTI_OK);
    WaitForSingleObject(reader, INFINITE);
    CloseHandle(reader);
    CloseHandle(opened);
    assert_true(file_remove("tutti-read.txt"));
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "wait") == 0) {
        Sleep(FIXTURE_PATIENCE_MS);
        return 0;
    }
    fixture_use_own_runtime_dir("run");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_is_loaded_when_it_is_there),
        cmocka_unit_test(handles_that_cannot_be_given_are_pulled_once),
        cmocka_unit_test(handles_are_taken_back_when_the_message_did_not_leave),
        cmocka_unit_test(only_sections_and_events_travel),
        cmocka_unit_test(sections_whose_pages_may_be_missing_are_refused),
        cmocka_unit_test(malformed_messages_end_the_link),
        cmocka_unit_test(a_dead_engines_client_does_not_keep_the_next_engine_out),
        cmocka_unit_test(names_carry_user_session_and_folder),
        cmocka_unit_test(a_process_tells_whose_it_is),
        cmocka_unit_test(a_file_is_written_while_another_program_reads_it),
        cmocka_unit_test(a_started_program_has_no_low_class_and_all_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
