/* SPDX-License-Identifier: MIT */
/* The program that this bridge serves, and Wine's server, without which it cannot live. */
#ifndef TUTTI_BRIDGE_HOST_H
#define TUTTI_BRIDGE_HOST_H

#include <stdint.h>

/** Watches both from now on. When Wine's server ends, the program can do nothing any more, but its
 * threads that do not ask the server go on for ever: then the program is killed and this process
 * ends. pid: the program's. pipe: an end of a pipe that the program has opened by way of Wine's
 * server, which therefore has it open too. Called once. Where the system tells nothing of
 * processes, nothing is watched. When the program ends, this process does, too. */
void host_watch(uint32_t pid, int pipe);

#endif
