/* SPDX-License-Identifier: MIT */
/*
 * The lines of a configuration's text, one after another: [section], key = value, and what is
 * neither. Comments and empty lines are passed over. Pure.
 */
#ifndef TUTTI_CONFIG_LINES_H
#define TUTTI_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

enum config_line_kind {
    CONFIG_LINE_SECTION, /* name: its title */
    CONFIG_LINE_VALUE,
    CONFIG_LINE_WRONG, /* neither of them */
};

struct config_line {
    enum config_line_kind kind;
    int number;                    /* counted from 1 */
    char name[CONFIG_TEXT_BYTES];  /* cut when it is longer: no key has such a name */
    char value[CONFIG_TEXT_BYTES]; /* "" when too_long */
    bool too_long;                 /* the value has CONFIG_TEXT_BYTES bytes or more */
};

struct config_lines {
    const char *at, *end; /* the rest of the text */
    int number;           /* of the last line that was read */
};

/** Begins with the first line. The text is borrowed. */
void config_lines_begin(struct config_lines *lines, const char *text, size_t bytes);
/** The next line that says something. False: there is none. */
bool config_lines_next(struct config_lines *lines, struct config_line *line);

/** Cuts what is blank at both ends. *length: of what is left. */
const char *config_trim(const char *text, size_t *length);

#endif
