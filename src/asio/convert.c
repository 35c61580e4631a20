/* SPDX-License-Identifier: MIT */
/* See convert.h. */
#include "asio/convert.h"

#include <string.h>

#include "dsp/dsp.h"

/* format: DSP_FORMAT_COUNT where the kernels know none. */
static const struct type {
    const char *word;
    int32_t type;
    size_t bytes;
    enum dsp_format format;
    int silence;
} types[] = {
    {"float32", ASIO_FLOAT32_LSB, 4, DSP_F32, 0},
    {"int32", ASIO_INT32_LSB, 4, DSP_S32, 0},
    {"int24", ASIO_INT24_LSB, 3, DSP_S24, 0},
    {"int16", ASIO_INT16_LSB, 2, DSP_S16, 0},
    {"float64", ASIO_FLOAT64_LSB, 8, DSP_FORMAT_COUNT, 0},
    {"msb", ASIO_DSD_INT8_MSB1, DOP_BYTES, DSP_FORMAT_COUNT, DOP_SILENCE},
    {"lsb", ASIO_DSD_INT8_LSB1, DOP_BYTES, DSP_FORMAT_COUNT, DOP_SILENCE_LSB},
};
enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

static const struct type *
find(int32_t type)
{
    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        if (types[i].type == type) {
            return &types[i];
        }
    }
    return NULL;
}

int32_t
convert_type_of(const char *word)
{
    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(types[i].word, word) == 0) {
            return types[i].type;
        }
    }
    return ASIO_FLOAT32_LSB;
}

const char *
convert_type_text(int32_t type)
{
    const struct type *found = find(type);

    if (!found) {
        return "unknown";
    }
    if (convert_is_dsd(type)) {
        return type == ASIO_DSD_INT8_MSB1 ? "DSD, msb first" : "DSD, lsb first";
    }
    return found->word;
}

bool
convert_is_dsd(int32_t type)
{
    return type == ASIO_DSD_INT8_MSB1 || type == ASIO_DSD_INT8_LSB1;
}

size_t
convert_frame_bytes(int32_t type)
{
    const struct type *found = find(type);

    return found ? found->bytes : 0;
}

int
convert_silence(int32_t type)
{
    const struct type *found = find(type);

    return found ? found->silence : 0;
}

static void
to_double(double *to, const float *from, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        to[i] = from[i];
    }
}

static void
from_double(float *to, const double *from, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        to[i] = (float)from[i];
    }
}

void
convert_input(void *to, int32_t type, const float *from, size_t frames, struct dop_channel *dop)
{
    const struct type *found = find(type);

    if (convert_is_dsd(type)) {
        dop_unpack(dop, to, from, frames, type == ASIO_DSD_INT8_LSB1);
    } else if (type == ASIO_FLOAT64_LSB) {
        to_double(to, from, frames);
    } else if (found) {
        dsp_to_device(to, found->bytes, found->format, from, frames);
    }
}

uint32_t
convert_clips(int32_t type, const float *from, size_t frames)
{
    uint32_t count = 0;

    if (convert_is_dsd(type) || type == ASIO_FLOAT64_LSB || dsp_peak(from, frames) <= 1.0f) {
        return 0;
    }
    for (size_t i = 0; i < frames; i++) {
        count += from[i] > 1.0f || from[i] < -1.0f;
    }
    return count;
}

void
convert_output(float *to, int32_t type, const void *from, size_t frames, uint64_t first_frame)
{
    const struct type *found = find(type);

    if (convert_is_dsd(type)) {
        dop_pack(to, from, frames, first_frame, type == ASIO_DSD_INT8_LSB1);
    } else if (type == ASIO_FLOAT64_LSB) {
        from_double(to, from, frames);
    } else if (found) {
        dsp_from_device(to, from, found->bytes, found->format, frames);
    }
}
