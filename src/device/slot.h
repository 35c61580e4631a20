/* SPDX-License-Identifier: MIT */
/*
 * A slot holds one open stream of a backend: which backend, what the stream is, its state, and the
 * events that the backend's threads report. It calls the backend, which may take seconds, without
 * the engine's lock.
 */
#ifndef TUTTI_DEVICE_SLOT_H
#define TUTTI_DEVICE_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "device/period.h"
#include "mixer/clock.h"
#include "os/os.h"
#include "proto/message.h"

/* What a slot reports. */
struct slot_callbacks {
    void *user;
    /** A period, on the stream's real-time thread. */
    void (*cycle)(void *user, const struct backend_cycle *period);
    /** An event came in; on an ordinary thread of the backend. NULL: nobody. */
    void (*attention)(void *user);
};

/* An open stream and the backend that has it. */
struct slot_stream {
    const struct backend *backend; /* NULL while "auto" has not settled */
    struct backend_stream *stream; /* NULL: closed */
};

/* Written by slot.c alone, with the engine's lock. */
struct slot {
    struct os_mutex *lock; /* the engine's */
    const struct cycle_clock *clock;
    struct slot_callbacks callbacks;

    enum proto_stream_state state;
    struct slot_stream open;
    struct proto_device known; /* last known device, also while closed */
    double rate_hz;            /* to ask for; 0: whatever the device runs at */
    bool live_period;          /* the period changes without closing */
    bool exact;                /* the open stream carries 24-bit words unchanged */
    struct period_refusals refusals;
    _Atomic uint32_t events; /* bit per backend_event_kind; set by the backend's threads */
    uint64_t call_since_ns;  /* when the backend's call under way began; 0: none */
};

void slot_init(struct slot *slot, struct os_mutex *lock, const struct cycle_clock *clock,
               struct slot_callbacks callbacks);
/** Moves to a state that may follow the present one; else logs and stays. */
void slot_set_state(struct slot *slot, enum proto_stream_state state);
/** What is known of another device, and the rate to ask it for. The stream is closed. */
void slot_set_known(struct slot *slot, const struct proto_device *known, double rate_hz);
/** The rate to ask for at the next opening. */
void slot_ask_rate(struct slot *slot, double rate_hz);
/** The rate that is reported while no stream has another. */
void slot_expect_rate(struct slot *slot, double rate_hz);
/** Takes over what the open stream is. */
void slot_learn(struct slot *slot);

/** Opens a stream of a backend in place of none. Errors: the backend's, UNSUPPORTED and
 * UNSUPPORTED_RATE (a stream that no cycle can serve); error: a sentence. */
enum tutti_status slot_open(struct slot *slot, const struct backend *backend,
                            const struct config *config, uint32_t period_frames,
                            char error[PROTO_TEXT_BYTES]);
/** Puts another stream into the slot, and returns the one that was there. */
struct slot_stream slot_swap(struct slot *slot, struct slot_stream stream);
enum tutti_status slot_start(struct slot *slot);
void slot_stop(struct slot *slot);
/** Closes a stopped stream. */
void slot_close(struct slot *slot);
/** Changes the period of a stopped stream; 0: to what the system runs at now. When it was refused
 * the stream goes on as it was. Errors: the backend's; those of slot_open(); error: a sentence. */
enum tutti_status slot_set_period(struct slot *slot, uint32_t period_frames,
                                  char error[PROTO_TEXT_BYTES]);
/** Asks the system for a period of a running stream, whose cycles go on. True when the system
 * refused it, and nothing changes. */
bool slot_is_refused(struct slot *slot, uint32_t period_frames);
/** Number of devices that a backend lists with this configuration. */
unsigned slot_count_devices(struct slot *slot, const struct backend *backend,
                            const struct config *config);

/** Events since the last call of slot_take_events(): bits. */
uint32_t slot_peek_events(const struct slot *slot);
uint32_t slot_take_events(struct slot *slot);
/** Forgets events of a stream that is closed. */
void slot_drop_events(struct slot *slot);
bool slot_has_event(uint32_t events, enum backend_event_kind kind);
/** A period was asked for and not given: see period_refuse(). */
void slot_note_refusal(struct slot *slot, uint32_t wanted, uint32_t given);
void slot_forget_refusals(struct slot *slot);
/** What the open stream is. */
const struct backend_info *slot_info(const struct slot *slot);

#endif
