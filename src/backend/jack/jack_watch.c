/* SPDX-License-Identifier: MIT */
/*
 * The watch: an ordinary thread per stream that tells the engine what libjack's threads saw, and
 * sees for itself when the server hangs: it lives, and calls nobody any more.
 */
#include "backend/jack/jack_stream.h"

#include <stdio.h>

enum {
    TURN_MS = 250,
    SILENT_TURNS = 8, /* of the watch, and */
    SILENT_PERIODS = 20,
};

struct watch {
    uint32_t calls; /* at the last turn */
    unsigned silent_turns;
    uint32_t told_period;
    bool told_rate;
};

static void
lose(struct backend_stream *stream, const char *why)
{
    char text[256];
    snprintf(text, sizeof(text), "JACK: %.200s", why);
    jack_process_shut(stream);
    atomic_store_explicit(&stream->lost, true, memory_order_release);
    stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_LOST, TUTTI_DEVICE_LOST, text);
}

/* Counted in turns of this thread and not in time: a machine or a process that stood still has not
 * seen the server hang. */
static bool
server_hangs(struct backend_stream *stream, struct watch *watch)
{
    uint32_t calls = atomic_load_explicit(&stream->calls, memory_order_relaxed);
    bool open = atomic_load_explicit(&stream->gate, memory_order_relaxed) & JACK_GATE_OPEN;
    if (!open || calls != watch->calls) {
        watch->calls = calls;
        watch->silent_turns = 0;
        return false;
    }
    uint32_t period = atomic_load_explicit(&stream->known_period, memory_order_relaxed);
    double period_ms = period * 1e3 / stream->info.rate_hz;
    return ++watch->silent_turns >= SILENT_TURNS + SILENT_PERIODS * period_ms / TURN_MS;
}

static void
tell_changes(struct backend_stream *stream, struct watch *watch, unsigned news)
{
    uint32_t known = atomic_load_explicit(&stream->known_period, memory_order_acquire);
    uint32_t period = atomic_load_explicit(&stream->period, memory_order_acquire);
    char text[96];
    if (news & JACK_NEWS_RATE && !watch->told_rate) {
        watch->told_rate = true;
        stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_RATE_CHANGED, TUTTI_OK,
                                "JACK: the server runs at another sample rate");
    }
    if (!known || period == known) {
        watch->told_period = known;
    } else if (period != watch->told_period) {
        watch->told_period = period;
        snprintf(text, sizeof(text), "JACK: the server's buffer has %u frames now", period);
        stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_PERIOD_CHANGED, TUTTI_OK,
                                text);
    }
}

static void
run_watch(void *arg)
{
    struct backend_stream *stream = arg;
    struct watch watch = {.told_period = stream->info.period_frames};
    uint64_t turn_ns = os_now_ns();
    for (;;) {
        uint32_t seen = atomic_load_explicit(&stream->bell, memory_order_acquire);
        unsigned news = atomic_load_explicit(&stream->news, memory_order_acquire);
        if (news & JACK_NEWS_END) {
            return;
        }
        if (news & JACK_NEWS_SHUTDOWN) {
            lose(stream, stream->reason);
            return;
        }
        tell_changes(stream, &watch, news);
        uint64_t now_ns = os_now_ns();
        if (now_ns >= turn_ns) {
            turn_ns = now_ns + (uint64_t)TURN_MS * OS_NS_PER_MS;
            if (server_hangs(stream, &watch)) {
                lose(stream, "the server has stopped answering");
                return;
            }
        }
        os_wake_wait(&stream->wake, seen, turn_ns);
    }
}

void
jack_watch_tell(struct backend_stream *stream, enum jack_news news)
{
    /* Partner: the watch's acquire load; reason is written before. */
    atomic_fetch_or_explicit(&stream->news, (unsigned)news, memory_order_release);
    os_wake_post(&stream->wake);
}

enum tutti_status
jack_watch_start(struct backend_stream *stream)
{
    return os_thread_start(&stream->watch, "tutti-jack", OS_PRIORITY_NORMAL, run_watch, stream);
}

void
jack_watch_stop(struct backend_stream *stream)
{
    jack_watch_tell(stream, JACK_NEWS_END);
    os_thread_join(stream->watch);
    stream->watch = NULL;
}
