/* SPDX-License-Identifier: MIT */
/*
 * bench_xruns FILE [PORT]: counts the xruns that a JACK server (or PipeWire, by its own libjack)
 * tells its clients of, in the first word of FILE, until standard input ends. PORT is what it
 * listens to: PipeWire tells only those who are in the graph of the device that lost time.
 */
#include <fcntl.h>
#include <jack/jack.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct xrun_file {
    _Atomic uint64_t count;
    _Atomic uint64_t ready;
};

static int
count_one(void *user)
{
    struct xrun_file *file = user;
    atomic_fetch_add_explicit(&file->count, 1, memory_order_relaxed);
    return 0;
}

static int
do_nothing(jack_nframes_t frames, void *user)
{
    (void)frames;
    (void)user;
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [PORT]\n", argv[0]);
        return 2;
    }
    int descriptor = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (descriptor < 0 || ftruncate(descriptor, sizeof(struct xrun_file)) != 0) {
        perror(argv[1]);
        return 1;
    }
    struct xrun_file *file =
        mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    jack_client_t *client = jack_client_open("xruns", JackNoStartServer, NULL);
    if (file == MAP_FAILED || !client || jack_set_xrun_callback(client, count_one, file)) {
        fprintf(stderr, "xruns: no JACK server\n");
        return 1;
    }
    jack_port_t *port = NULL;
    if (argc > 2) {
        port = jack_port_register(client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        jack_set_process_callback(client, do_nothing, NULL);
    }
    if (jack_activate(client) ||
        (port && jack_connect(client, argv[2], jack_port_name(port)) != 0)) {
        fprintf(stderr, "xruns: it cannot listen\n");
        return 1;
    }
    atomic_store(&file->ready, 1);
    char rest;
    while (read(STDIN_FILENO, &rest, 1) > 0) {
    }
    jack_client_close(client);
    return 0;
}
