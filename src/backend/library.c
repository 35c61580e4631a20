/* SPDX-License-Identifier: MIT */
/* Libraries of backends, found at run time. */
#include "backend/library.h"

#include "base/log.h"

bool
backend_library_load(const char *backend, const char *library,
                     const struct os_library_function *functions, unsigned count, void *table)
{
    char reason[256];
    enum tutti_status status = os_library_load(library, functions, count, table, reason);
    if (status == TUTTI_UNSUPPORTED) {
        log_info("%s: not available: %s", backend, reason);
    } else if (status != TUTTI_OK) {
        log_warning("%s: %s is too old: it has no %s", backend, library, reason);
    }
    return status == TUTTI_OK;
}
