/* SPDX-License-Identifier: MIT */
/*
 * A program of the ALSA tests: it plays a ramp on one channel of the device through a real engine,
 * and hears the same channel.
 */
#ifndef TUTTI_TEST_ALSA_HOST_H
#define TUTTI_TEST_ALSA_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "tutti/tutti.h"

enum { HOST_RATE_HZ = 48000, HOST_KEEP = 400 };
#define HOST_NONE INT64_MIN

struct host {
    struct tutti_client *client; /* NULL: closed */
    uint32_t buffer;
    int64_t delay[HOST_KEEP];               /* of its own ramp, per block; HOST_NONE: broken */
    _Atomic uint32_t blocks, device_blocks; /* all; those with a device behind them */
    _Atomic uint32_t heard;                 /* blocks in which the ramp was heard */
    _Atomic uint32_t lost, back;            /* events */
    _Atomic uint64_t position, generation;  /* of the last block */
    _Atomic uint32_t keep;                  /* device blocks are kept from this one on */
};

/** A runtime folder of the test's own; tuttid: the engine's path, borrowed for ever. */
void host_environment(const char *tuttid);
/** Significant bits of what is played from now on: 16 or 24. */
void host_set_bits(unsigned bits);
/** Starts a program with this buffer on one channel each way; it must succeed. */
void host_run(struct host *host, uint32_t buffer, unsigned channel);
/** A closed one is fine. */
void host_close(struct host *host);
/** Waits until the engine has left; false: it does not. */
bool host_await_end(void);
uint32_t host_told_latency(struct host *host);
struct tutti_engine_status host_status(struct host *host);
/** The delay of most blocks of a second must be the latency that was told. */
void host_expect_round_trip(struct host *host);

/** Waits until a counter has reached a value. */
void host_await(const char *file, int line, const _Atomic uint32_t *counter, uint32_t count);
#define AWAIT(counter, count) host_await(__FILE__, __LINE__, (counter), (count))
#define AWAIT_MORE(counter, more) AWAIT((counter), atomic_load(counter) + (more))

#endif
