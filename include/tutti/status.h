/* SPDX-License-Identifier: MIT */
/*
 * Every way in which something can fail, in one table.
 *
 * The table gives a status its name, the ASIO error that the driver answers with, and a sentence
 * for a person. It is not a log: the native code (errno, HRESULT) is logged where it is known.
 */
#ifndef TUTTI_STATUS_H
#define TUTTI_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __ELF__ /* the library is built with hidden names but these */
#pragma GCC visibility push(default)
#endif

/* X(name, ASIO error, sentence). The order is part of the protocol: append only. */
#define TUTTI_STATUS_TABLE(X)                                                                      \
    X(OK, 0, "no error")                                                                           \
    X(INVALID_ARGUMENT, -998, "an argument is out of range")                                       \
    X(INVALID_STATE, -997, "this call is not allowed in the present state")                        \
    X(NO_MEMORY, -994, "not enough memory; close other programs and try again")                    \
    X(NO_DEVICE, -1000, "no such sound device; connect one or choose another in the settings")     \
    X(DEVICE_BUSY, -999, "the sound device is held exclusively by another program; close it")      \
    X(DEVICE_LOST, -999, "the sound device went away; connect it again")                           \
    X(DEVICE_FAILED, -999, "the sound device reported a failure; see the log")                     \
    X(UNSUPPORTED_FORMAT, -997, "the sound device offers no format that Tutti can use")            \
    X(UNSUPPORTED_RATE, -995, "the sound device cannot run at this sample rate")                   \
    X(RATE_IN_USE, -997, "other programs hold the device at its sample rate; stop them first")     \
    X(NO_ENGINE, -1000, "the Tutti engine did not start; run 'tuttid --foreground' to see why")    \
    X(ENGINE_LOST, -999, "the Tutti engine stopped; it is being started again")                    \
    X(VERSION_MISMATCH, -1000,                                                                     \
      "program and engine are of different versions; restart the program")                         \
    X(PROTOCOL, -999, "the other side sent something malformed and was disconnected")              \
    X(REFUSED, -1000, "access refused: the engine serves the user and session that started it")    \
    X(UNSUPPORTED, -998, "not supported")                                                          \
    X(TIMEOUT, -999, "no answer in time")                                                          \
    X(BAD_CONFIG, -1000, "the configuration has a mistake; the log names the line")                \
    X(IO, -999, "reading or writing failed; see the log")                                          \
    X(FULL, -994, "no place left: too many programs or channels")                                  \
    X(CLOSED, -999, "the other side closed the connection")

enum tutti_status {
#define TUTTI_STATUS_ENUM(name, asio, text) TUTTI_##name,
    TUTTI_STATUS_TABLE(TUTTI_STATUS_ENUM)
#undef TUTTI_STATUS_ENUM
        TUTTI_STATUS_COUNT
};

/** Name of a status, such as "DEVICE_BUSY". Any thread; the text is static. */
const char *tutti_status_name(enum tutti_status status);

/** A sentence that says what happened and what to do. Any thread; the text is static. */
const char *tutti_status_text(enum tutti_status status);

/** The ASIO error of a status (0 for TUTTI_OK). Any thread. */
int tutti_status_asio_error(enum tutti_status status);

#ifdef __ELF__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
