/* SPDX-License-Identifier: MIT */
/*
 * The functions of libpipewire that Tutti uses, filled in when the library is found at run time.
 * Nothing links against it; its headers say what the functions are, and much of its interface (all
 * methods of remote objects, all of SPA) is inline there.
 */
#ifndef TUTTI_BACKEND_PIPEWIRE_API_H
#define TUTTI_BACKEND_PIPEWIRE_API_H

#include <pipewire/filter.h>
#include <pipewire/pipewire.h>

#define PIPEWIRE_LIBRARY "libpipewire-0.3.so.0"

/* X(name without pw_): each as the header declares it. */
#define PIPEWIRE_FUNCTIONS(X)                                                                      \
    X(init)                                                                                        \
    X(log_set_level)                                                                               \
    X(properties_new_dict)                                                                         \
    X(thread_loop_new)                                                                             \
    X(thread_loop_destroy)                                                                         \
    X(thread_loop_start)                                                                           \
    X(thread_loop_stop)                                                                            \
    X(thread_loop_lock)                                                                            \
    X(thread_loop_unlock)                                                                          \
    X(thread_loop_get_loop)                                                                        \
    X(context_new)                                                                                 \
    X(context_destroy)                                                                             \
    X(context_connect)                                                                             \
    X(core_disconnect)                                                                             \
    X(proxy_add_listener)                                                                          \
    X(proxy_destroy)                                                                               \
    X(filter_new)                                                                                  \
    X(filter_destroy)                                                                              \
    X(filter_add_listener)                                                                         \
    X(filter_add_port)                                                                             \
    X(filter_connect)                                                                              \
    X(filter_get_node_id)                                                                          \
    X(filter_get_dsp_buffer)                                                                       \
    X(filter_update_properties)                                                                    \
    X(filter_update_params)

struct pipewire_api {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name */
#define PIPEWIRE_MEMBER(name) __typeof__(pw_##name) *name;
    PIPEWIRE_FUNCTIONS(PIPEWIRE_MEMBER)
#undef PIPEWIRE_MEMBER
};

/** libpipewire's functions, loaded by the first call and kept till the process ends. NULL: there is
 * no libpipewire here; the log says why, once. One thread at a time. */
const struct pipewire_api *pipewire_api_load(void);

#endif
