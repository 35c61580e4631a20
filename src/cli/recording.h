/* SPDX-License-Identifier: MIT */
/*
 * The pure part of 'tutti record': what is to be recorded, and a ring that keeps the timeline:
 * frames that never came through are given out as silence in their place.
 */
#ifndef TUTTI_CLI_RECORDING_H
#define TUTTI_CLI_RECORDING_H

#include "cli/args_channels.h"
#include "cli/frames.h"

/* What the arguments ask for. */
struct recording_choice {
    enum tutti_channel_kind kind;
    uint32_t program;
    uint32_t list[TUTTI_MAX_CHANNELS];
    uint32_t channels; /* of the list; 0: not chosen */
    uint32_t buffer_frames;
    double seconds;   /* 0: until Ctrl-C */
    int sound_format; /* libsndfile's */
    bool int24;
};

/** Reads the arguments of `tutti record`. False: error says what is wrong. */
bool recording_choose(struct recording_choice *choice, const struct args *args,
                      char error[ARGS_ERROR_BYTES]);

enum { RECORDING_GAPS = 64 };

struct recording_gap {
    uint64_t before_frame; /* of those that came through */
    uint64_t frames;
};

struct recording {
    struct frames frames;
    struct recording_gap gap[RECORDING_GAPS];
    struct ring gaps;           /* of them, from the callback to the file thread */
    uint64_t expected_position; /* the callback's: where the next block should begin */
    uint64_t came_frames;       /* the callback's: put into the ring */
    uint64_t given_frames;      /* the file thread's: taken from the ring */
    uint64_t gap_left_frames;   /* the file thread's: silence still to be given */
    uint64_t lost_frames;       /* the file thread's: silence given in all */
};

/** Zeroed before. Room for `frames` frames. False: no memory. */
bool recording_init(struct recording *recording, uint32_t channels, uint32_t frames);
void recording_fini(struct recording *recording);

/* The callback's side, real time. */
/** True: the block is to be put into recording->frames channel by channel, then recording_end()
 * called. False: there is no room; it will be a gap. */
bool recording_begin(struct recording *recording, uint64_t position_frames, uint32_t frames);
void recording_end(struct recording *recording, uint32_t frames);

/** The file's side: up to `most` frames, interleaved, silence where there is a gap. Returns how
 * many. */
uint32_t recording_take(struct recording *recording, float *samples, uint32_t most);

#endif
