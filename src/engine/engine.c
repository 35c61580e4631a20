/* SPDX-License-Identifier: MIT */
/* The engine's control side: its life, the clients that are connected, what it reports. Devices are
 * in src/device, joining in clients.c. */
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "device/select.h"
#include "engine/engine_state.h"
#include "engine/profiles.h"
#include "engine/clients.h"

enum { METERS_WANTED_MS = 2000 }; /* after a question, peaks are measured this long */

static uint64_t
system_now_ns(void *user)
{
    (void)user;
    return os_now_ns();
}

static void
system_wait(void *user, struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    (void)user;
    os_wake_wait(wake, seen, deadline_ns);
}

enum tutti_status
engine_new(struct engine **out, const struct engine_params *params, char error[PROTO_TEXT_BYTES])
{
    const char *name = params->config->device_backend;
    if (strcmp(name, "auto") != 0 && !backend_find(name)) {
        snprintf(error, PROTO_TEXT_BYTES, "there is no backend '%.64s'; see [device] backend",
                 name);
        return TUTTI_NO_DEVICE;
    }
    struct engine *engine = calloc(1, sizeof(*engine));
    enum tutti_status status = TUTTI_NO_MEMORY;
    if (engine) {
        const struct cycle_clock system = {NULL, system_now_ns, system_wait};
        engine->services = (struct master_services){
            .lock = &engine->lock,
            .clock = params->clock ? *params->clock : system,
            .stepped = params->clock != NULL,
            .generation = params->generation,
            .attention = params->attention,
            .user = params->user,
        };
        engine->event = params->event;
        engine->remove = params->remove;
        engine->user = params->user;
        os_mutex_init(&engine->lock);
        claim_init(engine);
        engine->born_ns = events_now_ns(engine);
        status = engine_configure(engine, params->config, NULL, 0, error);
    }
    if (status != TUTTI_OK) {
        utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
        engine_free(engine);
        return status;
    }
    *out = engine;
    return TUTTI_OK;
}

void
engine_free(struct engine *engine)
{
    if (!engine) {
        return;
    }
    os_mutex_lock(&engine->lock);
    claim_take(engine);
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        placement_free_all(engine->mix[i]);
        master_close(&engine->mix[i]->master);
    }
    while (engine->client_count) {
        struct engine_client *client = engine->client[--engine->client_count];
        clients_detach(client);
        free(client->wish);
        free(client);
    }
    while (engine->mix_count) {
        mix_free(engine->mix[--engine->mix_count]);
    }
    claim_release(engine);
    os_mutex_unlock(&engine->lock);
    claim_fini(engine);
    os_mutex_fini(&engine->lock);
    profiles_fini(engine);
    feeds_fini(engine);
    free(engine->outbox.message);
    free(engine);
}

/* ---- telling ---- */

static void
tend_devices(struct engine *engine, uint64_t now_ns)
{
    if (claim_take_to_tend(engine)) {
        for (uint32_t i = 0; i < engine->mix_count; i++) {
            master_tend(&engine->mix[i]->master, now_ns);
        }
        profiles_tend(engine, now_ns);
        claim_release(engine);
    }
}

void
engine_tend(struct engine *engine)
{
    uint32_t harmful = 0;
    os_mutex_lock(&engine->lock);
    uint64_t now_ns = events_now_ns(engine);
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        handover_step(&engine->mix[i]->master, now_ns);
    }
    tend_devices(engine, now_ns);
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        struct mix *mix = engine->mix[i];
        master_guard(&mix->master);
        harmful = harmful ? harmful : clients_find_harm(mix);
        clients_tend(mix, now_ns);
        placement_tend(mix, now_ns);
        commands_reclaim(mix);
    }
    events_send(engine);
    os_mutex_unlock(&engine->lock);
    if (harmful && engine->remove) {
        engine->remove(engine->user, harmful);
    }
}

/* ---- who is here ---- */

enum tutti_status
engine_connect(struct engine *engine, const struct proto_hello *hello, uint32_t pid,
               uint32_t *program_id)
{
    struct engine_client *client = calloc(1, sizeof(*client));
    if (!client) {
        return TUTTI_NO_MEMORY;
    }
    client->pid = pid;
    client->host_pid = hello->host_pid;
    client->bits = hello->bits;
    utf8_copy(client->name, sizeof(client->name), hello->program);
    utf8_copy(client->profile, sizeof(client->profile), hello->profile);
    os_mutex_lock(&engine->lock);
    if (engine->client_count == CYCLE_MAX_CLIENTS) {
        os_mutex_unlock(&engine->lock);
        free(client);
        return TUTTI_FULL;
    }
    client->id = ++engine->next_id;
    engine->client[engine->client_count++] = client;
    *program_id = client->id;
    os_mutex_unlock(&engine->lock);
    return TUTTI_OK;
}

void
engine_disconnect(struct engine *engine, uint32_t program_id)
{
    os_mutex_lock(&engine->lock);
    struct engine_client *client = client_list_find(engine, program_id);
    if (client) {
        clients_detach(client);
        uint32_t i = 0;
        while (engine->client[i] != client) {
            i++;
        }
        memmove(&engine->client[i], &engine->client[i + 1],
                (engine->client_count - i - 1) * sizeof(engine->client[0]));
        engine->client_count--;
        log_info("engine: program %u '%s' left", client->id, client->name);
        free(client->wish);
        free(client);
    }
    os_mutex_unlock(&engine->lock);
}

unsigned
engine_program_count(struct engine *engine)
{
    os_mutex_lock(&engine->lock);
    unsigned count = engine->client_count;
    os_mutex_unlock(&engine->lock);
    return count;
}

/* ---- the device and its rate ---- */

static bool
accepts_rate(const struct proto_device *device, double rate_hz)
{
    for (unsigned i = 0; i < BACKEND_MAX_RATES && device->rates_hz[i] > 0; i++) {
        if (device->rates_hz[i] == rate_hz) {
            return true;
        }
    }
    return false;
}

/* Whether a device may go to a rate for this program (NULL: for nobody's). mix: where it plays or
 * would play; NULL: one that is to be made. */
static enum tutti_status
judge_rate(const struct mix *mix, const struct engine_client *client,
           const struct proto_device *device, double rate_hz, char error[PROTO_TEXT_BYTES])
{
    unsigned present = mix ? client_list_prepared(mix) : 0;
    unsigned others = present - (client && client->cycle);
    if (device->rate_hz == rate_hz) {
        return TUTTI_OK;
    }
    if (!isfinite(rate_hz) || !accepts_rate(device, rate_hz)) {
        snprintf(error, PROTO_TEXT_BYTES, "the device does not run at %.0f Hz", rate_hz);
        return TUTTI_UNSUPPORTED_RATE;
    }
    if (others) {
        snprintf(error, PROTO_TEXT_BYTES,
                 others == 1 ? "another program holds the device at %.0f Hz; stop it first"
                             : "other programs hold the device at %.0f Hz; stop them first",
                 device->rate_hz);
        return TUTTI_RATE_IN_USE;
    }
    return TUTTI_OK;
}

/* The mix that most of the engine's own numbers are of: the first that somebody plays in. */
static struct mix *
main_mix(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        if (client_list_prepared(engine->mix[i])) {
            return engine->mix[i];
        }
    }
    return engine->mix[0];
}

static enum tutti_status
set_rate(struct mix *mix, const struct engine_client *client, double rate_hz,
         char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = judge_rate(mix, client, mix_device(mix), rate_hz, error);
    struct slot *slot = &mix->master.slot;
    if (status != TUTTI_OK) {
        return status;
    }
    if (slot->known.rate_hz == rate_hz) {
        slot_ask_rate(slot, rate_hz);
    } else if (client && client->cycle) {
        status = master_change_rate(&mix->master, rate_hz, error);
    } else {
        master_close(&mix->master);
        master_expect_rate(&mix->master, rate_hz);
    }
    if (status == TUTTI_OK) {
        profiles_note_rate(mix, client ? client->id : 0);
    }
    return status;
}

enum tutti_status
engine_set_rate(struct engine *engine, uint32_t program_id, double rate_hz,
                char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_OK;
    error[0] = '\0';
    os_mutex_lock(&engine->lock);
    claim_take(engine);
    const struct engine_client *client = client_list_find(engine, program_id);
    struct mix *mix = client && client->cycle ? client->mix : main_mix(engine);
    if (client && !client->cycle) {
        status = profiles_use(engine, client, &mix, error);
    }
    if (status == TUTTI_OK) {
        status = set_rate(mix, client, rate_hz, error);
    }
    claim_release(engine);
    os_mutex_unlock(&engine->lock);
    if (status != TUTTI_OK && !error[0]) {
        utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
    }
    return status;
}

/* The device that a program plays through, or would, and the mix (NULL: one that is to be made). */
static const struct mix *
own_device(struct engine *engine, uint32_t program_id, struct proto_device *device)
{
    const struct engine_client *client = client_list_find(engine, program_id);
    const struct mix *mix = client && client->cycle ? client->mix : main_mix(engine);
    *device = *mix_device(mix);
    if (client && !client->cycle) {
        setup_get_device(engine, client->profile, device);
        mix = setup_find_mix(engine, setup_find(engine, client->profile));
    }
    return mix;
}

enum tutti_status
engine_can_rate(struct engine *engine, uint32_t program_id, double rate_hz,
                char error[PROTO_TEXT_BYTES])
{
    struct proto_device device;
    enum tutti_status status = TUTTI_OK;
    error[0] = '\0';
    os_mutex_lock(&engine->lock);
    const struct engine_client *client = client_list_find(engine, program_id);
    const struct mix *mix = own_device(engine, program_id, &device);
    if (client && !client->cycle) {
        status = profiles_may_use(engine, client, error);
    }
    if (status == TUTTI_OK) {
        status = judge_rate(mix, client, &device, rate_hz, error);
    }
    os_mutex_unlock(&engine->lock);
    if (status != TUTTI_OK && !error[0]) {
        utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
    }
    return status;
}

void
engine_get_device(struct engine *engine, const char *profile, struct proto_device *device)
{
    os_mutex_lock(&engine->lock);
    setup_get_device(engine, profile, device);
    os_mutex_unlock(&engine->lock);
}

void
engine_get_own_device(struct engine *engine, uint32_t program_id, struct proto_device *device)
{
    os_mutex_lock(&engine->lock);
    own_device(engine, program_id, device);
    os_mutex_unlock(&engine->lock);
}

void
engine_get_devices(struct engine *engine, struct proto_devices_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    proto_header_init(&reply->header, PROTO_DEVICES_REPLY, 0);
    os_mutex_lock(&engine->lock);
    claim_take_to_list(engine);
    os_mutex_unlock(&engine->lock);
    reply->count = select_list(&engine->mix[0]->master.config, reply->device, PROTO_DEVICE_ENTRIES);
    os_mutex_lock(&engine->lock);
    claim_release(engine);
    os_mutex_unlock(&engine->lock);
}

void
engine_get_rendezvous(struct engine *engine, uint32_t program_id, os_handle *page, os_handle *event)
{
    os_mutex_lock(&engine->lock);
    const struct engine_client *client = client_list_find(engine, program_id);
    const struct master *master = client && client->mix ? &client->mix->master : NULL;
    uint32_t bell = master ? client->cycle->bell : OS_NO_BELL;
    *page = master ? master->rendezvous.handle : OS_NO_HANDLE;
    *event = !master              ? OS_NO_HANDLE
             : bell == OS_NO_BELL ? master->cycle.wake.event
                                  : os_bells_answer(master->cycle.bells, bell);
    os_mutex_unlock(&engine->lock);
}

/* ---- status ---- */

static uint64_t
read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
describe_program(const struct engine_client *client, struct proto_program_status *status)
{
    utf8_copy(status->name, sizeof(status->name), client->name);
    utf8_copy(status->profile, sizeof(status->profile), client->profile);
    status->program_id = client->id;
    status->pid = client->pid;
    status->bits = client->bits;
    status->state = PROTO_PROGRAM_CONNECTED;
    struct cycle_client *cycle = client->cycle;
    if (!cycle) {
        return;
    }
    status->state = atomic_load_explicit(&cycle->state_shown, memory_order_relaxed);
    status->buffer_frames = cycle->layout.buffer_frames;
    status->inputs = cycle->layout.inputs;
    status->outputs = cycle->layout.outputs;
    status->input_latency_frames = client->input_latency;
    status->output_latency_frames = client->output_latency;
    status->lateness_p50_us = statistics_quantile(&cycle->lateness_us, 0.5);
    status->lateness_p99_us = statistics_quantile(&cycle->lateness_us, 0.99);
    status->lateness_max_us = statistics_max(&cycle->lateness_us);
    status->calls = read_counter(&cycle->calls);
    status->late_program = read_counter(&cycle->late_program);
    status->late_device = read_counter(&cycle->late_device);
    status->late_machine = read_counter(&cycle->late_machine);
    status->missed_frames = read_counter(&cycle->missed_frames);
    status->gap_frames = read_counter(&cycle->gap_frames);
    for (unsigned c = 0; c < PROTO_STATUS_METERS; c++) {
        status->input_peak[c] = statistics_take_peak(&cycle->peak_in[c]);
        status->output_peak[c] = statistics_take_peak(&cycle->peak_out[c]);
    }
}

/* Of the longest step that is under way; 0: none is. */
static uint32_t
opening_ms(const struct engine *engine, uint64_t now_ns)
{
    uint32_t longest_ms = 0;
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        uint64_t since_ns = engine->mix[i]->master.slot.call_since_ns;
        uint32_t ms =
            since_ns && now_ns > since_ns ? (uint32_t)((now_ns - since_ns) / OS_NS_PER_MS) + 1 : 0;
        longest_ms = ms > longest_ms ? ms : longest_ms;
    }
    return longest_ms;
}

bool
engine_watch(struct engine *engine)
{
    os_mutex_lock(&engine->lock);
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        master_guard(&engine->mix[i]->master);
    }
    uint32_t ms = opening_ms(engine, events_now_ns(engine));
    os_mutex_unlock(&engine->lock);
    return ms > ENGINE_OPENING_MS;
}

static struct proto_device_status
describe_device(const struct mix *mix)
{
    const struct cycle *cycle = &mix->master.cycle;
    return (struct proto_device_status){
        .device = *mix_device(mix),
        .cycles = read_counter(&cycle->cycles),
        .xruns = read_counter(&cycle->xruns),
        .reopenings = mix->master.handover.reopenings,
        .gap_frames = mix->master.handover.gap_frames,
        .engine_overruns = read_counter(&cycle->overruns),
        .cycle_p50_us = statistics_quantile(&cycle->cost_us, 0.5),
        .cycle_p99_us = statistics_quantile(&cycle->cost_us, 0.99),
    };
}

/* All that are open, and for how long peaks are measured. */
static void
describe_devices(struct engine *engine, uint64_t now_ns, struct proto_status_reply *reply)
{
    for (uint32_t i = 0; i < engine->mix_count; i++) {
        struct mix *mix = engine->mix[i];
        atomic_store_explicit(&mix->master.cycle.meters_until_ns,
                              now_ns + (uint64_t)METERS_WANTED_MS * OS_NS_PER_MS,
                              memory_order_relaxed);
        if (mix->master.slot.state != PROTO_STREAM_CLOSED) {
            reply->open_device[reply->device_count++] = describe_device(mix);
        }
    }
}

/* The place of its device in open_device[]; device_count: it has none. */
static uint32_t
device_index(const struct engine *engine, const struct engine_client *client,
             const struct proto_status_reply *reply)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < engine->mix_count && client->mix; i++) {
        if (engine->mix[i] == client->mix) {
            return index;
        }
        index += engine->mix[i]->master.slot.state != PROTO_STREAM_CLOSED;
    }
    return reply->device_count;
}

static void
describe_clients(const struct engine *engine, uint32_t first, struct proto_status_reply *reply)
{
    reply->program_count = engine->client_count;
    reply->first_program = first;
    for (uint32_t i = first; i < engine->client_count && reply->here < PROTO_STATUS_PROGRAMS; i++) {
        const struct engine_client *client = engine->client[i];
        bool monitors = client->monitor && client->wish;
        reply->monitor_paths[reply->here] = monitors ? client->wish->count : 0;
        reply->clipped_samples[reply->here] =
            client->cycle ? read_counter(&client->cycle->clipped_samples) : 0;
        reply->device_index[reply->here] = device_index(engine, client, reply);
        describe_program(client, &reply->program[reply->here++]);
    }
}

/* Why a null device is in use; "": none is. */
static const char *
null_device_why(const struct engine *engine)
{
    const char *why = "";
    for (uint32_t i = 0; i < engine->mix_count && !why[0]; i++) {
        why = engine->mix[i]->master.null_device.why;
    }
    return why;
}

void
engine_get_status(struct engine *engine, uint32_t first_program, struct proto_status_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    proto_header_init(&reply->header, PROTO_STATUS_REPLY, 0);
    os_mutex_lock(&engine->lock);
    const struct mix *mix = main_mix(engine);
    const struct proto_device_status device = describe_device(mix);
    uint64_t now_ns = events_now_ns(engine);
    reply->engine_pid = os_process_id();
    reply->generation = engine->services.generation;
    reply->uptime_ns = now_ns - engine->born_ns;
    reply->cycles = device.cycles;
    reply->device_xruns = device.xruns;
    reply->engine_overruns = device.engine_overruns;
    reply->reopenings = device.reopenings;
    reply->gap_frames = device.gap_frames;
    reply->cycle_p50_us = device.cycle_p50_us;
    reply->cycle_p99_us = device.cycle_p99_us;
    reply->device = device.device;
    reply->opening_ms = opening_ms(engine, now_ns);
    utf8_copy(reply->problem, sizeof(reply->problem), null_device_why(engine));
    describe_devices(engine, now_ns, reply);
    describe_clients(engine, first_program, reply);
    os_mutex_unlock(&engine->lock);
}
