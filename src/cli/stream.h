/* SPDX-License-Identifier: MIT */
/* What play, record and latency share: choosing channels that exist, and hearing of events while a
 * stream runs. */
#ifndef TUTTI_CLI_STREAM_H
#define TUTTI_CLI_STREAM_H

#include <sndfile.h>

#include "cli/session.h"
#include "tutti/tutti.h"

/* One direction's channels as a command wants them. */
struct stream_channels {
    struct tutti_channel channel[TUTTI_MAX_CHANNELS];
    uint32_t count;
    bool chosen; /* by the user; else fewer are fine */
};

/** The channels numbered `list` of one source: its kind and program. */
void stream_choose(struct stream_channels *channels, struct tutti_channel source,
                   const uint32_t *list, uint32_t count, bool chosen);

/** tutti_prepare() with these channels. Channels that nobody chose are left out when the device has
 * not so many. On failure one sentence was said. */
enum tutti_status stream_prepare(struct session *session, struct tutti_stream_params *params,
                                 struct stream_channels *inputs, struct stream_channels *outputs);

/** Tells the user the events since the last call. False when the stream must end: the device runs
 * at another rate. */
bool stream_tell_events(struct session *session);

/** Why libsndfile failed, as part of a sentence. file NULL: opening failed. Borrowed until the next
 * call. */
const char *stream_sound_error(SNDFILE *file);

#endif
