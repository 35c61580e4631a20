/* SPDX-License-Identifier: MIT */
/* The `tutti` command: finds the subcommand, reads its arguments, runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/platform.h"
#include "console/terminal.h"
#include "cli/session.h"
#include "console/say.h"

static const struct {
    const struct args_command *command;
    enum command_system system;
} commands[] = {
#define COMMAND_ROW(name, system) {&command_##name, COMMAND_##system},
    COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static int
print_help(void)
{
    struct text text;

    text_init(&text);
    text_add(&text, "usage: tutti COMMAND [options]\n\n"
                    "Tutti lets every program play through one sound device at once.\n\n");
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct args_command *command = commands[i].command;
        char left[40];
        snprintf(left, sizeof(left), "%s%s%s", command->name, command->operand ? " " : "",
                 command->operand ? command->operand : "");
        text_addf(&text, "  %-12s %s\n", left, command->summary);
    }
    text_add(&text, "\n  --version    show the version\n"
                    "  --help       show this; 'tutti COMMAND --help' shows a command's options\n");
    bool printed = say_text(&text);
    text_fini(&text);
    return printed ? 0 : 1;
}

static int
say_where_it_runs(unsigned index)
{
    session_say("this is for Linux: there, run the command 'tutti %s', not tutti.exe",
                commands[index].command->name);
    return 1;
}

static int
run_command(unsigned index, int argc, char **argv)
{
    char error[ARGS_ERROR_BYTES];
    struct cli cli;
    struct args args;

    if (!args_parse(&args, commands[index].command, argc, (const char *const *)argv, error)) {
        return say_usage(&args, error);
    }
    if (args.help) {
        return say_help(args.command);
    }
    if (!command_runs[index]) {
        return say_where_it_runs(index);
    }
    terminal_style(false, &cli.out);
    terminal_style(true, &cli.err);
    return command_runs[index](&args, &cli);
}

static int
run(int argc, char **argv)
{
    const char *names[COMMANDS];

    if (argc < 2) {
        session_say("a command is missing; see 'tutti --help'");
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        return print_help();
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("tutti " TUTTI_VERSION);
        return 0;
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].command->name;
        if (strcmp(names[i], argv[1]) == 0) {
            return run_command(i, argc - 2, argv + 2);
        }
    }
    const char *nearest = args_nearest(argv[1], names, COMMANDS);
    if (nearest) {
        session_say("there is no command '%s'; did you mean '%s'?", argv[1], nearest);
    } else {
        session_say("there is no command '%s'; see 'tutti --help'", argv[1]);
    }
    return 2;
}

int
main(int argc, char **argv)
{
    int code = 1;

    if (terminal_begin(&argc, &argv)) {
        code = run(argc, argv);
    } else {
        session_say("%s", tutti_status_text(TUTTI_NO_MEMORY));
    }
    terminal_end();
    return code;
}
