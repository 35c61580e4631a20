/* SPDX-License-Identifier: MIT */
/* The engine's control links: accepts programs, checks their messages, answers. One ordinary thread
 * per program. */
#ifndef TUTTI_SERVER_H
#define TUTTI_SERVER_H

#include "engine/engine.h"

struct live;

/** Serves until grace_ms passed without a program, a program asked to leave, or server_stop().
 * Holds the engine lock meanwhile: FULL when another engine serves already. config as for the
 * engine. live: read already, followed from now on; NULL: the configuration stays. */
enum tutti_status server_run(const struct config *config, struct live *live);

/** Makes server_run() return. Any thread; async-signal-safe on POSIX. */
void server_stop(void);

#endif
