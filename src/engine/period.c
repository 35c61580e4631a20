/* SPDX-License-Identifier: MIT */
/*
 * Which period the device runs at: what it can have, what suits the programs, what it has refused.
 */
#include "engine/engine_state.h"
#include "mixer/client_slot.h"
#include "mixer/schedule.h"

enum { PERIOD_MIN_FRAMES = 16 };

void
period_remember_refusal(struct engine *engine, uint32_t wanted, uint32_t given)
{
    if (wanted && wanted < given && wanted > engine->refused_to) {
        engine->refused_to = wanted;
    }
    if (wanted > given && (!engine->refused_from || wanted < engine->refused_from)) {
        engine->refused_from = wanted;
    }
}

void
period_forget_refusals(struct engine *engine)
{
    engine->refused_to = engine->refused_from = 0;
}

static bool
is_refused(const struct engine *engine, uint32_t quantum)
{
    return quantum <= engine->refused_to ||
           (engine->refused_from && quantum >= engine->refused_from);
}

uint32_t
period_snap(const struct proto_device *known, uint32_t wanted)
{
    uint32_t min = known->period_min_frames ? known->period_min_frames : PERIOD_MIN_FRAMES;
    uint32_t max = known->period_max_frames ? known->period_max_frames : BACKEND_MAX_PERIOD_FRAMES;
    uint32_t step = known->period_step_frames;
    max = max < BACKEND_MAX_PERIOD_FRAMES ? max : BACKEND_MAX_PERIOD_FRAMES;
    if (wanted >= max) {
        return max;
    }
    if (wanted <= min) {
        return min;
    }
    if (step) {
        uint32_t snapped = wanted / step * step;
        return snapped < min ? min : snapped;
    }
    uint32_t power = min;
    while (power * 2 <= wanted) {
        power *= 2;
    }
    return power;
}

static bool
suits_everybody(const struct engine *engine, uint32_t quantum)
{
    const struct proto_device *known = &engine->known;
    /* A device with a buffer of its own is nearer by the difference of the periods, each way. */
    uint32_t nearer = known->period_frames - quantum;
    for (uint32_t i = 0; i < engine->programs; i++) {
        const struct cycle_client *program = engine->program[i]->cycle;
        if (program) {
            uint32_t buffer = program->layout.buffer_frames;
            uint32_t phase = schedule_gcd(buffer, quantum); /* client_slot_resume() */
            if (!schedule_feasible(buffer, quantum, phase, program->offset + nearer,
                                   program->late_take)) {
                return false;
            }
        }
    }
    return true;
}

uint32_t
period_choose(const struct engine *engine, uint32_t buffer_frames)
{
    const struct proto_device *known = &engine->known;
    uint32_t present = known->period_frames;
    if (engine->config.device_period) {
        uint32_t pinned = period_snap(known, (uint32_t)engine->config.device_period);
        return is_refused(engine, pinned) ? present : pinned;
    }
    uint32_t wanted = period_snap(known, buffer_frames);
    if (!client_list_prepared(engine)) {
        return is_refused(engine, wanted) ? present : wanted;
    }
    /* Others play: the period may shrink as long as their latency can stay, and does not grow. */
    while (wanted < present) {
        if (!is_refused(engine, wanted) && suits_everybody(engine, wanted)) {
            return wanted;
        }
        uint32_t next = period_snap(known, wanted - 1);
        if (next >= wanted) {
            break;
        }
        wanted = next;
    }
    return present;
}

/* A device with a buffer of its own is further away with a longer period; a server is not. */
static uint32_t
latency_at(uint32_t latency_frames, uint32_t period_frames, uint32_t period)
{
    return latency_frames >= period_frames ? latency_frames - period_frames + period
                                           : latency_frames;
}

void
period_forecast(const struct engine *engine, const char *profile, uint32_t buffer_frames,
                struct proto_device *device)
{
    const struct engine_setup *setup = setup_find(engine, profile);
    setup_get_device(engine, profile, device);
    uint32_t period = device->period_frames;
    if (setup != engine->in_force && !client_list_prepared(engine)) {
        /* joining would put this setup in force */
        int32_t fixed = setup->config.device_period;
        period = period_snap(device, fixed ? (uint32_t)fixed : buffer_frames);
    } else if (engine->state != PROTO_STREAM_LOST) {
        period = period_choose(engine, buffer_frames);
    }
    device->input_latency_frames =
        latency_at(device->input_latency_frames, device->period_frames, period);
    device->output_latency_frames =
        latency_at(device->output_latency_frames, device->period_frames, period);
    device->period_frames = period;
}
