/* SPDX-License-Identifier: MIT */
/* Finding libpipewire and its functions at run time. */
#include "backend/pipewire/pipewire_api.h"

#include <stddef.h>
#include <stdlib.h>

#include "backend/library.h"

static const struct os_library_function functions[] = {
#define PIPEWIRE_ENTRY(name) {"pw_" #name, offsetof(struct pipewire_api, name)},
    PIPEWIRE_FUNCTIONS(PIPEWIRE_ENTRY)
#undef PIPEWIRE_ENTRY
};

static void
begin(const struct pipewire_api *api)
{
    api->init(NULL, NULL);
    if (!getenv("PIPEWIRE_DEBUG")) {
        /* it writes to the standard error what is no news to anybody: that no server runs */
        api->log_set_level(SPA_LOG_LEVEL_NONE);
    }
}

const struct pipewire_api *
pipewire_api_load(void)
{
    static struct pipewire_api api;
    static bool tried, loaded;
    if (!tried) {
        tried = true;
        loaded = backend_library_load("pipewire", PIPEWIRE_LIBRARY, functions,
                                      sizeof(functions) / sizeof(functions[0]), &api);
        if (loaded) {
            begin(&api);
        }
    }
    return loaded ? &api : NULL;
}
