/* SPDX-License-Identifier: MIT */
/*
 * Periods in and out of one PCM. Where it can be mapped the engine works in the device's own
 * memory; a period that the ring's end cuts in two, and a PCM that only reads and writes, go
 * through a buffer of a period.
 */
#include "backend/alsa/alsa_stream.h"

#include <errno.h>
#include <string.h>

enum { SHORT_TRIES = 16 }; /* for a PCM that takes less than it said */

static bool
is_mapped(const struct alsa_side *side)
{
    return side->access == SND_PCM_ACCESS_MMAP_INTERLEAVED ||
           side->access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

/* The bounce buffer's area of one channel. */
static struct backend_area
bounce_area(const struct alsa_side *side, uint32_t channel)
{
    uint32_t bytes = dsp_format_bytes(side->format);
    bool planar = side->access == SND_PCM_ACCESS_RW_NONINTERLEAVED;
    return (struct backend_area){
        .first = side->bounce + (size_t)channel * bytes * (planar ? side->period_frames : 1),
        .stride_bytes = planar ? bytes : bytes * side->channels,
    };
}

static struct backend_area
mapped_area(const snd_pcm_channel_area_t *area, unsigned long offset)
{
    return (struct backend_area){
        .first =
            (unsigned char *)area->addr + (area->first + offset * (unsigned long)area->step) / 8,
        .stride_bytes = area->step / 8,
    };
}

static void
copy(struct backend_area to, struct backend_area from, uint32_t bytes, unsigned long frames)
{
    unsigned char *at = to.first;
    const unsigned char *source = from.first;
    for (unsigned long i = 0; i < frames; i++) {
        memcpy(at, source, bytes);
        at += to.stride_bytes;
        source += from.stride_bytes;
    }
}

static void
silence(struct backend_area area, uint32_t bytes, unsigned long frames)
{
    unsigned char *at = area.first;
    for (unsigned long i = 0; i < frames; i++, at += area.stride_bytes) {
        memset(at, 0, bytes);
    }
}

long
alsa_side_ready(struct alsa_side *side)
{
    snd_pcm_state_t state = side->api->pcm_state(side->pcm);
    if (state == SND_PCM_STATE_DISCONNECTED) {
        return -ENODEV;
    }
    if (state == SND_PCM_STATE_SUSPENDED) {
        return -ESTRPIPE;
    }
    long avail = side->api->pcm_avail_update(side->pcm);
    if (avail < 0 || side->direction == SND_PCM_STREAM_CAPTURE) {
        return avail;
    }
    long queued = (long)side->buffer_frames - avail;
    return (long)side->fill_frames - queued;
}

/* ---- the bounce buffer ---- */

/* All of a period between the bounce buffer and the mapped ring, in pieces. */
static int
move_mapped(struct alsa_side *side)
{
    uint32_t bytes = dsp_format_bytes(side->format);
    for (uint32_t done = 0; done < side->period_frames;) {
        const snd_pcm_channel_area_t *areas;
        unsigned long offset, frames = side->period_frames - done;
        int failure = side->api->pcm_mmap_begin(side->pcm, &areas, &offset, &frames);
        if (failure < 0 || !frames) {
            return failure < 0 ? failure : -EPIPE;
        }
        for (uint32_t c = 0; c < side->channels; c++) {
            struct backend_area ring = mapped_area(&areas[c], offset);
            struct backend_area bounce = bounce_area(side, c);
            bounce.first = (unsigned char *)bounce.first + (size_t)done * bounce.stride_bytes;
            if (side->direction == SND_PCM_STREAM_CAPTURE) {
                copy(bounce, ring, bytes, frames);
            } else {
                copy(ring, bounce, bytes, frames);
            }
        }
        long moved = side->api->pcm_mmap_commit(side->pcm, offset, frames);
        if (moved < 0 || (unsigned long)moved != frames) {
            return moved < 0 ? (int)moved : -EPIPE;
        }
        done += (uint32_t)frames;
    }
    return 0;
}

static long
transfer(struct alsa_side *side, uint32_t done)
{
    const struct alsa_api *api = side->api;
    unsigned long frames = side->period_frames - done;
    bool capture = side->direction == SND_PCM_STREAM_CAPTURE;
    if (side->access == SND_PCM_ACCESS_RW_INTERLEAVED) {
        unsigned char *at =
            side->bounce + (size_t)done * side->channels * dsp_format_bytes(side->format);
        return capture ? api->pcm_readi(side->pcm, at, frames)
                       : api->pcm_writei(side->pcm, at, frames);
    }
    void *channels[BACKEND_MAX_CHANNELS];
    for (uint32_t c = 0; c < side->channels; c++) {
        struct backend_area area = bounce_area(side, c);
        channels[c] = (unsigned char *)area.first + (size_t)done * area.stride_bytes;
    }
    return capture ? api->pcm_readn(side->pcm, channels, frames)
                   : api->pcm_writen(side->pcm, channels, frames);
}

/* The same with a PCM that is not mapped. It has said that a period is ready; one that gives less
 * after all is waited for, but not for long. */
static int
move_by_calls(struct alsa_side *side, uint64_t pause_ns)
{
    uint32_t done = 0;
    for (unsigned tries = 0; done < side->period_frames && tries < SHORT_TRIES; tries++) {
        long moved = transfer(side, done);
        if (moved < 0 && moved != -EAGAIN) {
            return (int)moved;
        }
        if (moved > 0) {
            done += (uint32_t)moved;
        } else {
            os_sleep_until_ns(os_now_ns() + pause_ns);
        }
    }
    return done == side->period_frames ? 0 : -EPIPE;
}

static int
move(struct alsa_side *side)
{
    return is_mapped(side) ? move_mapped(side) : move_by_calls(side, OS_NS_PER_MS / 5);
}

/* ---- a period ---- */

int
alsa_side_begin(struct alsa_side *side, struct backend_area *areas)
{
    uint32_t bytes = dsp_format_bytes(side->format);
    side->bouncing = true;
    if (is_mapped(side)) {
        const snd_pcm_channel_area_t *mapped;
        unsigned long frames = side->period_frames;
        int failure = side->api->pcm_mmap_begin(side->pcm, &mapped, &side->offset, &frames);
        if (failure < 0) {
            return failure;
        }
        side->bouncing = frames < side->period_frames;
        for (uint32_t c = 0; c < side->channels && !side->bouncing; c++) {
            struct backend_area area = mapped_area(&mapped[c], side->offset);
            if (c < side->exposed) {
                areas[c] = area;
            } else if (side->direction == SND_PCM_STREAM_PLAYBACK) {
                silence(area, bytes, side->period_frames);
            }
        }
    }
    if (!side->bouncing) {
        return 0;
    }
    for (uint32_t c = 0; c < side->exposed; c++) {
        areas[c] = bounce_area(side, c);
    }
    return side->direction == SND_PCM_STREAM_CAPTURE ? move(side) : 0;
}

int
alsa_side_end(struct alsa_side *side)
{
    if (!side->bouncing) {
        long done = side->api->pcm_mmap_commit(side->pcm, side->offset, side->period_frames);
        return done < 0 ? (int)done : (unsigned long)done < side->period_frames ? -EPIPE : 0;
    }
    return side->direction == SND_PCM_STREAM_PLAYBACK ? move(side) : 0;
}

int
alsa_side_prefill(struct alsa_side *side)
{
    long avail = side->api->pcm_avail_update(side->pcm); /* mapping wants to have been asked */
    int failure = avail < 0 ? (int)avail : 0;
    memset(side->bounce, 0,
           (size_t)side->period_frames * side->channels * dsp_format_bytes(side->format));
    for (uint32_t done = 0; !failure && done < side->fill_frames; done += side->period_frames) {
        failure = move(side);
    }
    return failure;
}
