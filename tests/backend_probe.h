/* SPDX-License-Identifier: MIT */
/*
 * What the contract suite hangs on a stream in place of the engine: it counts cycles, looks at
 * what they bring, plays a ramp and measures where it comes back.
 */
#ifndef TUTTI_TEST_BACKEND_PROBE_H
#define TUTTI_TEST_BACKEND_PROBE_H

#include "backend/backend.h"
#include "backend_means.h"
#include "os/os.h"

enum { PROBE_KEEP = 512, PROBE_EVENTS = 4 };

struct probe {
    const struct backend_means *means;
    const struct backend *backend;
    struct backend_stream *stream; /* NULL: closed */
    const struct backend_info *info;
    struct config config;
    char error[256];

    /* the cycle's; read by the test when it is stopped */
    uint64_t time_ns[PROBE_KEEP]; /* of the first cycles since probe_start() */
    uint64_t device_frames[PROBE_KEEP], device_time_ns[PROBE_KEEP]; /* their raw pairs */
    uint64_t came_ns[PROBE_KEEP];                                   /* when they came */
    uint64_t started_ns;                                            /* when start() had returned */
    uint32_t xrun_cycles;
    uint64_t pos; /* frames since probe_start(), lost ones included */
    uint64_t backward, wrong_frames, bad_areas, starts_before_now;
    _Atomic uint32_t sounding; /* cycles with memory in all directions */
    uint64_t silent;           /* directions without memory, as while a device pauses */
    int64_t delay[PROBE_KEEP]; /* of the ramp, per cycle; PROBE_NONE: nothing heard */
    unsigned delays;
    _Atomic uint32_t cycles;
    _Atomic uint32_t event[PROBE_EVENTS]; /* by kind: how many */
};
#define PROBE_NONE INT64_MIN

void probe_init(struct probe *probe, const struct backend_means *means);
/** Opens; 0: the backend's choice, as in a request. */
enum tutti_status probe_try_open(struct probe *probe, const char *device, double rate_hz,
                                 uint32_t period_frames, uint32_t inputs, uint32_t outputs);
/** The same, and it must succeed: 48 kHz, the device's channels. */
void probe_open(struct probe *probe, uint32_t period_frames);
void probe_start(struct probe *probe);
void probe_stop(struct probe *probe);
void probe_close(struct probe *probe);
/** Waits for so many cycles since probe_start(). */
void probe_await_cycles(struct probe *probe, uint32_t cycles);
/** The same for cycles that have memory: a slow device begins with silent ones. */
void probe_await_sound(struct probe *probe, uint32_t cycles);
/** The longest time without a cycle: from cycle `first` on, or from start() on with 0, until now.
 * Of the first PROBE_KEEP cycles; the stream runs. */
uint64_t probe_longest_gap_ns(const struct probe *probe, uint32_t first);
/** Waits for an event of this kind. */
void probe_await_event(struct probe *probe, enum backend_event_kind kind);
/** Number of devices listed; *first is the first. */
unsigned probe_list(struct probe *probe, struct backend_device *first);
/** The same where it may fail; count: number of devices. */
enum tutti_status probe_try_list(struct probe *probe, struct backend_device *first,
                                 unsigned *count);
/** The delay that most cycles measured; *share: how many of all that heard something. */
int64_t probe_delay(const struct probe *probe, double *share);

#endif
