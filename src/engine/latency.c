/* SPDX-License-Identifier: MIT */
/* What latency and what timeout a client is promised. */
#include <string.h>

#include "base/utf8.h"
#include "engine/engine_state.h"
#include "mixer/client_slot.h"
#include "mixer/schedule.h"

static uint32_t
natural_input(const struct engine *engine, const struct cycle_client *cycle)
{
    const struct proto_device *device = &engine->known;
    return schedule_input_latency(cycle->layout.buffer_frames, device->period_frames,
                                  device->input_latency_frames, 0);
}

static uint32_t
natural_output(const struct engine *engine, const struct cycle_client *cycle)
{
    const struct proto_device *device = &engine->known;
    uint32_t buffer = cycle->layout.buffer_frames;
    uint32_t offset =
        schedule_offset(buffer, device->period_frames, cycle->tight, cycle->late_take);
    return schedule_output_latency(buffer, offset, device->output_latency_frames);
}

static bool
can_have_input(const struct engine *engine, const struct cycle_client *cycle, uint32_t latency)
{
    uint32_t least = natural_input(engine, cycle);
    return latency >= least && latency - least <= CYCLE_MAX_BUFFER_FRAMES;
}

static int64_t
offset_for(const struct engine *engine, const struct cycle_client *cycle, uint32_t latency)
{
    return (int64_t)latency + cycle->layout.buffer_frames - engine->known.output_latency_frames;
}

static bool
can_have_output(const struct engine *engine, const struct cycle_client *cycle, uint32_t latency)
{
    uint32_t buffer = cycle->layout.buffer_frames, period = engine->known.period_frames;
    int64_t offset = offset_for(engine, cycle, latency);
    return offset >= buffer &&
           offset + 2 * (int64_t)buffer + BACKEND_MAX_PERIOD_FRAMES <= cycle->out_frames &&
           schedule_feasible(buffer, period, schedule_gcd(buffer, period), (uint32_t)offset,
                             cycle->late_take);
}

static uint32_t
lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t
higher(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* keep: what was reported, where the stream allows it; but what had to rise for a while falls. */
void
latency_choose(const struct engine *engine, struct engine_program *program, bool keep)
{
    const struct cycle_client *cycle = program->cycle;
    uint32_t natural = natural_input(engine, cycle), chosen = natural;
    uint32_t least = higher(program->least_input_latency, natural);
    if (keep && can_have_input(engine, cycle, program->input_latency)) {
        chosen = program->input_latency;
    }
    program->input_latency =
        least < chosen && can_have_input(engine, cycle, least) ? least : chosen;

    natural = chosen = natural_output(engine, cycle);
    least = higher(program->least_output_latency, natural);
    if (keep && can_have_output(engine, cycle, program->output_latency)) {
        chosen = program->output_latency;
    }
    program->output_latency =
        least < chosen && can_have_output(engine, cycle, least) ? least : chosen;
}

uint32_t
latency_delay(const struct engine *engine, const struct engine_program *program)
{
    return program->input_latency - natural_input(engine, program->cycle);
}

uint32_t
latency_offset(const struct engine *engine, const struct engine_program *program)
{
    return (uint32_t)offset_for(engine, program->cycle, program->output_latency);
}

/* The reported latencies belong to the device as it is now. */
void
latency_note(const struct engine *engine, struct engine_program *program)
{
    program->least_input_latency = lower(program->least_input_latency, program->input_latency);
    program->least_output_latency = lower(program->least_output_latency, program->output_latency);
    utf8_copy(program->heard_device, sizeof(program->heard_device), engine->known.name);
    program->heard_period = engine->known.period_frames;
}

bool
latency_settle(struct engine *engine, struct engine_program *program)
{
    const struct proto_device *device = &engine->known;
    uint32_t input = program->input_latency, output = program->output_latency;
    bool same = program->heard_period == device->period_frames &&
                strcmp(program->heard_device, device->name) == 0;
    latency_choose(engine, program, same || engine->joining);
    client_slot_resume(&engine->cycle, program->cycle, latency_offset(engine, program),
                       latency_delay(engine, program));
    latency_note(engine, program);
    return program->input_latency == input && program->output_latency == output;
}

/* The engine timeout: how long a program may wait for its next call from a healthy engine. */
uint32_t
latency_timeout_ms(uint32_t buffer_frames, const struct proto_device *device, uint64_t budget_ns,
                   bool elastic)
{
    uint64_t budget_ms = budget_ns / OS_NS_PER_MS;
    uint64_t blocks_ms =
        (uint64_t)(4000.0 * (buffer_frames + device->period_frames) / device->rate_hz);
    if (elastic) {
        /* Each of the cycles between two calls may wait for somebody. */
        blocks_ms += (buffer_frames / device->period_frames + 1) * budget_ms;
    }
    return (uint32_t)(ENGINE_PATIENCE_MIN_MS + 3 * budget_ms + blocks_ms);
}

void
latency_notify_timeouts(struct engine *engine, const struct backend_info *info, bool longer)
{
    struct proto_device device = {.period_frames = info->period_frames, .rate_hz = info->rate_hz};
    for (uint32_t i = 0; i < engine->programs; i++) {
        struct engine_program *program = engine->program[i];
        if (!program->cycle) {
            continue;
        }
        uint32_t ms = latency_timeout_ms(program->cycle->layout.buffer_frames, &device,
                                         info->budget_ns, info->elastic);
        if (longer ? ms > program->timeout_ms : ms < program->timeout_ms) {
            program->timeout_ms = ms;
            events_notify(engine, program->id, PROTO_EVENT_TIMEOUT, ms,
                          "calls may come further apart, or must come closer, than before");
        }
    }
}
