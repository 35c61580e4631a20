/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the real libtutti under an engine that the input plays. It answers well, badly, late
 * or not at all, tells events, hands out calls that may be nonsense, scribbles over the segment and
 * vanishes, while a host calls any function in any order. Whatever it does: the client sends good
 * messages only, positions never go back, halves alternate, buffers stay where they are, every call
 * returns, and every handle is closed once.
 *
 * The system is replaced at linking, as in fuzz_server.c. The client's threads are strands of which
 * one runs at a time; each time one rests the next one's turn comes, and time passes.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/handoff.h"
#include "proto/message.h"
#include "system.h"
#include "tutti/tutti.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The linker's names. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

enum {
    STRANDS = 8, /* the first is the host's thread */
    REST_NS = 2 * OS_NS_PER_MS,
    MOST_RESTS = 200000,
    START_NS = 1000000000,
};

struct os_thread {
    void (*run)(void *arg);
    void *arg;
    sem_t turn;
    bool made, used, ended;
};

/* The engine's end is the input. */
struct os_link {
    bool shut;
    uint32_t asked, serial; /* type and serial of the last request */
    uint64_t generation;
};

static struct {
    const uint8_t *at, *end;
    struct os_thread strand[STRANDS];
    unsigned running, rests;
    uint8_t at_last; /* what becomes of connecting after the input's end */
    uint64_t now_ns;
    uint64_t generation;
    os_handle segment; /* shown by the last PREPARE */
    struct tutti_client *client;
    bool playing; /* of the host's callback */
    uint64_t position;
    unsigned half;
    const float *first;
    uint32_t seq; /* of the engine's calls */
} world;

static uint8_t
next(void)
{
    return world.at < world.end ? *world.at++ : 0;
}

/* ---- strands and time ---- */

/* Everybody else's turn, once. */
static void
rest(void)
{
    unsigned me = world.running, to = me;
    require(world.rests++ < MOST_RESTS); /* somebody waits for ever */
    world.now_ns += world.at < world.end ? REST_NS : 10 * (uint64_t)REST_NS;
    do {
        to = (to + 1) % STRANDS;
    } while (to != me && to != 0 && (!world.strand[to].used || world.strand[to].ended));
    if (to != me) {
        world.running = to;
        sem_post(&world.strand[to].turn);
        await(&world.strand[me].turn);
    }
}

static void *
strand_main(void *arg)
{
    struct os_thread *strand = arg;
    for (;;) {
        await(&strand->turn);
        strand->run(strand->arg);
        strand->ended = true;
        world.running = 0; /* the host's turn is as good as any */
        sem_post(&world.strand[0].turn);
    }
    return NULL;
}

enum tutti_status
__wrap_os_thread_start(struct os_thread **out, const char *name, enum os_priority priority,
                       void (*run)(void *arg), void *arg)
{
    (void)name;
    (void)priority;
    unsigned which = 1;
    while (which < STRANDS && world.strand[which].used) {
        which++;
    }
    require(which < STRANDS);
    struct os_thread *strand = &world.strand[which];
    strand->run = run;
    strand->arg = arg;
    strand->used = true;
    strand->ended = false;
    if (!strand->made) {
        pthread_t thread;
        strand->made = true;
        sem_init(&strand->turn, 0, 0);
        require(pthread_create(&thread, NULL, strand_main, strand) == 0);
    }
    *out = strand;
    return TUTTI_OK;
}

void
__wrap_os_thread_join(struct os_thread *thread)
{
    while (thread && !thread->ended) {
        rest();
    }
    if (thread) {
        thread->used = false;
    }
}

bool
__wrap_os_cond_wait_until(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns)
{
    (void)cond;
    os_mutex_unlock(mutex);
    rest();
    os_mutex_lock(mutex);
    return world.now_ns < deadline_ns;
}

uint64_t
__wrap_os_now_ns(void)
{
    return world.now_ns;
}

void
__wrap_os_sleep_until_ns(uint64_t deadline_ns)
{
    rest();
    if (world.now_ns < deadline_ns) {
        world.now_ns = deadline_ns;
    }
}

bool
__wrap_os_wake_wait(struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    (void)deadline_ns;
    if (atomic_load(wake->word) == seen) {
        rest();
    }
    return atomic_load(wake->word) != seen;
}

/* ---- what the engine says ---- */

static const uint32_t numbers[] = {64, 0, 1, 128, 1000, 65536, 1 << 24, 0xffffffff};

static uint32_t
some_number(void)
{
    return numbers[next() % (sizeof(numbers) / sizeof(*numbers))];
}

static void
fill_device(struct proto_device *device)
{
    strcpy(device->name, "fuzzed");
    device->state = next() % PROTO_STREAM_STATE_COUNT;
    device->inputs = device->outputs = next();
    device->period_frames = device->period_max_frames = 64;
    device->rate_hz = next() & 1 ? 48000 : 44100;
    device->rates_hz[0] = 48000;
}

static void
fill_status(struct proto_status_reply *reply)
{
    reply->program_count = next();
    reply->first_program = next() % (reply->program_count + 1);
    uint32_t left = reply->program_count - reply->first_program;
    reply->here = left < PROTO_STATUS_PROGRAMS ? left : PROTO_STATUS_PROGRAMS;
    for (uint32_t p = 0; p < reply->here; p++) {
        reply->program[p].program_id = p + 1;
        reply->program[p].bits = 64;
    }
    fill_device(&reply->device);
    fill_device(&reply->own_device);
}

/* A good message of this type; its handles. */
static void
compose(void *message, enum proto_type type, uint32_t serial, os_handle *handles)
{
    proto_header_init(message, type, serial);
    if (type == PROTO_WELCOME) {
        struct proto_welcome *welcome = message;
        welcome->engine_pid = 7;
        welcome->program_id = 1;
        welcome->generation = ++world.generation;
        fill_device(&welcome->device);
    } else if (type == PROTO_PREPARED) {
        struct proto_prepared *prepared = message;
        uint8_t how = next();
        prepared->input_latency_frames = some_number() % (1 << 24);
        prepared->output_latency_frames = some_number() % (1 << 24);
        prepared->patience_ms = how & 1 ? some_number() : 100;
        fill_device(&prepared->device);
        handles[0] = how & 2 ? OS_NO_HANDLE
                             : system_new_handle(how & 4 ? 8192 : sizeof(struct proto_rendezvous),
                                                 false, NULL, 0);
        handles[1] = how & 8 ? system_new_handle(0, how & 16, NULL, 0) : OS_NO_HANDLE;
        world.seq = 0;
    } else if (type == PROTO_STATUS_REPLY) {
        fill_status(message);
    } else if (type == PROTO_DEVICES_REPLY) {
        ((struct proto_devices_reply *)message)->count = next() % (PROTO_DEVICE_ENTRIES + 1);
    } else if (type == PROTO_ERROR) {
        ((struct proto_error *)message)->status = 1 + next() % (TUTTI_STATUS_COUNT - 1);
        strcpy(((struct proto_error *)message)->text, "no");
    } else if (type == PROTO_EVENT) {
        struct proto_event *event = message;
        event->header.serial = 0;
        event->kind = next() % PROTO_EVENT_KIND_COUNT;
        event->value = some_number();
        event->rate_hz = next() & 1 ? 48000 : 44100;
        event->input_latency_frames = event->output_latency_frames = next();
    }
}

/* What a good engine answers. */
static enum proto_type
answer_to(uint32_t asked)
{
    switch (asked) {
    case PROTO_HELLO:
        return PROTO_WELCOME;
    case PROTO_PREPARE:
        return PROTO_PREPARED;
    case PROTO_STATUS:
        return PROTO_STATUS_REPLY;
    case PROTO_DEVICES:
        return PROTO_DEVICES_REPLY;
    case PROTO_FORECAST:
        return PROTO_FORECAST_REPLY;
    default:
        return PROTO_OK;
    }
}

/* Hands out a call as an engine would, or nearly so; or writes any word. */
static void
call_or_scribble(void)
{
    size_t bytes = 0;
    struct proto_segment *segment = system_memory(world.segment, &bytes);
    uint8_t how = next();
    if (!segment) {
        return;
    }
    if (how & 1) {
        ((_Atomic uint32_t *)(void *)segment)[next() | (how >> 1 & 1) << 8] = some_number();
        return;
    }
    uint32_t first = atomic_load(&segment->start_seq);
    uint32_t seq = first + world.seq++ + (how & 2 ? next() % 5 : 0);
    struct proto_stamp *stamp = &segment->stamp[seq & 1];
    stamp->seq = seq;
    stamp->flags = how & 4 ? next() : 0;
    stamp->position_frames = how & 8 ? some_number() : (uint64_t)(seq - first) * 64;
    stamp->time_ns = how & 16 ? some_number() : world.now_ns;
    stamp->generation = world.generation;
    handoff_issue(segment, seq);
    atomic_fetch_add(&segment->doorbell, 1);
}

/* One step of the engine's: true when a message is there. */
static bool
speak(struct os_link *link, unsigned char *message, size_t *bytes, os_handle *handles)
{
    static const enum proto_type engines[] = {PROTO_OK,           PROTO_ERROR,        PROTO_EVENT,
                                              PROTO_WELCOME,      PROTO_PREPARED,     PROTO_HELLO,
                                              PROTO_STATUS_REPLY, PROTO_DEVICES_REPLY};
    uint8_t byte = next();
    unsigned more = byte >> 3;
    enum proto_type type = answer_to(link->asked);
    memset(message, 0, OS_LINK_MAX_MESSAGE_BYTES);
    switch (byte & 7) {
    case 0:
        return false;
    case 1:
        call_or_scribble();
        return false;
    case 2:
        link->shut = more == 7;
        return false;
    case 3: /* any bytes */
        *bytes = more + 1;
        for (size_t i = 0; i < *bytes; i++) {
            message[i] = next();
        }
        return true;
    case 4:
        type = PROTO_EVENT;
        break;
    case 5:
        type = engines[more & 7];
        break;
    default:
        break;
    }
    compose(message, type, link->serial + (more & 16 ? next() : 0), handles);
    *bytes = ((struct proto_header *)(void *)message)->size_bytes;
    for (unsigned i = 0; (byte & 7) == 7 && i <= (more & 3); i++) {
        size_t offset = (size_t)next() | (size_t)next() << 8;
        message[offset % *bytes] = next();
    }
    return true;
}

/* ---- the link ---- */

enum tutti_status
__wrap_os_link_connect(struct os_link **out, uint64_t deadline_ns)
{
    uint8_t how = world.at < world.end ? next() : world.at_last;
    rest();
    if ((how & 7) == 6) {
        return TUTTI_NO_ENGINE;
    }
    if ((how & 7) == 7) {
        __wrap_os_sleep_until_ns(deadline_ns);
        return TUTTI_TIMEOUT;
    }
    *out = calloc(1, sizeof(**out));
    require(*out != NULL);
    return TUTTI_OK;
}

enum tutti_status
__wrap_os_link_send(struct os_link *link, const void *message, size_t message_bytes,
                    const os_handle *handles, unsigned handle_count, uint64_t deadline_ns)
{
    const struct proto_header *header = message;
    const char *why = "";
    (void)deadline_ns;
    require(proto_check(message, message_bytes, true, &why) == TUTTI_OK);
    for (unsigned i = 0; i < handle_count; i++) {
        require(system_is_good(handles[i]));
    }
    if (header->type == PROTO_PREPARE) {
        world.segment = handles[0];
    }
    link->asked = header->type;
    link->serial = header->serial;
    return link->shut ? TUTTI_CLOSED : TUTTI_OK;
}

enum tutti_status
__wrap_os_link_recv(struct os_link *link, void *message, size_t message_room, size_t *message_bytes,
                    os_handle *handles, uint64_t deadline_ns)
{
    static _Alignas(8) unsigned char said[OS_LINK_MAX_MESSAGE_BYTES];
    os_handle given[OS_LINK_MAX_HANDLES];
    for (;;) {
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            given[i] = OS_NO_HANDLE;
        }
        if (link->shut) {
            return TUTTI_CLOSED;
        }
        if (speak(link, said, message_bytes, given)) {
            break;
        }
        if (world.now_ns >= deadline_ns) {
            return TUTTI_TIMEOUT;
        }
        rest();
    }
    if (*message_bytes > message_room) {
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            os_handle_close(given[i]);
        }
        link->shut = true;
        return TUTTI_PROTOCOL;
    }
    memcpy(message, said, *message_bytes);
    memcpy(handles, given, sizeof(given));
    return TUTTI_OK;
}

void
__wrap_os_link_shutdown(struct os_link *link)
{
    link->shut = true;
}

void
__wrap_os_link_close(struct os_link *link)
{
    free(link);
}

uint32_t
__wrap_os_link_peer_pid(const struct os_link *link)
{
    (void)link;
    return 7;
}

/* ---- the rest of the system ---- */

enum tutti_status
__wrap_os_link_runtime_dir(char *path, size_t path_bytes)
{
    (void)path;
    (void)path_bytes;
    return TUTTI_IO;
}

enum tutti_status
__wrap_os_process_spawn(const char *path, const char *const *argv)
{
    (void)path;
    (void)argv;
    return TUTTI_OK;
}

bool
__wrap_os_process_alive(uint32_t pid)
{
    (void)pid;
    return next() & 1;
}

bool
__wrap_os_process_kill(uint32_t pid, const char *image_name)
{
    (void)pid;
    (void)image_name;
    return true;
}

/* ---- the host ---- */

static void
process(void *user, const struct tutti_block *block)
{
    (void)user;
    if (world.playing) {
        require(block->position_frames >= world.position && block->half == world.half);
        require(tutti_input(world.client, 0, 0) == world.first);
    }
    world.playing = true;
    world.position = block->position_frames + block->frames;
    world.half = !block->half;
    world.first = tutti_input(world.client, 0, 0);
    memset(tutti_output(world.client, 0, block->half), 0, block->frames * sizeof(float));
}

static void
on_event(void *user, const struct tutti_event *event)
{
    (void)user;
    require(event->text != NULL && strlen(event->text) < TUTTI_TEXT_BYTES);
}

static void
ask(struct tutti_client *client, unsigned what)
{
    static struct tutti_path path[2] = {{1, 2, 1}, {0, 1, 0.5f}};
    struct tutti_monitor monitor = {path, what & 1 ? 2 : 0, NULL, NULL};
    struct tutti_engine_status engine;
    struct tutti_program_status *programs;
    struct tutti_device_entry *devices;
    struct tutti_block block;
    struct tutti_device device;
    const struct tutti_stream_params params = {.buffer_frames = 1 + what};
    uint32_t count, input, output;
    char text[TUTTI_TEXT_BYTES];
    switch (what % 6) {
    case 0:
        if (tutti_get_status(client, &engine, &programs) == TUTTI_OK) {
            tutti_free(programs);
        }
        break;
    case 1:
        if (tutti_get_devices(client, &devices, &count) == TUTTI_OK) {
            tutti_free(devices);
        }
        break;
    case 2:
        (void)tutti_set_rate(client, 44100);
        (void)tutti_can_rate(client, 44100, text);
        (void)tutti_forecast_latencies(client, &params, &input, &output);
        break;
    case 3:
        (void)tutti_set_monitor(client, what & 8 ? NULL : &monitor);
        break;
    case 4:
        (void)tutti_get_device(client, &device);
        (void)tutti_get_latencies(client, &input, &output);
        break;
    default:
        (void)tutti_get_position(client, &block);
        (void)tutti_take_peak(client, true, what);
        break;
    }
}

static void
live(struct tutti_client *client)
{
    struct tutti_stream_params params = {
        .buffer_frames = 64, .inputs = 1, .outputs = 1, .process = process};
    while (world.at < world.end) {
        uint8_t byte = next();
        switch (byte & 7) {
        case 0:
            params.buffer_frames = byte & 8 ? 64 : 1 + next();
            params.late_take = byte >> 4 & 1;
            if (tutti_prepare(client, &params) == TUTTI_OK && byte & 32) {
                world.playing = false;
                (void)tutti_start(client);
            }
            break;
        case 1:
            world.playing = false;
            (void)tutti_start(client);
            break;
        case 2:
            (void)tutti_stop(client);
            break;
        case 3:
            (void)tutti_dispose(client);
            break;
        case 4:
            tutti_block_ready(client);
            rest();
            break;
        case 5:
            ask(client, byte >> 3);
            break;
        default:
            for (unsigned i = 0; i <= byte >> 3; i++) {
                rest();
            }
            break;
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tutti_open_params open = {
        .program = "fuzzed", .engine_path = "/nowhere/tuttid", .event = on_event};
    if (!world.strand[0].made) {
        world.strand[0].made = world.strand[0].used = true;
        sem_init(&world.strand[0].turn, 0, 0);
    }
    world.at = data;
    world.end = data + size;
    world.running = world.rests = 0;
    world.now_ns = START_NS;
    world.generation = 0;
    world.segment = OS_NO_HANDLE;
    world.client = NULL;
    world.playing = false;
    system_reset();
    uint8_t how = next();
    open.do_not_start = how & 1;
    world.at_last = how >> 1 & 3 ? 6 : how >> 3 & 7;
    if (tutti_open(&world.client, &open) == TUTTI_OK) {
        live(world.client);
        tutti_close(world.client);
    }
    for (unsigned i = 1; i < STRANDS; i++) {
        require(!world.strand[i].used);
    }
    require(system_is_clean());
    return 0;
}
