/* SPDX-License-Identifier: MIT */
/*
 * The contract between the engine and a way to sound devices. A backend is one room with one
 * `struct backend`; it opens streams, each on one clock, and calls the engine once a period. It
 * knows nothing of programs and mixing.
 *
 * The engine checks states so that backends need not: calls come from one thread at a time (the
 * engine's control thread), in the order open, start, (set_period), stop, start …, close. cycle()
 * and the events come from the backend's own threads.
 *
 * Programs take an engine without cycles for dead. So from the return of start() to stop() there is
 * a cycle at least every BACKEND_SILENCE_MS or BACKEND_SILENCE_PERIODS periods, whichever is
 * longer, the first one included. While the device stands still the backend runs them itself, in
 * silence: without memory (backend_area), at the period as it was opened, by the time that passes
 * (base/pace.h says when). Only after LOST no cycle comes.
 */
#ifndef TUTTI_BACKEND_H
#define TUTTI_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "dsp/dsp.h"
#include "tutti/status.h"

enum {
    BACKEND_MAX_CHANNELS = 256,
    BACKEND_MAX_STREAMS = 4,
    BACKEND_MAX_RATES = 16,
    BACKEND_NAME_BYTES = 64,
    BACKEND_MAX_PERIOD_FRAMES = 4096,
    BACKEND_SILENCE_MS = 40,
    BACKEND_SILENCE_PERIODS = 2,
};

/* One channel's memory in a device's buffer. Planar and interleaved are the same with another
 * stride. */
struct backend_area {
    void *first; /* first frame's sample; NULL: this direction has nothing in this cycle */
    uint32_t stride_bytes; /* from frame to frame */
};

enum backend_cycle_flag {
    BACKEND_CYCLE_XRUN = 1, /* the device lost time before this cycle: lost_frames */
};

/* One period of one stream. Borrowed, for the call. */
struct backend_cycle {
    const struct backend_area *in;  /* stream's inputs long */
    const struct backend_area *out; /* stream's outputs long; the engine stores every frame */
    uint32_t frames;                /* the period as opened (or set) */
    uint32_t flags;                 /* enum backend_cycle_flag */
    uint64_t time_ns; /* os_now_ns() scale, smooth: when the last frame of `in` had been captured */
    uint64_t start_ns; /* when this cycle really began: the deadline counts from here */
    uint64_t lost_frames;
    /* The raw pair behind time_ns, with its jitter: the frames of the device since start(), lost
     * ones included, that were complete at this moment of the os_now_ns() scale; 0: the device
     * stands still. It says how fast the device's clock runs, between cycles with an xrun. */
    uint64_t device_frames, device_time_ns;
};

enum backend_event_kind {
    BACKEND_EVENT_LOST,            /* the device is gone; no cycle follows; the engine will close */
    BACKEND_EVENT_RATE_CHANGED,    /* the system changed rate: the engine closes and opens again */
    BACKEND_EVENT_DEFAULT_CHANGED, /* the default device is another: likewise, if the engine follows
                                      it */
    BACKEND_EVENT_PERIOD_CHANGED,  /* the system changed the period or a latency: the engine stops,
                                      calls set_period(0), or opens again if there is none, and
                                      starts; till then cycles have the former period, and may be
                                      silent */
};

/* What a stream calls. user is given back. */
struct backend_callbacks {
    void *user;
    /** One period, on the stream's real-time thread. Returns when `out` is filled, at most
     * budget_ns after start_ns (see backend_info). The thread runs at engine priority. */
    void (*cycle)(void *user, const struct backend_cycle *cycle);
    /** Any thread of the backend but the cycle's caller within a cycle; never while holding a lock
     * that stop() or close() needs. text: what happened, for a person. */
    void (*event)(void *user, enum backend_event_kind kind, enum tutti_status status,
                  const char *text);
};

/* What to open; 0 and "" mean: the backend's choice. */
struct backend_request {
    const char *device; /* name as listed, "" for the default */
    double rate_hz;
    uint32_t period_frames; /* as near as the device can; backend_info tells what came of it */
    uint32_t max_inputs, max_outputs; /* 0: none wanted; the device may have fewer */
    const struct config *config;      /* the backend's own section; never NULL */
};

/* What an open stream is. Valid till close; changed only by set_period. */
struct backend_info {
    char name[BACKEND_NAME_BYTES];
    uint32_t inputs, outputs;
    enum dsp_format input_format, output_format;
    char format[32]; /* what was negotiated, for people */
    double rate_hz;
    double rates_hz[BACKEND_MAX_RATES]; /* accepted by open(), 0-terminated when fewer */
    uint32_t period_frames; /* never above BACKEND_MAX_PERIOD_FRAMES when a stream starts */
    uint32_t period_min_frames, period_max_frames;
    uint32_t period_step_frames; /* 0: powers of two */
    bool live_period; /* set_period works between stop and start, without closing the device */
    bool elastic;     /* the clock waits for the cycle: late programs stretch time */
    bool exact;       /* what the cycle stores is what the converter gets: no server or plugin mixes
                         others in, converts or sets a level */
    /* From a frame in the air to the start of the cycle that brings it as the first of its period
     * (>= period for a device with a buffer of its own), and from the start of a cycle to its first
     * output frame in the air. */
    uint32_t input_latency_frames, output_latency_frames;
    uint64_t budget_ns; /* of a cycle: the period for a device of our own; more when elastic */
};

struct backend_stream; /* each backend's own */

struct backend_device {
    char name[BACKEND_NAME_BYTES];
    uint32_t inputs, outputs;
    bool is_default;
    /* As far as they are known without opening; 0 otherwise. */
    double rates_hz[BACKEND_MAX_RATES];
    uint32_t period_min_frames, period_max_frames, period_step_frames;
};

struct backend {
    const char *name;        /* "sim" */
    const char *description; /* for people */
    bool silent;             /* nobody hears it: "auto" takes it for want of others */
    /** Lists devices without opening one. count: room in, number out. Errors: UNSUPPORTED (what it
     * needs is not installed), TIMEOUT (a server or driver hangs), NO_MEMORY. */
    enum tutti_status (*list)(const struct config *config, struct backend_device *devices,
                              unsigned *count);
    /** Opens streams: streams[0] is the master, others run on clocks of their own. count: room in,
     * number out. callbacks [i] belongs to streams[i]. Errors: NO_DEVICE, DEVICE_BUSY,
     * UNSUPPORTED_FORMAT, UNSUPPORTED_RATE, …; error: a sentence. */
    enum tutti_status (*open)(const struct backend_request *request,
                              const struct backend_callbacks *callbacks,
                              struct backend_stream **streams, unsigned *count, char error[256]);
    const struct backend_info *(*info)(const struct backend_stream *stream);
    /** Cycles follow, in silence at first if the device takes its time. Errors: DEVICE_LOST,
     * DEVICE_FAILED. */
    enum tutti_status (*start)(struct backend_stream *stream);
    /** No cycle after it returns. */
    void (*stop)(struct backend_stream *stream);
    void (*close)(struct backend_stream *stream);
    /** Changes the period of a stopped stream; 0: to what the system runs at now. info() tells what
     * came of it. May wait for the system: programs are called meanwhile. NULL: reopen instead.
     * Errors: UNSUPPORTED (another period runs than was asked for, the former one if the system did
     * not change it: info() tells; the stream can be started, if that is not above the limit),
     * DEVICE_LOST. */
    enum tutti_status (*set_period)(struct backend_stream *stream, uint32_t period_frames);
    /** Asks the system for another period of a running stream, and waits for the answer; cycles go
     * on. OK: it is given, set_period() is to follow. NULL: set_period() alone. Errors: UNSUPPORTED
     * (refused: nothing has changed), DEVICE_LOST. */
    enum tutti_status (*request_period)(struct backend_stream *stream, uint32_t period_frames);
};

/** The one list, in the order in which "auto" tries them. NULL-terminated. */
extern const struct backend *const backends[];
/** By name; NULL when there is none. */
const struct backend *backend_find(const char *name);

#endif
