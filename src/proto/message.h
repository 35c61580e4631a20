/* SPDX-License-Identifier: MIT */
/*
 * The messages of the control link. Fixed width, little endian, the same bytes from 32- and 64-bit
 * programs; a message is one struct. Requests carry a serial that the answer repeats; events carry
 * serial 0.
 *
 * program                         engine
 *   HELLO                    ->
 *                            <-    WELCOME            | ERROR VERSION_MISMATCH
 *   PREPARE + segment, event ->
 *                            <-    PREPARED + rendezvous, event | ERROR
 *   (start and stop are words of the segment)
 *   DISPOSE                  ->    OK
 *   SET_RATE                 ->    OK | ERROR
 *   STATUS                   ->    STATUS_REPLY
 *   DEVICES                  ->    DEVICES_REPLY
 *   LEAVE                    ->    OK, then the engine ends
 *   MONITOR                  ->    OK
 *   CAN_RATE                 ->    OK | ERROR, as SET_RATE would answer now
 *   FORECAST                 ->    FORECAST_REPLY
 *                            <-    EVENT (any time after WELCOME)
 */
#ifndef TUTTI_PROTO_MESSAGE_H
#define TUTTI_PROTO_MESSAGE_H

#include <assert.h>
#include <stdint.h>

#include "proto/fields.h"
#include "proto/segment.h"
#include "tutti/status.h"

enum {
    PROTO_NAME_BYTES = 64, /* utf-8, zero-terminated */
    PROTO_PROFILE_BYTES = 32,
    PROTO_TEXT_BYTES = 256,
    PROTO_STATUS_PROGRAMS = 32, /* per STATUS_REPLY */
    PROTO_STATUS_METERS = 32,
    PROTO_STATUS_DEVICES = 8, /* open at once */
    PROTO_DEVICE_ENTRIES = 64,
    PROTO_MAX_LATENCY_FRAMES = 1 << 24,
    PROTO_MAX_RATE_HZ = 10000000,
    PROTO_MAX_PATHS = 512,
    PROTO_MAX_GAIN = 16, /* 24 dB */
};

/* The protocol's versions. An engine serves programs of every version from `oldest` on, in theirs:
 * a version may append fields and types, and changes nothing. In a file of its own (version.c), so
 * that tests can link programs and engines of other versions. */
struct proto_versions {
    uint16_t spoken; /* this code's */
    uint16_t oldest; /* still served by this engine */
};
extern const struct proto_versions proto_versions;

/* X(name, struct of its body, direction: P from the program, E from the engine) */
#define PROTO_MESSAGE_TABLE(X)                                                                     \
    X(HELLO, proto_hello, P)                                                                       \
    X(WELCOME, proto_welcome, E)                                                                   \
    X(PREPARE, proto_prepare, P)                                                                   \
    X(PREPARED, proto_prepared, E)                                                                 \
    X(DISPOSE, proto_empty, P)                                                                     \
    X(SET_RATE, proto_set_rate, P)                                                                 \
    X(STATUS, proto_status, P)                                                                     \
    X(STATUS_REPLY, proto_status_reply, E)                                                         \
    X(DEVICES, proto_empty, P)                                                                     \
    X(DEVICES_REPLY, proto_devices_reply, E)                                                       \
    X(LEAVE, proto_empty, P)                                                                       \
    X(OK, proto_empty, E)                                                                          \
    X(ERROR, proto_error, E)                                                                       \
    X(EVENT, proto_event, E)                                                                       \
    X(MONITOR, proto_monitor, P)                                                                   \
    X(CAN_RATE, proto_set_rate, P)                                                                 \
    X(FORECAST, proto_forecast, P)                                                                 \
    X(FORECAST_REPLY, proto_forecast_reply, E)

enum proto_type {
    PROTO_NONE,
#define PROTO_TYPE_ENUM(name, body, direction) PROTO_##name,
    PROTO_MESSAGE_TABLE(PROTO_TYPE_ENUM)
#undef PROTO_TYPE_ENUM
        PROTO_TYPE_COUNT
};

struct proto_header {
    uint32_t size_bytes; /* of the whole message */
    uint16_t type;       /* enum proto_type */
    uint16_t version;    /* that the two speak: what the HELLO said, if the engine knows it */
    uint32_t serial;     /* of the request; 0 for an event */
    uint32_t reserved;
};

struct proto_empty {
    struct proto_header header;
};

struct proto_hello {
    struct proto_header header;
    uint32_t oldest_version; /* that this program understands */
    uint32_t bits;           /* 32 or 64 */
    char program[PROTO_NAME_BYTES];
    /* The process whose threads do the work, where another speaks for it (a bridge, for a program
     * under Wine); 0: the one that sends this. */
    uint32_t host_pid;
    uint32_t reserved;
    char profile[PROTO_PROFILE_BYTES]; /* of the configuration, for this program; "": none */
};

/* What the engine knows of its device, open or not; numbers are 0 while unknown. */
struct proto_device {
    DEVICE_FIELDS(FIELD_MEMBER)
};
enum proto_stream_state {
    PROTO_STREAM_CLOSED,
    PROTO_STREAM_OPENING,
    PROTO_STREAM_RUNNING,
    PROTO_STREAM_LOST,
    PROTO_STREAM_STATE_COUNT
};

struct proto_welcome {
    struct proto_header header;
    uint32_t engine_pid;
    uint32_t program_id; /* in STATUS_REPLY and as a route's source */
    uint64_t generation; /* of this engine process: unique, never 0 */
    char engine_version[16];
    struct proto_device device;
};

/* Where an input channel's samples come from, or where an output channel's go. */
struct proto_channel {
    uint16_t kind;    /* enum proto_channel_kind */
    uint16_t channel; /* index there */
    uint32_t program; /* PROTO_CHANNEL_PROGRAM: program_id of the source */
};
enum proto_channel_kind {
    PROTO_CHANNEL_DEVICE, /* input or output of the device */
    PROTO_CHANNEL_MIX, /* input only: what the engine mixed for that device output, one block ago */
    PROTO_CHANNEL_PROGRAM, /* input only: an output channel of another program, one block ago */
    PROTO_CHANNEL_NONE,    /* silence; goes nowhere */
    PROTO_CHANNEL_KIND_COUNT
};

enum proto_prepare_flag {
    PROTO_PREPARE_LATE_TAKE =
        1,                   /* a block is complete when the next call returns: one buffer more */
    PROTO_PREPARE_TIGHT = 2, /* buffers above the period answer within one period */
    /* Outputs are 24-bit words that mean something only as they are: the program has the device
     * alone, and only one that stores such words unchanged. */
    PROTO_PREPARE_EXACT = 4,
};

/* handles: segment, doorbell event (Windows) */
struct proto_prepare {
    struct proto_header header;
    uint32_t buffer_frames, inputs, outputs;
    uint32_t flags; /* enum proto_prepare_flag */
    /* > 0: latencies to keep if possible (a program that meets a new engine); 0: the engine's
     * choice */
    uint32_t wanted_input_latency_frames, wanted_output_latency_frames;
    struct proto_channel input[PROTO_MAX_CHANNELS]; /* the first `inputs` count */
    struct proto_channel output[PROTO_MAX_CHANNELS];
};

/* handles: rendezvous, engine's event (Windows) */
struct proto_prepared {
    struct proto_header header;
    uint32_t input_latency_frames;  /* from a block's first input frame in the air to the block's
                                       time stamp */
    uint32_t output_latency_frames; /* from the time stamp to the block's first output frame in the
                                       air */
    uint32_t
        patience_ms; /* the program may take the engine for dead after this long without a call */
    uint32_t reserved;
    struct proto_device device;
};

struct proto_set_rate {
    struct proto_header header;
    double rate_hz;
};
/* What PREPARE would answer now to a program with such buffers. */
struct proto_forecast {
    struct proto_header header;
    uint32_t buffer_frames;
    uint32_t flags; /* enum proto_prepare_flag */
};
struct proto_forecast_reply {
    struct proto_header header;
    uint32_t input_latency_frames, output_latency_frames;
};

struct proto_status {
    struct proto_header header;
    uint32_t first_program; /* index to go on from */
    uint32_t reserved;
};

struct proto_program_status {
    CLIENT_STATUS_FIELDS(FIELD_MEMBER)
};
enum proto_program_state {
    PROTO_PROGRAM_CONNECTED,
    PROTO_PROGRAM_PREPARED,
    PROTO_PROGRAM_RUNNING,
    PROTO_PROGRAM_LATE,
    PROTO_PROGRAM_GONE,
    PROTO_PROGRAM_STATE_COUNT
};

/* A device that is open, or was when it was lost. */
struct proto_device_status {
    struct proto_device device;
    uint64_t cycles, xruns, reopenings, gap_frames, engine_overruns;
    uint32_t cycle_p50_us, cycle_p99_us; /* cycle start to mixed */
};

struct proto_status_reply {
    struct proto_header header;
    uint32_t engine_pid;
    uint32_t program_count;       /* in all */
    uint32_t first_program, here; /* of them, in this reply */
    uint64_t generation;
    uint64_t cycles, device_xruns, reopenings, gap_frames, engine_overruns;
    uint64_t uptime_ns;
    uint32_t cycle_p50_us, cycle_p99_us; /* cycle start to mixed */
    struct proto_device device;
    struct proto_program_status program[PROTO_STATUS_PROGRAMS];
    char problem[PROTO_TEXT_BYTES]; /* the first mistake in the configuration, else why the null
                                       device is used; "": none */
    struct proto_device own_device; /* that the asking program plays through, or would */
    uint32_t monitor_paths[PROTO_STATUS_PROGRAMS]; /* of the direct monitor, of program[] each */
    /* How long the present step of opening, changing or closing the device has taken; 0: none is
     * under way. The engine's own clock runs cycles meanwhile. */
    uint32_t opening_ms;
    uint32_t reserved;
    uint64_t clipped_samples[PROTO_STATUS_PROGRAMS]; /* that program[] each could not hold */
    uint32_t device_count, reserved2;                /* of open_device[] */
    struct proto_device_status open_device[PROTO_STATUS_DEVICES];
    /* Which of them program[] each plays through; device_count: none */
    uint32_t device_index[PROTO_STATUS_PROGRAMS];
};

struct proto_device_entry {
    char name[PROTO_NAME_BYTES];
    char backend[16];
    uint32_t inputs, outputs;
    uint32_t is_default;
    uint32_t reserved;
};
struct proto_devices_reply {
    struct proto_header header;
    uint32_t count, reserved;
    struct proto_device_entry device[PROTO_DEVICE_ENTRIES];
};

struct proto_error {
    struct proto_header header;
    uint32_t status; /* enum tutti_status */
    uint32_t reserved;
    char text[PROTO_TEXT_BYTES]; /* what happened and what to do */
};

struct proto_event {
    struct proto_header header;
    uint32_t kind;   /* enum proto_event_kind */
    uint32_t losses; /* OVERLOAD: of the value, those that the device lost */
    uint64_t value;
    double rate_hz;
    uint32_t input_latency_frames, output_latency_frames;
    char text[PROTO_TEXT_BYTES];
};
enum proto_event_kind {
    PROTO_EVENT_LATENCIES, /* the two numbers changed */
    PROTO_EVENT_RATE,      /* the device runs at rate_hz now, or is another one: prepare again */
    PROTO_EVENT_GAP,       /* the device reopened; value frames were lost */
    PROTO_EVENT_OVERLOAD,  /* since the last such event so many of this program's blocks came late,
                              or times the device lost frames: value in all */
    PROTO_EVENT_DEVICE_LOST,
    PROTO_EVENT_DEVICE_BACK,
    PROTO_EVENT_TIMEOUT, /* PREPARED's patience_ms is value now */
    PROTO_EVENT_KIND_COUNT
};

/* From a device input to a device output within the engine, past the program. */
struct proto_path {
    uint16_t input, output;
    float gain; /* 0 to PROTO_MAX_GAIN, linear */
};

/* All that a program wants of the direct monitor; each message replaces the one before. Gains are
 * by device channel: of what the program hears and plays, and of the paths that begin and end
 * there. */
struct proto_monitor {
    struct proto_header header;
    uint32_t count, reserved;
    struct proto_path path[PROTO_MAX_PATHS]; /* the first `count` count */
    float input_gain[PROTO_MAX_CHANNELS], output_gain[PROTO_MAX_CHANNELS];
};

static_assert(sizeof(struct proto_header) == 16, "message layout");
static_assert(sizeof(struct proto_channel) == 8, "message layout");
static_assert(sizeof(struct proto_hello) == 128, "message layout");
static_assert(sizeof(struct proto_prepare) == 40 + 2 * 8 * PROTO_MAX_CHANNELS, "message layout");
static_assert(sizeof(struct proto_device) == 288, "message layout");
static_assert(sizeof(struct proto_program_status) == 448, "message layout");
static_assert(sizeof(struct proto_event) == 304, "message layout");
static_assert(sizeof(struct proto_monitor) == 24 + 8 * PROTO_MAX_PATHS + 8 * PROTO_MAX_CHANNELS,
              "message layout");

/** Fills a header: size and type from the struct's table row. */
void proto_header_init(struct proto_header *header, enum proto_type type, uint32_t serial);

/** Bytes of a message of this type; 0 for an unknown one. */
uint32_t proto_size(enum proto_type type);

/** Name such as "PREPARE"; "?" for an unknown type. */
const char *proto_type_name(unsigned type);

/** Checks a received message as a whole: size, type, direction (from_program), every enum, count,
 * string terminator, rate and channel of its body within its limits. Errors: PROTOCOL (why points
 * to a static text that says which field), VERSION_MISMATCH (only the header was looked at). After
 * OK every field may be used without another check but of what depends on the receiver's state. */
enum tutti_status proto_check(const void *message, size_t message_bytes, bool from_program,
                              const char **why);

#endif
