/* SPDX-License-Identifier: MIT */
/* Finding libjack and its functions at run time. */
#include "backend/jack/jack_api.h"

#include <stddef.h>

#include "backend/library.h"
#include "base/log.h"

/* libjack writes to the standard error what is no news to anybody: that no server runs. */
static void
take_message(const char *text)
{
    log_debug("jack: libjack says: %s", text);
}

static const struct os_library_function functions[] = {
#define JACK_ENTRY(name) {"jack_" #name, offsetof(struct jack_api, name)},
    JACK_FUNCTIONS(JACK_ENTRY)
#undef JACK_ENTRY
};

const struct jack_api *
jack_api_load(void)
{
    static struct jack_api api;
    static bool tried, loaded;
    if (!tried) {
        tried = true;
        loaded = backend_library_load("jack", JACK_LIBRARY, functions,
                                      sizeof(functions) / sizeof(functions[0]), &api);
        if (loaded) {
            api.set_error_function(take_message);
            api.set_info_function(take_message);
        }
    }
    return loaded ? &api : NULL;
}
