/* SPDX-License-Identifier: MIT */
/* RealtimeKit, for thread.c alone. */
#ifndef TUTTI_OS_POSIX_RTKIT_H
#define TUTTI_OS_POSIX_RTKIT_H

#include <stdbool.h>
#include <stdint.h>

enum { RTKIT_WHY_BYTES = 256 };

/** Asks RealtimeKit for real-time priority of this process's thread `tid`, if
 * os_process_use_broker() was called. May take seconds. why: why not. */
bool rtkit_ask(uint32_t tid, char why[RTKIT_WHY_BYTES]);

#endif
