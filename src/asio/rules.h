/* SPDX-License-Identifier: MIT */
/*
 * The state machine of one ASIO object as two tables: which state may follow which, and which call
 * is allowed in which state, with the answer when it is not. Pure data, no Windows: the gate asks
 * it, a test walks through it.
 */
#ifndef TUTTI_ASIO_RULES_H
#define TUTTI_ASIO_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "tutti/asio.h"

enum state {
    STATE_LOADED,      /* created; nothing is open */
    STATE_INITIALIZED, /* connected to the engine */
    STATE_PREPARED,    /* has buffers */
    STATE_RUNNING,     /* callbacks come */
    STATE_COUNT
};

/* Sets of states. */
enum {
    IN_LOADED = 1 << STATE_LOADED,
    IN_INITIALIZED = 1 << STATE_INITIALIZED,
    IN_PREPARED = 1 << STATE_PREPARED,
    IN_RUNNING = 1 << STATE_RUNNING,
    IN_INIT_AND_LATER = IN_INITIALIZED | IN_PREPARED | IN_RUNNING,
    IN_ANY = IN_LOADED | IN_INIT_AND_LATER,
};

/* One at a time per object, or any number at once (those read atomics and what libtutti allows on
 * any thread). */
enum { ALONE = 1, FREELY = 0 };

/* X(name, as hosts know it, allowed in, alone or freely, answer while Loaded, answer in later
 * states where it is not allowed, what to know of it) */
#define RULES_TABLE(X)                                                                             \
    X(INIT, "init", IN_ANY, ALONE, ASIO_OK, ASIO_OK,                                               \
      "1 or 0; connects to the engine, opens no device; the window is not looked at; may be "      \
      "tried again after 0; after 1 it does nothing and answers 1")                                \
    X(GET_DRIVER_NAME, "getDriverName", IN_ANY, FREELY, ASIO_OK, ASIO_OK, "the registry key")      \
    X(GET_DRIVER_VERSION, "getDriverVersion", IN_ANY, FREELY, ASIO_OK, ASIO_OK,                    \
      "major, minor, patch in a byte each")                                                        \
    X(GET_ERROR_MESSAGE, "getErrorMessage", IN_ANY, FREELY, ASIO_OK, ASIO_OK,                      \
      "the last refusal's reason, also that of another thread")                                    \
    X(START, "start", IN_PREPARED, ALONE, ASIO_NOT_PRESENT, ASIO_INVALID_MODE,                     \
      "position 0, half 0 first; what the host filled into half 1 is played before it")            \
    X(STOP, "stop", IN_RUNNING, ALONE, ASIO_NOT_PRESENT, ASIO_INVALID_MODE,                        \
      "no callback after it returns; within a callback: after that one")                           \
    X(GET_CHANNELS, "getChannels", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,           \
      "NotPresent where the device has none at all")                                               \
    X(GET_LATENCIES, "getLatencies", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,         \
      "before createBuffers what the engine would give to the preferred size; then to the "        \
      "frame")                                                                                     \
    X(GET_BUFFER_SIZE, "getBufferSize", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,      \
      "see below")                                                                                 \
    X(CAN_SAMPLE_RATE, "canSampleRate", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,      \
      "NoClock where setSampleRate would refuse it now")                                           \
    X(GET_SAMPLE_RATE, "getSampleRate", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,      \
      "with buffers the same as the time info")                                                    \
    X(SET_SAMPLE_RATE, "setSampleRate", IN_INIT_AND_LATER, ALONE, ASIO_NOT_PRESENT, ASIO_OK,       \
      "see below; NoClock for what the device does not run at; InvalidMode while other programs "  \
      "hold it at another rate")                                                                   \
    X(GET_CLOCK_SOURCES, "getClockSources", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,  \
      "one, 'Internal': a device is its own clock; the count is reported also without room")       \
    X(SET_CLOCK_SOURCE, "setClockSource", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,    \
      "InvalidParameter for another than 0")                                                       \
    X(GET_SAMPLE_POSITION, "getSamplePosition", IN_RUNNING, FREELY, ASIO_SP_NOT_ADVANCING,         \
      ASIO_SP_NOT_ADVANCING, "of the last block, one pair; SPNotAdvancing before the first")       \
    X(GET_CHANNEL_INFO, "getChannelInfo", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,    \
      "InvalidParameter for a channel that there is not")                                          \
    X(CREATE_BUFFERS, "createBuffers", IN_INITIALIZED, ALONE, ASIO_NOT_PRESENT, ASIO_INVALID_MODE, \
      "opens the device; InvalidMode for a size that is not offered")                              \
    X(DISPOSE_BUFFERS, "disposeBuffers", IN_PREPARED | IN_RUNNING, ALONE, ASIO_INVALID_MODE,       \
      ASIO_INVALID_MODE, "stops first; within a callback the buffers stay until it returns")       \
    X(CONTROL_PANEL, "controlPanel", IN_ANY, FREELY, ASIO_OK, ASIO_OK,                             \
      "NotPresent in each state: there is none yet")                                               \
    X(FUTURE, "future", IN_ANY, FREELY, ASIO_OK, ASIO_OK, "see its own table")                     \
    X(OUTPUT_READY, "outputReady", IN_INIT_AND_LATER, FREELY, ASIO_NOT_PRESENT, ASIO_OK,           \
      "NotPresent with late_take, where it gains nothing")

enum call {
#define RULES_CALL(name, text, states, alone, loaded, later, why) CALL_##name,
    RULES_TABLE(RULES_CALL)
#undef RULES_CALL
        CALL_COUNT
};

struct rule {
    const char *name;
    uint8_t states; /* in which it is allowed */
    bool alone;
    int32_t loaded; /* answer when refused while Loaded */
    int32_t later;  /* answer when refused in another state */
};

extern const struct rule rules[CALL_COUNT];

/** ASIO_OK when the call is allowed in this state, else the answer. */
int32_t rules_check(enum call call, enum state state);

/** True when state `to` may follow `from`. */
bool rules_may_enter(enum state from, enum state to);

/** What the object is like in a state, to go on after "not allowed: ". Static text. */
const char *rules_state_text(enum state state);

#endif
