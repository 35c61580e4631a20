/* SPDX-License-Identifier: MIT */
/* Group streaming, cycles: stopping, starting and making buffers many times, and what is left. */
#include "conform/inside.h"
#include "conform/measure.h"

#include <stdio.h>

enum { CYCLES = 100, CYCLES_S = 120, LIVES = 20, STOPS = 20, WARM = 5, BATCHES = 2, BATCH = 20 };

/* ---- stop ---- */

static void
no_callback_comes_after_stop(struct conform *t)
{
    struct subject *s = subject_in(t, PREPARED);

    for (unsigned i = 0; s && i < STOPS && !conform_failed(t); i++) {
        if (!subject_stream(s, 1 + i % 5)) {
            break;
        }
        subject_stop(s);
        uint32_t seen = atomic_load(&s->host.block_count);
        bool inside = atomic_load(&s->host.inside) > 0;
        conform_sleep_ms(20 + (unsigned)(2 * measure_block_ns(s) / 1e6));
        uint32_t later = atomic_load(&s->host.block_count) - seen;
        conform_expect(t, !inside, "stop returned while a callback ran");
        conform_expect(t, later == 0, "%u callbacks came after stop", later);
    }
    subject_close(s);
}

static void
stop_returns_quickly(struct conform *t)
{
    struct subject *s = subject_in(t, PREPARED);
    double most_ms = 0;

    for (unsigned i = 0; s && i < STOPS / 4; i++) {
        if (!subject_stream(s, 3)) {
            break;
        }
        uint64_t began = conform_now_ns();
        subject_stop(s);
        double ms = (double)(conform_now_ns() - began) / 1e6;
        most_ms = ms > most_ms ? ms : most_ms;
    }
    conform_figure(t, most_ms, "ms");
    conform_expect(t, most_ms < 2000, "stop took %.0f ms", most_ms);
    subject_close(s);
}

/* ---- hundreds ---- */

static void
started_and_stopped_a_hundred_times(struct conform *t)
{
    struct subject *s = subject_in(t, PREPARED);
    uint64_t began = conform_now_ns();

    for (unsigned i = 0; s && i < CYCLES && !conform_failed(t); i++) {
        if (!subject_stream(s, 1 + i % 3)) {
            conform_fail(t, "that was start number %u", i + 1);
        }
        subject_stop(s);
    }
    conform_figure(t, (double)(conform_now_ns() - began) / 1e6 / CYCLES, "ms each");
    subject_close(s);
}

static void
buffers_made_and_disposed_a_hundred_times(struct conform *t)
{
    struct subject *s = subject_open(t);
    uint64_t began = conform_now_ns();

    for (unsigned i = 0; s && i < CYCLES && !conform_failed(t); i++) {
        if (!subject_prepare(s, i % 3, 1 + i % 2, 0) || (i % 4 == 0 && !subject_stream(s, 2))) {
            conform_fail(t, "that was createBuffers number %u", i + 1);
        }
        subject_dispose(s);
    }
    conform_figure(t, (double)(conform_now_ns() - began) / 1e6 / CYCLES, "ms each");
    subject_close(s);
}

static void
whole_lives_one_after_the_other(struct conform *t)
{
    uint64_t began = conform_now_ns();

    for (unsigned i = 0; i < LIVES && !conform_failed(t); i++) {
        subject_close(subject_in(t, RUNNING));
    }
    conform_figure(t, (double)(conform_now_ns() - began) / 1e6 / LIVES, "ms each");
}

/* ---- leaks ---- */

static double
count_handles(const struct measure_holding *holding)
{
    return holding->handles;
}

static double
count_threads(const struct measure_holding *holding)
{
    return holding->threads;
}

static double
count_kilobytes(const struct measure_holding *holding)
{
    return (double)holding->private_bytes / 1024;
}

/* What a process may hold, and how much more of it after a batch of lives is no leak yet: the
 * system hands memory out in pieces of its own, and keeps a handle for itself now and then. */
static const struct leak {
    const char *unit;
    double (*count)(const struct measure_holding *holding);
    double most;
} leaks[] = {
    {"handles", count_handles, 1},
    {"threads", count_threads, 1},
    {"kB", count_kilobytes, 4 * BATCH},
};

/* Holdings after the first few lives, which settle what stays, and after each batch. */
static bool
live_often(struct conform *t, struct measure_holding at[BATCHES + 1])
{
    for (unsigned i = 0; i <= BATCHES; i++) {
        for (unsigned life = 0; life < (i ? BATCH : WARM); life++) {
            subject_close(subject_in(t, RUNNING));
            if (conform_failed(t)) {
                return false;
            }
        }
        conform_sleep_ms(300); /* threads that end on their own */
        measure_holding(&at[i]);
    }
    return true;
}

/* What is kept for good grows in each batch; a cache that fills or a pool that grows once does not.
 */
static void
nothing_is_left(struct conform *t, const struct leak *leak)
{
    struct measure_holding at[BATCHES + 1];
    double least = 0;
    char unit[24];

    if (!live_often(t, at)) {
        return;
    }
    for (unsigned i = 0; i < BATCHES; i++) {
        double more = leak->count(&at[i + 1]) - leak->count(&at[i]);
        least = i == 0 || more < least ? more : least;
    }
    snprintf(unit, sizeof(unit), "%s a life", leak->unit);
    conform_figure(t, least / BATCH, unit);
    conform_expect(t, least <= leak->most,
                   "%.0f %s at first, %.0f after %d lives of the driver and %.0f after %d",
                   leak->count(&at[0]), leak->unit, leak->count(&at[1]), BATCH, leak->count(&at[2]),
                   2 * BATCH);
}

static void
no_handles_are_left(struct conform *t)
{
    nothing_is_left(t, &leaks[0]);
}

static void
no_threads_are_left(struct conform *t)
{
    nothing_is_left(t, &leaks[1]);
}

static void
no_memory_is_left(struct conform *t)
{
    nothing_is_left(t, &leaks[2]);
}

static const struct conform_case cases[] = {
    {"no_callback_comes_after_stop", "When stop returns no callback runs and none comes",
     "tutti/asio.h; jamulussoftware/jamulus, issue 3869 (measured: 200 stops, none came)",
     no_callback_comes_after_stop, NEED_STREAM, 30},
    {"stop_returns_quickly", "stop returns within 2 s",
     "dechamps/FlexASIO, issue 235; jamulussoftware/jamulus, issue 3779 (the program hangs while "
     "it stops)",
     stop_returns_quickly, NEED_STREAM, 0},
    {"started_and_stopped_a_hundred_times", "A hundred starts and stops work as the first did",
     "jamulussoftware/jamulus, issue 3869 (two drivers, 200 times each)",
     started_and_stopped_a_hundred_times, NEED_STREAM, CYCLES_S},
    {"buffers_made_and_disposed_a_hundred_times",
     "A hundred createBuffers and disposeBuffers work as the first did",
     "JUCE, juce_ASIO_windows.cpp: open makes new ones at each change; jamulussoftware/jamulus, "
     "issue 3779 (four times per change)",
     buffers_made_and_disposed_a_hundred_times, NEED_STREAM, CYCLES_S},
    {"whole_lives_one_after_the_other", "Created, played and released twenty times in one process",
     "wineasio/wineasio, issue 23 (Winamp begins again at each track)",
     whole_lives_one_after_the_other, NEED_STREAM, CYCLES_S},
    {"no_handles_are_left", "A released driver has closed its handles", "COM, Release",
     no_handles_are_left, NEED_STREAM, CYCLES_S},
    {"no_threads_are_left", "A released driver has ended its threads", "COM, Release",
     no_threads_are_left, NEED_STREAM, CYCLES_S},
    {"no_memory_is_left", "A released driver has freed its memory", "COM, Release",
     no_memory_is_left, NEED_STREAM, CYCLES_S},
};

const struct conform_group conform_group_streaming_cycles = {"streaming", NULL, cases,
                                                             sizeof(cases) / sizeof(*cases)};
