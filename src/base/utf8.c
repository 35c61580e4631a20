/* SPDX-License-Identifier: MIT */
/* utf-8 at the borders: well-formed means RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character at text (at most room), 0 when it is malformed or cut off. */
static size_t
character_bytes(const unsigned char *text, size_t room)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = text[0] < 0x80 ? 1 : text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (bytes == 1) {
        return 1;
    }
    if (text[0] < 0xC2 || text[0] > 0xF4 || bytes > room) {
        return 0;
    }
    uint32_t code = text[0] & (0xFFU >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3F);
    }
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least[bytes] || surrogate || code > 0x10FFFF ? 0 : bytes;
}

void
utf8_copy(char *to, size_t room, const char *from)
{
    const unsigned char *text = (const unsigned char *)from;
    size_t left = strlen(from);
    while (left) {
        size_t bytes = character_bytes(text, left);
        size_t step = bytes ? bytes : 1;
        if (step + 1 > room) {
            break;
        }
        if (bytes) {
            memcpy(to, text, bytes);
        } else {
            *to = '?';
        }
        to += step;
        room -= step;
        text += step;
        left -= step;
    }
    if (room) {
        *to = '\0';
    }
}

bool
utf8_check(const char *text, size_t room)
{
    const unsigned char *at = (const unsigned char *)text;
    while (room && *at) {
        size_t bytes = character_bytes(at, room);
        if (!bytes || *at < 0x20 || *at == 0x7F) {
            return false;
        }
        at += bytes;
        room -= bytes;
    }
    return room > 0;
}
