/* SPDX-License-Identifier: MIT */
/* Finding libasound and its functions at run time. */
#include "backend/alsa/alsa_api.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/log.h"
#include "os/os.h"

static const char library_name[] = "libasound.so.2";

/* libasound writes to the standard error what the backend tells in its own words. */
static void
take_message(const char *file, int line, const char *function, int error, const char *format, ...)
{
    char text[192];
    va_list values;
    (void)file;
    (void)line;
    (void)error;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    log_debug("alsa: %s: %s", function, text);
}

static bool
load(struct alsa_api *api)
{
    static const struct {
        const char *name;
        size_t offset;
    } functions[] = {
#define ALSA_ENTRY(result, name, parameters) {"snd_" #name, offsetof(struct alsa_api, name)},
        ALSA_FUNCTIONS(ALSA_ENTRY)
#undef ALSA_ENTRY
    };
    struct os_library *library;
    char reason[256];
    if (os_library_open(&library, library_name, reason) != TUTTI_OK) {
        log_info("alsa: not available: %s", reason);
        return false;
    }
    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (!os_library_symbol(library, functions[i].name, (char *)api + functions[i].offset)) {
            log_warning("alsa: %s is too old: it has no %s", library_name, functions[i].name);
            os_library_close(library);
            return false;
        }
    }
    api->lib_error_set_handler(take_message);
    return true;
}

const struct alsa_api *
alsa_api_load(void)
{
    static struct alsa_api api;
    static bool tried, loaded;
    if (!tried) {
        tried = true;
        loaded = load(&api);
    }
    return loaded ? &api : NULL;
}
