/* SPDX-License-Identifier: MIT */
#include "engine/claim.h"

#include "engine/engine_state.h"

void
claim_init(struct engine *engine)
{
    os_cond_init(&engine->claim.freed);
}

void
claim_fini(struct engine *engine)
{
    os_cond_fini(&engine->claim.freed);
}

void
claim_take(struct engine *engine)
{
    while (engine->claim.taken) {
        os_cond_wait_until(&engine->claim.freed, &engine->lock, UINT64_MAX);
    }
    engine->claim.taken = true;
}

void
claim_take_to_list(struct engine *engine)
{
    while (engine->claim.taken || engine->claim.tend_due) {
        os_cond_wait_until(&engine->claim.freed, &engine->lock, UINT64_MAX);
    }
    engine->claim.taken = true;
}

bool
claim_take_to_tend(struct engine *engine)
{
    engine->claim.tend_due = engine->claim.taken;
    if (!engine->claim.tend_due) {
        claim_take(engine);
    }
    return !engine->claim.tend_due;
}

void
claim_release(struct engine *engine)
{
    engine->claim.taken = false;
    os_cond_signal_all(&engine->claim.freed);
}
