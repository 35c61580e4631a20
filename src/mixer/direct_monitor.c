/* SPDX-License-Identifier: MIT */
/*
 * The direct monitor within the cycle: what a device input has just brought is added to a device
 * output of the same cycle, past the clients; and the gains and meters of clients' channels. All
 * of it runs on the cycle's thread. While nobody has asked for any of it, the cycle does not come
 * here but to see whether somebody looks at meters.
 *
 * A gain of 1 is no gain: the samples are mixed where they lie, bit for bit. Others are added up in
 * one buffer first. A gain that changes goes there in a straight line, so that nothing clicks.
 */
#include "mixer/direct_monitor.h"

#include <string.h>

#include "mixer/client_output.h"

enum {
    RAMPS_PER_S = 200, /* a gain is where it should be after 5 ms */
    METER_FRAMES = 256,
};

/* ---- gains ---- */

static uint32_t
ramp_frames(double rate_hz)
{
    uint32_t frames = (uint32_t)(rate_hz / RAMPS_PER_S);
    return frames ? frames : 1;
}

/* True when it has a way to go. */
static bool
aim(struct cycle_gain *gain, float now, uint32_t frames)
{
    gain->now = now;
    gain->left = now == gain->target ? 0 : frames;
    gain->step = (gain->target - now) / (float)frames;
    return gain->left != 0;
}

static bool
advance(struct cycle_gain *gain, uint32_t frames)
{
    if (gain->left > frames) {
        gain->now += gain->step * (float)frames;
        gain->left -= frames;
        return true;
    }
    gain->now = gain->target;
    gain->left = 0;
    return false;
}

static bool
rests_at(const struct cycle_gain *gain, float value)
{
    return !gain->left && gain->target == value;
}

void
direct_monitor_begin(struct cycle_monitor *monitor, const struct cycle_monitor *former,
                     double rate_hz)
{
    uint32_t frames = ramp_frames(rate_hz);
    bool moving = false;
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        struct cycle_gain *output = &monitor->output[c];
        moving |= aim(output, former ? former->output[c].now : output->now, frames);
        monitor->heard[c] = former ? former->heard[c] : monitor->heard[c];
    }
    for (uint32_t p = 0; p < monitor->paths; p++) {
        struct cycle_path *path = &monitor->path[p];
        bool goes_on = former && path->former >= 0;
        moving |= aim(&path->gain, goes_on ? former->path[path->former].gain.now : 0, frames);
    }
    monitor->moving = moving;
    /* Partner: control's load, before it leaves out what rests at 0. */
    atomic_store_explicit(&monitor->settled, !moving, memory_order_release);
}

static void
advance_all(struct cycle_monitor *monitor, uint32_t frames)
{
    bool moving = false;
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        moving |= advance(&monitor->output[c], frames);
    }
    for (uint32_t p = 0; p < monitor->paths; p++) {
        moving |= advance(&monitor->path[p].gain, frames);
    }
    monitor->moving = moving;
    atomic_store_explicit(&monitor->settled, !moving, memory_order_release);
}

/* ---- mixing ---- */

/* Adds what begins `offset` frames after the cycle's first one. */
static void
add(struct cycle *cycle, const float *from, const struct cycle_gain *gain, uint32_t offset,
    uint32_t frames)
{
    uint32_t ramp = offset < gain->left ? gain->left - offset : 0;
    ramp = ramp < frames ? ramp : frames;
    dsp_add(cycle->scratch, from, gain->now + (float)offset * gain->step, gain->step, ramp);
    dsp_add(cycle->scratch + ramp, from + ramp, gain->target, 0, frames - ramp);
}

uint32_t
direct_monitor_span(const struct cycle *cycle, uint32_t offset, uint32_t frames)
{
    uint32_t at = (uint32_t)(cycle->pos + offset - cycle->quantum) & (CYCLE_RING_FRAMES - 1);
    uint32_t room = CYCLE_RING_FRAMES - at;
    room = room < BACKEND_MAX_PERIOD_FRAMES ? room : BACKEND_MAX_PERIOD_FRAMES;
    return frames < room ? frames : room;
}

/* What was gathered so far. */
struct gathering {
    unsigned sources;
    bool added; /* something is in the scratch */
};

/* gain: NULL for none. */
static void
take(struct cycle *cycle, struct gathering *gathering, const float *from,
     const struct cycle_gain *gain, uint32_t offset, uint32_t frames)
{
    if (!gain || rests_at(gain, 1.0f)) {
        cycle->plan->sources[gathering->sources++] = from;
        return;
    }
    if (rests_at(gain, 0.0f)) {
        return;
    }
    if (!gathering->added) {
        memset(cycle->scratch, 0, frames * sizeof(float));
        gathering->added = true;
    }
    add(cycle, from, gain, offset, frames);
}

unsigned
direct_monitor_gather(struct cycle *cycle, const struct cycle_sum *sum,
                      const struct cycle_client *only, int64_t frame, uint32_t span)
{
    const struct cycle_plan *plan = cycle->plan;
    struct gathering gathering = {0};
    uint32_t offset = (uint32_t)(frame - cycle->pos);
    for (uint32_t e = sum->first; e < sum->first + sum->count; e++) {
        const struct cycle_client *client = plan->entry[e].client;
        const float *from = only && client != only
                                ? NULL
                                : client_output(client, plan->entry[e].output, frame, span);
        if (from) {
            bool gained = sum->output >= 0 && client->monitor;
            take(cycle, &gathering, from, gained ? &client->monitor->output[sum->output] : NULL,
                 offset, span);
        }
    }
    /* The frames that the cycle has just captured, at the place of those that it mixes. */
    uint32_t at = (uint32_t)(frame - cycle->quantum) & (CYCLE_RING_FRAMES - 1);
    for (uint32_t p = sum->first_path; p < sum->first_path + sum->paths; p++) {
        const struct cycle_path *path = plan->path[p];
        if (!only || path->client == only) {
            take(cycle, &gathering, path->ring + at, &path->gain, offset, span);
        }
    }
    if (gathering.added) {
        plan->sources[gathering.sources++] = cycle->scratch;
    }
    return gathering.sources;
}

/* ---- a client's own input ---- */

void
direct_monitor_hear(const struct cycle *cycle, struct cycle_client *client, uint32_t channel,
                    float *to, const float *ring, uint32_t first, uint32_t frames)
{
    struct cycle_monitor *monitor = client->monitor;
    int32_t device_channel = client->input[channel].channel;
    float now = monitor->heard[channel];
    float target = device_channel >= 0 ? monitor->input[device_channel] : 1.0f;
    uint32_t ramp = now == target ? 0 : ramp_frames(cycle->rate_hz);
    ramp = ramp < frames ? ramp : frames;
    float step = ramp ? (target - now) / (float)ramp : 0;
    bool plain = now == 1.0f && target == 1.0f;
    memset(to, 0, plain ? 0 : frames * sizeof(float));
    for (uint32_t done = 0, span; done < frames; done += span) {
        uint32_t at = (first + done) & (CYCLE_RING_FRAMES - 1);
        uint32_t room = CYCLE_RING_FRAMES - at;
        span = frames - done < room ? frames - done : room;
        if (plain) {
            memcpy(to + done, ring + at, span * sizeof(float));
        } else if (done < ramp) {
            span = span < ramp - done ? span : ramp - done;
            dsp_add(to + done, ring + at, now + (float)done * step, step, span);
        } else {
            dsp_add(to + done, ring + at, target, 0, span);
        }
    }
    monitor->heard[channel] = target;
}

/* ---- meters ---- */

static float
input_peak(const struct cycle *cycle, uint32_t channel)
{
    const float *ring = cycle->input_ring + (size_t)channel * CYCLE_RING_PITCH;
    uint32_t first = (uint32_t)(cycle->pos - cycle->quantum) & (CYCLE_RING_FRAMES - 1);
    uint32_t room = CYCLE_RING_FRAMES - first;
    uint32_t head = cycle->quantum < room ? cycle->quantum : room;
    float newest = dsp_peak(ring + first, head);
    float rest = dsp_peak(ring, cycle->quantum - head);
    return newest > rest ? newest : rest;
}

static float
output_peak(struct cycle *cycle, const struct cycle_client *client, const struct cycle_sum *sum)
{
    float tile[METER_FRAMES], most = 0;
    uint32_t span;
    for (uint32_t offset = 0; offset < cycle->quantum; offset += span) {
        uint32_t at = (uint32_t)cycle->pos + offset;
        uint32_t room = METER_FRAMES - (at & (METER_FRAMES - 1)); /* divides all rings */
        span = cycle->quantum - offset < room ? cycle->quantum - offset : room;
        span = direct_monitor_span(cycle, offset, span);
        unsigned sources = direct_monitor_gather(cycle, sum, client, cycle->pos + offset, span);
        if (sources) {
            dsp_mix(tile, cycle->plan->sources, sources, 1.0f, span);
            float peak = dsp_peak(tile, span);
            most = peak > most ? peak : most;
        }
    }
    return most;
}

static void
measure(struct cycle *cycle, struct cycle_client *client)
{
    struct proto_segment *segment = client->segment;
    const struct cycle_plan *plan = cycle->plan;
    for (uint32_t c = 0; c < cycle->inputs; c++) {
        float gain = client->monitor ? client->monitor->input[c] : 1.0f;
        statistics_peak(&segment->input_peak[c], gain * input_peak(cycle, c));
    }
    for (uint32_t c = 0; plan && c < plan->outputs; c++) {
        statistics_peak(&segment->output_peak[c], output_peak(cycle, client, &plan->output[c]));
    }
}

void
direct_monitor_end_cycle(struct cycle *cycle, struct cycle_client *client)
{
    /* The client's word; whatever it is, it costs this and no more. */
    uint64_t until_ns =
        atomic_load_explicit(&client->segment->meters_until_ns, memory_order_relaxed);
    if (cycle->start_ns < until_ns) {
        measure(cycle, client);
    }
    if (client->monitor && client->monitor->moving) {
        advance_all(client->monitor, cycle->quantum);
    }
}
