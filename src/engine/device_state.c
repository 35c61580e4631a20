/* SPDX-License-Identifier: MIT */
/* What is known of the open device, for the engine and for the cycle. */
#include <string.h>

#include "base/utf8.h"
#include "engine/engine_state.h"

bool
device_state_is_cycling(const struct engine *engine)
{
    return engine->stream || engine->replacement;
}

void
device_state_know(struct engine *engine)
{
    const struct backend_info *info = engine->backend->info(engine->stream);
    struct proto_device *known = &engine->known;
    utf8_copy(known->name, sizeof(known->name), info->name);
    utf8_copy(known->backend, sizeof(known->backend), engine->backend->name);
    utf8_copy(known->format, sizeof(known->format), info->format);
    known->inputs = info->inputs;
    known->outputs = info->outputs;
    known->period_frames = info->period_frames;
    known->period_min_frames = info->period_min_frames;
    known->period_max_frames = info->period_max_frames;
    known->period_step_frames = info->period_step_frames;
    known->input_latency_frames = info->input_latency_frames;
    known->output_latency_frames = info->output_latency_frames;
    known->rate_hz = info->rate_hz;
    memcpy(known->rates_hz, info->rates_hz, sizeof(known->rates_hz));
    engine->live_period = info->live_period;
    engine->exact = info->exact && dsp_format_bits(info->output_format) >= 24;

    struct cycle *cycle = &engine->cycle;
    uint32_t heard = cycle->inputs; /* a device that comes back with fewer leaves sound behind */
    cycle->inputs = info->inputs;
    cycle->outputs = info->outputs;
    cycle->input_format = info->input_format;
    cycle->output_format = info->output_format;
    cycle->rate_hz = info->rate_hz;
    cycle->budget_ns = info->budget_ns;
    cycle->elastic = info->elastic;
    cycle->replacement = false;
    cycle->knows_thread = false;
    cycle->reserve_us = (uint32_t)engine->config.engine_reserve_us;
    cycle->pin_cpu = engine->config.engine_pin_cpu;
    if (!cycle->quantum) {
        cycle->quantum = info->period_frames;
    }
    /* Touches each page of the channels in use, so that the cycle does not fault; silence before
     * the first frame. */
    uint32_t clear = heard > info->inputs ? heard : info->inputs;
    memset(cycle->input_ring, 0, (size_t)clear * CYCLE_RING_PITCH * sizeof(float));
}
