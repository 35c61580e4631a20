/* SPDX-License-Identifier: MIT */
/* Shared libraries that are loaded when they are there: dlopen. */
#include "posix.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* An os_library is dlopen()'s own handle. */

enum tutti_status
os_library_open(struct os_library **out, const char *name, char reason[256])
{
    /* all names at once: a missing one shall not end the process in the middle of the music */
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *error = dlerror();
        snprintf(reason, 256, "%s", error != NULL ? error : name);
        return TUTTI_UNSUPPORTED;
    }
    *out = handle;
    return TUTTI_OK;
}

bool
os_library_symbol(struct os_library *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    if (address == NULL) {
        return false;
    }
    memcpy(function, &address, sizeof(address));
    return true;
}

void
os_library_close(struct os_library *library)
{
    if (library != NULL) {
        dlclose(library);
    }
}
