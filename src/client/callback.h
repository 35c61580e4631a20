/* SPDX-License-Identifier: MIT */
/*
 * The callback thread of one client: everything it touches is in struct callback. It is called by
 * an engine through an attachment, or, while there is none, paces itself in silence. It knows
 * nothing of links and messages: the link thread offers it an attachment, marks it dead, and frees
 * what was retired.
 */
#ifndef TUTTI_CLIENT_CALLBACK_H
#define TUTTI_CLIENT_CALLBACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/float_env.h"
#include "client/last_block.h"
#include "os/os.h"
#include "proto/segment.h"
#include "tutti/tutti.h"

/* What joins this client's segment to one engine: the engine's half of the hand-off. Made and freed
 * by the link side. */
struct attachment {
    struct attachment *next; /* in the list of retired ones */
    struct os_shm page;      /* holds *rendezvous */
    struct proto_rendezvous *rendezvous;
    struct os_wake engine; /* posted when handoff_done() says so */
    uint64_t generation;
    _Atomic uint64_t patience_ns; /* without a call for so long: the engine hangs */
    _Atomic bool
        dead; /* written by the link thread: the link closed; read by the callback thread */
    _Atomic bool hung; /* written by the callback thread: patience ended; read by the link thread */
};

struct callback {
    /* Written before the thread starts, constant while it runs. */
    struct os_shm memory; /* the segment; open between prepare and dispose */
    struct proto_segment *segment;
    struct proto_layout layout;
    struct os_wake doorbell; /* over segment->doorbell */
    void (*process)(void *user, const struct tutti_block *block);
    void *user;
    bool late_take, prefilled;

    /* Written by the callback thread alone; by callback_start() before it. */
    uint32_t next_seq;      /* of the next call; its half is next_seq & 1 */
    uint32_t run;           /* the last odd value of segment->run */
    uint64_t next_position; /* frames */
    uint64_t offset;        /* frames; host's position - this attachment's stamp */
    uint64_t last_time_ns;  /* of the last block */
    uint64_t last_device_frames;
    uint64_t last_begun_ns;    /* when the last process() began */
    bool lost;                 /* frames were lost before the next block */
    bool have_previous;        /* late_take: call next_seq - 1 is to be handed back */
    bool joined;               /* the current attachment's engine was asked to run */
    bool priming;              /* the next call is for half 1 as it was filled before start */
    bool begins;               /* that was so, and the next one is the first block */
    struct float_env host_env; /* as process() left it */

    /* Between threads. */
    _Atomic uint32_t rate_millihz; /* of the device; link thread -> callback thread */
    _Atomic bool stop;             /* any -> callback thread, followed by the doorbell */
    _Atomic bool ready_mode;       /* tutti_block_ready() was called since start */
    _Atomic uint32_t thread_id;    /* of the callback thread; 0: none */
    _Atomic uint64_t
        open; /* seq << 1 | 1 of the block that ready completes; 0: none. Taken by exchange */
    _Atomic bool deferred;       /* a call waits for `open` to be taken: ring the doorbell then */
    _Atomic uint32_t completers; /* threads within tutti_block_ready() that may hold `current` */
    _Atomic uint64_t unready_blocks; /* that ready never came for */
    _Atomic(struct attachment *)
        current; /* written by the callback thread; read by completers; NULL without a thread */
    _Atomic(struct attachment *)
        offered; /* link thread -> callback thread, taken by exchange by either */
    _Atomic(struct attachment *) retired; /* list; callback thread pushes, link thread takes all */
    _Atomic uint64_t patience_end_ns; /* without a call until then the engine hangs; UINT64_MAX: not
                                         waiting. Callback thread -> link thread */
    struct last_block last_block;

    struct os_thread *thread; /* owned by the caller of start and stop */
};

/** All zero, nothing prepared. */
void callback_init(struct callback *callback);

/** Makes the segment and the doorbell. Errors: INVALID_ARGUMENT, NO_MEMORY. */
enum tutti_status callback_prepare(struct callback *callback,
                                   const struct tutti_stream_params *params);

/** Frees the segment; the thread has ended. Waits for threads within callback_ready(). Attachments
 * are the caller's to take first. */
void callback_dispose(struct callback *callback);

/** Zeroes both halves, unless they are prefilled, and starts the thread at position 0, half 0.
 * Errors: NO_MEMORY. */
enum tutti_status callback_start(struct callback *callback);

/** Asks the thread to end after the callback that runs now. Any thread. */
void callback_ask_stop(struct callback *callback);

/** Waits for its end. Not on the callback thread. */
void callback_join(struct callback *callback);

/** True on the callback thread itself. */
bool callback_is_self(const struct callback *callback);

/** See tutti_block_ready(). Any thread, real time. */
void callback_ready(struct callback *callback);

/** Gives the thread an engine: now if it runs, else when it starts. Nothing else is on offer, and
 * the former one was retired. */
void callback_offer(struct callback *callback, struct attachment *attachment);

/** Takes back what nobody took yet; NULL when there is nothing. */
struct attachment *callback_withdraw(struct callback *callback);

/** Tells the thread to look: an attachment died, or the engine's time is over. */
void callback_wake(struct callback *callback);

/** When the thread, which waits for its engine without a timer, is to be woken to judge it hung;
 * UINT64_MAX: not now. Any thread. */
uint64_t callback_patience_end_ns(const struct callback *callback);

/** Takes the retired attachments as a list; they may be freed once callback_quiet() was true
 * afterwards. */
struct attachment *callback_take_retired(struct callback *callback);
bool callback_quiet(struct callback *callback);

#endif
