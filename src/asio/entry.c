/* SPDX-License-Identifier: MIT */
/* Names and CLSIDs of entries. See entry.h. */
#include "asio/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/uuid.h"

/* The CLSID of "Tutti" itself, as it is written down. */
static const uint8_t space[UUID_BYTES] = {0x64, 0xdf, 0x45, 0xea, 0xbf, 0x66, 0x45, 0xef,
                                          0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e};
static const char start[] = "Tutti ";

bool
entry_of_profile(const char *profile, struct dll_name *entry, char reason[CONFIG_TEXT_BYTES])
{
    struct dll_name made;
    char lower[ASIO_NAME_BYTES];
    uint8_t uuid[UUID_BYTES];

    memset(&made, 0, sizeof(made));
    if (!config_profile_name(profile, made.profile, reason)) {
        return false;
    }
    snprintf(made.name, sizeof(made.name), "%s%s", start, made.profile);
    /* the registry's keys are the same in any case: so is the CLSID */
    for (unsigned i = 0; i < sizeof(lower); i++) {
        lower[i] = ascii_lower(made.name[i]);
    }
    uuid_from_name(space, lower, uuid);
    made.clsid.data1 = (uint32_t)uuid[0] << 24 | (uint32_t)uuid[1] << 16 | uuid[2] << 8 | uuid[3];
    made.clsid.data2 = (uint16_t)(uuid[4] << 8 | uuid[5]);
    made.clsid.data3 = (uint16_t)(uuid[6] << 8 | uuid[7]);
    memcpy(made.clsid.data4, uuid + 8, sizeof(made.clsid.data4));
    *entry = made;
    return true;
}

bool
entry_of_name(const char *name, struct dll_name *entry)
{
    char reason[CONFIG_TEXT_BYTES];

    return strncmp(name, start, strlen(start)) == 0 && entry_of_profile(name, entry, reason) &&
           config_profile_same(entry->name, name);
}
