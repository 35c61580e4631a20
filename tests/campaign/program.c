/* SPDX-License-Identifier: MIT */
/*
 * A program for campaigns: it plays numbered frames on one device channel, hears them again through
 * the card's cable, and checks each: the sample that it sent a round trip ago, on the frame that
 * the latencies promise. campaign_program FILE CHANNEL CABLE [PROFILE]; commands come on standard
 * input:
 *
 *   play BUFFER CHANNELS   prepare and start      stop, start, dispose
 *   spin                   the callback never returns again
 *   ready                  blocks are handed back by tutti_block_ready(), before the return
 *   late                   the next play asks for late_take
 *   status, rate HZ        asks the engine
 *   monitor PATHS          paths of the direct monitor to output 0, which nobody checks; 0: none
 *   meters                 takes the peaks of all channels
 *   churn                  joins and leaves until it is killed
 */
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tutti/tutti.h"

enum { NUMBERS = 8388607, MAX_CHANNELS = 64, PATHS = 32, SILENT_OUTPUT = 0 };

static struct {
    struct program_report *report;
    struct tutti_client *client;
    struct tutti_stream_params stream;
    struct tutti_channel input[MAX_CHANNELS], output[MAX_CHANNELS];
    uint32_t channel, cable;
    const char *profile;
    _Atomic uint64_t round_trip; /* frames; changed by the event thread */
    _Atomic bool changed;        /* check anew from here: the latencies or the engine changed */
    _Atomic bool spins, ready;
    /* the callback's own */
    uint64_t check_from; /* position */
    uint64_t next_position, last_ns, sounded_ns, generation;
    const float *first_input; /* of half 0 */
    unsigned next_half;
} program;

static float
number(uint64_t position)
{
    return (float)(position % NUMBERS + 1) / 8388608.0f;
}

static void
add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

static void
raise_to(_Atomic uint64_t *most, uint64_t value)
{
    if (value > atomic_load_explicit(most, memory_order_relaxed)) {
        atomic_store_explicit(most, value, memory_order_relaxed);
    }
}

/* What was on its way is not compared, and told so. */
static void
begin_check(const struct tutti_block *block)
{
    uint64_t from = block->position_frames + atomic_load(&program.round_trip);
    uint64_t before =
        program.check_from > block->position_frames ? program.check_from : block->position_frames;
    add(&program.report->unheard, from > before ? from - before : 0);
    program.check_from = from;
    atomic_store_explicit(&program.report->checked, 0, memory_order_relaxed);
}

/* What came back against what was sent. */
static void
check(const struct tutti_block *block)
{
    const float *input = tutti_input(program.client, 0, block->half);
    uint64_t round_trip = atomic_load(&program.round_trip), wrong = 0, compared = 0;
    for (uint32_t i = 0; i < block->frames; i++) {
        uint64_t position = block->position_frames + i;
        if (position >= program.check_from) {
            compared++;
            wrong += input[i] != number(position - round_trip);
        }
    }
    add(&program.report->frames, compared);
    add(&program.report->checked, compared);
    add(&program.report->lost, wrong);
}

static void
follow(const struct tutti_block *block, uint64_t now_ns)
{
    struct program_report *report = program.report;
    bool first = !program.last_ns;
    bool sounds = block->generation && !block->silent;
    if (!first) {
        raise_to(&report->gap_ns, now_ns - program.last_ns);
        bool wrong = block->position_frames < program.next_position ||
                     block->half != program.next_half ||
                     tutti_input(program.client, 0, 0) != program.first_input;
        add(&report->wrong, wrong);
    }
    uint64_t jump = 0;
    if (!first && block->position_frames > program.next_position) {
        jump = block->position_frames - program.next_position;
        add(&report->jumped, jump);
        add(&report->lost, jump);
    }
    if (block->generation != program.generation && sounds) {
        program.generation = block->generation;
        add(&report->engines, 1);
        begin_check(block);
    } else if (atomic_exchange(&program.changed, false) || !sounds) {
        begin_check(block);
    } else if (jump) {
        /* What was not sent does not come back: counted once. */
        program.check_from = block->position_frames + atomic_load(&program.round_trip);
    }
    if (sounds) {
        if (program.sounded_ns) {
            raise_to(&report->silence_ns, now_ns - program.sounded_ns);
        }
        program.sounded_ns = now_ns;
    } else {
        add(&report->silent, block->frames);
    }
    program.last_ns = now_ns;
    program.next_position = block->position_frames + block->frames;
    program.next_half = !block->half;
    program.first_input = tutti_input(program.client, 0, 0);
    atomic_store_explicit(&report->generation, sounds ? block->generation : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&report->last_ns, now_ns, memory_order_relaxed);
}

static void
process(void *user, const struct tutti_block *block)
{
    (void)user;
    while (atomic_load_explicit(&program.spins, memory_order_relaxed)) {
    }
    follow(block, tutti_now_ns());
    check(block);
    for (uint32_t c = 0; c < program.stream.outputs; c++) {
        float *output = tutti_output(program.client, c, block->half);
        for (uint32_t i = 0; i < block->frames; i++) {
            output[i] = number(block->position_frames + i);
        }
    }
    if (atomic_load_explicit(&program.ready, memory_order_relaxed)) {
        tutti_block_ready(program.client);
    }
    add(&program.report->blocks, 1);
}

/* True: they are others than before. */
static bool
learn_latencies(void)
{
    uint32_t input = 0, output = 0;
    if (tutti_get_latencies(program.client, &input, &output) != TUTTI_OK) {
        return false;
    }
    uint64_t round_trip = (uint64_t)input + output + program.cable;
    return atomic_exchange(&program.round_trip, round_trip) != round_trip;
}

static void
on_event(void *user, const struct tutti_event *event)
{
    (void)user;
    bool gap = event->kind == TUTTI_EVENT_ENGINE_BACK || event->kind == TUTTI_EVENT_GAP ||
               event->kind == TUTTI_EVENT_RATE || event->kind == TUTTI_EVENT_DEVICE_BACK;
    if (gap || event->kind == TUTTI_EVENT_LATENCIES) {
        bool others = learn_latencies();
        if (gap || others) {
            atomic_store(&program.changed, true);
        }
    }
}

static enum tutti_status
start(void)
{
    program.next_position = program.last_ns = program.sounded_ns = program.generation = 0;
    atomic_store(&program.changed, false);
    learn_latencies();
    program.check_from = atomic_load(&program.round_trip);
    enum tutti_status status = tutti_start(program.client);
    atomic_store(&program.report->state, status == TUTTI_OK ? 1 : 4);
    return status;
}

static enum tutti_status
play(uint32_t buffer, uint32_t channels)
{
    program.stream.buffer_frames = buffer;
    program.stream.inputs = program.stream.outputs = channels;
    enum tutti_status status = tutti_prepare(program.client, &program.stream);
    return status == TUTTI_OK ? start() : status;
}

static enum tutti_status
ask_status(void)
{
    struct tutti_engine_status engine;
    struct tutti_program_status *programs;
    enum tutti_status status = tutti_get_status(program.client, &engine, &programs);
    if (status == TUTTI_OK) {
        tutti_free(programs);
    }
    return status;
}

/* From this program's own input and the inputs after it to an output that nobody checks. Its own
 * channel's gain stays 1, as its samples are compared bit for bit. */
static enum tutti_status
monitor(unsigned paths)
{
    static struct tutti_path path[PATHS];
    static float input_gain[TUTTI_MAX_CHANNELS], output_gain[TUTTI_MAX_CHANNELS];
    for (unsigned c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        input_gain[c] = c == program.channel ? 1 : (float)(c % 5) / 4;
        output_gain[c] = c == program.channel ? 1 : (float)(c % 3);
    }
    for (unsigned p = 0; p < paths && p < PATHS; p++) {
        path[p] = (struct tutti_path){
            .input = program.channel + p, .output = SILENT_OUTPUT, .gain = (float)(p % 9) / 8};
    }
    struct tutti_monitor wanted = {.path = path,
                                   .paths = paths < PATHS ? paths : PATHS,
                                   .input_gain = input_gain,
                                   .output_gain = output_gain};
    return tutti_set_monitor(program.client, paths ? &wanted : NULL);
}

/* None may be a number that no sample has. */
static enum tutti_status
meters(void)
{
    for (unsigned c = 0; c < MAX_CHANNELS; c++) {
        float in = tutti_take_peak(program.client, true, c);
        float out = tutti_take_peak(program.client, false, c);
        if (!(in >= 0 && out >= 0)) {
            return TUTTI_PROTOCOL;
        }
    }
    return TUTTI_OK;
}

static void
churn(void)
{
    static const uint32_t buffers[] = {64, 256, 48, 1024, 128};
    for (unsigned i = 0;; i++) {
        struct tutti_open_params open = {
            .program = "churn", .profile = i % 2 ? program.profile : NULL, .event = on_event};
        if (tutti_open(&program.client, &open) != TUTTI_OK) {
            continue;
        }
        if (i % 4) {
            (void)play(buffers[i % 5], 1 + i % 2);
            (void)monitor(i % 3);
            (void)meters();
        }
        tutti_close(program.client);
        add(&program.report->commands, 1);
    }
}

static bool
obey(const char *line)
{
    unsigned buffer = 0, channels = 0, paths = 0;
    double rate_hz;
    enum tutti_status status = TUTTI_OK;
    if (sscanf(line, "play %u %u", &buffer, &channels) == 2 && channels <= MAX_CHANNELS) {
        status = play(buffer, channels);
    } else if (strcmp(line, "stop\n") == 0) {
        status = tutti_stop(program.client);
        atomic_store(&program.report->state, 2);
    } else if (strcmp(line, "start\n") == 0) {
        status = start();
    } else if (strcmp(line, "dispose\n") == 0) {
        status = tutti_dispose(program.client);
        atomic_store(&program.report->state, 3);
    } else if (strcmp(line, "spin\n") == 0) {
        atomic_store(&program.spins, true);
    } else if (strcmp(line, "ready\n") == 0) {
        atomic_store(&program.ready, true);
    } else if (strcmp(line, "late\n") == 0) {
        program.stream.late_take = true;
    } else if (strcmp(line, "status\n") == 0) {
        status = ask_status();
    } else if (sscanf(line, "monitor %u", &paths) == 1) {
        status = monitor(paths);
    } else if (strcmp(line, "meters\n") == 0) {
        status = meters();
    } else if (sscanf(line, "rate %lf", &rate_hz) == 1) {
        (void)tutti_set_rate(program.client, rate_hz); /* others may hold the device */
    } else if (strcmp(line, "churn\n") == 0) {
        tutti_close(program.client);
        churn();
    } else {
        fprintf(stderr, "no such command: %s", line);
        return false;
    }
    if (status != TUTTI_OK) {
        fprintf(stderr, "%.*s: %s\n", (int)strcspn(line, "\n"), line,
                tutti_last_error(program.client));
        atomic_store(&program.report->state, 4);
    }
    add(&program.report->commands, 1);
    return true;
}

int
main(int argc, char **argv)
{
    int file = argc == 4 || argc == 5 ? open(argv[1], O_RDWR | O_CREAT, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof(*program.report)) != 0) {
        fprintf(stderr, "usage: %s FILE CHANNEL CABLE [PROFILE]\n", argv[0]);
        return 2;
    }
    void *mapped = mmap(NULL, sizeof(*program.report), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
        return 2;
    }
    program.report = mapped;
    uint32_t channel = program.channel = (uint32_t)strtoul(argv[2], NULL, 10);
    program.profile = argc == 5 ? argv[4] : NULL;
    program.cable = (uint32_t)strtoul(argv[3], NULL, 10);
    for (uint32_t c = 0; c < MAX_CHANNELS; c++) {
        /* The first channel is this program's own; the others are shared with everybody. */
        program.input[c].channel = program.output[c].channel = c ? 0 : channel;
        program.output[c].kind = c ? TUTTI_CHANNEL_NONE : TUTTI_CHANNEL_DEVICE;
    }
    program.stream = (struct tutti_stream_params){
        .input = program.input, .output = program.output, .process = process};
    char name[32], line[64], why[TUTTI_TEXT_BYTES] = "";
    snprintf(name, sizeof(name), "campaign %u", channel);
    struct tutti_open_params open = {
        .program = name, .profile = program.profile, .event = on_event, .error = why};
    enum tutti_status status = tutti_open(&program.client, &open);
    if (status != TUTTI_OK) {
        fprintf(stderr, "no engine: %s\n", why[0] ? why : tutti_status_text(status));
        return 1;
    }
    atomic_fetch_add(&program.report->commands, 1);
    while (fgets(line, sizeof(line), stdin) && obey(line)) {
    }
    tutti_close(program.client);
    return 0;
}
