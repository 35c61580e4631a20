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
#ifndef TUTTI_ASIO_DRIVER_H
#define TUTTI_ASIO_DRIVER_H

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
    /* The host was told that sizes or channels are others now. Written by the message thread, too.
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
    struct asio_driver com;      /* first: what the host holds */
    struct dll_name entry;       /* that it was created by */
    const struct dll_name *name; /* the same */
    _Atomic uint32_t references; /* the host's */
    _Atomic uint32_t inside;     /* threads within the gate */
    _Atomic int state;           /* enum state; written by driver_enter_state() alone */

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
    _Atomic uint64_t late_blocks;  /* since the log told of them last */
    uint64_t overload_line_ms;     /* when it did; 0: not yet. Message thread's own */
    uint32_t taken_serial;         /* likewise */
    double told_rate_hz; /* the rate the host believes in; createBuffers and the message thread,
                            under mutex */
};

/* ---- driver.c: life, text, threads ---- */

/** A new object with one reference, Loaded. name: copied. NULL when memory is short. */
struct asio_driver *driver_new(const struct dll_name *name);
/** Frees an object that has no client and no thread. */
void driver_free(struct driver *driver);
/** The last reference went. */
void driver_end(struct driver *driver);

enum state driver_state(const struct driver *driver);
/** The one writer of the state. Owner only. */
void driver_enter_state(struct driver *driver, enum state to);

/** Stores the text for getErrorMessage and returns `result`. utf-8 in; cut to what fits. */
int32_t driver_fail(struct driver *driver, int32_t result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for a failed call of libtutti. */
int32_t driver_fail_status(struct driver *driver, enum tutti_status status);

/** True on the callback thread, within a block. */
bool driver_in_callback(const struct driver *driver);

/** True when the calling thread became the owner; otherwise *result is the answer to give. What
 * counts as waiting for callbacks: `awaits`. */
bool driver_own(struct driver *driver, enum call call, bool awaits, int32_t *result);
void driver_disown(struct driver *driver);

int32_t driver_init(struct driver *driver);
void driver_get_error_text(struct driver *driver, char *text);

/* ---- device.c: what hosts ask of the device ---- */

int32_t device_get_channels(struct driver *driver, int32_t *inputs, int32_t *outputs);
/** As getChannels answered last, without asking the engine. Any thread, the callback thread with
 * buffers included. */
void device_known_channels(struct driver *driver, int32_t *inputs, int32_t *outputs);
int32_t device_get_latencies(struct driver *driver, int32_t *input_frames, int32_t *output_frames);
int32_t device_get_buffer_size(struct driver *driver, int32_t *min, int32_t *max,
                               int32_t *preferred, int32_t *granularity);
/** True when hosts may ask for buffers of this size. */
bool device_offers(struct driver *driver, int32_t buffer_frames);
/** ASIO_OK, or the refusal of a size that is not offered. */
int32_t device_check_buffer_size(struct driver *driver, int32_t buffer_frames);
int32_t device_can_rate(struct driver *driver, double rate_hz);
int32_t device_get_rate(struct driver *driver, double *rate_hz);
int32_t device_set_rate(struct driver *driver, double rate_hz);
/** Asks for the rate that was set within a callback. Message thread. */
void device_apply_wanted_rate(struct driver *driver);
/** Asks for the rate that a host of this process asked for last, in this object or another. Owner
 * only. */
void device_recall_rate(struct driver *driver);
/** That rate is another now, by another program or the system. Any thread. */
void device_remember_rate(struct driver *driver, double rate_hz);
int32_t device_get_clocks(struct driver *driver, struct asio_clock_source *clocks, int32_t *count);
int32_t device_set_clock(struct driver *driver, int32_t index);
int32_t device_get_channel_info(struct driver *driver, struct asio_channel_info *info);
/** The device's channels that hosts see, in order; how many. */
unsigned device_map_channels(struct driver *driver, bool is_input, uint16_t list[CONFIG_CHANNELS]);

/* ---- stream.c: buffers and callbacks ---- */

/** theirs: the host's, which is in force while it is asked what it knows. */
int32_t stream_create(struct driver *driver, struct asio_buffer_info *infos, int32_t count,
                      int32_t buffer_frames, const struct asio_callbacks *callbacks,
                      struct float_env *theirs);
int32_t stream_dispose(struct driver *driver);
int32_t stream_start(struct driver *driver);
int32_t stream_stop(struct driver *driver);
int32_t stream_get_position(struct driver *driver, struct asio_int64 *position,
                            struct asio_int64 *time_ns);
int32_t stream_output_ready(struct driver *driver);
/** Stops and frees what is there, as far as this thread may. Owner only. */
void stream_tear_down(struct driver *driver);

/** Frees the buffers of a stream that has ended, as seen by the host; not on the callback thread.
 * Owner only. */
void stream_free(struct driver *driver);

/* ---- dsd.c ---- */

/** The host's samples per frame of the device: 16 with DSD, else 1. */
uint32_t dsd_unit(const struct driver *driver);
/** Of the next buffers. */
int32_t dsd_sample_type(const struct driver *driver);
/** The device's rate for a rate of the host's; 0: there is none. */
double dsd_device_rate(const struct driver *driver, double rate_hz);
/** future's three selectors. */
int32_t dsd_io_format(struct driver *driver, int32_t selector, struct asio_io_format *format);

/* ---- block.c: the last block, and time as hosts see it ---- */

void block_clear(struct driver_block *block);
void block_put(struct driver_block *block, const struct tutti_block *from);
/** False when there was none since start. Fills all but size. */
bool block_get(const struct driver_block *block, struct tutti_asio_block *to);
/** What a host is told with a block. Callback thread. */
void block_fill_time(struct driver *driver, const struct tutti_block *block,
                     struct asio_time *time);
/** From tutti_now_ns() to timeGetTime() in ns, measured now; takes up to two milliseconds. */
uint64_t block_time_offset_ns(void);

/* ---- future.c ---- */

int32_t future_ask(struct driver *driver, int32_t selector, void *parameter);

/* ---- monitor.c: input monitor, gains, meters ---- */

void monitor_init(struct driver_monitor *monitor);
int32_t monitor_set_input(struct driver *driver, const struct asio_input_monitor *wanted);
int32_t monitor_set_gain(struct driver *driver, bool is_input,
                         const struct asio_channel_controls *controls);
int32_t monitor_get_meter(struct driver *driver, bool is_input,
                          struct asio_channel_controls *controls);
/** Tells the engine; waits for its answer. Any thread but the callback thread. */
void monitor_tell(struct driver *driver);

/* ---- messages.c: the message thread ---- */

/** Starts it. Errors: ASIO_NO_MEMORY. */
int32_t messages_open(struct driver *driver);
/** Posts work. Any thread, real time but for the wake-up of a waiting thread. */
void messages_post(struct driver *driver, uint32_t messages);
/** Has the host told of this rate, if it believes in another. Any thread. */
void messages_rate(struct driver *driver, double rate_hz);
/** Forgets what was to be told about buffers that are no more. Owner only. */
void messages_drop(struct driver *driver);
/** libtutti's event function. */
void messages_event(void *user, const struct tutti_event *event);
/** Waits, for a moment at most, until the host is not being told anything about buffers that are
 * gone. Not the owner. */
void messages_settle(struct driver *driver);

/* ---- note.c: lines for the log; not on the callback thread ---- */

/** A call of the host that changes something has succeeded. Owner only. */
void note_call(struct driver *driver, enum call call);
/** libtutti told of this. */
void note_event(struct driver *driver, const struct tutti_event *event);
/** They are others now. */
void note_latencies(struct driver *driver);
/** The host was told this and answered, or was not, since it does not know the message. Message
 * thread. */
void note_told(struct driver *driver, int32_t selector, int32_t value, bool known, int32_t answer);
/** The same of a rate. */
void note_told_rate(struct driver *driver, double rate_hz, bool known);

/* ---- gate.c ---- */

extern const struct asio_driver_methods gate_methods;

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
