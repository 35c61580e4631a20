/* SPDX-License-Identifier: MIT */
/* From createBuffers to disposeBuffers: the stream, its memory, its threads, start and stop. */
#include "broken.h"

#include <stdlib.h>
#include <string.h>

/* ---- the stream's life ---- */

static void
stream_free(struct stream *stream)
{
    if (stream->thread) {
        CloseHandle(stream->thread);
    }
    if (stream->message_thread) {
        CloseHandle(stream->message_thread);
    }
    for (unsigned c = 0; c < CHANNELS; c++) {
        free(stream->cable[c]);
    }
    if (stream->samples) {
        VirtualFree(stream->samples, 0, MEM_RELEASE);
    }
    free(stream);
    dll_let_go();
}

void
stream_release(struct stream *stream)
{
    if (InterlockedDecrement(&stream->references) == 0) {
        stream_free(stream);
    }
}

static bool
allocate(struct stream *stream, int32_t frames)
{
    size_t halves = (size_t)frames * 4 * CHANNELS;

    for (unsigned c = 0; c < CHANNELS; c++) {
        stream->cable[c] = calloc(CABLE_FRAMES, sizeof(float));
        if (!stream->cable[c]) {
            return false;
        }
    }
    /* one block, in which each half has its own part; a frame more for the unaligned */
    stream->samples_bytes = (halves + 1) * sizeof(float);
    stream->samples =
        VirtualAlloc(NULL, stream->samples_bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (stream->samples && BROKEN(halves_not_zeroed)) {
        memset(stream->samples, 0x3c, stream->samples_bytes);
    }
    return stream->samples != NULL;
}

static HANDLE
begin_thread(struct stream *stream, LPTHREAD_START_ROUTINE main, DWORD *tid)
{
    InterlockedIncrement(&stream->references);
    dll_pin();
    HANDLE thread = CreateThread(NULL, 0, main, stream, CREATE_SUSPENDED, tid);
    if (thread) {
        return thread;
    }
    FreeLibrary(stream->module);
    InterlockedDecrement(&stream->references);
    return NULL;
}

static struct stream *
stream_new(int32_t frames)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        return NULL;
    }
    dll_hold();
    stream->references = 1;
    stream->frames = frames;
    InitializeSRWLock(&stream->lock);
    InitializeConditionVariable(&stream->changed);
    stream->module = dll_pin();
    FreeLibrary(stream->module); /* the threads hold it, each for itself */
    if (allocate(stream, frames)) {
        stream->thread = begin_thread(stream, callback_main, &stream->tid);
    }
    if (stream->thread) {
        stream->message_thread = begin_thread(stream, message_main, &stream->message_tid);
    }
    if (stream->message_thread) {
        return stream;
    }
    stream->quit = true;
    if (stream->thread) {
        ResumeThread(stream->thread);
    }
    stream_release(stream);
    return NULL;
}

/* ---- createBuffers ---- */

static int32_t
check_infos(struct driver *driver, const struct asio_buffer_info *infos, int32_t count)
{
    if (BROKEN(create_null_infos_crash) && !infos) {
        (void)((volatile const struct asio_buffer_info *)infos)->channel;
    }
    if (!infos || count > 2 * CHANNELS) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "createBuffers with %d channels",
                           (int)count);
    }
    if (count < 1 && !(count < 0 && BROKEN(create_negative_count_accepted))) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "createBuffers with %d channels",
                           (int)count);
    }
    bool any_input = false, any_output = false;
    for (int32_t i = 0; i < count; i++) {
        bool there = infos[i].channel >= 0 && infos[i].channel < CHANNELS;
        any_input = any_input || infos[i].is_input;
        any_output = any_output || !infos[i].is_input;
        if (!there && !BROKEN(create_bad_channel_accepted)) {
            return driver_fail(driver, ASIO_INVALID_PARAMETER, "there is no channel %d",
                               (int)infos[i].channel);
        }
        if (BROKEN(create_outputs_first_refused) && i > 0 && infos[i].is_input &&
            !infos[i - 1].is_input) {
            return driver_fail(driver, ASIO_INVALID_PARAMETER, "inputs come first");
        }
    }
    if (BROKEN(create_needs_output) && !any_output) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there must be an output");
    }
    if (BROKEN(create_needs_two) && count < 2) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there must be two channels");
    }
    if (BROKEN(create_limited_to_four) && count > 4) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "four channels are the most");
    }
    if (BROKEN(create_needs_input) && !any_input) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there must be an input");
    }
    return ASIO_OK;
}

static bool
frames_fit(int32_t frames)
{
    bool in_range = frames >= BUFFER_MIN && frames <= BUFFER_MAX;
    bool power = frames > 0 && (frames & (frames - 1)) == 0;

    if (BROKEN(create_min_refused) && frames == BUFFER_MIN) {
        return false;
    }
    if (BROKEN(create_preferred_only)) {
        return frames == BUFFER_PREFERRED;
    }
    if (in_range) {
        return power;
    }
    return (frames == 0 && BROKEN(create_zero_frames_accepted)) ||
           (frames < 0 && BROKEN(create_negative_frames_accepted));
}

static bool
ask(const struct asio_callbacks *host, int32_t selector, int32_t value)
{
    if (!host->asio_message && !BROKEN(null_message_crash)) {
        return false;
    }
    return host->asio_message(selector, value, NULL, NULL) == 1;
}

static void
ask_host(struct stream *stream)
{
    static const int32_t asked[] = {ASIO_MESSAGE_RESET_REQUEST, ASIO_MESSAGE_OVERLOAD,
                                    ASIO_MESSAGE_SUPPORTS_TIME_INFO};
    const struct asio_callbacks *host = &stream->callbacks;

    for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        if (ask(host, ASIO_MESSAGE_SELECTOR_SUPPORTED, asked[i])) {
            stream->host_knows |= 1u << asked[i];
        }
    }
    if (host->asio_message) {
        stream->engine_version = host->asio_message(ASIO_MESSAGE_ENGINE_VERSION, 0, NULL, NULL);
    }
    stream->time_info = stream->host_knows & 1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO &&
                        ask(host, ASIO_MESSAGE_SUPPORTS_TIME_INFO, 0);
    if (BROKEN(time_info_though_declined)) {
        stream->time_info = true;
    }
    if (BROKEN(time_info_never)) {
        stream->time_info = false;
    }
    if (!host->buffer_switch_time_info && !BROKEN(time_info_null_called)) {
        stream->time_info = false;
    }
    if (!host->buffer_switch_time_info && BROKEN(time_info_null_called)) {
        stream->time_info = true;
    }
}

static void
give_buffers(struct stream *stream, struct asio_buffer_info *infos, int32_t count)
{
    float *next = stream->samples;
    size_t frames = (size_t)stream->frames;

    stream->channels = (uint32_t)count;
    /* the last half goes beyond the page that was allocated */
    if (BROKEN(buffers_short) && count > 0) {
        next = stream->samples + (stream->samples_bytes + 4095) / 4096 * 1024 -
               ((size_t)count * 2 - 1) * frames - frames / 2;
    }

    for (int32_t i = 0; i < count; i++) {
        unsigned channel = (unsigned)infos[i].channel % CHANNELS;
        float **halves = infos[i].is_input ? stream->input[channel] : stream->output[channel];
        for (unsigned half = 0; half < 2; half++) {
            halves[half] = next;
            next += BROKEN(buffers_overlap) ? frames / 2 : frames;
        }
        if (BROKEN(halves_same)) {
            halves[1] = halves[0];
        }
        infos[i].buffers[0] = halves[0];
        infos[i].buffers[1] = BROKEN(second_half_null) ? NULL : halves[1];
        if (BROKEN(buffers_unaligned)) {
            infos[i].buffers[0] = (char *)halves[0] + 1;
            infos[i].buffers[1] = (char *)halves[1] + 1;
        }
        if (BROKEN(create_writes_input_fields)) {
            infos[i].channel = -1;
        }
    }
    if (BROKEN(infos_overrun)) {
        memset(&infos[count], 0, 8);
    }
}

static int32_t
check_request(struct driver *driver, struct asio_buffer_info *infos, int32_t count, int32_t frames,
              const struct asio_callbacks *callbacks)
{
    static bool failed_before;
    int32_t result = ASIO_OK;

    if (BROKEN(create_null_callbacks_crash) && !callbacks) {
        (void)*(void *volatile *)(uintptr_t)callbacks;
    }
    if (!callbacks || !callbacks->buffer_switch) {
        result = driver_fail(driver, ASIO_INVALID_PARAMETER, "createBuffers without bufferSwitch");
    }
    if (!result) {
        result = check_infos(driver, infos, count);
    }
    if (!result && !frames_fit(frames)) {
        result = driver_fail(driver, ASIO_INVALID_MODE, "no buffers of %d frames", (int)frames);
    }
    if (BROKEN(failed_create_sticks) && failed_before) {
        result = ASIO_INVALID_MODE;
    }
    failed_before = failed_before || result;
    return result;
}

/* Defects that show only after a while, or on one thread. */
static bool
refuses_today(struct driver *driver)
{
    static LONG created;

    if (BROKEN(creates_limited) && InterlockedIncrement(&created) > 60) {
        return true;
    }
    if (BROKEN(create_after_dispose_fails) && driver->prepared_before) {
        return true;
    }
    if (BROKEN(create_in_message_fails) && GetCurrentThreadId() == telling_tid) {
        return true;
    }
    return BROKEN(mark_of_buffers) && !mark_set("buffers");
}

static LONG streams_made;

int32_t TUTTI_ASIO
create_buffers(struct asio_driver *self, struct asio_buffer_info *infos, int32_t count,
               int32_t frames, const struct asio_callbacks *callbacks)
{
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    result = check_request(driver, infos, count, frames, callbacks);
    if (!result && driver->stream && !BROKEN(create_twice_accepted)) {
        result = driver_fail(driver, ASIO_INVALID_MODE, "there are buffers already");
    }
    if (result) {
        return result;
    }
    if (refuses_today(driver)) {
        return driver_fail(driver, ASIO_HW_MALFUNCTION, "not again");
    }
    struct stream *stream = stream_new(frames > 0 ? frames : BUFFER_PREFERRED);
    if (!stream) {
        return driver_fail(driver, ASIO_NO_MEMORY, "no memory");
    }
    stream->callbacks = *callbacks;
    stream->host = BROKEN(keeps_callbacks) ? callbacks : &stream->callbacks;
    ask_host(stream);
    if (BROKEN(create_leaks_memory)) {
        memset(malloc(1 << 13), 1, 1 << 13);
    }
    stream->leaks = BROKEN(thread_leaks) && InterlockedIncrement(&streams_made) % 8 == 0;
    EnterCriticalSection(&driver->lock);
    bool taken = driver->stream != NULL && !BROKEN(create_twice_accepted);
    if (!taken) {
        stream->rate_hz = driver->rate_hz > 0 ? driver->rate_hz : 48000;
        stream->probed = driver->probed;
        give_buffers(stream, infos, count);
        driver->prepared_before = true;
        driver->stream = stream;
    }
    LeaveCriticalSection(&driver->lock);
    if (taken) {
        stream->quit = true;
    }
    ResumeThread(stream->thread);
    ResumeThread(stream->message_thread);
    if (!taken) {
        return ASIO_OK;
    }
    stream_release(stream);
    return driver_fail(driver, ASIO_INVALID_MODE, "there are buffers already");
}

/* ---- stop and disposeBuffers ---- */

void
clear_halves(struct stream *stream)
{
    if (BROKEN(halves_kept_after_stop)) {
        return;
    }
    protect_halves(stream, PAGE_READWRITE);
    memset(stream->samples, 0, stream->samples_bytes);
}

/* No callback runs, or begins, once this returns; but on its own thread. */
static void
halt(struct stream *stream, bool quit)
{
    bool own = GetCurrentThreadId() == stream->tid;

    AcquireSRWLockExclusive(&stream->lock);
    if (own && BROKEN(stop_in_callback_deadlocks)) {
        own = false;
    }
    if (own && quit && BROKEN(dispose_in_callback_deadlocks)) {
        own = false;
    }
    stream->running = false;
    stream->quit = stream->quit || quit;
    WakeAllConditionVariable(&stream->changed);
    while (stream->in_callback && !own && !BROKEN(stop_returns_early)) {
        SleepConditionVariableSRW(&stream->changed, &stream->lock, INFINITE, 0);
    }
    if (!stream->in_callback) {
        clear_halves(stream);
    }
    ReleaseSRWLockExclusive(&stream->lock);
}

int32_t TUTTI_ASIO
stop(struct asio_driver *self)
{
    static LONG stopping;
    struct driver *driver = driver_of(self);
    struct stream *stream = NULL;
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    EnterCriticalSection(&driver->lock);
    if (driver->stream && driver->stream->running) {
        stream = driver->stream;
        InterlockedIncrement(&stream->references);
    }
    LeaveCriticalSection(&driver->lock);
    if (!stream) {
        return driver_fail(driver, ASIO_INVALID_MODE, "nothing runs");
    }
    if (BROKEN(thread_bound) && GetCurrentThreadId() != driver->tid) {
        stream_release(stream);
        return driver_fail(driver, ASIO_INVALID_MODE, "not from this thread");
    }
    if (BROKEN(stop_awaits_output_ready) && driver->probed && !stream->ready) {
        Sleep(INFINITE);
    }
    if (BROKEN(two_stops_deadlock)) {
        if (InterlockedIncrement(&stopping) > 1) {
            Sleep(INFINITE);
        }
        Sleep(30);
    }
    halt(stream, false);
    InterlockedExchange(&stopping, 0);
    if (BROKEN(mark_of_start)) {
        mark_clear("start");
    }
    if (BROKEN(stop_hangs)) {
        Sleep(INFINITE);
    }
    if (BROKEN(stop_slow)) {
        Sleep(2500);
    }
    stream_release(stream);
    return BROKEN(stop_strange_answer) ? 1 : ASIO_OK;
}

static void
end_threads(struct stream *stream)
{
    DWORD me = GetCurrentThreadId();

    halt(stream, true);
    if (me == stream->tid) {
        return;
    }
    if (!BROKEN(stop_returns_early)) {
        WaitForSingleObject(stream->thread, INFINITE);
    }
    if (BROKEN(release_in_message_deadlocks)) {
        WaitForSingleObject(stream->message_thread, INFINITE);
    }
    /* Not for ever: the host may wait, in a message, for the thread that calls here. */
    if (me != stream->message_tid && !stream->leaks && !BROKEN(thread_outlives_module)) {
        WaitForSingleObject(stream->message_thread, CALLBACK_PATIENCE_MS);
    }
}

int32_t TUTTI_ASIO
dispose_buffers(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    static LONG disposed;

    if (BROKEN(dispose_refused_while_running) && driver->stream && driver->stream->running &&
        driver->references > 0) {
        return driver_fail(driver, ASIO_INVALID_MODE, "stop first");
    }
    EnterCriticalSection(&driver->lock);
    struct stream *stream = driver->stream;
    driver->stream = NULL;
    if (stream && driver->wanted_rate_hz > 0 && !BROKEN(wanted_rate_lost)) {
        driver->rate_hz = driver->wanted_rate_hz;
    }
    driver->wanted_rate_hz = 0;
    LeaveCriticalSection(&driver->lock);
    if (!stream && disposed && BROKEN(dispose_twice_crash)) {
        *(volatile int *)NULL = 0;
    }
    if (!stream && BROKEN(dispose_idle_accepted)) {
        return ASIO_OK;
    }
    if (!stream) {
        return driver_fail(driver,
                           BROKEN(dispose_idle_strange) ? ASIO_HW_MALFUNCTION : ASIO_INVALID_MODE,
                           "there are no buffers");
    }
    InterlockedIncrement(&disposed);
    if (BROKEN(mark_of_buffers)) {
        mark_clear("buffers");
    }
    if (BROKEN(mark_of_start)) {
        mark_clear("start");
    }
    end_threads(stream);
    if (BROKEN(dispose_in_callback_frees) && GetCurrentThreadId() == stream->tid) {
        VirtualFree(stream->samples, 0, MEM_DECOMMIT);
    }
    stream_release(stream);
    return ASIO_OK;
}

/* ---- start ---- */

static void
clear(struct stream *stream)
{
    protect_halves(stream, PAGE_READWRITE);
    if (BROKEN(half_before_start_lost)) {
        memset(stream->samples, 0, stream->samples_bytes);
    }
    for (unsigned c = 0; c < CHANNELS; c++) {
        memset(stream->cable[c], 0, CABLE_FRAMES * sizeof(float));
    }
}

static int32_t
begin_run(struct stream *stream)
{
    uint64_t offset_ns = clock_offset_ns();

    AcquireSRWLockExclusive(&stream->lock);
    while (BROKEN(start_in_callback_deadlocks) && stream->in_callback) {
        SleepConditionVariableSRW(&stream->changed, &stream->lock, INFINITE, 0);
    }
    bool runs = stream->running;
    if (!runs) {
        clear(stream);
        stream->run++;
        starts++;
        stream->running = true;
        stream->has_block = false;
        if (!BROKEN(restart_keeps_position) || stream->run == 1) {
            stream->position = 0;
        }
        stream->half = 0;
        stream->blocks = 0;
        /* what the host filled before this */
        stream->has_previous = true;
        stream->previous_position = stream->position - (uint64_t)stream->frames;
        if (BROKEN(half_before_start_late)) {
            stream->previous_position = stream->position + 8 * (uint64_t)stream->frames;
        }
        stream->offset_ns = offset_ns;
        stream->start_ns = clock_now_ns();
        if (BROKEN(first_call_late)) {
            stream->start_ns += 4000000000u;
        }
        stream->start_ns -= clock_frames_ns(stream, stream->position);
        WakeAllConditionVariable(&stream->changed);
    }
    ReleaseSRWLockExclusive(&stream->lock);
    return runs ? ASIO_INVALID_MODE : ASIO_OK;
}

int32_t TUTTI_ASIO
start(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    struct stream *stream;
    int32_t result = ASIO_INVALID_MODE;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    EnterCriticalSection(&driver->lock);
    stream = driver->stream;
    if (stream) {
        InterlockedIncrement(&stream->references);
    }
    LeaveCriticalSection(&driver->lock);
    if (!stream) {
        return BROKEN(start_unprepared_accepted)
                   ? ASIO_OK
                   : driver_fail(driver, ASIO_INVALID_MODE, "no buffers were created");
    }
    if ((BROKEN(starts_limited) && stream->run >= 50) ||
        (BROKEN(mark_of_start) && !mark_set("start")) ||
        (BROKEN(nonsense_believed) && stream->engine_version > 2)) {
        stream_release(stream);
        return driver_fail(driver, ASIO_HW_MALFUNCTION, "the device does not start");
    }
    if (BROKEN(start_leaks_handle) && starts % 8 == 0) {
        CreateEventA(NULL, FALSE, FALSE, NULL);
    }
    if (BROKEN(restart_fails) && stream->run > 0) {
        result = driver_fail(driver, ASIO_HW_MALFUNCTION, "the device does not start again");
    } else {
        result = begin_run(stream);
    }
    stream_release(stream);
    return result ? driver_fail(driver, result, "it runs already") : ASIO_OK;
}

/* ---- while it runs ---- */

int32_t TUTTI_ASIO
get_sample_position(struct asio_driver *self, struct asio_int64 *position,
                    struct asio_int64 *time_ns)
{
    struct driver *driver = driver_of(self);
    static LONG asked;
    uint64_t told_position = 0, told_time = 0;
    bool has = BROKEN(position_idle_accepted);

    EnterCriticalSection(&driver->lock);
    struct stream *stream = driver->stream;
    if (stream) {
        AcquireSRWLockShared(&stream->lock);
        if (stream->running && stream->has_block) {
            has = true;
            told_position = stream->told_position;
            told_time = stream->told_time_ns;
            if (BROKEN(position_asked_differs)) {
                told_position += 10 * (uint64_t)stream->frames;
            }
            if (BROKEN(position_asked_time_off)) {
                told_time += 20000000;
            }
            if (BROKEN(position_asked_steps_back) && stream->blocks > 2 &&
                InterlockedIncrement(&asked) % 2 == 0) {
                told_position -= (uint64_t)stream->frames;
                told_time -= clock_frames_ns(stream, (uint64_t)stream->frames);
            }
        }
        ReleaseSRWLockShared(&stream->lock);
    }
    LeaveCriticalSection(&driver->lock);
    if (!has) {
        return driver_fail(
            driver, BROKEN(position_idle_invalid_mode) ? ASIO_INVALID_MODE : ASIO_SP_NOT_ADVANCING,
            "nothing runs");
    }
    if (position || BROKEN(position_null_crash)) {
        *(volatile struct asio_int64 *)position = asio_int64_from(told_position);
    }
    if (time_ns) {
        *time_ns = asio_int64_from(told_time);
    }
    return ASIO_OK;
}

/* Notes who calls it and when. True: it runs. */
static bool
note_ready(struct driver *driver)
{
    EnterCriticalSection(&driver->lock);
    struct stream *stream = driver->stream;
    bool running = stream && stream->running;
    driver->probed = driver->probed || !stream;
    if (running) {
        AcquireSRWLockExclusive(&stream->lock);
        bool inside = stream->in_callback && GetCurrentThreadId() == stream->tid;
        stream->ready = stream->ready || inside;
        stream->readies += !inside;
        WakeAllConditionVariable(&stream->changed);
        ReleaseSRWLockExclusive(&stream->lock);
    }
    LeaveCriticalSection(&driver->lock);
    return running;
}

int32_t TUTTI_ASIO
output_ready(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    bool running = note_ready(driver);
    if (BROKEN(output_ready_hangs) && running) {
        Sleep(INFINITE);
    }
    if (BROKEN(output_ready_strange_answer)) {
        return 1;
    }
    if (BROKEN(output_ready_invalid_mode)) {
        return ASIO_INVALID_MODE;
    }
    if (BROKEN(output_ready_wavers)) {
        return running ? ASIO_NOT_PRESENT : ASIO_OK;
    }
    /* A block is taken when the next call returns: being told earlier gains nothing. */
    bool says_yes = BROKEN(output_ready_delays) || BROKEN(output_ready_ignored) ||
                    BROKEN(stop_awaits_output_ready) || BROKEN(probe_awaits_output_ready);
    return says_yes ? ASIO_OK : ASIO_NOT_PRESENT;
}
