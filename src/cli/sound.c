/* SPDX-License-Identifier: MIT */
/* See sound.h. A header is any file's word: libsndfile passes rates and lengths on as they stand.
 */
#include "cli/sound.h"

#include <math.h>
#include <stdio.h>

#include "tutti/tutti.h"

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
