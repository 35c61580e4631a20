/* SPDX-License-Identifier: MIT */
/* Who is on the engine. */
#include "engine/engine_state.h"

struct engine_program *
client_list_find(struct engine *engine, uint32_t program_id)
{
    for (uint32_t i = 0; i < engine->programs; i++) {
        if (engine->program[i]->id == program_id) {
            return engine->program[i];
        }
    }
    return NULL;
}

unsigned
client_list_prepared(const struct engine *engine)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < engine->programs; i++) {
        count += engine->program[i]->cycle != NULL;
    }
    return count;
}

const struct engine_program *
client_list_exact(const struct engine *engine)
{
    for (uint32_t i = 0; i < engine->programs; i++) {
        if (engine->program[i]->cycle && engine->program[i]->exact) {
            return engine->program[i];
        }
    }
    return NULL;
}
