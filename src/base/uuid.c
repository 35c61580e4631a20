/* SPDX-License-Identifier: MIT */
/* Version 5 identifiers: the SHA-1 (FIPS 180-4) of namespace and name, cut to 16 bytes and marked
 * as such. */
#include "base/uuid.h"

#include <string.h>

enum { BLOCK_BYTES = 64, LENGTH_BYTES = 8, NAME_BYTES = 200, MESSAGE_BYTES = 5 * BLOCK_BYTES };

static uint32_t
rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void
hash_block(uint32_t state[5], const uint8_t block[BLOCK_BYTES])
{
    uint32_t w[80], v[5];
    for (unsigned t = 0; t < 16; t++) {
        const uint8_t *b = block + (size_t)4 * t;
        w[t] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    for (unsigned t = 16; t < 80; t++) {
        w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    }
    memcpy(v, state, sizeof(v));
    for (unsigned t = 0; t < 80; t++) {
        uint32_t mix, constant;
        if (t < 20) {
            mix = (v[1] & v[2]) | (~v[1] & v[3]);
            constant = 0x5a827999;
        } else if (t < 40) {
            mix = v[1] ^ v[2] ^ v[3];
            constant = 0x6ed9eba1;
        } else if (t < 60) {
            mix = (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]);
            constant = 0x8f1bbcdc;
        } else {
            mix = v[1] ^ v[2] ^ v[3];
            constant = 0xca62c1d6;
        }
        uint32_t next = rotate(v[0], 5) + mix + v[4] + constant + w[t];
        v[4] = v[3];
        v[3] = v[2];
        v[2] = rotate(v[1], 30);
        v[1] = v[0];
        v[0] = next;
    }
    for (unsigned i = 0; i < 5; i++) {
        state[i] += v[i];
    }
}

void
uuid_from_name(const uint8_t space[UUID_BYTES], const char *name, uint8_t uuid[UUID_BYTES])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t message[MESSAGE_BYTES] = {0};
    size_t length = strlen(name) < NAME_BYTES ? strlen(name) : NAME_BYTES;

    memcpy(message, space, UUID_BYTES);
    memcpy(message + UUID_BYTES, name, length);
    length += UUID_BYTES;
    message[length] = 0x80; /* the end, zeros, and the length in bits at the end of a block */
    size_t blocks = (length + 1 + LENGTH_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES;
    uint8_t *end = message + blocks * BLOCK_BYTES;
    for (unsigned i = 0; i < 4; i++) {
        end[-1 - (int)i] = (uint8_t)(length * 8 >> 8 * i);
    }
    for (size_t i = 0; i < blocks; i++) {
        hash_block(state, message + i * BLOCK_BYTES);
    }
    for (unsigned i = 0; i < UUID_BYTES; i++) {
        uuid[i] = (uint8_t)(state[i / 4] >> 8 * (3 - i % 4));
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
