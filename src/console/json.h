/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259) into a text, one value after the other; commas and quoting are its
 * business. Numbers that are not finite become null, malformed utf-8 becomes U+FFFD: what comes out
 * is always valid if the calls are balanced.
 */
#ifndef TUTTI_CONSOLE_JSON_H
#define TUTTI_CONSOLE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "console/text.h"

struct json {
    struct text *out;
    bool comma; /* the next value or key needs one before it */
};

/** Writes into out, which outlives it. */
void json_init(struct json *json, struct text *out);

void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);
/** The name of the next value; within an object only. */
void json_key(struct json *json, const char *name);

/** NULL becomes null. */
void json_string(struct json *json, const char *utf8);
/** Shortest of up to 17 digits that reads back as the same number; NaN and infinities become null.
 */
void json_number(struct json *json, double value);
void json_integer(struct json *json, int64_t value);
void json_unsigned(struct json *json, uint64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

#endif
