/* SPDX-License-Identifier: MIT */
/*
 * Text that grows: everything the command prints is built here first and written in one go, so that
 * a repainted screen does not flicker and a test can read it. Running out of memory is remembered,
 * not fatal: the text stays as far as it came.
 */
#ifndef TUTTI_CONSOLE_TEXT_H
#define TUTTI_CONSOLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* zero-terminated once anything was added, else NULL */
    size_t length, room;
    bool failed; /* no memory: something is missing */
};

/** An empty text; needs no memory. */
void text_init(struct text *text);
void text_fini(struct text *text);
/** Empties it and keeps its memory. */
void text_clear(struct text *text);

void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
/** printf-style. */
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Adds utf-8 text in exactly `columns` columns: filled with spaces, or cut with `mark` at its end.
 * Control characters become '?'. */
void text_add_column(struct text *text, const char *utf8, size_t columns, const char *mark);
/** Adds character (or any utf-8 string) `count` times. */
void text_add_times(struct text *text, const char *string, size_t count);

/** What was added, "" when nothing. Borrowed until the next call. */
const char *text_get(const struct text *text);

/** Columns of utf-8 text, one per character. */
size_t text_columns(const char *utf8);

#endif
