/* SPDX-License-Identifier: MIT */
/*
 * "Broken by Design": a small ASIO driver in one DLL that is right in everything until TUTTI_DEFECT
 * names one defect of defects.h. It shows that each case of `tutti conform` can fail. It is written
 * from the public facts alone (tutti/asio.h) and shares no code with Tutti's own driver.
 *
 * It has no hardware: a thread with a timer is its clock, and a cable inside leads each output to
 * the input of the same number, without delay of its own. So the round trip is what the latencies
 * say. Every object is a card of its own.
 *
 *   dll.c        the module: class factory, registry
 *   driver.c     the object: COM, init, texts, who is in which state
 *   answers.c    what hosts ask: channels, sizes, rates, clocks, future
 *   buffers.c    createBuffers to disposeBuffers, start, stop, position
 *   callback.c   the clock's thread: cable, callbacks
 *   message.c    the thread that tells the host
 */
#ifndef TUTTI_TESTS_BROKEN_H
#define TUTTI_TESTS_BROKEN_H

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>

#include "defects.h"
#include "tutti/asio.h"

#define BROKEN_NAME "Broken by Design"

enum {
    CHANNELS = 4, /* in each direction */
    BUFFER_MIN = 32,
    BUFFER_MAX = 2048,
    BUFFER_PREFERRED = 256,
    /* What lies between the buffers and the cable, in frames: the "converters". */
    INPUT_EXTRA = 12,
    OUTPUT_EXTRA = 160,
    CABLE_FRAMES = 8192, /* ring: over twice the largest buffer and the converters */
    CALLBACK_PATIENCE_MS = 200,
    ELASTIC_NS = 10000000, /* so much lateness is made up for, as by a card with memory */
};

/* The defect that is on, or DEFECT_none. Read when the module is asked for its class. */
extern enum defect defect_on;
#define BROKEN(name) (defect_on == DEFECT_##name)

/* Bits for the message thread. */
enum { TELL_RESET = 1, TELL_OVERLOAD = 2, TELL_RATE = 4, TELL_LATENCIES = 8 };

/* What createBuffers makes and disposeBuffers ends. Its two threads never touch the object, which
 * may be gone while they end: each holds a reference on this alone. */
struct stream {
    LONG references;
    struct asio_callbacks callbacks;   /* a copy */
    const struct asio_callbacks *host; /* that copy */
    uint32_t host_knows;               /* bit n: answered 1 to SELECTOR_SUPPORTED n */
    bool time_info;
    int32_t engine_version;
    int32_t frames;
    double rate_hz;
    float *samples; /* all halves; pages of their own */
    size_t samples_bytes;
    float *input[CHANNELS][2], *output[CHANNELS][2]; /* NULL: not asked for */
    float *cable[CHANNELS];                          /* CABLE_FRAMES, by position */
    HANDLE thread, message_thread;
    DWORD tid, message_tid;
    HMODULE module; /* one reference on it for each thread */

    SRWLOCK lock;
    CONDITION_VARIABLE changed;
    /* covered by lock */
    bool running, quit, in_callback;
    uint32_t run;                         /* count of starts */
    int32_t half;                         /* of the next block */
    uint64_t position;                    /* of the next block, frames since start */
    uint64_t start_ns;                    /* of the clock */
    uint64_t offset_ns;                   /* from the clock to timeGetTime() */
    uint64_t told_position, told_time_ns; /* of the last block, for getSamplePosition */
    bool has_block;
    uint64_t due_ns;   /* of the block that is waited for */
    uint32_t blocks;   /* since start */
    uint32_t channels; /* asked for */
    bool has_previous; /* a block that was delivered and not taken yet, in the other half */
    uint64_t previous_position; /* of it */
    bool first;                 /* there was no other stream when it began */
    bool was_busy;              /* the host took long in the last callback */
    bool probed;                /* outputReady was called before createBuffers */
    uint32_t tell;              /* TELL_* */
    bool reset_told;
    bool leaks;       /* its message thread does not end */
    bool ready;       /* outputReady was called in this callback */
    uint32_t readies; /* calls of outputReady outside of callbacks */
};

struct driver {
    struct asio_driver com; /* first: what the host holds */
    LONG references;
    CRITICAL_SECTION lock; /* the rest; never held while waiting for a thread or calling the host */
    bool initialized;
    struct stream *stream; /* from createBuffers to disposeBuffers */
    double rate_hz;
    double wanted_rate_hz; /* asked for while there were buffers; 0: none */
    DWORD tid;             /* that called init */
    LONG born;             /* objects that had been released before this one was initialised */
    bool probed;           /* outputReady was called before there were buffers */
    bool prepared_before;
    char error[2 * ASIO_ERROR_BYTES];
};

static inline struct driver *
driver_of(struct asio_driver *self)
{
    return (struct driver *)self;
}

/* ---- dll.c ---- */

/** For defects that leave the device taken: a mark that outlives the process. False: it is there
 * already. */
bool mark_set(const char *name);
void mark_clear(const char *name);

/** Counts what lives in the module. */
void dll_hold(void);
void dll_let_go(void);
/** The name of the defect's own entry in the registry; BROKEN_NAME where it has none. */
const char *dll_entry_name(void);
/** A reference on the module for a thread that ends by FreeLibraryAndExitThread(). */
HMODULE dll_pin(void);

/* ---- driver.c ---- */

struct asio_driver *driver_new(void);
/** Notes the text for getErrorMessage; gives back `result`. */
int32_t driver_fail(struct driver *driver, int32_t result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** True: go on. Otherwise *result is the answer of an object that was not initialised. */
bool driver_ready(struct driver *driver, int32_t *result);
/** True on the thread of the callbacks, within one. */
bool in_callback(const struct driver *driver);
/** The rate that the last object of this process was set to. */
double rate_recall(void);
void rate_remember(double rate_hz);

/* ---- answers.c ---- */

int32_t TUTTI_ASIO get_channels(struct asio_driver *self, int32_t *inputs, int32_t *outputs);
int32_t TUTTI_ASIO get_latencies(struct asio_driver *self, int32_t *input, int32_t *output);
int32_t TUTTI_ASIO get_buffer_size(struct asio_driver *self, int32_t *min, int32_t *max,
                                   int32_t *preferred, int32_t *granularity);
int32_t TUTTI_ASIO can_sample_rate(struct asio_driver *self, double rate_hz);
int32_t TUTTI_ASIO get_sample_rate(struct asio_driver *self, double *rate_hz);
int32_t TUTTI_ASIO set_sample_rate(struct asio_driver *self, double rate_hz);
int32_t TUTTI_ASIO get_clock_sources(struct asio_driver *self, struct asio_clock_source *clocks,
                                     int32_t *count);
int32_t TUTTI_ASIO set_clock_source(struct asio_driver *self, int32_t index);
int32_t TUTTI_ASIO get_channel_info(struct asio_driver *self, struct asio_channel_info *info);
int32_t TUTTI_ASIO future(struct asio_driver *self, int32_t selector, void *parameter);
/** What getLatencies and the internal buffers are made of. */
void latencies_of(int32_t frames, int32_t *input, int32_t *output);

/* ---- buffers.c ---- */

int32_t TUTTI_ASIO create_buffers(struct asio_driver *self, struct asio_buffer_info *infos,
                                  int32_t count, int32_t frames,
                                  const struct asio_callbacks *callbacks);
int32_t TUTTI_ASIO dispose_buffers(struct asio_driver *self);
int32_t TUTTI_ASIO start(struct asio_driver *self);
int32_t TUTTI_ASIO stop(struct asio_driver *self);
int32_t TUTTI_ASIO get_sample_position(struct asio_driver *self, struct asio_int64 *position,
                                       struct asio_int64 *time_ns);
int32_t TUTTI_ASIO output_ready(struct asio_driver *self);
void stream_release(struct stream *stream);
/** Silence in all halves. The lock is held, and no callback runs. */
void clear_halves(struct stream *stream);

/* ---- callback.c ---- */

DWORD WINAPI callback_main(void *stream);
extern LONG starts; /* of all streams of the process */
/** How many streams have a thread now, of all objects. */
LONG streams_of_all(void);
/** A defect: the halves cannot be touched outside of callbacks. */
void protect_halves(struct stream *stream, DWORD protection);
/** The clock: nanoseconds, steady. */
uint64_t clock_now_ns(void);
/** From the clock to timeGetTime() in ns; takes up to two milliseconds. */
uint64_t clock_offset_ns(void);
uint64_t clock_frames_ns(const struct stream *stream, uint64_t frames);

/* ---- message.c ---- */

DWORD WINAPI message_main(void *stream);
/** The thread that is within a message of any stream; 0: none. */
extern volatile DWORD telling_tid;
/** Any thread, without the lock. */
void message_post(struct stream *stream, uint32_t tell);

#endif
