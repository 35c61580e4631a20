/* SPDX-License-Identifier: MIT */
/* Text between Tutti (utf-8) and Windows (UTF-16), and Windows' errors in the log. */
#include "win32.h"

#include <stdlib.h>
#include <wchar.h>

#include "base/log.h"

wchar_t *
win32_wide(const char *text)
{
    const int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (count <= 0) {
        return NULL;
    }
    wchar_t *wide = malloc((size_t)count * sizeof(*wide));
    if (wide != NULL) {
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, count);
    }
    return wide;
}

bool
win32_utf8(char *to, size_t room, const wchar_t *text)
{
    const int bytes = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    if (bytes <= 0 || (size_t)bytes > room) {
        return false;
    }
    return WideCharToMultiByte(CP_UTF8, 0, text, -1, to, bytes, NULL, NULL) == bytes;
}

void
win32_log_failure(const char *what, DWORD error)
{
    wchar_t wide[256];
    char text[512];
    const DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                                           FORMAT_MESSAGE_MAX_WIDTH_MASK,
                                       NULL, error, 0, wide, sizeof(wide) / sizeof(wide[0]), NULL);
    if (count == 0 || !win32_utf8(text, sizeof(text), wide)) {
        text[0] = '\0';
    }
    log_error("cannot %s: error %lu %s", what, error, text);
}

FARPROC
win32_function(const wchar_t *dll, const char *name)
{
    const HMODULE module = GetModuleHandleW(dll);
    return module != NULL ? GetProcAddress(module, name) : NULL;
}
