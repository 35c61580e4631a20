/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the real cycle with two programs, one of which writes any words into its segment and
 * into the page that all share, before cycles and while the engine waits. The other is honest: it
 * must be called in each cycle with its own input, and what it plays must be heard, bit for bit.
 *
 * Input: pairs of bytes. The first chooses a word (low bits) and when to write it (top bit: while
 * the engine waits); 0x7f ends a cycle, 0x7e lets the hostile program answer as it should. The
 * second chooses the value. The last byte tells how long the honest one takes, and of the hostile
 * one whether it has a direct monitor and gains, its buffer, and how its blocks are taken.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/cycle.h"
#include "mixer/direct_monitor.h"
#include "mixer/schedule.h"
#include "os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUANTUM = 16, CYCLES = 8, HOSTILE_WORDS = 40, FIRST_METER = 120, MAX_WAITS = 64 };
/* the hostile program's: the period, a part of it, whole periods, and none of these */
static const uint32_t hostile_frames[] = {QUANTUM, QUANTUM / 2, 2 * QUANTUM, QUANTUM + 8};

static struct {
    struct cycle cycle;
    struct cycle_client honest, hostile;
    struct proto_rendezvous page;
    struct cycle_clock clock;
    struct cycle_plan plan;
    struct cycle_plan_entry entries[2];
    const float *sources[4];
    struct cycle_monitor monitor;
    struct cycle_path path;
    const struct cycle_path *paths[1];
    uint64_t now_ns;
    unsigned waits;
    unsigned delay; /* the honest one answers in this wait */
    uint32_t honest_seq;
    uint64_t honest_position;
    const uint8_t *at, *end;
} world;
static float *input_ring;
static unsigned char *segments[2];

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static float
played(uint64_t frame, uint32_t channel)
{
    return (float)(frame * 2 + channel + 1) / 65536.0f;
}

/* ---- the programs ---- */

/* Answers its call, if there is one. */
static void
honest_answers(void)
{
    struct proto_segment *segment = world.honest.segment;
    if (!handoff_begin(segment, world.honest_seq)) {
        return;
    }
    const struct proto_layout *layout = &world.honest.layout;
    unsigned half = world.honest_seq & 1;
    const struct proto_stamp *stamp = &segment->stamp[half];
    require(stamp->seq == world.honest_seq && stamp->position_frames == world.honest_position);
    const float *input = proto_input(layout, segment, 0, half);
    float *output = proto_output(layout, segment, 0, half);
    for (uint32_t i = 0; i < QUANTUM; i++) {
        require(input[i] == played(world.honest_position + i, 7));
        output[i] = played(world.honest_position + i, 0);
    }
    world.honest_position += QUANTUM;
    handoff_done(segment, world.cycle.rendezvous, world.honest_seq++);
}

static void
hostile_answers(void)
{
    struct proto_segment *segment = world.hostile.segment;
    for (unsigned half = 0; half < 2; half++) {
        uint32_t owner = atomic_load(&segment->owner[half]);
        if (owner & 1) {
            handoff_done(segment, world.cycle.rendezvous, owner >> 1);
        }
    }
}

/* Values that could be right, and those at the edges. */
static uint32_t
value_of(uint8_t byte)
{
    static const uint32_t edges[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 1U << 30};
    uint32_t seq = world.hostile.next_seq;
    switch (byte >> 6) {
    case 0:
        return edges[byte & 7] + (byte >> 3 & 7);
    case 1:
        return (seq + (byte & 15) - 8) << 1 | (byte >> 4 & 1);
    case 2:
        return seq + (byte & 63) - 32;
    default:
        return (uint32_t)byte * 0x01010101U;
    }
}

static void
write_word(uint8_t which, uint8_t byte)
{
    /* the program's words, the shared ones, the engine's stamps and counters; then the page */
    _Atomic uint32_t *words = (_Atomic uint32_t *)(void *)world.hostile.segment;
    _Atomic uint32_t *page = (_Atomic uint32_t *)(void *)&world.page;
    if (which >= FIRST_METER) {
        /* 512 of them, for device channels that the program need not have */
        uint32_t value = value_of((uint8_t)(byte * 31U + which));
        atomic_store(&words[112 + (byte << 1 | (which & 1))], value);
        return;
    }
    which %= HOSTILE_WORDS;
    if (which < 24) {
        atomic_store(&words[16 + which % 8 + which / 8 * 16], value_of(byte)); /* 64, 128, 192 */
    } else if (which < 34) {
        atomic_store(&words[64 + (byte & 63)], value_of((uint8_t)(which * 37U)));
    } else if (which < 36) {
        float *output = proto_output(&world.hostile.layout, world.hostile.segment, 0, which & 1);
        uint32_t bits = value_of(byte) << 8 | 0x7f800000;
        memcpy(&output[byte % world.hostile.layout.buffer_frames], &bits, sizeof(bits));
    } else {
        atomic_store(&page[which & 1 ? 16 : 0], value_of(byte));
    }
}

/* Carries out what is due: up to the end of a cycle, and of it what belongs to this moment. */
static void
obey(bool waiting)
{
    while (world.at + 1 < world.end && world.at[0] != 0x7f) {
        bool later = world.at[0] & 0x80;
        if (later && !waiting) {
            return;
        }
        if (world.at[0] == 0x7e) {
            hostile_answers();
        } else {
            write_word(world.at[0] & 0x7f, world.at[1]);
        }
        world.at += 2;
    }
}

/* ---- time ---- */

static uint64_t
now(void *user)
{
    (void)user;
    return world.now_ns += 50;
}

static void
wait_for_it(void *user, struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    (void)user;
    (void)wake;
    (void)seen;
    if (world.waits == 0) {
        obey(true);
    }
    if (world.waits == world.delay) {
        honest_answers();
    }
    world.waits++;
    if (world.waits <= world.delay) {
        world.now_ns += 1000; /* woken for nothing, or by the hostile one */
    } else if (world.waits < MAX_WAITS / 2) {
        world.now_ns += 1000;
    } else {
        require(world.waits < MAX_WAITS); /* it ends by its deadline */
        world.now_ns = deadline_ns;
    }
}

/* ---- the stage ---- */

static void
set_up_program(struct cycle_client *program, uint32_t id, uint32_t frames, bool late_take,
               unsigned char *segment, float *out_ring)
{
    memset(program, 0, sizeof(*program));
    memset(segment, 0, PROTO_SEGMENT_HEADER_BYTES);
    program->id = id;
    program->late_take = late_take;
    program->segment = (struct proto_segment *)(void *)segment;
    proto_layout_init(&program->layout, frames, 1, 1);
    proto_segment_init(program->segment, &program->layout);
    os_wake_init(&program->doorbell, &program->segment->doorbell);
    program->bell = OS_NO_BELL;
    program->input[0].ring = input_ring;
    program->out_ring = out_ring;
    program->out_frames = CYCLE_MIN_OUT_FRAMES;
    program->offset = schedule_offset(frames, QUANTUM, program->tight, program->late_take);
    program->state = PROTO_PROGRAM_PREPARED;
    handoff_reset(program->segment, 0);
    atomic_store(&program->segment->run, 1);
}

/* The hostile one's: gains on their way, and its input on its output. */
static void
set_up_monitor(bool monitored)
{
    struct cycle_monitor *monitor = &world.monitor;
    memset(monitor, 0, sizeof(*monitor));
    world.path = (struct cycle_path){
        .client = &world.hostile, .output = 1, .ring = input_ring, .former = -1};
    world.path.gain.target = 4;
    world.paths[0] = &world.path;
    monitor->path = &world.path;
    monitor->paths = 1;
    monitor->heard[0] = 1;
    monitor->output[1].target = 2;
    direct_monitor_begin(monitor, NULL, 48000);
    world.plan.path = world.paths;
    world.plan.output[1].output = 1;
    world.plan.output[1].paths = monitored;
    world.plan.monitored = monitored;
    world.hostile.monitor = monitored ? monitor : NULL;
}

static void
set_up(uint8_t how)
{
    bool monitored = how & 4;
    static float *out_rings;
    struct cycle *cycle = &world.cycle;
    if (!input_ring) {
        struct proto_layout layout;
        proto_layout_init(&layout, 2 * QUANTUM, 1, 1); /* the longest */
        input_ring = calloc(CYCLE_RING_FRAMES, sizeof(float));
        out_rings = calloc(2 * CYCLE_MIN_OUT_FRAMES, sizeof(float));
        for (unsigned i = 0; i < 2; i++) {
            segments[i] = aligned_alloc(4096, layout.size_bytes);
            require(segments[i] != NULL);
            memset(segments[i], 0, layout.size_bytes);
        }
        require(input_ring && out_rings);
        ring_init(&cycle->commands, cycle->command_storage, sizeof(cycle->command_storage[0]),
                  CYCLE_COMMANDS);
    }
    set_up_program(&world.honest, 1, QUANTUM, false, segments[0], out_rings);
    set_up_program(&world.hostile, 2, hostile_frames[how >> 3 & 3], how & 32, segments[1],
                   out_rings + CYCLE_MIN_OUT_FRAMES);
    world.clock = (struct cycle_clock){NULL, now, wait_for_it};
    world.entries[0] = (struct cycle_plan_entry){&world.honest, 0};
    world.entries[1] = (struct cycle_plan_entry){&world.hostile, 0};
    world.plan.outputs = 2;
    world.plan.output[0].first = 0;
    world.plan.output[0].count = 1;
    world.plan.output[1].first = 1;
    world.plan.output[1].count = 1;
    world.plan.entry = world.entries;
    world.plan.entries = 2;
    world.plan.sources = world.sources;
    set_up_monitor(monitored);
    cycle->clock = &world.clock;
    cycle->inputs = 1;
    cycle->outputs = 2;
    cycle->input_format = cycle->output_format = DSP_F32;
    cycle->rate_hz = 48000;
    cycle->budget_ns = 333333;
    cycle->quantum = QUANTUM;
    cycle->pos = 0;
    cycle->input_ring = input_ring;
    /* the hostile one first: it is called and collected before the other */
    cycle->client[0] = &world.hostile;
    cycle->client[1] = &world.honest;
    cycle->clients = 2;
    cycle->plan = &world.plan;
    cycle->rendezvous = &world.page;
    os_wake_init(&cycle->wake, &world.page.wake);
    cycle->pin_cpu = -1;
    atomic_store(&cycle->gather_cpu, -1);
    atomic_store(&cycle->late_events, 0);
    world.now_ns = 1000000;
    world.honest_seq = 0;
    world.honest_position = 0;
}

static void
run_cycle(unsigned number)
{
    float in[QUANTUM], out[2][QUANTUM];
    const struct backend_area ins[1] = {{in, sizeof(float)}};
    const struct backend_area outs[2] = {{out[0], sizeof(float)}, {out[1], sizeof(float)}};
    /* A block that begins at frame a is called when a + QUANTUM is captured; the cycle's input is
     * the block's. */
    uint64_t first = (uint64_t)number * QUANTUM;
    for (uint32_t i = 0; i < QUANTUM; i++) {
        in[i] = number ? played(first - QUANTUM + i, 7) : 0;
    }
    world.now_ns = 1000000 + number * UINT64_C(333333);
    const struct backend_cycle period = {.in = ins,
                                         .out = outs,
                                         .frames = QUANTUM,
                                         .time_ns = world.now_ns,
                                         .start_ns = world.now_ns};
    world.waits = 0;
    uint64_t before = world.honest_position;
    cycle_run(&world.cycle, &period);
    if (number == 0) {
        return; /* nothing is captured yet */
    }
    require(world.honest_position == before + QUANTUM);
    for (uint32_t i = 0; i < QUANTUM; i++) {
        require(out[0][i] == played(before + i, 0));
        require(out[1][i] >= -1.0f && out[1][i] <= 1.0f);
    }
    require(world.honest.state == PROTO_PROGRAM_RUNNING);
    require(world.hostile.state < PROTO_PROGRAM_STATE_COUNT);
    for (unsigned half = 0; half < 2; half++) {
        require(world.hostile.half[half].state < HALF_STATE_COUNT);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up(size ? data[size - 1] : 0);
    world.at = data;
    world.end = data + size;
    world.delay = size ? data[size - 1] & 3 : 0;
    for (unsigned number = 0; number < CYCLES; number++) {
        obey(false);
        run_cycle(number);
        obey(true); /* what the engine did not wait for */
        if (world.at + 1 < world.end) {
            world.at += 2;
        }
    }
    return 0;
}
