/* SPDX-License-Identifier: MIT */
/*
 * tutti-host: a small ASIO host for tests. It finds a driver in the registry, creates it and runs
 * it as a digital audio workstation does, plays and records files, measures the round trip, and
 * reports what it saw. It knows nothing of Tutti but the public headers; finding drivers, sample
 * formats and the burst are those of `tutti conform` (src/conform/).
 *
 *   main.c     arguments and the order of things
 *   device.c   the driver: registry, COM, the calls of the main thread
 *   audio.c    the callbacks; everything they touch is struct audio
 *   wave.c     reads a file to play
 *   ping.c     a burst of noise and where it comes back
 *   writer.c   what callbacks saw, written to files by a thread of its own
 *   report.c   the final report
 */
#ifndef TUTTI_TESTS_HOST_H
#define TUTTI_TESTS_HOST_H

#include <windows.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ring.h"
#include "conform/burst.h"
#include "conform/find.h"
#include "conform/samples.h"
#include "tutti/asio.h"
#include "tutti/asio_tutti.h"

enum {
    HOST_CHANNELS = 64, /* per direction, that one run uses */
    HOST_ERRORS = 16,
    HOST_ERROR_BYTES = 200,
    HOST_INTERVALS = 200000, /* 1 us each; the last one: and longer */
    PING_EVERY = 24000,      /* frames from burst to burst */
    PING_KEPT = 512,         /* measurements that are reported one by one */
};

/* ---- arguments ---- */

struct options {
    const char *driver, *name;
    int32_t buffer; /* 0: preferred */
    double rate_hz; /* 0: as it is */
    const char *play, *record, *blocks, *json, *ready_file, *stop_file;
    int32_t play_channels[HOST_CHANNELS], record_channels[HOST_CHANNELS];
    unsigned play_channel_count, record_channel_count;
    int32_t ping; /* channel; -1: none */
    double seconds;
    uint64_t frames; /* 0: no such end */
    bool output_ready, restart_on_reset, progress, list, end_first_thread;
    double load_percent;
};

/* ---- errors, from any thread ---- */

struct errors {
    CRITICAL_SECTION lock;
    unsigned count; /* of all; the first HOST_ERRORS are kept */
    char text[HOST_ERRORS][HOST_ERROR_BYTES];
};
extern struct errors errors;
void errors_init(void);
/** Notes what went wrong; the exit status will say so. Not in the callback. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- wave.c ---- */

struct wave {
    float *samples; /* interleaved */
    uint32_t channels;
    uint64_t frames;
};
/** Reads RIFF with 16-bit or float32 samples. False: fail() told why. */
bool wave_read(struct wave *wave, const char *path);

/* ---- what a callback leaves for the writer ---- */

/* --blocks: one packed little-endian record per callback. */
#pragma pack(push, 1)
struct block_record {
    uint64_t index, position, device_frames, generation, time_ns, callback_begin_ns;
    uint32_t flags; /* enum tutti_asio_block_flag */
    uint32_t frames;
};
#pragma pack(pop)
static_assert(sizeof(struct block_record) == 56, "the format of --blocks");

/* ---- ping.c ---- */

/* Off the callback: the input of one period of PING_EVERY positions. */
struct ping {
    float burst[BURST_FRAMES];
    float *heard;  /* PING_EVERY long */
    uint64_t next; /* position expected next */
    bool whole;    /* this period has been heard from its beginning without a gap */
    bool begun;
    unsigned found, missed, interrupted;
    uint32_t min_frames, max_frames;
    uint64_t begin_device, begin_generation; /* where this period's burst began */
    struct {
        uint64_t generation, device_frames; /* of the burst */
        uint32_t frames;                    /* till it was heard */
    } kept[PING_KEPT];                      /* the first ones found */
};
void ping_init(struct ping *ping, int32_t channel);
/** What goes out at a position. Real time. */
float ping_sample(const struct ping *ping, uint64_t position);
/** One block of input. sound: neither silent nor after a jump. */
void ping_hear(struct ping *ping, const struct block_record *block, const float *samples,
               bool sound);
/** The last, broken period. */
void ping_end(struct ping *ping);

/* ---- audio.c ---- */

struct channel {
    int32_t number; /* of the device */
    int32_t type;
    void *buffers[2];
};

/* Everything the callbacks touch. */
struct audio {
    struct asio_driver *driver;
    const struct options *options;
    uint32_t frames;
    double rate_hz;
    struct channel input[HOST_CHANNELS], output[HOST_CHANNELS];
    unsigned inputs, outputs;
    int play_output[HOST_CHANNELS];  /* index in output of the i-th channel to play on */
    int record_input[HOST_CHANNELS]; /* index in input of the i-th channel to record */
    int ping_output, ping_input;     /* -1: none */
    unsigned plays, records;
    struct wave wave;
    struct ping ping;
    float *scratch;        /* frames long */
    unsigned char *record; /* one record of the ring */
    uint32_t record_bytes;
    struct ring ring; /* records: block_record, recorded samples interleaved, ping's input */
    uint64_t qpc_hz;
    uint64_t load_ns;
    bool has_blocks; /* the driver answers TUTTI_ASIO_GET_BLOCK */

    /* written by the callback, read by the main thread */
    _Atomic uint64_t callbacks, position, done_frames, begun_ns;
    _Atomic uint32_t silent, jumps, backwards, bad_index, lost_records;
    uint64_t expected_position, last_begin_ns;
    int32_t last_half; /* -1 after a start */
    uint64_t interval_max_ns;
    uint32_t intervals[HOST_INTERVALS];

    /* written by messages, on any thread */
    _Atomic uint32_t resets, resyncs, overloads, latency_changes, rate_changes;
    _Atomic bool reset_wanted;
};
extern struct audio audio;
extern const struct asio_callbacks audio_callbacks;

/** Allocates for this buffer size; before the driver may call. */
bool audio_prepare(uint32_t frames, double rate_hz);
/** Before each start: position 0 comes next. */
void audio_rewind(void);
uint64_t audio_now_ns(void);

/* ---- writer.c ---- */

bool writer_open(void);
/** All that was recorded is in the files. */
void writer_close(void);

/* ---- device.c ---- */

struct device {
    struct asio_driver *driver;
    char driver_name[ASIO_NAME_BYTES];
    int32_t inputs, outputs;
    int32_t buffer;
    double rate_hz;
    int32_t input_latency, output_latency;
};
/** Prints the drivers that a host of this bitness sees. */
void device_list(void);
/** From the registry to createBuffers. False: fail() told why. */
bool device_open(struct device *device, const struct options *options);
bool device_start(struct device *device);
/** stop, disposeBuffers, createBuffers, start. */
bool device_restart(struct device *device, const struct options *options);
void device_read_latencies(struct device *device);
void device_close(struct device *device);

/* ---- report.c ---- */

void report_write(const struct options *options, const struct device *device);

#endif
