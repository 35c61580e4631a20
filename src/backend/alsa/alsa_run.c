/* SPDX-License-Identifier: MIT */
/*
 * The stream's thread: waits until both sides have a period, runs the cycle in their memory, starts
 * the device anew after an xrun. Programs take an engine without cycles for dead, so while the
 * device stands still the thread runs cycles in silence; a device that stays away is told as lost.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/alsa/alsa_stream.h"
#include "backend/silence.h"

enum {
    GIVE_UP_PERIODS = 8, /* and what a silence may last */
    RETRY_MS = 10,       /* a device that is suspended, or fails at once again and again */
    QUICK_RESTARTS = 3,
    EARLY_PART = 8, /* of a period: rest after a wake-up for nothing */
};

enum waited { WAITED_READY, WAITED_STOP, WAITED_LATE, WAITED_MENDED };

/* What the thread knows beside the stream. */
struct runner {
    struct backend_stream *stream;
    uint64_t period_ns;
    struct backend_silence silence;
    unsigned restarts; /* since the last cycle with the device */
    bool mending;      /* the mender has the PCMs */
};

/* ---- beginning ---- */

int
alsa_run_prepare(struct backend_stream *stream)
{
    const struct alsa_api *api = stream->api;
    struct alsa_side *sides[] = {&stream->playback, &stream->capture};
    int failure = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (sides[i]->pcm) {
            api->pcm_drop(sides[i]->pcm); /* nothing to drop is no failure of ours */
        }
    }
    for (unsigned i = 0; i < 2 && failure >= 0; i++) {
        if (sides[i]->pcm && !(i && stream->linked)) {
            failure = api->pcm_prepare(sides[i]->pcm);
        }
    }
    if (failure >= 0 && stream->playback.pcm) {
        failure = alsa_side_prefill(&stream->playback);
    }
    return failure < 0 ? failure : 0;
}

/* Output first: where they are not started at once, what a loop takes is then less than was told
 * and not more. */
static int
set_going(struct backend_stream *stream)
{
    struct alsa_side *sides[] = {&stream->playback, &stream->capture};
    int failure = 0;
    for (unsigned i = 0; i < 2 && failure >= 0; i++) {
        if (sides[i]->pcm && !(i && stream->linked)) {
            failure = stream->api->pcm_start(sides[i]->pcm);
        }
    }
    return failure < 0 ? failure : 0;
}

int
alsa_run_begin(struct backend_stream *stream)
{
    int failure = alsa_run_prepare(stream);
    return failure < 0 ? failure : set_going(stream);
}

void
alsa_mend(void *arg)
{
    struct backend_stream *stream = arg;
    const uint64_t one = 1;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&stream->mend_bell, memory_order_acquire);
        if (atomic_load_explicit(&stream->mender_ends, memory_order_acquire)) {
            return;
        }
        if (atomic_load_explicit(&stream->mended, memory_order_acquire) == ALSA_MEND_ASKED) {
            int result = alsa_run_begin(stream);
            /* Partner: the acquire load in await_mender(); the PCMs are the cycle's again. */
            atomic_store_explicit(&stream->mended, result, memory_order_release);
            if (write(stream->bell, &one, sizeof(one)) < 0) {
                continue; /* it looks by itself, when its next cycle is due */
            }
        } else {
            os_wake_wait(&stream->mend, seen, UINT64_MAX);
        }
    }
}

/* ---- waiting ---- */

struct waiting {
    struct pollfd fds[1 + ALSA_MAX_FDS]; /* the bell first */
    unsigned count;
    struct alsa_side *side[2]; /* that are not ready */
    unsigned first[2], end[2]; /* their descriptors */
    unsigned sides;
};

/* Adds a side that has no period yet. 1: it has one; errors as errno. */
static int
add(struct waiting *waiting, struct alsa_side *side)
{
    long ready = alsa_side_ready(side);
    if (ready < 0 && ready != -EAGAIN) {
        return (int)ready;
    }
    if (ready >= (long)side->period_frames) {
        return 1;
    }
    unsigned room = 1 + ALSA_MAX_FDS - waiting->count, i = waiting->sides;
    int count = side->api->pcm_poll_descriptors(side->pcm, waiting->fds + waiting->count, room);
    if (count < 0) {
        return count;
    }
    waiting->side[i] = side;
    waiting->first[i] = waiting->count;
    waiting->count += (unsigned)count < room ? (unsigned)count : room;
    waiting->end[i] = waiting->count;
    waiting->sides++;
    return 0;
}

/* What poll() has seen: 1: a side says that it is ready; errors as errno. */
static int
see(struct waiting *waiting)
{
    int said = 0;
    for (unsigned i = 0; i < waiting->sides; i++) {
        struct alsa_side *side = waiting->side[i];
        unsigned short events = 0;
        int failure =
            side->api->pcm_poll_descriptors_revents(side->pcm, waiting->fds + waiting->first[i],
                                                    waiting->end[i] - waiting->first[i], &events);
        if (failure < 0) {
            return failure;
        }
        if (events & (POLLERR | POLLHUP | POLLNVAL)) {
            long ready = alsa_side_ready(side);
            return ready < 0 ? (int)ready : -EPIPE;
        }
        said |= events != 0;
    }
    return said;
}

/* False: not within so long. */
static bool
something_happens(struct pollfd *fds, unsigned count, uint64_t within_ns)
{
    struct timespec left = {.tv_sec = (time_t)(within_ns / OS_NS_PER_S),
                            .tv_nsec = (long)(within_ns % OS_NS_PER_S)};
    return ppoll(fds, count, &left, NULL) > 0;
}

/* Until all sides have a period: enum waited; errors as errno. */
static int
await(struct runner *runner, uint64_t deadline_ns)
{
    struct backend_stream *stream = runner->stream;
    struct alsa_side *sides[] = {&stream->playback, &stream->capture};
    bool early = false;
    while (!atomic_load_explicit(&stream->stop, memory_order_acquire)) {
        struct waiting waiting = {.fds = {{.fd = stream->bell, .events = POLLIN}}, .count = 1};
        for (unsigned i = 0; i < 2; i++) {
            int added = sides[i]->pcm ? add(&waiting, sides[i]) : 0;
            if (added < 0) {
                return added;
            }
        }
        if (!waiting.sides) {
            return WAITED_READY;
        }
        uint64_t now_ns = os_now_ns();
        if (now_ns >= deadline_ns) {
            return WAITED_LATE;
        }
        if (early) {
            /* A plugin that wakes before its time must not keep this thread, and with it the whole
             * processor, going round. */
            os_sleep_until_ns(now_ns + runner->period_ns / EARLY_PART);
        }
        if (something_happens(waiting.fds, waiting.count, deadline_ns - now_ns)) {
            uint64_t rung;
            if (waiting.fds[0].revents && read(stream->bell, &rung, sizeof(rung)) > 0) {
                continue; /* the mender's, or to stop */
            }
            int seen = see(&waiting);
            if (seen < 0) {
                return seen;
            }
            early = seen > 0 && !early;
        }
    }
    return WAITED_STOP;
}

/* Until the mender is done: enum waited; errors as errno. */
static int
await_mender(struct runner *runner, uint64_t deadline_ns)
{
    struct backend_stream *stream = runner->stream;
    while (!atomic_load_explicit(&stream->stop, memory_order_acquire)) {
        struct pollfd bell = {.fd = stream->bell, .events = POLLIN};
        uint64_t rung, now_ns = os_now_ns();
        int mended = atomic_load_explicit(&stream->mended, memory_order_acquire);
        if (mended <= 0) {
            return mended < 0 ? mended : WAITED_MENDED;
        }
        if (now_ns >= deadline_ns) {
            return WAITED_LATE;
        }
        if (something_happens(&bell, 1, deadline_ns - now_ns) &&
            read(stream->bell, &rung, sizeof(rung)) < 0) {
            continue;
        }
    }
    return WAITED_STOP;
}

/* ---- cycles ---- */

/* The period that comes next, by the time stamp of the device's position. */
static struct backend_moment
tick(struct backend_stream *stream)
{
    struct alsa_side *side = stream->capture.pcm ? &stream->capture : &stream->playback;
    unsigned long avail;
    struct timespec at;
    uint64_t now_ns = os_now_ns();
    if (side->api->pcm_htimestamp(side->pcm, &avail, &at) < 0) {
        return backend_clock_tick(&stream->clock, now_ns, 0);
    }
    uint64_t at_ns = (uint64_t)at.tv_sec * OS_NS_PER_S + (uint64_t)at.tv_nsec;
    if (at_ns > now_ns || now_ns - at_ns > OS_NS_PER_S) {
        at_ns = now_ns; /* of another clock */
    }
    long frames = side->direction == SND_PCM_STREAM_CAPTURE
                      ? (long)avail
                      : (long)side->fill_frames - ((long)side->buffer_frames - (long)avail);
    long more = frames - (long)side->period_frames;
    return backend_clock_tick(&stream->clock, at_ns, more > 0 ? (uint32_t)more : 0);
}

/* Errors as errno. */
static int
run_cycle(struct runner *runner)
{
    struct backend_stream *stream = runner->stream;
    if (runner->silence.frames) {
        backend_clock_restart(&stream->clock);
    }
    struct backend_moment moment = tick(stream);
    int failure = 0;
    if (stream->capture.pcm) {
        failure = alsa_side_begin(&stream->capture, stream->in);
    }
    if (failure >= 0 && stream->playback.pcm) {
        failure = alsa_side_begin(&stream->playback, stream->out);
    }
    if (failure < 0) {
        backend_clock_restart(&stream->clock);
        return failure;
    }
    struct backend_cycle cycle = {
        .in = stream->in,
        .out = stream->out,
        .frames = stream->info.period_frames,
        .start_ns = os_now_ns(),
    };
    backend_clock_call(&stream->callbacks, &moment, &cycle);
    backend_silence_end(&runner->silence, os_now_ns());
    runner->restarts = 0;
    if (stream->capture.pcm) {
        failure = alsa_side_end(&stream->capture);
    }
    if (failure >= 0 && stream->playback.pcm) {
        failure = alsa_side_end(&stream->playback);
    }
    return failure < 0 ? failure : 0;
}

static void
pace(struct runner *runner)
{
    runner->stream->paced += backend_silence_run(&runner->silence, os_now_ns());
}

/* ---- trouble ---- */

static void
rest(struct runner *runner)
{
    uint64_t until_ns = os_now_ns() + (uint64_t)RETRY_MS * OS_NS_PER_MS;
    uint64_t due_ns = backend_silence_due_ns(&runner->silence);
    os_sleep_until_ns(due_ns < until_ns ? due_ns : until_ns);
    if (os_now_ns() >= due_ns) {
        pace(runner);
    }
}

/* The machine is not quite awake. */
static bool
is_asleep(int failure)
{
    return failure == -ESTRPIPE || failure == -EAGAIN;
}

/* 0: it runs again, or may be asked again; errors as errno: it does not. */
static int
recover(struct runner *runner, int failure)
{
    struct backend_stream *stream = runner->stream;
    if (failure == -ENODEV || failure == -EBADFD) {
        return failure;
    }
    if (runner->restarts++ >= QUICK_RESTARTS) {
        rest(runner);
    }
    backend_clock_restart(&stream->clock);
    if (!stream->is_card) {
        runner->mending = true;
        atomic_store_explicit(&stream->mended, ALSA_MEND_ASKED, memory_order_release);
        os_wake_post(&stream->mend);
        return 0;
    }
    failure = alsa_run_begin(stream);
    if (is_asleep(failure)) {
        rest(runner);
        return 0;
    }
    stream->restarts += failure == 0;
    return failure;
}

static void
lose(struct backend_stream *stream, const char *why)
{
    char text[256];
    snprintf(text, sizeof(text), "'%.60s' is gone: %.120s", stream->info.name, why);
    /* Partner: start()'s acquire load, and the list's. */
    atomic_store_explicit(&stream->lost, true, memory_order_release);
    stream->callbacks.event(stream->callbacks.user, BACKEND_EVENT_LOST, TUTTI_DEVICE_LOST, text);
}

void
alsa_run(void *arg)
{
    struct backend_stream *stream = arg;
    struct runner runner = {
        .stream = stream,
        .period_ns = (uint64_t)(stream->info.period_frames * 1e9 / stream->info.rate_hz),
    };
    backend_silence_start(&runner.silence, &stream->clock, &stream->callbacks, stream->info.rate_hz,
                          os_now_ns());
    uint32_t spare_frames = GIVE_UP_PERIODS * stream->info.period_frames;
    /* here and not by the caller: with short periods the time in which a thread begins is long */
    int result = stream->is_card ? set_going(stream) : 0;
    for (;;) {
        bool mending = runner.mending;
        if (mending) {
            result = await_mender(&runner, backend_silence_due_ns(&runner.silence));
        } else if (result >= 0) {
            result = await(&runner, backend_silence_due_ns(&runner.silence));
        }
        if (result == WAITED_STOP) {
            return;
        }
        if (result == WAITED_MENDED || (mending && is_asleep(result))) {
            runner.mending = false;
            stream->restarts += result == WAITED_MENDED;
            result = result == WAITED_MENDED ? 0 : -EPIPE; /* once more */
            mending = false;
        } else if (result == WAITED_READY) {
            result = run_cycle(&runner);
        } else if (result == WAITED_LATE) {
            pace(&runner);
            result = 0;
        }
        if (result < 0 && !mending) {
            result = recover(&runner, result);
        }
        if (result < 0) {
            lose(stream, stream->api->strerror(result));
            return;
        }
        if (backend_silence_is_over(&runner.silence, spare_frames)) {
            lose(stream, "it does not answer any more");
            return;
        }
    }
}
