/* SPDX-License-Identifier: MIT */
/* Finding libjack and its functions at run time. */
#include "backend/jack/jack_api.h"

#include <stddef.h>

#include "base/log.h"
#include "os/os.h"

static const char library_name[] = "libjack.so.0";

/* libjack writes to the standard error what is no news to anybody: that no server runs. */
static void
take_message(const char *text)
{
    log_debug("jack: libjack says: %s", text);
}

static bool
load(struct jack_api *api)
{
    static const struct {
        const char *name;
        size_t offset;
    } functions[] = {
#define JACK_ENTRY(result, name, parameters) {"jack_" #name, offsetof(struct jack_api, name)},
        JACK_FUNCTIONS(JACK_ENTRY)
#undef JACK_ENTRY
    };
    struct os_library *library;
    char reason[256];
    if (os_library_open(&library, library_name, reason) != TUTTI_OK) {
        log_info("jack: not available: %s", reason);
        return false;
    }
    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (!os_library_symbol(library, functions[i].name, (char *)api + functions[i].offset)) {
            log_warning("jack: %s is too old: it has no %s", library_name, functions[i].name);
            os_library_close(library);
            return false;
        }
    }
    api->set_error_function(take_message);
    api->set_info_function(take_message);
    return true;
}

const struct jack_api *
jack_api_load(void)
{
    static struct jack_api api;
    static bool tried, loaded;
    if (!tried) {
        tried = true;
        loaded = load(&api);
    }
    return loaded ? &api : NULL;
}
