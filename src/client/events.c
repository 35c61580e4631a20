/* SPDX-License-Identifier: MIT */
/* The event queue and its thread. */
#include "client/events.h"

#include <string.h>

#include "base/float_env.h"
#include "base/utf8.h"

static void
events_main(void *arg)
{
    struct events *events = arg;
    struct float_env host_env;

    float_env_enter(&host_env);
    os_mutex_lock(&events->lock);
    for (;;) {
        while (!events->quit && events->count == 0) {
            os_cond_wait_until(&events->changed, &events->lock, UINT64_MAX);
        }
        if (events->quit) {
            break;
        }
        struct events_entry entry = events->entry[events->first];
        events->first = (events->first + 1) % EVENTS_ROOM;
        events->count--;
        os_mutex_unlock(&events->lock);
        struct tutti_event event = {
            .kind = entry.kind,
            .value = entry.value,
            .rate_hz = entry.rate_hz,
            .text = entry.text,
            .losses = entry.losses,
        };
        float_env_leave(&host_env);
        events->deliver(events->user, &event);
        float_env_enter(&host_env);
        os_mutex_lock(&events->lock);
    }
    os_mutex_unlock(&events->lock);
}

enum tutti_status
events_open(struct events *events, void (*deliver)(void *user, const struct tutti_event *event),
            void *user)
{
    memset(events, 0, sizeof(*events));
    events->deliver = deliver;
    events->user = user;
    os_mutex_init(&events->lock);
    os_cond_init(&events->changed);
    if (!deliver) {
        return TUTTI_OK;
    }
    enum tutti_status status =
        os_thread_start(&events->thread, "tutti-events", OS_PRIORITY_NORMAL, events_main, events);
    if (status) {
        os_cond_fini(&events->changed);
        os_mutex_fini(&events->lock);
    }
    return status;
}

void
events_close(struct events *events)
{
    os_mutex_lock(&events->lock);
    events->quit = true;
    os_cond_signal_all(&events->changed);
    os_mutex_unlock(&events->lock);
    os_thread_join(events->thread);
    os_cond_fini(&events->changed);
    os_mutex_fini(&events->lock);
}

void
events_put_all(struct events *events, const struct tutti_event *event)
{
    if (!events->deliver) {
        return;
    }
    os_mutex_lock(&events->lock);
    struct events_entry *entry = NULL;
    if (events->count) {
        entry = &events->entry[(events->first + events->count - 1) % EVENTS_ROOM];
        if (entry->kind != event->kind) {
            entry = NULL;
        }
    }
    if (entry) {
        entry->value += event->value;
        entry->losses += event->losses;
    } else {
        if (events->count == EVENTS_ROOM) {
            events->first = (events->first + 1) % EVENTS_ROOM;
            events->count--;
        }
        entry = &events->entry[(events->first + events->count++) % EVENTS_ROOM];
        entry->kind = event->kind;
        entry->value = event->value;
        entry->losses = event->losses;
    }
    entry->rate_hz = event->rate_hz;
    utf8_copy(entry->text, sizeof(entry->text), event->text ? event->text : "");
    os_cond_signal_all(&events->changed);
    os_mutex_unlock(&events->lock);
}

void
events_put(struct events *events, enum tutti_event_kind kind, uint64_t value, double rate_hz,
           const char *text)
{
    const struct tutti_event event = {
        .kind = kind, .value = value, .rate_hz = rate_hz, .text = text};
    events_put_all(events, &event);
}
