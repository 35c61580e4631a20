/* SPDX-License-Identifier: MIT */
/* Text that grows. See text.h. */
#include "console/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 512 };

void
text_init(struct text *text)
{
    *text = (struct text){0};
}

void
text_fini(struct text *text)
{
    free(text->data);
    text_init(text);
}

void
text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data) {
        text->data[0] = '\0';
    }
}

/* Makes room for `more` bytes and a terminator. */
static bool
make_room(struct text *text, size_t more)
{
    size_t room = text->room ? text->room : FIRST_ROOM;

    if (text->failed) {
        return false;
    }
    while (room - text->length <= more) {
        room *= 2;
    }
    if (room != text->room) {
        char *data = realloc(text->data, room);
        if (!data) {
            text->failed = true;
            return false;
        }
        text->data = data;
        text->room = room;
    }
    return true;
}

void
text_add_bytes(struct text *text, const char *bytes, size_t count)
{
    if (!make_room(text, count)) {
        return;
    }
    memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void
text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void
text_addf(struct text *text, const char *format, ...)
{
    va_list list, again;

    va_start(list, format);
    va_copy(again, list);
    int count = vsnprintf(NULL, 0, format, list);
    if (count > 0 && make_room(text, (size_t)count)) {
        vsnprintf(text->data + text->length, (size_t)count + 1, format, again);
        text->length += (size_t)count;
    }
    va_end(again);
    va_end(list);
}

static bool
is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0U) == 0x80U;
}

size_t
text_columns(const char *utf8)
{
    size_t columns = 0;

    for (; *utf8; utf8++) {
        columns += !is_continuation(*utf8);
    }
    return columns;
}

void
text_add_column(struct text *text, const char *utf8, size_t columns, const char *mark)
{
    size_t has = text_columns(utf8), mark_columns = text_columns(mark);
    bool cut = has > columns;
    size_t keep = !cut ? has : columns > mark_columns ? columns - mark_columns : 0;
    size_t done = 0;

    for (; *utf8; utf8++) {
        if (!is_continuation(*utf8) && done++ == keep) {
            break;
        }
        unsigned char byte = (unsigned char)*utf8;
        text_add_bytes(text, byte < 0x20 || byte == 0x7F ? "?" : utf8, 1);
    }
    if (cut && columns >= mark_columns) {
        text_add(text, mark);
        keep += mark_columns;
    }
    if (keep < columns) {
        text_add_times(text, " ", columns - keep);
    }
}

void
text_add_times(struct text *text, const char *string, size_t count)
{
    while (count--) {
        text_add(text, string);
    }
}

const char *
text_get(const struct text *text)
{
    return text->data && text->length ? text->data : "";
}
