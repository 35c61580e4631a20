/* SPDX-License-Identifier: MIT */
#include "device/handover.h"

#include <string.h>

#include "base/log.h"
#include "device/master.h"

enum { GATE_OPEN = 1, GATE_INSIDE = 2 };

/* ---- the gate ---- */

static void
be_silent(const struct master *master, const struct backend_cycle *period)
{
    for (uint32_t c = 0; period->out && c < master->handover.gate_outputs; c++) {
        const struct backend_area *area = &period->out[c];
        if (area->first) {
            dsp_mix_to_device(area->first, area->stride_bytes, master->handover.gate_format, NULL,
                              0, 1.0f, period->frames);
        }
    }
}

void
handover_cycle(struct master *master, const struct backend_cycle *period)
{
    unsigned open = GATE_OPEN;
    /* Partner: the release with which control opens the gate. */
    if (!atomic_compare_exchange_strong_explicit(&master->handover.gate, &open,
                                                 GATE_OPEN | GATE_INSIDE, memory_order_acquire,
                                                 memory_order_relaxed)) {
        be_silent(master, period);
        return;
    }
    cycle_run(&master->cycle, period);
    /* Partner: the acquire load in shut_gate(). */
    atomic_fetch_and_explicit(&master->handover.gate, ~(unsigned)GATE_INSIDE, memory_order_release);
}

static void
open_gate(struct master *master)
{
    master->handover.gate_opened_ns = master_now_ns(master);
    atomic_store_explicit(&master->handover.gate, GATE_OPEN, memory_order_release);
}

/* Returns when none of the device's cycles runs; one lasts a period at most. */
static void
shut_gate(struct master *master)
{
    atomic_fetch_and_explicit(&master->handover.gate, ~(unsigned)GATE_OPEN, memory_order_acq_rel);
    while (atomic_load_explicit(&master->handover.gate, memory_order_acquire) & GATE_INSIDE) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS / 10);
    }
}

/* ---- the own clock ---- */

static void
replacement_cycle(struct master *master, uint64_t now_ns)
{
    uint64_t due_ns = pace_due_ns(&master->handover.pace);
    struct backend_cycle period = {
        .frames = master->handover.pace.block_frames,
        .time_ns = due_ns,
        .start_ns = now_ns,
    };
    uint64_t skipped = pace_next(&master->handover.pace, now_ns);
    if (skipped) {
        period.flags = BACKEND_CYCLE_XRUN;
        period.lost_frames = skipped * period.frames;
        period.time_ns +=
            (uint64_t)((double)period.lost_frames * 1e9 / master->handover.pace.rate_hz);
    }
    cycle_run(&master->cycle, &period);
}

static void
run_replacement(void *arg)
{
    struct master *master = arg;
    while (!atomic_load_explicit(&master->handover.replacement_stop, memory_order_acquire)) {
        os_sleep_until_ns(pace_due_ns(&master->handover.pace));
        replacement_cycle(master, master_now_ns(master));
    }
}

void
handover_step(struct master *master, uint64_t now_ns)
{
    while (master->services->stepped && master->handover.replacing &&
           pace_due_ns(&master->handover.pace) <= now_ns) {
        replacement_cycle(master, now_ns);
    }
}

/* When the device's next cycle would have begun. */
static uint64_t
next_cycle_ns(const struct master *master)
{
    const struct cycle *cycle = &master->cycle;
    uint64_t next_ns = cycle->start_ns + (uint64_t)((double)cycle->quantum * 1e9 / cycle->rate_hz);
    return next_ns > master->handover.gate_opened_ns ? next_ns : master->handover.gate_opened_ns;
}

void
handover_to_clock(struct master *master)
{
    struct cycle *cycle = &master->cycle;
    if (master->handover.replacing) {
        return;
    }
    shut_gate(master);
    master->handover.left_pos = cycle->pos;
    cycle->replacement = true;
    cycle->elastic = false;
    cycle->knows_thread = false;
    cycle->budget_ns = (uint64_t)((double)cycle->quantum * 1e9 / cycle->rate_hz);
    pace_init(&master->handover.pace, next_cycle_ns(master), cycle->rate_hz, cycle->quantum);
    atomic_store_explicit(&master->handover.replacement_stop, false, memory_order_release);
    master->handover.replacing = true;
    if (!master->services->stepped &&
        os_thread_start(&master->handover.replacement, "tutti-pace", OS_PRIORITY_ENGINE,
                        run_replacement, master) != TUTTI_OK) {
        log_error("engine: no thread for the replacement clock: clients wait until the device "
                  "is back");
    }
}

static void
end_clock(struct master *master)
{
    atomic_store_explicit(&master->handover.replacement_stop, true, memory_order_release);
    os_thread_join(master->handover.replacement);
    master->handover.replacement = NULL;
    master->handover.replacing = false;
}

void
handover_set_rate(struct master *master, double rate_hz)
{
    int64_t left_pos = master->handover.left_pos;
    end_clock(master);
    master->cycle.rate_hz = rate_hz;
    handover_to_clock(master);
    master->handover.left_pos = left_pos;
}

void
handover_to_nobody(struct master *master)
{
    shut_gate(master);
    end_clock(master);
}

/* ---- back to the device ---- */

/* The clock has ended and no cycle runs: clients jump over what passed since, and get their
 * latency on the device as it is now. */
static void
bridge_gap(struct master *master)
{
    struct cycle *cycle = &master->cycle;
    uint64_t due_ns = pace_due_ns(&master->handover.pace), now_ns = master_now_ns(master);
    uint64_t passed_ns = now_ns > due_ns ? now_ns - due_ns : 0;
    cycle_apply_commands(cycle);
    cycle_skip(cycle, (uint64_t)((double)passed_ns * 1e-9 * cycle->rate_hz), true);
    uint64_t silent_frames = (uint64_t)(cycle->pos - master->handover.left_pos);
    master->handover.gap_frames += silent_frames;
    master->handover.reopenings++;
    /* Now, while no cycle runs: programs' offsets and phases belong to the new period. */
    cycle_set_quantum(cycle, master->slot.known.period_frames);
    master->clients.reopened(master->clients.user, silent_frames);
}

void
handover_prepare(struct master *master, const struct backend_info *info)
{
    master->handover.gate_outputs = info->outputs;
    master->handover.gate_format = info->output_format;
}

/* Takes over what the open stream is, into what is known and into the cycle. No cycle runs. */
static void
learn_stream(struct master *master)
{
    slot_learn(&master->slot);
    const struct backend_info *info = slot_info(&master->slot);
    struct cycle *cycle = &master->cycle;
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
    cycle->reserve_us = (uint32_t)master->config.engine_reserve_us;
    cycle->pin_cpu = master->config.engine_pin_cpu;
    if (!cycle->quantum) {
        cycle->quantum = info->period_frames;
    }
    /* Touches each page of the channels in use, so that the cycle does not fault; silence before
     * the first frame. */
    uint32_t clear = heard > info->inputs ? heard : info->inputs;
    memset(cycle->input_ring, 0, (size_t)clear * CYCLE_RING_PITCH * sizeof(float));
}

bool
handover_is_cycling(const struct master *master)
{
    return master->slot.open.stream || master->handover.replacement;
}

void
handover_to_device(struct master *master)
{
    const struct master_clients *clients = &master->clients;
    if (master->handover.replacing) {
        const struct backend_info *info = slot_info(&master->slot);
        /* Before the first long period: a client must not take this engine for hung in it. */
        clients->timeouts(clients->user, info, true);
        end_clock(master);
        learn_stream(master);
        bridge_gap(master);
        clients->timeouts(clients->user, info, false);
    } else {
        learn_stream(master);
        cycle_apply_commands(&master->cycle);
        cycle_set_quantum(&master->cycle, master->slot.known.period_frames);
    }
    open_gate(master);
}
