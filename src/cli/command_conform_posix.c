/* SPDX-License-Identifier: MIT */
/* ASIO drivers are Windows' own: the command says where it runs. */
#include "cli/commands.h"
#include "cli/session.h"

int
command_conform_run(const struct args *args, const struct cli *cli)
{
    (void)args;
    (void)cli;
    session_say("this is a Windows program: run 'tutti.exe conform' on Windows or under Wine, or "
                "'./run conform' in the source tree");
    return 2;
}
