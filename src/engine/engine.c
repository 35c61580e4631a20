/* SPDX-License-Identifier: MIT */
/* The engine's control side: its life, who is connected, what it tells. Devices are in device.c,
 * joining in programs.c. */
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

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
    enum tutti_status status = TUTTI_NO_MEMORY;
    struct engine *engine = calloc(1, sizeof(*engine));
    float *input_ring =
        calloc((size_t)BACKEND_MAX_CHANNELS * CYCLE_RING_PITCH, sizeof(*input_ring));
    if (!engine || !input_ring) {
        goto no_memory;
    }
    engine->own_clock = params->clock != NULL;
    engine->clock =
        params->clock ? *params->clock : (struct cycle_clock){NULL, system_now_ns, system_wait};
    engine->event = params->event;
    engine->attention = params->attention;
    engine->remove = params->remove;
    engine->user = params->user;
    struct cycle *cycle = &engine->cycle;
    cycle->input_ring = input_ring;
    cycle->clock = &engine->clock;
    cycle->generation = params->generation;
    atomic_init(&cycle->gather_cpu, -1);
    ring_init(&cycle->commands, cycle->command_storage, sizeof(cycle->command_storage[0]),
              CYCLE_COMMANDS);
    status = os_shm_create(&engine->rendezvous, sizeof(struct proto_rendezvous));
    if (status != TUTTI_OK) {
        goto no_memory;
    }
    cycle->rendezvous = engine->rendezvous.base;
    status = os_wake_init(&cycle->wake, &cycle->rendezvous->wake);
    if (status != TUTTI_OK) {
        goto no_wake;
    }
    os_wake_init(&cycle->alone_wake, &cycle->alone_word);
    status = os_bells_new(&cycle->bells, &cycle->wake);
    if (status != TUTTI_OK) {
        goto no_bells;
    }
    os_mutex_init(&engine->lock);
    os_cond_init(&engine->freed);
    engine->born_ns = engine->turned_ns = events_now_ns(engine);
    status = engine_configure(engine, params->config, NULL, 0, error);
    if (status != TUTTI_OK) {
        goto no_setup;
    }
    *out = engine;
    return TUTTI_OK;

no_setup:
    profiles_fini(engine);
    os_cond_fini(&engine->freed);
    os_mutex_fini(&engine->lock);
    os_bells_free(cycle->bells);
no_bells:
    os_wake_fini(&cycle->wake);
no_wake:
    os_shm_close(&engine->rendezvous);
no_memory:
    utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
    free(input_ring);
    free(engine);
    return status;
}

void
engine_free(struct engine *engine)
{
    if (!engine) {
        return;
    }
    os_mutex_lock(&engine->lock);
    device_claim(engine);
    placement_free_all(engine);
    device_close(engine);
    device_release(engine);
    while (engine->programs) {
        struct engine_program *program = engine->program[--engine->programs];
        programs_detach(engine, program);
        free(program->wish);
        free(program);
    }
    commands_reclaim(engine);
    os_mutex_unlock(&engine->lock);
    os_cond_fini(&engine->freed);
    os_mutex_fini(&engine->lock);
    profiles_fini(engine);
    plan_free(engine->plan);
    free(engine->bus);
    free(engine->retired);
    free(engine->outbox);
    os_bells_free(engine->cycle.bells);
    os_wake_fini(&engine->cycle.wake);
    os_shm_close(&engine->rendezvous);
    free(engine->cycle.input_ring);
    free(engine);
}

/* ---- telling ---- */

void
engine_tend(struct engine *engine)
{
    os_mutex_lock(&engine->lock);
    uint64_t now_ns = events_now_ns(engine);
    handover_step(engine, now_ns);
    engine->tend_due = engine->device_claimed;
    if (!engine->tend_due) {
        device_claim(engine);
        device_tend(engine, now_ns);
        null_device_tend(engine, now_ns);
        profiles_tend(engine, now_ns);
        device_release(engine);
    }
    device_guard(engine);
    uint32_t harmful = programs_find_harm(engine);
    programs_tend(engine, now_ns);
    placement_tend(engine, now_ns);
    commands_reclaim(engine);
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
    struct engine_program *program = calloc(1, sizeof(*program));
    if (!program) {
        return TUTTI_NO_MEMORY;
    }
    program->pid = pid;
    program->host_pid = hello->host_pid;
    program->bits = hello->bits;
    utf8_copy(program->name, sizeof(program->name), hello->program);
    utf8_copy(program->profile, sizeof(program->profile), hello->profile);
    os_mutex_lock(&engine->lock);
    if (engine->programs == CYCLE_MAX_CLIENTS) {
        os_mutex_unlock(&engine->lock);
        free(program);
        return TUTTI_FULL;
    }
    program->id = ++engine->next_id;
    engine->program[engine->programs++] = program;
    *program_id = program->id;
    os_mutex_unlock(&engine->lock);
    return TUTTI_OK;
}

void
engine_disconnect(struct engine *engine, uint32_t program_id)
{
    os_mutex_lock(&engine->lock);
    struct engine_program *program = client_list_find(engine, program_id);
    if (program) {
        programs_detach(engine, program);
        uint32_t i = 0;
        while (engine->program[i] != program) {
            i++;
        }
        memmove(&engine->program[i], &engine->program[i + 1],
                (engine->programs - i - 1) * sizeof(engine->program[0]));
        engine->programs--;
        log_info("engine: program %u '%s' left", program->id, program->name);
        free(program->wish);
        free(program);
    }
    os_mutex_unlock(&engine->lock);
}

unsigned
engine_program_count(struct engine *engine)
{
    os_mutex_lock(&engine->lock);
    unsigned count = engine->programs;
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

/* Whether the device may go to a rate for this program (NULL: for nobody's). */
static enum tutti_status
judge_rate(const struct engine *engine, const struct engine_program *program,
           const struct proto_device *device, double rate_hz, char error[PROTO_TEXT_BYTES])
{
    unsigned others = client_list_prepared(engine) - (program && program->cycle);
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

enum tutti_status
engine_set_rate(struct engine *engine, uint32_t program_id, double rate_hz,
                char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_OK;
    error[0] = '\0';
    os_mutex_lock(&engine->lock);
    device_claim(engine);
    struct engine_program *program = client_list_find(engine, program_id);
    if (program) {
        status = profiles_use(engine, program, error);
    }
    if (status == TUTTI_OK) {
        status = judge_rate(engine, program, &engine->known, rate_hz, error);
    }
    if (status != TUTTI_OK) {
        /* refused */
    } else if (engine->known.rate_hz == rate_hz) {
        engine->rate_hz = rate_hz;
    } else if (program && program->cycle) {
        status = device_change_rate(engine, rate_hz, error);
    } else {
        device_close(engine);
        engine->rate_hz = engine->known.rate_hz = rate_hz;
    }
    if (status == TUTTI_OK) {
        profiles_note_rate(engine, program_id);
    }
    device_release(engine);
    os_mutex_unlock(&engine->lock);
    if (status != TUTTI_OK && !error[0]) {
        utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
    }
    return status;
}

enum tutti_status
engine_can_rate(struct engine *engine, uint32_t program_id, double rate_hz,
                char error[PROTO_TEXT_BYTES])
{
    struct proto_device device;
    enum tutti_status status = TUTTI_OK;
    error[0] = '\0';
    os_mutex_lock(&engine->lock);
    const struct engine_program *program = client_list_find(engine, program_id);
    device = engine->known;
    if (program && !program->cycle) {
        status = profiles_may_use(engine, program, error);
        setup_get_device(engine, program->profile, &device);
    }
    if (status == TUTTI_OK) {
        status = judge_rate(engine, program, &device, rate_hz, error);
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
    const struct engine_program *program = client_list_find(engine, program_id);
    *device = engine->known;
    if (program && !program->cycle) {
        setup_get_device(engine, program->profile, device);
    }
    os_mutex_unlock(&engine->lock);
}

void
engine_get_devices(struct engine *engine, struct proto_devices_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    proto_header_init(&reply->header, PROTO_DEVICES_REPLY, 0);
    os_mutex_lock(&engine->lock);
    device_claim_to_list(engine);
    os_mutex_unlock(&engine->lock);
    reply->count = choice_list(engine, reply->device, PROTO_DEVICE_ENTRIES);
    os_mutex_lock(&engine->lock);
    device_release(engine);
    os_mutex_unlock(&engine->lock);
}

void
engine_get_rendezvous(struct engine *engine, uint32_t program_id, os_handle *page, os_handle *event)
{
    os_mutex_lock(&engine->lock);
    const struct engine_program *program = client_list_find(engine, program_id);
    uint32_t bell = program && program->cycle ? program->cycle->bell : OS_NO_BELL;
    *page = engine->rendezvous.handle;
    *event =
        bell == OS_NO_BELL ? engine->cycle.wake.event : os_bells_answer(engine->cycle.bells, bell);
    os_mutex_unlock(&engine->lock);
}

/* ---- status ---- */

static uint64_t
read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
describe_program(const struct engine_program *program, struct proto_program_status *status)
{
    utf8_copy(status->name, sizeof(status->name), program->name);
    utf8_copy(status->profile, sizeof(status->profile), program->profile);
    status->program_id = program->id;
    status->pid = program->pid;
    status->bits = program->bits;
    status->state = PROTO_PROGRAM_CONNECTED;
    struct cycle_client *cycle = program->cycle;
    if (!cycle) {
        return;
    }
    status->state = atomic_load_explicit(&cycle->state_shown, memory_order_relaxed);
    status->buffer_frames = cycle->layout.buffer_frames;
    status->inputs = cycle->layout.inputs;
    status->outputs = cycle->layout.outputs;
    status->input_latency_frames = program->input_latency;
    status->output_latency_frames = program->output_latency;
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

/* 0: no step is under way. */
static uint32_t
opening_ms(const struct engine *engine, uint64_t now_ns)
{
    uint64_t since_ns = engine->call_since_ns;
    return since_ns && now_ns > since_ns ? (uint32_t)((now_ns - since_ns) / OS_NS_PER_MS) + 1 : 0;
}

bool
engine_watch(struct engine *engine)
{
    os_mutex_lock(&engine->lock);
    device_guard(engine);
    uint32_t ms = opening_ms(engine, events_now_ns(engine));
    os_mutex_unlock(&engine->lock);
    return ms > ENGINE_OPENING_MS;
}

void
engine_get_status(struct engine *engine, uint32_t first_program, struct proto_status_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    proto_header_init(&reply->header, PROTO_STATUS_REPLY, 0);
    os_mutex_lock(&engine->lock);
    struct cycle *cycle = &engine->cycle;
    uint64_t now_ns = events_now_ns(engine);
    atomic_store_explicit(&cycle->meters_until_ns,
                          now_ns + (uint64_t)METERS_WANTED_MS * OS_NS_PER_MS, memory_order_relaxed);
    reply->engine_pid = os_process_id();
    reply->generation = cycle->generation;
    reply->uptime_ns = now_ns - engine->born_ns;
    reply->cycles = read_counter(&cycle->cycles);
    reply->device_xruns = read_counter(&cycle->xruns);
    reply->engine_overruns = read_counter(&cycle->overruns);
    reply->reopenings = engine->reopenings;
    reply->gap_frames = engine->gap_frames;
    reply->cycle_p50_us = statistics_quantile(&cycle->cost_us, 0.5);
    reply->cycle_p99_us = statistics_quantile(&cycle->cost_us, 0.99);
    reply->device = engine->known;
    reply->opening_ms = opening_ms(engine, now_ns);
    utf8_copy(reply->problem, sizeof(reply->problem), engine->unheard);
    reply->program_count = engine->programs;
    reply->first_program = first_program;
    for (uint32_t i = first_program; i < engine->programs && reply->here < PROTO_STATUS_PROGRAMS;
         i++) {
        const struct engine_program *program = engine->program[i];
        bool monitors = program->monitor && program->wish;
        reply->monitor_paths[reply->here] = monitors ? program->wish->count : 0;
        reply->clipped_samples[reply->here] =
            program->cycle ? read_counter(&program->cycle->clipped_samples) : 0;
        describe_program(program, &reply->program[reply->here++]);
    }
    os_mutex_unlock(&engine->lock);
}
