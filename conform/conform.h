/* SPDX-License-Identifier: MIT */
/*
 * tutti conform: judges any registered ASIO driver through its public binary interface. A case is a
 * function and a line in a table; the parent process never loads the driver, a child runs one case
 * after the other, and a case in which the driver crashes or hangs fails and costs that child only.
 * This header is what a case sees.
 *
 *   groups.c      the one list of groups; their tables are in cases_*.c
 *   verdict.c     what a case says, written to the parent
 *   subject.c     a driver object on its way from Loaded to Running and back
 *   calls.c       the 24 methods, watched and with guarded out-parameters
 *   host.c        the callbacks, and what was seen in them
 *   find.c        drivers in the registry, created by COM
 *   samples.c     sample formats; burst.c: a sound that is found again
 *   look.c        what is true of the driver before any case, such as its number of channels
 *   child.c       runs cases; parent.c: runs children, collects results
 *   show*.c       results as text, JSON, HTML
 *
 * Windows only: 64-bit and 32-bit.
 */
#ifndef TUTTI_CONFORM_CONFORM_H
#define TUTTI_CONFORM_CONFORM_H

#include <windows.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tutti/asio.h"

/* ---- tables ---- */

struct conform; /* the case that runs */

/* What must hold for a case to make sense; else it is skipped, and the reason says what is missing.
 */
enum conform_need {
    NEED_INIT = 1,      /* init succeeds */
    NEED_STREAM = 2,    /* callbacks come after start */
    NEED_INPUT = 4,     /* at least one input channel */
    NEED_OUTPUT = 8,    /* at least one output channel */
    NEED_LOOPBACK = 16, /* what an output plays comes back on an input, see struct conform_facts */
    NEED_X86 = 32,      /* this is the 32-bit program */
};

struct conform_case {
    const char *name;   /* lower_snake, a sentence if possible, at most 60 letters, unique in all */
    const char *rule;   /* what a driver must do, one sentence */
    const char *source; /* where that is written or seen */
    void (*run)(struct conform *t);
    unsigned needs;   /* enum conform_need */
    unsigned seconds; /* the case may take so long, beyond CONFORM_CASE_S; 0: no longer */
};

struct conform_group {
    const char *name, *about;
    const struct conform_case *cases;
    unsigned count;
};

extern const struct conform_group *const conform_groups[]; /* groups.c; ends with NULL */

enum {
    CONFORM_CASE_S = 30, /* a case that lasts longer has hung */
    CONFORM_CALL_S = 20, /* and so has a call of the driver */
    CONFORM_TEXT_BYTES = 400,
};

/* ---- what a case says (verdict.c; any thread but a callback's) ---- */

/** The case fails: what was expected and what came, as one sentence without a full stop. It goes
 * on; the first few sentences are kept. */
void conform_fail(struct conform *t, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));
/** conform_fail() when the condition does not hold. Returns the condition. */
#define conform_expect(t, condition, ...)                                                          \
    ((condition) ? true : (conform_fail(t, __VA_ARGS__), false))
/** The case cannot be judged here, for this reason. Failures count all the same. */
void conform_skip(struct conform *t, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));
/** The figure of the case, such as 12.5 "us"; the last one counts. unit: a few letters. */
void conform_figure(struct conform *t, double value, const char *unit);
/** The case is tried for so many times now; the last one counts, and the report tells it. */
void conform_tries(struct conform *t, unsigned tries);
/** Points for a picture in the report: "callbacks" (ms since start, interval in us), "latency"
 * (buffer size, frames reported) and so on. The last call of a name counts. */
void conform_series(struct conform *t, const char *name, const double *x, const double *y,
                    unsigned count);
bool conform_failed(const struct conform *t);
/** Seconds that a case of open length shall stream: --seconds or its default. */
double conform_seconds(const struct conform *t);
/** Name under HKLM\SOFTWARE\ASIO, utf-8. */
const char *conform_driver_name(const struct conform *t);
const struct asio_guid *conform_clsid(const struct conform *t);

/* What a first look at the driver found out, by a child of its own. */
struct conform_facts {
    int32_t looked; /* 0: the driver crashed or hung when looked at; nothing here is known then */
    int32_t init, streams;
    int32_t version;
    int32_t inputs, outputs;
    int32_t min, max, preferred, granularity;
    double rate_hz;
    int32_t input_type, output_type;                             /* of channel 0; -1: none */
    int32_t loop_output, loop_input;                             /* -1: no loopback */
    char name[ASIO_NAME_BYTES + 1], error[ASIO_ERROR_BYTES + 1]; /* error: of init */
};
const struct conform_facts *conform_facts(const struct conform *t);

/** Nanoseconds of QueryPerformanceCounter. */
uint64_t conform_now_ns(void);
void conform_sleep_ms(unsigned ms);
/** Text of an answer, such as "InvalidParameter (-998)". Static or from a ring of buffers: use it
 * within the sentence. */
const char *conform_error_text(int32_t error);

enum conform_apartment { APARTMENT_NONE, APARTMENT_STA, APARTMENT_MTA };
/** Runs a function on a new thread and waits. False: it is not back after so many seconds (and
 * conform_fail() said so); its argument must live on then. Cases themselves run in an STA. */
bool conform_on_thread(struct conform *t, enum conform_apartment apartment, unsigned seconds,
                       void (*run)(void *arg), void *arg);

/* ---- the methods (calls.c) ---- */

/* X(member, as hosts know it) in the order of the slots */
#define CONFORM_METHODS(X)                                                                         \
    X(query_interface, "QueryInterface")                                                           \
    X(add_ref, "AddRef")                                                                           \
    X(release, "Release")                                                                          \
    X(init, "init")                                                                                \
    X(get_driver_name, "getDriverName")                                                            \
    X(get_driver_version, "getDriverVersion")                                                      \
    X(get_error_message, "getErrorMessage")                                                        \
    X(start, "start")                                                                              \
    X(stop, "stop")                                                                                \
    X(get_channels, "getChannels")                                                                 \
    X(get_latencies, "getLatencies")                                                               \
    X(get_buffer_size, "getBufferSize")                                                            \
    X(can_sample_rate, "canSampleRate")                                                            \
    X(get_sample_rate, "getSampleRate")                                                            \
    X(set_sample_rate, "setSampleRate")                                                            \
    X(get_clock_sources, "getClockSources")                                                        \
    X(set_clock_source, "setClockSource")                                                          \
    X(get_sample_position, "getSamplePosition")                                                    \
    X(get_channel_info, "getChannelInfo")                                                          \
    X(create_buffers, "createBuffers")                                                             \
    X(dispose_buffers, "disposeBuffers")                                                           \
    X(control_panel, "controlPanel")                                                               \
    X(future, "future")                                                                            \
    X(output_ready, "outputReady")

enum conform_method {
#define CONFORM_METHOD_ID(member, text) METHOD_##member,
    CONFORM_METHODS(CONFORM_METHOD_ID)
#undef CONFORM_METHOD_ID
        METHOD_COUNT
};
const char *conform_method_name(enum conform_method method);

/*
 * Each calls the driver and notes meanwhile that it does, so that a crash or a hang can be told
 * with the method's name; any thread, a callback's too. Out-parameters go through room of our own
 * with guard bytes on both sides: what a driver writes outside is remembered in subject->overrun
 * and harms nobody. NULL is passed on as NULL. Nothing is judged here.
 */
struct subject;
int32_t call_query_interface(struct subject *s, const struct asio_guid *iid, void **object);
uint32_t call_add_ref(struct subject *s);
uint32_t call_release(struct subject *s); /* s->asio becomes NULL when the answer is 0 */
int32_t call_init(struct subject *s, void *window);
void call_get_driver_name(struct subject *s, char name[ASIO_NAME_BYTES + 1]); /* terminated by us */
int32_t call_get_driver_version(struct subject *s);
void call_get_error_message(struct subject *s, char text[ASIO_ERROR_BYTES + 1]);
int32_t call_start(struct subject *s);
int32_t call_stop(struct subject *s);
int32_t call_get_channels(struct subject *s, int32_t *inputs, int32_t *outputs);
int32_t call_get_latencies(struct subject *s, int32_t *input_frames, int32_t *output_frames);
int32_t call_get_buffer_size(struct subject *s, int32_t *min, int32_t *max, int32_t *preferred,
                             int32_t *granularity);
int32_t call_can_sample_rate(struct subject *s, double rate_hz);
int32_t call_get_sample_rate(struct subject *s, double *rate_hz);
int32_t call_set_sample_rate(struct subject *s, double rate_hz);
/** clocks: room for *count, 16 at most. */
int32_t call_get_clock_sources(struct subject *s, struct asio_clock_source *clocks, int32_t *count);
int32_t call_set_clock_source(struct subject *s, int32_t index);
int32_t call_get_sample_position(struct subject *s, uint64_t *position, uint64_t *time_ns);
int32_t call_get_channel_info(struct subject *s, struct asio_channel_info *info);
/** As they are: infos and callbacks are the caller's own. */
int32_t call_create_buffers(struct subject *s, struct asio_buffer_info *infos, int32_t count,
                            int32_t buffer_frames, const struct asio_callbacks *callbacks);
int32_t call_dispose_buffers(struct subject *s);
int32_t call_control_panel(struct subject *s);
/** bytes: of the parameter, at most 512; 0 with a NULL parameter. */
int32_t call_future(struct subject *s, int32_t selector, void *parameter, unsigned bytes);
int32_t call_output_ready(struct subject *s);

/* ---- the host's side (host.c) ---- */

enum {
    HOST_SLOTS = 4,        /* hosts at once in one process */
    HOST_BLOCKS = 1 << 17, /* callbacks that are remembered; more are counted */
    HOST_MESSAGES = 256,
};

/* One callback as it was seen. */
struct host_block {
    uint64_t begin_ns, end_ns;  /* conform_now_ns() */
    uint64_t position, time_ns; /* by the time info, else as getSamplePosition said */
    double rate_hz;             /* of the time info */
    uint32_t flags;             /* of the time info, enum asio_time_flag */
    DWORD thread;
    int32_t answer; /* of getSamplePosition; ASIO_OK when the time info told both */
    int32_t half, direct;
    bool info; /* bufferSwitchTimeInfo, else bufferSwitch */
    bool null_time;
};

struct host_message {
    int32_t selector, value;
    uint64_t at_ns;
    DWORD thread;
};

/*
 * What a host shows to a driver. Zeroed and then host_open()ed by subject_create(); a case sets the
 * first part before createBuffers, reads the last one at any time.
 */
struct host {
    struct subject *subject;
    /* behaviour */
    uint32_t knows;      /* bits by enum asio_message: 1 to SELECTOR_SUPPORTED, and a good answer */
    bool null_time_info; /* the fourth callback is NULL */
    bool ask_position;   /* getSamplePosition in each call without time info */
    bool output_ready;   /* outputReady at the end of each call */
    /** At the end of each callback, before outputReady; NULL: nothing. s->infos[i].buffers[half].
     */
    void (*on_block)(struct host *host, const struct host_block *block);
    /** Instead of the usual answer; NULL: that. */
    int32_t (*on_message)(struct host *host, int32_t selector, int32_t value, void *message,
                          double *option);
    void (*on_rate)(struct host *host, double rate_hz);
    void *user; /* the case's own */
    /* seen; written by callbacks, the counts after what they count */
    struct asio_callbacks callbacks; /* for createBuffers */
    struct host_block *blocks;       /* HOST_BLOCKS long */
    _Atomic uint32_t block_count;    /* may exceed HOST_BLOCKS */
    _Atomic uint32_t inside;         /* callbacks that run now */
    _Atomic uint32_t nested;         /* times that one came while another ran */
    struct host_message messages[HOST_MESSAGES];
    _Atomic uint32_t message_count, rate_count;
    HANDLE block_event; /* set by each callback */
    unsigned slot;
};

/** All that hosts usually know. */
enum {
    HOST_KNOWS_USUAL = 1 << ASIO_MESSAGE_SELECTOR_SUPPORTED | 1 << ASIO_MESSAGE_ENGINE_VERSION |
                       1 << ASIO_MESSAGE_RESET_REQUEST | 1 << ASIO_MESSAGE_RESYNC_REQUEST |
                       1 << ASIO_MESSAGE_LATENCIES_CHANGED | 1 << ASIO_MESSAGE_SUPPORTS_TIME_INFO |
                       1 << ASIO_MESSAGE_OVERLOAD,
};

/** Takes a slot and fills callbacks; knows is HOST_KNOWS_USUAL. False: no slot or memory. */
bool host_open(struct host *host, struct subject *subject);
/** The driver must not call any more. */
void host_close(struct host *host);
/** Forgets what was seen. Not while callbacks come. */
void host_forget(struct host *host);
/** Waits until `count` callbacks have come since host_forget(). False: not within the time. */
bool host_wait(struct host *host, uint32_t count, unsigned timeout_ms);
unsigned host_count_messages(const struct host *host, int32_t selector);

/* ---- a driver object (subject.c) ---- */

enum { SUBJECT_CHANNELS = 256 /* per direction */ };

struct subject {
    struct conform *t;
    struct asio_driver *asio; /* NULL: none */
    struct host host;
    uint32_t overrun; /* bits by enum conform_method: wrote beyond an out-parameter */
    uint32_t overrun_below, overrun_above; /* which side */
    /* by subject_init() */
    int32_t inputs, outputs, min, max, preferred, granularity;
    double rate_hz;
    /* by subject_prepare() */
    int32_t buffer_frames;
    int32_t count; /* of infos: inputs first */
    struct asio_buffer_info infos[2 * SUBJECT_CHANNELS];
    int32_t types[2 * SUBJECT_CHANNELS]; /* enum asio_sample_type of each */
    int32_t input_latency, output_latency;
    bool prepared, running;
};

/** A subject of its own on the heap, with its driver created by COM, in state Loaded. NULL: failed
 * and said. Ends with subject_close(). */
struct subject *subject_create(struct conform *t);
/** init (window NULL) and what hosts ask next. False: failed and said. */
bool subject_init(struct subject *s);
/** subject_create() and subject_init(). */
struct subject *subject_open(struct conform *t);
/** createBuffers with the first so many channels (-1: all of them; fewer are taken when there are
 * fewer) and a buffer size (0: preferred), then getLatencies. False: failed and said. */
bool subject_prepare(struct subject *s, int32_t inputs, int32_t outputs, int32_t buffer_frames);
/** start. False: failed and said. */
bool subject_start(struct subject *s);
/** start, and `count` callbacks within the time that they need, and 3 s more. */
bool subject_stream(struct subject *s, uint32_t count);
/** stop, when it runs; the answer is judged. */
void subject_stop(struct subject *s);
/** subject_stop() and disposeBuffers; the answer is judged. */
void subject_dispose(struct subject *s);
/** subject_dispose(), Release, and frees. NULL is fine. */
void subject_close(struct subject *s);
/** Lets go of what is not safe to free, because the driver may still use it. */
void subject_abandon(struct subject *s);

/** Text after a failed call, "createBuffers answered NoMemory (-994): no device". */
void subject_fail(struct subject *s, enum conform_method method, int32_t answer);

/* The states as cases walk through them. */
enum subject_state { LOADED, INITIALIZED, PREPARED, RUNNING, SUBJECT_STATES };
extern const char *const subject_state_names[SUBJECT_STATES];
/** A fresh subject in a state, the second callback seen when it is RUNNING. NULL: failed and said.
 */
struct subject *subject_in(struct conform *t, enum subject_state state);

#endif
