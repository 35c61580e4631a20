/* SPDX-License-Identifier: MIT */
/* Finding libpipewire and its functions at run time. */
#include "backend/pipewire/pipewire_api.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/log.h"
#include "os/os.h"

static const char library_name[] = "libpipewire-0.3.so.0";

static bool
load(struct pipewire_api *api)
{
    static const struct {
        const char *name;
        size_t offset;
    } functions[] = {
#define PIPEWIRE_ENTRY(name) {"pw_" #name, offsetof(struct pipewire_api, name)},
        PIPEWIRE_FUNCTIONS(PIPEWIRE_ENTRY)
#undef PIPEWIRE_ENTRY
    };
    struct os_library *library;
    char reason[256];
    if (os_library_open(&library, library_name, reason) != TUTTI_OK) {
        log_info("pipewire: not available: %s", reason);
        return false;
    }
    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (!os_library_symbol(library, functions[i].name, (char *)api + functions[i].offset)) {
            log_warning("pipewire: %s is too old: it has no %s", library_name, functions[i].name);
            os_library_close(library);
            return false;
        }
    }
    api->init(NULL, NULL);
    if (!getenv("PIPEWIRE_DEBUG")) {
        /* it writes to the standard error what is no news to anybody: that no server runs */
        api->log_set_level(SPA_LOG_LEVEL_NONE);
    }
    return true;
}

const struct pipewire_api *
pipewire_api_load(void)
{
    static struct pipewire_api api;
    static bool tried, loaded;
    if (!tried) {
        tried = true;
        loaded = load(&api);
    }
    return loaded ? &api : NULL;
}
