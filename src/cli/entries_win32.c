/* SPDX-License-Identifier: MIT */
/* Driver entries in Windows' registry. See entries.h. */
#include "cli/entries.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/ascii.h"

#define ASIO_KEY L"SOFTWARE\\ASIO"
#define CLASSES_KEY L"SOFTWARE\\Classes\\CLSID"
#define TUTTI_CLASS L"{64DF45EA-BF66-45EF-B350-D02DB142E37E}"

enum { TEXT_CHARS = 128, PATH_CHARS = 1024, COMMAND_CHARS = 2600, REGSVR_MS = 60000 };

const char *const entries_elsewhere = NULL;

static const REGSAM views[2] = {KEY_WOW64_64KEY, KEY_WOW64_32KEY};

static bool
is_64_bit_windows(void)
{
    wchar_t path[MAX_PATH];

    return sizeof(void *) == 8 || GetSystemWow64DirectoryW(path, MAX_PATH) > 0;
}

static bool
has_view(unsigned view)
{
    wchar_t path[MAX_PATH];

    return view == 0 ? is_64_bit_windows()
                     : !is_64_bit_windows() || GetSystemWow64DirectoryW(path, MAX_PATH) > 0;
}

/* ---- what is there ---- */

static struct entry *
entry_called(struct entry list[ENTRIES_MOST], unsigned *count, const wchar_t *name)
{
    char text[ENTRIES_NAME_BYTES];

    if (!WideCharToMultiByte(CP_UTF8, 0, name, -1, text, sizeof(text), NULL, NULL) ||
        (strcmp(text, "Tutti") != 0 && strncmp(text, "Tutti ", 6) != 0)) {
        return NULL;
    }
    for (unsigned i = 0; i < *count; i++) {
        if (ascii_same(list[i].name, text)) {
            return &list[i];
        }
    }
    if (*count == ENTRIES_MOST) {
        return NULL;
    }
    struct entry *entry = &list[(*count)++];
    memset(entry, 0, sizeof(*entry));
    memcpy(entry->name, text, sizeof(text));
    return entry;
}

static void
list_machine(unsigned view, struct entry list[ENTRIES_MOST], unsigned *count)
{
    wchar_t name[TEXT_CHARS];
    HKEY key;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ASIO_KEY, 0, KEY_READ | views[view], &key)) {
        return;
    }
    for (DWORD i = 0, length = TEXT_CHARS;
         RegEnumKeyExW(key, i, name, &length, NULL, NULL, NULL, NULL) == ERROR_SUCCESS;
         i++, length = TEXT_CHARS) {
        struct entry *entry = entry_called(list, count, name);
        if (entry) {
            entry->machine[view] = true;
        }
    }
    RegCloseKey(key);
}

static void
list_user(unsigned view, struct entry list[ENTRIES_MOST], unsigned *count)
{
    wchar_t class[TEXT_CHARS], name[TEXT_CHARS];
    HKEY key;

    if (RegOpenKeyExW(HKEY_CURRENT_USER, CLASSES_KEY, 0, KEY_READ | views[view], &key)) {
        return;
    }
    for (DWORD i = 0, length = TEXT_CHARS;
         RegEnumKeyExW(key, i, class, &length, NULL, NULL, NULL, NULL) == ERROR_SUCCESS;
         i++, length = TEXT_CHARS) {
        DWORD bytes = sizeof(name);
        if (RegGetValueW(key, class, NULL, RRF_RT_REG_SZ, NULL, name, &bytes)) {
            continue;
        }
        struct entry *entry = entry_called(list, count, name);
        if (entry) {
            entry->user[view] = true;
        }
    }
    RegCloseKey(key);
}

unsigned
entries_list(struct entry list[ENTRIES_MOST])
{
    unsigned count = 0;

    for (unsigned view = 0; view < 2; view++) {
        if (!has_view(view)) {
            continue;
        }
        list_machine(view, list, &count);
        list_user(view, list, &count);
    }
    return count;
}

/* ---- changing it ---- */

/* Where the driver of a view lies, as registered. */
static bool
driver_path(unsigned view, bool user, wchar_t path[PATH_CHARS])
{
    HKEY key;
    DWORD bytes = PATH_CHARS * sizeof(*path);

    if (RegOpenKeyExW(user ? HKEY_CURRENT_USER : HKEY_LOCAL_MACHINE,
                      CLASSES_KEY L"\\" TUTTI_CLASS L"\\InprocServer32", 0, KEY_READ | views[view],
                      &key)) {
        return false;
    }
    LSTATUS error = RegGetValueW(key, NULL, NULL, RRF_RT_REG_SZ, NULL, path, &bytes);
    RegCloseKey(key);
    return error == ERROR_SUCCESS;
}

static bool
may_change_machine(void)
{
    HKEY key;
    LSTATUS error =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE", 0, KEY_CREATE_SUB_KEY | KEY_SET_VALUE, &key);

    if (error == ERROR_SUCCESS) {
        RegCloseKey(key);
    }
    return error == ERROR_SUCCESS;
}

/* The folder of the system's programs of a view, as this process sees it. */
static bool
system_folder(unsigned view, wchar_t folder[MAX_PATH])
{
    if (view == 1 && is_64_bit_windows()) {
        return GetSystemWow64DirectoryW(folder, MAX_PATH) > 0;
    }
    if (view == 0 && sizeof(void *) == 4) {
        UINT length = GetWindowsDirectoryW(folder, MAX_PATH - 12);
        wcscat(folder, L"\\Sysnative");
        return length > 0;
    }
    return GetSystemDirectoryW(folder, MAX_PATH) > 0;
}

static bool
run_regsvr(unsigned view, bool add, const wchar_t *words, const wchar_t *driver)
{
    wchar_t folder[MAX_PATH], command[COMMAND_CHARS];
    STARTUPINFOW start = {.cb = sizeof(start)};
    PROCESS_INFORMATION process;
    DWORD code = 1;

    if (!system_folder(view, folder)) {
        return false;
    }
    _snwprintf(command, COMMAND_CHARS, L"\"%ls\\regsvr32.exe\" /s %ls/n /i:\"%ls\" \"%ls\"", folder,
               add ? L"" : L"/u ", words, driver);
    command[COMMAND_CHARS - 1] = L'\0';
    if (!CreateProcessW(NULL, command, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &start,
                        &process)) {
        return false;
    }
    bool ended = WaitForSingleObject(process.hProcess, REGSVR_MS) == WAIT_OBJECT_0;
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return ended && code == 0;
}

bool
entries_change(const char *profile, bool add, bool user, char why[ENTRIES_WHY_BYTES])
{
    wchar_t driver[PATH_CHARS], former[PATH_CHARS] = L"", words[TEXT_CHARS];
    unsigned found = 0, done = 0;

    if (!user && !may_change_machine()) {
        snprintf(why, ENTRIES_WHY_BYTES,
                 "a driver entry is for everybody on this machine and needs an administrator: run "
                 "this in a terminal that was opened with 'Run as administrator'");
        return false;
    }
    _snwprintf(words, TEXT_CHARS, L"%lsprofile:%hs", user ? L"user " : L"", profile);
    words[TEXT_CHARS - 1] = L'\0';
    for (unsigned view = 0; view < 2; view++) {
        /* the same file twice: Wine has one view of a user's classes */
        if (!has_view(view) || !driver_path(view, user, driver) || _wcsicmp(driver, former) == 0) {
            continue;
        }
        wcscpy(former, driver);
        found++;
        done += run_regsvr(view, add, words, driver);
    }
    if (!found) {
        snprintf(why, ENTRIES_WHY_BYTES,
                 "Tutti itself is not registered%s: 'regsvr32 %stutti.dll' does that",
                 user ? " for this user" : "", user ? "/n /i:user " : "");
    } else if (done < found) {
        snprintf(why, ENTRIES_WHY_BYTES, "the driver could not %s its entry: %s",
                 add ? "make" : "remove",
                 "its file may be gone; register Tutti again with regsvr32, and try again");
    }
    return found && done == found;
}
