/* SPDX-License-Identifier: MIT */
/* Events wait for nobody: no doorbell needs a thread here. */
#include "os/os.h"

enum tutti_status
os_bells_new(struct os_bells **out, struct os_wake *heard)
{
    (void)heard;
    *out = NULL;
    return TUTTI_OK;
}

void
os_bells_free(struct os_bells *bells)
{
    (void)bells;
}

enum tutti_status
os_bells_add(struct os_bells *bells, os_handle *doorbell, uint32_t *bell)
{
    (void)bells;
    (void)doorbell;
    *bell = OS_NO_BELL;
    return TUTTI_OK;
}

os_handle
os_bells_answer(const struct os_bells *bells, uint32_t bell)
{
    (void)bells;
    (void)bell;
    return OS_NO_HANDLE;
}

void
os_bells_remove(struct os_bells *bells, uint32_t bell)
{
    (void)bells;
    (void)bell;
}

uint32_t
os_bells_tend(struct os_bells *bells)
{
    (void)bells;
    return OS_NO_BELL;
}

void
os_bells_ring(struct os_bells *bells, uint32_t bell)
{
    (void)bells;
    (void)bell;
}

void
os_bells_go(struct os_bells *bells, uint32_t cpu)
{
    (void)bells;
    (void)cpu;
}

void
os_bells_watch(struct os_bells *bells)
{
    (void)bells;
}
