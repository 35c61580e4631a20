/* SPDX-License-Identifier: MIT */
/* See sound.h. A header is any file's word: libsndfile passes rates and lengths on as they stand.
 */
#include "cli/sound.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tutti/tutti.h"

enum { CHUNKS_MAX = 4096, CHUNK_HEADER_BYTES = 8, LIST_HEADER_BYTES = 12 };

/* What begins with these bytes is played; with chunks: which are lists, and the order of bytes. */
static const struct {
    char magic[5];
    bool chunked, big_endian;
} kinds[] = {
    {"RIFF", true, false},  {"RIFX", true, true},   {"RF64", true, false},  {"FORM", true, true},
    {"fLaC", false, false}, {"OggS", false, false}, {"caff", false, false},
};

struct chunk {
    char id[4];
    uint32_t size;
};

static bool
read_chunk(const struct sound_bytes *bytes, uint64_t at, bool big_endian, struct chunk *chunk)
{
    unsigned char raw[CHUNK_HEADER_BYTES];
    if (bytes->read(bytes->user, at, raw, sizeof(raw)) != sizeof(raw)) {
        return false;
    }
    memcpy(chunk->id, raw, sizeof(chunk->id));
    const unsigned char *size = raw + 4;
    chunk->size =
        big_endian
            ? (uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 | (uint32_t)size[2] << 8 | size[3]
            : (uint32_t)size[3] << 24 | (uint32_t)size[2] << 16 | (uint32_t)size[1] << 8 | size[0];
    return true;
}

static bool
has_id(const struct chunk *chunk, const char *id)
{
    return memcmp(chunk->id, id, sizeof(chunk->id)) == 0;
}

static bool
is_text(const char *id)
{
    for (unsigned i = 0; i < 4; i++) {
        if (id[i] < ' ' || id[i] > '~') {
            return false;
        }
    }
    return true;
}

/* What a list holds: named parts, none empty, up to the list's very end. */
static bool
check_list(const struct sound_bytes *bytes, uint64_t at, uint64_t end, bool big_endian)
{
    while (at < end) {
        struct chunk part;
        if (end - at < CHUNK_HEADER_BYTES || !read_chunk(bytes, at, big_endian, &part) ||
            !is_text(part.id) || !part.size || part.size > end - at - CHUNK_HEADER_BYTES) {
            return false;
        }
        at += CHUNK_HEADER_BYTES + part.size;
        at += part.size & 1 && at < end; /* the last one's padding may be missing */
    }
    return true;
}

/* Chunks one after the other from `at` to `end`; one with samples may reach beyond. */
static bool
check_chunks(const struct sound_bytes *bytes, uint64_t at, uint64_t end, bool big_endian)
{
    for (unsigned count = 0; at + CHUNK_HEADER_BYTES <= end; count++) {
        struct chunk chunk;
        if (count == CHUNKS_MAX || !read_chunk(bytes, at, big_endian, &chunk)) {
            return false;
        }
        uint64_t inside = at + CHUNK_HEADER_BYTES;
        if (chunk.size > end - inside) {
            return has_id(&chunk, "data") || has_id(&chunk, "SSND");
        }
        if (has_id(&chunk, "LIST") &&
            (chunk.size < 4 || !check_list(bytes, inside + 4, inside + chunk.size, big_endian))) {
            return false;
        }
        at = inside + chunk.size + (chunk.size & 1);
    }
    return true;
}

bool
sound_check_bytes(const struct sound_bytes *bytes, char error[SOUND_ERROR_BYTES])
{
    char magic[4] = "";
    bytes->read(bytes->user, 0, magic, sizeof(magic));
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (memcmp(magic, kinds[i].magic, sizeof(magic)) != 0) {
            continue;
        }
        bool good = !kinds[i].chunked ||
                    check_chunks(bytes, LIST_HEADER_BYTES, bytes->size, kinds[i].big_endian);
        if (!good) {
            snprintf(error, SOUND_ERROR_BYTES,
                     "is damaged: its chunks do not fit into one another");
        }
        return good;
    }
    snprintf(error, SOUND_ERROR_BYTES, "is no WAV, AIFF, FLAC, Ogg or CAF file");
    return false;
}

#define RING_SAMPLES (UINT32_C(64) << 18) /* 64 MiB of float32 */

bool
sound_check(const SF_INFO *info, char error[SOUND_ERROR_BYTES])
{
    if (info->channels < 1 || info->channels > TUTTI_MAX_CHANNELS) {
        snprintf(error, SOUND_ERROR_BYTES, "has %d channels; 1 to %d can be played", info->channels,
                 TUTTI_MAX_CHANNELS);
        return false;
    }
    if (info->samplerate < SOUND_MIN_HZ || info->samplerate > SOUND_MAX_HZ) {
        snprintf(error, SOUND_ERROR_BYTES, "has a sample rate of %d Hz; %d to %d can be played",
                 info->samplerate, SOUND_MIN_HZ, SOUND_MAX_HZ);
        return false;
    }
    return true;
}

uint64_t
sound_total_frames(const SF_INFO *info, double seconds)
{
    uint64_t total =
        info->frames > 0 && info->frames < SF_COUNT_MAX ? (uint64_t)info->frames : UINT64_MAX;
    if (seconds > 0) {
        uint64_t most = (uint64_t)llround(seconds * info->samplerate);
        total = most < total ? most : total;
    }
    return total;
}

uint32_t
sound_ring_frames(const SF_INFO *info, uint32_t buffer_frames)
{
    uint32_t frames = (uint32_t)info->samplerate;
    uint32_t most = RING_SAMPLES / (uint32_t)info->channels;
    frames = frames < most ? frames : most;
    return frames > 4 * buffer_frames ? frames : 4 * buffer_frames;
}
