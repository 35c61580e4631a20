/* SPDX-License-Identifier: MIT */
/*
 * The host that tests of libtutti open: it notes every block and event, and behaves as told. Each
 * await function fails the test when what it waits for does not come.
 */
#ifndef TUTTI_TESTS_CLIENT_HOST_H
#define TUTTI_TESTS_CLIENT_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "fake_engine.h"
#include "tutti/tutti.h"

enum {
    FRAMES = 64,
    /* at the fake's 48 kHz two of these are 2.7 s: no block is taken because ready was forgotten */
    LONG_FRAMES = 65536,
    BLOCKS = 4096,
    EVENTS = 64,
    WAIT_MS = 20000,
};

/* What the host saw, and how it behaves. */
struct host {
    struct tutti_client *client;
    struct os_mutex lock;
    struct os_cond changed;
    /* guarded by lock */
    struct tutti_block block[BLOCKS];
    float input[BLOCKS]; /* first sample of channel 0 */
    unsigned blocks, events;
    unsigned returns; /* of process() */
    enum tutti_event_kind event[EVENTS];
    uint64_t event_value[EVENTS];
    bool hold;   /* process() stays within until this is false */
    bool within; /* it is there */
    /* before start */
    bool reads_input, writes_output;
    unsigned ready_calls; /* the first so many blocks say ready, at their begin */
    unsigned stop_at;     /* this block (from 1) stops the client; 0: none */
    bool reprepare;       /* an ENGINE_BACK or LATENCIES event disposes and prepares again */
    enum tutti_status reprepared;
};

uint64_t in_ms(uint64_t ms);

/** Opens and closes the client; the fake engine runs already. */
void host_open(struct host *host);
void host_close(struct host *host);
/** One input, two outputs. Valid until the next call. */
const struct tutti_stream_params *stream_of(struct host *host, uint32_t frames);
/** process() stays within its call until this is false. */
void set_hold(struct host *host, bool hold);

void await_blocks(struct host *host, unsigned count);
/** Waits until so many calls have returned. */
void await_returns(struct host *host, unsigned count);
/** Waits until the host holds on within a call. */
void await_within(struct host *host);
void await_flag(_Atomic bool *flag);
/** Waits for an event of this kind; its place in the list. */
unsigned await_event(struct host *host, enum tutti_event_kind kind);

unsigned blocks_so_far(struct host *host);
struct tutti_block block_at(struct host *host, unsigned n);
/** Positions grow by whole blocks, halves alternate, time does not go back: from block `first` to
 * `last`. */
void assert_goes_on(struct host *host, unsigned first, unsigned last, uint32_t frames);

/** Group setup: a runtime folder of this process alone. */
int client_host_own_folder(void **state);

#endif
