/* SPDX-License-Identifier: MIT */
#include "engine/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"
#include "engine/hogs.h"
#include "engine/latency.h"
#include "engine/monitor_control.h"
#include "engine/profiles.h"
#include "mixer/schedule.h"

#define REFUSED "the shared segment was refused: %s"

enum {
    MAX_BUSES = 1024,
    MAX_CHANNELS = 8192, /* inputs and outputs of all clients of a mix */
    TURN_MS = 3000,      /* span of the statistics */
};
_Static_assert((int)CYCLE_MAX_BUFFER_FRAMES == (int)CONFIG_BUFFER_FRAMES,
               "what may be configured fits");

/* ---- leaving ---- */

void
clients_detach(struct engine_client *client)
{
    struct cycle_client *gone = client->cycle;
    struct mix *mix = client->mix;
    if (!gone) {
        return;
    }
    /* A client leaves also while another thread has the claim: its command waits in the ring. */
    commands_await_room(mix);
    uint32_t inputs = gone->layout.inputs;
    client->cycle = NULL;
    client->mix = NULL;
    float *rings[PROTO_MAX_CHANNELS];
    uint32_t ring_count = 0;
    for (uint32_t c = 0; c < inputs; c++) {
        float *ring = routing_put_bus(mix, &client->input[c]);
        if (ring) {
            rings[ring_count++] = ring;
        }
    }
    feeds_update(mix->engine); /* before the rings are retired that they write to */
    commands_send(mix, CYCLE_REMOVE, gone);
    commands_retire(mix, (struct engine_retired){.client = gone,
                                                 .segment = client->segment,
                                                 .monitor = monitor_leave(client)});
    client->segment = (struct os_shm){0};
    for (uint32_t r = 0; r < ring_count; r++) {
        commands_retire(mix, (struct engine_retired){.ring = rings[r]});
    }
    if (!client_list_prepared(mix)) {
        master_note_idle(&mix->master);
    }
    commands_reclaim(mix);
}

/* ---- latency ---- */

void
engine_forecast(struct engine *engine, uint32_t program_id, const struct proto_forecast *message,
                struct proto_forecast_reply *reply)
{
    struct proto_device device;
    uint32_t buffer = message->buffer_frames;
    os_mutex_lock(&engine->lock);
    const struct engine_client *client = client_list_find(engine, program_id);
    setup_forecast(engine, client ? client->profile : "", buffer, &device);
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
check_channels(const struct mix *mix, const struct proto_prepare *message,
               char error[PROTO_TEXT_BYTES])
{
    const struct proto_device *device = mix_device(mix);
    for (uint32_t c = 0; c < message->inputs; c++) {
        const struct proto_channel *input = &message->input[c];
        uint32_t count = input->kind == PROTO_CHANNEL_DEVICE ? device->inputs
                         : input->kind == PROTO_CHANNEL_MIX  ? device->outputs
                                                             : PROTO_MAX_CHANNELS;
        if (input->channel >= count) {
            snprintf(error, PROTO_TEXT_BYTES, "there is no input channel %u; the device has %u",
                     input->channel + 1U, count);
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

/* What all clients of a mix ask of each cycle together has an end, so that none makes it too long
 * for the others. */
static enum tutti_status
check_room(const struct mix *mix, const struct proto_prepare *message, char error[PROTO_TEXT_BYTES])
{
    const struct engine *engine = mix->engine;
    uint32_t channels = message->inputs + message->outputs, buses = mix->routing.bus_count;
    for (uint32_t i = 0; i < engine->client_count; i++) {
        const struct engine_client *other = engine->client[i];
        if (client_list_plays(other, mix)) {
            channels += other->cycle->layout.inputs + other->cycle->layout.outputs;
        }
    }
    for (uint32_t c = 0; c < message->inputs; c++) {
        const struct proto_channel *input = &message->input[c];
        bool by_bus = input->kind == PROTO_CHANNEL_MIX || input->kind == PROTO_CHANNEL_PROGRAM;
        buses += by_bus && !routing_find_bus(mix, input);
    }
    if (buses > MAX_BUSES) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "the engine carries %d signals between programs, %u are in use: read fewer inputs "
                 "from other programs or from the mix",
                 MAX_BUSES, mix->routing.bus_count);
        return TUTTI_FULL;
    }
    if (channels > MAX_CHANNELS) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "all programs together can have %d channels, %u are in use: ask for fewer, or "
                 "close other programs",
                 MAX_CHANNELS, channels - message->inputs - message->outputs);
        return TUTTI_FULL;
    }
    return TUTTI_OK;
}

/* Before the device is touched: a bit-exact stream has it alone. */
static enum tutti_status
check_alone(const struct mix *mix, bool exact, char error[PROTO_TEXT_BYTES])
{
    const struct engine_client *alone = client_list_exact(mix);
    if (alone) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "'%s' plays DSD and needs the device alone; stop it first", alone->name);
        return TUTTI_DEVICE_BUSY;
    }
    if (exact && client_list_prepared(mix)) {
        snprintf(error, PROTO_TEXT_BYTES,
                 "DSD needs the device alone: mixed with other sound it would be noise; stop the "
                 "other programs (%u) first",
                 client_list_prepared(mix));
        return TUTTI_DEVICE_BUSY;
    }
    return TUTTI_OK;
}

/* With the device open. While it is lost nothing sounds, and the plan looks again when it is back.
 */
static enum tutti_status
check_words(const struct mix *mix, bool exact, char error[PROTO_TEXT_BYTES])
{
    const struct slot *slot = &mix->master.slot;
    if (!exact || slot->exact || slot->state == PROTO_STREAM_LOST) {
        return TUTTI_OK;
    }
    snprintf(error, PROTO_TEXT_BYTES,
             "'%.40s' (%s, %s) cannot carry DSD: it takes a card's own words of 24 bits or more",
             slot->known.name, slot->known.backend, slot->known.format);
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
connect_inputs(struct mix *mix, struct engine_client *client, uint32_t inputs)
{
    for (uint32_t c = 0; c < inputs; c++) {
        const struct proto_channel *source = &client->input[c];
        struct cycle_source *to = &client->cycle->input[c];
        to->channel = -1;
        if (source->kind == PROTO_CHANNEL_DEVICE) {
            to->channel = source->channel;
            to->ring = mix->master.cycle.input_ring + (size_t)source->channel * CYCLE_RING_PITCH;
        } else if (source->kind != PROTO_CHANNEL_NONE) {
            struct engine_bus *bus = routing_get_bus(mix, source);
            if (!bus) {
                while (c-- > 0) {
                    free(routing_put_bus(mix, &client->input[c])); /* new ones: never in a plan */
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

/* What the cycle knows of a client that joins. NULL: no memory. */
static struct cycle_client *
new_client(const struct mix *mix, const struct engine_client *client,
           const struct proto_prepare *message, const struct offer *offer)
{
    struct cycle_client *cycle = calloc(1, sizeof(*cycle));
    if (!cycle) {
        return NULL;
    }
    cycle->id = client->id;
    cycle->pid = client->pid;
    cycle->segment = offer->segment.base;
    proto_layout_init(&cycle->layout, message->buffer_frames, message->inputs, message->outputs);
    cycle->tight = message->flags & PROTO_PREPARE_TIGHT;
    cycle->late_take = message->flags & PROTO_PREPARE_LATE_TAKE;
    cycle->state = PROTO_PROGRAM_PREPARED;
    atomic_store_explicit(&cycle->state_shown, PROTO_PROGRAM_PREPARED, memory_order_relaxed);
    uint32_t buffer = message->buffer_frames;
    uint32_t wanted_offset = message->wanted_output_latency_frames < CYCLE_RING_FRAMES
                                 ? message->wanted_output_latency_frames + buffer
                                 : 0;
    uint32_t offset =
        schedule_offset(buffer, mix_device(mix)->period_frames, cycle->tight, cycle->late_take);
    uint32_t most = offset > wanted_offset ? offset : wanted_offset;
    /* Room to keep what is promised when the period shrinks, too. */
    cycle->out_frames = ring_frames(most + 2 * buffer + 2 * BACKEND_MAX_PERIOD_FRAMES);
    cycle->out_ring = routing_new_ring((size_t)cycle->out_frames * (message->outputs + 1U));
    if (!cycle->out_ring) {
        free(cycle);
        return NULL;
    }
    return cycle;
}

static enum tutti_status
join(struct mix *mix, struct engine_client *client, const struct proto_prepare *message,
     const struct offer *offer)
{
    commands_await_room(mix);
    if (client->host_pid && os_process_maps(client->host_pid, &offer->segment)) {
        client->pid = client->host_pid;
    }
    struct cycle_client *cycle = new_client(mix, client, message, offer);
    if (!cycle) {
        return TUTTI_NO_MEMORY;
    }
    memcpy(client->input, message->input, sizeof(client->input));
    memcpy(client->output, message->output, sizeof(client->output));
    client->cycle = cycle;
    client->exact = message->flags & PROTO_PREPARE_EXACT;
    if (connect_inputs(mix, client, message->inputs) != TUTTI_OK) {
        client->cycle = NULL;
        free(cycle->out_ring);
        free(cycle);
        return TUTTI_NO_MEMORY;
    }
    client->mix = mix;
    if (monitor_join(mix, client) != TUTTI_OK) {
        log_error("engine: no memory for the direct monitor of program %u", client->id);
    }
    latency_begin(mix, client, message);
    client->segment = offer->segment;
    cycle->doorbell = offer->doorbell;
    cycle->bell = offer->bell;
    client->lates_reported = client->losses_reported = 0;
    client->condemned = false;
    hogs_begin(client);
    commands_send(mix, CYCLE_ADD, cycle);
    feeds_update(mix->engine);
    return TUTTI_OK;
}

/* Without the engine's lock: a handle may be of a kind that keeps the thread that closes it
 * waiting. */
static enum tutti_status
open_offer(const struct proto_prepare *message, os_handle segment, struct offer *offer)
{
    struct proto_layout layout;
    enum tutti_status status =
        proto_layout_init(&layout, message->buffer_frames, message->inputs, message->outputs);
    if (status == TUTTI_OK) {
        status = os_shm_adopt(&offer->segment, segment, layout.size_bytes);
    } else {
        os_handle_close(segment);
    }
    if (status == TUTTI_OK) {
        status = proto_segment_check(offer->segment.base, offer->segment.size_bytes, &layout);
    }
    return status;
}

/* Ties the offered doorbell to the mix's bells. *doorbell: OS_NO_HANDLE when it was taken over. */
static enum tutti_status
adopt_doorbell(struct mix *mix, os_handle *doorbell, struct offer *offer)
{
    struct proto_segment *base = offer->segment.base;
    enum tutti_status status = os_bells_add(mix->master.cycle.bells, doorbell, &offer->bell);
    if (status == TUTTI_OK) {
        status = os_wake_adopt(&offer->doorbell, &base->doorbell, *doorbell);
        *doorbell = OS_NO_HANDLE;
    }
    return status;
}

/* The mix of the program whose outputs a client reads, if it reads and plays nothing else: it
 * follows that program, wherever it plays. NULL: it does more. */
static struct mix *
mix_of_sources(struct engine *engine, const struct proto_prepare *message)
{
    struct mix *mix = NULL;
    for (uint32_t c = 0; c < message->outputs; c++) {
        if (message->output[c].kind != PROTO_CHANNEL_NONE) {
            return NULL;
        }
    }
    for (uint32_t c = 0; c < message->inputs; c++) {
        const struct proto_channel *input = &message->input[c];
        if (input->kind == PROTO_CHANNEL_DEVICE || input->kind == PROTO_CHANNEL_MIX) {
            return NULL;
        }
        const struct engine_client *source = client_list_find(engine, input->program);
        if (input->kind == PROTO_CHANNEL_PROGRAM && source && source->mix) {
            mix = source->mix;
        }
    }
    return mix;
}

/* Which mix it will play in, as far as that may be known before a device is touched. */
static enum tutti_status
find_mix(struct engine *engine, const struct engine_client *client,
         const struct proto_prepare *message, struct mix **mix, char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_OK;
    if (message->buffer_frames > CYCLE_MAX_BUFFER_FRAMES) {
        snprintf(error, PROTO_TEXT_BYTES, "buffers go up to %d frames", CYCLE_MAX_BUFFER_FRAMES);
        return TUTTI_INVALID_ARGUMENT;
    }
    *mix = mix_of_sources(engine, message);
    bool follows = *mix != NULL;
    if (!follows) {
        *mix = setup_find_mix(engine, setup_find(engine, client->profile));
    }
    if (*mix) {
        status = check_room(*mix, message, error);
    }
    if (*mix && status == TUTTI_OK) {
        status = check_alone(*mix, message->flags & PROTO_PREPARE_EXACT, error);
    }
    return status == TUTTI_OK && !follows ? profiles_use(engine, client, mix, error) : status;
}

/* The device runs at the period for a client that joins. */
static enum tutti_status
open_device(struct mix *mix, const struct proto_prepare *message, char error[PROTO_TEXT_BYTES])
{
    mix->joining = true;
    master_leave_null_device(&mix->master);
    uint32_t period = period_choose(&mix->master, message->buffer_frames);
    enum tutti_status status = master_ensure(&mix->master, period, error);
    mix->joining = false;
    if (status == TUTTI_OK) {
        status = check_words(mix, message->flags & PROTO_PREPARE_EXACT, error);
    }
    if (status == TUTTI_OK) {
        status = check_channels(mix, message, error);
    }
    return status;
}

static void
answer_prepare(const struct mix *mix, struct engine_client *client,
               const struct proto_prepare *message, struct proto_prepared *answer)
{
    const struct proto_device *device = mix_device(mix);
    proto_header_init(&answer->header, PROTO_PREPARED, message->header.serial);
    answer->input_latency_frames = client->input_latency;
    answer->output_latency_frames = client->output_latency;
    answer->patience_ms = latency_begin_timeout(mix, client);
    answer->reserved = 0;
    answer->device = *device;
    log_info("engine: program %u '%s' joined: buffer %u, period %u, latency %u + %u frames",
             client->id, client->name, message->buffer_frames, device->period_frames,
             client->input_latency, client->output_latency);
}

/* With the lock and the claim. *doorbell: as adopt_doorbell(). */
static enum tutti_status
prepare(struct engine *engine, struct engine_client *client, const struct proto_prepare *message,
        struct offer *offer, os_handle *doorbell, char error[PROTO_TEXT_BYTES])
{
    struct mix *mix = NULL;
    enum tutti_status status = find_mix(engine, client, message, &mix, error);
    if (status != TUTTI_OK) {
        return status;
    }
    status = adopt_doorbell(mix, doorbell, offer);
    if (status != TUTTI_OK) {
        snprintf(error, PROTO_TEXT_BYTES, REFUSED, tutti_status_text(status));
    } else {
        status = open_device(mix, message, error);
    }
    if (status == TUTTI_OK) {
        status = join(mix, client, message, offer);
    }
    if (status != TUTTI_OK) {
        os_bells_remove(mix->master.cycle.bells, offer->bell);
        os_wake_fini(&offer->doorbell);
    }
    return status;
}

enum tutti_status
engine_prepare(struct engine *engine, uint32_t program_id, const struct proto_prepare *message,
               os_handle segment, os_handle doorbell, struct proto_prepared *answer,
               char error[PROTO_TEXT_BYTES])
{
    struct offer offer = {.bell = OS_NO_BELL};
    error[0] = '\0';
    enum tutti_status status = open_offer(message, segment, &offer);
    if (status != TUTTI_OK) {
        snprintf(error, PROTO_TEXT_BYTES, REFUSED, tutti_status_text(status));
    } else {
        os_mutex_lock(&engine->lock);
        claim_take(engine);
        /* It stays: only the thread that calls this disconnects it. */
        struct engine_client *client = client_list_find(engine, program_id);
        status = !client || client->cycle
                     ? TUTTI_INVALID_STATE
                     : prepare(engine, client, message, &offer, &doorbell, error);
        claim_release(engine);
        if (status == TUTTI_OK) {
            answer_prepare(client->mix, client, message, answer);
        }
        os_mutex_unlock(&engine->lock);
    }
    if (status != TUTTI_OK) {
        os_handle_close(doorbell);
        os_shm_close(&offer.segment);
        if (!error[0]) {
            utf8_copy(error, PROTO_TEXT_BYTES, tutti_status_text(status));
        }
    }
    return status;
}

enum tutti_status
engine_dispose(struct engine *engine, uint32_t program_id)
{
    enum tutti_status status = TUTTI_INVALID_STATE;
    os_mutex_lock(&engine->lock);
    struct engine_client *client = client_list_find(engine, program_id);
    if (client && client->cycle) {
        clients_detach(client);
        status = TUTTI_OK;
    }
    os_mutex_unlock(&engine->lock);
    return status;
}

/* ---- tending ---- */

static void
condemn(struct mix *mix, struct engine_client *client, const char *what, const char *reason)
{
    client->condemned = true;
    log_warning("engine: program %u '%s' (process %u) %s: its link ends", client->id, client->name,
                client->pid, what);
    events_notify(mix, client->id, PROTO_EVENT_OVERLOAD, 0, reason);
}

/* All clients share the page and can write to it: which one took it out is not known. */
static void
look_at_the_page(struct mix *mix)
{
    if (!atomic_load_explicit(&mix->master.cycle.alone, memory_order_relaxed) &&
        !os_shm_is_whole(&mix->master.rendezvous)) {
        atomic_store_explicit(&mix->master.cycle.alone, true, memory_order_relaxed);
        log_warning("engine: a program took away the page by which programs wake the engine: it "
                    "looks at their answers by itself from now on, until it ends");
    }
}

uint32_t
clients_find_harm(struct mix *mix)
{
    uint32_t bell = os_bells_tend(mix->master.cycle.bells);
    look_at_the_page(mix);
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        struct engine_client *client = mix->engine->client[i];
        if (!client_list_plays(client, mix) || client->condemned) {
            continue;
        }
        if (bell != OS_NO_BELL && client->cycle->bell == bell) {
            condemn(mix, client, "keeps who wakes it waiting in its doorbell",
                    "the engine ends this link: it could not wake the program, whose doorbell "
                    "does not take what is written to it; start the program again");
            return client->id;
        }
        if (!os_shm_is_whole(&client->segment)) {
            condemn(mix, client, "takes pages out of its shared memory",
                    "the engine ends this link: pages were taken out of the program's shared "
                    "memory, which keeps the engine waiting; start the program again");
            return client->id;
        }
    }
    return 0;
}

static void
tend_program(struct mix *mix, struct engine_client *client, uint64_t now_ns)
{
    struct cycle_client *cycle = client->cycle;
    uint64_t late = atomic_load_explicit(&cycle->late_program, memory_order_relaxed) +
                    atomic_load_explicit(&cycle->late_machine, memory_order_relaxed);
    uint64_t lost = atomic_load_explicit(&cycle->losses, memory_order_relaxed);
    if (late > client->lates_reported || lost > client->losses_reported) {
        uint64_t losses = lost - client->losses_reported;
        events_report_overload(mix, client, late - client->lates_reported + losses, losses);
        client->lates_reported = late;
        client->losses_reported = lost;
    }
    monitor_tend(mix, client);
    hogs_tend(mix, client, now_ns);
}

void
clients_tend(struct mix *mix, uint64_t now_ns)
{
    bool turn = now_ns > mix->turned_ns + (uint64_t)TURN_MS * OS_NS_PER_MS;
    for (uint32_t i = 0; i < mix->engine->client_count; i++) {
        struct engine_client *client = mix->engine->client[i];
        if (!client_list_plays(client, mix)) {
            continue;
        }
        tend_program(mix, client, now_ns);
        if (turn) {
            statistics_turn(&client->cycle->lateness_us);
            statistics_turn(&client->cycle->computing_us);
        }
    }
    if (turn) {
        statistics_turn(&mix->master.cycle.cost_us);
        mix->turned_ns = now_ns;
    }
}
