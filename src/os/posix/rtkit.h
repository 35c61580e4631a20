/* SPDX-License-Identifier: MIT */
/* RealtimeKit, for thread.c alone. */
#ifndef TUTTI_OS_POSIX_RTKIT_H
#define TUTTI_OS_POSIX_RTKIT_H

#include <stdbool.h>

enum { RTKIT_WHY_BYTES = 256 };

/** Asks RealtimeKit for real-time priority of the calling thread, if os_process_use_broker() was
 * called. May take seconds. why: why not. */
bool rtkit_ask(char why[RTKIT_WHY_BYTES]);

#endif
