/* SPDX-License-Identifier: MIT */
/* Sizes and addresses within a segment, and the engine's check of what a program wrote there. */
#include "proto/segment.h"

enum { SEGMENT_ROUND_BYTES = 65536 };

static uint64_t
round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

enum tutti_status
proto_layout_init(struct proto_layout *layout, uint32_t buffer_frames, uint32_t inputs,
                  uint32_t outputs)
{
    if (buffer_frames < PROTO_MIN_BUFFER_FRAMES || buffer_frames > PROTO_MAX_BUFFER_FRAMES ||
        inputs > PROTO_MAX_CHANNELS || outputs > PROTO_MAX_CHANNELS || inputs + outputs == 0) {
        return TUTTI_INVALID_ARGUMENT;
    }
    uint32_t half = (uint32_t)round_up(buffer_frames * sizeof(float), PROTO_HALF_ALIGN_BYTES);
    *layout = (struct proto_layout){
        .buffer_frames = buffer_frames,
        .inputs = inputs,
        .outputs = outputs,
        .half_bytes = half,
        .size_bytes = round_up(PROTO_SEGMENT_HEADER_BYTES + (uint64_t)(inputs + outputs) * 2 * half,
                               SEGMENT_ROUND_BYTES),
    };
    return TUTTI_OK;
}

static float *
half_at(const struct proto_layout *layout, void *segment, uint32_t channel, unsigned half)
{
    size_t index = (size_t)channel * 2 + (half & 1);
    return (float *)(void *)((unsigned char *)segment + PROTO_SEGMENT_HEADER_BYTES +
                             index * layout->half_bytes);
}

float *
proto_input(const struct proto_layout *layout, void *segment, uint32_t channel, unsigned half)
{
    return half_at(layout, segment, channel, half);
}

float *
proto_output(const struct proto_layout *layout, void *segment, uint32_t channel, unsigned half)
{
    return half_at(layout, segment, layout->inputs + channel, half);
}

void
proto_segment_init(struct proto_segment *segment, const struct proto_layout *layout)
{
    segment->magic = PROTO_SEGMENT_MAGIC;
    segment->header_bytes = PROTO_SEGMENT_HEADER_BYTES;
    segment->size_bytes = layout->size_bytes;
    segment->buffer_frames = layout->buffer_frames;
    segment->inputs = layout->inputs;
    segment->outputs = layout->outputs;
}

/* Through volatile: the other side may write at any time, so each field is read exactly once. */
enum tutti_status
proto_segment_check(const struct proto_segment *segment, size_t mapped_bytes,
                    const struct proto_layout *expected)
{
    const volatile struct proto_segment *read = segment;
    bool good = mapped_bytes >= expected->size_bytes && read->magic == PROTO_SEGMENT_MAGIC &&
                read->header_bytes == PROTO_SEGMENT_HEADER_BYTES &&
                read->size_bytes == expected->size_bytes &&
                read->buffer_frames == expected->buffer_frames &&
                read->inputs == expected->inputs && read->outputs == expected->outputs;
    return good ? TUTTI_OK : TUTTI_PROTOCOL;
}
