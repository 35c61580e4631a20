/* SPDX-License-Identifier: MIT */
/* Group streaming, blocks: their order, positions, times, threads and evenness. */
#include "conform/inside.h"
#include "conform/measure.h"
#include "conform/samples.h"

#include <mmsystem.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double short_s = 1.0, usual_s = 2.0, long_s = 3.0;

enum { TELL_MS = 500 };

/* ---- the first callbacks ---- */

static void
the_first_callback_comes_within_3_s(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (s && subject_prepare(s, 2, 2, 0)) {
        uint64_t began = conform_now_ns();
        if (subject_stream(s, 1)) {
            double ms = (double)(s->host.blocks[0].begin_ns - began) / 1e6;
            conform_figure(t, ms, "ms");
            conform_expect(t, ms < 3000, "it came after %.0f ms", ms);
        }
    }
    subject_close(s);
}

static void
halves_alternate(struct conform *t)
{
    struct subject *s = measure_stream(t, short_s, false);

    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < measure_count(s) && !conform_failed(t); i++) {
        int32_t half = s->host.blocks[i].half;
        conform_expect(t, half == 0 || half == 1, "callback %u was for half %d", i, (int)half);
        if (i) {
            conform_expect(t, half != s->host.blocks[i - 1].half,
                           "callbacks %u and %u were both for half %d", i - 1, i, (int)half);
        }
    }
    conform_figure(t, measure_count(s), "callbacks");
    subject_close(s);
}

static void
direct_process_is_0_or_1(struct conform *t)
{
    struct subject *s = measure_stream(t, 0, false);

    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < measure_count(s) && !conform_failed(t); i++) {
        conform_expect(t, s->host.blocks[i].direct == 0 || s->host.blocks[i].direct == 1,
                       "directProcess was %d", (int)s->host.blocks[i].direct);
    }
    subject_close(s);
}

/* ---- silence ---- */

static bool
is_silent(const struct subject *s, int32_t i, unsigned half)
{
    const unsigned char *bytes = s->infos[i].buffers[half];
    size_t count = (size_t)s->buffer_frames * samples_bytes(s->types[i]);

    for (size_t at = 0; at < count; at++) {
        if (bytes[at]) {
            return false;
        }
    }
    return true;
}

struct silence {
    int32_t loud; /* output that was not silent; -1: none */
    unsigned half;
};

static void
look_for_sound(struct host *host, const struct host_block *block)
{
    struct silence *silence = host->user;
    struct subject *s = host->subject;

    if (atomic_load(&host->block_count) > 0) {
        return;
    }
    for (int32_t i = 0; i < s->count; i++) {
        for (unsigned half = 0; half < 2; half++) {
            if (!s->infos[i].is_input && !is_silent(s, i, half)) {
                silence->loud = s->infos[i].channel;
                silence->half = half;
            }
        }
    }
}

static void
output_halves_are_silent_at_first(struct conform *t)
{
    struct subject *s = subject_open(t);

    for (unsigned times = 0; s && times < 3 && subject_prepare(s, 2, 2, 0); times++) {
        struct silence silence = {.loud = -1};
        s->host.user = &silence;
        s->host.on_block = look_for_sound;
        if (!subject_stream(s, 2)) {
            break;
        }
        subject_stop(s);
        conform_expect(t, silence.loud < 0,
                       "half %u of output %d is not silent when the first callback comes",
                       silence.half, (int)silence.loud);
        /* what is written now must not be there when others are made */
        for (int32_t i = 0; i < s->count; i++) {
            for (unsigned half = 0; half < 2; half++) {
                memset(s->infos[i].buffers[half], 0x11,
                       (size_t)s->buffer_frames * samples_bytes(s->types[i]));
            }
        }
        subject_dispose(s);
    }
    subject_close(s);
}

/* ---- positions ---- */

/* Positions can be judged: the driver tells them. */
static bool
has_positions(struct subject *s)
{
    uint32_t count = measure_count(s), without = 0;

    for (uint32_t i = 0; i < count; i++) {
        without += s->host.blocks[i].answer != ASIO_OK;
    }
    return conform_expect(s->t, without == 0,
                          "in %u of %u callbacks no position was told, by time info or by "
                          "getSamplePosition",
                          without, count);
}

static void
the_first_block_begins_at_0(struct conform *t)
{
    struct subject *s = measure_stream(t, 0, true);

    if (s && has_positions(s)) {
        uint64_t first = s->host.blocks[0].position;
        conform_expect(t, first == 0, "the first block's position is %llu",
                       (unsigned long long)first);
        if (subject_stream(s, 4)) {
            first = s->host.blocks[0].position;
            conform_expect(t, first == 0, "after stop and start the first position is %llu",
                           (unsigned long long)first);
        }
    }
    subject_close(s);
}

static bool
follow_positions(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    struct subject *s = measure_stream(t, usual_s, true);
    uint32_t jumps = 0, count = s ? measure_count(s) : 0;

    (void)arg;
    if (!s || !has_positions(s)) {
        subject_close(s);
        return true;
    }
    uint64_t block = (uint64_t)s->buffer_frames;
    for (uint32_t i = 0; i < count && !conform_failed(t); i++) {
        uint64_t now = s->host.blocks[i].position, before = i ? s->host.blocks[i - 1].position : 0;
        conform_expect(t, now % block == 0, "position %llu of block %u is no multiple of %d",
                       (unsigned long long)now, i, (int)s->buffer_frames);
        conform_expect(t, i == 0 || now > before, "after position %llu came %llu",
                       (unsigned long long)before, (unsigned long long)now);
        jumps += i > 0 && now != before + block;
    }
    conform_figure(t, 100.0 * jumps / (count ? count : 1), "% lost");
    snprintf(why, CONFORM_TEXT_BYTES, "%u of %u positions jumped", jumps, count);
    subject_close(s);
    return jumps * 20 <= count || conform_failed(t);
}

static void
positions_advance_by_whole_blocks(struct conform *t)
{
    measure_try(t, follow_positions, NULL);
}

/* Whether the host heard, around the jump before this block, that frames were lost. */
static bool
is_told_of(const struct subject *s, uint32_t block)
{
    uint64_t from = s->host.blocks[block - 1].begin_ns;
    uint64_t to = s->host.blocks[block].begin_ns + TELL_MS * UINT64_C(1000000);
    uint32_t messages = atomic_load(&s->host.message_count);

    for (uint32_t i = 0; i < messages && i < HOST_MESSAGES; i++) {
        const struct host_message *message = &s->host.messages[i];
        bool tells = message->selector == ASIO_MESSAGE_OVERLOAD ||
                     message->selector == ASIO_MESSAGE_RESYNC_REQUEST ||
                     message->selector == ASIO_MESSAGE_RESET_REQUEST;
        if (tells && message->at_ns >= from && message->at_ns <= to) {
            return true;
        }
    }
    return messages > HOST_MESSAGES;
}

static void
each_jump_of_the_position_is_told(struct conform *t)
{
    struct subject *s = measure_stream(t, long_s, true);
    uint32_t jumps = 0, count = s ? measure_count(s) : 0;

    if (!s) {
        return;
    }
    bool reports = call_future(s, ASIO_FUTURE_CAN_REPORT_OVERLOAD, NULL, 0) == ASIO_SUCCESS;
    uint64_t end = count ? s->host.blocks[count - 1].begin_ns : 0;
    for (uint32_t i = 1; reports && i < count && !conform_failed(t); i++) {
        const struct host_block *block = &s->host.blocks[i];
        bool jumped = block->position != block[-1].position + (uint64_t)s->buffer_frames;
        if (!jumped || block->begin_ns + TELL_MS * UINT64_C(1000000) > end) {
            continue;
        }
        jumps++;
        conform_expect(t, is_told_of(s, i),
                       "the position jumped from %llu to %llu, and no Overload, ResyncRequest or "
                       "ResetRequest came within %d ms",
                       (unsigned long long)block[-1].position, (unsigned long long)block->position,
                       TELL_MS);
    }
    conform_figure(t, jumps, "jumps");
    if (!reports) {
        conform_skip(t, "the driver does not say that it reports overloads");
    }
    subject_close(s);
}

/* What getSamplePosition said. */
struct pair {
    uint64_t position, time_ns;
};

/* Between two calls it is the last block's pair, or goes on smoothly to the next. before, after:
 * the blocks seen before it was asked, and later. */
static void
compare_with_blocks(struct subject *s, const struct pair *told, const struct host_block *before,
                    const struct host_block *after)
{
    const uint64_t most = 3 * (uint64_t)s->buffer_frames;
    double ahead = (double)(int64_t)(told->position - before->position);
    double line_ns = (double)before->time_ns + ahead * 1e9 / s->rate_hz;
    double off_ms = ((double)told->time_ns - line_ns) / 1e6;

    if (before->answer != ASIO_OK || !before->info) {
        return;
    }
    conform_expect(
        s->t, told->position + most >= before->position && told->position <= after->position + most,
        "it says %llu, the last callback %llu", (unsigned long long)told->position,
        (unsigned long long)before->position);
    conform_expect(s->t, fabs(off_ms) <= 2 + measure_block_ns(s) / 1e6,
                   "its time is %.1f ms off the line through position and time of the callback",
                   off_ms);
}

static void
get_sample_position_agrees_with_the_callback(struct conform *t)
{
    enum { TIMES = 40 };
    struct subject *s = subject_open(t);
    struct pair told = {0, 0}, former = {0, 0};

    if (s && subject_prepare(s, 2, 2, 0) && subject_stream(s, 4)) {
        for (unsigned i = 0; i < TIMES && !conform_failed(t); i++, former = told) {
            uint32_t seen = atomic_load(&s->host.block_count);
            int32_t answer = call_get_sample_position(s, &told.position, &told.time_ns);
            if (!conform_expect(t, answer == ASIO_OK, "getSamplePosition answered %s",
                                conform_error_text(answer))) {
                break;
            }
            conform_expect(t, told.position >= former.position && told.time_ns >= former.time_ns,
                           "after position %llu at %llu ns it said %llu at %llu",
                           (unsigned long long)former.position, (unsigned long long)former.time_ns,
                           (unsigned long long)told.position, (unsigned long long)told.time_ns);
            /* asked twice, then the block that may have begun meanwhile is waited for */
            if (i & 1 && host_wait(&s->host, atomic_load(&s->host.block_count) + 1, 1000)) {
                compare_with_blocks(s, &told, &s->host.blocks[seen - 1],
                                    &s->host.blocks[measure_count(s) - 1]);
            }
        }
    }
    subject_close(s);
}

/* ---- times ---- */

static void
time_stamps_increase(struct conform *t)
{
    struct subject *s = measure_stream(t, usual_s, true);

    if (s && has_positions(s)) {
        for (uint32_t i = 1; i < measure_count(s) && !conform_failed(t); i++) {
            conform_expect(t, s->host.blocks[i].time_ns > s->host.blocks[i - 1].time_ns,
                           "the time of block %u is %lld us after the one before", i,
                           (long long)(s->host.blocks[i].time_ns - s->host.blocks[i - 1].time_ns) /
                               1000);
        }
    }
    subject_close(s);
}

static void
position_and_time_give_the_rate(struct conform *t)
{
    struct subject *s = measure_stream(t, usual_s, true);

    if (s && has_positions(s)) {
        const struct host_block *first = &s->host.blocks[1];
        const struct host_block *last = &s->host.blocks[measure_count(s) - 1];
        double span_ns = (double)(last->time_ns - first->time_ns);
        double rate = span_ns > 0 ? (double)(last->position - first->position) * 1e9 / span_ns : 0;
        conform_figure(t, rate, "Hz");
        conform_expect(t, fabs(rate / s->rate_hz - 1) < 0.005,
                       "positions by time stamps give %.1f Hz, getSampleRate %.1f", rate,
                       s->rate_hz);
    }
    subject_close(s);
}

static void
time_stamps_run_with_the_clock(struct conform *t)
{
    struct subject *s = measure_stream(t, usual_s, true);

    if (s && has_positions(s)) {
        const struct host_block *first = &s->host.blocks[1];
        const struct host_block *last = &s->host.blocks[measure_count(s) - 1];
        double told = (double)(last->time_ns - first->time_ns) / 1e6;
        double real = (double)(last->begin_ns - first->begin_ns) / 1e6;
        conform_figure(t, told - real, "ms off");
        conform_expect(t, fabs(told - real) < 30 + 2 * measure_block_ns(s) / 1e6,
                       "time stamps advanced by %.1f ms while the clock did by %.1f", told, real);
    }
    subject_close(s);
}

struct clock_notes {
    double off_ms[64];
    uint32_t count;
};

static void
note_clock(struct host *host, const struct host_block *block)
{
    struct clock_notes *notes = host->user;

    if (block->answer == ASIO_OK && notes->count < 64) {
        notes->off_ms[notes->count++] =
            (double)block->time_ns / 1e6 - (double)(uint32_t)timeGetTime();
    }
}

static void
time_stamps_are_on_the_scale_of_timegettime(struct conform *t)
{
    struct clock_notes notes = {.count = 0};
    struct subject *s = subject_open(t);

    if (s && subject_prepare(s, 2, 2, 0)) {
        s->host.ask_position = true;
        s->host.user = &notes;
        s->host.on_block = note_clock;
        if (subject_stream(s, 32)) {
            subject_stop(s);
            double off = measure_quantile(notes.off_ms, notes.count, 0.5);
            conform_figure(t, off, "ms off");
            conform_expect(t, notes.count && fabs(off) < 200,
                           "time stamps are %.0f ms from timeGetTime", off);
        }
    }
    subject_close(s);
}

/* ---- threads and evenness ---- */

static void
one_thread_calls(struct conform *t)
{
    struct subject *s = measure_stream(t, short_s, false);
    uint32_t first = 0;

    if (!s) {
        return;
    }
    /* some drivers make their first calls within start, on the thread that called it */
    while (first < measure_count(s) && s->host.blocks[first].thread == GetCurrentThreadId()) {
        first++;
    }
    conform_expect(t, first + 2 < measure_count(s),
                   "%u of %u callbacks came on the thread that called start", first,
                   measure_count(s));
    for (uint32_t i = first + 1; i < measure_count(s) && !conform_failed(t); i++) {
        conform_expect(t, s->host.blocks[i].thread == s->host.blocks[first].thread,
                       "callback %u came on another thread than those before", i);
    }
    subject_close(s);
}

static void
callbacks_do_not_overlap(struct conform *t)
{
    struct subject *s = measure_stream(t, short_s, false);

    if (!s) {
        return;
    }
    uint32_t nested = atomic_load(&s->host.nested);
    conform_expect(t, nested == 0, "%u callbacks came while another one ran", nested);
    subject_close(s);
}

static bool
measure_evenness(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    double seconds = conform_seconds(t) < 5 ? conform_seconds(t) : 5;
    struct subject *s = measure_stream(t, seconds, false);
    static double at_ms[SERIES_POINTS], interval_us[SERIES_POINTS];
    uint32_t count = s ? measure_count(s) : 0;
    double *off_us = count > 2 ? calloc(count, sizeof(*off_us)) : NULL;

    (void)arg;
    if (!off_us) {
        subject_close(s);
        return true;
    }
    double block_us = measure_block_ns(s) / 1e3;
    for (uint32_t i = 1; i < count; i++) {
        const struct host_block *one = &s->host.blocks[i];
        double us = (double)(one->begin_ns - one[-1].begin_ns) / 1e3;
        off_us[i - 1] = fabs(us - block_us);
        if (i - 1 < SERIES_POINTS) {
            at_ms[i - 1] = (double)(one->begin_ns - s->host.blocks[0].begin_ns) / 1e6;
            interval_us[i - 1] = us;
        }
    }
    double p99 = measure_quantile(off_us, count - 1, 0.99);
    conform_series(t, "intervals", at_ms, interval_us, count - 1);
    conform_figure(t, p99, "us off, p99");
    snprintf(why, CONFORM_TEXT_BYTES,
             "1 %% of callbacks are further than %.0f us from even, a block has %.0f us", p99,
             block_us);
    subject_close(s);
    free(off_us);
    return p99 < block_us;
}

static void
callbacks_come_evenly(struct conform *t)
{
    measure_try(t, measure_evenness, NULL);
}

static void
the_rate_is_really_delivered(struct conform *t)
{
    struct subject *s = measure_stream(t, usual_s * 2, true);

    if (!s) {
        return;
    }
    double rate = measure_rate(s);
    conform_figure(t, rate, "Hz");
    conform_expect(t, fabs(rate / s->rate_hz - 1) < 0.01,
                   "%.1f frames passed in each second, getSampleRate says %.1f", rate, s->rate_hz);
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"the_first_callback_comes_within_3_s", "Callbacks begin within 3 s of start",
     "JUCE, juce_ASIO_windows.cpp: open waits 300 times 10 ms and gives up then",
     the_first_callback_comes_within_3_s, NEED_INIT, 0},
    {"halves_alternate", "bufferSwitch is called for half 0 and half 1 in turn", "tutti/asio.h",
     halves_alternate, NEED_STREAM, 0},
    {"direct_process_is_0_or_1", "directProcess is a boolean, 0 or 1", "tutti/asio.h",
     direct_process_is_0_or_1, NEED_STREAM, 0},
    {"output_halves_are_silent_at_first",
     "Both halves of all outputs are silent when the first callback comes, each time",
     "dechamps/ASIOUtil, BUFFERS.md: priming; RustAudio/cpal, pull request 1335 (the other half "
     "sounds first)",
     output_halves_are_silent_at_first, NEED_STREAM | NEED_OUTPUT, 0},
    {"the_first_block_begins_at_0", "After each start the first block's position is 0",
     "NAudio, AsioDriverExt.cs: TryGetSamplePosition counts frames from Start",
     the_first_block_begins_at_0, NEED_STREAM, 0},
    {"positions_advance_by_whole_blocks",
     "Positions are multiples of the block and advance by one, more only when time was lost",
     "tutti/asio.h; dechamps/FlexASIO, issue 9 (a program's cursor jumps about)",
     positions_advance_by_whole_blocks, NEED_STREAM, 0},
    {"each_jump_of_the_position_is_told",
     "When the position jumps, a driver that says it reports overloads tells one within 500 ms, or "
     "asks for a resync or reset",
     "tutti/asio.h: CanReportOverload; our own rule: because a host cannot tell a jump from a "
     "clock that runs fast",
     each_jump_of_the_position_is_told, NEED_STREAM, 0},
    {"get_sample_position_agrees_with_the_callback",
     "getSamplePosition from another thread is near the last callback's position, its time on the "
     "same line, and neither goes back",
     "tutti/asio.h", get_sample_position_agrees_with_the_callback, NEED_STREAM, 0},
    {"time_stamps_increase", "Each block's time stamp is later than the one before", "tutti/asio.h",
     time_stamps_increase, NEED_STREAM, 0},
    {"position_and_time_give_the_rate",
     "Positions over time stamps give the sample rate within 0.5 %",
     "dechamps/FlexASIO, issue 9 (cursor and MIDI go by both)", position_and_time_give_the_rate,
     NEED_STREAM, 0},
    {"time_stamps_run_with_the_clock", "Time stamps advance as the performance counter does",
     "RustAudio/cpal, issue 363 (media are synchronised by them); dechamps/ASIO401, issue 1",
     time_stamps_run_with_the_clock, NEED_STREAM, 0},
    {"time_stamps_are_on_the_scale_of_timegettime",
     "Time stamps are nanoseconds on the scale of timeGetTime",
     "tutti/asio.h; PortAudio, pa_asio.cpp: GetStreamTime and bufferSwitchTimeInfo take "
     "timeGetTime for the same clock",
     time_stamps_are_on_the_scale_of_timegettime, NEED_STREAM, 0},
    {"one_thread_calls", "All callbacks of a stream come on one thread, but for those within start",
     "our own rule: because hosts keep state per thread, such as the modes of its floating-point "
     "unit",
     one_thread_calls, NEED_STREAM, 0},
    {"callbacks_do_not_overlap", "No callback comes while another one runs", "tutti/asio.h",
     callbacks_do_not_overlap, NEED_STREAM, 0},
    {"callbacks_come_evenly", "99 % of the callbacks are nearer than one block to even",
     "our own rule: because a buffer's length is the time that a host has to compute it",
     callbacks_come_evenly, NEED_STREAM, 10},
    {"the_rate_is_really_delivered",
     "The frames that pass in a second are the sample rate's, to 1 %",
     "tutti/asio.h: getSampleRate", the_rate_is_really_delivered, NEED_STREAM, 0},
};

const struct conform_group conform_group_streaming_blocks = {
    "streaming", "callbacks, positions and times", cases, sizeof(cases) / sizeof(*cases)};
