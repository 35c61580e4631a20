/* SPDX-License-Identifier: MIT */
/* The answering thread and the calls of a fake engine. Failures of its own plumbing abort: they are
 * no result. */
#include "fake_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { PATIENCE_OF_TESTS_MS = 20000 };

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

static void
must(enum tutti_status status, const char *what)
{
    if (status == TUTTI_OK) {
        return;
    }
    fprintf(stderr, "fake engine: %s: %s\n", what, tutti_status_name(status));
    abort();
}

static void
fill_device(const struct fake_engine *fake, struct proto_device *device)
{
    memset(device, 0, sizeof(*device));
    utf8_copy(device->name, sizeof(device->name), "fake card");
    utf8_copy(device->backend, sizeof(device->backend), "fake");
    utf8_copy(device->format, sizeof(device->format), "float32");
    device->state = PROTO_STREAM_RUNNING;
    device->inputs = 2;
    device->outputs = 2;
    device->period_frames = 64;
    device->period_min_frames = 16;
    device->period_max_frames = 4096;
    device->period_step_frames = 1;
    device->rate_hz = fake->rate_hz;
    device->rates_hz[0] = 44100;
    device->rates_hz[1] = 48000;
}

/* The program may be gone already: that is seen by receiving. */
static void
answer(struct os_link *link, void *message, enum proto_type type, uint32_t serial,
       const os_handle *handles, unsigned handle_count)
{
    proto_header_init(message, type, serial);
    os_link_send(link, message, proto_size(type), handles, handle_count,
                 in_ms(PATIENCE_OF_TESTS_MS));
}

static void
answer_error(struct os_link *link, uint32_t serial, enum tutti_status status, const char *text)
{
    struct proto_error error;

    memset(&error, 0, sizeof(error));
    error.status = (uint32_t)status;
    utf8_copy(error.text, sizeof(error.text), text);
    answer(link, &error, PROTO_ERROR, serial, NULL, 0);
}

/* lock held. */
static void
forget_segment(struct fake_engine *fake)
{
    if (!fake->prepared) {
        return;
    }
    os_wake_fini(&fake->doorbell);
    os_shm_close(&fake->memory);
    fake->prepared = false;
}

/* lock held. */
static void
on_prepare(struct fake_engine *fake, struct os_link *link, const struct proto_prepare *message,
           os_handle *handles)
{
    struct proto_prepared prepared;
    const os_handle mine[2] = {fake->page.handle, fake->wake.event};

    if (fake->prepared && fake->strict) {
        fake->prepares++;
        answer_error(link, message->header.serial, TUTTI_INVALID_STATE, "prepared already");
        return;
    }
    forget_segment(fake);
    fake->prepare = *message;
    fake->prepares++;
    fake->monitors_at_prepare = fake->monitors;
    if (fake->prepare_status) {
        answer_error(link, message->header.serial, fake->prepare_status, "the fake says no");
        return;
    }
    must(
        proto_layout_init(&fake->layout, message->buffer_frames, message->inputs, message->outputs),
        "layout");
    must(os_shm_adopt(&fake->memory, handles[0], fake->layout.size_bytes), "segment");
    must(proto_segment_check(fake->memory.base, fake->memory.size_bytes, &fake->layout),
         "segment's head");
    struct proto_segment *segment = fake->memory.base;
    must(os_wake_adopt(&fake->doorbell, &segment->doorbell, handles[1]), "doorbell");
    handles[0] = handles[1] = OS_NO_HANDLE;
    fake->prepared = true;
    fake->run = 0;
    fake->run_at_prepare = atomic_load(&segment->run);
    memset(&prepared, 0, sizeof(prepared));
    prepared.input_latency_frames = fake->input_latency;
    prepared.output_latency_frames = fake->output_latency;
    prepared.patience_ms = fake->patience_ms;
    fill_device(fake, &prepared.device);
    bool whole = !fake->missing_pages;
    if (!whole) {
        fake->missing_pages--;
    }
    answer(link, &prepared, PROTO_PREPARED, message->header.serial, mine, whole ? 2 : 0);
}

static void
on_status(struct fake_engine *fake, struct os_link *link, const struct proto_status *message)
{
    static struct proto_status_reply reply;

    memset(&reply, 0, sizeof(reply));
    reply.engine_pid = os_process_id();
    reply.generation = fake->generation;
    reply.program_count = fake->program_count;
    reply.first_program = message->first_program;
    reply.cycles = 7;
    reply.opening_ms = fake->opening_ms;
    if (fake->cycles_go_on) {
        reply.cycles = ++fake->cycles;
    }
    fill_device(fake, &reply.device);
    fill_device(fake, &reply.own_device);
    for (uint32_t i = message->first_program;
         i < fake->program_count && reply.here < PROTO_STATUS_PROGRAMS; i++) {
        struct proto_program_status *program = &reply.program[reply.here++];
        snprintf(program->name, sizeof(program->name), "program %u", (unsigned)i);
        program->program_id = i + 1;
        program->bits = 64;
        program->state = PROTO_PROGRAM_RUNNING;
        reply.monitor_paths[reply.here - 1] = i;
        reply.clipped_samples[reply.here - 1] = 1000 + i;
    }
    answer(link, &reply, PROTO_STATUS_REPLY, message->header.serial, NULL, 0);
}

static void
on_devices(struct os_link *link, uint32_t serial)
{
    static struct proto_devices_reply reply;

    memset(&reply, 0, sizeof(reply));
    reply.count = 2;
    utf8_copy(reply.device[0].name, sizeof(reply.device[0].name), "fake card");
    utf8_copy(reply.device[0].backend, sizeof(reply.device[0].backend), "fake");
    reply.device[0].is_default = 1;
    utf8_copy(reply.device[1].name, sizeof(reply.device[1].name), "other card");
    utf8_copy(reply.device[1].backend, sizeof(reply.device[1].backend), "fake");
    answer(link, &reply, PROTO_DEVICES_REPLY, serial, NULL, 0);
}

/* lock held; message is checked. */
static void
answer_forecast(struct fake_engine *fake, struct os_link *link,
                const struct proto_forecast *message)
{
    struct proto_forecast_reply reply;
    memset(&reply, 0, sizeof(reply));
    reply.input_latency_frames = fake->input_latency + message->buffer_frames;
    reply.output_latency_frames = fake->output_latency + message->flags;
    answer(link, &reply, PROTO_FORECAST_REPLY, message->header.serial, NULL, 0);
}

static void
handle(struct fake_engine *fake, struct os_link *link, const struct proto_header *header,
       os_handle *handles)
{
    struct proto_welcome welcome;
    struct proto_empty ok;

    switch ((int)header->type) {
    case PROTO_HELLO:
        fake->hellos++;
        memset(&welcome, 0, sizeof(welcome));
        welcome.engine_pid = os_process_id();
        welcome.program_id = 1;
        welcome.generation = fake->generation;
        utf8_copy(welcome.engine_version, sizeof(welcome.engine_version), "fake");
        fill_device(fake, &welcome.device);
        answer(link, &welcome, PROTO_WELCOME, header->serial, NULL, 0);
        return;
    case PROTO_PREPARE:
        on_prepare(fake, link, (const struct proto_prepare *)header, handles);
        return;
    case PROTO_STATUS:
        on_status(fake, link, (const struct proto_status *)header);
        return;
    case PROTO_DEVICES:
        on_devices(link, header->serial);
        return;
    case PROTO_DISPOSE:
        forget_segment(fake);
        fake->disposes++;
        break;
    case PROTO_MONITOR:
        fake->monitors++;
        fake->monitor = *(const struct proto_monitor *)header;
        break;
    case PROTO_SET_RATE:
        fake->asked_rate_hz = ((const struct proto_set_rate *)header)->rate_hz;
        if (fake->asked_rate_hz != 44100 && fake->asked_rate_hz != 48000) {
            answer_error(link, header->serial, TUTTI_UNSUPPORTED_RATE, "the fake has two rates");
            return;
        }
        fake->rate_hz = fake->asked_rate_hz;
        break;
    case PROTO_FORECAST:
        answer_forecast(fake, link, (const struct proto_forecast *)header);
        return;
    case PROTO_CAN_RATE:
        if (((const struct proto_set_rate *)header)->rate_hz != fake->rate_hz) {
            answer_error(link, header->serial, TUTTI_RATE_IN_USE, "the fake plays for others");
            return;
        }
        break;
    default:
        break;
    }
    answer(link, &ok, PROTO_OK, header->serial, NULL, 0);
}

static void
converse(struct fake_engine *fake, struct os_link *link)
{
    _Alignas(8) static unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    os_handle handles[OS_LINK_MAX_HANDLES];
    const char *why = "";
    size_t bytes;

    while (os_link_recv(link, message, sizeof(message), &bytes, handles, UINT64_MAX) == TUTTI_OK) {
        enum tutti_status status = proto_check(message, bytes, true, &why);
        if (status) {
            fprintf(stderr, "fake engine: %s\n", why);
        }
        must(status, "a message of the client");
        os_mutex_lock(&fake->lock);
        handle(fake, link, (const struct proto_header *)message, handles);
        os_cond_signal_all(&fake->changed);
        os_mutex_unlock(&fake->lock);
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            os_handle_close(handles[i]);
        }
    }
}

static void
fake_main(void *arg)
{
    struct fake_engine *fake = arg;

    while (!atomic_load(&fake->quit)) {
        struct os_link *link;
        if (os_listener_accept(fake->listener, &link, UINT64_MAX)) {
            continue;
        }
        os_mutex_lock(&fake->lock);
        fake->link = link;
        bool quit = atomic_load(&fake->quit);
        os_mutex_unlock(&fake->lock);
        if (!quit) {
            converse(fake, link);
        }
        os_mutex_lock(&fake->lock);
        fake->link = NULL;
        forget_segment(fake);
        fake->hangups++;
        os_cond_signal_all(&fake->changed);
        os_mutex_unlock(&fake->lock);
        os_link_close(link);
    }
}

void
fake_engine_init(struct fake_engine *fake, uint64_t generation)
{
    memset(fake, 0, sizeof(*fake));
    fake->generation = generation;
    fake->input_latency = 100;
    fake->output_latency = 200;
    fake->patience_ms = 60000;
    fake->rate_hz = 48000;
    fake->program_count = 1;
}

void
fake_engine_start(struct fake_engine *fake)
{
    os_mutex_init(&fake->lock);
    os_cond_init(&fake->changed);
    must(os_shm_create(&fake->page, sizeof(struct proto_rendezvous)), "page");
    struct proto_rendezvous *rendezvous = fake->page.base;
    must(os_wake_init(&fake->wake, &rendezvous->wake), "wake");
    must(os_lock_take(&fake->engine_lock, "engine", in_ms(PATIENCE_OF_TESTS_MS)), "lock");
    must(os_listener_open(&fake->listener), "listener");
    must(os_thread_start(&fake->thread, "fake", OS_PRIORITY_NORMAL, fake_main, fake), "thread");
}

void
fake_engine_kill(struct fake_engine *fake)
{
    os_mutex_lock(&fake->lock);
    atomic_store(&fake->quit, true);
    if (fake->link) {
        os_link_shutdown(fake->link);
    }
    os_mutex_unlock(&fake->lock);
    os_listener_wake(fake->listener);
    os_thread_join(fake->thread);
    os_listener_close(fake->listener);
    os_lock_release(fake->engine_lock);
    os_wake_fini(&fake->wake);
    os_shm_close(&fake->page);
    os_cond_fini(&fake->changed);
    os_mutex_fini(&fake->lock);
}

/* ---- waiting for the program ---- */

static bool
await_count(struct fake_engine *fake, const unsigned *counter, unsigned count)
{
    uint64_t deadline = in_ms(PATIENCE_OF_TESTS_MS);

    os_mutex_lock(&fake->lock);
    while (*counter < count && os_cond_wait_until(&fake->changed, &fake->lock, deadline)) {
    }
    bool reached = *counter >= count;
    os_mutex_unlock(&fake->lock);
    return reached;
}

bool
fake_engine_await_prepares(struct fake_engine *fake, unsigned count)
{
    return await_count(fake, &fake->prepares, count);
}

bool
fake_engine_await_disposes(struct fake_engine *fake, unsigned count)
{
    return await_count(fake, &fake->disposes, count);
}

bool
fake_engine_await_hangups(struct fake_engine *fake, unsigned count)
{
    return await_count(fake, &fake->hangups, count);
}

/* The program's segment, once it is there. */
static struct proto_segment *
segment_of(struct fake_engine *fake)
{
    os_mutex_lock(&fake->lock);
    struct proto_segment *segment = fake->prepared ? fake->memory.base : NULL;
    os_mutex_unlock(&fake->lock);
    return segment;
}

bool
fake_engine_await_run(struct fake_engine *fake)
{
    uint64_t deadline = in_ms(PATIENCE_OF_TESTS_MS);

    /* like an engine, which looks once a cycle */
    while (os_now_ns() < deadline) {
        struct proto_segment *segment = segment_of(fake);
        uint32_t run = segment ? atomic_load(&segment->run) : 0;
        if (run & 1 && run != fake->run) {
            fake->run = run;
            fake->next_seq = atomic_load(&segment->start_seq);
            fake->position = 0;
            return true;
        }
        os_sleep_until_ns(in_ms(1));
    }
    return false;
}

bool
fake_engine_sees_stopped(struct fake_engine *fake)
{
    struct proto_segment *segment = segment_of(fake);

    return segment && atomic_load(&segment->run) == 0;
}

/* ---- calling ---- */

void
fake_engine_fill(struct fake_engine *fake, uint32_t channel, float value)
{
    float *to = proto_input(&fake->layout, segment_of(fake), channel, fake->next_seq & 1);

    for (uint32_t i = 0; i < fake->layout.buffer_frames; i++) {
        to[i] = value;
    }
}

uint32_t
fake_engine_issue(struct fake_engine *fake, uint32_t flags)
{
    struct proto_segment *segment = segment_of(fake);
    struct proto_rendezvous *rendezvous = fake->page.base;
    uint32_t seq = fake->next_seq++;
    struct proto_stamp *stamp = &segment->stamp[seq & 1];

    memset(stamp, 0, sizeof(*stamp));
    stamp->seq = seq;
    stamp->flags = flags;
    stamp->position_frames = fake->position;
    stamp->time_ns = os_now_ns();
    stamp->device_frames = 1000 + fake->position;
    stamp->generation = fake->generation;
    fake->position += fake->layout.buffer_frames;
    handoff_count_begin(rendezvous);
    handoff_arm(segment, PROTO_ARMED_COUNT);
    handoff_issue(segment, seq);
    handoff_count_end(rendezvous, 1);
    os_wake_post(&fake->doorbell);
    return seq;
}

bool
fake_engine_is_done(struct fake_engine *fake, uint32_t seq)
{
    return handoff_is_done(segment_of(fake), seq);
}

bool
fake_engine_await_done(struct fake_engine *fake, uint32_t seq)
{
    uint64_t deadline = in_ms(PATIENCE_OF_TESTS_MS);
    struct proto_segment *segment = segment_of(fake);

    for (;;) {
        uint32_t seen = atomic_load(fake->wake.word);
        if (handoff_is_done(segment, seq)) {
            return true;
        }
        if (os_now_ns() >= deadline) {
            return false;
        }
        os_wake_wait(&fake->wake, seen, deadline);
    }
}

bool
fake_engine_call(struct fake_engine *fake)
{
    return fake_engine_await_done(fake, fake_engine_issue(fake, 0));
}

float
fake_engine_output(struct fake_engine *fake, uint32_t seq, uint32_t channel)
{
    return proto_output(&fake->layout, segment_of(fake), channel, seq & 1)[0];
}

/* ---- telling ---- */

static void
send_to_program(struct fake_engine *fake, const void *message, size_t bytes)
{
    os_mutex_lock(&fake->lock);
    must(fake->link ? TUTTI_OK : TUTTI_CLOSED, "nobody to tell");
    must(os_link_send(fake->link, message, bytes, NULL, 0, in_ms(PATIENCE_OF_TESTS_MS)), "telling");
    os_mutex_unlock(&fake->lock);
}

void
fake_engine_tell(struct fake_engine *fake, enum proto_event_kind kind, uint64_t value,
                 uint32_t input_latency, uint32_t output_latency)
{
    struct proto_event event;

    memset(&event, 0, sizeof(event));
    proto_header_init(&event.header, PROTO_EVENT, 0);
    event.kind = kind;
    event.value = value;
    event.rate_hz = fake->rate_hz;
    event.input_latency_frames = input_latency;
    event.output_latency_frames = output_latency;
    utf8_copy(event.text, sizeof(event.text), "told by the fake");
    send_to_program(fake, &event, sizeof(event));
}

void
fake_engine_babble(struct fake_engine *fake)
{
    struct proto_empty message;

    memset(&message, 0xa5, sizeof(message));
    send_to_program(fake, &message, sizeof(message));
}
