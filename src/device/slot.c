/* SPDX-License-Identifier: MIT */
#include "device/slot.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

static const bool allowed[PROTO_STREAM_STATE_COUNT][PROTO_STREAM_STATE_COUNT] = {
    [PROTO_STREAM_CLOSED] = {[PROTO_STREAM_OPENING] = true},
    [PROTO_STREAM_OPENING] =
        {[PROTO_STREAM_RUNNING] = true, [PROTO_STREAM_CLOSED] = true, [PROTO_STREAM_LOST] = true},
    [PROTO_STREAM_RUNNING] =
        {[PROTO_STREAM_LOST] = true, [PROTO_STREAM_OPENING] = true, [PROTO_STREAM_CLOSED] = true},
    [PROTO_STREAM_LOST] = {[PROTO_STREAM_OPENING] = true, [PROTO_STREAM_CLOSED] = true},
};

void
slot_init(struct slot *slot, struct os_mutex *lock, const struct cycle_clock *clock,
          struct slot_callbacks callbacks)
{
    *slot = (struct slot){.lock = lock, .clock = clock, .callbacks = callbacks};
}

void
slot_set_state(struct slot *slot, enum proto_stream_state state)
{
    if (!allowed[slot->state][state]) {
        log_error("engine: stream state %d does not follow %d", (int)state, (int)slot->state);
        return;
    }
    slot->state = state;
    slot->known.state = state;
}

/* ---- calling backends ---- */

/* Around what may take seconds: without the lock, and with the time noted. */
static void
begin_call(struct slot *slot)
{
    slot->call_since_ns = slot->clock->now_ns(slot->clock->user);
    os_mutex_unlock(slot->lock);
}

static void
end_call(struct slot *slot)
{
    os_mutex_lock(slot->lock);
    slot->call_since_ns = 0;
}

enum tutti_status
slot_start(struct slot *slot)
{
    begin_call(slot);
    enum tutti_status status = slot->open.backend->start(slot->open.stream);
    end_call(slot);
    return status;
}

void
slot_stop(struct slot *slot)
{
    begin_call(slot);
    slot->open.backend->stop(slot->open.stream);
    end_call(slot);
}

void
slot_close(struct slot *slot)
{
    begin_call(slot);
    slot->open.backend->close(slot->open.stream);
    end_call(slot);
    slot->open.stream = NULL;
}

unsigned
slot_count_devices(struct slot *slot, const struct backend *backend, const struct config *config)
{
    struct backend_device devices[PROTO_DEVICE_ENTRIES];
    unsigned found = PROTO_DEVICE_ENTRIES;
    os_mutex_unlock(slot->lock);
    enum tutti_status status = backend->list(config, devices, &found);
    os_mutex_lock(slot->lock);
    return status == TUTTI_OK ? found : 0;
}

/* ---- what backends call ---- */

static void
on_cycle(void *user, const struct backend_cycle *period)
{
    const struct slot *slot = user;
    slot->callbacks.cycle(slot->callbacks.user, period);
}

static void
on_event(void *user, enum backend_event_kind kind, enum tutti_status status, const char *text)
{
    struct slot *slot = user;
    log_warning("engine: device event %d: %s (%s)", (int)kind, text, tutti_status_name(status));
    atomic_fetch_or_explicit(&slot->events, 1U << kind, memory_order_release);
    if (slot->callbacks.attention) {
        slot->callbacks.attention(slot->callbacks.user);
    }
}

bool
slot_has_event(uint32_t events, enum backend_event_kind kind)
{
    return events & 1U << kind;
}

uint32_t
slot_peek_events(const struct slot *slot)
{
    return atomic_load_explicit(&slot->events, memory_order_acquire);
}

uint32_t
slot_take_events(struct slot *slot)
{
    return atomic_exchange_explicit(&slot->events, 0, memory_order_acquire);
}

void
slot_drop_events(struct slot *slot)
{
    atomic_store_explicit(&slot->events, 0, memory_order_relaxed);
}

/* ---- what the stream is ---- */

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

const struct backend_info *
slot_info(const struct slot *slot)
{
    return slot->open.backend->info(slot->open.stream);
}

void
slot_learn(struct slot *slot)
{
    const struct backend_info *info = slot_info(slot);
    struct proto_device *known = &slot->known;
    utf8_copy(known->backend, sizeof(known->backend), slot->open.backend->name);
#define LEARN(type, name, limit, key, unit, meaning, source) LEARN_##source(type, name)
#define LEARN_LISTED(type, name) FIELD_COPY_##type(known->name, info->name)
#define LEARN_OPENED(type, name) FIELD_COPY_##type(known->name, info->name)
#define LEARN_ENGINE(type, name)
    DEVICE_FIELDS(LEARN)
#undef LEARN
    slot->live_period = info->live_period;
    slot->exact = info->exact && dsp_format_bits(info->output_format) >= 24;
}

void
slot_set_known(struct slot *slot, const struct proto_device *known, double rate_hz)
{
    slot->known = *known;
    slot->known.state = slot->state;
    slot->rate_hz = rate_hz;
}

void
slot_ask_rate(struct slot *slot, double rate_hz)
{
    slot->rate_hz = rate_hz;
}

void
slot_expect_rate(struct slot *slot, double rate_hz)
{
    slot->known.rate_hz = rate_hz;
}

void
slot_note_refusal(struct slot *slot, uint32_t wanted, uint32_t given)
{
    period_refuse(&slot->refusals, wanted, given);
}

void
slot_forget_refusals(struct slot *slot)
{
    period_forget_refusals(&slot->refusals);
}

/* ---- opening, and its period ---- */

enum tutti_status
slot_open(struct slot *slot, const struct backend *backend, const struct config *config,
          uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    struct backend_request request = {
        .device = config->device_name,
        .rate_hz = slot->rate_hz,
        .period_frames = period_frames,
        .max_inputs = BACKEND_MAX_CHANNELS,
        .max_outputs = BACKEND_MAX_CHANNELS,
        .config = config,
    };
    struct backend_callbacks callbacks[BACKEND_MAX_STREAMS];
    for (unsigned i = 0; i < BACKEND_MAX_STREAMS; i++) {
        callbacks[i] = (struct backend_callbacks){slot, on_cycle, on_event};
    }
    struct backend_stream *streams[BACKEND_MAX_STREAMS] = {0};
    unsigned count = 1;
    begin_call(slot);
    enum tutti_status status = backend->open(&request, callbacks, streams, &count, error);
    if (status == TUTTI_OK) {
        status = check_info(backend->info(streams[0]), error);
        if (status != TUTTI_OK) {
            backend->close(streams[0]);
        }
    }
    end_call(slot);
    if (status == TUTTI_OK) {
        slot->open = (struct slot_stream){backend, streams[0]};
        slot_note_refusal(slot, period_frames, slot_info(slot)->period_frames);
    }
    return status;
}

struct slot_stream
slot_swap(struct slot *slot, struct slot_stream stream)
{
    struct slot_stream former = slot->open;
    slot->open = stream;
    return former;
}

enum tutti_status
slot_set_period(struct slot *slot, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    begin_call(slot);
    enum tutti_status status = slot->open.backend->set_period(slot->open.stream, period_frames);
    end_call(slot);
    if (status == TUTTI_OK || status == TUTTI_UNSUPPORTED) {
        /* Refused: it goes on as it was, or as the system has it now. */
        const struct backend_info *info = slot_info(slot);
        slot_note_refusal(slot, period_frames, info->period_frames);
        return check_info(info, error);
    }
    snprintf(error, PROTO_TEXT_BYTES, "the device did not change its period: %s",
             tutti_status_text(status));
    return status;
}

bool
slot_is_refused(struct slot *slot, uint32_t period_frames)
{
    const struct backend *backend = slot->open.backend;
    if (!period_frames || !backend->request_period) {
        return false;
    }
    begin_call(slot);
    enum tutti_status status = backend->request_period(slot->open.stream, period_frames);
    end_call(slot);
    if (status != TUTTI_UNSUPPORTED) {
        return false; /* given; or lost, as set_period() will find */
    }
    log_info("engine: the device stays at %u frames, %u were asked for", slot->known.period_frames,
             period_frames);
    slot_note_refusal(slot, period_frames, slot->known.period_frames);
    return true;
}
