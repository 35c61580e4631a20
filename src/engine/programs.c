/* SPDX-License-Identifier: MIT */
/* Programs as control sees them: joining and leaving the device, what they were promised, what they
 * are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"
#include "mixer/schedule.h"

_Static_assert(CYCLE_MAX_BUFFER_FRAMES == CONFIG_BUFFER_FRAMES, "what may be configured fits");

/* ---- leaving ---- */

void
programs_detach(struct engine *engine, struct engine_program *program)
{
    struct cycle_client *gone = program->cycle;
    if (!gone) {
        return;
    }
    /* A program leaves also while another thread has the device: its command waits in the ring. */
    commands_await_room(engine);
    uint32_t inputs = gone->layout.inputs;
    program->cycle = NULL;
    float *rings[PROTO_MAX_CHANNELS];
    uint32_t ring_count = 0;
    for (uint32_t c = 0; c < inputs; c++) {
        float *ring = plan_put_bus(engine, &program->input[c]);
        if (ring) {
            rings[ring_count++] = ring;
        }
    }
    commands_send(engine, CYCLE_REMOVE, gone);
    commands_retire(engine, (struct engine_retired){.program = gone,
                                                    .segment = program->segment,
                                                    .monitor = program->monitor});
    program->monitor = NULL;
    program->segment = (struct os_shm){0};
    for (uint32_t r = 0; r < ring_count; r++) {
        commands_retire(engine, (struct engine_retired){.ring = rings[r]});
    }
    if (!client_list_prepared(engine)) {
        engine->idle_since_ns = events_now_ns(engine);
    }
    commands_reclaim(engine);
}

/* ---- latency ---- */

void
engine_forecast(struct engine *engine, uint32_t program_id, const struct proto_forecast *message,
                struct proto_forecast_reply *reply)
{
    struct proto_device device;
    uint32_t buffer = message->buffer_frames;
    os_mutex_lock(&engine->lock);
    const struct engine_program *program = client_list_find(engine, program_id);
    period_forecast(engine, program ? program->profile : "", buffer, &device);
    os_mutex_unlock(&engine->lock);
    uint32_t offset =
        schedule_offset(buffer, device.period_frames, message->flags & PROTO_PREPARE_TIGHT,
                        message->flags & PROTO_PREPARE_LATE_TAKE);
    memset(reply, 0, sizeof(*reply));
    proto_header_init(&reply->header, PROTO_FORECAST_REPLY, message->header.serial);
    reply->input_latency_frames =
        schedule_input_latency(buffer, device.period_frames, device.input_latency_frames, 0);
    reply->output_latency_frames =
        schedule_output_latency(buffer, offset, device.output_latency_frames);
}

/* ---- joining ---- */

static enum tutti_status
check_channels(const struct engine *engine, const struct proto_prepare *message,
               char error[PROTO_TEXT_BYTES])
{
    const struct proto_device *device = &engine->known;
    for (uint32_t c = 0; c < message->inputs; c++) {
        const struct proto_channel *input = &message->input[c];
        uint32_t room = input->kind == PROTO_CHANNEL_DEVICE ? device->inputs
                        : input->kind == PROTO_CHANNEL_MIX  ? device->outputs
                                                            : PROTO_MAX_CHANNELS;
        if (input->channel >= room) {
            snprintf(error, PROTO_TEXT_BYTES, "there is no input channel %u; the device has %u",
                     input->channel + 1U, room);
            return TUTTI_INVALID_ARGUMENT;
        }
    }
    for (uint32_t c = 0; c < message->outputs; c++) {
        if (message->output[c].kind == PROTO_CHANNEL_DEVICE &&
            message->output[c].channel >= device->outputs) {
            snprintf(error, PROTO_TEXT_BYTES, "there is no output channel %u; the device has %u",
                     message->output[c].channel + 1U, device->outputs);
            return TUTTI_INVALID_ARGUMENT;
        }
    }
    return TUTTI_OK;
}

/* What all programs ask of each cycle together has an end, so that none makes it too long for the
 * others. */
static enum tutti_status
check_room(const struct engine *engine, const struct proto_prepare *message,
           char error[PROTO_TEXT_BYTES])
{
    uint32_t channels = message->inputs + message->outputs, buses = engine->buses;
    for (uint32_t i = 0; i < engine->programs; i++) {
        const struct cycle_client *other = engine->program[i]->cycle;
        channels += other ? other->layout.inputs + other->layout.outputs : 0;
    }
    for (uint32_t c = 0; c < message->inputs; c++) {
        const struct proto_channel *input = &message->input[c];
        bool by_bus = input->kind == PROTO_CHANNEL_MIX || input->kind == PROTO_CHANNEL_PROGRAM;
        buses += by_bus && !plan_has_bus(engine, input);
    }
    if (buses > ENGINE_MAX_BUSES) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "the engine carries %d signals between programs, %u are in use: read fewer inputs "
                 "from other programs or from the mix",
                 ENGINE_MAX_BUSES, engine->buses);
        return TUTTI_FULL;
    }
    if (channels > ENGINE_MAX_CHANNELS) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "all programs together can have %d channels, %u are in use: ask for fewer, or "
                 "close other programs",
                 ENGINE_MAX_CHANNELS, channels - message->inputs - message->outputs);
        return TUTTI_FULL;
    }
    return TUTTI_OK;
}

/* Before the device is touched: words that mean something only as they are, and nobody else. */
static enum tutti_status
check_alone(const struct engine *engine, bool exact, char error[PROTO_TEXT_BYTES])
{
    const struct engine_program *alone = client_list_exact(engine);
    if (alone) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "'%s' plays DSD and needs the device alone; stop it first", alone->name);
        return TUTTI_DEVICE_BUSY;
    }
    if (exact && client_list_prepared(engine)) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "DSD needs the device alone: mixed with other sound it would be noise; stop the "
                 "other programs (%u) first",
                 client_list_prepared(engine));
        return TUTTI_DEVICE_BUSY;
    }
    return TUTTI_OK;
}

/* With the device open. While it is lost nothing sounds, and the plan looks again when it is back.
 */
static enum tutti_status
check_words(const struct engine *engine, bool exact, char error[PROTO_TEXT_BYTES])
{
    if (!exact || engine->exact || engine->state == PROTO_STREAM_LOST) {
        return TUTTI_OK;
    }
    snprintf(error, PROTO_TEXT_BYTES,
             "'%.40s' (%s, %s) cannot carry DSD: it takes a card's own words of 24 bits or more",
             engine->known.name, engine->known.backend, engine->known.format);
    return TUTTI_UNSUPPORTED_FORMAT;
}

static uint32_t
ring_frames(uint32_t wanted)
{
    uint32_t frames = CYCLE_MIN_OUT_FRAMES;
    while (frames < wanted) {
        frames *= 2;
    }
    return frames;
}

/* Connects input channels to their rings; on failure the ones connected so far are given back. */
static enum tutti_status
connect_inputs(struct engine *engine, struct engine_program *program, uint32_t inputs)
{
    for (uint32_t c = 0; c < inputs; c++) {
        const struct proto_channel *source = &program->input[c];
        struct cycle_source *to = &program->cycle->input[c];
        to->channel = -1;
        if (source->kind == PROTO_CHANNEL_DEVICE) {
            to->channel = source->channel;
            to->ring = engine->cycle.input_ring + (size_t)source->channel * CYCLE_RING_PITCH;
        } else if (source->kind != PROTO_CHANNEL_NONE) {
            struct engine_bus *bus = plan_get_bus(engine, source);
            if (!bus) {
                while (c-- > 0) {
                    free(plan_put_bus(engine, &program->input[c])); /* new ones: never in a plan */
                }
                return TUTTI_NO_MEMORY;
            }
            to->ring = bus->ring;
        }
    }
    return TUTTI_OK;
}

/* What a program brings to join. */
struct offer {
    struct os_shm segment;
    struct os_wake doorbell;
    uint32_t bell;
};

static enum tutti_status
join(struct engine *engine, struct engine_program *program, const struct proto_prepare *message,
     const struct offer *offer)
{
    struct cycle_client *cycle = calloc(1, sizeof(*cycle));
    if (!cycle) {
        return TUTTI_NO_MEMORY;
    }
    commands_await_room(engine);
    cycle->id = program->id;
    if (program->host_pid && os_process_maps(program->host_pid, &offer->segment)) {
        program->pid = program->host_pid;
    }
    cycle->pid = program->pid;
    cycle->segment = offer->segment.base;
    proto_layout_init(&cycle->layout, message->buffer_frames, message->inputs, message->outputs);
    cycle->tight = message->flags & PROTO_PREPARE_TIGHT;
    cycle->late_take = message->flags & PROTO_PREPARE_LATE_TAKE;
    cycle->state = PROTO_PROGRAM_PREPARED;
    atomic_store_explicit(&cycle->state_shown, PROTO_PROGRAM_PREPARED, memory_order_relaxed);
    memcpy(program->input, message->input, sizeof(program->input));
    memcpy(program->output, message->output, sizeof(program->output));
    uint32_t buffer = message->buffer_frames;
    uint32_t wanted_offset = message->wanted_output_latency_frames < CYCLE_RING_FRAMES
                                 ? message->wanted_output_latency_frames + buffer
                                 : 0;
    uint32_t offset =
        schedule_offset(buffer, engine->known.period_frames, cycle->tight, cycle->late_take);
    uint32_t most = offset > wanted_offset ? offset : wanted_offset;
    /* Room to keep what is promised when the period shrinks, too. */
    cycle->out_frames = ring_frames(most + 2 * buffer + 2 * BACKEND_MAX_PERIOD_FRAMES);
    cycle->out_ring = plan_new_ring((size_t)cycle->out_frames * (message->outputs + 1U));
    program->cycle = cycle;
    program->exact = message->flags & PROTO_PREPARE_EXACT;
    if (!cycle->out_ring || connect_inputs(engine, program, message->inputs) != TUTTI_OK) {
        program->cycle = NULL;
        free(cycle->out_ring);
        free(cycle);
        return TUTTI_NO_MEMORY;
    }
    if (monitor_join(engine, program) != TUTTI_OK) {
        log_error("engine: no memory for the direct monitor of program %u", program->id);
    }
    program->input_latency = program->least_input_latency = message->wanted_input_latency_frames;
    program->output_latency = program->least_output_latency = message->wanted_output_latency_frames;
    latency_choose(engine, program, true);
    cycle->offset = latency_offset(engine, program);
    cycle->input_delay = latency_delay(engine, program);
    program->least_input_latency = program->input_latency;
    program->least_output_latency = program->output_latency;
    latency_note(engine, program);
    program->segment = offer->segment;
    cycle->doorbell = offer->doorbell;
    cycle->bell = offer->bell;
    program->lates_reported = program->losses_reported = 0;
    program->demoted = false;
    program->condemned = false;
    program->met_thread = 0;
    program->late_seen = program->suspect_since_ns = 0;
    commands_send(engine, CYCLE_ADD, cycle);
    return TUTTI_OK;
}

static void
refuse(struct engine *engine, struct offer *offer)
{
    os_bells_remove(engine->cycle.bells, offer->bell);
    os_wake_fini(&offer->doorbell);
    os_shm_close(&offer->segment);
}

/* Without the engine's lock: a handle may be of a kind that keeps whoever closes it waiting. */
static enum tutti_status
adopt(struct engine *engine, const struct proto_prepare *message, os_handle handle, os_handle event,
      struct offer *offer)
{
    struct proto_layout layout;
    enum tutti_status status =
        proto_layout_init(&layout, message->buffer_frames, message->inputs, message->outputs);
    if (status == TUTTI_OK) {
        status = os_shm_adopt(&offer->segment, handle, layout.size_bytes);
    } else {
        os_handle_close(handle);
    }
    if (status == TUTTI_OK) {
        status = proto_segment_check(offer->segment.base, offer->segment.size_bytes, &layout);
    }
    if (status == TUTTI_OK) {
        status = os_bells_add(engine->cycle.bells, &event, &offer->bell);
    }
    if (status == TUTTI_OK) {
        struct proto_segment *base = offer->segment.base;
        status = os_wake_adopt(&offer->doorbell, &base->doorbell, event);
        event = OS_NO_HANDLE;
    }
    os_handle_close(event);
    if (status != TUTTI_OK) {
        refuse(engine, offer);
    }
    return status;
}

enum tutti_status
engine_prepare(struct engine *engine, uint32_t program_id, const struct proto_prepare *message,
               os_handle segment, os_handle doorbell, struct proto_prepared *answer,
               char error[PROTO_TEXT_BYTES])
{
    struct offer offer = {.bell = OS_NO_BELL};
    bool exact = message->flags & PROTO_PREPARE_EXACT;
    error[0] = '\0';
    enum tutti_status status = adopt(engine, message, segment, doorbell, &offer);
    if (status != TUTTI_OK) {
        snprintf(error, PROTO_TEXT_BYTES, "the shared segment was refused: %s",
                 tutti_status_text(status));
        return status;
    }
    os_mutex_lock(&engine->lock);
    device_claim(engine);
    /* It stays: only the thread that calls this disconnects it. */
    struct engine_program *program = client_list_find(engine, program_id);
    if (!program || program->cycle) {
        status = TUTTI_INVALID_STATE;
    } else if (message->buffer_frames > CYCLE_MAX_BUFFER_FRAMES) {
        snprintf(error, PROTO_TEXT_BYTES, "buffers go up to %d frames", CYCLE_MAX_BUFFER_FRAMES);
        status = TUTTI_INVALID_ARGUMENT;
    } else {
        status = check_room(engine, message, error);
        if (status == TUTTI_OK) {
            status = check_alone(engine, exact, error);
        }
        if (status == TUTTI_OK) {
            status = profiles_use(engine, program, error);
        }
    }
    if (status == TUTTI_OK) {
        engine->joining = true;
        null_device_leave(engine);
        status = device_ensure(engine, period_choose(engine, message->buffer_frames), error);
        engine->joining = false;
    }
    if (status == TUTTI_OK) {
        status = check_words(engine, exact, error);
    }
    if (status == TUTTI_OK) {
        status = check_channels(engine, message, error);
    }
    if (status == TUTTI_OK) {
        status = join(engine, program, message, &offer);
    }
    device_release(engine);
    if (status != TUTTI_OK) {
        os_mutex_unlock(&engine->lock);
        refuse(engine, &offer);
        if (!error[0]) {
            utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
        }
        return status;
    }
    const struct proto_device *device = &engine->known;
    proto_header_init(&answer->header, PROTO_PREPARED, message->header.serial);
    answer->input_latency_frames = program->input_latency;
    answer->output_latency_frames = program->output_latency;
    program->timeout_ms = latency_timeout_ms(message->buffer_frames, device,
                                             engine->cycle.budget_ns, engine->cycle.elastic);
    answer->patience_ms = program->timeout_ms;
    answer->reserved = 0;
    answer->device = *device;
    log_info("engine: program %u '%s' joined: buffer %u, period %u, latency %u + %u frames",
             program->id, program->name, message->buffer_frames, device->period_frames,
             program->input_latency, program->output_latency);
    os_mutex_unlock(&engine->lock);
    return TUTTI_OK;
}

enum tutti_status
engine_dispose(struct engine *engine, uint32_t program_id)
{
    enum tutti_status status = TUTTI_INVALID_STATE;
    os_mutex_lock(&engine->lock);
    struct engine_program *program = client_list_find(engine, program_id);
    if (program && program->cycle) {
        programs_detach(engine, program);
        status = TUTTI_OK;
    }
    os_mutex_unlock(&engine->lock);
    return status;
}

/* ---- tending ---- */

static void
condemn(struct engine *engine, struct engine_program *program, const char *what, const char *told)
{
    program->condemned = true;
    log_warning("engine: program %u '%s' (process %u) %s: its link ends", program->id,
                program->name, program->pid, what);
    events_notify(engine, program->id, PROTO_EVENT_OVERLOAD, 0, told);
}

/* The page that all share and all can write: whoever took it out is not known. */
static void
look_at_the_page(struct engine *engine)
{
    if (!atomic_load_explicit(&engine->cycle.alone, memory_order_relaxed) &&
        !os_shm_is_whole(&engine->rendezvous)) {
        atomic_store_explicit(&engine->cycle.alone, true, memory_order_relaxed);
        log_warning("engine: a program took away the page by which programs wake the engine: it "
                    "looks at their answers by itself from now on, until it ends");
    }
}

uint32_t
programs_find_harm(struct engine *engine)
{
    uint32_t bell = os_bells_tend(engine->cycle.bells);
    look_at_the_page(engine);
    for (uint32_t i = 0; i < engine->programs; i++) {
        struct engine_program *program = engine->program[i];
        if (!program->cycle || program->condemned) {
            continue;
        }
        if (bell != OS_NO_BELL && program->cycle->bell == bell) {
            condemn(engine, program, "keeps who wakes it waiting in its doorbell",
                    "the engine ends this link: it could not wake the program, whose doorbell "
                    "does not take what is written to it; start the program again");
            return program->id;
        }
        if (!os_shm_is_whole(&program->segment)) {
            condemn(engine, program, "takes pages out of its shared memory",
                    "the engine ends this link: pages were taken out of the program's shared "
                    "memory, which keeps the engine waiting; start the program again");
            return program->id;
        }
    }
    return 0;
}

static void
tend_program(struct engine *engine, struct engine_program *program, uint64_t now_ns)
{
    struct cycle_client *cycle = program->cycle;
    uint64_t late = atomic_load_explicit(&cycle->late_program, memory_order_relaxed) +
                    atomic_load_explicit(&cycle->late_machine, memory_order_relaxed);
    uint64_t lost = atomic_load_explicit(&cycle->losses, memory_order_relaxed);
    if (late > program->lates_reported || lost > program->losses_reported) {
        uint64_t losses = lost - program->losses_reported;
        events_report_overload(engine, program, late - program->lates_reported + losses, losses);
        program->lates_reported = late;
        program->losses_reported = lost;
    }
    monitor_tend(engine, program);
    hogs_tend(engine, program, now_ns);
}

void
programs_tend(struct engine *engine, uint64_t now_ns)
{
    bool turn = now_ns > engine->turned_ns + (uint64_t)ENGINE_TURN_MS * OS_NS_PER_MS;
    for (uint32_t i = 0; i < engine->programs; i++) {
        struct engine_program *program = engine->program[i];
        if (!program->cycle) {
            continue;
        }
        tend_program(engine, program, now_ns);
        if (turn) {
            statistics_turn(&program->cycle->lateness_us);
            statistics_turn(&program->cycle->computing_us);
        }
    }
    if (turn) {
        statistics_turn(&engine->cycle.cost_us);
        engine->turned_ns = now_ns;
    }
}
