/* SPDX-License-Identifier: MIT */
/* Text that crosses a border: copying into fixed fields without cutting a character, and checking
 * what came from outside. */
#ifndef TUTTI_UTF8_H
#define TUTTI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/** Copies zero-terminated utf-8 into to[room], cut at a character boundary, always terminated.
 * Malformed bytes become '?'. */
void utf8_copy(char *to, size_t room, const char *from);
/** True when text[0..room) holds a terminator and well-formed utf-8 without control characters
 * before it. */
bool utf8_check(const char *text, size_t room);

#endif
