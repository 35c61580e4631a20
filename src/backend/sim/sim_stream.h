/* SPDX-License-Identifier: MIT */
/* A stream of the virtual card, for the files of this folder. */
#ifndef TUTTI_SIM_STREAM_H
#define TUTTI_SIM_STREAM_H

#include <stdatomic.h>

#include "backend/sim/faults.h"
#include "backend/sim/sim.h"
#include "os/os.h"

struct card;

struct backend_stream {
    struct card *card;
    struct backend_info info;
    struct backend_callbacks callbacks;
    struct sim_faults faults;
    double frames_per_ns; /* of the card's own clock, error included */
    uint64_t budget_elastic_ns;
    uint32_t converter_in, converter_out;
    int32_t cable; /* -1: none */

    /* device memory */
    unsigned char *in_memory, *out_memory;
    struct backend_area in[BACKEND_MAX_CHANNELS], out[BACKEND_MAX_CHANNELS];
    float *scratch; /* one channel, one period */

    /* the air */
    float *air;          /* outputs x air_frames: what is played at a device frame */
    uint32_t air_frames; /* a power of two */
    uint64_t air_end;    /* device frame up to which it was written */
    sim_source_fn source;
    sim_sink_fn sink;
    void *air_user;

    /* the clock */
    uint64_t frame;     /* at which the next cycle begins */
    uint64_t origin_ns; /* time of device frame 0 */
    uint64_t cycle;
    uint64_t stands_until; /* device frame */
    unsigned starts;
    bool running;
    bool lost; /* in this stream's time: unplugged */
    struct os_thread *thread;
    _Atomic bool stop;
};

/* What belongs to a card and not to a stream: plugged in or not, and what its faults asked for. */
struct card {
    const char *name;
    struct backend_stream *stream; /* the open one; NULL: none */
    _Atomic bool unplugged;
    _Atomic bool stands;
    _Atomic uint64_t plug_at_ns; /* 0: not by itself */
    _Atomic uint32_t refusals;
    _Atomic uint32_t rate_hz; /* forced by the "system"; 0: none */
    _Atomic uint64_t openings;
    _Atomic uint32_t period_refusals;
};

/** Fills the device's input memory with what the card heard until the present cycle. */
void sim_capture(struct backend_stream *stream);
/** Takes the device's output memory into the air. */
void sim_play(struct backend_stream *stream);

#endif
