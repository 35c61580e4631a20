/* SPDX-License-Identifier: MIT */
/* The one list of backends, in the order in which "auto" tries them. The build says which ones this
 * platform has. */
#include <string.h>

#include "backend/backend.h"
#include "backends_built.h"

#define DECLARE(name) extern const struct backend backend_##name;
BACKENDS_BUILT(DECLARE)
#undef DECLARE

const struct backend *const backends[] = {
#define ENTRY(name) &backend_##name,
    BACKENDS_BUILT(ENTRY)
#undef ENTRY
        NULL,
};

const struct backend *
backend_find(const char *name)
{
    for (const struct backend *const *backend = backends; *backend; backend++) {
        if (strcmp((*backend)->name, name) == 0) {
            return *backend;
        }
    }
    return NULL;
}
