/* SPDX-License-Identifier: MIT */
/* Group stress: the smallest and the largest buffers, all channels, busy hosts, long runs. */
#include "conform/inside.h"
#include "conform/measure.h"
#include "conform/samples.h"

#include <stdio.h>
#include <string.h>

enum { FEW = 8 };

static const double least_percent = 90;

static double
short_run_s(const struct conform *t)
{
    return conform_seconds(t) < 5 ? conform_seconds(t) : 5;
}

/* Share of the callbacks that the clock says should have come. */
static double
percent_delivered(const struct subject *s)
{
    return s->rate_hz > 0 ? 100 * measure_delivered(s) / s->rate_hz : 0;
}

static bool
delivers(const struct subject *s, const char *what, char why[CONFORM_TEXT_BYTES])
{
    double percent = percent_delivered(s);

    conform_figure(s->t, percent, "% delivered");
    snprintf(why, CONFORM_TEXT_BYTES, "%s of %d frames: %.0f %% of the callbacks came in time",
             what, (int)s->buffer_frames, percent);
    return percent >= least_percent;
}

/* ---- sizes and channels ---- */

/* As a mixer does: each output gets an input, or silence. */
static void
copy_through(struct host *host, const struct host_block *block)
{
    struct subject *s = host->subject;
    int32_t half = block->half & 1, inputs = 0;

    while (inputs < s->count && s->infos[inputs].is_input) {
        inputs++;
    }
    for (int32_t i = inputs; i < s->count; i++) {
        size_t bytes = (size_t)s->buffer_frames * samples_bytes(s->types[i]);
        int32_t from = inputs ? (i - inputs) % inputs : -1;
        if (from >= 0 && s->types[from] == s->types[i]) {
            memcpy(s->infos[i].buffers[half], s->infos[from].buffers[half], bytes);
        } else {
            memset(s->infos[i].buffers[half], 0, bytes);
        }
    }
}

/* What is tried. */
struct run {
    int32_t channels; /* each way; -1: all */
    enum { PREFERRED, SMALLEST, LARGEST } size;
    void (*on_block)(struct host *host, const struct host_block *block);
    const char *what;
};

static bool
run_once(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    const struct run *run = arg;
    struct subject *s = subject_open(t);
    bool good = true;

    if (!s) {
        return true;
    }
    int32_t size = run->size == SMALLEST ? s->min : run->size == LARGEST ? s->max : s->preferred;
    if (subject_prepare(s, run->channels, run->channels, size)) {
        s->host.on_block = run->on_block;
        if (subject_stream(s, measure_blocks(s, short_run_s(t)))) {
            subject_stop(s);
            good = delivers(s, run->what, why);
        }
    }
    subject_close(s);
    return good;
}

static void
the_smallest_buffer_streams(struct conform *t)
{
    measure_try(t, run_once, &(struct run){2, SMALLEST, copy_through, "buffers"});
}

static void
the_largest_buffer_streams(struct conform *t)
{
    measure_try(t, run_once, &(struct run){2, LARGEST, copy_through, "buffers"});
}

static void
all_channels_stream(struct conform *t)
{
    measure_try(t, run_once, &(struct run){-1, PREFERRED, copy_through, "all channels, buffers"});
}

static void
all_channels_stream_with_the_smallest_buffer(struct conform *t)
{
    measure_try(t, run_once, &(struct run){-1, SMALLEST, copy_through, "all channels, buffers"});
}

/* ---- busy hosts ---- */

static void
burn_half(struct host *host, const struct host_block *block)
{
    uint64_t end = block->begin_ns + (uint64_t)(measure_block_ns(host->subject) / 2);

    copy_through(host, block);
    while (conform_now_ns() < end) {
    }
}

static void
a_host_that_computes_half_the_time_keeps_up(struct conform *t)
{
    measure_try(t, run_once,
                &(struct run){2, PREFERRED, burn_half, "half of the time computing, buffers"});
}

struct asker {
    struct subject *s;
    _Atomic bool ended;
    _Atomic uint32_t asked;
};

static DWORD WINAPI
ask_on(void *arg)
{
    struct asker *asker = arg;
    int32_t a, b, c, d;
    uint64_t position, time_ns;
    double rate;

    while (!atomic_load(&asker->ended)) {
        call_get_channels(asker->s, &a, &b);
        call_get_latencies(asker->s, &a, &b);
        call_get_buffer_size(asker->s, &a, &b, &c, &d);
        call_get_sample_rate(asker->s, &rate);
        call_can_sample_rate(asker->s, 44100);
        call_get_sample_position(asker->s, &position, &time_ns);
        atomic_fetch_add(&asker->asked, 1);
        Sleep(1);
    }
    return 0;
}

static bool
ask_meanwhile(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    enum { THREADS = 3 };
    struct subject *s = subject_open(t);
    struct asker asker = {.s = s};
    HANDLE threads[THREADS];
    unsigned count = 0;
    bool good = true;

    (void)arg;
    if (s && subject_prepare(s, 2, 2, 0) && subject_stream(s, 2)) {
        for (; count < THREADS; count++) {
            threads[count] = CreateThread(NULL, 0, ask_on, &asker, 0, NULL);
            if (!threads[count]) {
                break;
            }
        }
        host_wait(&s->host, measure_blocks(s, short_run_s(t)), (unsigned)(short_run_s(t) * 2000));
        atomic_store(&asker.ended, true);
        if (count) {
            WaitForMultipleObjects(count, threads, TRUE, INFINITE);
        }
        for (unsigned i = 0; i < count; i++) {
            CloseHandle(threads[i]);
        }
        subject_stop(s);
        good = delivers(s, "questions all the time, buffers", why);
    }
    subject_close(s);
    return good;
}

static void
questions_meanwhile_do_not_disturb(struct conform *t)
{
    measure_try(t, ask_meanwhile, NULL);
}

static void
two_instances_stream_at_once(struct conform *t)
{
    char text[ASIO_ERROR_BYTES + 1] = "";
    struct subject *one = subject_in(t, RUNNING), *other = one ? subject_create(t) : NULL;

    if (other && call_init(other, NULL)) {
        bool good = call_get_channels(other, &other->inputs, &other->outputs) == ASIO_OK &&
                    call_get_buffer_size(other, &other->min, &other->max, &other->preferred,
                                         &other->granularity) == ASIO_OK &&
                    call_get_sample_rate(other, &other->rate_hz) == ASIO_OK;
        if (good && subject_prepare(other, 2, 2, 0) && subject_stream(other, FEW)) {
            uint32_t seen = atomic_load(&one->host.block_count);
            conform_expect(t, host_wait(&one->host, seen + FEW, 3000),
                           "the first one was not called any more when the second one played");
        }
    } else if (other) {
        call_get_error_message(other, text);
        conform_expect(t, text[0], "the second init failed without a reason");
        conform_figure(t, 1, "at a time");
    }
    subject_close(other);
    if (one) {
        uint32_t seen = atomic_load(&one->host.block_count);
        conform_expect(t, host_wait(&one->host, seen + FEW, 3000),
                       "the first one was not called any more when the second one was gone");
    }
    subject_close(one);
}

/* ---- long runs ---- */

/* Kept by the callback: a long run has more blocks than the host keeps. */
struct long_run {
    uint64_t first_ns, last_ns, last_position, last_time_ns;
    uint32_t blocks, jumps, backwards, wrong_half;
    uint64_t most_ns;
    int32_t last_half;
};

static void
follow(struct host *host, const struct host_block *block)
{
    struct long_run *run = host->user;

    if (run->blocks) {
        uint64_t step_ns = block->begin_ns - run->last_ns;
        run->most_ns = step_ns > run->most_ns ? step_ns : run->most_ns;
        run->wrong_half += block->half == run->last_half;
        if (block->answer == ASIO_OK) {
            uint64_t next = run->last_position + (uint64_t)host->subject->buffer_frames;
            run->backwards +=
                block->position <= run->last_position || block->time_ns <= run->last_time_ns;
            run->jumps += block->position != next;
        }
    } else {
        run->first_ns = block->begin_ns;
    }
    run->last_ns = block->begin_ns;
    run->last_position = block->position;
    run->last_time_ns = block->time_ns;
    run->last_half = block->half;
    run->blocks++;
    copy_through(host, block);
}

/* False: too few callbacks came, and why says so; a busy machine may be to blame. */
static bool
judge_long_run(struct subject *s, const struct long_run *run, uint32_t came, double seconds,
               char why[CONFORM_TEXT_BYTES])
{
    struct conform *t = s->t;
    double expected = seconds * s->rate_hz / s->buffer_frames;
    bool enough = came >= expected * least_percent / 100 && run->jumps * 20 <= run->blocks;

    conform_figure(t, 100.0 * run->jumps / (run->blocks ? run->blocks : 1), "% lost");
    conform_expect(t, run->backwards == 0, "position or time went back %u times in %u callbacks",
                   run->backwards, run->blocks);
    conform_expect(t, run->wrong_half == 0, "%u of %u callbacks had the wrong half",
                   run->wrong_half, run->blocks);
    conform_expect(t, run->most_ns < 2000000000u, "once %.0f ms lay between two callbacks",
                   (double)run->most_ns / 1e6);
    snprintf(why, CONFORM_TEXT_BYTES, "%u callbacks came in %.0f s, not %.0f; %u positions jumped",
             came, seconds, expected, run->jumps);
    return enough;
}

static void
run_long(struct conform *t, int32_t channels, bool smallest)
{
    struct subject *s = subject_open(t);
    struct long_run run = {.blocks = 0};
    struct measure_holding before, after;
    struct measure_time began;
    char why[CONFORM_TEXT_BYTES];
    double others = 0;
    bool enough = true;

    if (s && subject_prepare(s, channels, channels, smallest ? s->min : 0)) {
        s->host.user = &run;
        s->host.on_block = follow;
        s->host.ask_position = true;
        if (subject_stream(s, 2)) {
            conform_sleep_ms(200);
            measure_holding(&before);
            measure_time(&began);
            uint64_t began_ns = conform_now_ns();
            uint32_t seen = run.blocks;
            conform_sleep_ms((unsigned)(conform_seconds(t) * 1000));
            double passed = (double)(conform_now_ns() - began_ns) / 1e9;
            uint32_t came = run.blocks - seen; /* counting handles takes its time */
            others = measure_others(&began);
            measure_holding(&after);
            subject_stop(s);
            enough = judge_long_run(s, &run, came, passed, why);
            conform_expect(t, after.handles <= before.handles + 4,
                           "%u handles at the beginning, %u at the end", before.handles,
                           after.handles);
        }
    }
    subject_close(s);
    if (!enough) {
        measure_judge_busy(t, others, why);
    }
}

static void
a_long_run_stays_whole(struct conform *t)
{
    run_long(t, 2, false);
}

static void
a_long_run_at_the_limits_stays_whole(struct conform *t)
{
    run_long(t, -1, true);
}

static const struct conform_case cases[] = {
    {"the_smallest_buffer_streams",
     "With the smallest buffer offered at least 90 % of the callbacks come in time",
     "tutti/asio.h: getBufferSize says that it can", the_smallest_buffer_streams, NEED_STREAM, 30},
    {"the_largest_buffer_streams",
     "With the largest buffer offered at least 90 % of the callbacks come in time",
     "tutti/asio.h: getBufferSize says that it can", the_largest_buffer_streams, NEED_STREAM, 30},
    {"all_channels_stream", "With all channels at least 90 % of the callbacks come in time",
     "tutti/asio.h: getChannels", all_channels_stream, NEED_STREAM, 30},
    {"all_channels_stream_with_the_smallest_buffer",
     "With all channels and the smallest buffer at least 90 % of the callbacks come in time",
     "tutti/asio.h: getChannels, getBufferSize", all_channels_stream_with_the_smallest_buffer,
     NEED_STREAM, 10},
    {"a_host_that_computes_half_the_time_keeps_up",
     "A host that computes for half of each block is called in time",
     "our own rule: because a buffer's length is the time that a host has to compute it",
     a_host_that_computes_half_the_time_keeps_up, NEED_STREAM, 30},
    {"questions_meanwhile_do_not_disturb",
     "Questions from three threads all the time do not disturb the callbacks",
     "dechamps/FlexASIO, issue 66 (all rates are asked for while it plays); our own rule: because "
     "a page of settings may stay open",
     questions_meanwhile_do_not_disturb, NEED_STREAM, 30},
    {"two_instances_stream_at_once",
     "Two objects in one process play at once, or the second says why not",
     "dechamps/FlexASIO, issues 183 and 230; thestk/rtaudio, issue 372 (a second stream)",
     two_instances_stream_at_once, NEED_STREAM, 0},
    {"a_long_run_stays_whole",
     "Over --seconds positions, times and halves stay right, and nothing piles up",
     "our own rule: because a session in a studio lasts for hours", a_long_run_stays_whole,
     NEED_STREAM, 0},
    {"a_long_run_at_the_limits_stays_whole",
     "Over --seconds with all channels and the smallest buffer positions, times and halves stay "
     "right, and nothing piles up",
     "tutti/asio.h: getChannels, getBufferSize", a_long_run_at_the_limits_stays_whole, NEED_STREAM,
     0},
};

const struct conform_group conform_group_stress = {
    "stress", "the smallest, the largest, the busiest, the longest", cases,
    sizeof(cases) / sizeof(*cases)};
