/* SPDX-License-Identifier: MIT */
/*
 * Reading a command's arguments against its table, and turning their text into numbers.
 * Pure: nothing is printed, a mistake comes back as one sentence.
 */
#ifndef TUTTI_CONSOLE_ARGS_H
#define TUTTI_CONSOLE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "console/text.h"

enum { ARGS_MAX_OPTIONS = 16, ARGS_ERROR_BYTES = 256 };

struct args_option {
    const char *name;  /* without dashes */
    const char *value; /* what stands for its value in the help; NULL: a flag */
    const char *help;  /* one line */
};

struct args_command {
    const char *name;
    const char *operand; /* what stands for the operand in the help, in brackets when it may be
                            missing; NULL: none */
    const char *more;    /* for a second one, which may be left out; NULL: none */
    const char *summary; /* one line */
    const char *details; /* further lines of the help, each ending with a newline; NULL: none */
    struct args_option options[ARGS_MAX_OPTIONS]; /* ends with a NULL name or the array */
};

/* What was read. Texts are borrowed from argv. */
struct args {
    const struct args_command *command;
    const char *operand; /* NULL when help is asked for, or it is missing and may be */
    const char *more;    /* NULL: not given */
    const char *value[ARGS_MAX_OPTIONS]; /* by option; NULL: not given; "" for a flag */
    bool help;
};

/** Reads the arguments after the command's name. Options may be written --name VALUE or
 * --name=VALUE, once each; "--" ends them. With --help or -h nothing else is required. False: error
 * says what is wrong. */
bool args_parse(struct args *args, const struct args_command *command, int argc,
                const char *const *argv, char error[ARGS_ERROR_BYTES]);

/** Value of an option of the table, NULL when not given. */
const char *args_value(const struct args *args, const char *name);
bool args_flag(const struct args *args, const char *name);

/** A whole number in min..max; *value untouched when the option is not given. */
bool args_whole(const struct args *args, const char *name, uint32_t min, uint32_t max,
                uint32_t *value, char error[ARGS_ERROR_BYTES]);
/** A number with or without a fraction in min..max; *value untouched when not given. */
bool args_number(const struct args *args, const char *name, double min, double max, double *value,
                 char error[ARGS_ERROR_BYTES]);

/** Reads the whole number at *at, which moves behind it. False: none, or above UINT32_MAX. */
bool args_read_whole(const char **at, uint32_t *value);

/** A command's help, at most 80 columns. called: "tutti play". */
void args_help(const char *called, const struct args_command *command, struct text *out);

/** The word of a list that `word` may have meant, NULL when none is near. words: count long. */
const char *args_nearest(const char *word, const char *const *words, unsigned count);

#endif
