/* SPDX-License-Identifier: MIT */
#include "engine/client_list.h"

#include "engine/engine_state.h"

struct engine_client *
client_list_find(struct engine *engine, uint32_t program_id)
{
    for (uint32_t i = 0; i < engine->client_count; i++) {
        if (engine->client[i]->id == program_id) {
            return engine->client[i];
        }
    }
    return NULL;
}

bool
client_list_plays(const struct engine_client *client, const struct mix *mix)
{
    return client->cycle && client->mix == mix;
}

unsigned
client_list_prepared(const struct mix *mix)
{
    const struct engine *engine = mix->engine;
    unsigned count = 0;
    for (uint32_t i = 0; i < engine->client_count; i++) {
        count += client_list_plays(engine->client[i], mix);
    }
    return count;
}

const struct engine_client *
client_list_exact(const struct mix *mix)
{
    const struct engine *engine = mix->engine;
    for (uint32_t i = 0; i < engine->client_count; i++) {
        if (client_list_plays(engine->client[i], mix) && engine->client[i]->exact) {
            return engine->client[i];
        }
    }
    return NULL;
}
