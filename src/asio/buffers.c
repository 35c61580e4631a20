/* SPDX-License-Identifier: MIT */
/* See buffers.h. */
#include "asio/buffers.h"

#include <malloc.h>
#include <string.h>
#include <windows.h>

enum { ALIGN_BYTES = 64 };

bool
buffers_open(struct buffers *buffers, struct tutti_client *client, int32_t type,
             const struct tutti_stream_params *params)
{
    size_t bytes = params->buffer_frames * convert_frame_bytes(type);

    buffers->client = client;
    buffers->type = type;
    buffers->frames = params->buffer_frames;
    buffers->inputs = params->inputs;
    buffers->outputs = params->outputs;
    buffers->late_take = params->late_take;
    buffers->half_bytes = (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    if (type == ASIO_FLOAT32_LSB) {
        return true;
    }
    buffers->memory = _aligned_malloc(
        2 * ((size_t)params->inputs + params->outputs) * buffers->half_bytes, ALIGN_BYTES);
    if (buffers->memory) {
        buffers_clear(buffers);
    }
    return buffers->memory != NULL;
}

void
buffers_settle(struct buffers *buffers)
{
    while (atomic_load(&buffers->preparing)) {
        Sleep(1);
    }
}

void
buffers_close(struct buffers *buffers)
{
    _aligned_free(buffers->memory);
    buffers->memory = NULL;
}

static unsigned char *
own_half(const struct buffers *buffers, bool is_input, uint32_t channel, unsigned half)
{
    size_t index = is_input ? channel : (size_t)buffers->inputs + channel;

    return buffers->memory + (2 * index + half) * buffers->half_bytes;
}

void *
buffers_half(const struct buffers *buffers, bool is_input, uint32_t channel, unsigned half)
{
    if (buffers->memory) {
        return own_half(buffers, is_input, channel, half);
    }
    return is_input ? tutti_input(buffers->client, channel, half)
                    : tutti_output(buffers->client, channel, half);
}

void
buffers_clear(struct buffers *buffers)
{
    if (buffers->memory) {
        memset(buffers->memory, convert_silence(buffers->type),
               2 * ((size_t)buffers->inputs + buffers->outputs) * buffers->half_bytes);
    }
}

/* ---- moments ---- */

static void
put_outputs(const struct buffers *buffers, unsigned half)
{
    for (uint32_t i = 0; i < buffers->outputs; i++) {
        convert_output(tutti_output(buffers->client, i, half), buffers->type,
                       own_half(buffers, false, i, half), buffers->frames, buffers->position[half]);
    }
}

void
buffers_start(struct buffers *buffers)
{
    memset(buffers->dop, 0, sizeof(buffers->dop));
    buffers->position[0] = 0;
    buffers->position[1] = 0 - (uint64_t)buffers->frames;
    atomic_store(&buffers->open, 0);
    atomic_store(&buffers->ready_said, false);
    /* With late_take the host may write there until its first call returns: buffers_end(). */
    if (buffers->memory && !buffers->late_take) {
        put_outputs(buffers, 1);
    }
}

void
buffers_begin(struct buffers *buffers, const struct tutti_block *block)
{
    unsigned half = block->half;
    uint32_t clipped = 0;

    if (!buffers->memory) {
        return;
    }
    for (uint32_t i = 0; i < buffers->inputs; i++) {
        const float *input = tutti_input(buffers->client, i, half);
        convert_input(own_half(buffers, true, i, half), buffers->type, input, buffers->frames,
                      &buffers->dop[i]);
        clipped += convert_clips(buffers->type, input, buffers->frames);
    }
    if (clipped) {
        tutti_count_clipped(buffers->client, clipped);
    }
    /* Where another moment than this call's return completes the block it may never come (a host
     * that no longer says ready, the last block of a late take): silence then, not the block before
     * last. */
    if (buffers->late_take || atomic_load(&buffers->ready_said)) {
        for (uint32_t i = 0; i < buffers->outputs; i++) {
            memset(tutti_output(buffers->client, i, half), 0, buffers->frames * sizeof(float));
        }
    }
    buffers->position[half] = block->position_frames;
    atomic_store(&buffers->open, half + 1); /* partner: the thread that takes it reads position */
}

void
buffers_end(struct buffers *buffers, const struct tutti_block *block)
{
    if (!buffers->memory) {
        return;
    }
    /* With late_take the host may have worked on the other half until now. */
    if (buffers->late_take) {
        put_outputs(buffers, !block->half);
    } else if (!atomic_load(&buffers->ready_said) && atomic_exchange(&buffers->open, 0)) {
        put_outputs(buffers, block->half);
    }
}

void
buffers_ready(struct buffers *buffers)
{
    if (!buffers->memory) {
        return;
    }
    /* `ready_said` first: the callback thread then leaves the block to this one. */
    atomic_store(&buffers->ready_said, true);
    uint32_t open = atomic_exchange(&buffers->open, 0);
    if (open) {
        put_outputs(buffers, open - 1);
    }
}
