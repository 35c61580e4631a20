/* SPDX-License-Identifier: MIT */
/*
 * The device as control sees it: opening at the first program, changing its period, losing it and
 * getting it back. While it is lost the engine's own clock runs the cycle, so that every program is
 * called on, in silence.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

static const bool allowed[PROTO_STREAM_STATE_COUNT][PROTO_STREAM_STATE_COUNT] = {
    [PROTO_STREAM_CLOSED] = {[PROTO_STREAM_OPENING] = true},
    [PROTO_STREAM_OPENING] =
        {[PROTO_STREAM_RUNNING] = true, [PROTO_STREAM_CLOSED] = true, [PROTO_STREAM_LOST] = true},
    [PROTO_STREAM_RUNNING] =
        {[PROTO_STREAM_LOST] = true, [PROTO_STREAM_OPENING] = true, [PROTO_STREAM_CLOSED] = true},
    [PROTO_STREAM_LOST] = {[PROTO_STREAM_OPENING] = true, [PROTO_STREAM_CLOSED] = true},
};

static void
set_state(struct engine *engine, enum proto_stream_state state)
{
    if (!allowed[engine->state][state]) {
        log_error("engine: stream state %d does not follow %d", (int)state, (int)engine->state);
        return;
    }
    engine->state = state;
    engine->known.state = state;
}

void
device_enter_opening(struct engine *engine)
{
    set_state(engine, PROTO_STREAM_OPENING);
}

/* ---- calling backends ---- */

void
device_claim(struct engine *engine)
{
    while (engine->device_claimed) {
        os_cond_wait_until(&engine->freed, &engine->lock, UINT64_MAX);
    }
    engine->device_claimed = true;
}

void
device_claim_to_list(struct engine *engine)
{
    while (engine->device_claimed || engine->tend_due) {
        os_cond_wait_until(&engine->freed, &engine->lock, UINT64_MAX);
    }
    engine->device_claimed = engine->plays_on = true;
}

void
device_release(struct engine *engine)
{
    engine->device_claimed = engine->plays_on = false;
    os_cond_signal_all(&engine->freed);
}

/* Around what may take seconds: without the lock, and with the time noted. The stream counts as
 * cycling until it is closed (device_state_is_cycling()), so that nobody else applies commands. */
static void
begin_call(struct engine *engine)
{
    engine->call_since_ns = events_now_ns(engine);
    os_mutex_unlock(&engine->lock);
}

static void
end_call(struct engine *engine)
{
    os_mutex_lock(&engine->lock);
    engine->call_since_ns = 0;
}

static enum tutti_status
call_start(struct engine *engine)
{
    begin_call(engine);
    enum tutti_status status = engine->backend->start(engine->stream);
    end_call(engine);
    return status;
}

static void
call_stop(struct engine *engine)
{
    begin_call(engine);
    engine->backend->stop(engine->stream);
    end_call(engine);
}

static void
call_close(struct engine *engine)
{
    begin_call(engine);
    engine->backend->close(engine->stream);
    end_call(engine);
    engine->stream = NULL;
}

static enum tutti_status
call_set_period(struct engine *engine, uint32_t period_frames)
{
    begin_call(engine);
    enum tutti_status status = engine->backend->set_period(engine->stream, period_frames);
    end_call(engine);
    return status;
}

/* ---- what backends call ---- */

static void
on_cycle(void *user, const struct backend_cycle *period)
{
    handover_cycle(user, period);
}

static void
on_event(void *user, enum backend_event_kind kind, enum tutti_status status, const char *text)
{
    struct engine *engine = user;
    log_warning("engine: device event %d: %s (%s)", (int)kind, text, tutti_status_name(status));
    atomic_fetch_or_explicit(&engine->backend_events, 1U << kind, memory_order_release);
    if (engine->attention) {
        engine->attention(engine->user);
    }
}

/* ---- knowing ---- */

/* Once for all backends: the cycle's buffers have these sizes. */
static enum tutti_status
check_info(const struct backend_info *info, char error[PROTO_TEXT_BYTES])
{
    if (info->period_frames == 0 || info->period_frames > BACKEND_MAX_PERIOD_FRAMES) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "the device's period of %u frames is too large; choose one of at most %d frames "
                 "there",
                 info->period_frames, BACKEND_MAX_PERIOD_FRAMES);
        return TUTTI_UNSUPPORTED;
    }
    if (info->inputs > BACKEND_MAX_CHANNELS || info->outputs > BACKEND_MAX_CHANNELS) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "the device has %u inputs and %u outputs; %d are the most", info->inputs,
                 info->outputs, BACKEND_MAX_CHANNELS);
        return TUTTI_UNSUPPORTED;
    }
    if (!(info->rate_hz > 0 && info->rate_hz <= PROTO_MAX_RATE_HZ)) {
        snprintf(error, PROTO_TEXT_BYTES, "the device has no sample rate");
        return TUTTI_UNSUPPORTED_RATE;
    }
    return TUTTI_OK;
}

/* ---- learning ---- */

void
device_learn(const struct config *config, double rate_hz, struct proto_device *known)
{
    unsigned at = 0;
    known->rate_hz = rate_hz;
    for (const struct backend *backend; (backend = choice_next(config, &at));) {
        struct backend_device devices[PROTO_DEVICE_ENTRIES];
        unsigned found = PROTO_DEVICE_ENTRIES;
        if (backend->list(config, devices, &found) != TUTTI_OK) {
            continue;
        }
        for (unsigned d = 0; d < found; d++) {
            const struct backend_device *device = &devices[d];
            const char *wanted = config->device_name;
            if (wanted[0] ? strcmp(device->name, wanted) != 0 : !device->is_default) {
                continue;
            }
            utf8_copy(known->name, sizeof(known->name), device->name);
            utf8_copy(known->backend, sizeof(known->backend), backend->name);
            known->inputs = device->inputs;
            known->outputs = device->outputs;
            known->period_min_frames = device->period_min_frames;
            known->period_max_frames = device->period_max_frames;
            known->period_step_frames = device->period_step_frames;
            memcpy(known->rates_hz, device->rates_hz, sizeof(known->rates_hz));
            if (device->rates_hz[0] > 0 && device->rates_hz[1] <= 0) {
                known->rate_hz = device->rates_hz[0]; /* it has one only */
            }
            int32_t period = config->device_period ? config->device_period : config->program_buffer;
            known->period_frames = period_snap(known, (uint32_t)period);
            known->input_latency_frames = known->output_latency_frames = known->period_frames;
            return;
        }
    }
}

/* ---- opening ---- */

enum tutti_status
device_open_with(struct engine *engine, const struct backend *backend, uint32_t quantum,
                 char error[PROTO_TEXT_BYTES])
{
    struct backend_request request = {
        .device = engine->config.device_name,
        .rate_hz = engine->rate_hz,
        .period_frames = quantum,
        .max_inputs = BACKEND_MAX_CHANNELS,
        .max_outputs = BACKEND_MAX_CHANNELS,
        .config = &engine->config,
    };
    struct backend_callbacks callbacks[BACKEND_MAX_STREAMS];
    for (unsigned i = 0; i < BACKEND_MAX_STREAMS; i++) {
        callbacks[i] = (struct backend_callbacks){engine, on_cycle, on_event};
    }
    /* One stream: clocks of their own are joined to the master by resampling, and this engine does
     * not resample. */
    struct backend_stream *streams[BACKEND_MAX_STREAMS] = {0};
    unsigned count = 1;
    begin_call(engine);
    enum tutti_status status = backend->open(&request, callbacks, streams, &count, error);
    if (status == TUTTI_OK) {
        status = check_info(backend->info(streams[0]), error);
        if (status != TUTTI_OK) {
            backend->close(streams[0]);
        }
    }
    end_call(engine);
    if (status == TUTTI_OK) {
        engine->backend = backend;
        engine->stream = streams[0];
        period_remember_refusal(engine, quantum, backend->info(streams[0])->period_frames);
    }
    return status;
}

/* The same device anew, with the backend that had it: "auto" chooses for a device that nobody plays
 * on. Another one while it is away would stand in the way when it comes back (a JACK server that
 * starts again needs the card that it left) or be one that nobody hears. */
static enum tutti_status
open_again(struct engine *engine, uint32_t quantum, char error[PROTO_TEXT_BYTES])
{
    atomic_store_explicit(&engine->backend_events, 0, memory_order_relaxed);
    return device_open_with(engine, engine->backend, quantum, error);
}

static enum tutti_status
open_stream(struct engine *engine, uint32_t quantum, char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_NO_DEVICE, refused = TUTTI_OK;
    char refusal[PROTO_TEXT_BYTES] = "";
    unsigned at = 0;
    atomic_store_explicit(&engine->backend_events, 0, memory_order_relaxed);
    engine->unheard[0] = '\0';
    for (const struct backend *backend; (backend = choice_next(&engine->config, &at));) {
        if (backend->silent && refused != TUTTI_OK) {
            break;
        }
        status = device_open_with(engine, backend, quantum, error);
        if (status == TUTTI_OK) {
            choice_settle(&engine->config, backend, engine->unheard);
            return TUTTI_OK;
        }
        log_info("engine: backend %s: %s", backend->name, error);
        choice_pass_over(backend, error, engine->unheard);
        if (refused == TUTTI_OK && choice_found_device(status)) {
            refused = status;
            utf8_copy(refusal, sizeof(refusal), error);
        }
    }
    engine->unheard[0] = '\0';
    if (refused != TUTTI_OK) {
        utf8_copy(error, PROTO_TEXT_BYTES, refusal);
        status = refused;
    }
    return status;
}

/* The device's thread runs the cycle from here on. On failure the stream is closed, and the own
 * clock goes on if it runs. */
enum tutti_status
device_start_stream(struct engine *engine, char error[PROTO_TEXT_BYTES])
{
    bool first = !engine->replacing; /* nobody plays yet: no cycle of the device's is left out */
    handover_prepare(engine, engine->backend->info(engine->stream));
    if (first) {
        handover_to_device(engine);
    }
    enum tutti_status status = call_start(engine);
    if (status != TUTTI_OK) {
        if (first) {
            handover_to_nobody(engine);
        }
        call_close(engine);
        snprintf(error, PROTO_TEXT_BYTES, "the device did not start: %s",
                 tutti_status_text(status));
        return status;
    }
    if (!first) {
        handover_to_device(engine);
    }
    set_state(engine, PROTO_STREAM_RUNNING);
    const struct proto_device *known = &engine->known;
    log_info("engine: %s '%s' runs: %u in, %u out, %.0f Hz, period %u, %s", known->backend,
             known->name, known->inputs, known->outputs, known->rate_hz, known->period_frames,
             known->format);
    return TUTTI_OK;
}

void
device_close_stream(struct engine *engine)
{
    if (engine->stream) {
        call_stop(engine);
        call_close(engine);
    }
}

/* ---- changes while programs play: the own clock calls them meanwhile ---- */

void
device_lose(struct engine *engine, const char *text)
{
    handover_to_clock(engine);
    device_close_stream(engine);
    set_state(engine, PROTO_STREAM_LOST);
    engine->retry_ns = events_now_ns(engine) + (uint64_t)ENGINE_REOPEN_MS * OS_NS_PER_MS;
    log_warning("engine: device lost: %s", text);
    events_notify(engine, 0, PROTO_EVENT_DEVICE_LOST, 0, text);
}

static void
tell_rate(struct engine *engine, double former_hz)
{
    if (engine->known.rate_hz != former_hz) {
        events_notify(engine, 0, PROTO_EVENT_RATE, 0, "the device runs at another sample rate now");
    }
}

/* Closes and opens at another period, or follows the device to what it is now. On failure the
 * programs go on in silence. */
static enum tutti_status
reopen(struct engine *engine, uint32_t quantum, char error[PROTO_TEXT_BYTES])
{
    double rate_hz = engine->known.rate_hz;
    uint32_t former = engine->known.period_frames;
    handover_to_clock(engine);
    set_state(engine, PROTO_STREAM_OPENING);
    device_close_stream(engine);
    enum tutti_status status = open_again(engine, quantum, error);
    if (status != TUTTI_OK && quantum && quantum != former) {
        log_warning("engine: the device did not open at %u frames, back to %u: %s", quantum, former,
                    error);
        period_remember_refusal(engine, quantum, former);
        status = open_again(engine, former, error);
    }
    if (status == TUTTI_OK) {
        status = device_start_stream(engine, error);
    }
    if (status != TUTTI_OK) {
        device_lose(engine, error);
        return status;
    }
    tell_rate(engine, rate_hz);
    return TUTTI_OK;
}

enum tutti_status
device_change_rate(struct engine *engine, double rate_hz, char error[PROTO_TEXT_BYTES])
{
    double former_hz = engine->known.rate_hz;
    enum tutti_status status = TUTTI_OK;
    engine->rate_hz = rate_hz;
    if (engine->state == PROTO_STREAM_LOST) {
        engine->known.rate_hz = rate_hz;
        handover_set_rate(engine, rate_hz);
        tell_rate(engine, former_hz);
        return TUTTI_OK;
    }
    status = reopen(engine, engine->known.period_frames, error);
    if (status != TUTTI_OK) {
        engine->retry_ns = events_now_ns(engine);
    } else if (engine->known.rate_hz != rate_hz) {
        snprintf(error, PROTO_TEXT_BYTES, "the device stays at %.0f Hz", engine->known.rate_hz);
        status = TUTTI_UNSUPPORTED_RATE;
    }
    if (status != TUTTI_OK) {
        engine->rate_hz = former_hz;
    }
    return status;
}

enum tutti_status
device_change(struct engine *engine, struct engine_setup *setup, char error[PROTO_TEXT_BYTES])
{
    struct engine_setup *former = engine->in_force;
    const struct backend *backend = engine->backend;
    double rate_hz = engine->known.rate_hz;
    uint32_t quantum = engine->known.period_frames;
    handover_to_clock(engine);
    set_state(engine, PROTO_STREAM_OPENING);
    device_close_stream(engine);
    period_forget_refusals(engine);
    setup_force(engine, setup);
    if (setup->config.device_period) {
        quantum = (uint32_t)setup->config.device_period;
    }
    enum tutti_status refused = open_stream(engine, quantum, error), status = refused;
    if (refused != TUTTI_OK) {
        char reason[PROTO_TEXT_BYTES] = "";
        setup_force(engine, former);
        engine->backend = backend;
        status = open_again(engine, engine->known.period_frames, reason);
        if (status != TUTTI_OK) {
            device_lose(engine, reason);
            return refused;
        }
    }
    status = device_start_stream(engine, error);
    if (status != TUTTI_OK) {
        device_lose(engine, error);
        return status;
    }
    if (refused != TUTTI_OK) {
        tell_rate(engine, rate_hz);
    } else {
        events_notify(engine, 0, PROTO_EVENT_RATE, 0,
                      "the configuration has another device, or uses it in another way");
    }
    return refused;
}

/* Asked for while the device plays, where the backend can do that. */
static bool
is_refused_on_request(struct engine *engine, uint32_t quantum)
{
    if (!quantum || !engine->backend->request_period) {
        return false;
    }
    engine->plays_on = true;
    begin_call(engine);
    enum tutti_status status = engine->backend->request_period(engine->stream, quantum);
    end_call(engine);
    engine->plays_on = false;
    if (status != TUTTI_UNSUPPORTED) {
        return false; /* given; or lost, as set_period() will find */
    }
    log_info("engine: the device stays at %u frames, %u were asked for",
             engine->known.period_frames, quantum);
    period_remember_refusal(engine, quantum, engine->known.period_frames);
    return true;
}

/* The same for a device that need not be closed for it. */
static enum tutti_status
change_period(struct engine *engine, uint32_t quantum, char error[PROTO_TEXT_BYTES])
{
    if (is_refused_on_request(engine, quantum)) {
        return TUTTI_OK;
    }
    handover_to_clock(engine);
    set_state(engine, PROTO_STREAM_OPENING);
    call_stop(engine);
    enum tutti_status status = call_set_period(engine, quantum);
    if (status == TUTTI_OK || status == TUTTI_UNSUPPORTED) {
        /* Refused: it goes on as it was, or as the system has it now. */
        const struct backend_info *info = engine->backend->info(engine->stream);
        period_remember_refusal(engine, quantum, info->period_frames);
        status = check_info(info, error);
    } else {
        snprintf(error, PROTO_TEXT_BYTES, "the device did not change its period: %s",
                 tutti_status_text(status));
    }
    if (status == TUTTI_OK) {
        status = device_start_stream(engine, error);
    }
    if (status != TUTTI_OK) {
        device_lose(engine, error);
    }
    return status;
}

enum tutti_status
device_ensure(struct engine *engine, uint32_t quantum, char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status;
    switch (engine->state) {
    case PROTO_STREAM_RUNNING:
        if (quantum == engine->known.period_frames) {
            return TUTTI_OK;
        }
        if (!client_list_prepared(engine)) {
            device_close(engine);
            break;
        }
        if (engine->live_period) {
            return change_period(engine, quantum, error);
        }
        return reopen(engine, quantum, error);
    case PROTO_STREAM_LOST:
        return TUTTI_OK; /* the replacement clock serves the program until the device is back */
    case PROTO_STREAM_CLOSED:
    case PROTO_STREAM_OPENING:
    case PROTO_STREAM_STATE_COUNT:
        break;
    }
    set_state(engine, PROTO_STREAM_OPENING);
    status = open_stream(engine, quantum, error);
    if (status == TUTTI_OK) {
        status = device_start_stream(engine, error);
    }
    if (status != TUTTI_OK) {
        set_state(engine, PROTO_STREAM_CLOSED);
    }
    return status;
}

void
device_close(struct engine *engine)
{
    if (engine->state == PROTO_STREAM_CLOSED) {
        return;
    }
    handover_to_nobody(engine);
    device_close_stream(engine);
    period_forget_refusals(engine);
    set_state(engine, PROTO_STREAM_CLOSED);
    log_info("engine: device closed");
}

static void
try_again(struct engine *engine, uint64_t now_ns)
{
    char error[PROTO_TEXT_BYTES] = "";
    engine->retry_ns = now_ns + (uint64_t)ENGINE_REOPEN_MS * OS_NS_PER_MS;
    /* Only a listed device is tried: opening would disturb the clock that replaces it. */
    struct backend_device devices[PROTO_DEVICE_ENTRIES];
    unsigned found = PROTO_DEVICE_ENTRIES;
    os_mutex_unlock(&engine->lock);
    enum tutti_status listed = engine->backend->list(&engine->config, devices, &found);
    os_mutex_lock(&engine->lock);
    if (listed != TUTTI_OK || !found) {
        return;
    }
    double rate_hz = engine->known.rate_hz;
    uint32_t quantum = engine->known.period_frames;
    set_state(engine, PROTO_STREAM_OPENING);
    period_forget_refusals(engine);
    if (open_again(engine, quantum, error) != TUTTI_OK) {
        set_state(engine, PROTO_STREAM_LOST);
        return;
    }
    if (device_start_stream(engine, error) != TUTTI_OK) {
        set_state(engine, PROTO_STREAM_LOST);
        return;
    }
    events_notify(engine, 0, PROTO_EVENT_DEVICE_BACK, 0, "the device is back");
    tell_rate(engine, rate_hz);
}

static bool
has_event(uint32_t events, enum backend_event_kind kind)
{
    return events & 1U << kind;
}

/* All that one look finds: several may have come since the last. */
static void
follow(struct engine *engine, uint32_t events)
{
    char error[PROTO_TEXT_BYTES] = "";
    bool rate = has_event(events, BACKEND_EVENT_RATE_CHANGED);
    bool period = has_event(events, BACKEND_EVENT_PERIOD_CHANGED);
    bool another =
        has_event(events, BACKEND_EVENT_DEFAULT_CHANGED) && !engine->config.device_name[0];
    if (has_event(events, BACKEND_EVENT_LOST)) {
        device_lose(engine, "the device went away");
        return;
    }
    if (rate || period || another) {
        period_forget_refusals(engine);
    }
    if (rate || another) {
        engine->rate_hz = rate ? 0 : engine->rate_hz; /* whatever the device runs at */
        reopen(engine, engine->known.period_frames, error);
        engine->rate_hz = rate ? engine->known.rate_hz : engine->rate_hz;
    } else if (period && engine->backend->set_period) {
        change_period(engine, 0, error);
    } else if (period) {
        reopen(engine, 0, error);
    }
}

void
device_guard(struct engine *engine)
{
    uint32_t events = atomic_load_explicit(&engine->backend_events, memory_order_acquire);
    bool ended = has_event(events, BACKEND_EVENT_LOST) ||
                 has_event(events, BACKEND_EVENT_RATE_CHANGED) ||
                 has_event(events, BACKEND_EVENT_PERIOD_CHANGED);
    if (engine->plays_on && engine->state == PROTO_STREAM_RUNNING && ended) {
        handover_to_clock(engine);
    }
}

void
device_tend(struct engine *engine, uint64_t now_ns)
{
    uint32_t events = atomic_exchange_explicit(&engine->backend_events, 0, memory_order_acquire);
    if (engine->state == PROTO_STREAM_RUNNING) {
        follow(engine, events);
    } else if (engine->state == PROTO_STREAM_LOST && now_ns >= engine->retry_ns) {
        try_again(engine, now_ns);
    }
    bool idle = engine->state != PROTO_STREAM_CLOSED && !client_list_prepared(engine);
    if (idle && now_ns > engine->idle_since_ns + (uint64_t)ENGINE_LINGER_MS * OS_NS_PER_MS) {
        device_close(engine);
    }
}
