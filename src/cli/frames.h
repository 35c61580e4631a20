/* SPDX-License-Identifier: MIT */
/*
 * A ring of audio frames between the thread that reads or writes a file and the callback: one
 * writer, one reader, lock-free and real time on both sides. Samples are kept interleaved, as files
 * are; callbacks come and go by channel.
 */
#ifndef TUTTI_CLI_FRAMES_H
#define TUTTI_CLI_FRAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct frames {
    _Atomic uint64_t written; /* frames so far; the writer's, acquired by the reader */
    unsigned char apart[56];  /* a cache line, see ring.h */
    _Atomic uint64_t read;    /* the other way round */
    unsigned char apart_too[56];
    float *samples;
    uint32_t channels;
    uint32_t capacity; /* frames; a power of two */
};

/** Room for at least `frames` frames (1..2^24) of `channels` channels. False: no memory. */
bool frames_init(struct frames *ring, uint32_t channels, uint32_t frames);
void frames_fini(struct frames *ring);

/** Frames that can be written (writer's thread) or read (reader's thread) now; never shrinks on
 * that thread by itself. */
uint32_t frames_writable(const struct frames *ring);
uint32_t frames_readable(const struct frames *ring);

/* The file's side. Interleaved; count at most what is writable (readable). */
void frames_write(struct frames *ring, const float *samples, uint32_t count);
void frames_read(struct frames *ring, float *samples, uint32_t count);

/* The callback's side: channel after channel, then all at once. count as above. */
void frames_put_channel(struct frames *ring, uint32_t channel, const float *samples,
                        uint32_t count);
void frames_put_done(struct frames *ring, uint32_t count);
void frames_get_channel(const struct frames *ring, uint32_t channel, float *samples,
                        uint32_t count);
void frames_get_done(struct frames *ring, uint32_t count);

/* The loudest sample of a channel since somebody looked: one writer, one reader. */
struct peak {
    _Atomic float value;
};
/** Real time. A value may be missed when it meets peak_take(): a meter, not a measurement. */
void peak_put(struct peak *peak, const float *samples, uint32_t count);
float peak_take(struct peak *peak);

#endif
