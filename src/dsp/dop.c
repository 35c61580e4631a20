/* SPDX-License-Identifier: MIT */
/* See dop.h. Plain loops: even at DSD256 they see less than a million words a second. */
#include "dsp/dop.h"

#include <string.h>

enum { MARKER_EVEN = 0x05, MARKER_ODD = 0xfa, WORD_SIGN = 0x800000, WORD_SPAN = 0x1000000 };

static const float unit = 1.0f / WORD_SIGN;

static unsigned char
reversed(unsigned char byte)
{
    byte = (unsigned char)((byte & 0xf0) >> 4 | (byte & 0x0f) << 4);
    byte = (unsigned char)((byte & 0xcc) >> 2 | (byte & 0x33) << 2);
    return (unsigned char)((byte & 0xaa) >> 1 | (byte & 0x55) << 1);
}

void
dop_pack(float *to, const unsigned char *from, size_t frames, uint64_t first_frame, bool lsb)
{
    for (size_t i = 0; i < frames; i++, from += DOP_BYTES) {
        int32_t marker = (first_frame + i) & 1 ? MARKER_ODD : MARKER_EVEN;
        int32_t older = lsb ? reversed(from[0]) : from[0];
        int32_t newer = lsb ? reversed(from[1]) : from[1];
        int32_t word = marker << 16 | older << 8 | newer;
        to[i] = (float)(word & WORD_SIGN ? word - WORD_SPAN : word) * unit;
    }
}

/* The word as 24 bits; *marker: 0 when it is no word of DoP. */
static uint32_t
word_of(float sample, uint32_t *marker)
{
    float scaled = sample * (float)WORD_SIGN;

    *marker = 0;
    if (!(scaled >= -(float)WORD_SIGN && scaled < (float)WORD_SIGN)) {
        return 0;
    }
    int32_t whole = (int32_t)scaled;
    uint32_t word = (uint32_t)whole & (WORD_SPAN - 1);
    uint32_t top = word >> 16;
    if ((float)whole == scaled && (top == MARKER_EVEN || top == MARKER_ODD)) {
        *marker = top;
    }
    return word;
}

void
dop_unpack(struct dop_channel *channel, unsigned char *to, const float *from, size_t frames,
           bool lsb)
{
    for (size_t i = 0; i < frames; i++, to += DOP_BYTES) {
        uint32_t marker;
        uint32_t word = word_of(from[i], &marker);
        if (!marker) {
            channel->run = 0;
        } else if (marker == channel->marker) {
            channel->run = 1; /* in disorder: it may begin here */
        } else if (channel->run < DOP_LOCK_FRAMES) {
            channel->run++;
        }
        channel->marker = marker;
        if (channel->run < DOP_LOCK_FRAMES) {
            memset(to, lsb ? DOP_SILENCE_LSB : DOP_SILENCE, DOP_BYTES);
            continue;
        }
        unsigned char older = (unsigned char)(word >> 8), newer = (unsigned char)word;
        to[0] = lsb ? reversed(older) : older;
        to[1] = lsb ? reversed(newer) : newer;
    }
}
