/* SPDX-License-Identifier: MIT */
/*
 * libtutti: how a program plays and records through Tutti's engine, together with every other
 * program. The ASIO driver and the command line are built on it and on nothing else.
 *
 *     tutti_open -> tutti_prepare -> tutti_start -> callbacks… -> tutti_stop ->
 *     tutti_dispose -> tutti_close
 *
 * The engine starts by itself when the first program opens, and leaves some time after the last. If
 * it dies or hangs, the program's callbacks go on in silence, paced by this library, and sound
 * comes back when the next engine answers; buffer addresses never change between tutti_prepare()
 * and tutti_dispose(), and positions never go backward.
 *
 * Threads: a client's functions may be called on any thread but are serialised by the caller,
 * except where noted. Callbacks come on one real-time thread of the library per client, events on
 * another, ordinary one.
 */
#ifndef TUTTI_H
#define TUTTI_H

#include <stdbool.h>
#include <stdint.h>

#include "tutti/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __ELF__ /* the library is built with hidden names but these */
#pragma GCC visibility push(default)
#endif

struct tutti_client;

enum {
    TUTTI_NAME_BYTES = 64,
    TUTTI_PROFILE_BYTES = 32,
    TUTTI_TEXT_BYTES = 256,
    TUTTI_MAX_CHANNELS = 256, /* per direction */
    TUTTI_METERS = 32,
    TUTTI_MAX_RATES = 16,
    TUTTI_MAX_PATHS = 512,
    TUTTI_MAX_GAIN = 16, /* 24 dB */
};

/* ---- opening ---- */

/* What the engine tells of its device. Numbers are 0 while unknown (no engine, or device never
 * opened). */
struct tutti_device {
    char name[TUTTI_NAME_BYTES]; /* utf-8 */
    char backend[16];
    char format[32];   /* as negotiated, for people */
    const char *state; /* "closed", "opening", "running", "lost" */
    uint32_t inputs, outputs;
    uint32_t period_frames, period_min_frames, period_max_frames, period_step_frames;
    uint32_t input_latency_frames, output_latency_frames;
    double rate_hz;
    double rates_hz[TUTTI_MAX_RATES]; /* 0-terminated when fewer */
};

enum tutti_event_kind {
    TUTTI_EVENT_LATENCIES,   /* tutti_get_latencies() changed */
    TUTTI_EVENT_RATE,        /* the device runs at another rate, or is another one by the
                                configuration: dispose and prepare again */
    TUTTI_EVENT_GAP,         /* the device reopened: value frames lost */
    TUTTI_EVENT_OVERLOAD,    /* value blocks of this program came late, or times the device lost
                                frames */
    TUTTI_EVENT_DEVICE_LOST, /* callbacks go on in silence */
    TUTTI_EVENT_DEVICE_BACK,
    TUTTI_EVENT_ENGINE_LOST, /* likewise; another engine is being started */
    TUTTI_EVENT_ENGINE_BACK, /* sound again; latencies may have changed */
};

struct tutti_event {
    enum tutti_event_kind kind;
    uint64_t value;
    double rate_hz;
    const char *text; /* a sentence; borrowed for the call */
    uint64_t losses;  /* OVERLOAD: of the value, those that the device lost */
};

struct tutti_open_params {
    const char *program; /* shown to people; NULL: the executable's name */
    const char *profile; /* of the configuration, at most 31 bytes: its device and rate count for
                            this program; NULL or unknown to it: what counts for all */
    const char *engine_path; /* of tuttid; NULL: $TUTTI_ENGINE, else beside this module, else found
                                as installed, else in PATH */
    bool do_not_start;       /* only meet an engine that runs already: NO_ENGINE otherwise */
    /** Called on the client's event thread, one at a time; may call any function but tutti_close().
     * NULL: not given. */
    void (*event)(void *user, const struct tutti_event *event);
    void *user;
    char *error; /* TUTTI_TEXT_BYTES long, or NULL: when tutti_open() fails, a sentence that says
                    why and what to do */
};

/** Connects to the engine, starting it if needed (within 5 s; one that hangs is ended and replaced,
 * for 15 s in all). Opens no device. params may be NULL. Errors: NO_ENGINE, VERSION_MISMATCH,
 * REFUSED, NO_MEMORY. */
enum tutti_status tutti_open(struct tutti_client **client, const struct tutti_open_params *params);

/** Stops, disposes, disconnects, frees. NULL is fine. Not from a callback or event. */
void tutti_close(struct tutti_client *client);

/** The sentence of the last failed call of this client, with detail from the engine. Borrowed until
 * the next call. */
const char *tutti_last_error(const struct tutti_client *client);

/** What is known of the device; in *device strings are copies. Any thread. Errors: ENGINE_LOST (the
 * last known values are filled in). */
enum tutti_status tutti_get_device(struct tutti_client *client, struct tutti_device *device);

/** Asks for a sample rate. A device that only this client holds is reopened at once, while its
 * callbacks go on: GAP and RATE events follow. Errors: UNSUPPORTED_RATE, RATE_IN_USE (another
 * program holds the device), DEVICE_BUSY (as many devices play as can), INVALID_STATE (within a
 * callback), those of opening. */
enum tutti_status tutti_set_rate(struct tutti_client *client, double rate_hz);

/** What tutti_set_rate() would answer now; changes nothing. text: why not, for people. Any thread.
 * Errors: as there, and ENGINE_LOST, TIMEOUT. */
enum tutti_status tutti_can_rate(struct tutti_client *client, double rate_hz,
                                 char text[TUTTI_TEXT_BYTES]);

/* ---- streaming ---- */

enum tutti_channel_kind {
    TUTTI_CHANNEL_DEVICE, /* a device channel */
    TUTTI_CHANNEL_MIX, /* input only: what everybody plays on that device output, one block ago */
    TUTTI_CHANNEL_PROGRAM, /* input only: an output channel of another program, one block ago; on
                              another device some milliseconds ago, resampled */
    TUTTI_CHANNEL_NONE,    /* silence */
};

struct tutti_channel {
    enum tutti_channel_kind kind;
    uint32_t channel;
    uint32_t program; /* TUTTI_CHANNEL_PROGRAM: program_id as tutti_get_status() shows it */
};

/* One call. Filled by the library, valid for the call. */
struct tutti_block {
    unsigned half; /* 0 or 1, alternating: which half of each channel's buffer */
    uint32_t frames;
    uint64_t position_frames; /* of the block's first frame; 0 first; grows by frames, jumps after a
                                 loss, never back */
    uint64_t time_ns; /* tutti_now_ns() scale: when the block's last input frame had been captured;
                         smooth */
    uint64_t device_frames; /* the block's first input frame on the device's timeline, common to all
                               programs of one generation */
    uint64_t generation;    /* of the engine; 0: no engine, the library paces in silence */
    bool jumped;            /* frames were lost before this block */
    bool silent;            /* no device behind this block: inputs are zero, outputs are dropped */
};

struct tutti_stream_params {
    uint32_t buffer_frames;             /* 1..8192 */
    uint32_t inputs, outputs;           /* channels of this program, not both 0 */
    const struct tutti_channel *input;  /* inputs long; NULL: device channels 0.. */
    const struct tutti_channel *output; /* outputs long; NULL: device channels 0.. */
    bool late_take; /* a block is complete when the next call has returned (+1 buffer of latency) */
    bool tight;     /* buffers above the device's period answer within one period */
    bool exact;     /* samples are 24-bit words (value / 2^23) that must reach the device unchanged:
                       it plays nobody else meanwhile */
    bool prefilled; /* what half 1 of the outputs holds at tutti_start() is played, directly before
                       the first block; halves are zeroed after a stop and not at the start */
    /** The block: read input half, fill output half, return. Real-time thread. */
    void (*process)(void *user, const struct tutti_block *block);
    void *user;
};

/** Allocates the double buffers (zeroed) and joins the device, opening it if nobody has. Errors:
 * INVALID_ARGUMENT, INVALID_STATE, NO_DEVICE, DEVICE_BUSY (or another program plays and one of the
 * two is exact), UNSUPPORTED_FORMAT (or too short for what is exact), UNSUPPORTED_RATE, FULL,
 * ENGINE_LOST, NO_MEMORY. */
enum tutti_status tutti_prepare(struct tutti_client *client,
                                const struct tutti_stream_params *params);

/** A channel's buffer: buffer_frames float32 samples, 64-byte aligned, in shared memory; the same
 * address until tutti_dispose(). NULL when out of range or not prepared. half: 0 or 1. */
float *tutti_input(struct tutti_client *client, uint32_t channel, unsigned half);
float *tutti_output(struct tutti_client *client, uint32_t channel, unsigned half);

/** Latencies of this program, in frames: input, from a block's first input frame at the converter
 * to the block's time stamp; output, from the time stamp to the block's first output frame at the
 * converter. Their sum is the round trip. Errors: INVALID_STATE. */
enum tutti_status tutti_get_latencies(struct tutti_client *client, uint32_t *input_frames,
                                      uint32_t *output_frames);

/** The latencies that tutti_prepare() would bring now with these parameters, of which
 * buffer_frames, late_take, tight and exact count; opens nothing. A device that was never opened
 * has not reported its own: they are guessed. Any thread. Errors: INVALID_ARGUMENT, ENGINE_LOST,
 * TIMEOUT. */
enum tutti_status tutti_forecast_latencies(struct tutti_client *client,
                                           const struct tutti_stream_params *params,
                                           uint32_t *input_frames, uint32_t *output_frames);

/** Starts callbacks: position 0, half 0 first, both halves zeroed (but see `prefilled`). Errors:
 * INVALID_STATE, NO_MEMORY. */
enum tutti_status tutti_start(struct tutti_client *client);

/** Ends callbacks: none comes after it returns. From within process(): takes effect when that
 * returns. With `prefilled` it waits for one block more, and then the halves are zero. */
enum tutti_status tutti_stop(struct tutti_client *client);

/** Frees the buffers and leaves the device. Implies stop. Errors: INVALID_STATE when there is
 * nothing prepared. */
enum tutti_status tutti_dispose(struct tutti_client *client);

/** The block is complete: its output may be taken now, before process() returns or after, from any
 * thread. Once a client has called it since tutti_start(), process()'s return no longer completes a
 * block. Real time. */
void tutti_block_ready(struct tutti_client *client);

/** The last block's position and time stamp, as one pair. Any thread. Errors: INVALID_STATE when
 * not running or before the first block. */
enum tutti_status tutti_get_position(struct tutti_client *client, struct tutti_block *block);

/** Monotonic time in ns, the scale of the stamps. Real time. */
uint64_t tutti_now_ns(void);

/* ---- the direct monitor ---- */

/* From a device input to a device output within the engine: what the device brings in a period is
 * added to what it takes in the same one, whether the program runs, is stopped or late. */
struct tutti_path {
    uint32_t input, output; /* device channels */
    float gain;             /* 0 to TUTTI_MAX_GAIN, linear; with 1 samples pass bit for bit */
};

/* All that a client wants of it. Gains are by device channel, TUTTI_MAX_CHANNELS of them, as in
 * tutti_path; NULL: all 1. They count for what this program hears and plays, and for its paths that
 * begin or end there. */
struct tutti_monitor {
    const struct tutti_path *path;
    uint32_t paths; /* up to TUTTI_MAX_PATHS; of two with the same ends the first counts */
    const float *input_gain, *output_gain;
};

/** Asks for a direct monitor in place of the one before; NULL: for none. It acts while the client
 * is prepared, goes with it, and is sent to each engine again. Gains change within 5 ms, without a
 * click. Any thread; waits for the engine's answer. Errors: INVALID_ARGUMENT, NO_MEMORY (all stays
 * as it was), TIMEOUT. That no engine is there is no error. */
enum tutti_status tutti_set_monitor(struct tutti_client *client,
                                    const struct tutti_monitor *monitor);

/** The peak of a device channel since it was last asked for, full scale 1: of an input as this
 * program hears it, of an output as this program and its paths play it. The first question starts
 * the measuring, which ends two seconds after the last. 0 when nothing is prepared. Any thread, not
 * real time. */
float tutti_take_peak(struct tutti_client *client, bool input, uint32_t channel);

/** For a program whose own samples end at full scale: so many of its input were above and were
 * clipped. Shown by tutti_get_status() until the buffers are disposed. Within process() only; real
 * time. */
void tutti_count_clipped(struct tutti_client *client, uint32_t samples);

/* ---- watching ---- */

struct tutti_program_status {
    char name[TUTTI_NAME_BYTES];
    char profile[TUTTI_PROFILE_BYTES]; /* "": none */
    const char *state;                 /* "connected", "prepared", "running", "late", "gone" */
    uint32_t program_id, pid, bits;
    uint32_t buffer_frames, inputs, outputs;
    uint32_t input_latency_frames, output_latency_frames;
    uint32_t lateness_p50_us, lateness_p99_us, lateness_max_us; /* from call to done */
    uint64_t calls, late_program, late_device, late_machine, missed_frames, gap_frames;
    float input_peak[TUTTI_METERS],
        output_peak[TUTTI_METERS]; /* since last asked, full scale 1.0 */
    uint32_t monitor_paths;        /* of its direct monitor that are open */
    uint64_t clipped_samples;      /* that it said it could not hold, see tutti_count_clipped() */
    uint32_t device_index;         /* of the status's devices[]; not below device_count: none */
};

enum { TUTTI_MAX_DEVICES = 8 }; /* open at once */

/* A device that programs play through. */
struct tutti_device_status {
    struct tutti_device device;
    uint64_t cycles, xruns, reopenings, gap_frames, engine_overruns;
    uint32_t cycle_p50_us, cycle_p99_us; /* from a cycle's start to its output */
};

struct tutti_engine_status {
    uint32_t engine_pid;
    uint64_t generation, uptime_ns;
    /* Of `device`: the first one that is in use, else the one that would be opened. */
    uint64_t cycles, device_xruns, reopenings, gap_frames, engine_overruns;
    uint32_t cycle_p50_us, cycle_p99_us;
    struct tutti_device device;
    uint32_t program_count;         /* as many as *programs holds */
    char problem[TUTTI_TEXT_BYTES]; /* the first mistake in the configuration, by file and line,
                                       with the value that stays; else why the null device
                                       is used, when there is no other; "": none */
    uint32_t device_count;          /* of devices[]: all that are open */
    struct tutti_device_status devices[TUTTI_MAX_DEVICES];
};

/** Asks the engine. *programs: an array owned by the caller, freed with tutti_free(). Errors:
 * ENGINE_LOST, TIMEOUT, NO_MEMORY. */
enum tutti_status tutti_get_status(struct tutti_client *client, struct tutti_engine_status *status,
                                   struct tutti_program_status **programs);

struct tutti_device_entry {
    char name[TUTTI_NAME_BYTES];
    char backend[16];
    uint32_t inputs, outputs;
    bool is_default;
};
/** Lists the devices of all backends of the engine. *devices: freed with tutti_free(). Errors: as
 * above. */
enum tutti_status tutti_get_devices(struct tutti_client *client,
                                    struct tutti_device_entry **devices, uint32_t *count);

/** Asks the engine to end now; programs start another. Errors: ENGINE_LOST. */
enum tutti_status tutti_ask_engine_to_leave(struct tutti_client *client);

void tutti_free(void *memory);

#ifdef __ELF__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
