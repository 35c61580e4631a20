/* SPDX-License-Identifier: MIT */
/* The pass-through program on libtutti. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pass.h"
#include "tutti/tutti.h"

struct program {
    struct pass_file *file;
    struct tutti_client *client;
    uint32_t frames;
};

static void
process(void *user, const struct tutti_block *block)
{
    struct program *program = user;
    struct pass_record *record = pass_begin(program->file);
    for (uint32_t c = 0; c < 2; c++) {
        memcpy(tutti_output(program->client, c, block->half),
               tutti_input(program->client, c, block->half), program->frames * sizeof(float));
    }
    record->cycle = block->device_frames / program->frames;
    pass_end(program->file, record);
}

int
pass_run(struct pass_file *file, unsigned number, uint32_t frames)
{
    struct program program = {.file = file, .frames = frames};
    struct tutti_stream_params params = {
        .buffer_frames = frames, .inputs = 2, .outputs = 2, .process = process, .user = &program};
    char name[32];
    snprintf(name, sizeof(name), "pass %u", number);
    const struct tutti_open_params open = {.program = name, .do_not_start = true};
    enum tutti_status status = tutti_open(&program.client, &open);
    if (status == TUTTI_OK) {
        status = tutti_prepare(program.client, &params);
    }
    if (status == TUTTI_OK) {
        status = tutti_start(program.client);
    }
    if (status != TUTTI_OK) {
        fprintf(stderr, "pass %u: %s\n", number,
                program.client ? tutti_last_error(program.client) : tutti_status_text(status));
        return 1;
    }
    atomic_store(&file->ready, 1);
    char rest;
    while (read(STDIN_FILENO, &rest, 1) > 0) {
    }
    tutti_close(program.client);
    return 0;
}
