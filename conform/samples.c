/* SPDX-License-Identifier: MIT */
/* Sample types. See samples.h. Plain loops over bytes: nothing here is in a hurry. */
#include "conform/samples.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tutti/asio.h"

struct sample_type {
    int32_t type;
    const char *name;
    unsigned bytes, bits; /* bits that count, at the low end of an integer; 0: floating point */
    bool big_endian;
};

static const struct sample_type types[] = {
    {ASIO_INT16_LSB, "Int16LSB", 2, 16, false},
    {ASIO_INT24_LSB, "Int24LSB", 3, 24, false},
    {ASIO_INT32_LSB, "Int32LSB", 4, 32, false},
    {ASIO_FLOAT32_LSB, "Float32LSB", 4, 0, false},
    {ASIO_FLOAT64_LSB, "Float64LSB", 8, 0, false},
    {ASIO_INT32_LSB16, "Int32LSB16", 4, 16, false},
    {ASIO_INT32_LSB18, "Int32LSB18", 4, 18, false},
    {ASIO_INT32_LSB20, "Int32LSB20", 4, 20, false},
    {ASIO_INT32_LSB24, "Int32LSB24", 4, 24, false},
    {ASIO_INT16_MSB, "Int16MSB", 2, 16, true},
    {ASIO_INT24_MSB, "Int24MSB", 3, 24, true},
    {ASIO_INT32_MSB, "Int32MSB", 4, 32, true},
    {ASIO_FLOAT32_MSB, "Float32MSB", 4, 0, true},
    {ASIO_FLOAT64_MSB, "Float64MSB", 8, 0, true},
    {ASIO_INT32_MSB16, "Int32MSB16", 4, 16, true},
    {ASIO_INT32_MSB18, "Int32MSB18", 4, 18, true},
    {ASIO_INT32_MSB20, "Int32MSB20", 4, 20, true},
    {ASIO_INT32_MSB24, "Int32MSB24", 4, 24, true},
    {ASIO_DSD_INT8_LSB1, "DSDInt8LSB1", 0, 0, false},
    {ASIO_DSD_INT8_MSB1, "DSDInt8MSB1", 0, 0, false},
    {ASIO_DSD_INT8_NER8, "DSDInt8NER8", 0, 0, false},
};

static const struct sample_type *
look_up(int32_t type)
{
    for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (types[i].type == type) {
            return &types[i];
        }
    }
    return NULL;
}

unsigned
samples_bytes(int32_t type)
{
    const struct sample_type *found = look_up(type);

    return found ? found->bytes : 0;
}

const char *
samples_name(int32_t type)
{
    const struct sample_type *found = look_up(type);

    return found ? found->name : "?";
}

static void
store(unsigned char *to, uint64_t value, const struct sample_type *type)
{
    for (unsigned i = 0; i < type->bytes; i++) {
        to[type->big_endian ? type->bytes - 1 - i : i] = (unsigned char)(value >> (8 * i));
    }
}

static uint64_t
load(const unsigned char *from, const struct sample_type *type)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < type->bytes; i++) {
        value |= (uint64_t)from[type->big_endian ? type->bytes - 1 - i : i] << (8 * i);
    }
    return value;
}

/* The nearest number of so many bits. */
static int32_t
to_integer(float sample, unsigned bits)
{
    double full = ldexp(1.0, (int)bits - 1);
    double scaled = (double)sample * full;

    if (scaled >= full - 1) {
        return (int32_t)(full - 1);
    }
    if (scaled <= -full) {
        return (int32_t)-full;
    }
    return (int32_t)llrint(scaled);
}

static uint64_t
bits_of(float sample, const struct sample_type *type)
{
    double wide = (double)sample;
    uint64_t long_bits = 0;
    uint32_t short_bits = 0;

    if (type->bits) {
        return (uint64_t)(int64_t)to_integer(sample, type->bits);
    }
    if (type->bytes == sizeof(wide)) {
        memcpy(&long_bits, &wide, sizeof(wide));
        return long_bits;
    }
    memcpy(&short_bits, &sample, sizeof(sample));
    return short_bits;
}

static float
sample_of(uint64_t value, const struct sample_type *type)
{
    double wide = 0;
    float narrow = 0;
    uint32_t short_bits = (uint32_t)value;

    if (type->bits) {
        int32_t full = (int32_t)(short_bits << (32 - type->bits));
        return (float)((double)full / 2147483648.0);
    }
    if (type->bytes == sizeof(wide)) {
        memcpy(&wide, &value, sizeof(wide));
        return (float)wide;
    }
    memcpy(&narrow, &short_bits, sizeof(narrow));
    return narrow;
}

void
samples_put(void *to, int32_t type, const float *from, uint32_t frames)
{
    const struct sample_type *found = look_up(type);
    unsigned char *out = to;

    if (type == ASIO_FLOAT32_LSB) {
        memcpy(to, from, frames * sizeof(float));
        return;
    }
    if (!found) {
        return;
    }
    for (uint32_t i = 0; i < frames; i++, out += found->bytes) {
        store(out, bits_of(from[i], found), found);
    }
}

void
samples_get(float *to, const void *from, int32_t type, uint32_t frames)
{
    const struct sample_type *found = look_up(type);
    const unsigned char *in = from;

    if (type == ASIO_FLOAT32_LSB) {
        memcpy(to, from, frames * sizeof(float));
        return;
    }
    if (!found) {
        return;
    }
    for (uint32_t i = 0; i < frames; i++, in += found->bytes) {
        to[i] = sample_of(load(in, found), found);
    }
}
