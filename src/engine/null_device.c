/* SPDX-License-Identifier: MIT */
/*
 * The way out of the null device. "auto" takes it when there is no other, and leaves it when there
 * is one: a sound server that was started, a card that was plugged in. The other one is opened
 * beside it first, so that a device that is listed and does not open disturbs no program.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

enum { LOOK_MS = 1000, LOOK_MOST_MS = 16000 }; /* between two looks; more after failures */

static bool
is_in_use(const struct engine *engine)
{
    return engine->unheard[0] && engine->state == PROTO_STREAM_RUNNING;
}

static bool
lists_any(struct engine *engine, const struct backend *backend)
{
    struct backend_device devices[PROTO_DEVICE_ENTRIES];
    unsigned found = PROTO_DEVICE_ENTRIES;
    os_mutex_unlock(&engine->lock);
    enum tutti_status status = backend->list(&engine->config, devices, &found);
    os_mutex_lock(&engine->lock);
    return status == TUTTI_OK && found > 0;
}

/* Opens the first device that is listed and opens; the null device goes on. NULL: there is none. */
static const struct backend *
open_other(struct engine *engine, struct backend_stream **stream)
{
    char error[PROTO_TEXT_BYTES] = "";
    const struct backend *null_backend = engine->backend, *backend;
    struct backend_stream *null_stream = engine->stream;
    unsigned at = 0;
    while ((backend = choice_next(&engine->config, &at)) && !backend->silent) {
        if (!lists_any(engine, backend)) {
            continue;
        }
        if (device_open_with(engine, backend, engine->known.period_frames, error) == TUTTI_OK) {
            *stream = engine->stream;
            engine->backend = null_backend;
            engine->stream = null_stream;
            return backend;
        }
        engine->look_wait_ms =
            engine->look_wait_ms < LOOK_MOST_MS ? 2 * engine->look_wait_ms : LOOK_MOST_MS;
        log_info("engine: backend %s has a device that does not open: %s", backend->name, error);
    }
    return NULL;
}

/* Back to the null device, which was closed for one that did not start. */
static void
return_to_null(struct engine *engine, const struct backend *null_backend, const char *unheard)
{
    char error[PROTO_TEXT_BYTES] = "";
    enum tutti_status status =
        device_open_with(engine, null_backend, engine->known.period_frames, error);
    if (status == TUTTI_OK) {
        status = device_start_stream(engine, error);
    }
    if (status != TUTTI_OK) {
        engine->backend = null_backend;
        device_lose(engine, error);
    } else {
        utf8_copy(engine->unheard, sizeof(engine->unheard), unheard);
    }
}

bool
null_device_leave(struct engine *engine)
{
    char error[PROTO_TEXT_BYTES] = "", unheard[PROTO_TEXT_BYTES], text[PROTO_TEXT_BYTES];
    const struct backend *null_backend = engine->backend;
    struct backend_stream *stream = NULL;
    if (!is_in_use(engine)) {
        return false;
    }
    if (!client_list_prepared(engine)) {
        device_close(engine); /* the next program chooses again */
        return true;
    }
    const struct backend *backend = open_other(engine, &stream);
    if (!backend) {
        return false;
    }
    utf8_copy(unheard, sizeof(unheard), engine->unheard);
    handover_to_clock(engine);
    device_enter_opening(engine);
    device_close_stream(engine);
    engine->backend = backend;
    engine->stream = stream;
    engine->unheard[0] = '\0';
    if (device_start_stream(engine, error) != TUTTI_OK) {
        log_warning("engine: backend %s: %s", backend->name, error);
        return_to_null(engine, null_backend, unheard);
        return false;
    }
    snprintf(text, sizeof(text), "'%.80s' is there now and takes the place of the %.40s",
             engine->known.name, null_backend->description);
    log_info("engine: %s", text);
    events_notify(engine, 0, PROTO_EVENT_RATE, 0, text);
    return true;
}

void
null_device_tend(struct engine *engine, uint64_t now_ns)
{
    if (!is_in_use(engine) || !client_list_prepared(engine)) {
        engine->look_ns = 0;
        return;
    }
    if (!engine->look_ns) {
        engine->look_wait_ms = LOOK_MS;
    } else if (now_ns >= engine->look_ns && null_device_leave(engine)) {
        return;
    } else if (now_ns < engine->look_ns) {
        return;
    }
    engine->look_ns = now_ns + (uint64_t)engine->look_wait_ms * OS_NS_PER_MS;
}
