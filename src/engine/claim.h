/* SPDX-License-Identifier: MIT */
/* One thread at a time calls backends. */
#ifndef TUTTI_ENGINE_CLAIM_H
#define TUTTI_ENGINE_CLAIM_H

#include <stdbool.h>

#include "os/os.h"

struct engine;

/* Written by claim.c alone. */
struct claim {
    bool taken;
    bool tend_due; /* the devices could not be tended: that comes before the next listing */
    struct os_cond freed;
};

void claim_init(struct engine *engine);
void claim_fini(struct engine *engine);
/** Waits until no other thread works on the devices, and keeps others from it until
 * claim_release(). What else the lock guards may change while this thread calls a backend. */
void claim_take(struct engine *engine);
/** The same to list devices alone. */
void claim_take_to_list(struct engine *engine);
/** The same without waiting, to tend the devices; false: another thread has it, and releases it
 * before the next listing. */
bool claim_take_to_tend(struct engine *engine);
void claim_release(struct engine *engine);

#endif
