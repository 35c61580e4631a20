/* SPDX-License-Identifier: MIT */
/* Reading system.reg. See wine_registry.h. */
#include "cli/linux/wine_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

#define HEAD "WINE REGISTRY Version 2\n"

static const char *
next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end ? end + 1 : line + strlen(line);
}

const char *
wine_registry_fault(const char *text)
{
    size_t length = strlen(text);

    if (length == 0) {
        return "is empty";
    }
    if (strncmp(text, HEAD, strlen(HEAD)) != 0) {
        return "does not begin as a Wine registry does";
    }
    /* keys stand in the order of their names, so the last great part is System */
    if (text[length - 1] != '\n' || !strstr(text, "\n[Software\\\\Microsoft\\\\Windows NT\\\\") ||
        !strstr(text, "\n[System\\\\")) {
        return "is cut off";
    }
    return NULL;
}

unsigned
wine_registry_bits(const char *text)
{
    for (const char *line = text; *line && *line != '['; line = next_line(line)) {
        if (strncmp(line, "#arch=win64", 11) == 0) {
            return 64;
        }
        if (strncmp(line, "#arch=win32", 11) == 0) {
            return 32;
        }
    }
    return 0;
}

static size_t
add_utf8(char *out, unsigned long code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

/* Undoes the escapes of a quoted text up to its closing mark: \\ and \" and \xHHHH, one 16-bit unit
 * each. What lies outside the basic plane becomes two wrong characters: no path of ours has it.
 * Returns the byte behind the mark, NULL when it is not closed or does not fit. */
static const char *
unquote(const char *from, char stop, char *out, size_t room)
{
    size_t length = 0;

    for (; *from && *from != '\n'; from++) {
        if (*from == stop) {
            out[length] = '\0';
            return from + 1;
        }
        if (length + 4 >= room) {
            return NULL;
        }
        if (*from != '\\') {
            out[length++] = *from;
            continue;
        }
        from++;
        if (*from == 'x') {
            char digits[5] = "";
            size_t count = strspn(from + 1, "0123456789abcdefABCDEF");
            memcpy(digits, from + 1, count < 4 ? count : 4);
            length += add_utf8(out + length, strtoul(digits, NULL, 16));
            from += strlen(digits);
        } else if (*from && *from != '\n') {
            out[length++] = *from;
        } else {
            return NULL;
        }
    }
    return NULL;
}

/* The line after the key's own; NULL when there is no such key. */
static const char *
find_key(const char *text, const char *key)
{
    char path[512];

    for (const char *line = text; *line; line = next_line(line)) {
        if (*line == '[' && unquote(line + 1, ']', path, sizeof(path)) && ascii_same(path, key)) {
            return next_line(line);
        }
    }
    return NULL;
}

bool
wine_registry_next(const char **at, const char *folder, char *name, size_t name_bytes)
{
    char path[512];
    size_t length = strlen(folder);

    while (**at) {
        const char *line = *at;
        *at = next_line(line);
        if (*line != '[' || !unquote(line + 1, ']', path, sizeof(path)) ||
            !ascii_starts_with(path, folder) || path[length] != '\\') {
            continue;
        }
        const char *own = path + length + 1;
        if (strchr(own, '\\') || strlen(own) >= name_bytes) {
            continue;
        }
        memcpy(name, own, strlen(own) + 1);
        return true;
    }
    return false;
}

bool
wine_registry_has(const char *text, const char *key)
{
    return find_key(text, key) != NULL;
}

bool
wine_registry_get(const char *text, const char *key, const char *name, char *value,
                  size_t value_bytes)
{
    char found[4096];

    for (const char *line = find_key(text, key); line && *line && *line != '[';
         line = next_line(line)) {
        const char *at = line + 1;
        if (name && *line == '"') {
            at = unquote(line + 1, '"', found, sizeof(found));
        } else if (name || *line != '@') {
            continue;
        }
        if (!at || (name && !ascii_same(found, name)) || at[0] != '=' || at[1] != '"') {
            continue;
        }
        if (!unquote(at + 2, '"', found, sizeof(found)) || strlen(found) >= value_bytes) {
            return false;
        }
        memcpy(value, found, strlen(found) + 1);
        return true;
    }
    return false;
}
