/* SPDX-License-Identifier: MIT */
/* See ansi.h. One character at a time: what a code page lacks is seen, and nothing is cut in two.
 */
#include "asio/ansi.h"

#include <windows.h>

enum { CHARACTER_BYTES = 8 };

/* These take no flags and do not say what they replaced; they have every character. */
static bool
has_all(unsigned page)
{
    return page == CP_UTF8 || page == 54936;
}

/* The bytes of one character; 0: the code page does not have it. */
static int
put_character(unsigned page, const wchar_t *wide, int units, char bytes[CHARACTER_BYTES])
{
    BOOL replaced = FALSE;
    int length = has_all(page)
                     ? WideCharToMultiByte(page, 0, wide, units, bytes, CHARACTER_BYTES, NULL, NULL)
                     : WideCharToMultiByte(page, WC_NO_BEST_FIT_CHARS, wide, units, bytes,
                                           CHARACTER_BYTES, NULL, &replaced);

    return replaced || length < 0 ? 0 : length;
}

bool
ansi_copy(unsigned page, char *to, size_t room, const char *utf8)
{
    const unsigned char *at = (const unsigned char *)utf8;
    size_t length = 0;
    bool whole = true, full = false;

    while (*at) {
        wchar_t wide[2];
        char bytes[CHARACTER_BYTES] = "?";
        int step = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : *at >= 0xC0 ? 2 : 1;
        for (int i = 1; i < step; i++) {
            step = at[i] ? step : i;
        }
        int units =
            MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, (const char *)at, step, wide, 2);
        int put =
            units > 0 && *at >= 0x20 && *at != 0x7F ? put_character(page, wide, units, bytes) : 0;
        if (!put) {
            whole = false;
            bytes[0] = '?';
            put = 1;
        }
        full = full || length + (size_t)put >= room;
        for (int i = 0; i < put && !full; i++) {
            to[length++] = bytes[i];
        }
        at += step;
    }
    if (room) {
        to[length] = '\0';
    }
    return whole;
}
