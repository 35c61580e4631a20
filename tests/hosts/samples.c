/* SPDX-License-Identifier: MIT */
/* The little-endian sample types of common drivers. Plain loops: this host is no benchmark. */
#include "host.h"

#include <math.h>
#include <string.h>

unsigned
samples_bytes(int32_t type)
{
    switch (type) {
    case ASIO_INT16_LSB:
        return 2;
    case ASIO_INT24_LSB:
        return 3;
    case ASIO_INT32_LSB:
    case ASIO_FLOAT32_LSB:
        return 4;
    case ASIO_FLOAT64_LSB:
        return 8;
    default:
        return 0;
    }
}

static int32_t
to_int32(float sample)
{
    double scaled = (double)sample * 2147483648.0;

    if (scaled >= 2147483647.0)
        return INT32_MAX;
    if (scaled <= -2147483648.0)
        return INT32_MIN;
    return (int32_t)llrint(scaled);
}

void
samples_put(void *to, int32_t type, const float *from, uint32_t frames)
{
    unsigned bytes = samples_bytes(type);
    unsigned char *out = to;

    if (type == ASIO_FLOAT32_LSB) {
        memcpy(to, from, frames * sizeof *from);
        return;
    }
    for (uint32_t i = 0; i < frames; i++, out += bytes) {
        if (type == ASIO_FLOAT64_LSB) {
            double value = from[i];
            memcpy(out, &value, sizeof value);
        } else {
            /* the upper bytes of the 32-bit value, rounded */
            int64_t wide = (int64_t)to_int32(from[i]) + (bytes < 4 ? 1 << (31 - 8 * bytes) : 0);
            uint32_t value = (uint32_t)(wide > INT32_MAX ? INT32_MAX : wide) >> (32 - 8 * bytes);
            memcpy(out, &value, bytes);
        }
    }
}

void
samples_get(float *to, const void *from, int32_t type, uint32_t frames)
{
    unsigned bytes = samples_bytes(type);
    const unsigned char *in = from;

    if (type == ASIO_FLOAT32_LSB) {
        memcpy(to, from, frames * sizeof *to);
        return;
    }
    for (uint32_t i = 0; i < frames; i++, in += bytes) {
        if (type == ASIO_FLOAT64_LSB) {
            double value;
            memcpy(&value, in, sizeof value);
            to[i] = (float)value;
        } else {
            uint32_t value = 0;
            memcpy(&value, in, bytes);
            to[i] = (float)((double)(int32_t)(value << (32 - 8 * bytes)) / 2147483648.0);
        }
    }
}
