/* SPDX-License-Identifier: MIT */
/*
 * The clock's thread: sleeps until a block is due, takes the inputs from the cable, calls the host,
 * puts the outputs into the cable. A host that is late loses blocks, and the position tells.
 */
#include "broken.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <timeapi.h>

/* That have a thread now. */
static LONG streams;
/* Of all streams. */
LONG starts;

LONG
streams_of_all(void)
{
    return streams;
}

/* ---- time ---- */

uint64_t
clock_now_ns(void)
{
    LARGE_INTEGER now, frequency;

    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    uint64_t count = (uint64_t)now.QuadPart, hz = (uint64_t)frequency.QuadPart;
    return count / hz * 1000000000u + count % hz * 1000000000u / hz;
}

uint64_t
clock_offset_ns(void)
{
    uint64_t begin = clock_now_ns(), best = 0;
    bool any = false;

    /* timeGetTime() stands still between ticks: the greatest difference is that just after one. */
    for (;;) {
        uint64_t now = clock_now_ns();
        uint64_t offset = (uint64_t)timeGetTime() * 1000000 - now;
        if (!any || (int64_t)(offset - best) > 0) {
            best = offset;
        }
        any = true;
        if (now - begin > 1100000) {
            return best;
        }
    }
}

uint64_t
clock_frames_ns(const struct stream *stream, uint64_t frames)
{
    double rate_hz = stream->rate_hz;

    if (BROKEN(small_buffers_slow) && stream->frames <= 64) {
        rate_hz *= 0.8;
    }
    if (BROKEN(rate_off)) {
        rate_hz *= 0.97;
    }
    if (BROKEN(high_rates_slow) && stream->rate_hz > 192000) {
        rate_hz *= 0.8;
    }
    if (BROKEN(rate_fixed)) {
        rate_hz = 48000;
    }
    return (uint64_t)((double)frames * 1e9 / rate_hz);
}

/* Finer than Sleep(). */
static void
sleep_until_ns(uint64_t due_ns)
{
    typedef LONG(NTAPI * delay_fn)(BOOLEAN alertable, const LARGE_INTEGER *interval);
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    FARPROC found = ntdll ? GetProcAddress(ntdll, "NtDelayExecution") : NULL;
    delay_fn delay = NULL;
    uint64_t now = clock_now_ns();

    memcpy(&delay, &found, sizeof(delay));
    while (now < due_ns) {
        LARGE_INTEGER interval = {.QuadPart = -(LONGLONG)((due_ns - now + 99) / 100)};
        if (delay) {
            delay(FALSE, &interval);
        } else {
            Sleep((DWORD)((due_ns - now) / 1000000));
        }
        now = clock_now_ns();
    }
}

/* ---- the cable ---- */

/* Input frame p is output frame p - (both latencies). */
static void
take_inputs(struct stream *stream, unsigned half, uint64_t position)
{
    uint64_t delay = 2 * (uint64_t)stream->frames + INPUT_EXTRA + OUTPUT_EXTRA;

    if (BROKEN(latency_varies)) {
        delay += starts % 8 * 16;
    }
    if (BROKEN(latency_ignores_rate) && stream->rate_hz != 48000) {
        delay += 2 * OUTPUT_EXTRA;
    }
    if (BROKEN(latency_of_large_ignores_rate) && stream->frames == BUFFER_MAX &&
        stream->rate_hz != 48000) {
        delay += 2 * OUTPUT_EXTRA;
    }
    if (BROKEN(output_ready_delays) && stream->ready) {
        delay += (uint64_t)stream->frames;
    }
    for (unsigned c = 0; c < CHANNELS; c++) {
        float *input = stream->input[c][half];
        if (BROKEN(silent_inputs_left)) {
            input = NULL;
        }
        for (int32_t i = 0; input && i < stream->frames; i++) {
            uint64_t at = position + (uint64_t)i;
            float sample = at + (uint64_t)stream->frames < delay
                               ? 0
                               : stream->cable[c][(at - delay) % CABLE_FRAMES];
            if (BROKEN(cable_adds_noise)) {
                sample += (float)(rand() % 1000) / 10000;
            }
            if (BROKEN(cable_repeats) && i >= stream->frames * 3 / 4) {
                sample = input[i - stream->frames / 4];
            }
            input[i] = sample;
        }
    }
}

static void
put_outputs(struct stream *stream, unsigned half, uint64_t position)
{
    bool lost = BROKEN(cable_loses_a_block) && stream->blocks == 80;

    if (BROKEN(takes_wrong_half)) {
        half ^= 1;
    }
    for (unsigned c = 0; c < CHANNELS; c++) {
        const float *output = lost ? NULL : stream->output[c][half];
        for (int32_t i = 0; i < stream->frames; i++) {
            stream->cable[c][(position + (uint64_t)i) % CABLE_FRAMES] = output ? output[i] : 0;
        }
    }
}

/* The host may write into a half until the call for the other one returns: then the block of the
 * call before is taken. There is time, the cable is two blocks long. */
static void
take_blocks(struct stream *stream, uint64_t position)
{
    unsigned half = (unsigned)stream->half;

    if (BROKEN(takes_at_return) || BROKEN(output_ready_ignored) || BROKEN(takes_wrong_half)) {
        put_outputs(stream, half, position);
    } else if (stream->has_previous) {
        put_outputs(stream, half ^ 1, stream->previous_position);
    }
    stream->has_previous = true;
    stream->previous_position = position;
}

static void
put_silence(struct stream *stream, uint64_t position, uint64_t frames)
{
    if (frames > CABLE_FRAMES) {
        frames = CABLE_FRAMES;
    }
    for (unsigned c = 0; c < CHANNELS; c++) {
        for (uint64_t i = 0; i < frames; i++) {
            stream->cable[c][(position + i) % CABLE_FRAMES] = 0;
        }
    }
}

/* ---- what the host is told ---- */

static uint64_t
position_to_tell(struct stream *stream)
{
    uint64_t position = stream->position, frames = (uint64_t)stream->frames;

    if (BROKEN(position_first_not_zero)) {
        position += frames;
    }
    if (BROKEN(position_not_aligned) && position) {
        position += 7;
    }
    if (BROKEN(position_jumps_back) && stream->blocks == 20) {
        position -= 4 * frames;
    }
    if (BROKEN(position_tires) && position > stream->rate_hz * 3 / 2) {
        position -= 8 * frames;
    }
    if (BROKEN(position_stands) && stream->blocks > 8) {
        position = 8 * frames;
    }
    if (BROKEN(position_drifts)) {
        position += position / 100 / frames * frames;
    }
    return position;
}

static uint64_t
time_to_tell(struct stream *stream, uint64_t due_ns)
{
    uint64_t time = due_ns + stream->offset_ns;

    if (BROKEN(time_in_ms)) {
        time /= 1000000;
    }
    if (BROKEN(time_steps_back) && stream->blocks == 20) {
        time -= 100000000;
    }
    if (BROKEN(time_other_scale)) {
        time += 3600ull * 1000000000;
    }
    if (BROKEN(time_uneven)) {
        time += (uint64_t)(rand() % 12000) * 1000;
    }
    if (BROKEN(time_zero)) {
        time = 0;
    }
    return time;
}

static struct asio_int64
halves_of(uint64_t value)
{
    struct asio_int64 halves = asio_int64_from(value);

    if (BROKEN(halves_swapped)) {
        return (struct asio_int64){halves.lo, halves.hi};
    }
    return halves;
}

struct call {
    struct stream *stream;
    int32_t half;
    uint64_t position, time_ns;
};

static void
call_with_time(const struct call *call)
{
    struct stream *stream = call->stream;
    int32_t direct = BROKEN(direct_garbage) ? 77 : 1;
    struct asio_time time = {
        .info =
            {
                .speed = 1.0,
                .system_time = halves_of(call->time_ns),
                .sample_position = halves_of(call->position),
                .sample_rate = BROKEN(info_rate_wrong) ? 32000 : stream->rate_hz,
                .flags = BROKEN(info_flags_missing)
                             ? 0
                             : ASIO_TIME_SYSTEM_TIME_VALID | ASIO_TIME_SAMPLE_POSITION_VALID |
                                   ASIO_TIME_SAMPLE_RATE_VALID,
            },
    };
    if (BROKEN(info_null)) {
        stream->host->buffer_switch_time_info(NULL, call->half, direct);
        return;
    }
    struct asio_time *answer = stream->host->buffer_switch_time_info(&time, call->half, direct);
    if (answer && BROKEN(time_beyond_148)) {
        memset(answer + 1, 0, 8);
    }
    if (BROKEN(info_answer_needed)) {
        *(volatile double *)&stream->rate_hz = answer->info.sample_rate;
    }
}

static DWORD WINAPI
call_host(void *arg)
{
    const struct call *call = arg;

    if (call->stream->time_info) {
        call_with_time(call);
    } else {
        call->stream->host->buffer_switch(call->half, BROKEN(direct_garbage) ? 77 : 1);
    }
    return 0;
}

static void
call_on_another_thread(struct call *call)
{
    HANDLE thread = CreateThread(NULL, 0, call_host, call, 0, NULL);

    if (!thread) {
        return;
    }
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

/* Two threads that begin at the same moment, and call many times. */
struct meeting {
    struct call *call;
    volatile LONG there;
};

static DWORD WINAPI
call_often(void *arg)
{
    enum { TIMES = 20 };
    struct meeting *meeting = arg;
    uint64_t end_ns = clock_now_ns() + 5000000;

    InterlockedIncrement(&meeting->there);
    while (meeting->there < 2 && clock_now_ns() < end_ns) {
        YieldProcessor();
    }
    for (unsigned i = 0; i < TIMES; i++) {
        call_host(meeting->call);
    }
    return 0;
}

static void
call_on_two_threads(struct call *call)
{
    struct meeting meeting = {call, 0};
    HANDLE thread = CreateThread(NULL, 0, call_often, &meeting, 0, NULL);

    call_often(&meeting);
    if (!thread) {
        return;
    }
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void
deliver(struct call *call)
{
    struct stream *stream = call->stream;

    if (BROKEN(reset_in_callback_thread) && stream->tell & TELL_RESET) {
        stream->tell &= ~(uint32_t)TELL_RESET;
        stream->host->asio_message(ASIO_MESSAGE_RESET_REQUEST, 0, NULL, NULL);
    }
    if (BROKEN(jitter) && stream->blocks % 3 == 1) {
        sleep_until_ns(clock_now_ns() +
                       16 * clock_frames_ns(stream, (uint64_t)stream->frames) / 10);
    }
    if (BROKEN(stalls) && stream->blocks % 32 == 31) {
        Sleep(120);
    }
    if (BROKEN(calls_stop) && stream->blocks > 60) {
        return;
    }
    if (BROKEN(stops_after_reset) && stream->reset_told) {
        return;
    }
    if (BROKEN(readies_cost) && stream->readies > 20) {
        return;
    }
    if (BROKEN(second_stream_stops_first) && streams > 1 && stream->first) {
        return;
    }
    if (BROKEN(calls_overlap) && stream->blocks % 8 == 7) {
        call_on_two_threads(call);
    }
    if (BROKEN(two_threads) && stream->blocks & 1) {
        call_on_another_thread(call);
        return;
    }
    call_host(call);
    if (BROKEN(calls_twice) && stream->blocks % 8 == 7) {
        call_host(call);
    }
}

/* ---- for no good reason ---- */

void
protect_halves(struct stream *stream, DWORD protection)
{
    DWORD old;

    if (BROKEN(halves_in_callback_only)) {
        VirtualProtect(stream->samples, stream->samples_bytes, protection, &old);
    }
}

static bool
loses_block(const struct stream *stream)
{
    bool many = stream->channels > 4, small = stream->frames <= 64;

    if (BROKEN(many_channels_lose)) {
        return many && !small && stream->blocks & 1;
    }
    if (BROKEN(small_with_many_lose)) {
        return many && small && stream->blocks & 1;
    }
    if (BROKEN(small_buffers_lose)) {
        return small && stream->blocks & 1;
    }
    if (BROKEN(large_buffers_lose)) {
        return stream->frames >= BUFFER_MAX && stream->blocks & 1;
    }
    return BROKEN(busy_host_loses) && stream->was_busy;
}

/* ---- the loop ---- */

/* Blocks that cannot be delivered any more, because the host or the machine was late: what a card
 * could not have kept. */
static void
skip_missed(struct stream *stream, uint64_t due_ns)
{
    uint64_t late = clock_now_ns() - due_ns;
    uint64_t period = clock_frames_ns(stream, (uint64_t)stream->frames);

    if (late < period || late < ELASTIC_NS || BROKEN(never_skips)) {
        return;
    }
    uint64_t missed = late / period * (uint64_t)stream->frames;
    put_silence(stream, stream->position, missed);
    if (!BROKEN(skips_untold)) {
        stream->position += missed;
    } else {
        stream->start_ns += late / period * period;
    }
    stream->tell |= BROKEN(overload_untold) ? 0 : TELL_OVERLOAD;
    if (BROKEN(late_crash) && late > 10000000) {
        *(volatile int *)NULL = 0;
    }
    if (BROKEN(late_ends) && late > 20000000) {
        stream->running = false;
    }
    WakeAllConditionVariable(&stream->changed);
}

/* The lock is held. The host is called without it. */
static void
one_block(struct stream *stream, uint32_t run)
{
    skip_missed(stream, stream->due_ns);
    if (BROKEN(jump_untold) && stream->blocks == 20) {
        stream->position += (uint64_t)stream->frames;
    }
    struct call call = {stream, stream->half, 0, 0};
    uint64_t position = stream->position;

    if (!stream->running && !BROKEN(calls_after_stop)) {
        return;
    }
    uint64_t due_ns =
        stream->start_ns + clock_frames_ns(stream, position + (uint64_t)stream->frames);
    protect_halves(stream, PAGE_READWRITE);
    take_inputs(stream, (unsigned)call.half, position);
    call.position = position_to_tell(stream);
    call.time_ns = time_to_tell(stream, due_ns);
    stream->told_position = call.position;
    stream->told_time_ns = call.time_ns;
    stream->has_block = true;
    if (BROKEN(index_sticks)) {
        call.half = 0;
    }
    stream->in_callback = true;
    stream->ready = false;
    ReleaseSRWLockExclusive(&stream->lock);
    uint64_t began_ns = clock_now_ns();
    if (!loses_block(stream)) {
        deliver(&call);
    }
    stream->was_busy =
        !stream->was_busy &&
        clock_now_ns() - began_ns > clock_frames_ns(stream, (uint64_t)stream->frames) * 2 / 5;
    AcquireSRWLockExclusive(&stream->lock);
    stream->in_callback = false;
    if (stream->blocks == 2 && (BROKEN(reset_for_nothing) || BROKEN(tells_unasked))) {
        stream->tell |= BROKEN(tells_unasked) ? TELL_LATENCIES : TELL_RESET;
    }
    if (stream->run == run) {
        take_blocks(stream, position);
        protect_halves(stream, PAGE_NOACCESS);
        stream->position = position + (uint64_t)stream->frames;
        stream->half ^= 1;
        stream->blocks++;
        if (!stream->running && !stream->quit) { /* stopped within the callback */
            clear_halves(stream);
        }
    }
    WakeAllConditionVariable(&stream->changed);
}

static bool
wants_calls(const struct stream *stream)
{
    if (BROKEN(calls_after_stop) && stream->blocks > 0) {
        return !stream->quit;
    }
    if (BROKEN(probe_awaits_output_ready) && stream->probed && stream->blocks > 0 &&
        !stream->ready) {
        return false;
    }
    return stream->running && !stream->quit;
}

DWORD WINAPI
callback_main(void *arg)
{
    struct stream *stream = arg;
    HMODULE module = stream->module;

    stream->first = InterlockedIncrement(&streams) == 1;
    SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL);
    timeBeginPeriod(1);
    if (BROKEN(calls_before_start)) {
        struct call early = {stream, 0, 0, 0};
        deliver(&early);
    }
    AcquireSRWLockExclusive(&stream->lock);
    while (!stream->quit) {
        if (!wants_calls(stream)) {
            SleepConditionVariableSRW(&stream->changed, &stream->lock, INFINITE, 0);
            continue;
        }
        uint32_t run = stream->run;
        stream->due_ns =
            stream->start_ns + clock_frames_ns(stream, stream->position + (uint64_t)stream->frames);
        uint64_t due_ns = stream->due_ns;
        ReleaseSRWLockExclusive(&stream->lock);
        sleep_until_ns(due_ns);
        AcquireSRWLockExclusive(&stream->lock);
        if (wants_calls(stream) && stream->run == run) {
            one_block(stream, run);
        }
    }
    ReleaseSRWLockExclusive(&stream->lock);
    timeEndPeriod(1);
    InterlockedDecrement(&streams);
    stream_release(stream);
    FreeLibraryAndExitThread(module, 0);
}
