/* SPDX-License-Identifier: MIT */
/*
 * Who runs the cycle: the device's thread, or the engine's own clock while the device is opened,
 * changed or lost. A gate lets the device's cycles in. While it is shut the device gets silence,
 * and the own clock calls the programs, however long the backend takes. The cycle count of an
 * engine with programs therefore moves all the time.
 */
#include <string.h>

#include "base/log.h"
#include "engine/engine_state.h"

enum { GATE_OPEN = 1, GATE_INSIDE = 2 };

/* ---- the gate ---- */

static void
be_silent(const struct engine *engine, const struct backend_cycle *period)
{
    for (uint32_t c = 0; period->out && c < engine->gate_outputs; c++) {
        const struct backend_area *area = &period->out[c];
        if (area->first) {
            dsp_mix_to_device(area->first, area->stride_bytes, engine->gate_format, NULL, 0, 1.0f,
                              period->frames);
        }
    }
}

void
handover_cycle(struct engine *engine, const struct backend_cycle *period)
{
    unsigned open = GATE_OPEN;
    /* Partner: the release with which control opens the gate. */
    if (!atomic_compare_exchange_strong_explicit(&engine->gate, &open, GATE_OPEN | GATE_INSIDE,
                                                 memory_order_acquire, memory_order_relaxed)) {
        be_silent(engine, period);
        return;
    }
    cycle_run(&engine->cycle, period);
    /* Partner: the acquire load in shut_gate(). */
    atomic_fetch_and_explicit(&engine->gate, ~(unsigned)GATE_INSIDE, memory_order_release);
}

static void
open_gate(struct engine *engine)
{
    engine->gate_opened_ns = events_now_ns(engine);
    atomic_store_explicit(&engine->gate, GATE_OPEN, memory_order_release);
}

/* Returns when none of the device's cycles runs; one lasts a period at most. */
static void
shut_gate(struct engine *engine)
{
    atomic_fetch_and_explicit(&engine->gate, ~(unsigned)GATE_OPEN, memory_order_acq_rel);
    while (atomic_load_explicit(&engine->gate, memory_order_acquire) & GATE_INSIDE) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS / 10);
    }
}

/* ---- the own clock ---- */

static void
replacement_cycle(struct engine *engine, uint64_t now_ns)
{
    uint64_t due_ns = pace_due_ns(&engine->pace);
    struct backend_cycle period = {
        .frames = engine->pace.block_frames,
        .time_ns = due_ns,
        .start_ns = now_ns,
    };
    uint64_t skipped = pace_next(&engine->pace, now_ns);
    if (skipped) {
        period.flags = BACKEND_CYCLE_XRUN;
        period.lost_frames = skipped * period.frames;
        period.time_ns += (uint64_t)((double)period.lost_frames * 1e9 / engine->pace.rate_hz);
    }
    cycle_run(&engine->cycle, &period);
}

static void
run_replacement(void *arg)
{
    struct engine *engine = arg;
    while (!atomic_load_explicit(&engine->replacement_stop, memory_order_acquire)) {
        os_sleep_until_ns(pace_due_ns(&engine->pace));
        replacement_cycle(engine, events_now_ns(engine));
    }
}

void
handover_step(struct engine *engine, uint64_t now_ns)
{
    while (engine->own_clock && engine->replacing && pace_due_ns(&engine->pace) <= now_ns) {
        replacement_cycle(engine, now_ns);
    }
}

/* When the device's next cycle would have begun. */
static uint64_t
next_cycle_ns(const struct engine *engine)
{
    const struct cycle *cycle = &engine->cycle;
    uint64_t next_ns = cycle->start_ns + (uint64_t)((double)cycle->quantum * 1e9 / cycle->rate_hz);
    return next_ns > engine->gate_opened_ns ? next_ns : engine->gate_opened_ns;
}

void
handover_to_clock(struct engine *engine)
{
    struct cycle *cycle = &engine->cycle;
    if (engine->replacing) {
        return;
    }
    shut_gate(engine);
    engine->left_pos = cycle->pos;
    cycle->replacement = true;
    cycle->elastic = false;
    cycle->knows_thread = false;
    cycle->budget_ns = (uint64_t)((double)cycle->quantum * 1e9 / cycle->rate_hz);
    pace_init(&engine->pace, next_cycle_ns(engine), cycle->rate_hz, cycle->quantum);
    atomic_store_explicit(&engine->replacement_stop, false, memory_order_release);
    engine->replacing = true;
    if (!engine->own_clock &&
        os_thread_start(&engine->replacement, "tutti-pace", OS_PRIORITY_ENGINE, run_replacement,
                        engine) != TUTTI_OK) {
        log_error("engine: no thread for the replacement clock: programs wait until the device "
                  "is back");
    }
}

static void
end_clock(struct engine *engine)
{
    atomic_store_explicit(&engine->replacement_stop, true, memory_order_release);
    os_thread_join(engine->replacement);
    engine->replacement = NULL;
    engine->replacing = false;
}

void
handover_set_rate(struct engine *engine, double rate_hz)
{
    int64_t left_pos = engine->left_pos;
    end_clock(engine);
    engine->cycle.rate_hz = rate_hz;
    handover_to_clock(engine);
    engine->left_pos = left_pos;
}

void
handover_to_nobody(struct engine *engine)
{
    shut_gate(engine);
    end_clock(engine);
}

/* ---- back to the device ---- */

/* The clock has ended and no cycle runs: programs jump over what passed since, and get their
 * latency on the device as it is now. */
static void
bridge_gap(struct engine *engine)
{
    struct cycle *cycle = &engine->cycle;
    uint64_t due_ns = pace_due_ns(&engine->pace), now_ns = events_now_ns(engine);
    uint64_t passed_ns = now_ns > due_ns ? now_ns - due_ns : 0;
    cycle_apply_commands(cycle);
    cycle_skip(cycle, (uint64_t)((double)passed_ns * 1e-9 * cycle->rate_hz), true);
    uint64_t silent_frames = (uint64_t)(cycle->pos - engine->left_pos);
    engine->gap_frames += silent_frames;
    engine->reopenings++;
    /* Now, while no cycle runs: programs' offsets and phases belong to the new period. */
    cycle_set_quantum(cycle, engine->known.period_frames);
    for (uint32_t i = 0; i < engine->programs; i++) {
        struct engine_program *program = engine->program[i];
        if (!program->cycle) {
            continue;
        }
        events_notify(engine, program->id, PROTO_EVENT_GAP, silent_frames,
                      "the device was opened anew; its sound was interrupted");
        if (!latency_settle(engine, program)) {
            events_notify(engine, program->id, PROTO_EVENT_LATENCIES, 0,
                          "the device has another latency now");
        }
    }
    commands_send(engine, CYCLE_PLAN, NULL);
}

void
handover_prepare(struct engine *engine, const struct backend_info *info)
{
    engine->gate_outputs = info->outputs;
    engine->gate_format = info->output_format;
}

void
handover_to_device(struct engine *engine)
{
    if (engine->replacing) {
        const struct backend_info *info = engine->backend->info(engine->stream);
        /* Before the first long period: a program must not take this engine for hung in it. */
        latency_notify_timeouts(engine, info, true);
        events_send(engine);
        end_clock(engine);
        device_state_know(engine);
        bridge_gap(engine);
        latency_notify_timeouts(engine, info, false);
    } else {
        device_state_know(engine);
        cycle_apply_commands(&engine->cycle);
        cycle_set_quantum(&engine->cycle, engine->known.period_frames);
    }
    open_gate(engine);
}
