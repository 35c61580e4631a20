/* SPDX-License-Identifier: MIT */
/*
 * Characters of ASCII, whatever the process's locale is: what <ctype.h> has follows the locale,
 * which in a driver is the host's. Bytes beyond ASCII belong to no class, so utf-8
 * passes unchanged.
 */
#ifndef TUTTI_ASCII_H
#define TUTTI_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char
ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static inline bool
ascii_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** True when text begins with start, in whatever case. */
static inline bool
ascii_starts_with(const char *text, const char *start)
{
    for (; *start; text++, start++) {
        if (ascii_lower(*text) != ascii_lower(*start)) {
            return false;
        }
    }
    return true;
}

/** True when two texts are the same but for case. */
static inline bool
ascii_same(const char *a, const char *b)
{
    while (*a && ascii_lower(*a) == ascii_lower(*b)) {
        a++;
        b++;
    }
    return ascii_lower(*a) == ascii_lower(*b);
}

#endif
