/* SPDX-License-Identifier: MIT */
/* tutti-conform: judges any ASIO driver. Of Tutti it needs nothing. */
#include <stdio.h>
#include <string.h>

#include "conform/command.h"
#include "conform/options.h"
#include "console/say.h"
#include "console/terminal.h"

static const struct args_command command = {
    .name = "",
    .operand = "[DRIVER]",
    .summary = "Judges any ASIO driver, case by case.",
    .details = CONFORM_DETAILS,
    .options = CONFORM_OPTIONS,
};

static int
run(int argc, char **argv)
{
    struct conform_shown shown = {.called = "tutti-conform"};
    char error[ARGS_ERROR_BYTES];
    struct args args;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("tutti-conform " TUTTI_VERSION);
        return 0;
    }
    if (!args_parse(&args, &command, argc - 1, (const char *const *)argv + 1, error)) {
        return say_usage(&args, error);
    }
    if (args.help) {
        return say_help(&command);
    }
    terminal_style(false, &shown.out);
    return conform_command(&args, &shown);
}

int
main(int argc, char **argv)
{
    int code = 2;

    say_as("tutti-conform");
    if (terminal_begin(&argc, &argv)) {
        code = run(argc, argv);
    }
    terminal_end();
    return code;
}
