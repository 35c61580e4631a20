/* SPDX-License-Identifier: MIT */
/*
 * The watch: an ordinary thread per stream that tells the engine what libjack's threads saw. It
 * also sees for itself when the server calls nobody any more. A server pauses now and then (it
 * changes its buffer, its driver starts anew), and programs would take an engine without cycles for
 * dead: so the watch runs them, in silence, till the server is back or is given up.
 *
 * And it sees when the server's device comes after us: a server of the network has none until it
 * has found the other machine, and again when the cable was out. Ports that came late are nobody's,
 * so the stream is given up, and the engine opens another that is connected with them.
 */
#include "backend/jack/jack_stream.h"

#include <stdio.h>

enum {
    TURN_MS = 50,
    PAUSE_TURNS = 2, /* of the watch, without a call: the server pauses */
    LOST_TURNS = 40, /* it hangs */
};

struct watch {
    uint32_t calls; /* at the last turn */
    unsigned silent_turns;
    uint32_t told_period;
    bool told_rate;
    bool pacing;
    uint32_t registrations; /* at the last turn */
    bool settling;          /* they changed then */
    bool bare;              /* no physical ports when last looked */
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
static void
count_silence(struct backend_stream *stream, struct watch *watch)
{
    uint32_t calls = atomic_load_explicit(&stream->calls, memory_order_relaxed);
    bool open = atomic_load_explicit(&stream->gate, memory_order_relaxed) & JACK_GATE_OPEN;
    if (!open || calls != watch->calls) {
        watch->calls = calls;
        watch->silent_turns = 0;
    } else {
        watch->silent_turns++;
    }
}

/* Cycles in place of the server's, while it pauses; when the next is due, 0: the server runs. */
static uint64_t
stand_in(struct backend_stream *stream, struct watch *watch, unsigned period_turns)
{
    bool pauses = watch->silent_turns >= PAUSE_TURNS + 4 * period_turns;
    if (pauses != watch->pacing) {
        watch->pacing = pauses;
        os_thread_set_priority(pauses ? OS_PRIORITY_ENGINE : OS_PRIORITY_NORMAL);
    }
    return pauses ? jack_process_pace(stream) : 0;
}

/* At the turn after ports came or went: a driver registers them one by one. True: the server has
 * physical ports, and had none. */
static bool
has_new_device(const struct backend_stream *stream, struct watch *watch)
{
    uint32_t registrations = atomic_load_explicit(&stream->registrations, memory_order_relaxed);
    if (registrations != watch->registrations) {
        watch->registrations = registrations;
        watch->settling = true;
        return false;
    }
    if (!watch->settling) {
        return false;
    }
    watch->settling = false;
    bool was_bare = watch->bare;
    watch->bare = !jack_ports_have_device(stream);
    return was_bare && !watch->bare;
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
    struct watch watch = {0};
    uint64_t turn_ns = os_now_ns();
    watch.told_period = atomic_load_explicit(&stream->known_period, memory_order_acquire);
    watch.bare = !stream->capture && !stream->playback;
    watch.settling = true; /* what came while we opened */
    os_thread_flush_denormals();
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
        if (os_now_ns() >= turn_ns) {
            turn_ns = os_now_ns() + (uint64_t)TURN_MS * OS_NS_PER_MS;
            count_silence(stream, &watch);
            if (stream->connects && has_new_device(stream, &watch)) {
                lose(stream, "the server has a device now");
                return;
            }
        }
        uint32_t period = atomic_load_explicit(&stream->known_period, memory_order_relaxed);
        unsigned period_turns = (unsigned)(period * 1000.0 / stream->info.rate_hz) / TURN_MS;
        if (watch.silent_turns >= LOST_TURNS + 20 * period_turns) {
            lose(stream, "the server has stopped answering");
            return;
        }
        uint64_t due_ns = stand_in(stream, &watch, period_turns);
        os_wake_wait(&stream->wake, seen, due_ns && due_ns < turn_ns ? due_ns : turn_ns);
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
