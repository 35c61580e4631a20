/* SPDX-License-Identifier: MIT */
#include "device/master.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "device/select.h"

enum {
    LINGER_MS = 1000, /* the device stays open this long after the last client left it */
    REOPEN_MS = 250,  /* between two attempts at a lost device */
};

/* ---- its life ---- */

static void
on_cycle(void *user, const struct backend_cycle *period)
{
    handover_cycle(user, period);
}

static void
on_attention(void *user)
{
    const struct master *master = user;
    if (master->services->attention) {
        master->services->attention(master->services->user);
    }
}

static enum tutti_status
init_cycle(struct master *master)
{
    struct cycle *cycle = &master->cycle;
    cycle->clock = &master->services->clock;
    cycle->generation = master->services->generation;
    atomic_init(&cycle->gather_cpu, -1);
    ring_init(&cycle->commands, cycle->command_storage, sizeof(cycle->command_storage[0]),
              CYCLE_COMMANDS);
    enum tutti_status status = os_shm_create(&master->rendezvous, sizeof(struct proto_rendezvous));
    if (status != TUTTI_OK) {
        return status;
    }
    cycle->rendezvous = master->rendezvous.base;
    status = os_wake_init(&cycle->wake, &cycle->rendezvous->wake);
    if (status != TUTTI_OK) {
        os_shm_close(&master->rendezvous);
        return status;
    }
    os_wake_init(&cycle->alone_wake, &cycle->alone_word);
    status = os_bells_new(&cycle->bells, &cycle->wake);
    if (status != TUTTI_OK) {
        os_wake_fini(&cycle->wake);
        os_shm_close(&master->rendezvous);
    }
    return status;
}

enum tutti_status
master_init(struct master *master, const struct master_services *services,
            const struct master_clients *clients, struct master_setup *setup)
{
    memset(master, 0, sizeof(*master));
    master->services = services;
    master->clients = *clients;
    float *input_ring =
        calloc((size_t)BACKEND_MAX_CHANNELS * CYCLE_RING_PITCH, sizeof(*input_ring));
    if (!input_ring) {
        return TUTTI_NO_MEMORY;
    }
    enum tutti_status status = init_cycle(master);
    if (status != TUTTI_OK) {
        free(input_ring);
        return status;
    }
    master->cycle.input_ring = input_ring;
    slot_init(&master->slot, services->lock, &services->clock,
              (struct slot_callbacks){master, on_cycle, on_attention});
    master_force(master, setup);
    return TUTTI_OK;
}

/* What is known of the device stays with the setup, which another master may have later. */
static void
leave_setup(struct master *master)
{
    if (master->setup) {
        master->setup->known = master->slot.known;
        master->setup->rate_hz = master->slot.rate_hz;
    }
}

void
master_fini(struct master *master)
{
    leave_setup(master);
    os_bells_free(master->cycle.bells);
    os_wake_fini(&master->cycle.wake);
    os_shm_close(&master->rendezvous);
    free(master->cycle.input_ring);
}

/* ---- what it is to open ---- */

void
master_force(struct master *master, struct master_setup *setup)
{
    leave_setup(master);
    master->setup = setup;
    master->config = setup->config;
    slot_set_known(&master->slot, &setup->known, setup->rate_hz);
}

void
master_configure(struct master *master, const struct config *config)
{
    memcpy(master->config.engine_placement, config->engine_placement,
           sizeof(config->engine_placement));
    master->config.engine_reserve_us = config->engine_reserve_us;
    master->config.engine_pin_cpu = config->engine_pin_cpu;
}

void
master_note_idle(struct master *master)
{
    master->idle_since_ns = master_now_ns(master);
}

void
master_expect_rate(struct master *master, double rate_hz)
{
    slot_ask_rate(&master->slot, rate_hz);
    slot_expect_rate(&master->slot, rate_hz);
}

/* ---- opening ---- */

static bool
has_clients(const struct master *master)
{
    return master->clients.count(master->clients.user) > 0;
}

/* The same device again, with the backend that had it: "auto" chooses for a device that no client
 * plays on. Another one while it is away would stand in the way when it comes back (a JACK server
 * that starts again needs the card that it left) or be a null device. */
static enum tutti_status
open_again(struct master *master, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    slot_drop_events(&master->slot);
    return slot_open(&master->slot, master->slot.open.backend, &master->config, period_frames,
                     error);
}

static enum tutti_status
open_any(struct master *master, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_NO_DEVICE, refused = TUTTI_OK;
    char refusal[PROTO_TEXT_BYTES] = "", why[PROTO_TEXT_BYTES] = "";
    unsigned at = 0;
    slot_drop_events(&master->slot);
    null_device_note(&master->null_device, "");
    for (const struct backend *backend; (backend = select_next(&master->config, &at));) {
        if (backend->silent && refused != TUTTI_OK) {
            break;
        }
        status = slot_open(&master->slot, backend, &master->config, period_frames, error);
        if (status == TUTTI_OK) {
            select_settle(&master->config, backend, why);
            null_device_note(&master->null_device, why);
            return TUTTI_OK;
        }
        log_info("engine: backend %s: %s", backend->name, error);
        select_pass_over(backend, error, why);
        if (refused == TUTTI_OK && select_found_device(status)) {
            refused = status;
            utf8_copy(refusal, sizeof(refusal), error);
        }
    }
    if (refused != TUTTI_OK) {
        utf8_copy(error, PROTO_TEXT_BYTES, refusal);
        status = refused;
    }
    return status;
}

/* The device's thread runs the cycle from here on. On failure the stream is closed, and the own
 * clock goes on if it runs. */
static enum tutti_status
start(struct master *master, char error[PROTO_TEXT_BYTES])
{
    /* No client plays yet: no cycle of the device's is left out. */
    bool first = !master->handover.replacing;
    handover_prepare(master, slot_info(&master->slot));
    if (first) {
        handover_to_device(master);
    }
    enum tutti_status status = slot_start(&master->slot);
    if (status != TUTTI_OK) {
        if (first) {
            handover_to_nobody(master);
        }
        slot_close(&master->slot);
        snprintf(error, PROTO_TEXT_BYTES, "the device did not start: %s",
                 tutti_status_text(status));
        return status;
    }
    if (!first) {
        handover_to_device(master);
    }
    slot_set_state(&master->slot, PROTO_STREAM_RUNNING);
    const struct proto_device *known = &master->slot.known;
    log_info("engine: %s '%s' runs: %u in, %u out, %.0f Hz, period %u, %s", known->backend,
             known->name, known->inputs, known->outputs, known->rate_hz, known->period_frames,
             known->format);
    return TUTTI_OK;
}

static void
close_stream(struct master *master)
{
    if (master->slot.open.stream) {
        slot_stop(&master->slot);
        slot_close(&master->slot);
    }
}

/* ---- changes while clients play: the own clock calls them meanwhile ---- */

static void
notify(struct master *master, enum proto_event_kind kind, const char *text)
{
    master->clients.notify(master->clients.user, kind, text);
}

static void
lose(struct master *master, const char *text)
{
    handover_to_clock(master);
    close_stream(master);
    slot_set_state(&master->slot, PROTO_STREAM_LOST);
    master->retry_ns = master_now_ns(master) + (uint64_t)REOPEN_MS * OS_NS_PER_MS;
    log_warning("engine: device lost: %s", text);
    notify(master, PROTO_EVENT_DEVICE_LOST, text);
}

static void
notify_rate(struct master *master, double former_hz)
{
    if (master->slot.known.rate_hz != former_hz) {
        notify(master, PROTO_EVENT_RATE, "the device runs at another sample rate now");
    }
}

/* The stream that runs, if any, is closed under the clients. */
static void
leave_stream(struct master *master)
{
    handover_to_clock(master);
    slot_set_state(&master->slot, PROTO_STREAM_OPENING);
    close_stream(master);
}

/* Closes and opens at another period, or follows the device to what it is now. On failure the
 * clients go on in silence. */
static enum tutti_status
reopen(struct master *master, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    double rate_hz = master->slot.known.rate_hz;
    uint32_t former = master->slot.known.period_frames;
    leave_stream(master);
    enum tutti_status status = open_again(master, period_frames, error);
    if (status != TUTTI_OK && period_frames && period_frames != former) {
        log_warning("engine: the device did not open at %u frames, back to %u: %s", period_frames,
                    former, error);
        slot_note_refusal(&master->slot, period_frames, former);
        status = open_again(master, former, error);
    }
    if (status == TUTTI_OK) {
        status = start(master, error);
    }
    if (status != TUTTI_OK) {
        lose(master, error);
        return status;
    }
    notify_rate(master, rate_hz);
    return TUTTI_OK;
}

static enum tutti_status
change_rate(struct master *master, double rate_hz, char error[PROTO_TEXT_BYTES])
{
    struct slot *slot = &master->slot;
    double former_hz = slot->known.rate_hz;
    slot_ask_rate(slot, rate_hz);
    if (slot->state == PROTO_STREAM_LOST) {
        slot_expect_rate(slot, rate_hz);
        handover_set_rate(master, rate_hz);
        notify_rate(master, former_hz);
        return TUTTI_OK;
    }
    enum tutti_status status = reopen(master, slot->known.period_frames, error);
    if (status != TUTTI_OK) {
        master->retry_ns = master_now_ns(master);
    } else if (slot->known.rate_hz != rate_hz) {
        snprintf(error, PROTO_TEXT_BYTES, "the device stays at %.0f Hz", slot->known.rate_hz);
        status = TUTTI_UNSUPPORTED_RATE;
    }
    if (status != TUTTI_OK) {
        slot_ask_rate(slot, former_hz);
    }
    return status;
}

static enum tutti_status
change_setup(struct master *master, struct master_setup *setup, char error[PROTO_TEXT_BYTES])
{
    struct master_setup *former = master->setup;
    const struct backend *backend = master->slot.open.backend;
    double rate_hz = master->slot.known.rate_hz;
    uint32_t period = master->slot.known.period_frames;
    leave_stream(master);
    slot_forget_refusals(&master->slot);
    master_force(master, setup);
    if (setup->config.device_period) {
        period = (uint32_t)setup->config.device_period;
    }
    enum tutti_status refused = open_any(master, period, error), status = refused;
    if (refused != TUTTI_OK) {
        char reason[PROTO_TEXT_BYTES] = "";
        master_force(master, former);
        slot_swap(&master->slot, (struct slot_stream){.backend = backend});
        status = open_again(master, master->slot.known.period_frames, reason);
        if (status != TUTTI_OK) {
            lose(master, reason);
            return refused;
        }
    }
    status = start(master, error);
    if (status != TUTTI_OK) {
        lose(master, error);
        return status;
    }
    if (refused != TUTTI_OK) {
        notify_rate(master, rate_hz);
    } else {
        notify(master, PROTO_EVENT_RATE,
               "the configuration has another device, or uses it in another way");
    }
    return refused;
}

/* For a device that need not be closed for it. */
static enum tutti_status
change_period(struct master *master, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    struct slot *slot = &master->slot;
    master->busy = false; /* its cycles go on while the system is asked */
    bool refused = slot_is_refused(slot, period_frames);
    master->busy = true;
    if (refused) {
        return TUTTI_OK;
    }
    handover_to_clock(master);
    slot_set_state(slot, PROTO_STREAM_OPENING);
    slot_stop(slot);
    enum tutti_status status = slot_set_period(slot, period_frames, error);
    if (status == TUTTI_OK) {
        status = start(master, error);
    }
    if (status != TUTTI_OK) {
        lose(master, error);
    }
    return status;
}

static void
close_device(struct master *master)
{
    if (master->slot.state == PROTO_STREAM_CLOSED) {
        return;
    }
    handover_to_nobody(master);
    close_stream(master);
    slot_forget_refusals(&master->slot);
    slot_set_state(&master->slot, PROTO_STREAM_CLOSED);
    log_info("engine: device closed");
}

static enum tutti_status
ensure(struct master *master, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    struct slot *slot = &master->slot;
    switch (slot->state) {
    case PROTO_STREAM_RUNNING:
        if (period_frames == slot->known.period_frames) {
            return TUTTI_OK;
        }
        if (!has_clients(master)) {
            close_device(master);
            break;
        }
        return slot->live_period ? change_period(master, period_frames, error)
                                 : reopen(master, period_frames, error);
    case PROTO_STREAM_LOST:
        return TUTTI_OK; /* the own clock calls the client until the device is back */
    case PROTO_STREAM_CLOSED:
    case PROTO_STREAM_OPENING:
    case PROTO_STREAM_STATE_COUNT:
        break;
    }
    slot_set_state(slot, PROTO_STREAM_OPENING);
    enum tutti_status status = open_any(master, period_frames, error);
    if (status == TUTTI_OK) {
        status = start(master, error);
    }
    if (status != TUTTI_OK) {
        slot_set_state(slot, PROTO_STREAM_CLOSED);
    }
    return status;
}

/* ---- lost, and back ---- */

static void
try_again(struct master *master, uint64_t now_ns)
{
    char error[PROTO_TEXT_BYTES] = "";
    struct slot *slot = &master->slot;
    master->retry_ns = now_ns + (uint64_t)REOPEN_MS * OS_NS_PER_MS;
    /* Only a listed device is tried: opening would disturb the clock that replaces it. */
    if (!slot_count_devices(slot, slot->open.backend, &master->config)) {
        return;
    }
    double rate_hz = slot->known.rate_hz;
    slot_set_state(slot, PROTO_STREAM_OPENING);
    slot_forget_refusals(slot);
    if (open_again(master, slot->known.period_frames, error) != TUTTI_OK ||
        start(master, error) != TUTTI_OK) {
        slot_set_state(slot, PROTO_STREAM_LOST);
        return;
    }
    notify(master, PROTO_EVENT_DEVICE_BACK, "the device is back");
    notify_rate(master, rate_hz);
}

/* All that one look finds: several may have come since the last. */
static void
follow(struct master *master, uint32_t events)
{
    char error[PROTO_TEXT_BYTES] = "";
    struct slot *slot = &master->slot;
    bool rate = slot_has_event(events, BACKEND_EVENT_RATE_CHANGED);
    bool period = slot_has_event(events, BACKEND_EVENT_PERIOD_CHANGED);
    bool another =
        slot_has_event(events, BACKEND_EVENT_DEFAULT_CHANGED) && !master->config.device_name[0];
    if (slot_has_event(events, BACKEND_EVENT_LOST)) {
        lose(master, "the device went away");
        return;
    }
    if (rate || period || another) {
        slot_forget_refusals(slot);
    }
    if (rate || another) {
        if (rate) {
            slot_ask_rate(slot, 0); /* whatever the device runs at */
        }
        reopen(master, slot->known.period_frames, error);
        if (rate) {
            slot_ask_rate(slot, slot->known.rate_hz);
        }
    } else if (period && slot->open.backend->set_period) {
        change_period(master, 0, error);
    } else if (period) {
        reopen(master, 0, error);
    }
}

void
master_guard(struct master *master)
{
    uint32_t events = slot_peek_events(&master->slot);
    bool ended = slot_has_event(events, BACKEND_EVENT_LOST) ||
                 slot_has_event(events, BACKEND_EVENT_RATE_CHANGED) ||
                 slot_has_event(events, BACKEND_EVENT_PERIOD_CHANGED);
    if (!master->busy && master->slot.state == PROTO_STREAM_RUNNING && ended) {
        handover_to_clock(master);
    }
}

/* ---- the way out of the null device ---- */

/* Back to the null device, which was closed for one that did not start. */
static void
return_to_null(struct master *master, const struct backend *null_backend, const char *why)
{
    char error[PROTO_TEXT_BYTES] = "";
    struct slot *slot = &master->slot;
    enum tutti_status status =
        slot_open(slot, null_backend, &master->config, slot->known.period_frames, error);
    if (status == TUTTI_OK) {
        status = start(master, error);
    }
    if (status != TUTTI_OK) {
        slot_swap(slot, (struct slot_stream){.backend = null_backend});
        lose(master, error);
    } else {
        null_device_note(&master->null_device, why);
    }
}

static void
leave_null_device(struct master *master)
{
    char error[PROTO_TEXT_BYTES] = "", why[PROTO_TEXT_BYTES], text[PROTO_TEXT_BYTES];
    struct slot *slot = &master->slot;
    struct null_device *null_device = &master->null_device;
    const struct backend *null_backend = slot->open.backend;
    if (!null_device_is_in_use(null_device, slot)) {
        return;
    }
    if (!has_clients(master)) {
        close_device(master); /* the next client's opening chooses again */
        return;
    }
    struct slot_stream other = null_device_find_other(null_device, slot, &master->config);
    if (!other.stream) {
        return;
    }
    utf8_copy(why, sizeof(why), null_device->why);
    leave_stream(master);
    slot_swap(slot, other);
    null_device_note(null_device, "");
    if (start(master, error) != TUTTI_OK) {
        log_warning("engine: backend %s: %s", other.backend->name, error);
        return_to_null(master, null_backend, why);
        return;
    }
    snprintf(text, sizeof(text), "'%.80s' is there now and takes the place of the %.40s",
             slot->known.name, null_backend->description);
    log_info("engine: %s", text);
    notify(master, PROTO_EVENT_RATE, text);
}

/* ---- what the engine calls: while one of these runs, master_guard() keeps away ---- */

enum tutti_status
master_ensure(struct master *master, uint32_t period_frames, char error[PROTO_TEXT_BYTES])
{
    master->busy = true;
    enum tutti_status status = ensure(master, period_frames, error);
    master->busy = false;
    return status;
}

void
master_close(struct master *master)
{
    master->busy = true;
    close_device(master);
    master->busy = false;
}

enum tutti_status
master_change_rate(struct master *master, double rate_hz, char error[PROTO_TEXT_BYTES])
{
    master->busy = true;
    enum tutti_status status = change_rate(master, rate_hz, error);
    master->busy = false;
    return status;
}

enum tutti_status
master_change(struct master *master, struct master_setup *setup, char error[PROTO_TEXT_BYTES])
{
    master->busy = true;
    enum tutti_status status = change_setup(master, setup, error);
    master->busy = false;
    return status;
}

void
master_leave_null_device(struct master *master)
{
    master->busy = true;
    leave_null_device(master);
    master->busy = false;
}

void
master_tend(struct master *master, uint64_t now_ns)
{
    struct slot *slot = &master->slot;
    struct null_device *null_device = &master->null_device;
    uint32_t events = slot_take_events(slot);
    master->busy = true;
    if (slot->state == PROTO_STREAM_RUNNING) {
        follow(master, events);
    } else if (slot->state == PROTO_STREAM_LOST && now_ns >= master->retry_ns) {
        try_again(master, now_ns);
    }
    bool idle = slot->state != PROTO_STREAM_CLOSED && !has_clients(master);
    if (idle && now_ns > master->idle_since_ns + (uint64_t)LINGER_MS * OS_NS_PER_MS) {
        close_device(master);
    }
    bool waits = !null_device_is_in_use(null_device, slot) || !has_clients(master);
    if (null_device_is_due(null_device, now_ns, waits)) {
        leave_null_device(master);
        null_device_put_off(null_device, now_ns);
    }
    master->busy = false;
}
