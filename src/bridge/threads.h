/* SPDX-License-Identifier: MIT */
/* The Linux threads of the program under Wine. */
#ifndef TUTTI_BRIDGE_THREADS_H
#define TUTTI_BRIDGE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/** The thread of this user's that has this name (which nobody else has), and its process. False:
 * there is none. */
bool threads_find(const char *name, uint32_t *pid, uint32_t *tid);

#endif
