/* SPDX-License-Identifier: MIT */
/* The time that the engine lives by, and what its clients are notified of. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

uint64_t
events_now_ns(const struct engine *engine)
{
    return engine->clock.now_ns(engine->clock.user);
}

static void
queue_event(struct engine *engine, const struct engine_program *program, struct proto_event *event)
{
    if (engine->outbox_count == engine->outbox_room) {
        uint32_t room = engine->outbox_room ? 2 * engine->outbox_room : 64;
        struct engine_message *grown = realloc(engine->outbox, room * sizeof(*grown));
        if (!grown) {
            log_error("engine: no memory to tell program %u: %s", program->id, event->text);
            return;
        }
        engine->outbox = grown;
        engine->outbox_room = room;
    }
    event->input_latency_frames = program->input_latency;
    event->output_latency_frames = program->output_latency;
    engine->outbox[engine->outbox_count++] = (struct engine_message){program->id, *event};
}

void
events_notify(struct engine *engine, uint32_t program_id, enum proto_event_kind kind,
              uint64_t value, const char *text)
{
    struct proto_event event = {.kind = kind, .value = value, .rate_hz = engine->known.rate_hz};
    proto_header_init(&event.header, PROTO_EVENT, 0);
    utf8_copy(event.text, sizeof(event.text), text);
    for (uint32_t i = 0; i < engine->programs; i++) {
        const struct engine_program *program = engine->program[i];
        if (program->cycle && (!program_id || program->id == program_id)) {
            queue_event(engine, program, &event);
        }
    }
}

void
events_report_overload(struct engine *engine, const struct engine_program *program, uint64_t value,
                       uint64_t losses)
{
    struct proto_event event = {
        .kind = PROTO_EVENT_OVERLOAD,
        .losses = losses < UINT32_MAX ? (uint32_t)losses : UINT32_MAX,
        .value = value,
        .rate_hz = engine->known.rate_hz,
    };
    proto_header_init(&event.header, PROTO_EVENT, 0);
    utf8_copy(event.text, sizeof(event.text),
              losses ? "the device lost frames" : "blocks of this program came late");
    queue_event(engine, program, &event);
}

void
events_send(struct engine *engine)
{
    struct engine_message *messages = engine->outbox;
    uint32_t count = engine->outbox_count;
    engine->outbox = NULL;
    engine->outbox_count = engine->outbox_room = 0;
    if (!count) {
        return;
    }
    os_mutex_unlock(&engine->lock);
    for (uint32_t i = 0; i < count && engine->event; i++) {
        engine->event(engine->user, messages[i].program_id, &messages[i].event);
    }
    free(messages);
    os_mutex_lock(&engine->lock);
}
