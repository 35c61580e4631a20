/* SPDX-License-Identifier: MIT */
/* Listing the devices of a graph server. */
#include "backend/graph/graph_list.h"

#include <stdlib.h>

#include "base/utf8.h"

/* False: the server does not answer, and the listing is no longer the caller's. */
static bool
fill(const struct graph_lister *lister, struct graph_listing *listing,
     const struct graph_list_settings *settings)
{
    struct graph_server *server = lister->server;
    if (server->current) {
        if (!graph_is_lost(server->current)) {
            lister->look(listing, server->current);
        }
    } else if (!graph_call(&server->calls, lister->ask, free, listing, lister->limit_ms)) {
        graph_say_what_answers(server, settings->which, false, true);
        return false;
    } else {
        graph_say_what_answers(server, listing->which, listing->found, listing->hangs);
    }
    return true;
}

static struct backend_device
with_settings(const struct backend_device *found, const struct graph_list_settings *settings)
{
    struct backend_device device = *found;
    if (settings->inputs >= 0) {
        device.inputs = (uint32_t)settings->inputs;
    }
    if (settings->outputs >= 0) {
        device.outputs = (uint32_t)settings->outputs;
    }
    if (settings->may_set_period) {
        device.period_min_frames = GRAPH_PERIOD_MIN_FRAMES;
        device.period_max_frames = BACKEND_MAX_PERIOD_FRAMES;
        device.period_step_frames = 0;
    }
    return device;
}

enum tutti_status
graph_list(const struct graph_lister *lister, const struct graph_list_settings *settings,
           struct backend_device *devices, unsigned *count)
{
    unsigned room = *count;
    *count = 0;
    if (!settings->api || !room) {
        return settings->api ? TUTTI_OK : TUTTI_UNSUPPORTED;
    }
    struct graph_listing *listing = calloc(1, sizeof(*listing));
    if (!listing) {
        return TUTTI_NO_MEMORY;
    }
    listing->api = settings->api;
    utf8_copy(listing->which, sizeof(listing->which), settings->which);
    if (!fill(lister, listing, settings)) {
        return TUTTI_TIMEOUT;
    }
    for (unsigned i = 0; i < listing->count && i < room; i++) {
        devices[i] = with_settings(&listing->devices[i], settings);
        *count = i + 1;
    }
    enum tutti_status status = listing->hangs ? TUTTI_TIMEOUT : TUTTI_OK;
    free(listing);
    return status;
}
