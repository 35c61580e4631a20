/* SPDX-License-Identifier: MIT */
/* For a build without libdbus' headers: RealtimeKit is not asked. */
#include "posix.h"

#include <stdio.h>

#include "rtkit.h"

void
os_process_use_broker(void)
{
}

bool
rtkit_ask(uint32_t tid, char why[RTKIT_WHY_BYTES])
{
    (void)tid;
    snprintf(why, RTKIT_WHY_BYTES, "not asked: built without D-Bus");
    return false;
}
