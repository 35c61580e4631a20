/* SPDX-License-Identifier: MIT */
/*
 * Listing the devices of a graph server with a limit of time: through the open stream, or else
 * through a connection for the purpose. The list is the server's; what the configuration says of
 * ports and periods is put over it.
 */
#ifndef TUTTI_BACKEND_GRAPH_LIST_H
#define TUTTI_BACKEND_GRAPH_LIST_H

#include "backend/graph/graph_open.h"

enum { GRAPH_LIST_DEVICES = 64 };

/* What a server is asked, and what it answered. On the heap: a server that hangs keeps it. */
struct graph_listing {
    const void *api;               /* the server's functions */
    char which[CONFIG_TEXT_BYTES]; /* server; "" for the usual one */
    struct backend_device devices[GRAPH_LIST_DEVICES];
    unsigned count;
    bool found; /* it answered */
    bool hangs;
};

/* How a server is asked. */
struct graph_lister {
    struct graph_server *server;
    unsigned limit_ms;
    /** Connects, fills the listing (its argument) and disconnects. On a thread of its own. */
    void (*ask)(void *listing);
    /** Fills the listing through the open stream. */
    void (*look)(struct graph_listing *listing, struct graph *graph);
};

/* What the configuration says. */
struct graph_list_settings {
    const void *api;         /* the server's functions; NULL: its library is not here */
    const char *which;       /* server */
    int32_t inputs, outputs; /* of each device; below 0: as many as it has */
    bool may_set_period;
};

/** A backend's list(). */
enum tutti_status graph_list(const struct graph_lister *lister,
                             const struct graph_list_settings *settings,
                             struct backend_device *devices, unsigned *count);

#endif
