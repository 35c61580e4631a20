/* SPDX-License-Identifier: MIT */
/* What 'tutti play' takes of a sound file, whatever its header says. Pure functions. */
#ifndef TUTTI_CLI_SOUND_H
#define TUTTI_CLI_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include <sndfile.h>

enum { SOUND_MIN_HZ = 1000, SOUND_MAX_HZ = 768000, SOUND_ERROR_BYTES = 160 };

/** Whether it can be played at all; else error holds a sentence without the file's name. */
bool sound_check(const SF_INFO *info, char error[SOUND_ERROR_BYTES]);

/** Frames to play: what the header says, at most `seconds` (0: all); UINT64_MAX: until it ends.
 * info: checked. */
uint64_t sound_total_frames(const SF_INFO *info, double seconds);

/** Frames to hold between file and device: a second, but no less than 4 buffers and no more than 64
 * MiB unless those need it. info: checked. */
uint32_t sound_ring_frames(const SF_INFO *info, uint32_t buffer_frames);

#endif
