/* SPDX-License-Identifier: MIT */
/*
 * A program for the network: it plays numbered frames on all its channels, keeps by position what
 * it hears, and writes both down when it is told to end. It judges nothing: what arrived from where
 * is for the script to find (tools/network.py). network_program FILE BUFFER CHANNELS SECONDS; says
 * "ready" with its latencies once it plays, and ends with standard input or when it has heard
 * SECONDS.
 *
 * FILE: a header, the blocks, then channel after channel of samples; all of one machine's bytes.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tutti/tutti.h"

enum { NUMBERS = 8388607, MAX_CHANNELS = 16, MAX_SECONDS = 600, POLL_MS = 20 };

struct header {
    uint64_t blocks, frames, channels, buffer_frames, input_latency_frames, output_latency_frames;
    uint64_t lost_frames; /* positions that were jumped over */
    double rate_hz;
};

struct record {
    uint64_t position_frames, time_ns, silent;
};

static struct {
    struct tutti_client *client;
    struct header header; /* frames and blocks: room, then what was heard */
    /* the callback's until ended */
    struct record *block;
    float *heard; /* channels times room */
    uint64_t room_frames, room_blocks, blocks, expected;
    _Atomic bool full;
} program;

static float
number(uint64_t position)
{
    return (float)(position % NUMBERS + 1) / 8388608.0f;
}

static void
process(void *user, const struct tutti_block *block)
{
    (void)user;
    struct header *header = &program.header;
    uint64_t position = block->position_frames;
    bool fits =
        position + block->frames <= program.room_frames && program.blocks < program.room_blocks;
    for (uint32_t c = 0; c < header->channels; c++) {
        float *output = tutti_output(program.client, c, block->half);
        for (uint32_t i = 0; i < block->frames; i++) {
            output[i] = number(position + i);
        }
        if (fits) {
            memcpy(program.heard + c * program.room_frames + position,
                   tutti_input(program.client, c, block->half), block->frames * sizeof(float));
        }
    }
    if (!fits) {
        atomic_store(&program.full, true);
        return;
    }
    header->lost_frames += position - program.expected;
    program.expected = position + block->frames;
    program.block[program.blocks++] = (struct record){position, block->time_ns, block->silent};
}

/* Touched, so that the callback meets no page for the first time. */
static void *
reserve(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory) {
        memset(memory, 0, bytes);
    }
    return memory;
}

static enum tutti_status
play(uint32_t buffer_frames, unsigned seconds)
{
    struct header *header = &program.header;
    struct tutti_stream_params stream = {.buffer_frames = buffer_frames,
                                         .inputs = (uint32_t)header->channels,
                                         .outputs = (uint32_t)header->channels,
                                         .process = process};
    struct tutti_device device;
    uint32_t input = 0, output = 0;
    enum tutti_status status = tutti_prepare(program.client, &stream);
    if (status == TUTTI_OK) {
        status = tutti_get_device(program.client, &device);
    }
    if (status != TUTTI_OK) {
        return status;
    }
    header->rate_hz = device.rate_hz;
    header->buffer_frames = buffer_frames;
    program.room_frames = (uint64_t)(device.rate_hz * seconds);
    program.room_blocks = program.room_frames / buffer_frames + 1;
    program.heard = reserve(header->channels * program.room_frames * sizeof(float));
    program.block = reserve(program.room_blocks * sizeof(struct record));
    if (!program.heard || !program.block) {
        return TUTTI_NO_MEMORY;
    }
    status = tutti_start(program.client);
    if (status == TUTTI_OK) {
        status = tutti_get_latencies(program.client, &input, &output);
        printf("ready %u %u\n", input, output);
        fflush(stdout);
    }
    return status;
}

static void
wait_for_end(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!atomic_load(&program.full) && poll(&input, 1, POLL_MS) == 0) {
    }
}

/* The latencies are those at the end. */
static bool
write_down(const char *path)
{
    struct header *header = &program.header;
    uint32_t input = 0, output = 0;
    FILE *file = fopen(path, "wb");
    if (!file) {
        return false;
    }
    (void)tutti_get_latencies(program.client, &input, &output);
    header->input_latency_frames = input;
    header->output_latency_frames = output;
    header->blocks = program.blocks;
    header->frames = program.expected;
    bool written =
        fwrite(header, sizeof(*header), 1, file) == 1 &&
        fwrite(program.block, sizeof(struct record), program.blocks, file) == program.blocks;
    for (uint32_t c = 0; c < header->channels; c++) {
        written = written && fwrite(program.heard + c * program.room_frames, sizeof(float),
                                    program.expected, file) == program.expected;
    }
    return fclose(file) == 0 && written;
}

int
main(int argc, char **argv)
{
    unsigned buffer = argc == 5 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    unsigned channels = argc == 5 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    unsigned seconds = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    if (!buffer || !channels || channels > MAX_CHANNELS || !seconds || seconds > MAX_SECONDS) {
        fprintf(stderr, "usage: %s FILE BUFFER CHANNELS SECONDS\n", argv[0]);
        return 2;
    }
    program.header.channels = channels;
    enum tutti_status status = tutti_open(&program.client, NULL);
    if (status == TUTTI_OK) {
        status = play(buffer, seconds);
    }
    if (status != TUTTI_OK) {
        fprintf(stderr, "%s\n",
                program.client ? tutti_last_error(program.client) : tutti_status_text(status));
        tutti_close(program.client);
        return 1;
    }
    wait_for_end();
    (void)tutti_stop(program.client);
    bool written = write_down(argv[1]);
    tutti_close(program.client);
    free(program.heard);
    free(program.block);
    if (!written) {
        fprintf(stderr, "cannot write %s\n", argv[1]);
    }
    return !written;
}
