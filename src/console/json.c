/* SPDX-License-Identifier: MIT */
/* Writes JSON. See json.h. */
#include "console/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

void
json_init(struct json *json, struct text *out)
{
    json->out = out;
    json->comma = false;
}

/* Before a value or a key. */
static void
begin(struct json *json)
{
    if (json->comma) {
        text_add(json->out, ",");
    }
    json->comma = true;
}

static void
open_with(struct json *json, const char *bracket)
{
    begin(json);
    text_add(json->out, bracket);
    json->comma = false;
}

static void
close_with(struct json *json, const char *bracket)
{
    text_add(json->out, bracket);
    json->comma = true;
}

void
json_object_begin(struct json *json)
{
    open_with(json, "{");
}

void
json_object_end(struct json *json)
{
    close_with(json, "}");
}

void
json_array_begin(struct json *json)
{
    open_with(json, "[");
}

void
json_array_end(struct json *json)
{
    close_with(json, "]");
}

/* Bytes of the well-formed utf-8 character at `at`, 0 when there is none. */
static unsigned
character_bytes(const unsigned char *at)
{
    unsigned bytes = at[0] < 0x80   ? 1
                     : at[0] < 0xC2 ? 0
                     : at[0] < 0xE0 ? 2
                     : at[0] < 0xF0 ? 3
                     : at[0] < 0xF5 ? 4
                                    : 0;

    for (unsigned i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) ||
        (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) {
        return 0;
    }
    return bytes;
}

static void
add_quoted(struct text *out, const char *utf8)
{
    const unsigned char *at = (const unsigned char *)utf8;

    text_add(out, "\"");
    while (*at) {
        unsigned bytes = character_bytes(at);
        if (bytes == 0) {
            text_add(out, "\\ufffd");
            at++;
            continue;
        }
        if (*at == '"' || *at == '\\') {
            text_addf(out, "\\%c", *at);
        } else if (*at == '\n') {
            text_add(out, "\\n");
        } else if (*at == '\t') {
            text_add(out, "\\t");
        } else if (*at < 0x20 || *at == 0x7F) {
            text_addf(out, "\\u%04x", *at);
        } else {
            text_add_bytes(out, (const char *)at, bytes);
        }
        at += bytes;
    }
    text_add(out, "\"");
}

void
json_key(struct json *json, const char *name)
{
    begin(json);
    add_quoted(json->out, name);
    text_add(json->out, ":");
    json->comma = false;
}

void
json_string(struct json *json, const char *utf8)
{
    if (!utf8) {
        json_null(json);
        return;
    }
    begin(json);
    add_quoted(json->out, utf8);
}

void
json_number(struct json *json, double value)
{
    if (!isfinite(value)) {
        json_null(json);
        return;
    }
    begin(json);
    text_add(json->out, number_write_exactly(value).text);
}

void
json_integer(struct json *json, int64_t value)
{
    begin(json);
    text_addf(json->out, "%" PRId64, value);
}

void
json_unsigned(struct json *json, uint64_t value)
{
    begin(json);
    text_addf(json->out, "%" PRIu64, value);
}

void
json_bool(struct json *json, bool value)
{
    begin(json);
    text_add(json->out, value ? "true" : "false");
}

void
json_null(struct json *json)
{
    begin(json);
    text_add(json->out, "null");
}
