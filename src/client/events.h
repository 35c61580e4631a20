/* SPDX-License-Identifier: MIT */
/* Events to the host, on a thread of their own: a host that does not return from one keeps back its
 * own events and nothing else. */
#ifndef TUTTI_CLIENT_EVENTS_H
#define TUTTI_CLIENT_EVENTS_H

#include "os/os.h"
#include "tutti/tutti.h"

enum { EVENTS_ROOM = 32 };

struct events_entry {
    enum tutti_event_kind kind;
    uint64_t value, losses;
    double rate_hz;
    char text[TUTTI_TEXT_BYTES];
};

struct events {
    void (*deliver)(void *user,
                    const struct tutti_event *event); /* NULL: nobody listens, no thread */
    void *user;
    struct os_thread *thread;
    struct os_mutex lock;
    struct os_cond changed;
    /* guarded by lock */
    struct events_entry entry[EVENTS_ROOM];
    unsigned first, count;
    bool quit;
};

/** Starts the thread if deliver is not NULL. Errors: NO_MEMORY. */
enum tutti_status events_open(struct events *events,
                              void (*deliver)(void *user, const struct tutti_event *event),
                              void *user);
/** No event comes after it returns. Those still queued are dropped. Not from an event. */
void events_close(struct events *events);

/** Queues an event. When the last one queued is of the same kind they become one, and value and
 * losses add up; when there is no room the oldest goes. Any ordinary thread. text may be NULL. */
void events_put_all(struct events *events, const struct tutti_event *event);
/** The same for an event without losses. */
void events_put(struct events *events, enum tutti_event_kind kind, uint64_t value, double rate_hz,
                const char *text);

#endif
