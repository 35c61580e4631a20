/* SPDX-License-Identifier: MIT */
#include "engine/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

uint64_t
events_now_ns(const struct engine *engine)
{
    return engine->services.clock.now_ns(engine->services.clock.user);
}

static void
queue_event(struct outbox *outbox, const struct engine_client *client, struct proto_event *event)
{
    if (outbox->count == outbox->capacity) {
        uint32_t capacity = outbox->capacity ? 2 * outbox->capacity : 64;
        struct engine_message *grown = realloc(outbox->message, capacity * sizeof(*grown));
        if (!grown) {
            log_error("engine: no memory to notify program %u: %s", client->id, event->text);
            return;
        }
        outbox->message = grown;
        outbox->capacity = capacity;
    }
    event->input_latency_frames = client->input_latency;
    event->output_latency_frames = client->output_latency;
    outbox->message[outbox->count++] = (struct engine_message){client->id, *event};
}

void
events_notify(struct mix *mix, uint32_t program_id, enum proto_event_kind kind, uint64_t value,
              const char *text)
{
    struct proto_event event = {
        .kind = kind, .value = value, .rate_hz = mix->master.slot.known.rate_hz};
    proto_header_init(&event.header, PROTO_EVENT, 0);
    utf8_copy(event.text, sizeof(event.text), text);
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        const struct engine_client *client = mix->engine->client[i];
        if (client_list_plays(client, mix) && (!program_id || client->id == program_id)) {
            queue_event(&mix->engine->outbox, client, &event);
        }
    }
}

void
events_report_overload(struct mix *mix, const struct engine_client *client, uint64_t value,
                       uint64_t losses)
{
    struct proto_event event = {
        .kind = PROTO_EVENT_OVERLOAD,
        .losses = losses < UINT32_MAX ? (uint32_t)losses : UINT32_MAX,
        .value = value,
        .rate_hz = mix->master.slot.known.rate_hz,
    };
    proto_header_init(&event.header, PROTO_EVENT, 0);
    utf8_copy(event.text, sizeof(event.text),
              losses ? "the device lost frames" : "blocks of this program came late");
    queue_event(&mix->engine->outbox, client, &event);
}

void
events_send(struct engine *engine)
{
    struct outbox outbox = engine->outbox;
    engine->outbox = (struct outbox){0};
    if (!outbox.count) {
        return;
    }
    os_mutex_unlock(&engine->lock);
    for (uint32_t i = 0; i < outbox.count && engine->event; i++) {
        engine->event(engine->user, outbox.message[i].program_id, &outbox.message[i].event);
    }
    free(outbox.message);
    os_mutex_lock(&engine->lock);
}
