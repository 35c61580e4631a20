/* SPDX-License-Identifier: MIT */
/*
 * A test rig: the engine in this process on the stepped virtual card, with programs that are
 * simulated event by event at virtual time. Each program speaks the real protocol over a real
 * segment; only its thread is the rig. What it plays and hears is checked against the air of the
 * card, sample by sample, from what it was told alone: stamps and latencies.
 */
#ifndef TUTTI_TEST_RIG_H
#define TUTTI_TEST_RIG_H

#include "backend/sim/sim.h"
#include "engine/engine.h"
#include "proto/handoff.h"

enum { RIG_MAX_PROGRAMS = 80, RIG_MAX_CARDS = 4, RIG_NEVER = -1 };
#define RIG_START_NS UINT64_C(1000000000000)

struct rig;

struct rig_program {
    struct rig *rig;
    uint32_t id, index;
    struct os_shm shm;
    struct os_wake doorbell;
    struct proto_layout layout;
    struct proto_segment *segment;
    struct proto_channel input[PROTO_MAX_CHANNELS], output[PROTO_MAX_CHANNELS]; /* as prepared */
    uint32_t input_latency, output_latency; /* as reported last */
    uint32_t input_delay; /* of them, what the engine adds to the device's input latency */
    struct proto_prepared answer;
    struct os_shm page; /* of the mix that it plays in */
    struct proto_rendezvous *rendezvous;
    struct os_wake engine_wake;

    /* behaviour, set by the test at any time */
    int64_t cost_ns;   /* from call to done; RIG_NEVER: hangs */
    bool late_take;    /* hands a half back when the next call returns */
    bool never_starts; /* does not even begin: a stopped process */
    /* Called when a call is answered; may change the behaviour. NULL: nothing. */
    void (*on_block)(struct rig_program *program, const struct proto_stamp *stamp);

    /* state */
    bool running, busy;
    uint32_t next_seq;
    uint64_t busy_until_ns;
    uint64_t origin_frame; /* device frame of position 0 */
    bool has_origin;
    uint64_t next_position; /* expected with the next stamp */

    /* findings */
    uint64_t blocks, jumps, wrong_inputs, wrong_stamps;
    uint64_t silent_before_frame; /* inputs before this device frame are not checked */
};

/* The air of one card: what it played is compared with what the programs on it played. */
struct rig_air {
    struct rig *rig;
    char name[PROTO_NAME_BYTES];
    int64_t frame_offset; /* device frame of the card + offset = engine frame */
    uint64_t output_frames, wrong_outputs;
};

struct rig {
    struct config config;
    struct engine *engine;
    os_handle doorbell;           /* a pipe, of the program that joins next; 0: its word alone */
    const char *profile;          /* of the programs that join from now on; NULL: none */
    uint32_t pid;                 /* likewise; 0: none */
    char error[PROTO_TEXT_BYTES]; /* of the last one that could not join */
    struct cycle_clock clock;
    struct proto_rendezvous *rendezvous;
    struct rig_program program[RIG_MAX_PROGRAMS];
    uint32_t programs;

    /* the air, in engine frames: what the card played per channel, for the last cycles */
    double rate_hz;
    int64_t frame_offset; /* of the first card */
    struct rig_air air[RIG_MAX_CARDS];
    bool may_lose;     /* a card ends in a step */
    bool check_output; /* compare what is played with the reference */
    uint64_t output_frames, wrong_outputs, silent_frames;
    bool exact_format; /* the reference clips to ±1 */
    float worst;       /* greatest difference seen */
    struct proto_event last_event[8];
    uint32_t events[PROTO_EVENT_KIND_COUNT];
    uint32_t removed;                  /* the program that the engine wants gone; 0: none */
    void (*in_cycle)(struct rig *rig); /* called while the cycle waits */
    uint64_t waits;
    uint64_t cycle_ns; /* when the last cycle began */
};

/** Card and engine from config (rig->config after rig_config() may be changed before). */
void rig_config(struct rig *rig);
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/** A program joins: device channels 0.. in both directions (wrapping at the card's), first channel
 * shifted by `shift`. flags: enum proto_prepare_flag. It starts at the next cycle. */
struct rig_program *rig_join(struct rig *rig, uint32_t buffer, uint32_t inputs, uint32_t outputs,
                             uint32_t shift, uint32_t flags);
/** The same with channels of the test's choice; the status of the engine's answer. */
enum tutti_status rig_try_join(struct rig *rig, struct rig_program *program, uint32_t buffer,
                               uint32_t inputs, const struct proto_channel *input, uint32_t outputs,
                               const struct proto_channel *output, uint32_t flags);
void rig_start(struct rig_program *program);
void rig_stop(struct rig_program *program);
/** It disappears: the link breaks, nothing is handed back any more. */
void rig_kill(struct rig_program *program);

/** Cycles, with tending between them. */
void rig_steps(struct rig *rig, unsigned cycles);
/** No cycle of the card: programs answer and the engine is tended at the virtual time now. */
void rig_pass(struct rig *rig);
/** Cycles until `frames` device frames passed. */
void rig_run_frames(struct rig *rig, uint64_t frames);

/** The device was opened again, and the events about it have arrived: from here on samples are
 * compared with the reopened card's air, at the latencies reported now, from each program's next
 * block on. */
void rig_follow_card(struct rig *rig);

/** What a program plays at a position, what the air sounds like at a device frame: multiples of
 * 2^-19 below 1/80, so that sums are exact. */
float rig_played(uint32_t program_index, uint32_t channel, uint64_t position);
float rig_heard(uint32_t channel, uint64_t device_frame);
/** The air of a card by name; it is made when it is the first. */
struct rig_air *rig_air(struct rig *rig, const char *name);
/** What all programs together play on a device channel at an engine frame, as they were told. */
float rig_reference(const struct rig *rig, uint32_t channel, int64_t engine_frame);

#endif
