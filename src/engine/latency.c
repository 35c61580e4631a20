/* SPDX-License-Identifier: MIT */
#include "engine/latency.h"

#include <string.h>

#include "base/utf8.h"
#include "engine/engine_state.h"
#include "mixer/client_slot.h"
#include "mixer/schedule.h"

enum { TIMEOUT_MIN_MS = 200 }; /* a client takes no engine for hung sooner */

static uint32_t
natural_input(const struct mix *mix, const struct cycle_client *cycle)
{
    const struct proto_device *device = &mix->master.slot.known;
    return schedule_input_latency(cycle->layout.buffer_frames, device->period_frames,
                                  device->input_latency_frames, 0);
}

static uint32_t
natural_output(const struct mix *mix, const struct cycle_client *cycle)
{
    const struct proto_device *device = &mix->master.slot.known;
    uint32_t buffer = cycle->layout.buffer_frames;
    uint32_t offset =
        schedule_offset(buffer, device->period_frames, cycle->tight, cycle->late_take);
    return schedule_output_latency(buffer, offset, device->output_latency_frames);
}

static bool
can_have_input(const struct mix *mix, const struct cycle_client *cycle, uint32_t latency)
{
    uint32_t least = natural_input(mix, cycle);
    return latency >= least && latency - least <= CYCLE_MAX_BUFFER_FRAMES;
}

static int64_t
offset_for(const struct mix *mix, const struct cycle_client *cycle, uint32_t latency)
{
    return (int64_t)latency + cycle->layout.buffer_frames -
           mix->master.slot.known.output_latency_frames;
}

static bool
can_have_output(const struct mix *mix, const struct cycle_client *cycle, uint32_t latency)
{
    uint32_t buffer = cycle->layout.buffer_frames, period = mix->master.slot.known.period_frames;
    int64_t offset = offset_for(mix, cycle, latency);
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
static void
choose(const struct mix *mix, struct engine_client *client, bool keep)
{
    const struct cycle_client *cycle = client->cycle;
    uint32_t natural = natural_input(mix, cycle), chosen = natural;
    uint32_t least = higher(client->least_input_latency, natural);
    if (keep && can_have_input(mix, cycle, client->input_latency)) {
        chosen = client->input_latency;
    }
    client->input_latency = least < chosen && can_have_input(mix, cycle, least) ? least : chosen;

    natural = chosen = natural_output(mix, cycle);
    least = higher(client->least_output_latency, natural);
    if (keep && can_have_output(mix, cycle, client->output_latency)) {
        chosen = client->output_latency;
    }
    client->output_latency = least < chosen && can_have_output(mix, cycle, least) ? least : chosen;
}

static uint32_t
delay(const struct mix *mix, const struct engine_client *client)
{
    return client->input_latency - natural_input(mix, client->cycle);
}

static uint32_t
offset(const struct mix *mix, const struct engine_client *client)
{
    return (uint32_t)offset_for(mix, client->cycle, client->output_latency);
}

/* The reported latencies belong to the device as it is now. */
static void
note(const struct mix *mix, struct engine_client *client)
{
    client->least_input_latency = lower(client->least_input_latency, client->input_latency);
    client->least_output_latency = lower(client->least_output_latency, client->output_latency);
    utf8_copy(client->heard_device, sizeof(client->heard_device), mix->master.slot.known.name);
    client->heard_period = mix->master.slot.known.period_frames;
}

bool
latency_settle(struct mix *mix, struct engine_client *client)
{
    const struct proto_device *device = &mix->master.slot.known;
    uint32_t input = client->input_latency, output = client->output_latency;
    bool same = client->heard_period == device->period_frames &&
                strcmp(client->heard_device, device->name) == 0;
    choose(mix, client, same || mix->joining);
    client_slot_resume(&mix->master.cycle, client->cycle, offset(mix, client), delay(mix, client));
    note(mix, client);
    return client->input_latency == input && client->output_latency == output;
}

void
latency_begin(struct mix *mix, struct engine_client *client, const struct proto_prepare *message)
{
    struct cycle_client *cycle = client->cycle;
    client->input_latency = client->least_input_latency = message->wanted_input_latency_frames;
    client->output_latency = client->least_output_latency = message->wanted_output_latency_frames;
    choose(mix, client, true);
    cycle->offset = offset(mix, client);
    cycle->input_delay = delay(mix, client);
    client->least_input_latency = client->input_latency;
    client->least_output_latency = client->output_latency;
    note(mix, client);
}

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
    return (uint32_t)(TIMEOUT_MIN_MS + 3 * budget_ms + blocks_ms);
}

void
latency_notify_timeouts(struct mix *mix, const struct backend_info *info, bool longer)
{
    struct proto_device device = {.period_frames = info->period_frames, .rate_hz = info->rate_hz};
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        struct engine_client *client = mix->engine->client[i];
        if (!client_list_plays(client, mix)) {
            continue;
        }
        uint32_t ms = latency_timeout_ms(client->cycle->layout.buffer_frames, &device,
                                         info->budget_ns, info->elastic);
        if (longer ? ms > client->timeout_ms : ms < client->timeout_ms) {
            client->timeout_ms = ms;
            events_notify(mix, client->id, PROTO_EVENT_TIMEOUT, ms,
                          "calls may come further apart, or must come closer, than before");
        }
    }
}

uint32_t
latency_begin_timeout(const struct mix *mix, struct engine_client *client)
{
    const struct cycle *cycle = &mix->master.cycle;
    client->timeout_ms = latency_timeout_ms(client->cycle->layout.buffer_frames, mix_device(mix),
                                            cycle->budget_ns, cycle->elastic);
    return client->timeout_ms;
}

bool
latency_suits(const struct mix *mix, uint32_t period)
{
    /* A device with a buffer of its own is nearer by the difference of the periods, each way. */
    uint32_t nearer = mix_device(mix)->period_frames - period;
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        const struct cycle_client *cycle = mix->engine->client[i]->cycle;
        if (!client_list_plays(mix->engine->client[i], mix)) {
            continue;
        }
        uint32_t buffer = cycle->layout.buffer_frames;
        uint32_t phase = schedule_gcd(buffer, period); /* client_slot_resume() */
        if (!schedule_feasible(buffer, period, phase, cycle->offset + nearer, cycle->late_take)) {
            return false;
        }
    }
    return true;
}
