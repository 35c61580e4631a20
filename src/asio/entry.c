/* SPDX-License-Identifier: MIT */
/* Names and CLSIDs of entries. See entry.h. */
#include "asio/entry.h"

#include <windows.h>

#include <bcrypt.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

enum { UUID_BYTES = 16, SHA1_BYTES = 20 };

/* The CLSID of "Tutti" itself, as it is written down. */
static const uint8_t space[UUID_BYTES] = {0x64, 0xdf, 0x45, 0xea, 0xbf, 0x66, 0x45, 0xef,
                                          0xb3, 0x50, 0xd0, 0x2d, 0xb1, 0x42, 0xe3, 0x7e};
static const char start[] = "Tutti ";

/* An identifier that follows from a name within `space` (RFC 4122, version 5); bytes as they are
 * written down. False: Windows has no SHA-1. */
static bool
identify(const char *name, uint8_t uuid[UUID_BYTES])
{
    UCHAR message[UUID_BYTES + ASIO_NAME_BYTES], digest[SHA1_BYTES] = {0};
    BCRYPT_ALG_HANDLE algorithm = NULL;
    BCRYPT_HASH_HANDLE hash = NULL;
    ULONG length = (ULONG)strlen(name);

    memcpy(message, space, UUID_BYTES);
    memcpy(message + UUID_BYTES, name, length);
    bool done = BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA1_ALGORITHM, NULL, 0) == 0 &&
                BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0) == 0 &&
                BCryptHashData(hash, message, UUID_BYTES + length, 0) == 0 &&
                BCryptFinishHash(hash, digest, SHA1_BYTES, 0) == 0;
    if (hash) {
        BCryptDestroyHash(hash);
    }
    if (algorithm) {
        BCryptCloseAlgorithmProvider(algorithm, 0);
    }
    memcpy(uuid, digest, UUID_BYTES);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    return done;
}

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
    if (!identify(lower, uuid)) {
        snprintf(reason, CONFIG_TEXT_BYTES, "Windows could not compute the SHA-1 of its name");
        return false;
    }
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
