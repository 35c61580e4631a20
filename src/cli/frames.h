/* SPDX-License-Identifier: MIT */
/*
 * A ring of audio frames between the thread that reads or writes a file and the callback. Samples
 * are kept interleaved, as files are, and the file's side uses the ring itself (base/ring.h), a
 * frame being a record; callbacks come and go by channel.
 */
#ifndef TUTTI_CLI_FRAMES_H
#define TUTTI_CLI_FRAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"

struct frames {
    struct ring ring;
    float *samples; /* its storage */
    uint32_t channels;
};

/** Room for at least `count` frames (1..2^24) of `channels` channels. False: no memory. */
bool frames_init(struct frames *frames, uint32_t channels, uint32_t count);
void frames_fini(struct frames *frames);

/* The callback's side: channel after channel, then all at once with ring_write_done() and
 * ring_read_done(). count: at most what is writable (readable). */
void frames_put_channel(struct frames *frames, uint32_t channel, const float *samples,
                        uint32_t count);
void frames_get_channel(const struct frames *frames, uint32_t channel, float *samples,
                        uint32_t count);

/* The loudest sample of a channel since somebody looked: one writer, one reader. */
struct peak {
    _Atomic float value;
};
/** Real time. A value may be missed when it meets peak_take(): a meter, not a measurement. */
void peak_put(struct peak *peak, const float *samples, uint32_t count);
float peak_take(struct peak *peak);

#endif
