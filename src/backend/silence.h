/* SPDX-License-Identifier: MIT */
/*
 * Cycles in silence while a device stands still, for a backend whose own thread waits for the
 * device: when the next one is due, and when the device is given up. Programs take an engine
 * without cycles for dead (backend.h).
 */
#ifndef TUTTI_BACKEND_SILENCE_H
#define TUTTI_BACKEND_SILENCE_H

#include "backend/clock.h"

/* The areas of a cycle without the device. */
extern const struct backend_area backend_silence_areas[BACKEND_MAX_CHANNELS];

struct backend_silence {
    struct backend_clock *clock;
    const struct backend_callbacks *callbacks;
    double rate_hz;
    uint64_t patience_ns; /* in which a cycle with the device is awaited */
    uint64_t cycle_ns;    /* the last one with the device, or the beginning */
    uint64_t frames;      /* of cycles in silence since then */
};

/** The thread begins, and so does its patience. The clock is started. */
void backend_silence_start(struct backend_silence *silence, struct backend_clock *clock,
                           const struct backend_callbacks *callbacks, double rate_hz,
                           uint64_t now_ns);
/** Until when the device may take its time before a cycle is run without it. Real time. */
uint64_t backend_silence_due_ns(const struct backend_silence *silence);
/** Runs a cycle in silence if the clock has one due; true: it did. Real time. */
bool backend_silence_run(struct backend_silence *silence, uint64_t now_ns);
/** A cycle with the device was at now_ns. Real time. */
void backend_silence_end(struct backend_silence *silence, uint64_t now_ns);
/** True after two seconds of silence and spare_frames: the device is given up. Counted in cycles
 * and not in time: a machine that stood still has not seen the device hang. Real time. */
bool backend_silence_is_over(const struct backend_silence *silence, uint32_t spare_frames);

#endif
