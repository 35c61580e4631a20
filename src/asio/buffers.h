/* SPDX-License-Identifier: MIT */
/*
 * A host's double buffers where its samples are not the engine's float32: memory of the driver's
 * own, converted from the shared segment before a callback and into it when the block is complete,
 * by the rule by which libtutti hands blocks over (src/client/callback.c). With float32 there is
 * none of this: the host works on the segment.
 */
#ifndef TUTTI_ASIO_BUFFERS_H
#define TUTTI_ASIO_BUFFERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asio/convert.h"
#include "tutti/tutti.h"

struct buffers {
    /* Written by open, under the gate; constant until close. */
    unsigned char *memory; /* inputs, then outputs, each half 0 and half 1; NULL: none of our own */
    struct tutti_client *client; /* whose segment it is */
    int32_t type;
    uint32_t frames, inputs, outputs; /* of the device */
    size_t half_bytes;
    bool late_take;

    /* The callback thread's own; cleared before it starts. */
    struct dop_channel dop[TUTTI_MAX_CHANNELS];

    /* Between the callback thread and those that say ready. */
    uint64_t position[2];       /* of each half's block; covered by `open` */
    _Atomic uint32_t open;      /* half + 1 of the block that waits to be complete; 0: none */
    _Atomic bool ready_said;    /* since start */
    _Atomic uint32_t preparing; /* threads within buffers_ready() */
};

/** Makes buffers for a prepared client. type: ASIO's; float32 takes no memory. False: no memory. */
bool buffers_open(struct buffers *buffers, struct tutti_client *client, int32_t type,
                  const struct tutti_stream_params *params);
/** Waits for threads within buffers_ready(), which must find their block taken or the stream
 * stopped. Before the segment goes. */
void buffers_settle(struct buffers *buffers);
void buffers_close(struct buffers *buffers);

/** What a host gets as a channel's half. */
void *buffers_half(const struct buffers *buffers, bool is_input, uint32_t channel, unsigned half);
/** Silence in all halves, as far as they are the driver's own. No callback runs. */
void buffers_clear(struct buffers *buffers);
/** Before the callbacks start: what half 1 of the outputs holds is played directly before the first
 * block (tutti_stream_params.prefilled). */
void buffers_start(struct buffers *buffers);

/** Before and after the host's function. Callback thread. */
void buffers_begin(struct buffers *buffers, const struct tutti_block *block);
void buffers_end(struct buffers *buffers, const struct tutti_block *block);
/** The host says that the block is complete; before tutti_block_ready(). Any thread. */
void buffers_ready(struct buffers *buffers);

#endif
