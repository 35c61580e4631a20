/* SPDX-License-Identifier: MIT */
/*
 * One ASIO object. Which thread may touch what:
 *
 * - Host threads, any number: through the gate (gate.c); calls marked ALONE in rules.h come one at
 *   a time.
 * - The callback thread, libtutti's: calls bufferSwitch, within which the host may call anything,
 *   the last Release included.
 * - The event thread, libtutti's: posts to the message thread, and writes the log.
 * - The message thread, ours, from init on: tells the host what happened, does what the callback
 *   thread may not, and at the end closes the client and frees the object, so that an object lives
 *   as long as anybody is inside it.
 *
 * Nobody holds `mutex` while calling the host or libtutti. Nobody waits for a thread that may be
 * waiting for him: the callback thread does not wait for one who waits for callbacks to end, and no
 * thread joins the message thread.
 */
#ifndef TUTTI_ASIO_OBJECT_H
#define TUTTI_ASIO_OBJECT_H

#include <windows.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "asio/buffers.h"
#include "asio/dll.h"
#include "asio/rules.h"
#include "asio/settings.h"
#include "config/config.h"
#include "base/float_env.h"
#include "tutti/asio.h"
#include "tutti/asio_tutti.h"
#include "tutti/tutti.h"

/* What createBuffers fixed. Written by it before the state becomes PREPARED, then read by anybody.
 */
struct driver_stream {
    struct asio_callbacks callbacks; /* a copy: the host's struct may be gone */
    uint32_t buffer_frames;          /* the host's: samples of one bit with DSD */
    uint32_t host_knows;             /* bit n: the host answered 1 to SELECTOR_SUPPORTED n */
    bool time_info;                  /* call buffer_switch_time_info */
    uint64_t time_offset_ns; /* from tutti_now_ns() to timeGetTime() in ns; written by start */
    int32_t inputs, outputs; /* that there were to choose from */
    /* It was reported to the host that sizes or channels are others now. Written by the message
     * thread, too.
     */
    _Atomic bool told_offer;
};

/* What the block before was, for the flags of a host's Time. The callback thread's; start clears
 * it. */
struct driver_former {
    bool is_there, silent;
    uint64_t generation;
    double rate_hz;
};

/* One input that the host monitors. */
struct driver_monitored {
    bool on, pair; /* pair: the next output gets `right` */
    uint32_t output;
    float left, right;
};

/* What the host asked of the direct monitor, by its channels. */
struct driver_monitor {
    SRWLOCK mutex; /* of the rest but the next */
    SRWLOCK telling;
    struct driver_monitored input[TUTTI_MAX_CHANNELS];
    float input_gain[TUTTI_MAX_CHANNELS], output_gain[TUTTI_MAX_CHANNELS];
};

/* The last block, written by the callback thread, read by any: odd version while it is written. */
struct driver_block {
    _Atomic uint32_t version; /* 0: no block since start */
    _Atomic uint32_t flags;   /* enum tutti_asio_block_flag */
    _Atomic uint64_t position, time_ns, device_frames, generation;
};

/* Bits of work for the message thread, posted by any thread, taken by it. */
enum message {
    MESSAGE_RESET = 1,
    MESSAGE_RESYNC = 2,
    MESSAGE_LATENCIES = 4,
    MESSAGE_OVERLOAD = 8,
    MESSAGE_RATE = 16,
    MESSAGE_OFFER = 32,     /* see whether buffers like the host's are still offered */
    MESSAGE_LOSS = 1024,    /* with OVERLOAD: the device lost frames */
    MESSAGE_TO_HOST = 1087, /* all above: dropped with the buffers they are about */
    MESSAGE_DISPOSE = 64,   /* the callback thread disposed: do it for real */
    MESSAGE_END = 128,      /* the last reference went: close and free */
    MESSAGE_MONITOR = 256,  /* tell the engine what the host asked of the direct monitor */
    MESSAGE_SET_RATE = 512, /* ask for wanted_rate */
};

struct driver {
    struct asio_driver com;                     /* first: what the host holds */
    struct dll_name entry;                      /* that it was created by */
    const struct dll_name *name;                /* the same */
    _Atomic uint32_t references;                /* the host's */
    _Atomic uint32_t inside;                    /* threads within the gate */
    void (*free_stream)(struct driver *driver); /* stream_free(), for the next owner */
    _Atomic int state; /* enum state; written by object_enter_state() alone */

    /* Covered by mutex; changed tells of each change. */
    SRWLOCK mutex;
    CONDITION_VARIABLE changed;
    DWORD owner;           /* thread that is within an ALONE call, or 0 */
    bool awaits_callback;  /* and it waits, or may wait, for the callback thread */
    bool dispose_deferred; /* MESSAGE_DISPOSE is under way */
    bool telling;          /* the message thread is in a host's function */
    uint32_t serial;       /* of the buffers; taken_serial: that messages were taken under */

    SRWLOCK text_mutex;
    char error[ASIO_ERROR_BYTES];

    /* From a successful init until the message thread ends. Functions that libtutti wants
     * serialised are called by the owner. */
    struct tutti_client *client;
    struct config config; /* changes between two calls of the host only */
    struct settings settings;

    struct driver_stream stream;
    struct driver_former former;
    struct driver_monitor monitor;
    struct buffers buffers; /* from createBuffers on */
    _Atomic bool dsd;       /* the io format; changes only without buffers */
    double pcm_rate_hz;     /* before it was DSD; owner only */
    _Atomic bool active_input[TUTTI_MAX_CHANNELS], active_output[TUTTI_MAX_CHANNELS];
    _Atomic uint64_t channels; /* inputs << 32 | outputs, as counted last; 0: not yet */
    /* the device's channel that each of them is */
    _Atomic uint16_t input_channel[TUTTI_MAX_CHANNELS], output_channel[TUTTI_MAX_CHANNELS];
    _Atomic uint64_t latencies;    /* input << 32 | output, from createBuffers on */
    _Atomic uint64_t rate;         /* bits of the device's, from createBuffers on */
    _Atomic uint64_t seen_rate;    /* bits of the last one that the host read or set; 0: none */
    _Atomic uint64_t own_rate;     /* bits of the one that this object asks for; 0: none */
    _Atomic uint64_t wanted_rate;  /* bits of one that was set within a callback; 0: none */
    _Atomic uint32_t callback_tid; /* the callback thread, while it is in a block; else 0 */
    struct driver_block block;

    HANDLE message_event;
    HMODULE module;               /* reference of the message thread */
    struct float_env message_env; /* the message thread's, as the host left it */
    _Atomic uint32_t message_tid;
    _Atomic uint32_t messages;     /* enum message */
    _Atomic uint64_t message_rate; /* bits of the rate of MESSAGE_RATE */
    _Atomic uint64_t late_blocks;  /* since the log last named them */
    uint64_t overload_line_ms;     /* when it did; 0: not yet. Message thread's own */
    uint32_t taken_serial;         /* likewise */
    double told_rate_hz; /* the rate the host believes in; createBuffers and the message thread,
                            under mutex */
};

/* ---- state, error text, owning ---- */

enum state object_state(const struct driver *driver);
/** The one writer of the state. Owner only. */
void object_enter_state(struct driver *driver, enum state to);
/** Stores the text for getErrorMessage and returns `result`. utf-8 in; cut to what fits. */
int32_t object_fail(struct driver *driver, int32_t result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for a failed call of libtutti. */
int32_t object_fail_status(struct driver *driver, enum tutti_status status);
void object_get_error_text(struct driver *driver, char *text);
/** True on the callback thread, within a block. */
bool object_in_callback(const struct driver *driver);
/** True when the calling thread became the owner; otherwise *result is the answer to give. What
 * counts as waiting for callbacks: `awaits`. */
bool object_own(struct driver *driver, enum call call, bool awaits, int32_t *result);
void object_disown(struct driver *driver);

/* ---- messages to its thread (messages.c) ---- */

/** Posts work. Any thread, real time but for the wake-up of a waiting thread. */
void object_post(struct driver *driver, uint32_t messages);
/** Has the host notified of this rate, if it believes in another. Any thread. */
void object_post_rate(struct driver *driver, double rate_hz);
/** Forgets what was to be reported about buffers that are no more. Owner only. */
void object_drop_messages(struct driver *driver);

/* ---- small things ---- */

static inline uint64_t
bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline double
double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
