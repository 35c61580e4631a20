/* SPDX-License-Identifier: MIT */
/*
 * The cycle, from a period's beginning to its output being complete: read from top to bottom in
 * cycle_run(). What one client needs is in client_slot.c.
 */
#include "mixer/cycle.h"

#include <string.h>

#include "mixer/client_output.h"
#include "mixer/client_slot.h"
#include "mixer/cycle_feed.h"
#include "mixer/direct_monitor.h"

enum {
    RESCUE_PART = 3, /* gathered clients have this part of the budget before they are let go */
    LOOK_PART = 8,   /* of the budget: that much before the deadline looking without a hint ends */
    LOOK_PART_ALONE = 32,
    RESERVE_MIN_NS = 20000, /* kept back for mixing when nothing was measured yet */
    RECOUNTS =
        8, /* wrong hints from clients that a cycle follows up; beyond, it looks at every wake */
    MACHINE_LATE_NS = 1000000, /* the engine ran so much later than it asked: the machine stalled */
};

static uint64_t
frames_ns(const struct cycle *cycle, uint64_t frames)
{
    return (uint64_t)((double)frames * 1e9 / cycle->rate_hz);
}

static uint64_t
now_ns(const struct cycle *cycle)
{
    return cycle->clock->now_ns(cycle->clock->user);
}

static void
remove_program(struct cycle *cycle, const struct cycle_client *client)
{
    for (uint32_t i = 0; i < cycle->clients; i++) {
        if (cycle->client[i] == client) {
            /* The order of clients is the order of adding: keep it. */
            memmove(&cycle->client[i], &cycle->client[i + 1],
                    (cycle->clients - i - 1) * sizeof(cycle->client[0]));
            cycle->clients--;
            return;
        }
    }
}

void
cycle_apply_commands(struct cycle *cycle)
{
    struct cycle_command command;
    uint64_t applied = 0;
    while (ring_get(&cycle->commands, &command)) {
        switch (command.kind) {
        case CYCLE_ADD:
            cycle->client[cycle->clients++] = command.client;
            break;
        case CYCLE_REMOVE:
            remove_program(cycle, command.client);
            break;
        case CYCLE_PLAN:
            break;
        case CYCLE_MONITOR:
            if (command.monitor) {
                direct_monitor_begin(command.monitor, command.client->monitor, cycle->rate_hz);
            }
            command.client->monitor = command.monitor;
            break;
        }
        cycle->plan = command.plan;
        applied++;
    }
    if (applied) {
        /* Partner: control's acquire load before it frees what the commands took away. */
        atomic_fetch_add_explicit(&cycle->applied, applied, memory_order_release);
    }
}

/* How many channels from `c` on lie side by side in the device's memory, in the order of the
 * areas: at most CYCLE_TOGETHER. One, where they do not, or where doing so few together is no
 * gain. */
static uint32_t
side_by_side(const struct backend_area *areas, uint32_t c, uint32_t channels,
             enum dsp_format format)
{
    uint32_t most = channels - c < CYCLE_TOGETHER ? channels - c : CYCLE_TOGETHER;
    const struct backend_area *first = &areas[c];
    if (most < CYCLE_TOGETHER_LEAST || !first->first) {
        return 1;
    }
    uint32_t bytes = dsp_format_bytes(format), count = 1;
    while (count < most &&
           areas[c + count].first == (unsigned char *)first->first + (size_t)count * bytes &&
           areas[c + count].stride_bytes == first->stride_bytes &&
           first->stride_bytes >= (count + 1) * bytes) {
        count++;
    }
    return count < CYCLE_TOGETHER_LEAST ? 1 : count;
}

static void
store_input(struct cycle *cycle, const struct backend_cycle *period)
{
    uint32_t first = (uint32_t)(cycle->pos - period->frames) & (CYCLE_RING_FRAMES - 1);
    uint32_t head = CYCLE_RING_FRAMES - first;
    if (head > period->frames) {
        head = period->frames;
    }
    uint32_t rest = period->frames - head;
    for (uint32_t c = 0, count; c < cycle->inputs; c += count) {
        float *start[CYCLE_TOGETHER], *into[CYCLE_TOGETHER];
        const unsigned char *from = period->in ? period->in[c].first : NULL;
        count = from ? side_by_side(period->in, c, cycle->inputs, cycle->input_format) : 1;
        for (uint32_t i = 0; i < count; i++) {
            start[i] = cycle->input_ring + (size_t)(c + i) * CYCLE_RING_PITCH;
            into[i] = start[i] + first;
        }
        if (!from) {
            memset(into[0], 0, head * sizeof(float));
            memset(start[0], 0, rest * sizeof(float));
            continue;
        }
        uint32_t stride = period->in[c].stride_bytes;
        dsp_from_interleaved(into, count, from, stride, cycle->input_format, head);
        if (rest) {
            dsp_from_interleaved(start, count, from + (size_t)head * stride, stride,
                                 cycle->input_format, rest);
        }
    }
}

void
cycle_set_quantum(struct cycle *cycle, uint32_t quantum)
{
    if (quantum == cycle->quantum) {
        return;
    }
    cycle->quantum = quantum;
    atomic_store_explicit(&cycle->quantum_shown, quantum, memory_order_relaxed);
    for (uint32_t i = 0; i < cycle->clients; i++) {
        client_slot_set_quantum(cycle, cycle->client[i]);
    }
}

static void
clear_ring(float *ring, int64_t from, uint64_t frames)
{
    uint32_t first = (uint32_t)from & (CYCLE_RING_FRAMES - 1);
    uint64_t head = CYCLE_RING_FRAMES - first;
    if (head > frames) {
        head = frames;
    }
    memset(ring + first, 0, head * sizeof(float));
    memset(ring, 0, (frames - head) * sizeof(float));
}

void
cycle_skip(struct cycle *cycle, uint64_t frames, bool gap)
{
    /* Whole quanta, so that every client's phase stays as its latency assumes. */
    uint64_t whole = (frames + cycle->quantum - 1) / cycle->quantum * cycle->quantum;
    uint64_t stale = whole < CYCLE_RING_FRAMES ? whole : CYCLE_RING_FRAMES;
    int64_t to = cycle->pos + (int64_t)whole;
    for (uint32_t c = 0; c < cycle->inputs; c++) {
        clear_ring(cycle->input_ring + (size_t)c * CYCLE_RING_PITCH, to - (int64_t)stale, stale);
    }
    for (uint32_t b = 0; cycle->plan && b < cycle->plan->buses; b++) {
        clear_ring(cycle->plan->bus[b].ring, to - (int64_t)stale, stale);
    }
    for (uint32_t i = 0; i < cycle->clients; i++) {
        client_slot_skip(cycle, cycle->client[i], to, gap);
    }
    cycle->pos = to;
    atomic_fetch_add_explicit(&cycle->lost_frames, whole, memory_order_relaxed);
}

static bool
is_alone(const struct cycle *cycle)
{
    return atomic_load_explicit(&cycle->alone, memory_order_relaxed);
}

static void
arm(struct cycle *cycle, struct cycle_client *client)
{
    if (!is_alone(cycle)) {
        handoff_arm(client->segment,
                    client_slot_bursts(cycle, client) ? PROTO_ARMED_WAKE : PROTO_ARMED_COUNT);
    }
    client->waited = true;
}

/* Calls everybody who is due. The number of clients that the last one done is to be counted from;
 * *bursting: those that are called again. */
static uint32_t
call_programs(struct cycle *cycle, uint32_t *bursting)
{
    uint32_t counted = 0;
    *bursting = 0;
    for (uint32_t i = 0; i < cycle->clients; i++) {
        struct cycle_client *client = cycle->client[i];
        client_slot_begin_cycle(cycle, client);
        bool expects = client_slot_expects(cycle, client);
        if (expects) {
            /* Before the call and before looking again: whoever comes second of client and engine
             * sees the other. */
            arm(cycle, client);
            client_slot_collect(client);
        }
        client_slot_call(cycle, client);
        if (!expects) {
            continue;
        }
        if (client_slot_bursts(cycle, client)) {
            ++*bursting;
        } else if (client_slot_is_awaited(cycle, client) ||
                   handoff_disarm(client->segment) == PROTO_ARMED_NOT) {
            counted++; /* or it counted itself out before we could take the arming back */
        }
    }
    os_bells_go(cycle->bells, os_thread_cpu());
    return counted;
}

/* Clients whose buffer is smaller than the quantum: takes what they answered and calls them again.
 */
static uint32_t
continue_bursts(struct cycle *cycle)
{
    uint32_t bursting = 0;
    for (uint32_t i = 0; i < cycle->clients; i++) {
        struct cycle_client *client = cycle->client[i];
        if (!client->waited || !client_slot_bursts(cycle, client)) {
            continue;
        }
        do {
            arm(cycle, client);
        } while (client_slot_collect(client) + client_slot_call(cycle, client) != 0);
        if (client_slot_is_awaited(cycle, client)) {
            bursting++;
        }
    }
    os_bells_go(cycle->bells, os_thread_cpu());
    return bursting;
}

/* Looks at the truth after the hint said that all are done; arms those anew that are not. The
 * number of them. */
static uint32_t
recount(struct cycle *cycle)
{
    uint32_t counted = 0;
    handoff_count_begin(cycle->rendezvous);
    for (uint32_t i = 0; i < cycle->clients; i++) {
        struct cycle_client *client = cycle->client[i];
        if (!client->waited || client_slot_bursts(cycle, client)) {
            continue;
        }
        client_slot_collect(client);
        if (!client_slot_is_awaited(cycle, client)) {
            continue;
        }
        arm(cycle, client);
        client_slot_collect(client);
        if (client_slot_is_awaited(cycle, client) ||
            handoff_disarm(client->segment) == PROTO_ARMED_NOT) {
            counted++;
        }
    }
    return handoff_count_end(cycle->rendezvous, counted) ? 0 : counted;
}

static bool
anybody_awaited(struct cycle *cycle)
{
    bool awaited = false;
    for (uint32_t i = 0; i < cycle->clients; i++) {
        struct cycle_client *client = cycle->client[i];
        if (client->waited) {
            client_slot_collect(client);
            awaited |= client_slot_is_awaited(cycle, client);
        }
    }
    return awaited;
}

/* Those who have not answered may stand behind one who hogs this processor: they may run elsewhere,
 * for the rest of this cycle and until control has seen what happened. */
static void
rescue(struct cycle *cycle)
{
    cycle->rescue_ns = UINT64_MAX;
    for (uint32_t i = 0; i < cycle->clients; i++) {
        struct cycle_client *client = cycle->client[i];
        if (client->waited && client_slot_is_awaited(cycle, client)) {
            uint32_t thread = atomic_exchange(&client->gathered_thread, 0);
            if (thread) {
                os_thread_scatter(client->pid, thread);
            }
        }
    }
    atomic_fetch_add_explicit(&cycle->rescues, 1, memory_order_relaxed);
}

/* When a wait ends that nobody ended: at half of the time that is left, for hints come from a page
 * that each client can write, and wake-ups may be taken by a thread that waits where it should
 * not. The last part is waited for in one piece. Clients that are called several times in a cycle
 * are looked at more often. */
static uint64_t
look_at_ns(const struct cycle *cycle, uint64_t now, uint32_t bursting)
{
    uint64_t until_ns =
        cycle->rescue_ns < cycle->deadline_ns ? cycle->rescue_ns : cycle->deadline_ns;
    uint64_t least_ns = cycle->budget_ns / (is_alone(cycle) ? LOOK_PART_ALONE : LOOK_PART);
    uint64_t half_ns = bursting || is_alone(cycle) ? least_ns : (cycle->deadline_ns - now) / 2;
    uint64_t look_ns = half_ns >= least_ns ? now + half_ns : until_ns;
    return look_ns < until_ns ? look_ns : until_ns;
}

static void
wait_for_programs(struct cycle *cycle, bool all_counted, uint32_t bursting)
{
    unsigned recounts = 0;
    uint64_t look_ns = UINT64_MAX;
    for (;;) {
        /* Read before looking at the clients' words: a post after this ends the wait below. */
        struct os_wake *wake = is_alone(cycle) ? &cycle->alone_wake : &cycle->wake;
        uint32_t seen = atomic_load_explicit(wake->word, memory_order_acquire);
        if (bursting) {
            bursting = continue_bursts(cycle);
        }
        if (!all_counted && !is_alone(cycle)) {
            all_counted = handoff_is_counted(cycle->rendezvous);
        }
        if (!bursting && all_counted) {
            if (!anybody_awaited(cycle)) {
                return;
            }
            if (recounts < RECOUNTS) {
                recounts++;
                all_counted = recount(cycle) == 0;
                continue;
            }
        }
        uint64_t now = now_ns(cycle);
        if (now >= cycle->deadline_ns || (now >= look_ns && !bursting && !anybody_awaited(cycle))) {
            return;
        }
        if (now >= cycle->rescue_ns) {
            rescue(cycle);
        }
        look_ns = look_at_ns(cycle, now, bursting);
        cycle->clock->wait(cycle->clock->user, wake, seen, look_ns);
    }
}

/* Whose fault it is that a block is missing now. */
static enum late_cause
blame(const struct cycle *cycle, const struct backend_cycle *period, uint64_t answered_ns)
{
    if (period->flags & BACKEND_CYCLE_XRUN) {
        return LATE_DEVICE;
    }
    uint64_t quarter = frames_ns(cycle, cycle->quantum) / 4;
    uint64_t tolerance = quarter > MACHINE_LATE_NS ? quarter : MACHINE_LATE_NS;
    bool overslept = answered_ns > cycle->deadline_ns + tolerance;
    bool began_late = !cycle->elastic && period->start_ns > period->time_ns + tolerance;
    return overslept || began_late ? LATE_MACHINE : LATE_PROGRAM;
}

static unsigned
gather(struct cycle *cycle, const struct cycle_sum *sum, int64_t frame, uint32_t span)
{
    struct cycle_plan *plan = cycle->plan;
    unsigned sources = 0;
    if (plan->monitored) {
        return direct_monitor_gather(cycle, sum, NULL, frame, span);
    }
    for (uint32_t e = sum->first; e < sum->first + sum->count; e++) {
        const float *from =
            client_output(plan->entry[e].client, plan->entry[e].output, frame, span);
        if (from) {
            plan->sources[sources++] = from;
        }
    }
    return sources;
}

/* Channels that lie side by side are mixed apart and stored together. */
static void
mix_together(struct cycle *cycle, const struct backend_area *area, uint32_t channel, uint32_t count,
             uint32_t offset, uint32_t span)
{
    struct cycle_plan *plan = cycle->plan;
    const float *mixed[CYCLE_TOGETHER];
    for (uint32_t end = offset + span, frames; offset < end; offset += frames) {
        frames = end - offset < CYCLE_TOGETHER_FRAMES ? end - offset : CYCLE_TOGETHER_FRAMES;
        for (uint32_t c = 0; c < count; c++) {
            unsigned sources =
                plan && channel + c < plan->outputs
                    ? gather(cycle, &plan->output[channel + c], cycle->pos + offset, frames)
                    : 0;
            dsp_mix(cycle->mixed[c], sources ? plan->sources : NULL, sources, 1.0f, frames);
            mixed[c] = cycle->mixed[c];
        }
        dsp_to_interleaved((unsigned char *)area->first + (size_t)offset * area->stride_bytes,
                           count, area->stride_bytes, cycle->output_format, mixed, frames);
    }
}

static void
mix_span(struct cycle *cycle, const struct backend_cycle *period, uint32_t offset, uint32_t span)
{
    struct cycle_plan *plan = cycle->plan;
    int64_t frame = cycle->pos + offset;
    for (uint32_t c = 0, count; period->out && c < cycle->outputs; c += count) {
        const struct backend_area *area = &period->out[c];
        count = side_by_side(period->out, c, cycle->outputs, cycle->output_format);
        if (!area->first) {
            continue;
        }
        if (count > 1) {
            mix_together(cycle, area, c, count, offset, span);
            continue;
        }
        unsigned sources =
            plan && c < plan->outputs ? gather(cycle, &plan->output[c], frame, span) : 0;
        dsp_mix_to_device((unsigned char *)area->first + (size_t)offset * area->stride_bytes,
                          area->stride_bytes, cycle->output_format, sources ? plan->sources : NULL,
                          sources, 1.0f, span);
    }
    for (uint32_t b = 0; plan && b < plan->buses; b++) {
        const struct cycle_bus *bus = &plan->bus[b];
        unsigned sources = gather(cycle, &bus->sum, frame, span);
        dsp_mix(bus->ring + ((uint32_t)frame & (CYCLE_RING_FRAMES - 1)), plan->sources, sources,
                1.0f, span);
    }
}

static void
mix(struct cycle *cycle, const struct backend_cycle *period)
{
    uint32_t span;
    for (uint32_t offset = 0; offset < period->frames; offset += span) {
        uint32_t at = (uint32_t)cycle->pos + offset;
        uint32_t room = CYCLE_MIN_OUT_FRAMES - (at & (CYCLE_MIN_OUT_FRAMES - 1));
        span = period->frames - offset < room ? period->frames - offset : room;
        if (cycle->plan && cycle->plan->monitored) {
            span = direct_monitor_span(cycle, offset, span);
        }
        mix_span(cycle, period, offset, span);
    }
}

static uint64_t
reserve_ns(const struct cycle *cycle)
{
    uint64_t reserve = cycle->reserve_us
                           ? (uint64_t)cycle->reserve_us * 1000
                           : cycle->mix_cost_ns + cycle->mix_cost_ns / 2 + RESERVE_MIN_NS;
    return reserve < cycle->budget_ns / 4 ? reserve : cycle->budget_ns / 4;
}

/* Quick to rise and slow to fall, for the reserve is for the expensive cycles; at most twofold at
 * once, for a stall of the machine within the mixing is not its cost. */
static void
follow_mix_cost(struct cycle *cycle, uint64_t cost_ns)
{
    uint64_t known = cycle->mix_cost_ns;
    uint64_t most = 2 * known + 2000;
    if (cost_ns > most) {
        cost_ns = most;
    }
    cycle->mix_cost_ns =
        cost_ns > known ? known + (cost_ns - known) / 4 : known - (known - cost_ns) / 64;
}

/* The cycle's own thread stays where the clients are gathered: the system would move it away from
 * a real-time client that may not move. */
static void
keep_to(struct cycle *cycle, int32_t cpu)
{
    if (cpu >= 0) {
        os_thread_pin((uint32_t)cpu);
    } else if (cycle->pin_cpu >= 0) {
        os_thread_pin((uint32_t)cycle->pin_cpu);
    } else if (cycle->kept_cpu >= 0) {
        os_thread_scatter(os_process_id(), os_thread_id());
    }
    cycle->kept_cpu = cpu;
}

static void
meet_thread(struct cycle *cycle)
{
    os_thread_flush_denormals();
    cycle->kept_cpu = -1;
    keep_to(cycle, -1);
    cycle->knows_thread = true;
}

void
cycle_run(struct cycle *cycle, const struct backend_cycle *period)
{
    if (!cycle->knows_thread) {
        meet_thread(cycle);
    }
    atomic_store_explicit(&cycle->cpu_shown, os_thread_cpu(), memory_order_relaxed);
    os_bells_watch(cycle->bells);
    cycle_apply_commands(cycle);
    cycle->start_ns = period->start_ns;
    cycle->time_ns = period->time_ns;
    if (period->flags & BACKEND_CYCLE_XRUN) {
        atomic_fetch_add_explicit(&cycle->xruns, 1, memory_order_relaxed);
        cycle_skip(cycle, period->lost_frames, false);
    }
    cycle_set_quantum(cycle, period->frames);
    cycle->deadline_ns = period->start_ns + cycle->budget_ns - reserve_ns(cycle);
    /* Partner: control's release, after what it gathered. */
    int32_t gather_cpu = atomic_load_explicit(&cycle->gather_cpu, memory_order_acquire);
    if (gather_cpu != cycle->kept_cpu) {
        keep_to(cycle, gather_cpu);
    }
    cycle->rescue_ns =
        gather_cpu >= 0 ? period->start_ns + cycle->budget_ns / RESCUE_PART : UINT64_MAX;

    store_input(cycle, period);
    cycle_feed_pull(cycle, period->frames);
    uint32_t bursting;
    if (!is_alone(cycle)) {
        handoff_count_begin(cycle->rendezvous);
    }
    uint32_t counted = call_programs(cycle, &bursting);
    bool all_counted = !is_alone(cycle) && handoff_count_end(cycle->rendezvous, counted);
    if (counted || bursting) {
        wait_for_programs(cycle, all_counted, bursting);
    }
    uint64_t answered_ns = now_ns(cycle);
    if (counted || bursting) {
        statistics_add(&cycle->answer_us, (answered_ns - period->start_ns) / 1000);
    }
    enum late_cause cause = blame(cycle, period, answered_ns);
    for (uint32_t i = 0; i < cycle->clients; i++) {
        client_slot_end_wait(cycle, cycle->client[i], cause);
    }

    uint64_t mix_start_ns = now_ns(cycle);
    mix(cycle, period);
    cycle_feed_push(cycle, period->frames);
    for (uint32_t i = 0; i < cycle->clients; i++) {
        direct_monitor_end_cycle(cycle, cycle->client[i]);
        client_slot_end_cycle(cycle, cycle->client[i]);
    }
    cycle->pos += period->frames;

    uint64_t end_ns = now_ns(cycle);
    uint64_t cost_ns = end_ns - mix_start_ns;
    follow_mix_cost(cycle, cost_ns);
    if (end_ns > period->start_ns + cycle->budget_ns) {
        atomic_fetch_add_explicit(&cycle->overruns, 1, memory_order_relaxed);
    }
    statistics_add(&cycle->cost_us, (end_ns - period->start_ns) / 1000);
    atomic_fetch_add_explicit(&cycle->cycles, 1, memory_order_relaxed);
}
