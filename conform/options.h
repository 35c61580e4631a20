/* SPDX-License-Identifier: MIT */
/* What the command takes, whatever it is called. */
#ifndef TUTTI_CONFORM_OPTIONS_H
#define TUTTI_CONFORM_OPTIONS_H

#define CONFORM_DETAILS                                                                            \
    "DRIVER is a name under HKLM\\SOFTWARE\\ASIO; without it they are listed. Each case\n"         \
    "runs in a process that a bad driver may crash or hang. It plays bursts of noise:\n"           \
    "turn loudspeakers down. Ends with 0 when no case failed, 1 when one did, 2 when\n"            \
    "it could not judge.\n"

#define CONFORM_OPTIONS                                                                            \
    {                                                                                              \
        {"list", NULL, "list the cases and their rules"},                                          \
            {"only", "LIST", "names, groups or globs such as start_*, with commas"},               \
            {"except", "LIST", "cases that may fail: named, and skipped"},                         \
            {"seconds", "S", "length of the long cases (1 to 86400; default 10)"},                 \
            {"patience", "S", "a call that lasts longer has hung (1 to 600; default 20)"},         \
            {"json", "FILE", "write the verdicts there"},                                          \
            {"html", "FILE", "write a report with pictures there"},                                \
            {"child", "HANDLES", "used by the program itself: run cases in this process"},         \
    }

#endif
