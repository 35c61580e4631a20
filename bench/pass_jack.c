/* SPDX-License-Identifier: MIT */
/*
 * The pass-through program on libjack. PASS_SOURCES and PASS_SINKS name the ports that it is
 * connected to, each two and divided by a comma: those of the card, so that all run side by side.
 */
#include <errno.h>
#include <jack/jack.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pass.h"

struct program {
    struct pass_file *file;
    jack_client_t *client;
    jack_port_t *in[2], *out[2];
};

static int
process(jack_nframes_t frames, void *user)
{
    struct program *program = user;
    struct pass_record *record = pass_begin(program->file);
    for (unsigned c = 0; c < 2; c++) {
        memcpy(jack_port_get_buffer(program->out[c], frames),
               jack_port_get_buffer(program->in[c], frames), frames * sizeof(float));
    }
    record->cycle = jack_last_frame_time(program->client) / frames;
    pass_end(program->file, record);
    return 0;
}

/* False: a port is not there. */
static bool
connect_to(struct program *program, const char *variable, bool sources)
{
    const char *names = getenv(variable);
    char name[2][64];
    if (!names || sscanf(names, "%63[^,],%63[^,]", name[0], name[1]) != 2) {
        fprintf(stderr, "pass: %s has to name two ports\n", variable);
        return false;
    }
    for (unsigned c = 0; c < 2; c++) {
        const char *from = sources ? name[c] : jack_port_name(program->out[c]);
        const char *to = sources ? jack_port_name(program->in[c]) : name[c];
        int failed = jack_connect(program->client, from, to);
        if (failed && failed != EEXIST) {
            fprintf(stderr, "pass: %s cannot be connected to %s\n", from, to);
            return false;
        }
    }
    return true;
}

int
pass_run(struct pass_file *file, unsigned number, uint32_t frames)
{
    struct program program = {.file = file};
    char name[32];
    snprintf(name, sizeof(name), "pass%u", number);
    program.client = jack_client_open(name, JackNoStartServer, NULL);
    if (!program.client) {
        fprintf(stderr, "pass %u: no JACK server\n", number);
        return 1;
    }
    for (unsigned c = 0; c < 2; c++) {
        snprintf(name, sizeof(name), "in%u", c);
        program.in[c] =
            jack_port_register(program.client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        snprintf(name, sizeof(name), "out%u", c);
        program.out[c] =
            jack_port_register(program.client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        if (!program.in[c] || !program.out[c]) {
            fprintf(stderr, "pass %u: no port\n", number);
            return 1;
        }
    }
    if (jack_set_process_callback(program.client, process, &program) ||
        jack_get_buffer_size(program.client) != frames || jack_activate(program.client)) {
        fprintf(stderr, "pass %u: JACK does not call it with %u frames\n", number, frames);
        return 1;
    }
    if (!connect_to(&program, "PASS_SOURCES", true) || !connect_to(&program, "PASS_SINKS", false)) {
        return 1;
    }
    atomic_store(&file->ready, 1);
    char rest;
    while (read(STDIN_FILENO, &rest, 1) > 0) {
    }
    jack_client_close(program.client);
    return 0;
}
