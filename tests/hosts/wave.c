/* SPDX-License-Identifier: MIT */
/* RIFF WAVE with 16-bit integer or float32 samples: enough for what tests play, without a library.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

enum { WAVE_PCM = 1, WAVE_FLOAT = 3, WAVE_EXTENSIBLE = 0xfffe, WAVE_BYTES_MAX = 1 << 30 };

struct format {
    unsigned tag, channels, bits;
};

static unsigned
get16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t
get32(const unsigned char *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static unsigned char *
read_whole(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    unsigned char *content = NULL;
    long length = -1;

    if (file && fseek(file, 0, SEEK_END) == 0) {
        length = ftell(file);
    }
    if (length > 0 && length <= WAVE_BYTES_MAX && fseek(file, 0, SEEK_SET) == 0) {
        content = malloc((size_t)length);
    }
    if (content && fread(content, 1, (size_t)length, file) != (size_t)length) {
        free(content);
        content = NULL;
    }
    if (file) {
        fclose(file);
    }
    *bytes = content ? (size_t)length : 0;
    return content;
}

static bool
convert(struct wave *wave, const struct format *format, const unsigned char *data, size_t bytes)
{
    bool is_float = format->tag == WAVE_FLOAT && format->bits == 32;
    bool is_int16 = format->tag == WAVE_PCM && format->bits == 16;

    if ((!is_float && !is_int16) || !format->channels) {
        return false;
    }
    wave->channels = format->channels;
    wave->frames = bytes / (format->channels * (format->bits / 8));
    size_t samples = (size_t)(wave->frames * wave->channels);
    wave->samples = malloc(samples * sizeof(float) + 1);
    if (!wave->samples || !samples) {
        return false;
    }
    if (is_float) {
        memcpy(wave->samples, data, samples * sizeof(float));
    } else {
        for (size_t i = 0; i < samples; i++) {
            wave->samples[i] = (float)(int16_t)get16(data + 2 * i) / 32768.0f;
        }
    }
    return true;
}

bool
wave_read(struct wave *wave, const char *path)
{
    struct format format = {0, 0, 0};
    size_t bytes, at = 12;
    unsigned char *content = read_whole(path, &bytes);
    bool good = false;

    if (content && bytes > 12 && !memcmp(content, "RIFF", 4) && !memcmp(content + 8, "WAVE", 4)) {
        while (!good && at + 8 <= bytes) {
            const unsigned char *chunk = content + at;
            size_t size = get32(chunk + 4), rest = bytes - at - 8;
            if (size > rest) {
                size = rest;
            }
            if (!memcmp(chunk, "fmt ", 4) && size >= 16) {
                format.tag = get16(chunk + 8);
                format.channels = get16(chunk + 10);
                format.bits = get16(chunk + 22);
                if (format.tag == WAVE_EXTENSIBLE && size >= 26) {
                    format.tag = get16(chunk + 32);
                }
            } else if (!memcmp(chunk, "data", 4)) {
                good = convert(wave, &format, chunk + 8, size);
                break;
            }
            at += 8 + size + (size & 1);
        }
    }
    free(content);
    if (!good) {
        fail("%s is no WAVE file with 16-bit or float samples", path);
    }
    return good;
}
