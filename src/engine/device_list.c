/* SPDX-License-Identifier: MIT */
/* The devices that the engine can use, of all backends that its configuration allows. */
#include <string.h>

#include "base/utf8.h"
#include "engine/engine_state.h"

uint32_t
device_list(struct engine *engine, struct proto_device_entry *entries, uint32_t room)
{
    uint32_t count = 0;
    unsigned at = 0;
    bool has_default = false;
    for (const struct backend *backend; (backend = choice_next(&engine->config, &at));) {
        struct backend_device devices[PROTO_DEVICE_ENTRIES];
        unsigned found = PROTO_DEVICE_ENTRIES;
        if (backend->list(&engine->config, devices, &found) != TUTTI_OK) {
            continue;
        }
        for (unsigned d = 0; d < found && count < room; d++, count++) {
            struct proto_device_entry *entry = &entries[count];
            memset(entry, 0, sizeof(*entry));
            utf8_copy(entry->name, sizeof(entry->name), devices[d].name);
            utf8_copy(entry->backend, sizeof(entry->backend), backend->name);
            entry->inputs = devices[d].inputs;
            entry->outputs = devices[d].outputs;
            /* each backend has a default; the engine's is that of the first backend */
            entry->is_default = devices[d].is_default && !has_default;
            has_default |= devices[d].is_default;
        }
    }
    return count;
}
