/* SPDX-License-Identifier: MIT */
#include "console/say.h"

#include <stdio.h>

#include "tutti/status.h"

enum { CALLED_BYTES = 64 };

static const char *said_by = "tutti";

void
say_as(const char *program)
{
    said_by = program;
}

/* "tutti play", or the program alone. */
static void
name_command(const struct args_command *command, char called[CALLED_BYTES])
{
    snprintf(called, CALLED_BYTES, "%s%s%s", said_by, command->name[0] ? " " : "", command->name);
}

void
say_list(const char *end, const char *format, va_list list)
{
    fprintf(stderr, "%s: ", said_by);
    vfprintf(stderr, format, list);
    fputs(end, stderr);
}

void
say(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say_list("\n", format, list);
    va_end(list);
}

bool
say_text(const struct text *text)
{
    if (text->failed) {
        say("%s", tutti_status_text(TUTTI_NO_MEMORY));
        return false;
    }
    size_t written = fwrite(text_get(text), 1, text->length, stdout);
    return written == text->length && fflush(stdout) == 0;
}

int
say_usage(const struct args *args, const char *error)
{
    char called[CALLED_BYTES];

    name_command(args->command, called);
    say("%s; see '%s --help'", error, called);
    return 2;
}

int
say_help(const struct args_command *command)
{
    char called[CALLED_BYTES];
    struct text text;

    name_command(command, called);
    text_init(&text);
    args_help(called, command, &text);
    bool printed = say_text(&text);
    text_fini(&text);
    return printed ? 0 : 1;
}
