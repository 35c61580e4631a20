/* SPDX-License-Identifier: MIT */
/* Identifiers that follow from a name (RFC 4122, version 5): the same on every machine. Pure. */
#ifndef TUTTI_UUID_H
#define TUTTI_UUID_H

#include <stdint.h>

enum { UUID_BYTES = 16 };

/** Of a name within a namespace; bytes in the order in which they are written down. name: at most
 * 200 bytes, more are left out. */
void uuid_from_name(const uint8_t space[UUID_BYTES], const char *name, uint8_t uuid[UUID_BYTES]);

#endif
