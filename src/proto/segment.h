/* SPDX-License-Identifier: MIT */
/*
 * The shared segment of one program, and the words through which program and engine hand its halves
 * to each other.
 *
 * The program creates the segment, fills `fixed` and hands it to each engine it meets; the
 * addresses in it never change until it is disposed. Each word has one writer; everything in it is
 * hostile input to the other side: read once, checked, used.
 *
 * Layout: struct proto_segment (4096 bytes), then for each input channel half 0 and half 1, then
 * for each output channel half 0 and half 1. A half is buffer_frames float32 samples, padded to a
 * multiple of 64 bytes.
 */
#ifndef TUTTI_PROTO_SEGMENT_H
#define TUTTI_PROTO_SEGMENT_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tutti/status.h"

enum {
    PROTO_SEGMENT_MAGIC = 0x49545554, /* "TUTI" */
    PROTO_SEGMENT_HEADER_BYTES = 4096,
    PROTO_MAX_CHANNELS = 256, /* per direction */
    PROTO_MIN_BUFFER_FRAMES = 1,
    PROTO_MAX_BUFFER_FRAMES = 65536,
    PROTO_HALF_ALIGN_BYTES = 64,
};

/* What the engine tells with a call: written by the engine before it hands the half over. */
struct proto_stamp {
    uint32_t seq;             /* of the call; half = seq & 1 */
    uint32_t flags;           /* enum proto_stamp_flag */
    uint64_t position_frames; /* of the block's first frame, 0 at start */
    uint64_t
        time_ns; /* os_now_ns() scale: when the last frame of the block's input had been captured */
    uint64_t device_frames; /* the block's first input frame on the device's own timeline, common to
                               all programs */
    uint64_t generation;    /* of the engine: changes when another engine process took over */
    uint64_t reserved[3];
};
enum proto_stamp_flag {
    PROTO_STAMP_JUMPED = 1,     /* position jumped: blocks were missed */
    PROTO_STAMP_REPLACEMENT = 2 /* no device: the engine's own clock, silence */
};

/* What arm_done() left for the program to do when it hands a half back. */
enum proto_armed {
    PROTO_ARMED_NOT = 0, /* nothing: the engine does not wait for it */
    PROTO_ARMED_COUNT =
        1, /* take one from rendezvous.pending and wake the engine when that was the last */
    PROTO_ARMED_WAKE = 2, /* wake the engine at once (callbacks in bursts) */
};

struct proto_segment {
    /* Written by the program before it sends the segment; copied and checked once by the engine. */
    alignas(64) uint32_t magic;
    uint32_t header_bytes;
    uint64_t size_bytes;
    uint32_t buffer_frames;
    uint32_t inputs;
    uint32_t outputs;
    uint32_t reserved0;

    /* Written by the program while it runs. */
    alignas(64) _Atomic uint32_t
        run; /* 0 stopped; odd running, another value each start. After start_seq. */
    _Atomic uint32_t start_seq; /* seq of the first call after a start */
    _Atomic uint32_t begun_seq; /* the last call whose callback began */
    _Atomic uint32_t thread_id; /* of the callback thread, for demotion */
    _Atomic uint64_t begun_ns;  /* when that callback began */
    _Atomic uint64_t done_ns;   /* when the last block was handed back */
    /* that it was given above full scale and could not hold */
    _Atomic uint64_t clipped_samples;

    /* Written by both, see handoff.h. owner[h] = seq << 1 | 1 while the program owns half h, seq <<
     * 1 when handed back. */
    alignas(64) _Atomic uint32_t owner[2];
    _Atomic uint32_t armed; /* enum proto_armed: set by the engine, taken by exchange by either */

    /* Written by the engine. */
    alignas(64) _Atomic uint32_t
        doorbell; /* os_wake word of the program; also posted by the program itself to stop */
    alignas(64) struct proto_stamp stamp[2]; /* per half, covered by owner[] */

    /* Counters written by the engine for the program to show; never read back. */
    alignas(64) _Atomic uint64_t calls;
    _Atomic uint64_t late_program, late_device, late_machine; /* blocks left out, by cause */
    _Atomic uint64_t missed_frames;                           /* frames the position jumped over */
    _Atomic uint64_t gap_frames; /* of these: while the device reopened */
    /* Written by the program: until when it looks at meters (os_now_ns() scale). Here, because the
     * engine has this line at hand in each cycle. */
    _Atomic uint64_t meters_until_ns;

    /* Meters, by device channel: the engine raises a peak (float bits), the program takes it by
     * exchange. What is wrong here is wrong for this program's meters alone. */
    alignas(64) _Atomic uint32_t input_peak[PROTO_MAX_CHANNELS];
    _Atomic uint32_t output_peak[PROTO_MAX_CHANNELS];

    alignas(64) unsigned char pad[PROTO_SEGMENT_HEADER_BYTES - 64 * 7 - 8 * PROTO_MAX_CHANNELS];
};
static_assert(sizeof(struct proto_stamp) == 64, "stamp layout");
static_assert(offsetof(struct proto_segment, run) == 64, "segment layout");
static_assert(offsetof(struct proto_segment, clipped_samples) == 96, "segment layout");
static_assert(offsetof(struct proto_segment, owner) == 128, "segment layout");
static_assert(offsetof(struct proto_segment, doorbell) == 192, "segment layout");
static_assert(offsetof(struct proto_segment, stamp) == 256, "segment layout");
static_assert(offsetof(struct proto_segment, calls) == 384, "segment layout");
static_assert(offsetof(struct proto_segment, meters_until_ns) == 432, "segment layout");
static_assert(offsetof(struct proto_segment, input_peak) == 448, "segment layout");
static_assert(sizeof(struct proto_segment) == PROTO_SEGMENT_HEADER_BYTES, "segment layout");

/*
 * The engine's page that every program maps: only hints. pending counts the programs that the
 * engine waits for; the one that takes it to zero posts wake. The truth of "done" is each program's
 * own owner word, so a wrong count costs time and nothing else.
 */
struct proto_rendezvous {
    alignas(64) _Atomic uint32_t wake; /* os_wake word of the engine */
    alignas(64) _Atomic uint32_t pending;
    alignas(64) unsigned char pad[4096 - 128];
};
static_assert(sizeof(struct proto_rendezvous) == 4096, "rendezvous layout");

/* Sizes of a segment, derived from three numbers and nothing else. */
struct proto_layout {
    uint32_t buffer_frames, inputs, outputs;
    uint32_t half_bytes; /* one channel, one half, padded */
    uint64_t size_bytes; /* whole segment, rounded up to 64 KiB (Windows' granularity) */
};

/** Computes a layout. Errors: INVALID_ARGUMENT when a number is outside the limits above (0
 * channels in a direction are fine, not in both). */
enum tutti_status proto_layout_init(struct proto_layout *layout, uint32_t buffer_frames,
                                    uint32_t inputs, uint32_t outputs);
/** A half's samples. half: 0 or 1; channel < inputs (outputs). */
float *proto_input(const struct proto_layout *layout, void *segment, uint32_t channel,
                   unsigned half);
float *proto_output(const struct proto_layout *layout, void *segment, uint32_t channel,
                    unsigned half);

/** The program's side: writes `fixed` of a zeroed segment. */
void proto_segment_init(struct proto_segment *segment, const struct proto_layout *layout);

/** The engine's side: reads `fixed` once, checks every field against the mapped size and what the
 * PREPARE message said. Errors: PROTOCOL. */
enum tutti_status proto_segment_check(const struct proto_segment *segment, size_t mapped_bytes,
                                      const struct proto_layout *expected);

#endif
