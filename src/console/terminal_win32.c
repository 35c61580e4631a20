/* SPDX-License-Identifier: MIT */
#include <windows.h>
#include <shellapi.h>

#include "console/terminal.h"

#include <stdlib.h>

static UINT old_code_page;
static DWORD old_mode[2];
static bool mode_changed[2];

static HANDLE
console(bool error)
{
    return GetStdHandle(error ? STD_ERROR_HANDLE : STD_OUTPUT_HANDLE);
}

static char *
to_utf8(const WCHAR *wide)
{
    int bytes = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *utf8 = bytes > 0 ? malloc((size_t)bytes) : NULL;

    if (utf8) {
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, utf8, bytes, NULL, NULL);
    }
    return utf8;
}

static bool
read_arguments(int *argc, char ***argv)
{
    int count = 0;
    WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **utf8 = wide ? calloc((size_t)count + 1, sizeof(*utf8)) : NULL;
    bool done = utf8 != NULL;

    for (int i = 0; done && i < count; i++) {
        utf8[i] = to_utf8(wide[i]);
        done = utf8[i] != NULL;
    }
    if (wide) {
        LocalFree(wide);
    }
    if (!done) {
        return false; /* the process ends: what was allocated goes with it */
    }
    *argc = count;
    *argv = utf8;
    return true;
}

bool
terminal_begin(int *argc, char ***argv)
{
    old_code_page = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
    for (int i = 0; i < 2; i++) {
        DWORD mode = 0;
        if (GetConsoleMode(console(i), &mode)) {
            old_mode[i] = mode;
            mode_changed[i] = SetConsoleMode(console(i), mode | ENABLE_PROCESSED_OUTPUT |
                                                             ENABLE_VIRTUAL_TERMINAL_PROCESSING);
        }
    }
    return read_arguments(argc, argv);
}

void
terminal_end(void)
{
    for (int i = 0; i < 2; i++) {
        if (mode_changed[i]) {
            SetConsoleMode(console(i), old_mode[i]);
        }
    }
    if (old_code_page) {
        SetConsoleOutputCP(old_code_page);
    }
}

void
terminal_style(bool error, struct style *style)
{
    DWORD mode = 0;
    WCHAR no_colour[2];

    style->terminal = GetConsoleMode(console(error), &mode) != 0;
    style->cursor = style->terminal && mode_changed[error];
    style->colour = style->cursor && GetEnvironmentVariableW(L"NO_COLOR", no_colour, 2) == 0;
    style->unicode = true;
    style->columns = terminal_columns(error);
}

unsigned
terminal_columns(bool error)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(console(error), &info)) {
        return 0;
    }
    return (unsigned)(info.srWindow.Right - info.srWindow.Left + 1);
}

unsigned
terminal_lines(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(console(false), &info)) {
        return 0;
    }
    return (unsigned)(info.srWindow.Bottom - info.srWindow.Top + 1);
}
