/* SPDX-License-Identifier: MIT */
/*
 * Programs of the tests with real servers (JACK, PipeWire): each plays a ramp through the real
 * tuttid and looks for it in what it hears, bit by bit and frame by frame. Failures end the test.
 */
#ifndef TUTTI_TEST_GRAPH_HOST_H
#define TUTTI_TEST_GRAPH_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph_card.h"
#include "os/os.h"
#include "tutti/tutti.h"

enum { HOST_RATE_HZ = 48000, HOST_KEEP = 400, HOST_WAIT_MS = 60000 };

/* What a program saw of one block. */
struct seen {
    uint64_t position;
    uint32_t frame; /* 1 + JACK's at the first input, by the card's third channel; 0: broken */
    int64_t delay;  /* of its own ramp; HOST_NONE: not heard in one piece */
};
#define HOST_NONE INT64_MIN

struct host {
    struct tutti_client *client;
    uint32_t buffer, inputs;
    unsigned channel; /* that it plays on and hears */
    struct seen seen[HOST_KEEP];
    _Atomic uint32_t blocks, device_blocks; /* all; those with a device behind them */
    _Atomic uint32_t heard;                 /* blocks in which the ramp was heard */
    _Atomic uint32_t lost, back, latencies; /* events */
    _Atomic uint64_t position, generation;  /* of the last block */
    _Atomic uint32_t keep;                  /* device blocks are kept from this one on */
};

/** The engine that programs start; call first. */
void host_use_engine(const char *path);
/** Connects and starts a program that plays on a channel and hears the same one; with 2 inputs the
 * card's third, too. */
void host_run(struct host *host, uint32_t buffer, unsigned channel, unsigned inputs);
void host_close(struct host *host);
/** Closes what a test that failed has left open, and waits till the engine has left. False: it
 * stays. */
bool host_close_all(void);

uint64_t in_ms(uint64_t ms);
void await_at(const char *file, int line, const _Atomic uint32_t *counter, uint32_t count);
#define AWAIT(counter, count) await_at(__FILE__, __LINE__, (counter), (count))
#define AWAIT_MORE(counter, more) AWAIT((counter), atomic_load(counter) + (more))

/** The delay of most blocks must be the latency that was told. */
void expect_round_trip(struct host *host);
/** What the program plays must be on the card where it was promised. */
void expect_on_promised_frames(struct host *host, const struct graph_card *card);
/** The device behind the engine has this backend. */
void expect_backend(struct host *host, const char *backend);
/** Waits till the device's period is this one. */
void await_period(struct host *host, uint32_t period_frames);
/** Waits till the device is in this state ("lost"). */
void await_state(struct host *host, const char *state);

#endif
