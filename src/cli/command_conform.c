/* SPDX-License-Identifier: MIT */
/* tutti conform, on Windows. */
#include "cli/commands.h"
#include "conform/command.h"

int
command_conform_run(const struct args *args, const struct cli *cli)
{
    const struct conform_shown shown = {.called = "tutti conform", .out = cli->out};

    return conform_command(args, &shown);
}
