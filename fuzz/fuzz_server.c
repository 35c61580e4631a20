/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: conversations with the real server and engine. Up to four programs connect, send
 * messages, good ones, nearly good ones and random bytes, with handles of every kind, scribble over
 * segments that were taken, and vanish; the virtual card runs meanwhile. Each request is answered
 * once, with a message that a program would take; each handle is closed once; nobody waits for
 * ever.
 *
 * The system is replaced at linking (meson.build wraps what is named __wrap_ here and in system.c):
 * links are this file's, time is the stepped card's, and threads are strands of which one runs at
 * a time, so that an input always does the same.
 *
 * Input: steps, each a byte (enum step in the low three bits, then the program, then three bits
 * more) and what that step takes.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/sim/sim.h"
#include "engine/server.h"
#include "system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The linker's names; each function has the contract of the one that it replaces. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
__typeof__(engine_new) __real_engine_new;
__typeof__(calloc) __real_calloc;
__typeof__(free) __real_free;

enum {
    PROGRAMS = 4,
    MOST_BYTES = 4 << 20,
    START_NS = 1000000000,
    OLDEST = 1,
    RINGS_BYTES = 8 << 20,
};

enum step { CONNECT, SAY, SAY_BADLY, SAY_BYTES, RUN, SCRIBBLE, HANG_UP, LET_TEND };

/* One end of a link, whose other end is the input. */
struct os_link {
    bool used, shut, waits;
    size_t bytes; /* of message; 0: none is there */
    _Alignas(8) unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    os_handle handle[OS_LINK_MAX_HANDLES];
    uint32_t asked;    /* serial of the request that was not answered yet; 0: none */
    os_handle segment; /* shown last */
};

struct os_thread {
    void (*run)(void *arg);
    void *arg;
    sem_t turn;
    bool made, ended;
};

static struct {
    const uint8_t *at, *end;
    struct engine *engine;
    struct os_link link[PROGRAMS];
    struct os_thread strand[PROGRAMS]; /* of the same number */
    unsigned links;
    int running; /* strand; -1: the one that accepts */
    sem_t director;
    uint32_t serial;
} world = {.running = -1};

static uint8_t
next(void)
{
    return world.at < world.end ? *world.at++ : 0;
}

static uint32_t
pick(const uint32_t *values, unsigned count)
{
    return values[next() % count];
}

/* ---- strands ---- */

static void *
strand_main(void *arg)
{
    struct os_thread *strand = arg;
    for (;;) {
        await(&strand->turn);
        strand->run(strand->arg);
        strand->ended = true;
        sem_post(&world.director);
    }
    return NULL;
}

/* Lets a program's thread run until it waits for a message, or ends. */
static void
resume(unsigned which)
{
    if (!world.strand[which].ended) {
        world.running = (int)which;
        sem_post(&world.strand[which].turn);
        await(&world.director);
        world.running = -1;
    }
}

enum tutti_status
__wrap_os_thread_start(struct os_thread **out, const char *name, enum os_priority priority,
                       void (*run)(void *arg), void *arg)
{
    (void)priority;
    *out = NULL;
    if (strcmp(name, "tutti-program") != 0) {
        return TUTTI_OK; /* what tends is done between steps, the replacement clock stands */
    }
    unsigned which = world.links - 1;
    struct os_thread *strand = &world.strand[which];
    strand->run = run;
    strand->arg = arg;
    strand->ended = false;
    if (!strand->made) {
        pthread_t thread;
        strand->made = true;
        sem_init(&strand->turn, 0, 0);
        require(pthread_create(&thread, NULL, strand_main, strand) == 0);
    }
    *out = strand;
    resume(which);
    return TUTTI_OK;
}

void
__wrap_os_thread_join(struct os_thread *thread)
{
    if (thread && !thread->ended) {
        resume((unsigned)(thread - world.strand));
        require(thread->ended);
    }
}

/* One strand runs and none holds a lock when it rests: who waits here waits for ever. */
bool
__wrap_os_cond_wait_until(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns)
{
    (void)cond;
    (void)mutex;
    (void)deadline_ns;
    abort();
}

/* ---- time ---- */

uint64_t
__wrap_os_now_ns(void)
{
    return sim_now_ns();
}

void
__wrap_os_sleep_until_ns(uint64_t deadline_ns)
{
    sim_advance_ns(deadline_ns);
}

bool
__wrap_os_wake_wait(struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    (void)wake;
    (void)seen;
    require(deadline_ns < sim_now_ns() + OS_NS_PER_S); /* no cycle waits longer for anybody */
    sim_advance_ns(deadline_ns);
    return false;
}

/* ---- links ---- */

enum tutti_status
__wrap_os_link_send(struct os_link *link, const void *message, size_t message_bytes,
                    const os_handle *handles, unsigned handle_count, uint64_t deadline_ns)
{
    const struct proto_header *header = message;
    const char *why = "";
    (void)deadline_ns;
    require(link->used && proto_check(message, message_bytes, false, &why) == TUTTI_OK);
    for (unsigned i = 0; i < handle_count; i++) {
        require(system_is_good(handles[i]));
    }
    if (header->type != PROTO_EVENT) {
        require(header->serial == link->asked || link->asked == 0);
        link->asked = 0;
    }
    return link->shut ? TUTTI_CLOSED : TUTTI_OK;
}

enum tutti_status
__wrap_os_link_recv(struct os_link *link, void *message, size_t message_room, size_t *message_bytes,
                    os_handle *handles, uint64_t deadline_ns)
{
    (void)deadline_ns;
    require(link->asked == 0); /* a request was dealt with: it was answered */
    if (!link->shut && !link->bytes) {
        link->waits = true;
        sem_post(&world.director);
        await(&world.strand[link - world.link].turn);
        link->waits = false;
    }
    if (link->shut || !link->bytes) {
        return TUTTI_CLOSED;
    }
    require(link->bytes <= message_room);
    memcpy(message, link->message, link->bytes);
    memcpy(handles, link->handle, sizeof(link->handle));
    *message_bytes = link->bytes;
    link->bytes = 0;
    link->asked = ((const struct proto_header *)message)->serial;
    if (*message_bytes < sizeof(struct proto_header)) {
        link->asked = 0;
    }
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
    require(link->used);
    link->used = false;
}

uint32_t
__wrap_os_link_peer_pid(const struct os_link *link)
{
    return (uint32_t)(link - world.link) + 1;
}

/* ---- what a program says ---- */

static const uint32_t frames[] = {64,   16,   32,   48,    128,   256,        1000, 1024,
                                  2048, 8192, 8193, 65536, 65537, 0xffffffff, 0,    1};
static const uint32_t counts[] = {2, 1, 0, 3, 8, 16, 64, 255, 256, 257, 0xffffffff};

static void
fill_channels(struct proto_channel *channel, uint32_t count)
{
    uint8_t kind = next(), first = next();
    for (uint32_t c = 0; c < count && c < PROTO_MAX_CHANNELS; c++) {
        channel[c].kind = c & 1 ? kind & 3 : kind >> 2 & 3;
        channel[c].channel = (uint16_t)((first + c) % (first & 128 ? 8 : 3));
        channel[c].program = kind >> 4 & 7;
    }
}

/* What goes along with PREPARE: mostly what the engine wants. */
static os_handle
new_segment(const struct proto_prepare *prepare)
{
    struct proto_layout layout;
    uint8_t how = next();
    if (proto_layout_init(&layout, prepare->buffer_frames, prepare->inputs, prepare->outputs) ||
        layout.size_bytes > MOST_BYTES) {
        return OS_NO_HANDLE;
    }
    struct proto_segment *segment = aligned_alloc(4096, PROTO_SEGMENT_HEADER_BYTES);
    require(segment != NULL);
    memset(segment, 0, PROTO_SEGMENT_HEADER_BYTES);
    proto_segment_init(segment, &layout);
    atomic_init(&segment->run, how >> 4 & 1);
    if (how & 4) {
        ((unsigned char *)segment)[next()] ^= (unsigned char)(1U << (how >> 5));
    }
    return system_new_handle(layout.size_bytes + (how & 1 ? 65536 : 0), how & 2,
                             (unsigned char *)segment, PROTO_SEGMENT_HEADER_BYTES);
}

static void
fill_monitor(struct proto_monitor *monitor)
{
    uint8_t seed = next();
    monitor->count = seed & 0x80 ? PROTO_MAX_PATHS : seed & 31;
    for (uint32_t p = 0; p < monitor->count; p++) {
        monitor->path[p].input = (uint16_t)((seed + p) % 4);
        monitor->path[p].output = (uint16_t)((seed + p / 8) % 4);
        monitor->path[p].gain = (float)((seed + p) % 17);
    }
    for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
        monitor->input_gain[c] = (float)(c % 3);
        monitor->output_gain[c] = (float)(seed % 5);
    }
}

/* A good message of a type that the input chooses. */
static void
compose(struct os_link *link)
{
    static const double rates[] = {48000, 44100, 96000, 8000, 10000000, 1, 48000.5, 192000};
    struct proto_header *header = (struct proto_header *)link->message;
    enum proto_type type = (enum proto_type)(1 + next() % (PROTO_TYPE_COUNT - 1));
    memset(link->message, 0, sizeof(link->message));
    proto_header_init(header, type, ++world.serial);
    link->bytes = header->size_bytes;
    if (type == PROTO_HELLO) {
        struct proto_hello *hello = (struct proto_hello *)link->message;
        hello->oldest_version = OLDEST;
        hello->bits = next() & 1 ? 32 : 64;
        hello->program[0] = 'p';
        hello->profile[0] = next() & 1 ? 'A' : '\0';
    } else if (type == PROTO_PREPARE) {
        struct proto_prepare *prepare = (struct proto_prepare *)link->message;
        prepare->buffer_frames = pick(frames, sizeof(frames) / sizeof(*frames));
        prepare->inputs = pick(counts, sizeof(counts) / sizeof(*counts));
        prepare->outputs = pick(counts, sizeof(counts) / sizeof(*counts));
        prepare->flags = next() & 7;
        prepare->wanted_input_latency_frames = next() * 8U;
        fill_channels(prepare->input, prepare->inputs);
        fill_channels(prepare->output, prepare->outputs);
        link->segment = link->handle[0] = new_segment(prepare);
    } else if (type == PROTO_SET_RATE || type == PROTO_CAN_RATE) {
        ((struct proto_set_rate *)link->message)->rate_hz = rates[next() & 7];
    } else if (type == PROTO_FORECAST) {
        struct proto_forecast *forecast = (struct proto_forecast *)link->message;
        forecast->buffer_frames = 1U + next() * 8U;
        forecast->flags = next() & 7;
    } else if (type == PROTO_STATUS) {
        ((struct proto_status *)link->message)->first_program = next();
    } else if (type == PROTO_MONITOR) {
        fill_monitor((struct proto_monitor *)link->message);
    }
}

static void
say(struct os_link *link, enum step step, unsigned more)
{
    if (!link->used || link->shut || !link->waits) {
        return;
    }
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        link->handle[i] = OS_NO_HANDLE;
    }
    if (step == SAY_BYTES) {
        link->bytes = next();
        for (size_t i = 0; i < link->bytes; i++) {
            link->message[i] = next();
        }
        link->bytes = link->bytes ? link->bytes : 1;
    } else {
        compose(link);
    }
    for (unsigned i = 0; step == SAY_BADLY && i <= (more & 3); i++) {
        size_t offset = (size_t)next() | (size_t)next() << 8;
        link->message[offset % link->bytes] = next();
    }
    if (step != SAY && more & 4) {
        unsigned absent = next() % OS_LINK_MAX_HANDLES;
        os_handle_close(link->handle[absent]);
        link->handle[absent] = OS_NO_HANDLE;
        unsigned which = next() % OS_LINK_MAX_HANDLES;
        if (link->handle[which] == OS_NO_HANDLE) {
            link->handle[which] = system_new_handle(next() * 1024U, which & 1, NULL, 0);
        }
    }
    resume((unsigned)(link - world.link));
}

static void
scribble(struct os_link *link)
{
    static const uint32_t values[] = {0,  1,  2,          3,          0x7fffffff, 0x80000000,
                                      63, 64, 0xffffffff, 0xfffffffe, 0x7f800000, 0x7fc00000};
    size_t word = (size_t)next() | (size_t)next() << 8;
    uint32_t value = pick(values, sizeof(values) / sizeof(*values)) + (next() & 7);
    size_t bytes;
    uint32_t *words = system_memory(link->segment, &bytes);
    if (words) {
        /* mostly the header; beyond it samples */
        words[word & 0x8000 ? word % (bytes / 4) : word % 512] = value;
    }
}

static void
run_card(unsigned cycles)
{
    for (unsigned i = 0; i <= cycles; i++) {
        struct backend_stream *stream = sim_current();
        if (!stream || !sim_step(stream)) {
            return;
        }
    }
}

/* The engine knows nobody who has gone. */
static void
check_programs(void)
{
    static struct proto_status_reply reply;
    unsigned there = 0;
    for (unsigned i = 0; i < world.links; i++) {
        there += world.link[i].waits;
    }
    engine_get_status(world.engine, 0, &reply);
    require(reply.program_count <= there);
}

/* ---- the listener: here the input is carried out ---- */

enum tutti_status
__wrap_os_listener_open(struct os_listener **out)
{
    *out = NULL;
    return TUTTI_OK;
}

enum tutti_status
__wrap_os_listener_accept(struct os_listener *listener, struct os_link **out, uint64_t deadline_ns)
{
    (void)listener;
    (void)deadline_ns;
    while (world.at < world.end) {
        uint8_t byte = next();
        enum step step = (enum step)(byte & 7);
        struct os_link *link = &world.link[byte >> 3 & 3];
        unsigned more = byte >> 5;
        if (step == CONNECT && world.links < PROGRAMS) {
            *out = &world.link[world.links++];
            (*out)->used = true;
            return TUTTI_OK;
        }
        if (step == SAY || step == SAY_BADLY || step == SAY_BYTES) {
            say(link, step, more);
        } else if (step == RUN) {
            run_card(more);
        } else if (step == SCRIBBLE) {
            scribble(link);
        } else if (step == HANG_UP && link->used && link->waits) {
            link->shut = true;
            resume((unsigned)(link - world.link));
        } else if (step == LET_TEND) {
            engine_tend(world.engine);
        }
        if (step == HANG_UP) {
            return TUTTI_TIMEOUT; /* the dead are buried */
        }
    }
    check_programs();
    server_stop();
    return TUTTI_TIMEOUT;
}

void
__wrap_os_listener_wake(struct os_listener *listener)
{
    (void)listener;
}

void
__wrap_os_listener_close(struct os_listener *listener)
{
    (void)listener;
}

/* ---- the rest of the system ---- */

/* The engine's rings for its inputs are as large as all else together, and hardly touched: given
 * back to the system and asked for again with each input, they would be most of the time. */
static struct {
    void *memory;
    size_t bytes;
    bool used;
} rings;

void *
__wrap_calloc(size_t count, size_t size)
{
    size_t bytes = count * size;
    if (bytes < RINGS_BYTES || rings.used || (rings.memory && rings.bytes != bytes)) {
        return __real_calloc(count, size);
    }
    if (!rings.memory) {
        rings.memory =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(rings.memory != MAP_FAILED);
        rings.bytes = bytes;
    }
    rings.used = true;
    return rings.memory;
}

void
__wrap_free(void *memory)
{
    if (memory && memory == rings.memory) {
        require(rings.used && madvise(memory, rings.bytes, MADV_DONTNEED) == 0);
        rings.used = false;
    } else {
        __real_free(memory);
    }
}

enum tutti_status
__wrap_engine_new(struct engine **out, const struct engine_params *params,
                  char error[PROTO_TEXT_BYTES])
{
    enum tutti_status status = __real_engine_new(out, params, error);
    world.engine = *out;
    return status;
}

bool
__wrap_os_process_is_ours(uint32_t pid)
{
    return pid & 1;
}

os_handle
__wrap_os_thread_time_open(uint32_t pid, uint32_t tid)
{
    (void)pid;
    (void)tid;
    return OS_NO_HANDLE; /* nothing to close */
}

uint64_t
__wrap_os_thread_time_ns(os_handle time)
{
    (void)time;
    return sim_now_ns();
}

uint64_t
__wrap_os_process_realtime_cpu_ns(uint32_t pid)
{
    return pid & 2 ? sim_now_ns() : 0;
}

void
__wrap_os_process_demote(uint32_t pid)
{
    (void)pid;
}

bool
__wrap_os_process_has_thread(uint32_t pid, uint32_t tid)
{
    return (pid ^ tid) & 1;
}

bool
__wrap_os_thread_demote(uint32_t pid, uint32_t tid, struct os_thread_level *former)
{
    *former = (struct os_thread_level){0, 0};
    return (pid ^ tid) & 1;
}

bool
__wrap_os_thread_restore(uint32_t pid, uint32_t tid, const struct os_thread_level *former)
{
    (void)former;
    return (pid ^ tid) & 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    config_init(&config);
    strcpy(config.device_backend, "sim");
    strcpy(config.engine_placement, "free");
    /* small: the card's own loops over samples would be most of the time */
    config.sim_inputs = config.sim_outputs = 3;
    config.sim_period_max = 128;
    config.sim_live_period = size && data[size - 1] & 1;
    for (unsigned i = 0; i < PROGRAMS; i++) {
        world.link[i] = (struct os_link){.segment = OS_NO_HANDLE};
    }
    if (!world.strand[0].made) {
        sem_init(&world.director, 0, 0);
    }
    world.at = data;
    world.end = data + size;
    world.links = 0;
    system_reset();
    world.serial = 0;
    sim_plug();
    sim_set_stepped(true, START_NS);
    require(server_run(&config, NULL) == TUTTI_OK);
    sim_set_stepped(false, 0);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        require(!world.link[i].used);
    }
    require(system_is_clean());
    return 0;
}
