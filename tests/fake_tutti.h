/* SPDX-License-Identifier: MIT */
/*
 * libtutti's functions without an engine, for tests of the driver alone: the test sets what they
 * answer, makes every block itself, and sees what the driver asked for. Threads are as in the real
 * one: blocks come on a thread of each client, stop from another thread waits for the block, stop
 * from within it does not.
 */
#ifndef TUTTI_TESTS_FAKE_TUTTI_H
#define TUTTI_TESTS_FAKE_TUTTI_H

#include <windows.h>

#include "tutti/tutti.h"

enum { FAKE_RATE_HZ = 48000 };

struct tutti_client {
    struct tutti_open_params open;
    struct tutti_stream_params stream;
    struct tutti_channel input[TUTTI_MAX_CHANNELS], output[TUTTI_MAX_CHANNELS];
    float *memory; /* NULL: not prepared */
    HANDLE thread, due, done;
    volatile LONG stop, blocks;
    bool running;
    struct tutti_block next;
    unsigned ready, starts, stops, disposes; /* calls seen */
    uint32_t clipped;                        /* as counted */
    volatile LONG monitors;                  /* likewise */
    struct tutti_path path[TUTTI_MAX_PATHS]; /* of the last monitor, and its gains */
    uint32_t paths;
    float input_gain[TUTTI_MAX_CHANNELS], output_gain[TUTTI_MAX_CHANNELS];
    float input_peak[TUTTI_MAX_CHANNELS], output_peak[TUTTI_MAX_CHANNELS]; /* to answer */
};

/* What the functions answer and saw; reset by fake_tutti_reset(). */
struct fake_tutti {
    enum tutti_status open_status, prepare_status, start_status, rate_status;
    struct tutti_device device;
    uint32_t input_latency, output_latency;
    unsigned opens, closes;
    double asked_rate;
    uint64_t event_value;      /* of the next events */
    uint64_t event_losses;     /* likewise */
    bool forecasts;            /* it answers; else the engine is lost */
    struct tutti_client *last; /* opened last */
};
extern struct fake_tutti fake_tutti;

void fake_tutti_reset(void);
/** One block on the client's thread; returns when process() did, or at once when nothing runs. */
void fake_tutti_block(struct tutti_client *client);
/** Begins a block and does not wait for it; fake_tutti_wait() does. */
void fake_tutti_begin(struct tutti_client *client);
void fake_tutti_wait(struct tutti_client *client);
/** Delivers an event, on the caller's thread. */
void fake_tutti_event(struct tutti_client *client, enum tutti_event_kind kind, double rate_hz);

#endif
