/* SPDX-License-Identifier: MIT */
/*
 * Driver entries in a real registry: what registering leaves there and what is left after it, and
 * hosts that create several entries at once, on an engine with the virtual sound card.
 *
 * usage: test_asio_profiles tutti.dll tuttid.exe tutti.exe [the 64-bit tutti.dll, for a 32-bit
 * test]
 */
#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <objbase.h>

#include "asio/entry.h"
#include "base/file.h"

enum { PATIENCE_MS = 30000, SNAPSHOT_BYTES = 1 << 20 };

static const struct asio_guid tutti_clsid = {
    0x64df45ea, 0xbf66, 0x45ef, {0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e}};

static const char configuration[] = "[sim]\ncable = 37\n"
                                    "[profile Low Latency]\n"
                                    "program.buffer = 64\n"
                                    "program.buffer_min = 64\n"
                                    "program.buffer_max = 64\n"
                                    "program.input_channels = 2, 5\n"
                                    "program.input_names = Vocal, Guitar\n"
                                    "[profile Elsewhere]\n"
                                    "device.name = Second virtual sound card\n"
                                    "[profile Gone]\n"
                                    "device.name = hw:USB,0\n";

static HMODULE dll;
static const char *tutti_path, *other_path;
static char config_path[MAX_PATH + 64], folder[MAX_PATH + 64];

/* ---- the module's entry points ---- */

typedef HRESULT(WINAPI *plain_fn)(void);
typedef HRESULT(WINAPI *install_fn)(BOOL, LPCWSTR);
typedef HRESULT(WINAPI *get_class_fn)(REFCLSID, REFIID, LPVOID *);

static HRESULT
call_plain(const char *name)
{
    FARPROC found = GetProcAddress(dll, name);
    plain_fn plain;

    assert_non_null(found);
    memcpy(&plain, &found, sizeof(plain));
    return plain();
}

static HRESULT
call_install(bool install, const wchar_t *words)
{
    FARPROC found = GetProcAddress(dll, "DllInstall");
    install_fn call;

    assert_non_null(found);
    memcpy(&call, &found, sizeof(call));
    return call(install, words);
}

static HRESULT
get_class(const struct asio_guid *guid, void **object)
{
    static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    FARPROC found = GetProcAddress(dll, "DllGetClassObject");
    get_class_fn call;
    CLSID clsid;

    memcpy(&call, &found, sizeof(call));
    memcpy(&clsid, guid, sizeof(clsid));
    return call(&clsid, &class_factory, object);
}

/* ---- the registry as text ---- */

struct snapshot {
    char *text;
    size_t length;
};

static void
add_key(struct snapshot *shot, HKEY key, const char *path)
{
    char name[256], below[600];
    BYTE data[600];
    DWORD length, bytes, type;

    for (DWORD i = 0;; i++) {
        length = sizeof(name);
        bytes = sizeof(data);
        LSTATUS error = RegEnumValueA(key, i, name, &length, NULL, &type, data, &bytes);
        if (error) {
            break;
        }
        shot->length += (size_t)snprintf(shot->text + shot->length, SNAPSHOT_BYTES - shot->length,
                                         "%s|%s=%lu:%lu\n", path, name, type, bytes);
        assert_true(shot->length < SNAPSHOT_BYTES - 2000);
    }
    for (DWORD i = 0;; i++) {
        HKEY sub;
        length = sizeof(name);
        if (RegEnumKeyExA(key, i, name, &length, NULL, NULL, NULL, NULL)) {
            break;
        }
        snprintf(below, sizeof(below), "%s\\%s", path, name);
        shot->length += (size_t)snprintf(shot->text + shot->length, SNAPSHOT_BYTES - shot->length,
                                         "%s\n", below);
        if (!RegOpenKeyExA(key, name, 0, KEY_READ, &sub)) {
            add_key(shot, sub, below);
            RegCloseKey(sub);
        }
    }
}

/* Everything that drivers and classes have, for the machine and for this user. */
static struct snapshot
take_snapshot(void)
{
    static const struct {
        HKEY root;
        const char *path;
    } places[] = {{HKEY_LOCAL_MACHINE, "SOFTWARE\\ASIO"},
                  {HKEY_LOCAL_MACHINE, "SOFTWARE\\Classes\\CLSID"},
                  {HKEY_CURRENT_USER, "SOFTWARE\\ASIO"},
                  {HKEY_CURRENT_USER, "SOFTWARE\\Classes\\CLSID"}};
    struct snapshot shot = {.text = calloc(1, SNAPSHOT_BYTES)};

    for (unsigned i = 0; i < 4; i++) {
        HKEY key;
        if (RegOpenKeyExA(places[i].root, places[i].path, 0, KEY_READ, &key)) {
            continue;
        }
        shot.length += (size_t)snprintf(shot.text + shot.length, SNAPSHOT_BYTES - shot.length,
                                        "%u %s\n", i, places[i].path);
        add_key(&shot, key, places[i].path);
        RegCloseKey(key);
    }
    return shot;
}

static bool
is_listed_in(const char *name, REGSAM view)
{
    char path[128];
    HKEY key;

    snprintf(path, sizeof(path), "SOFTWARE\\ASIO\\%s", name);
    if (RegOpenKeyExA(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | view, &key)) {
        return false;
    }
    RegCloseKey(key);
    return true;
}

static bool
is_listed(const char *name)
{
    return is_listed_in(name, 0);
}

static struct asio_guid
clsid_of(const char *profile)
{
    struct dll_name entry;
    char reason[CONFIG_TEXT_BYTES];

    if (!profile) {
        return tutti_clsid;
    }
    assert_true(entry_of_profile(profile, &entry, reason));
    return entry.clsid;
}

static int
begin(void **state)
{
    (void)state;
    /* what another test may have left */
    call_plain("DllUnregisterServer");
    call_install(false, L"user");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    call_plain("DllUnregisterServer");
    return FAILED(call_install(false, L"user")) ? -1 : 0;
}

/* ---- registering ---- */

static void
registering_and_back_leaves_the_registry_as_it_was(void **state)
{
    struct snapshot before = take_snapshot();

    (void)state;
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(call_install(true, L"profile:Low Latency"), S_OK);
    assert_int_equal(call_install(true, L"profile:Tutti Wide"), S_OK);
    assert_true(is_listed("Tutti") && is_listed("Tutti Low Latency") && is_listed("Tutti Wide"));
    struct snapshot there = take_snapshot();
    assert_string_not_equal(before.text, there.text);
    /* again, as an update does: the profiles stay */
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    struct snapshot again = take_snapshot();
    assert_string_equal(there.text, again.text);
    assert_int_equal(call_plain("DllUnregisterServer"), S_OK);
    struct snapshot after = take_snapshot();
    assert_string_equal(before.text, after.text);
    free(before.text);
    free(there.text);
    free(again.text);
    free(after.text);
}

static void
one_profile_comes_and_goes(void **state)
{
    (void)state;
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    struct snapshot before = take_snapshot();
    assert_int_equal(call_install(true, L"profile:Low Latency"), S_OK);
    assert_int_equal(call_install(false, L"profile:low latency"), S_OK);
    struct snapshot after = take_snapshot();
    assert_string_equal(before.text, after.text);
    assert_int_equal(call_install(false, L"profile:never was"), S_OK);
    assert_int_equal(call_install(true, L"profile:a\\b"), E_INVALIDARG);
    assert_int_equal(call_install(true, L"nonsense"), E_INVALIDARG);
    free(before.text);
    free(after.text);
}

static void
exactly_the_profiles_that_are_named_remain(void **state)
{
    (void)state;
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(call_install(true, L"profiles:One,Two"), S_OK);
    assert_true(is_listed("Tutti One") && is_listed("Tutti Two"));
    assert_int_equal(call_install(true, L"profiles:Two,Three"), S_OK);
    assert_true(!is_listed("Tutti One") && is_listed("Tutti Two") && is_listed("Tutti Three"));
    assert_int_equal(call_install(true, L"profiles:"), S_OK);
    assert_true(!is_listed("Tutti Two") && !is_listed("Tutti Three") && is_listed("Tutti"));
}

static void
what_another_maker_registered_stays(void **state)
{
    static const char path[] = "SOFTWARE\\ASIO\\Tutti Frutti by somebody";
    static const char clsid[] = "{11111111-2222-3333-4444-555555555555}";
    HKEY key;

    (void)state;
    assert_int_equal(
        RegCreateKeyExA(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL),
        ERROR_SUCCESS);
    RegSetValueExA(key, "CLSID", 0, REG_SZ, (const BYTE *)clsid, sizeof(clsid));
    RegCloseKey(key);
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(call_plain("DllUnregisterServer"), S_OK);
    assert_true(is_listed("Tutti Frutti by somebody"));
    assert_false(is_listed("Tutti"));
    RegDeleteKeyA(HKEY_LOCAL_MACHINE, path);
    RegDeleteKeyA(HKEY_LOCAL_MACHINE, "SOFTWARE\\ASIO");
}

static bool
classes_root_shows_the_users(void)
{
    HKEY key;

    if (RegOpenKeyExA(HKEY_CLASSES_ROOT, "CLSID\\{64DF45EA-BF66-45EF-B350-D02DB142E37E}", 0,
                      KEY_READ, &key)) {
        return false;
    }
    RegCloseKey(key);
    return true;
}

static void
for_one_user_classes_are_there_and_the_list_is_not(void **state)
{
    struct snapshot before = take_snapshot();
    struct asio_guid guid = clsid_of("Mine");
    void *object = NULL;
    CLSID clsid;

    (void)state;
    assert_int_equal(call_install(true, L"user"), S_OK);
    assert_int_equal(call_install(true, L"user profile:Mine"), S_OK);
    assert_false(is_listed("Tutti"));
    assert_int_equal(get_class(&guid, &object), S_OK);
    ((IUnknown *)object)->lpVtbl->Release(object);
    memcpy(&clsid, &guid, sizeof(clsid));
    /* Wine's COM looks at the machine's classes alone */
    if (classes_root_shows_the_users()) {
        assert_int_equal(CoCreateInstance(&clsid, NULL, CLSCTX_INPROC_SERVER, &clsid, &object),
                         S_OK);
        ((struct asio_driver *)object)->methods->release(object);
        CoFreeUnusedLibraries();
    }
    assert_int_equal(call_install(false, L"user"), S_OK);
    struct snapshot after = take_snapshot();
    assert_string_equal(before.text, after.text);
    free(before.text);
    free(after.text);
}

static void
a_class_is_served_while_it_is_registered_and_no_other_is(void **state)
{
    struct asio_guid low = clsid_of("Low Latency");
    void *object = NULL;

    (void)state;
    assert_int_equal(get_class(&low, &object), CLASS_E_CLASSNOTAVAILABLE);
    assert_null(object);
    assert_int_equal(get_class(&tutti_clsid, &object), S_OK);
    ((IUnknown *)object)->lpVtbl->Release(object);
    assert_int_equal(call_install(true, L"profile:Low Latency"), S_OK);
    assert_int_equal(get_class(&low, &object), S_OK);
    ((IUnknown *)object)->lpVtbl->Release(object);
    low.data1++;
    assert_int_equal(get_class(&low, &object), CLASS_E_CLASSNOTAVAILABLE);
}

/* ---- the command ---- */

static int
run_program(const char *path, const char *arguments)
{
    char command[1200];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION process;
    DWORD code = 255;

    snprintf(command, sizeof(command), "\"%s\" %s", path, arguments);
    assert_true(CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process));
    WaitForSingleObject(process.hProcess, 60000);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return (int)code;
}

static int
run_tutti(const char *arguments)
{
    return run_program(tutti_path, arguments);
}

static void
the_command_makes_and_removes_entries(void **state)
{
    (void)state;
    assert_int_equal(run_tutti("profile add Early"), 1); /* Tutti itself is not there yet */
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    struct snapshot before = take_snapshot();
    assert_int_equal(run_tutti("profile add \"Low Latency\""), 0);
    assert_true(is_listed("Tutti Low Latency"));
    assert_int_equal(run_tutti("profile list"), 0);
    assert_int_equal(run_tutti("profile remove \"tutti low latency\""), 0);
    struct snapshot after = take_snapshot();
    assert_string_equal(before.text, after.text);
    free(before.text);
    free(after.text);
}

static void
the_command_serves_the_programs_of_both_kinds(void **state)
{
    static const char regsvr[] = "C:\\windows\\sysnative\\regsvr32.exe";
    char add[600], take[600];

    (void)state;
    if (!other_path) {
        skip();
    }
    snprintf(add, sizeof(add), "/s \"%s\"", other_path);
    snprintf(take, sizeof(take), "/s /u \"%s\"", other_path);
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(run_program(regsvr, add), 0);
    assert_int_equal(run_tutti("profile add Both"), 0);
    assert_true(is_listed_in("Tutti Both", KEY_WOW64_32KEY));
    assert_true(is_listed_in("Tutti Both", KEY_WOW64_64KEY));
    assert_int_equal(run_tutti("profile list"), 0);
    assert_int_equal(run_tutti("profile remove Both"), 0);
    assert_false(is_listed_in("Tutti Both", KEY_WOW64_32KEY));
    assert_false(is_listed_in("Tutti Both", KEY_WOW64_64KEY));
    assert_int_equal(run_program(regsvr, take), 0);
    assert_false(is_listed_in("Tutti", KEY_WOW64_64KEY));
    assert_true(is_listed_in("Tutti", KEY_WOW64_32KEY));
}

static void
the_command_makes_entries_for_one_user(void **state)
{
    struct asio_guid guid = clsid_of("Mine");
    void *object = NULL;

    (void)state;
    assert_int_equal(call_install(true, L"user"), S_OK);
    assert_int_equal(run_tutti("profile add --user Mine"), 0);
    assert_false(is_listed("Tutti Mine"));
    assert_int_equal(get_class(&guid, &object), S_OK);
    ((IUnknown *)object)->lpVtbl->Release(object);
    assert_int_equal(run_tutti("profile remove --user Mine"), 0);
    assert_int_equal(get_class(&guid, &object), CLASS_E_CLASSNOTAVAILABLE);
}

/* ---- hosts ---- */

static volatile LONG blocks[2];

static void TUTTI_ASIO_HOST
first_switch(int32_t half, int32_t direct)
{
    (void)half;
    (void)direct;
    InterlockedIncrement(&blocks[0]);
}

static void TUTTI_ASIO_HOST
second_switch(int32_t half, int32_t direct)
{
    (void)half;
    (void)direct;
    InterlockedIncrement(&blocks[1]);
}

static const struct asio_callbacks callbacks[2] = {{.buffer_switch = first_switch},
                                                   {.buffer_switch = second_switch}};

static struct asio_driver *
create_entry(const char *profile)
{
    struct asio_guid guid = clsid_of(profile);
    void *object = NULL;
    CLSID clsid;

    memcpy(&clsid, &guid, sizeof(clsid));
    assert_int_equal(CoCreateInstance(&clsid, NULL, CLSCTX_INPROC_SERVER, &clsid, &object), S_OK);
    struct asio_driver *driver = object;
    if (!driver->methods->init(driver, NULL)) {
        char text[ASIO_ERROR_BYTES];
        driver->methods->get_error_message(driver, text);
        fail_msg("init: %s", text);
    }
    return driver;
}

static void
run(unsigned i, struct asio_driver *driver, int32_t frames)
{
    struct asio_buffer_info infos[2] = {{.is_input = 0, .channel = 0},
                                        {.is_input = 1, .channel = 1}};

    assert_int_equal(driver->methods->create_buffers(driver, infos, 2, frames, &callbacks[i]),
                     ASIO_OK);
    blocks[i] = 0;
    assert_int_equal(driver->methods->start(driver), ASIO_OK);
}

static bool
await_blocks(unsigned i)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    LONG wanted = blocks[i] + 4;

    while (blocks[i] < wanted && GetTickCount64() < deadline) {
        Sleep(1);
    }
    return blocks[i] >= wanted;
}

static void
a_profile_is_an_entry_with_its_own_settings_and_plays_beside_the_first(void **state)
{
    int32_t min, max, preferred, granularity, inputs, outputs;
    struct asio_channel_info info = {.channel = 1, .is_input = 1};
    char name[ASIO_NAME_BYTES];

    (void)state;
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(call_install(true, L"profile:Low Latency"), S_OK);
    struct asio_driver *plain = create_entry(NULL), *low = create_entry("Low Latency");
    low->methods->get_driver_name(low, name);
    assert_string_equal(name, "Tutti Low Latency");
    low->methods->get_buffer_size(low, &min, &max, &preferred, &granularity);
    assert_true(min == 64 && max == 64 && preferred == 64 && granularity == 0);
    low->methods->get_channels(low, &inputs, &outputs);
    assert_true(inputs == 2 && outputs == 8);
    low->methods->get_channel_info(low, &info);
    assert_string_equal(info.name, "Guitar");
    plain->methods->get_driver_name(plain, name);
    assert_string_equal(name, "Tutti");
    plain->methods->get_buffer_size(plain, &min, &max, &preferred, &granularity);
    assert_true(min == 32 && max == 2048 && preferred == 256 && granularity == -1);
    plain->methods->get_channels(plain, &inputs, &outputs);
    assert_int_equal(inputs, 8);
    run(0, plain, 256);
    run(1, low, 64);
    assert_true(await_blocks(0));
    assert_true(await_blocks(1));
    plain->methods->release(plain);
    low->methods->release(low);
}

static void
profiles_of_two_devices_play_at_the_same_time(void **state)
{
    struct asio_buffer_info infos[1] = {{.is_input = 0, .channel = 0}};

    (void)state;
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(call_install(true, L"profile:Elsewhere"), S_OK);
    struct asio_driver *plain = create_entry(NULL), *other = create_entry("Elsewhere");
    assert_int_not_equal(other->methods->create_buffers(other, infos, 1, 3, &callbacks[1]),
                         ASIO_OK); /* the log tells of it */
    run(0, plain, 256);
    assert_true(await_blocks(0));
    run(1, other, 256);
    assert_true(await_blocks(1));
    assert_true(await_blocks(0));
    plain->methods->release(plain);
    assert_true(await_blocks(1));
    other->methods->release(other);
}

static void
a_profile_whose_device_is_not_there_says_so(void **state)
{
    char text[ASIO_ERROR_BYTES];
    int32_t inputs, outputs;

    (void)state;
    assert_int_equal(call_plain("DllRegisterServer"), S_OK);
    assert_int_equal(call_install(true, L"profile:Gone"), S_OK);
    struct asio_driver *gone = create_entry("Gone");
    assert_int_equal(gone->methods->get_channels(gone, &inputs, &outputs), ASIO_NOT_PRESENT);
    gone->methods->get_error_message(gone, text);
    assert_non_null(strstr(text, "hw:USB,0"));
    gone->methods->release(gone);
}

static void
the_log_tells_which_program_did_what(void **state)
{
    char path[MAX_PATH + 96], *text = NULL, *line;
    size_t bytes = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s\\driver.log", folder);
    assert_int_equal(file_read(path, 1 << 20, &text, &bytes), TUTTI_OK);
    line = strstr(text, "createBuffers failed");
    assert_non_null(line);
    assert_non_null(strstr(text, "test_asio_profiles.exe["));
    assert_non_null(strstr(text, "'Tutti Elsewhere'"));
    /* under Wine, without the native parts, that they are not there */
    if (GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version")) {
        assert_non_null(strstr(text, "Wine: there is no tutti-bridge, so this program plays "
                                     "through Wine's own sound system"));
    }
    free(text);
    /* and the engine its own */
    snprintf(path, sizeof(path), "%s\\tuttid.log", folder);
    assert_int_equal(file_read(path, 1 << 20, &text, &bytes), TUTTI_OK);
    assert_non_null(strstr(text, "profile 'Elsewhere'"));
    free(text);
}

static void
set_path(const wchar_t *name, const char *path)
{
    wchar_t wide[MAX_PATH + 64];

    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, ARRAYSIZE(wide));
    SetEnvironmentVariableW(name, wide);
}

int
main(int argc, char **argv)
{
    char temp[MAX_PATH];
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(registering_and_back_leaves_the_registry_as_it_was),
        TEST(one_profile_comes_and_goes),
        TEST(exactly_the_profiles_that_are_named_remain),
        TEST(what_another_maker_registered_stays),
        TEST(for_one_user_classes_are_there_and_the_list_is_not),
        TEST(a_class_is_served_while_it_is_registered_and_no_other_is),
        TEST(the_command_makes_and_removes_entries),
        TEST(the_command_serves_the_programs_of_both_kinds),
        TEST(the_command_makes_entries_for_one_user),
        TEST(a_profile_is_an_entry_with_its_own_settings_and_plays_beside_the_first),
        TEST(profiles_of_two_devices_play_at_the_same_time),
        TEST(a_profile_whose_device_is_not_there_says_so),
        TEST(the_log_tells_which_program_did_what),
    };

    if (argc < 4) {
        fprintf(stderr, "usage: %s tutti.dll tuttid.exe tutti.exe [tutti.dll]\n", argv[0]);
        return 2;
    }
    tutti_path = argv[3];
    other_path = argv[4]; /* NULL after the last one */
    /* a name that is in no code page of Windows */
    GetTempPathA(sizeof(temp), temp);
    snprintf(folder, sizeof(folder), "%stutti J\xc3\xb6rg \xe9\x9f\xb3-%lu", temp,
             GetCurrentProcessId());
    snprintf(config_path, sizeof(config_path), "%s.ini", folder);
    if (file_write(config_path, configuration, strlen(configuration))) {
        return 1;
    }
    set_path(L"TUTTI_RUNTIME_DIR", folder);
    set_path(L"TUTTI_CONFIG", config_path);
    SetEnvironmentVariableA("TUTTI_ENGINE", argv[2]);
    SetEnvironmentVariableA("TUTTI_DEVICE_BACKEND", "sim");
    SetEnvironmentVariableA("TUTTI_ENGINE_GRACE_MS", "500");
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    dll = LoadLibraryA(argv[1]);
    if (!dll) {
        fprintf(stderr, "%s cannot be loaded: %lu\n", argv[1], GetLastError());
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove(config_path);
    return failed;
}
