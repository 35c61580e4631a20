/* SPDX-License-Identifier: MIT */
/*
 * The engine's side of the protocol in a test's own process, without device and clock: a thread
 * answers messages of one program at a time, and the test makes every call itself, with the real
 * hand-off. So what the client does is seen step by step.
 */
#ifndef TUTTI_TESTS_FAKE_ENGINE_H
#define TUTTI_TESTS_FAKE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "proto/handoff.h"
#include "proto/message.h"

struct fake_engine {
    /* set by the test before fake_engine_start() */
    uint64_t generation;
    uint32_t input_latency, output_latency; /* frames, answered to PREPARE */
    uint32_t patience_ms;
    double rate_hz;
    enum tutti_status prepare_status; /* not OK: PREPARE is answered with it */
    uint32_t program_count;           /* reported in STATUS */
    bool cycles_go_on;                /* likewise: another count each time */
    uint32_t opening_ms;              /* likewise */
    bool strict;                      /* PREPARE while prepared is refused, as by a real engine */
    unsigned missing_pages;           /* so many PREPARED come without a page */

    struct os_lock *engine_lock;
    struct os_listener *listener;
    struct os_thread *thread;
    struct os_shm page;
    struct os_wake wake;
    uint64_t cycles;
    _Atomic bool quit;

    struct os_mutex lock;
    struct os_cond changed;
    /* guarded by lock */
    struct os_link *link;
    unsigned hellos, prepares, disposes, hangups; /* seen so far */
    double asked_rate_hz;                         /* by SET_RATE */
    unsigned monitors;                            /* MONITOR messages seen */
    struct proto_monitor monitor;                 /* the last one */
    unsigned monitors_at_prepare;                 /* of these, before the last PREPARE */
    struct proto_prepare prepare;                 /* the last one */
    bool prepared;
    uint32_t run_at_prepare; /* the run word when the segment was shown */
    struct os_shm memory;
    struct proto_layout layout;
    struct os_wake doorbell;
    uint32_t run;      /* as last seen by fake_engine_await_run() */
    uint32_t next_seq; /* of the next call */
    uint64_t position; /* of the next call */
};

/** Everything at a default that suits most tests; generation as given. */
void fake_engine_init(struct fake_engine *fake, uint64_t generation);
/** Serves from here on. */
void fake_engine_start(struct fake_engine *fake);
/** As if it was killed: links and listener close. */
void fake_engine_kill(struct fake_engine *fake);

/** Wait until the program did what the counter or word says; false after 20 s. */
bool fake_engine_await_prepares(struct fake_engine *fake, unsigned count);
bool fake_engine_await_disposes(struct fake_engine *fake, unsigned count);
bool fake_engine_await_hangups(struct fake_engine *fake, unsigned count);
/** Waits until the program runs anew since the last time; calls begin with its start_seq, position
 * 0. */
bool fake_engine_await_run(struct fake_engine *fake);
/** True when the program's run word is 0. */
bool fake_engine_sees_stopped(struct fake_engine *fake);

/** Fills channel's input half of the next call. */
void fake_engine_fill(struct fake_engine *fake, uint32_t channel, float value);
/** Hands out the next call; its seq. flags: enum proto_stamp_flag. */
uint32_t fake_engine_issue(struct fake_engine *fake, uint32_t flags);
bool fake_engine_is_done(struct fake_engine *fake, uint32_t seq);
/** Waits for it, woken by the program; false after 20 s. */
bool fake_engine_await_done(struct fake_engine *fake, uint32_t seq);
/** Issues and waits. */
bool fake_engine_call(struct fake_engine *fake);
/** First sample of channel's output half of call seq. */
float fake_engine_output(struct fake_engine *fake, uint32_t seq, uint32_t channel);

/** Sends an event to the program. */
void fake_engine_tell(struct fake_engine *fake, enum proto_event_kind kind, uint64_t value,
                      uint32_t input_latency, uint32_t output_latency);
/** Sends bytes that are no message. */
void fake_engine_babble(struct fake_engine *fake);

#endif
