/* SPDX-License-Identifier: MIT */
/* The pure part of 'tutti record'. See recording.h. */
#include "cli/recording.h"

#include <stdio.h>
#include <string.h>

#include <sndfile.h>

#include "base/ascii.h"
#include "config/config.h"

/* True when path ends with .extension, in whatever case. */
static bool
has_extension(const char *path, const char *extension)
{
    size_t length = strlen(path), end = strlen(extension);

    if (length < end + 2 || path[length - end - 1] != '.') {
        return false;
    }
    for (size_t i = 0; i < end; i++) {
        if (ascii_lower(path[length - end + i]) != extension[i]) {
            return false;
        }
    }
    return true;
}

static bool
choose_format(struct recording_choice *choice, const struct args *args,
              char error[ARGS_ERROR_BYTES])
{
    const char *format = args_value(args, "format");
    bool flac = has_extension(args->operand, "flac");

    if (!flac && !has_extension(args->operand, "wav")) {
        snprintf(error, ARGS_ERROR_BYTES, "'%.150s' must end with .wav or .flac", args->operand);
        return false;
    }
    if (format && strcmp(format, "float32") != 0 && strcmp(format, "int24") != 0) {
        snprintf(error, ARGS_ERROR_BYTES, "--format takes float32 or int24, but '%.100s' was given",
                 format);
        return false;
    }
    choice->int24 = format ? strcmp(format, "int24") == 0 : flac;
    if (flac && !choice->int24) {
        snprintf(error, ARGS_ERROR_BYTES, "FLAC keeps no float32; record int24, or into a .wav");
        return false;
    }
    choice->sound_format = (flac ? SF_FORMAT_FLAC : SF_FORMAT_RF64) |
                           (choice->int24 ? SF_FORMAT_PCM_24 : SF_FORMAT_FLOAT);
    if (flac && choice->channels > 8) {
        snprintf(error, ARGS_ERROR_BYTES, "FLAC keeps 8 channels at most; record into a .wav");
        return false;
    }
    return true;
}

bool
recording_choose(struct recording_choice *choice, const struct args *args,
                 char error[ARGS_ERROR_BYTES])
{
    *choice = (struct recording_choice){.kind = TUTTI_CHANNEL_DEVICE, .buffer_frames = 1024};
    return args_source(args, "source", &choice->kind, &choice->program, error) &&
           args_channels(args, "channels", false, choice->list, &choice->channels, error) &&
           args_whole(args, "buffer", 1, CONFIG_BUFFER_FRAMES, &choice->buffer_frames, error) &&
           args_number(args, "seconds", 0.001, 1e9, &choice->seconds, error) &&
           choose_format(choice, args, error);
}

bool
recording_init(struct recording *recording, uint32_t channels, uint32_t frames)
{
    ring_init(&recording->gaps, recording->gap, sizeof(recording->gap[0]), RECORDING_GAPS);
    return frames_init(&recording->frames, channels, frames);
}

void
recording_fini(struct recording *recording)
{
    frames_fini(&recording->frames);
}

bool
recording_begin(struct recording *recording, uint64_t position_frames, uint32_t frames)
{
    if (ring_writable(&recording->frames.ring) < frames) {
        return false;
    }
    if (position_frames > recording->expected_position) {
        struct recording_gap gap = {
            .before_frame = recording->came_frames,
            .frames = position_frames - recording->expected_position,
        };
        /* Before the frames behind it: a reader that sees those sees the gap too. */
        if (!ring_put(&recording->gaps, &gap)) {
            return false;
        }
    }
    recording->expected_position = position_frames + frames;
    return true;
}

void
recording_end(struct recording *recording, uint32_t frames)
{
    recording->came_frames += frames;
    ring_write_done(&recording->frames.ring, frames);
}

uint32_t
recording_take(struct recording *recording, float *samples, uint32_t most)
{
    /* First: gaps that lie within these frames were announced before them. */
    uint32_t ready = ring_readable(&recording->frames.ring);

    if (recording->gap_left_frames == 0 && ring_readable(&recording->gaps)) {
        const struct recording_gap *gap = ring_read_region(&recording->gaps, 1).run[0];
        uint64_t before = gap->before_frame;
        if (before == recording->given_frames) {
            recording->gap_left_frames = gap->frames;
            ring_read_done(&recording->gaps, 1);
        } else if (before - recording->given_frames < ready) {
            ready = (uint32_t)(before - recording->given_frames);
        }
    }
    if (recording->gap_left_frames) {
        uint32_t count =
            recording->gap_left_frames < most ? (uint32_t)recording->gap_left_frames : most;
        memset(samples, 0, (size_t)count * recording->frames.channels * sizeof(*samples));
        recording->gap_left_frames -= count;
        recording->lost_frames += count;
        return count;
    }
    uint32_t count = ready < most ? ready : most;
    ring_read(&recording->frames.ring, samples, count);
    recording->given_frames += count;
    return count;
}
