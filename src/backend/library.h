/* SPDX-License-Identifier: MIT */
/*
 * The functions of a server's or a system's library, found at run time: nothing links against it,
 * and where it is missing the backend is not available.
 */
#ifndef TUTTI_BACKEND_LIBRARY_H
#define TUTTI_BACKEND_LIBRARY_H

#include "os/os.h"

/** Fills `table` with the functions' addresses; the library stays till the process ends. False: it
 * is not here, or lacks one of them; the log of `backend` says which. */
bool backend_library_load(const char *backend, const char *library,
                          const struct os_library_function *functions, unsigned count, void *table);

#endif
