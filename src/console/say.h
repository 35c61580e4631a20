/* SPDX-License-Identifier: MIT */
/* What a command says to a person: sentences on the standard error, texts on the standard output.
 */
#ifndef TUTTI_CONSOLE_SAY_H
#define TUTTI_CONSOLE_SAY_H

#include <stdarg.h>
#include <stdbool.h>

#include "console/args.h"
#include "console/text.h"

/** The program's name before each sentence, and in its help: "tutti" unless this says another one.
 * program: kept. */
void say_as(const char *program);
/** One sentence, without its line feed. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
__attribute__((format(printf, 2, 0))) void say_list(const char *end, const char *format,
                                                    va_list list);
/** Writes a text to the standard output in one go. False, and said, when that fails. */
bool say_text(const struct text *text);
/** Says a mistake in the arguments and where the help is. Returns 2. */
int say_usage(const struct args *args, const char *error);
/** Writes the help of a command. Returns 0, or 1 when that fails. */
int say_help(const struct args_command *command);

#endif
