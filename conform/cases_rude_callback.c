/* SPDX-License-Identifier: MIT */
/* Group rude, within the callback: hosts that are slow there, or end there what they are in. */
#include "conform/rude.h"

#include <string.h>

#include "conform/loop.h"
#include "conform/samples.h"

enum { LATE_PERIODS = 3, ASLEEP_MS = 300, SPOILED_BYTE = 0x5a, LISTEN_BLOCKS = 100 };

/* True in the one callback that misbehaves. */
static bool
is_the_one(struct host *host, struct rude **rude)
{
    *rude = host->user;
    return atomic_load(&host->block_count) == (*rude)->at_block;
}

/* ---- too slow ---- */

static void
be_late(struct host *host, const struct host_block *block)
{
    struct rude *rude = host->user;
    uint32_t number = atomic_load(&host->block_count);

    if (number % 8 == 7 && number < 40) {
        conform_sleep_ms(1 + (unsigned)(LATE_PERIODS * rude_period_ms(rude->s)));
    }
}

static void
late_callbacks_are_survived(struct conform *t)
{
    struct rude *rude = rude_open(t, be_late);

    if (!rude) {
        return;
    }
    if (subject_start(rude->s) && rude_goes_on(rude, 60, "callbacks that took three periods")) {
        const struct host *host = &rude->s->host;
        conform_expect(t, !atomic_load(&host->nested), "a callback came while another one ran");
        for (uint32_t i = 1; i < 60; i++) {
            conform_expect(t, host->blocks[i].half == (host->blocks[i - 1].half ^ 1),
                           "callback %u got the same half as the one before", i);
        }
    }
    rude_close(rude);
}

static void
fall_asleep(struct host *host, const struct host_block *block)
{
    struct rude *rude;

    if (is_the_one(host, &rude)) {
        conform_sleep_ms(ASLEEP_MS);
    }
}

/* Sleeps once, and then looks at what comes. NULL: failed and said. */
static struct rude *
sleep_once(struct conform *t)
{
    struct rude *rude = rude_open(t, fall_asleep);

    if (!rude) {
        return NULL;
    }
    rude->at_block = 10;
    if (subject_start(rude->s) && rude_goes_on(rude, 30, "a callback that slept")) {
        return rude;
    }
    rude_close(rude);
    return NULL;
}

static void
lost_blocks_show_in_position_and_time(struct conform *t)
{
    struct rude *rude = sleep_once(t);

    if (!rude) {
        return;
    }
    const struct host_block *before = &rude->s->host.blocks[10], *after = before + 15;
    if (before->answer != ASIO_OK || after->answer != ASIO_OK) {
        conform_skip(t, "the driver sends no time info");
        rude_close(rude);
        return;
    }
    double frames = (double)(int64_t)(after->position - before->position);
    double seconds = (double)(int64_t)(after->time_ns - before->time_ns) / 1e9;
    double passed = (double)(after->begin_ns - before->begin_ns) / 1e9;
    double frames_s = frames / rude->s->rate_hz, most = 0.03 + 3 * rude_period_ms(rude->s) / 1000;

    conform_figure(t, frames, "frames");
    conform_expect(t, frames_s > passed - most && frames_s < passed + most,
                   "the position grew by %.0f ms while %.0f ms passed", frames_s * 1000,
                   passed * 1000);
    conform_expect(t, seconds > passed - most && seconds < passed + most,
                   "the time grew by %.0f ms while %.0f ms passed", seconds * 1000, passed * 1000);
    rude_close(rude);
}

static void
lost_blocks_are_not_made_up_for(struct conform *t)
{
    struct rude *rude = sleep_once(t);

    if (!rude) {
        return;
    }
    /* Those that came in the ten periods after the sleep; a few that were buffered are fair. */
    const struct host_block *blocks = rude->s->host.blocks;
    uint64_t end = blocks[10].end_ns + (uint64_t)(10 * rude_period_ms(rude->s) * 1e6);
    unsigned came = 0;
    for (unsigned i = 11; i < 30 && blocks[i].begin_ns < end; i++) {
        came++;
    }
    conform_figure(t, came, "callbacks");
    conform_expect(t, came <= 16, "%u callbacks came within ten periods after one that slept %d ms",
                   came, ASLEEP_MS);
    rude_close(rude);
}

static void
an_overload_is_told_by_a_driver_that_can(struct conform *t)
{
    struct rude *rude = sleep_once(t);

    if (!rude) {
        return;
    }
    if (call_future(rude->s, ASIO_FUTURE_CAN_REPORT_OVERLOAD, NULL, 0) != ASIO_SUCCESS) {
        conform_skip(t, "the driver does not say that it reports overloads");
    } else {
        conform_sleep_ms(200);
        conform_expect(t, host_count_messages(&rude->s->host, ASIO_MESSAGE_OVERLOAD) > 0,
                       "no overload was told after a callback of %d ms", ASLEEP_MS);
    }
    rude_close(rude);
}

/* ---- ending it from within ---- */

static void
stop_inside(struct host *host, const struct host_block *block)
{
    struct rude *rude;

    if (!is_the_one(host, &rude)) {
        return;
    }
    atomic_store(&rude->entered, 1);
    atomic_store(&rude->answer, call_stop(rude->s));
    atomic_store(&rude->done, 1);
}

static void
stop_in_the_callback_returns(struct conform *t)
{
    struct rude *rude = rude_open(t, stop_inside);

    if (!rude || !subject_start(rude->s) ||
        !rude_wait_done(rude, "stop does not return within the callback") ||
        !rude_wait_outside(rude)) {
        return;
    }
    if (atomic_load(&rude->answer) == ASIO_OK) {
        uint32_t seen = atomic_load(&rude->s->host.block_count);
        conform_sleep_ms(50 + (unsigned)(3 * rude_period_ms(rude->s)));
        uint32_t later = atomic_load(&rude->s->host.block_count);
        conform_expect(t, later == seen, "%u callbacks came after a stop that answered OK",
                       later - seen);
        rude->s->running = false;
        rude->at_block = UINT32_MAX;
        if (subject_start(rude->s)) {
            rude_goes_on(rude, 5, "a stop within the callback and another start");
        }
    }
    rude_close(rude);
}

static void
restart_inside(struct host *host, const struct host_block *block)
{
    struct rude *rude;

    if (!is_the_one(host, &rude) || atomic_load(&rude->entered)) {
        return;
    }
    atomic_store(&rude->entered, 1);
    call_stop(rude->s);
    atomic_store(&rude->answer, call_start(rude->s));
    atomic_store(&rude->done, 1);
}

static void
stop_and_start_in_the_callback_return(struct conform *t)
{
    struct rude *rude = rude_open(t, restart_inside);

    if (!rude || !subject_start(rude->s) ||
        !rude_wait_done(rude, "stop or start does not return within the callback") ||
        !rude_wait_outside(rude)) {
        return;
    }
    if (atomic_load(&rude->answer) == ASIO_OK) {
        rude_goes_on(rude, 5, "a stop and a start within the callback");
    }
    rude->s->running = false;
    call_stop(rude->s);
    rude_close(rude);
}

static void
dispose_inside(struct host *host, const struct host_block *block)
{
    struct rude *rude;

    if (!is_the_one(host, &rude)) {
        return;
    }
    atomic_store(&rude->entered, 1);
    atomic_store(&rude->answer, call_dispose_buffers(rude->s));
    atomic_store(&rude->done, 1);
}

static void
dispose_in_the_callback_returns(struct conform *t)
{
    struct rude *rude = rude_open(t, dispose_inside);

    if (!rude || !subject_start(rude->s) ||
        !rude_wait_done(rude, "disposeBuffers does not return within the callback") ||
        !rude_wait_outside(rude)) {
        return;
    }
    if (atomic_load(&rude->answer) == ASIO_OK) {
        uint32_t seen = atomic_load(&rude->s->host.block_count);
        conform_sleep_ms(50 + (unsigned)(3 * rude_period_ms(rude->s)));
        conform_expect(t, atomic_load(&rude->s->host.block_count) == seen,
                       "callbacks came after a disposeBuffers that answered OK");
        rude->s->running = rude->s->prepared = false;
        rude->at_block = UINT32_MAX;
        if (subject_prepare(rude->s, 2, 2, 0) && subject_start(rude->s)) {
            rude_goes_on(rude, 5, "a disposeBuffers within the callback and other buffers");
        }
    }
    rude_close(rude);
}

static void
release_inside(struct host *host, const struct host_block *block)
{
    struct rude *rude;

    if (!is_the_one(host, &rude)) {
        return;
    }
    atomic_store(&rude->entered, 1);
    atomic_store(&rude->answer, (int32_t)call_release(rude->s));
    rude->s->asio = NULL;
    atomic_store(&rude->done, 1);
}

static void
release_in_the_callback_returns(struct conform *t)
{
    struct rude *rude = rude_open(t, release_inside);

    if (!rude || !subject_start(rude->s) ||
        !rude_wait_done(rude, "Release does not return within the callback") ||
        !rude_wait_outside(rude)) {
        return;
    }
    uint32_t seen = atomic_load(&rude->s->host.block_count);
    conform_expect(t, atomic_load(&rude->answer) == 0, "Release answered %d, not 0",
                   (int)atomic_load(&rude->answer));
    conform_sleep_ms(100);
    conform_expect(t, atomic_load(&rude->s->host.block_count) == seen,
                   "callbacks came after the last Release");
    rude_expect_fresh(t, "a Release within the callback");
}

static void
doze(struct host *host, const struct host_block *block)
{
    struct rude *rude;

    if (!is_the_one(host, &rude)) {
        return;
    }
    atomic_store(&rude->entered, 1);
    conform_sleep_ms(200);
}

static void
stop_waits_for_a_callback_that_runs(struct conform *t)
{
    struct rude *rude = rude_open(t, doze);

    if (!rude || !subject_start(rude->s)) {
        return;
    }
    for (unsigned ms = 0; ms < 3000 && !atomic_load(&rude->entered); ms++) {
        conform_sleep_ms(1);
    }
    int32_t answer = call_stop(rude->s);
    uint32_t inside = atomic_load(&rude->s->host.inside);
    conform_expect(t, answer == ASIO_OK, "stop answered %s", conform_error_text(answer));
    conform_expect(t, !inside, "stop returned while a callback ran");
    rude->s->running = false;
    rude_wait_outside(rude);
    rude_close(rude);
}

/* ---- buffers ---- */

/* Looks at the inputs, then spoils them. */
static void
spoil_inputs(struct host *host, const struct host_block *block)
{
    struct rude *rude = host->user;
    struct subject *s = rude->s;

    for (int32_t i = 0; i < s->count; i++) {
        size_t bytes = (size_t)s->buffer_frames * samples_bytes(s->types[i]);
        unsigned char *half = s->infos[i].buffers[block->half & 1];
        bool spoiled = bytes > 0;
        for (size_t n = 0; n < bytes && spoiled; n++) {
            spoiled = half[n] == SPOILED_BYTE;
        }
        if (s->infos[i].is_input) {
            atomic_fetch_add(&rude->done, spoiled);
            memset(half, SPOILED_BYTE, bytes);
        }
    }
}

static void
inputs_may_be_written_by_the_host(struct conform *t)
{
    struct rude *rude = rude_open(t, spoil_inputs);

    if (!rude) {
        return;
    }
    if (subject_start(rude->s) && rude_goes_on(rude, 20, "the host wrote into the inputs")) {
        conform_expect(t, atomic_load(&rude->done) == 0,
                       "%u halves of input still held what the host had written there",
                       atomic_load(&rude->done));
    }
    rude_close(rude);
}

/* Loud into the other half at first, nothing into its own; listens. */
static void
shout_once(struct host *host, const struct host_block *block)
{
    struct rude *rude = host->user;
    struct subject *s = rude->s;
    float heard[64];

    for (int32_t i = 0; i < s->count; i++) {
        unsigned bytes = samples_bytes(s->types[i]);
        char *own = s->infos[i].buffers[block->half & 1];
        char *other = s->infos[i].buffers[(block->half & 1) ^ 1];
        for (int32_t n = 0; bytes && n + 64 <= s->buffer_frames; n += 64) {
            static const float silence[64];
            static const float loud[64] = {0.9f,  -0.9f, 0.9f, -0.9f, 0.9f,
                                           -0.9f, 0.9f,  0.9f, 0.9f,  0.9f};
            if (s->infos[i].is_input) {
                samples_get(heard, own + (size_t)n * bytes, s->types[i], 64);
                for (unsigned k = 0; k < 64; k++) {
                    atomic_fetch_add(&rude->done, heard[k] > 0.3f || heard[k] < -0.3f);
                }
            } else {
                samples_put(own + (size_t)n * bytes, s->types[i], silence, 64);
                if (atomic_load(&host->block_count) == 0) {
                    samples_put(other + (size_t)n * bytes, s->types[i], loud, 64);
                }
            }
        }
    }
}

static void
garbage_in_the_other_half_is_not_heard(struct conform *t)
{
    struct rude *rude = rude_open(t, shout_once);

    if (!rude) {
        return;
    }
    if (subject_start(rude->s) && rude_goes_on(rude, LISTEN_BLOCKS, "loud garbage at start")) {
        conform_expect(t, atomic_load(&rude->done) == 0,
                       "%u frames of what the host had left in the other half were heard",
                       atomic_load(&rude->done));
    }
    rude_close(rude);
}

/* ---- the table ---- */

static const struct conform_case cases[] = {
    {"late_callbacks_are_survived", "A callback that takes three periods costs blocks, no more",
     "our own rule: because loading a plug-in holds a callback up, and the music goes on after it",
     late_callbacks_are_survived, NEED_STREAM, 0},
    {"lost_blocks_show_in_position_and_time",
     "After a callback of 300 ms position and time tell how much was lost",
     "tutti/asio.h: positions; our own rule: because a recording with a gap must have it in its "
     "place",
     lost_blocks_show_in_position_and_time, NEED_STREAM, 0},
    {"lost_blocks_are_not_made_up_for",
     "After a callback of 300 ms the lost blocks are not delivered all at once",
     "our own rule: because blocks that come all at once leave no time to compute them",
     lost_blocks_are_not_made_up_for, NEED_STREAM, 0},
    {"an_overload_is_told_by_a_driver_that_can",
     "A driver that says it reports overloads tells one",
     "tutti/asio.h: CanReportOverload; JUCE, juce_ASIO_windows.cpp: asioMessagesCallback counts "
     "what Overload tells",
     an_overload_is_told_by_a_driver_that_can, NEED_STREAM, 0},
    {"stop_in_the_callback_returns", "stop may be called within the callback",
     "naudio/NAudio, issues 259 and 366 (stop in the callback at the end of a file)",
     stop_in_the_callback_returns, NEED_STREAM, 0},
    {"stop_and_start_in_the_callback_return",
     "stop and start within the callback are done or refused",
     "naudio/NAudio, issue 259 (stop in the callback); our own rule: because who plays the next "
     "file starts there, too",
     stop_and_start_in_the_callback_return, NEED_STREAM, 0},
    {"dispose_in_the_callback_returns", "disposeBuffers may be called within the callback",
     "naudio/NAudio, issue 259 (stop in the callback); our own rule: because who stops there may "
     "dispose there",
     dispose_in_the_callback_returns, NEED_STREAM, 0},
    {"release_in_the_callback_returns", "The last Release may come within the callback",
     "naudio/NAudio, AsioDisposeFromStoppedHandlerTest.cs (disposed of where the end is reported)",
     release_in_the_callback_returns, NEED_STREAM, 0},
    {"stop_waits_for_a_callback_that_runs", "stop returns when the last callback has returned",
     "PortAudio, pa_asio.cpp: EnsureCallbackHasCompleted (one driver does not wait)",
     stop_waits_for_a_callback_that_runs, NEED_STREAM, 0},
    {"inputs_may_be_written_by_the_host", "A host that works in place may write into inputs",
     "PortAudio, pa_asio.cpp: bufferSwitchTimeInfo converts inputs in place",
     inputs_may_be_written_by_the_host, NEED_STREAM | NEED_INPUT, 0},
    {"garbage_in_the_other_half_is_not_heard",
     "What a host leaves in the half that is not its own, and overwrites later, is not played",
     "dechamps/ASIOUtil, BUFFERS.md: buffer validity", garbage_in_the_other_half_is_not_heard,
     NEED_STREAM | NEED_LOOPBACK, 0},
};

const struct conform_group conform_group_rude_callback = {"rude", "hosts that misbehave", cases,
                                                          sizeof(cases) / sizeof(*cases)};
