/* SPDX-License-Identifier: MIT */
/*
 * What one cycle of the engine costs when nobody keeps it waiting: bench_cycle PROGRAMS CHANNELS
 * CARD CYCLES. Each program has CHANNELS inputs and outputs and answers at once; the card has CARD
 * channels each way, interleaved float32, 64 frames. Prints the median and the 99th percentile in
 * ns, without the time that the programs' answers take. The doorbells are rung (a system call
 * each), but nobody sleeps there: what the kernel needs for waking is not in it.
 *
 * Under callgrind, the answers are all of answer_all().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/cycle.h"
#include "os/os.h"

enum { FRAMES = 64, WARM_UP = 100 };

static struct {
    struct cycle cycle;
    struct cycle_plan plan;
    struct cycle_clock clock;
    struct proto_rendezvous page;
    struct cycle_client *programs;
    uint32_t *next_seq;
    uint32_t count;
    uint64_t answering_ns;
} world;

static void *
must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "bench_cycle: no memory\n");
        exit(1);
    }
    return memory;
}

static uint64_t
now(void *user)
{
    (void)user;
    return os_now_ns();
}

__attribute__((noinline)) static void
answer_all(void)
{
    for (uint32_t p = 0; p < world.count; p++) {
        struct proto_segment *segment = world.programs[p].segment;
        if (handoff_begin(segment, world.next_seq[p])) {
            atomic_store(&segment->done_ns, world.cycle.start_ns);
            handoff_done(segment, world.cycle.rendezvous, world.next_seq[p]++);
        }
    }
}

static void
wait_for_it(void *user, struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    (void)user;
    (void)wake;
    (void)seen;
    (void)deadline_ns;
    uint64_t from_ns = os_now_ns();
    answer_all();
    world.answering_ns += os_now_ns() - from_ns;
}

static void
set_up_program(uint32_t number, uint32_t channels)
{
    struct cycle_client *program = &world.programs[number];
    program->id = number + 1;
    proto_layout_init(&program->layout, FRAMES, channels, channels);
    program->segment = must(aligned_alloc(4096, program->layout.size_bytes));
    memset(program->segment, 0, program->layout.size_bytes);
    proto_segment_init(program->segment, &program->layout);
    os_wake_init(&program->doorbell, &program->segment->doorbell);
    program->bell = OS_NO_BELL;
    for (uint32_t c = 0; c < channels; c++) {
        program->input[c].ring = world.cycle.input_ring + (size_t)c * CYCLE_RING_PITCH;
    }
    program->out_frames = CYCLE_MIN_OUT_FRAMES;
    program->out_ring = must(calloc((size_t)program->out_frames * channels, sizeof(float)));
    program->offset = FRAMES;
    program->state = PROTO_PROGRAM_PREPARED;
    handoff_reset(program->segment, 0);
    atomic_store(&program->segment->run, 1);
}

/* Every program's output c meets on the card's channel c. */
static void
set_up_plan(uint32_t channels, uint32_t card)
{
    struct cycle_plan *plan = &world.plan;
    plan->outputs = card;
    plan->entry = must(calloc((size_t)world.count * channels, sizeof(*plan->entry)));
    plan->sources = must(calloc(world.count, sizeof(*plan->sources)));
    for (uint32_t c = 0; c < channels && c < card; c++) {
        plan->output[c].first = plan->entries;
        plan->output[c].count = world.count;
        for (uint32_t p = 0; p < world.count; p++) {
            plan->entry[plan->entries++] = (struct cycle_plan_entry){&world.programs[p], c};
        }
    }
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
    uint32_t numbers[4];
    for (int i = 0; i < 4; i++) {
        numbers[i] = argc == 5 ? (uint32_t)strtoul(argv[i + 1], NULL, 10) : 0;
    }
    const uint32_t channels = numbers[1], card = numbers[2], cycles = numbers[3];
    world.count = numbers[0];
    if (!world.count || world.count > CYCLE_MAX_CLIENTS || !channels || channels > card ||
        card > BACKEND_MAX_CHANNELS || !cycles) {
        fprintf(stderr, "usage: %s PROGRAMS CHANNELS CARD CYCLES\n", argv[0]);
        return 2;
    }
    struct cycle *cycle = &world.cycle;
    world.programs = must(calloc(world.count, sizeof(*world.programs)));
    world.next_seq = must(calloc(world.count, sizeof(*world.next_seq)));
    float *in = must(calloc((size_t)card * FRAMES, sizeof(*in)));
    float *out = must(calloc((size_t)card * FRAMES, sizeof(*out)));
    struct backend_area *ins = must(calloc(card, sizeof(*ins)));
    struct backend_area *outs = must(calloc(card, sizeof(*outs)));
    uint64_t *cost = must(calloc(cycles, sizeof(*cost)));
    cycle->input_ring = must(calloc((size_t)card * CYCLE_RING_PITCH, sizeof(float)));
    world.clock = (struct cycle_clock){NULL, now, wait_for_it};
    cycle->clock = &world.clock;
    cycle->inputs = cycle->outputs = card;
    cycle->input_format = cycle->output_format = DSP_F32;
    cycle->rate_hz = 48000;
    cycle->budget_ns = 1000000000;
    cycle->quantum = FRAMES;
    cycle->rendezvous = &world.page;
    os_wake_init(&cycle->wake, &world.page.wake);
    cycle->pin_cpu = -1;
    atomic_init(&cycle->gather_cpu, -1);
    ring_init(&cycle->commands, cycle->command_storage, sizeof(cycle->command_storage[0]),
              CYCLE_COMMANDS);
    for (uint32_t p = 0; p < world.count; p++) {
        set_up_program(p, channels);
        cycle->client[cycle->clients++] = &world.programs[p];
    }
    set_up_plan(channels, card);
    cycle->plan = &world.plan;
    for (uint32_t c = 0; c < card; c++) {
        ins[c] = (struct backend_area){in + c, card * (uint32_t)sizeof(float)};
        outs[c] = (struct backend_area){out + c, card * (uint32_t)sizeof(float)};
    }
    uint64_t calls = 0;
    for (uint32_t i = 0; i < cycles + WARM_UP; i++) {
        uint64_t from_ns = os_now_ns();
        const struct backend_cycle period = {
            .in = ins, .out = outs, .frames = FRAMES, .time_ns = from_ns, .start_ns = from_ns};
        world.answering_ns = 0;
        cycle_run(cycle, &period);
        if (i >= WARM_UP) {
            cost[i - WARM_UP] = os_now_ns() - from_ns - world.answering_ns;
        }
    }
    for (uint32_t p = 0; p < world.count; p++) {
        calls += atomic_load(&world.programs[p].calls);
        if (atomic_load(&world.programs[p].late_program)) {
            fprintf(stderr, "bench_cycle: a program was late\n");
            return 1;
        }
    }
    qsort(cost, cycles, sizeof(*cost), compare);
    printf("%llu %llu %llu\n", (unsigned long long)cost[cycles / 2],
           (unsigned long long)cost[cycles - 1 - cycles / 100], (unsigned long long)calls);
    return 0;
}
