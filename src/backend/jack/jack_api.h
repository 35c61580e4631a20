/* SPDX-License-Identifier: MIT */
/*
 * The part of JACK's C interface that Tutti uses, written from its documented ABI, and the table of
 * its functions, filled from libjack when that is found at run time. Nothing links against JACK.
 * PipeWire's replacement of libjack has the same interface.
 */
#ifndef TUTTI_BACKEND_JACK_API_H
#define TUTTI_BACKEND_JACK_API_H

#include <stdbool.h>
#include <stdint.h>

struct jack_client; /* JACK's own */
struct jack_port;

enum jack_options {
    JACK_OPTION_NONE = 0,
    JACK_OPTION_NO_START_SERVER = 0x01,
    JACK_OPTION_SERVER_NAME = 0x04, /* a name follows the status */
};

enum jack_status_bit {
    JACK_STATUS_NAME_NOT_UNIQUE = 0x04, /* the server chose another name */
    JACK_STATUS_SERVER_FAILED = 0x10,
    JACK_STATUS_VERSION_ERROR = 0x400,
};

enum jack_port_flag {
    JACK_PORT_IS_INPUT = 0x1,
    JACK_PORT_IS_OUTPUT = 0x2,
    JACK_PORT_IS_PHYSICAL = 0x4,
    JACK_PORT_IS_TERMINAL = 0x10,
};

enum jack_latency_mode { JACK_LATENCY_CAPTURE = 0, JACK_LATENCY_PLAYBACK = 1 };

struct jack_latency_range {
    uint32_t min, max; /* frames */
};

#define JACK_AUDIO_TYPE "32 bit float mono audio"

typedef int (*jack_process_fn)(uint32_t frames, void *arg);
typedef int (*jack_xrun_fn)(void *arg);
typedef int (*jack_frames_fn)(uint32_t frames, void *arg); /* buffer size, sample rate */
typedef void (*jack_latency_fn)(int mode, void *arg);      /* enum jack_latency_mode */
typedef void (*jack_freewheel_fn)(int starting, void *arg);
typedef void (*jack_registration_fn)(uint32_t port, int registered, void *arg);
typedef void (*jack_shutdown_fn)(int code, const char *reason, void *arg);
typedef void (*jack_message_fn)(const char *text);

/* X(result, name without jack_, parameters). Times are in microseconds of jack_get_time(), frame
 * counts wrap at 32 bits. */
#define JACK_FUNCTIONS(X)                                                                          \
    X(struct jack_client *, client_open, (const char *name, int options, int *status, ...))        \
    X(int, client_close, (struct jack_client * client))                                            \
    X(char *, get_client_name, (struct jack_client * client))                                      \
    X(int, activate, (struct jack_client * client))                                                \
    X(int, deactivate, (struct jack_client * client))                                              \
    X(int, set_process_callback, (struct jack_client * client, jack_process_fn fn, void *arg))     \
    X(int, set_xrun_callback, (struct jack_client * client, jack_xrun_fn fn, void *arg))           \
    X(int, set_buffer_size_callback, (struct jack_client * client, jack_frames_fn fn, void *arg))  \
    X(int, set_sample_rate_callback, (struct jack_client * client, jack_frames_fn fn, void *arg))  \
    X(int, set_latency_callback, (struct jack_client * client, jack_latency_fn fn, void *arg))     \
    X(int, set_freewheel_callback, (struct jack_client * client, jack_freewheel_fn fn, void *arg)) \
    X(int, set_port_registration_callback,                                                         \
      (struct jack_client * client, jack_registration_fn fn, void *arg))                           \
    X(void, on_info_shutdown, (struct jack_client * client, jack_shutdown_fn fn, void *arg))       \
    X(struct jack_port *, port_register,                                                           \
      (struct jack_client * client, const char *name, const char *type, unsigned long flags,       \
       unsigned long buffer_bytes))                                                                \
    X(const char *, port_name, (const struct jack_port *port))                                     \
    X(struct jack_port *, port_by_name, (struct jack_client * client, const char *name))           \
    X(void *, port_get_buffer, (struct jack_port * port, uint32_t frames))                         \
    X(void, port_get_latency_range,                                                                \
      (struct jack_port * port, int mode, struct jack_latency_range *range))                       \
    X(void, port_set_latency_range,                                                                \
      (struct jack_port * port, int mode, struct jack_latency_range *range))                       \
    X(const char **, get_ports,                                                                    \
      (struct jack_client * client, const char *name_pattern, const char *type_pattern,            \
       unsigned long flags))                                                                       \
    X(void, free, (void *memory))                                                                  \
    X(int, connect, (struct jack_client * client, const char *source, const char *destination))    \
    X(uint32_t, get_sample_rate, (struct jack_client * client))                                    \
    X(uint32_t, get_buffer_size, (struct jack_client * client))                                    \
    X(int, set_buffer_size, (struct jack_client * client, uint32_t frames))                        \
    X(int, set_freewheel, (struct jack_client * client, int on))                                   \
    X(uint32_t, last_frame_time, (const struct jack_client *client))                               \
    X(uint32_t, frames_since_cycle_start, (const struct jack_client *client))                      \
    X(uint64_t, get_time, (void))                                                                  \
    X(void, set_error_function, (jack_message_fn fn))                                              \
    X(void, set_info_function, (jack_message_fn fn))

struct jack_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name and a list of parameters */
#define JACK_MEMBER(result, name, parameters) result(*name) parameters;
    JACK_FUNCTIONS(JACK_MEMBER)
#undef JACK_MEMBER
};

/** libjack's functions, loaded by the first call and kept till the process ends: libjack has
 * threads of its own that outlive its clients. NULL: there is no libjack here; the log says why,
 * once. One thread at a time. */
const struct jack_api *jack_api_load(void);

#endif
