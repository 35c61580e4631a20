/* SPDX-License-Identifier: MIT */
/* What the virtual card hears and plays. */
#include <string.h>

#include "backend/sim/sim_stream.h"

static float *
air_at(struct backend_stream *stream, uint32_t channel, uint64_t frame)
{
    return stream->air + (size_t)channel * stream->air_frames + (frame & (stream->air_frames - 1));
}

/* What channel hears from `first` on; frames before device frame 0 are silent. */
static void
hear(struct backend_stream *stream, uint32_t channel, int64_t first, float *samples,
     uint32_t frames)
{
    uint32_t silent = first >= 0 ? 0 : first + (int64_t)frames > 0 ? (uint32_t)-first : frames;
    memset(samples, 0, frames * sizeof(float));
    if (silent == frames) {
        return;
    }
    if (stream->source) {
        stream->source(stream->air_user, channel, (uint64_t)(first + silent), samples + silent,
                       frames - silent);
    }
    if (stream->cable >= 0 && channel < stream->info.outputs) {
        for (uint32_t i = silent; i < frames; i++) {
            int64_t played = first + (int64_t)i - stream->cable;
            if (played >= 0) {
                samples[i] += *air_at(stream, channel, (uint64_t)played);
            }
        }
    }
}

void
sim_capture(struct backend_stream *stream)
{
    uint32_t frames = stream->info.period_frames;
    int64_t first = (int64_t)stream->frame - frames - stream->converter_in;
    for (uint32_t c = 0; c < stream->info.inputs; c++) {
        hear(stream, c, first, stream->scratch, frames);
        dsp_to_device(stream->in[c].first, stream->in[c].stride_bytes, stream->info.input_format,
                      stream->scratch, frames);
    }
}

/* Silence where nothing was played: lost time. */
static void
silence_until(struct backend_stream *stream, uint64_t frame)
{
    uint64_t first = stream->air_end;
    if (frame > first + stream->air_frames) {
        first = frame - stream->air_frames;
    }
    for (uint64_t f = first; f < frame; f++) {
        for (uint32_t c = 0; c < stream->info.outputs; c++) {
            *air_at(stream, c, f) = 0;
        }
    }
    if (frame > stream->air_end) {
        stream->air_end = frame;
    }
}

void
sim_play(struct backend_stream *stream)
{
    uint32_t frames = stream->info.period_frames;
    uint64_t first = stream->frame + frames + stream->converter_out;
    silence_until(stream, first);
    for (uint32_t c = 0; c < stream->info.outputs; c++) {
        dsp_from_device(stream->scratch, stream->out[c].first, stream->out[c].stride_bytes,
                        stream->info.output_format, frames);
        for (uint32_t i = 0; i < frames; i++) {
            *air_at(stream, c, first + i) = stream->scratch[i];
        }
        if (stream->sink) {
            stream->sink(stream->air_user, c, first, stream->scratch, frames);
        }
    }
    stream->air_end = first + frames;
}
