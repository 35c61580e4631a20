/* SPDX-License-Identifier: MIT */
/* The subcommands. Each has a table for its arguments and a function that runs it and returns the
 * exit code: 0 done, 1 failed (one sentence was said), 2 called wrongly. */
#ifndef TUTTI_CLI_COMMANDS_H
#define TUTTI_CLI_COMMANDS_H

#include "console/args.h"
#include "console/say.h"
#include "console/style.h"

/* What a command may know of where it runs. */
struct cli {
    struct style out, err;
};

/* X(identifier, where it runs: ANYWHERE or LINUX): in the order of the help. */
#define COMMAND_TABLE(X)                                                                           \
    X(status, ANYWHERE)                                                                            \
    X(devices, ANYWHERE)                                                                           \
    X(play, ANYWHERE)                                                                              \
    X(record, ANYWHERE)                                                                            \
    X(latency, ANYWHERE)                                                                           \
    X(stop_engine, ANYWHERE)                                                                       \
    X(profile, ANYWHERE)                                                                           \
    X(log, ANYWHERE)                                                                               \
    X(wine, LINUX)                                                                                 \
    X(doctor, LINUX)                                                                               \
    X(conform, ANYWHERE)

enum command_system { COMMAND_ANYWHERE, COMMAND_LINUX };

typedef int (*command_run)(const struct args *args, const struct cli *cli);

#define COMMAND_DECLARE(name, system)                                                              \
    extern const struct args_command command_##name;                                               \
    int command_##name##_run(const struct args *args, const struct cli *cli);
COMMAND_TABLE(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/** Their functions in the order of the table; NULL: not on this system. platform_*.c. */
extern const command_run command_runs[];

#endif
