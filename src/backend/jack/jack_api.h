/* SPDX-License-Identifier: MIT */
/*
 * The functions of libjack that Tutti uses, filled in when the library is found at run time.
 * Nothing links against it; its header says what the functions are.
 *
 * PipeWire's replacement of libjack has the same interface.
 */
#ifndef TUTTI_BACKEND_JACK_API_H
#define TUTTI_BACKEND_JACK_API_H

#include <jack/jack.h>

#define JACK_LIBRARY "libjack.so.0"

/* X(name without jack_): each as the header declares it. */
#define JACK_FUNCTIONS(X)                                                                          \
    X(client_open)                                                                                 \
    X(client_close)                                                                                \
    X(get_client_name)                                                                             \
    X(activate)                                                                                    \
    X(deactivate)                                                                                  \
    X(set_process_callback)                                                                        \
    X(set_xrun_callback)                                                                           \
    X(set_buffer_size_callback)                                                                    \
    X(set_sample_rate_callback)                                                                    \
    X(set_latency_callback)                                                                        \
    X(set_freewheel_callback)                                                                      \
    X(set_port_registration_callback)                                                              \
    X(on_info_shutdown)                                                                            \
    X(port_register)                                                                               \
    X(port_name)                                                                                   \
    X(port_by_name)                                                                                \
    X(port_get_buffer)                                                                             \
    X(port_get_latency_range)                                                                      \
    X(port_set_latency_range)                                                                      \
    X(get_ports)                                                                                   \
    X(free)                                                                                        \
    X(connect)                                                                                     \
    X(get_sample_rate)                                                                             \
    X(get_buffer_size)                                                                             \
    X(set_buffer_size)                                                                             \
    X(set_freewheel)                                                                               \
    X(last_frame_time)                                                                             \
    X(frames_since_cycle_start)                                                                    \
    X(get_time)                                                                                    \
    X(set_error_function)                                                                          \
    X(set_info_function)

struct jack_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name */
#define JACK_MEMBER(name) __typeof__(jack_##name) *name;
    JACK_FUNCTIONS(JACK_MEMBER)
#undef JACK_MEMBER
};

/** libjack's functions, loaded by the first call and kept till the process ends: libjack has
 * threads of its own that outlive its clients. NULL: there is no libjack here; the log says why,
 * once. One thread at a time. */
const struct jack_api *jack_api_load(void);

#endif
