/* SPDX-License-Identifier: MIT */
/*
 * What a real host calls, in which order, as a table of steps, and the one function that goes
 * through it. A script says what its host does and which answers that host can live with; what the
 * host does in its callbacks is said beside the steps. Scripts are in hosts_*.c.
 */
#ifndef TUTTI_CONFORM_SCRIPT_H
#define TUTTI_CONFORM_SCRIPT_H

#include "conform/conform.h"

/* Answers, as a set. */
enum script_answer {
    ANSWER_OK = 1,
    ANSWER_SUCCESS = 2,
    ANSWER_NOT_PRESENT = 4,
    ANSWER_HW_MALFUNCTION = 8,
    ANSWER_INVALID_PARAMETER = 16,
    ANSWER_INVALID_MODE = 32,
    ANSWER_SP_NOT_ADVANCING = 64,
    ANSWER_NO_CLOCK = 128,
    ANSWER_NO_MEMORY = 256,
    ANSWER_ANY = 511, /* any of them; nothing else is an answer */
};

/* X(NAME, function): what a step does. `a`, `b` and `x` are its arguments; where nothing is said it
 * has none. */
#define SCRIPT_STEPS(X)                                                                            \
    X(CREATE, do_create)             /* CoCreateInstance */                                        \
    X(LOAD, do_load)                 /* LoadLibrary and DllGetClassObject, without COM */          \
    X(INIT, do_init)                 /* a: enum script_window; must answer 1 */                    \
    X(NAME, do_name)                 /* getDriverName; not empty */                                \
    X(VERSION, do_version)           /* getDriverVersion */                                        \
    X(ERROR_TEXT, do_error)          /* getErrorMessage */                                         \
    X(CHANNELS, do_channels)         /* getChannels; as many as before */                          \
    X(SIZES, do_sizes)               /* getBufferSize */                                           \
    X(LATENCIES, do_latencies)       /* getLatencies */                                            \
    X(RATE, do_rate)                 /* getSampleRate */                                           \
    X(CAN_RATES, do_can_rates)       /* canSampleRate of the usual ones; keeps those accepted */   \
    X(CAN_RATE, do_can_rate)         /* of x; 0: of the current one */                             \
    X(SET_RATE, do_set_rate)         /* a: enum script_rate; or x, if not 0 and accepted */        \
    X(EXPECT_RATE, do_expect_rate)   /* getSampleRate tells what was set last */                   \
    X(CLOCKS, do_clocks)             /* getClockSources with room for a */                         \
    X(CLOCK, do_clock)               /* setClockSource of a */                                     \
    X(CHANNEL_INFO, do_channel_info) /* of all; a: isActive as it was created, too */              \
    X(FIRST_INFO, do_first_info)     /* of channel 0; a: isInput */                                \
    X(OUTPUT_READY, do_output_ready) /* OK: callbacks call it from now on, if the host does */     \
    X(FUTURE, do_future)             /* selector a, no parameter */                                \
    X(PANEL, do_panel)               /* controlPanel */                                            \
    X(BUFFERS, do_buffers)           /* a inputs, b outputs (-1: all); x: enum script_size */      \
    X(CLEAR, do_clear)               /* zeroes both halves of the outputs */                       \
    X(START, do_start)                                                                             \
    X(BLOCKS, do_blocks)     /* waits for a callbacks: 3 s, and the time that they last */         \
    X(SLEEP, do_sleep)       /* a milliseconds */                                                  \
    X(POSITION, do_position) /* getSamplePosition */                                               \
    X(STOP, do_stop)         /* OK: no callback runs afterwards, and none comes */                 \
    X(DISPOSE, do_dispose)   /* disposeBuffers */                                                  \
    X(RELEASE, do_release)   /* the last one; must answer 0 */                                     \
    X(UNLOAD, do_unload)     /* FreeLibrary, after LOAD */                                         \
    X(OTHER, do_other)       /* the next steps are the other object's, and back */

enum script_do {
#define SCRIPT_STEP_ID(NAME, function) DO_##NAME,
    SCRIPT_STEPS(SCRIPT_STEP_ID)
#undef SCRIPT_STEP_ID
};

enum script_window { WINDOW_NONE, WINDOW_DESKTOP, WINDOW_GARBAGE };
enum script_rate {
    RATE_CURRENT,
    RATE_ANOTHER, /* that was accepted; none: the step is left out */
    RATE_FIRST,   /* the one the driver was met with */
};
enum script_size { SIZE_PREFERRED, SIZE_MIN, SIZE_DOUBLE, SIZE_LARGE, SIZE_OFF_GRID };

struct script_step {
    enum script_do what;
    unsigned allowed; /* enum script_answer; 0: OK alone, or what the step says */
    int32_t a, b;
    double x;
};

/* A step without arguments, and one with: WITH(INIT, .a = WINDOW_NONE). */
#define DO(NAME)                                                                                   \
    {                                                                                              \
        .what = DO_##NAME                                                                          \
    }
#define WITH(NAME, ...)                                                                            \
    {                                                                                              \
        .what = DO_##NAME, __VA_ARGS__                                                             \
    }

enum script_ready { READY_NEVER, READY_IF_OK, READY_ALWAYS };

/* What the host does while it runs. */
struct script_host {
    uint32_t knows;      /* bits by enum asio_message: 1 to SELECTOR_SUPPORTED */
    bool wants_time;     /* 1 to SUPPORTS_TIME_INFO */
    bool null_time_info; /* the fourth callback is NULL */
    bool asks_position;  /* getSamplePosition in bufferSwitch */
    enum script_ready ready;
    unsigned first_ms; /* so long takes the first callback */
    bool writes_later; /* another thread writes the outputs after the callback returned */
};

struct script {
    const char *host;
    struct script_host behaviour;
    const struct script_step *steps;
    unsigned count;
    enum conform_apartment apartment; /* of a thread of its own; APARTMENT_NONE: the case's */
};

/** Goes through a script; each step that its host could not live with is a failure, and ends it.
 * Callbacks are looked at, too: halves alternate, positions grow by the buffer. */
void script_run(struct conform *t, const struct script *script);

#endif
