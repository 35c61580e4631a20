/* SPDX-License-Identifier: MIT */
/* The commands that look at a Linux system have nothing to look at from Windows or Wine. */
#include "cli/commands.h"
#include "cli/session.h"

static int
say_where(const struct args *args)
{
    session_say("this is for Linux: there, run the command 'tutti %s', not tutti.exe",
                args->command->name);
    return 1;
}

int
command_wine_run(const struct args *args, const struct cli *cli)
{
    (void)cli;
    return say_where(args);
}

int
command_doctor_run(const struct args *args, const struct cli *cli)
{
    (void)cli;
    return say_where(args);
}
