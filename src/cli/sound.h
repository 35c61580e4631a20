/* SPDX-License-Identifier: MIT */
/* What 'tutti play' takes of a sound file, whatever its header says. Pure functions. */
#ifndef TUTTI_CLI_SOUND_H
#define TUTTI_CLI_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sndfile.h>

enum { SOUND_MIN_HZ = 1000, SOUND_MAX_HZ = 768000, SOUND_ERROR_BYTES = 160 };

/* A file as bytes: reads up to count of them from offset; the number read. */
struct sound_bytes {
    size_t (*read)(void *user, uint64_t offset, void *to, size_t count);
    void *user;
    uint64_t size;
};

/** Whether libsndfile may be given it: a kind that Tutti plays (WAV, RF64, AIFF, FLAC, Ogg, CAF),
 * and chunks that lie within the file and within one another (only the last, with the samples, may
 * be cut off). libsndfile 1.2 reads some damaged lists for ever. Else error holds a sentence
 * without the file's name. */
bool sound_check_bytes(const struct sound_bytes *bytes, char error[SOUND_ERROR_BYTES]);

/** Whether it can be played at all; else error holds a sentence without the file's name. */
bool sound_check(const SF_INFO *info, char error[SOUND_ERROR_BYTES]);

/** Frames to play: what the header says, at most `seconds` (0: all); UINT64_MAX: until it ends.
 * info: checked. */
uint64_t sound_total_frames(const SF_INFO *info, double seconds);

/** Frames to hold between file and device: a second, but no less than 4 buffers and no more than 64
 * MiB unless those need it. info: checked. */
uint32_t sound_ring_frames(const SF_INFO *info, uint32_t buffer_frames);

#endif
