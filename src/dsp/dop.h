/* SPDX-License-Identifier: MIT */
/*
 * DSD over PCM (DoP 1.1): 16 bits of a DSD stream within a 24-bit PCM word, under a marker byte
 * that alternates from frame to frame and is the same in all channels of a frame. A converter that
 * knows it plays the bits as DSD; every other one plays faint noise. Words are carried as float32
 * like all samples of Tutti, which holds 24-bit integers exactly.
 *
 * Real time, any thread. Pointers are borrowed for the call.
 */
#ifndef TUTTI_DOP_H
#define TUTTI_DOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOP_BITS = 16,          /* of a DSD channel in a PCM frame */
    DOP_BYTES = 2,          /* that hold them */
    DOP_SILENCE = 0x69,     /* a byte of DSD silence, first bit in the highest */
    DOP_SILENCE_LSB = 0x96, /* the same, first bit in the lowest */
    DOP_LOCK_FRAMES = 32,   /* with markers in order, before a channel is taken for DoP */
};

/* What a channel of input was so far; all zero at the beginning. */
struct dop_channel {
    uint32_t marker; /* of the last frame; 0: it had none */
    uint32_t run;    /* frames with markers in order, up to DOP_LOCK_FRAMES */
};

/** DSD bytes to PCM words. first_frame: the position of the block's first frame, from which the
 * marker follows: blocks that follow each other have markers that do. lsb: the first bit of a byte
 * is the lowest. */
void dop_pack(float *to, const unsigned char *from, size_t frames, uint64_t first_frame, bool lsb);

/** PCM words to DSD bytes; silence where they are no DoP, or not for long enough. */
void dop_unpack(struct dop_channel *channel, unsigned char *to, const float *from, size_t frames,
                bool lsb);

#endif
