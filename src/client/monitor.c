/* SPDX-License-Identifier: MIT */
/*
 * The direct monitor as a program asks for it. What it asked last is kept here and sent to every
 * engine that it meets, before the segment is shown. Meters are words of the segment.
 */
#include "client/client.h"

#include <math.h>
#include <string.h>

#include "base/float_env.h"

enum { METERS_WANTED_MS = 2000 }; /* after a question the engine measures this long */

static_assert((int)TUTTI_MAX_PATHS == (int)PROTO_MAX_PATHS, "paths");
static_assert((int)TUTTI_MAX_GAIN == (int)PROTO_MAX_GAIN, "gain");

/* False when nothing was ever asked for. *serial: of what is in message. */
static bool
snapshot(struct tutti_client *client, struct proto_monitor *message, uint32_t *serial)
{
    os_mutex_lock(&client->lock);
    *serial = client->monitor_serial;
    if (*serial) {
        *message = client->monitor;
    }
    os_mutex_unlock(&client->lock);
    return *serial != 0;
}

enum tutti_status
monitor_ask(struct tutti_client *client, uint32_t *serial)
{
    struct proto_monitor message;
    struct link_question question = {.message = &message.header};
    char ignored[PROTO_TEXT_BYTES];

    if (!snapshot(client, &message, serial)) {
        return TUTTI_OK;
    }
    return link_ask(client, &question, ignored);
}

enum tutti_status
monitor_ask_own(struct tutti_client *client, uint32_t *serial)
{
    struct proto_monitor message;
    struct link_question question = {.message = &message.header};

    if (!snapshot(client, &message, serial)) {
        return TUTTI_OK;
    }
    return link_ask_own(client, &question);
}

bool
monitor_changed(struct tutti_client *client, uint32_t serial)
{
    os_mutex_lock(&client->lock);
    bool changed = client->monitor_serial != serial;
    os_mutex_unlock(&client->lock);
    return changed;
}

static bool
gain_ok(float gain)
{
    return gain >= 0 && gain <= TUTTI_MAX_GAIN;
}

/* False when something makes no sense. */
static bool
fill(struct proto_monitor *message, const struct tutti_monitor *monitor)
{
    memset(message, 0, sizeof(*message));
    proto_header_init(&message->header, PROTO_MONITOR, 0);
    if (monitor->paths > TUTTI_MAX_PATHS || (monitor->paths && !monitor->path)) {
        return false;
    }
    message->count = monitor->paths;
    for (uint32_t p = 0; p < monitor->paths; p++) {
        const struct tutti_path *path = &monitor->path[p];
        if (path->input >= TUTTI_MAX_CHANNELS || path->output >= TUTTI_MAX_CHANNELS ||
            !gain_ok(path->gain)) {
            return false;
        }
        message->path[p].input = (uint16_t)path->input;
        message->path[p].output = (uint16_t)path->output;
        message->path[p].gain = path->gain;
    }
    for (uint32_t c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        message->input_gain[c] = monitor->input_gain ? monitor->input_gain[c] : 1.0f;
        message->output_gain[c] = monitor->output_gain ? monitor->output_gain[c] : 1.0f;
        if (!gain_ok(message->input_gain[c]) || !gain_ok(message->output_gain[c])) {
            return false;
        }
    }
    return true;
}

static bool
is_nothing(const struct proto_monitor *message)
{
    for (uint32_t c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        if (message->input_gain[c] != 1.0f || message->output_gain[c] != 1.0f) {
            return false;
        }
    }
    return message->count == 0;
}

enum tutti_status
tutti_set_monitor(struct tutti_client *client, const struct tutti_monitor *monitor)
{
    FLOAT_ENV_OURS;
    static const struct tutti_monitor nothing;
    struct proto_monitor message;
    uint32_t serial;

    if (!fill(&message, monitor ? monitor : &nothing)) {
        return TUTTI_INVALID_ARGUMENT;
    }
    os_mutex_lock(&client->lock);
    bool news = client->monitor_serial || !is_nothing(&message); /* hosts switch off what is off */
    client->monitor = message;
    if (news && ++client->monitor_serial == 0) {
        client->monitor_serial = 1; /* 0: never asked */
    }
    bool tell = news && client->prepared;
    os_mutex_unlock(&client->lock);
    enum tutti_status status = tell ? monitor_ask(client, &serial) : TUTTI_OK;
    return status == TUTTI_ENGINE_LOST ? TUTTI_OK : status;
}

/* Within a callback: the segment is there. */
void
tutti_count_clipped(struct tutti_client *client, uint32_t samples)
{
    atomic_fetch_add_explicit(&client->callback.segment->clipped_samples, samples,
                              memory_order_relaxed);
}

float
tutti_take_peak(struct tutti_client *client, bool input, uint32_t channel)
{
    FLOAT_ENV_OURS;
    uint32_t bits = 0;
    float peak;

    if (channel >= TUTTI_MAX_CHANNELS) {
        return 0;
    }
    os_mutex_lock(&client->lock);
    /* While this is so, nobody frees the segment: attach_dispose() needs the lock to end it. */
    if (client->prepared) {
        struct proto_segment *segment = client->callback.segment;
        uint64_t until_ns = client_in_ms(METERS_WANTED_MS) + (uint64_t)os_link_clock_offset_ns();
        atomic_store_explicit(&segment->meters_until_ns, until_ns, memory_order_relaxed);
        /* Partner: the engine's statistics_peak(), which may lose a peak to this. */
        bits = atomic_exchange_explicit(input ? &segment->input_peak[channel]
                                              : &segment->output_peak[channel],
                                        0, memory_order_relaxed);
    }
    os_mutex_unlock(&client->lock);
    memcpy(&peak, &bits, sizeof(peak));
    return isfinite(peak) && peak > 0 ? peak : 0;
}
