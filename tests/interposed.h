/* SPDX-License-Identifier: MIT */
/*
 * What a real-time thread may not call, interposed at link time (meson.build) and counted:
 * memory, locks, sleep, the log.
 */
#ifndef TUTTI_TEST_INTERPOSED_H
#define TUTTI_TEST_INTERPOSED_H

#include <stdbool.h>

extern bool in_real_time;   /* calls are violations now */
extern unsigned violations; /* so many since the test set it to 0 */

#endif
