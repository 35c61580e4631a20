/* SPDX-License-Identifier: MIT */
/* A library's functions as a table. */
#include "os/os.h"

#include <stdio.h>

enum tutti_status
os_library_load(const char *name, const struct os_library_function *functions, unsigned count,
                void *table, char reason[256])
{
    struct os_library *library;
    if (os_library_open(&library, name, reason) != TUTTI_OK) {
        return TUTTI_UNSUPPORTED;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!os_library_symbol(library, functions[i].name, (char *)table + functions[i].offset)) {
            snprintf(reason, 256, "%s", functions[i].name);
            os_library_close(library);
            return TUTTI_VERSION_MISMATCH;
        }
    }
    return TUTTI_OK;
}
