/* SPDX-License-Identifier: MIT */
/* What the command needs of Windows. See platform.h. */
#include <windows.h>
#include <shellapi.h>

#define ENABLE_SNDFILE_WINDOWS_PROTOTYPES 1
#include "cli/platform.h"
#include "cli/commands.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { CLOSING_MS = 4000 }; /* Windows ends a process 5 s after its console was closed */

static atomic_bool interrupted;

const command_run command_runs[] = {
#define RUN(name, system) RUN_##system(name),
#define RUN_ANYWHERE(name) command_##name##_run
#define RUN_LINUX(name) NULL
    COMMAND_TABLE(RUN)};

bool
platform_can_ask(void)
{
    DWORD mode = 0;

    return GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode) != 0;
}

static BOOL WINAPI
on_control(DWORD kind)
{
    atomic_store(&interrupted, true);
    /* The process ends when this returns from a closing console; the main thread ends it sooner. */
    if (kind == CTRL_CLOSE_EVENT || kind == CTRL_LOGOFF_EVENT || kind == CTRL_SHUTDOWN_EVENT) {
        Sleep(CLOSING_MS);
    }
    return TRUE;
}

void
platform_catch_interrupts(void)
{
    SetConsoleCtrlHandler(on_control, TRUE);
}

bool
platform_interrupted(void)
{
    return atomic_load(&interrupted);
}

void
platform_sleep_ms(unsigned ms)
{
    Sleep(ms);
}

static bool
to_wide(const char *utf8, wchar_t *wide, int room)
{
    return MultiByteToWideChar(CP_UTF8, 0, utf8, -1, wide, room) > 0;
}

bool
platform_getenv(const char *name, char *value, size_t value_bytes)
{
    wchar_t wide_name[128], wide[1024];

    if (!to_wide(name, wide_name, ARRAYSIZE(wide_name))) {
        return false;
    }
    DWORD length = GetEnvironmentVariableW(wide_name, wide, ARRAYSIZE(wide));
    if (length >= ARRAYSIZE(wide) || (length == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND)) {
        return false;
    }
    wide[length] = L'\0';
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, value, (int)value_bytes, NULL, NULL) > 0;
}

void
platform_make_folder_of(const char *path)
{
    wchar_t wide[1024];

    if (!to_wide(path, wide, ARRAYSIZE(wide))) {
        return;
    }
    for (wchar_t *at = wide; *at; at++) {
        if ((*at != L'\\' && *at != L'/') || at == wide) {
            continue;
        }
        wchar_t separator = *at;
        *at = L'\0';
        CreateDirectoryW(wide, NULL);
        *at = separator;
    }
}

uint32_t
platform_pid(void)
{
    return GetCurrentProcessId();
}

bool
platform_process_runs(uint32_t pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);

    if (!process) {
        return false;
    }
    bool runs = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    CloseHandle(process);
    return runs;
}

static const char *volatile watched;

static void CALLBACK
on_alarm(void *parameter, BOOLEAN fired)
{
    DWORD written;
    const char *sentence = watched;

    if (sentence) {
        WriteFile(GetStdHandle(STD_ERROR_HANDLE), sentence, (DWORD)strlen(sentence), &written,
                  NULL);
    }
    TerminateProcess(GetCurrentProcess(), 1);
}

void
platform_watch(unsigned seconds, const char *sentence)
{
    static HANDLE timer;

    if (timer) {
        DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE);
    }
    timer = NULL;
    watched = sentence;
    if (seconds) {
        CreateTimerQueueTimer(&timer, NULL, on_alarm, NULL, seconds * 1000, 0, WT_EXECUTEONLYONCE);
    }
}

SNDFILE *
platform_open_sound(const char *path, int mode, SF_INFO *info)
{
    WCHAR wide[32768];
    int room = (int)(sizeof(wide) / sizeof(*wide));

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, room) == 0) {
        return sf_open(path, mode, info);
    }
    return sf_wchar_open(wide, mode, info);
}
