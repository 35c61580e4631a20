/* SPDX-License-Identifier: MIT */
/*
 * The message thread: a host is notified from here alone, so that it may do anything in
 * answer, up to releasing the driver in the middle of the call. Work is posted as bits, so that
 * nothing piles up before a host that does not come back.
 */
#include "asio/driver.h"

#include "base/log.h"

enum { SETTLE_MS = 200 };

/* ---- posting ---- */

/* The rate that this object asked for while it had buffers: they go on. Asked once. */
static bool
is_own_rate(struct driver *driver, double rate_hz)
{
    uint64_t own = bits_of_double(rate_hz);

    return atomic_compare_exchange_strong(&driver->own_rate, &own, 0);
}

void
messages_event(void *user, const struct tutti_event *event)
{
    struct driver *driver = user;

    FLOAT_ENV_OURS;
    host_log_event(driver, event);
    /* Without buffers there is nothing to tell. (And before init is through, no thread to tell it.)
     */
    if (object_state(driver) < STATE_PREPARED) {
        return;
    }
    switch (event->kind) {
    case TUTTI_EVENT_LATENCIES:
        object_post(driver, MESSAGE_LATENCIES);
        break;
    case TUTTI_EVENT_RATE:
        atomic_store(&driver->rate, bits_of_double(event->rate_hz));
        device_remember_rate(driver, event->rate_hz);
        atomic_store(&driver->message_rate, bits_of_double(event->rate_hz));
        /* at once: what is about buffers that are gone is dropped together */
        object_post(driver, is_own_rate(driver, event->rate_hz) ? MESSAGE_RATE
                                                                : MESSAGE_RATE | MESSAGE_RESET);
        break;
    case TUTTI_EVENT_GAP:
        object_post(driver, MESSAGE_RESYNC | MESSAGE_OFFER);
        break;
    case TUTTI_EVENT_OVERLOAD:
        object_post(driver, MESSAGE_OVERLOAD | (event->losses ? MESSAGE_LOSS : 0));
        break;
    case TUTTI_EVENT_ENGINE_BACK:
        object_post(driver, MESSAGE_LATENCIES | MESSAGE_OFFER | MESSAGE_RESET);
        break;
    case TUTTI_EVENT_DEVICE_LOST:
    case TUTTI_EVENT_ENGINE_LOST:
        /* Callbacks go on in silence; a host that asks finds the reason. */
        object_fail(driver, ASIO_HW_MALFUNCTION, "%s", event->text ? event->text : "");
        break;
    case TUTTI_EVENT_DEVICE_BACK:
        object_post(driver, MESSAGE_LATENCIES | MESSAGE_OFFER | MESSAGE_RESYNC);
        break;
    }
}

static uint32_t
take_messages(struct driver *driver)
{
    AcquireSRWLockExclusive(&driver->mutex);
    uint32_t messages = atomic_exchange(&driver->messages, 0);
    driver->taken_serial = driver->serial;
    ReleaseSRWLockExclusive(&driver->mutex);
    return messages;
}

/* ---- telling the host ---- */

/* Begins a call of the host. False: there are no buffers (any more) to talk about. callbacks: a
 * copy that stays good. */
static bool
tell_begin(struct driver *driver, struct asio_callbacks *callbacks, uint32_t *knows)
{
    AcquireSRWLockExclusive(&driver->mutex);
    bool there = object_state(driver) >= STATE_PREPARED && driver->serial == driver->taken_serial &&
                 atomic_load(&driver->references) > 0;
    if (there) {
        *callbacks = driver->stream.callbacks;
        *knows = driver->stream.host_knows;
        driver->telling = true;
    }
    ReleaseSRWLockExclusive(&driver->mutex);
    return there;
}

static void
tell_end(struct driver *driver)
{
    AcquireSRWLockExclusive(&driver->mutex);
    driver->telling = false;
    WakeAllConditionVariable(&driver->changed);
    ReleaseSRWLockExclusive(&driver->mutex);
}

/* The host's functions, in its own floating-point environment. */
static int32_t
call_host(struct driver *driver, const struct asio_callbacks *callbacks, int32_t selector,
          int32_t value)
{
    float_env_leave(&driver->message_env);
    int32_t answer = callbacks->asio_message(selector, value, NULL, NULL);
    float_env_enter(&driver->message_env);
    return answer;
}

static void
tell_host_rate(struct driver *driver, const struct asio_callbacks *callbacks, double rate_hz)
{
    float_env_leave(&driver->message_env);
    callbacks->sample_rate_did_change(rate_hz);
    float_env_enter(&driver->message_env);
}

/* True when the host knows the message and took it. */
static bool
tell(struct driver *driver, int32_t selector, int32_t value)
{
    struct asio_callbacks callbacks;
    uint32_t knows = 0;
    int32_t answer = 0;

    if (!tell_begin(driver, &callbacks, &knows)) {
        return false;
    }
    bool known = (knows & 1u << selector) != 0;
    if (known) {
        answer = call_host(driver, &callbacks, selector, value);
    }
    tell_end(driver);
    host_log_answer(driver, selector, value, known, answer);
    return answer == 1;
}

/* Only real changes: there are hosts that stop playing when notified of the rate they run at. */
static void
tell_rate(struct driver *driver)
{
    struct asio_callbacks callbacks;
    uint32_t knows = 0;
    double rate_hz = double_of_bits(atomic_load(&driver->message_rate));

    if (!tell_begin(driver, &callbacks, &knows)) {
        return;
    }
    bool changed = rate_hz > 0 && rate_hz != driver->told_rate_hz;
    driver->told_rate_hz = changed ? rate_hz : driver->told_rate_hz;
    if (changed) {
        atomic_store(&driver->seen_rate, bits_of_double(rate_hz));
    }
    if (changed && callbacks.sample_rate_did_change) {
        tell_host_rate(driver, &callbacks, rate_hz * dsd_unit(driver));
    }
    tell_end(driver);
    if (changed) {
        host_log_rate(driver, rate_hz, callbacks.sample_rate_did_change != NULL);
    }
}

void
messages_settle(struct driver *driver)
{
    ULONGLONG deadline = GetTickCount64() + SETTLE_MS;

    if (GetCurrentThreadId() == atomic_load(&driver->message_tid) || object_in_callback(driver)) {
        return;
    }
    /* Not for ever: the host may be waiting, in that function, for the very thread that calls here.
     */
    AcquireSRWLockExclusive(&driver->mutex);
    while (driver->telling && GetTickCount64() < deadline) {
        SleepConditionVariableSRW(&driver->changed, &driver->mutex, SETTLE_MS / 10, 0);
    }
    ReleaseSRWLockExclusive(&driver->mutex);
}

/* ---- the thread ---- */

static void
dispose_for_callback(struct driver *driver)
{
    int32_t ignored;

    /* To own it is to do it, if nobody did. */
    if (object_own(driver, CALL_DISPOSE_BUFFERS, true, &ignored)) {
        object_disown(driver);
    }
}

static void
read_latencies(struct driver *driver)
{
    int32_t ignored;
    uint32_t input, output;

    if (!object_own(driver, CALL_GET_LATENCIES, false, &ignored)) {
        return;
    }
    if (object_state(driver) >= STATE_PREPARED &&
        tutti_get_latencies(driver->client, &input, &output) == TUTTI_OK) {
        atomic_store(&driver->latencies, (uint64_t)input << 32 | output);
    }
    object_disown(driver);
}

/* A host whose channels are others now, or whose buffer size is not offered any more, is notified
 * once; callbacks go on meanwhile. True: it is to be asked for a reset. */
static bool
tell_offer(struct driver *driver)
{
    struct driver_stream *stream = &driver->stream;
    int32_t inputs, outputs, size;

    if (object_state(driver) < STATE_PREPARED || atomic_load(&stream->told_offer)) {
        return false;
    }
    bool same_channels = device_get_channels(driver, &inputs, &outputs) == ASIO_OK &&
                         inputs == stream->inputs && outputs == stream->outputs;
    bool same_size = device_offers(driver, (int32_t)stream->buffer_frames);
    if (same_channels && same_size) {
        return false;
    }
    atomic_store(&stream->told_offer, true);
    device_get_buffer_size(driver, NULL, NULL, &size, NULL);
    bool taken = !same_size && tell(driver, ASIO_MESSAGE_BUFFER_SIZE_CHANGE, size);
    return !taken;
}

static void
do_messages(struct driver *driver, uint32_t messages)
{
    if (messages & MESSAGE_DISPOSE) {
        dispose_for_callback(driver);
    }
    if (messages & MESSAGE_SET_RATE) {
        device_apply_wanted_rate(driver);
    }
    if (messages & MESSAGE_MONITOR) {
        monitor_tell(driver);
    }
    if (messages & MESSAGE_LATENCIES) {
        uint64_t before = atomic_load(&driver->latencies);
        read_latencies(driver);
        if (atomic_load(&driver->latencies) != before) {
            host_log_latencies(driver);
            /* With new buffers a host asks for the latencies, too. */
            if (!tell(driver, ASIO_MESSAGE_LATENCIES_CHANGED, 0)) {
                messages |= MESSAGE_RESET;
            }
        }
    }
    /* A host that is too slow would only be slower with a resync; one that lost frames needs it. */
    if (messages & MESSAGE_OVERLOAD && !tell(driver, ASIO_MESSAGE_OVERLOAD, 0) &&
        messages & MESSAGE_LOSS) {
        messages |= MESSAGE_RESYNC;
    }
    if (messages & MESSAGE_RESYNC) {
        tell(driver, ASIO_MESSAGE_RESYNC_REQUEST, 0);
    }
    if (messages & MESSAGE_RATE) {
        tell_rate(driver);
    }
    /* Who is asked for a reset looks at what is offered by itself. */
    bool reset = (messages & MESSAGE_RESET) || (messages & MESSAGE_OFFER && tell_offer(driver));
    if (reset) {
        tell(driver, ASIO_MESSAGE_RESET_REQUEST, 0);
    }
}

static void
end_object(struct driver *driver)
{
    int32_t ignored;

    /* A thread of the host may still be in a call that waits for a callback to return. */
    if (object_own(driver, CALL_DISPOSE_BUFFERS, true, &ignored)) {
        tutti_close(driver->client);
        driver->client = NULL;
        object_disown(driver);
    }
    log_info("asio: '%s': released", driver->name->name);
    driver_free(driver);
}

static DWORD WINAPI
messages_main(void *arg)
{
    struct driver *driver = arg;
    HMODULE module = driver->module;

    float_env_enter(&driver->message_env);
    for (;;) {
        if (WaitForSingleObject(driver->message_event, SETTINGS_LOOK_MS) == WAIT_TIMEOUT &&
            settings_look(driver)) {
            object_post(driver, MESSAGE_RESET);
        }
        uint32_t messages = take_messages(driver);
        if (messages & MESSAGE_END) {
            break;
        }
        do_messages(driver, messages);
    }
    end_object(driver);
    FreeLibraryAndExitThread(module, 0);
}

int32_t
messages_open(struct driver *driver)
{
    DWORD tid = 0;

    driver->message_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    driver->module = module_pin();
    HANDLE thread = NULL;
    if (driver->message_event && driver->module) {
        thread = CreateThread(NULL, 0, messages_main, driver, CREATE_SUSPENDED, &tid);
    }
    if (!thread) {
        log_error("asio: no message thread: error %lu", GetLastError());
        if (driver->message_event) {
            CloseHandle(driver->message_event);
        }
        driver->message_event = NULL;
        if (driver->module) {
            FreeLibrary(driver->module);
        }
        driver->module = NULL;
        return object_fail(driver, ASIO_NO_MEMORY,
                           "the system gave no thread; close other programs");
    }
    atomic_store(&driver->message_tid, tid);
    ResumeThread(thread);
    CloseHandle(thread);
    return ASIO_OK;
}
