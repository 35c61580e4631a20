/* SPDX-License-Identifier: MIT */
/*
 * A connection with a PipeWire server, and what is known of its graph through it: sinks, sources,
 * their ports with latencies, which are the default, at what rate the graph runs. No call waits for
 * the server beyond its deadline.
 */
#ifndef TUTTI_BACKEND_PIPEWIRE_SERVER_H
#define TUTTI_BACKEND_PIPEWIRE_SERVER_H

#include <stdatomic.h>

#include "backend/backend.h"
#include "backend/pipewire/pipewire_api.h"

#include <spa/param/latency-utils.h>

enum { PIPEWIRE_NAME_BYTES = 128 };

/* What list calls the default sink with the default source. */
extern const char pipewire_default_device[];

enum pipewire_class { PIPEWIRE_OTHER, PIPEWIRE_SINK, PIPEWIRE_SOURCE };

struct pipewire_node {
    struct pipewire_node *next;
    uint32_t id;
    enum pipewire_class class;
    char name[PIPEWIRE_NAME_BYTES];       /* node.name */
    char description[BACKEND_NAME_BYTES]; /* for people; the name when it has none */
    int32_t device;                       /* of the session manager; -1: of none */
    int32_t priority;                     /* the greater the better a default */
};

struct pipewire_port {
    struct pipewire_port *next;
    struct pipewire_server *server;
    uint32_t id, node, index;
    enum pw_direction direction;
    bool monitor;
    struct pw_proxy *proxy; /* NULL: nobody asked for its latency */
    struct spa_hook hook;
    struct spa_latency_info latency; /* of what lies behind it, seen from us */
};

/* One of the server's stores of facts. */
struct pipewire_metadata {
    uint32_t id; /* SPA_ID_INVALID: there is none */
    struct pw_proxy *proxy;
    struct spa_hook hook;
};

struct pipewire_server {
    const struct pipewire_api *api;
    struct pw_thread_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct pw_proxy *registry;
    struct spa_hook core_hook, registry_hook;

    /* under the loop's lock */
    struct pipewire_node *nodes;
    struct pipewire_port *ports;
    struct pipewire_metadata defaults, settings;
    char default_sink[PIPEWIRE_NAME_BYTES], default_source[PIPEWIRE_NAME_BYTES];
    uint32_t rate_hz, forced_rate_hz; /* 0: unknown, not forced */

    /* on the loop's thread, under its lock; may be NULL */
    void (*changed)(void *user); /* anything of the above */
    void *user;

    _Atomic int done;  /* the last answer's number */
    _Atomic bool gone; /* the connection broke */
    void (*broke)(void *user, const char *reason);
};

/* What a stream is connected with. */
struct pipewire_target {
    const struct pipewire_node *source, *sink; /* NULL: none */
};

/** Connects and learns the graph, at most till the deadline. The struct is all zero but api.
 * Errors: NO_DEVICE: no server, or it does not answer; *hangs says which. NO_MEMORY. */
enum tutti_status pipewire_server_open(struct pipewire_server *server, const char *remote,
                                       uint64_t deadline_ns, bool *hangs);
/** Also of one whose opening failed. */
void pipewire_server_close(struct pipewire_server *server);

void pipewire_server_lock(struct pipewire_server *server);
void pipewire_server_unlock(struct pipewire_server *server);
/** Waits till the server has answered all that was asked; false: not in time. Without the lock. */
bool pipewire_server_sync(struct pipewire_server *server, uint64_t deadline_ns);

/* ---- pipewire_registry.c; under the lock ---- */

void pipewire_registry_open(struct pipewire_server *server);
void pipewire_registry_close(struct pipewire_server *server);
/** The device of this name as list shows it; "": the default. False: there is none. */
bool pipewire_registry_target(struct pipewire_server *server, const char *device,
                              struct pipewire_target *target);
/** Devices as list shows them; their number, at most room. */
unsigned pipewire_registry_devices(struct pipewire_server *server, struct backend_device *devices,
                                   unsigned room);
/** A node's ports this way, without monitors, in order; their number, at most room. ports may be
 * NULL. */
uint32_t pipewire_registry_ports(struct pipewire_server *server, uint32_t node,
                                 enum pw_direction direction, struct pipewire_port **ports,
                                 uint32_t room);
/** Begins to learn a port's latency; after the next sync it is known, and kept. */
void pipewire_registry_watch_latency(struct pipewire_server *server, struct pipewire_port *port);

#endif
