/* SPDX-License-Identifier: MIT */
/*
 * Driver entries: what hosts list and create. "Tutti" is one, and each profile makes one more,
 * "Tutti NAME", whose CLSID follows from its name, so that both views of a registry and every
 * machine agree on it. Any thread.
 */
#ifndef TUTTI_ASIO_ENTRY_H
#define TUTTI_ASIO_ENTRY_H

#include "config/config.h"
#include "tutti/asio.h"

/* Registry key, description and getDriverName are all `name`: some hosts list one and match
 * another.
 */
struct dll_name {
    char name[ASIO_NAME_BYTES]; /* ASCII */
    struct asio_guid clsid;
    char profile[CONFIG_PROFILE_BYTES]; /* "": no profile */
};

/** The entry of a profile. False: reason says what is wrong with the name, or that Windows cannot
 * compute its CLSID. */
bool entry_of_profile(const char *profile, struct dll_name *entry, char reason[CONFIG_TEXT_BYTES]);

/** The entry that is called so; false when that is none of ours. */
bool entry_of_name(const char *name, struct dll_name *entry);

#endif
