/* SPDX-License-Identifier: MIT */
/* A text taken apart into lines. See config_lines.h. */
#include "config/config_lines.h"

#include <string.h>

static const char byte_order_mark[] = "\xEF\xBB\xBF";

const char *
config_trim(const char *text, size_t *length)
{
    while (*length && (*text == ' ' || *text == '\t')) {
        text++;
        (*length)--;
    }
    while (*length && memchr(" \t\r\n", text[*length - 1], 4)) {
        (*length)--;
    }
    return text;
}

void
config_lines_begin(struct config_lines *lines, const char *text, size_t bytes)
{
    size_t mark = sizeof(byte_order_mark) - 1;
    size_t skip = bytes >= mark && memcmp(text, byte_order_mark, mark) == 0 ? mark : 0;
    *lines = (struct config_lines){.at = text + skip, .end = text + bytes};
}

/* What is left of the rest of a line without a comment: a ';' with a blank before it begins one. */
static size_t
without_comment(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ';' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) {
            return i;
        }
    }
    return length;
}

static void
set_name(struct config_line *line, const char *name, size_t length)
{
    length = length < sizeof(line->name) ? length : sizeof(line->name) - 1;
    memcpy(line->name, name, length);
    line->name[length] = '\0';
}

/* [title]; text and length: from the bracket on. */
static void
take_title(struct config_line *line, const char *text, size_t length)
{
    const char *close = memchr(text, ']', length);
    if (!close) {
        return;
    }
    const char *rest = close + 1;
    size_t left = length - (size_t)(rest - text);
    rest = config_trim(rest, &left);
    if (!left || *rest == ';' || *rest == '#') {
        line->kind = CONFIG_LINE_SECTION;
        set_name(line, text + 1, (size_t)(close - text) - 1);
    }
}

/* key = value, or with a colon. */
static void
take_value(struct config_line *line, const char *text, size_t length)
{
    size_t key = 0;
    while (key < length && text[key] != '=' && text[key] != ':') {
        key++;
    }
    size_t name = key;
    config_trim(text, &name);
    if (key == length || !name) {
        return;
    }
    line->kind = CONFIG_LINE_VALUE;
    set_name(line, text, name);
    const char *value = text + key + 1;
    size_t bytes = without_comment(value, length - key - 1);
    value = config_trim(value, &bytes);
    line->too_long = bytes >= sizeof(line->value);
    bytes = line->too_long ? 0 : bytes;
    memcpy(line->value, value, bytes);
    line->value[bytes] = '\0';
}

bool
config_lines_next(struct config_lines *lines, struct config_line *line)
{
    while (lines->at < lines->end) {
        const char *text = lines->at;
        const char *feed = memchr(text, '\n', (size_t)(lines->end - text));
        size_t length = (size_t)((feed ? feed : lines->end) - text);
        lines->at = feed ? feed + 1 : lines->end;
        lines->number++;
        text = config_trim(text, &length);
        if (!length || *text == ';' || *text == '#') {
            continue;
        }
        *line = (struct config_line){.kind = CONFIG_LINE_WRONG, .number = lines->number};
        if (memchr(text, '\0', length)) {
            return true;
        }
        if (*text == '[') {
            take_title(line, text, length);
        } else {
            take_value(line, text, length);
        }
        return true;
    }
    return false;
}
