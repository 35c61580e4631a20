/* SPDX-License-Identifier: MIT */
/* Finding libasound and its functions at run time. */
#include "backend/alsa/alsa_api.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "backend/library.h"
#include "base/log.h"

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

static const struct os_library_function functions[] = {
#define ALSA_ENTRY(name) {"snd_" #name, offsetof(struct alsa_api, name)},
    ALSA_FUNCTIONS(ALSA_ENTRY)
#undef ALSA_ENTRY
};

const struct alsa_api *
alsa_api_load(void)
{
    static struct alsa_api api;
    static bool tried, loaded;
    if (!tried) {
        tried = true;
        loaded = backend_library_load("alsa", "libasound.so.2", functions,
                                      sizeof(functions) / sizeof(functions[0]), &api);
        if (loaded) {
            api.lib_error_set_handler(take_message);
        }
    }
    return loaded ? &api : NULL;
}
