/* SPDX-License-Identifier: MIT */
/* Drivers as a host meets them: names in the registry, objects made by COM. */
#ifndef TUTTI_CONFORM_FIND_H
#define TUTTI_CONFORM_FIND_H

#include <stdbool.h>

#include "tutti/asio.h"

enum {
    FIND_NAME_CHARS = 256, /* the longest key there is, and its end */
    FIND_NAME_BYTES = 3 * FIND_NAME_CHARS,
    FIND_ERROR_BYTES = 200,
    FIND_CLSID_CHARS = 39,
};

struct find_entry {
    char name[FIND_NAME_BYTES]; /* utf-8: the key under HKLM\SOFTWARE\ASIO */
    char clsid[FIND_CLSID_CHARS];
};

/** The entry with this number (0, 1, ...) among those that a host of this bitness sees. clsid is
 * "?" where there is none. False: there are no more. */
bool find_entry(unsigned number, struct find_entry *entry);

/** The CLSID of a name (utf-8). False: error says why. */
bool find_clsid(const char *name, struct asio_guid *clsid, char error[FIND_ERROR_BYTES]);

/** An object, with the CLSID as interface id, as hosts do it; COM is ready on this thread. NULL:
 * error says why. */
struct asio_driver *find_create(const struct asio_guid *clsid, char error[FIND_ERROR_BYTES]);

#endif
