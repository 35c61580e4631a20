/* SPDX-License-Identifier: MIT */
/*
 * The control link of one client and its thread: answers and events come in here; when the link is
 * lost this thread connects again, shows the new engine the same segment, and offers the callback
 * thread the new attachment.
 */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

enum {
    SEND_MS = 2000,
    PREPARE_MS = 15000, /* a device may take its time to open */
    TICK_MS = 50,       /* how late a hung engine may be noticed after the callback thread saw it */
    IDLE_TICK_MS = 500,
    BACKOFF_FIRST_MS = 20,
    BACKOFF_LAST_MS = 2000,
    PREPARE_AGAIN_MS = 500,
    PATIENCE_LEAST_MS = 10,
};

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

static uint32_t
to_millihz(double rate_hz)
{
    return rate_hz > 0 && rate_hz < 4e6 ? (uint32_t)(rate_hz * 1000 + 0.5) : 0;
}

static void
close_handles(const os_handle *handles)
{
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++)
        os_handle_close(handles[i]);
}

/* ---- attachments ---- */

/* handles: those of a PREPARED message; owned from here on. */
static enum tutti_status
attachment_new(struct attachment **out, const struct proto_prepared *prepared, uint64_t generation,
               os_handle *handles)
{
    struct attachment *attachment = calloc(1, sizeof *attachment);
    uint64_t patience_ms = prepared->patience_ms;

    if (!attachment) {
        close_handles(handles);
        return TUTTI_NO_MEMORY;
    }
    enum tutti_status status =
        os_shm_adopt(&attachment->page, handles[0], sizeof(struct proto_rendezvous));
    handles[0] = OS_NO_HANDLE;
    if (status == TUTTI_OK) {
        attachment->rendezvous = attachment->page.base;
        status = os_wake_adopt(&attachment->engine, &attachment->rendezvous->wake, handles[1]);
        handles[1] = OS_NO_HANDLE;
        if (status)
            os_shm_close(&attachment->page);
    }
    close_handles(handles);
    if (status) {
        free(attachment);
        return status;
    }
    if (patience_ms < PATIENCE_LEAST_MS)
        patience_ms = PATIENCE_LEAST_MS;
    attachment->patience_ns = patience_ms * OS_NS_PER_MS;
    attachment->generation = generation;
    *out = attachment;
    return TUTTI_OK;
}

static void
attachment_free(struct attachment *attachment)
{
    os_wake_fini(&attachment->engine);
    os_shm_close(&attachment->page);
    free(attachment);
}

/* lock held. */
static void
bury(struct tutti_client *client, struct attachment *attachment)
{
    if (attachment == client->attachment)
        client->attachment = NULL;
    attachment->next = client->graveyard;
    client->graveyard = attachment;
}

/* Collects what the callback thread let go of; true when one of it was retired because its engine
 * hangs. lock held. */
static bool
collect(struct tutti_client *client)
{
    struct attachment *attachment, *next;
    bool hung = false;

    for (attachment = callback_take_retired(&client->callback); attachment; attachment = next) {
        next = attachment->next;
        if (attachment->hung && !attachment->dead) {
            client->hung_generation = attachment->generation;
            hung = true;
        }
        bury(client, attachment);
    }
    if (client->attachment && client->attachment->dead) {
        attachment = callback_withdraw(&client->callback);
        if (attachment)
            bury(client, attachment);
    }
    if (callback_quiet(&client->callback)) {
        for (attachment = client->graveyard; attachment; attachment = next) {
            next = attachment->next;
            attachment_free(attachment);
        }
        client->graveyard = NULL;
    }
    return hung;
}

/* lock held. */
static void
attach(struct tutti_client *client, struct attachment *attachment, uint32_t epoch)
{
    client->attachment = attachment;
    client->attached_epoch = epoch;
    if (!client->link || client->epoch != epoch)
        atomic_store(&attachment->dead, true); /* lost in between */
    callback_offer(&client->callback, attachment);
}

/* ---- what comes in ---- */

static void
handle_event(struct tutti_client *client, const struct proto_event *event)
{
    static const enum tutti_event_kind kinds[PROTO_EVENT_KIND_COUNT] = {
        [PROTO_EVENT_LATENCIES] = TUTTI_EVENT_LATENCIES,
        [PROTO_EVENT_RATE] = TUTTI_EVENT_RATE,
        [PROTO_EVENT_GAP] = TUTTI_EVENT_GAP,
        [PROTO_EVENT_OVERLOAD] = TUTTI_EVENT_OVERLOAD,
        [PROTO_EVENT_DEVICE_LOST] = TUTTI_EVENT_DEVICE_LOST,
        [PROTO_EVENT_DEVICE_BACK] = TUTTI_EVENT_DEVICE_BACK,
    };

    os_mutex_lock(&client->lock);
    switch ((enum proto_event_kind)event->kind) {
    case PROTO_EVENT_LATENCIES:
        client->input_latency_frames = event->input_latency_frames;
        client->output_latency_frames = event->output_latency_frames;
        break;
    case PROTO_EVENT_RATE:
        client->device.rate_hz = event->rate_hz;
        client->rate_hz = event->rate_hz;
        atomic_store(&client->callback.rate_millihz, to_millihz(event->rate_hz));
        break;
    case PROTO_EVENT_DEVICE_LOST:
        client->device.state = PROTO_STREAM_LOST;
        break;
    case PROTO_EVENT_DEVICE_BACK:
        client->device.state = PROTO_STREAM_RUNNING;
        break;
    case PROTO_EVENT_GAP:
    case PROTO_EVENT_OVERLOAD:
    case PROTO_EVENT_KIND_COUNT:
        break;
    }
    os_mutex_unlock(&client->lock);
    events_put(&client->events, kinds[event->kind], event->value, event->rate_hz, event->text);
}

/* Taken over here and not where the request was made: an event with newer numbers may be the next
 * message. lock held. */
static void
note_prepared(struct tutti_client *client, const struct proto_prepared *prepared)
{
    client->device = prepared->device;
    client->input_latency_frames = prepared->input_latency_frames;
    client->output_latency_frames = prepared->output_latency_frames;
    if (prepared->device.rate_hz > 0)
        client->rate_hz = prepared->device.rate_hz;
    atomic_store(&client->callback.rate_millihz, to_millihz(client->rate_hz));
}

/* lock held; message is checked. */
static void
answer_request(struct tutti_client *client, struct link_request *request,
               const struct proto_header *header, os_handle *handles)
{
    if (header->type == request->expected) {
        if (header->type == PROTO_PREPARED)
            note_prepared(client, (const struct proto_prepared *)header);
        if (request->answer)
            memcpy(request->answer, header, header->size_bytes);
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            request->handles[i] = handles[i];
            handles[i] = OS_NO_HANDLE;
        }
        request->status = TUTTI_OK;
    } else if (header->type == PROTO_ERROR) {
        const struct proto_error *error = (const struct proto_error *)header;
        request->status = error->status ? (enum tutti_status)error->status : TUTTI_PROTOCOL;
        utf8_copy(request->text, sizeof request->text, error->text);
    } else {
        request->status = TUTTI_PROTOCOL;
    }
    request->done = true;
}

/* Receives one message, if one comes in time, and gives it to whom it belongs. Link thread. Errors:
 * TIMEOUT, or the link is to be given up. */
static enum tutti_status
receive(struct tutti_client *client, uint64_t deadline_ns)
{
    const struct proto_header *header = (const struct proto_header *)client->received;
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;
    const char *why;

    enum tutti_status status = os_link_recv(client->link, client->received, sizeof client->received,
                                            &bytes, handles, deadline_ns);
    if (status)
        return status;
    status = proto_check(client->received, bytes, false, &why);
    if (status) {
        log_error("the engine sent something malformed: %s",
                  status == TUTTI_PROTOCOL ? why : tutti_status_text(status));
        close_handles(handles);
        return TUTTI_PROTOCOL;
    }
    if (header->type == PROTO_EVENT) {
        handle_event(client, (const struct proto_event *)header);
    } else {
        os_mutex_lock(&client->lock);
        if (client->request && client->request->serial == header->serial)
            answer_request(client, client->request, header, handles);
        else if (client->own && client->own->serial == header->serial)
            answer_request(client, client->own, header, handles);
        os_cond_signal_all(&client->changed);
        os_mutex_unlock(&client->lock);
    }
    close_handles(handles);
    return TUTTI_OK;
}

/* ---- requests ---- */

static void
request_init(struct link_request *request, struct tutti_client *client, enum proto_type expected,
             void *answer, struct proto_header *header)
{
    memset(request, 0, sizeof *request);
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++)
        request->handles[i] = OS_NO_HANDLE;
    if (++client->serial == 0) /* an event's */
        client->serial = 1;
    header->serial = client->serial;
    request->serial = client->serial;
    request->expected = expected;
    request->answer = answer;
    request->status = TUTTI_ENGINE_LOST;
}

/* As link_ask(); *epoch: of the link that was asked. */
static enum tutti_status
ask(struct tutti_client *client, void *message, size_t message_bytes, const os_handle *handles,
    unsigned handle_count, enum proto_type expected, void *answer, os_handle *answer_handles,
    uint64_t timeout_ms, char text[PROTO_TEXT_BYTES], uint32_t *epoch)
{
    struct link_request request;
    uint64_t deadline = in_ms(timeout_ms);
    enum tutti_status status;

    os_mutex_lock(&client->asking);
    os_mutex_lock(&client->lock);
    struct os_link *link = client->link;
    *epoch = client->epoch;
    request_init(&request, client, expected, answer, message);
    if (!link) {
        os_mutex_unlock(&client->lock);
        os_mutex_unlock(&client->asking);
        utf8_copy(text, PROTO_TEXT_BYTES, tutti_status_text(TUTTI_ENGINE_LOST));
        return TUTTI_ENGINE_LOST;
    }
    client->request = &request;
    client->link_users++;
    os_mutex_unlock(&client->lock);
    status = os_link_send(link, message, message_bytes, handles, handle_count, in_ms(SEND_MS));
    os_mutex_lock(&client->lock);
    client->link_users--;
    os_cond_signal_all(&client->changed);
    if (status == TUTTI_OK) {
        bool in_time = true;
        while (!request.done && in_time)
            in_time = os_cond_wait_until(&client->changed, &client->lock, deadline);
        status = request.done ? request.status : TUTTI_TIMEOUT;
    } else if (status == TUTTI_CLOSED) {
        status = TUTTI_ENGINE_LOST;
    }
    client->request = NULL;
    os_mutex_unlock(&client->lock);
    os_mutex_unlock(&client->asking);
    if (answer_handles)
        memcpy(answer_handles, request.handles, sizeof request.handles);
    else
        close_handles(request.handles);
    if (status)
        utf8_copy(text, PROTO_TEXT_BYTES,
                  request.text[0] ? request.text : tutti_status_text(status));
    return status;
}

enum tutti_status
link_ask(struct tutti_client *client, void *message, size_t message_bytes, const os_handle *handles,
         unsigned handle_count, enum proto_type expected, void *answer, os_handle *answer_handles,
         uint64_t timeout_ms, char text[PROTO_TEXT_BYTES])
{
    uint32_t epoch;

    return ask(client, message, message_bytes, handles, handle_count, expected, answer,
               answer_handles, timeout_ms, text, &epoch);
}

/* True when the link thread should drop what it does for the prepared segment. */
static bool
is_abandoned(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    bool abandoned = client->quit || !client->prepared;
    os_mutex_unlock(&client->lock);
    return abandoned;
}

/* The link thread's own request: it receives what comes until its answer does. CLOSED: the link is
 * to be given up. */
static enum tutti_status
ask_on_link_thread(struct tutti_client *client, void *message, size_t message_bytes,
                   const os_handle *handles, unsigned handle_count, enum proto_type expected,
                   void *answer, os_handle *answer_handles)
{
    struct link_request request;
    uint64_t deadline = in_ms(PREPARE_MS);
    enum tutti_status status;

    os_mutex_lock(&client->lock);
    request_init(&request, client, expected, answer, message);
    client->own = &request;
    os_mutex_unlock(&client->lock);
    status =
        os_link_send(client->link, message, message_bytes, handles, handle_count, in_ms(SEND_MS));
    while (status == TUTTI_OK && !request.done) {
        status = receive(client, in_ms(TICK_MS));
        if (status == TUTTI_TIMEOUT && os_now_ns() < deadline && !is_abandoned(client))
            status = TUTTI_OK;
    }
    os_mutex_lock(&client->lock);
    client->own = NULL;
    os_mutex_unlock(&client->lock);
    if (answer_handles)
        memcpy(answer_handles, request.handles, sizeof request.handles);
    else
        close_handles(request.handles);
    if (request.done) {
        if (request.status)
            log_warning("the engine answered: %s", request.text);
        return request.status;
    }
    if (is_abandoned(client))
        return TUTTI_INVALID_STATE;
    return TUTTI_CLOSED;
}

/* ---- losing and finding engines ---- */

/* Link thread. */
static void
lose_link(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    struct os_link *link = client->link;
    os_link_shutdown(link);
    client->link = NULL;
    if (client->request && !client->request->done)
        client->request->done = true; /* its status is ENGINE_LOST */
    if (client->attachment) {
        atomic_store(&client->attachment->dead, true);
        callback_wake(&client->callback);
    }
    os_cond_signal_all(&client->changed);
    while (client->link_users)
        os_cond_wait_until(&client->changed, &client->lock, UINT64_MAX);
    bool quit = client->quit;
    client->told_lost = true;
    client->retry_ns = 0;
    client->backoff_ms = BACKOFF_FIRST_MS;
    os_mutex_unlock(&client->lock);
    os_link_close(link);
    if (!quit) {
        log_warning("the engine is lost");
        events_put(&client->events, TUTTI_EVENT_ENGINE_LOST, 0, 0,
                   tutti_status_text(TUTTI_ENGINE_LOST));
    }
}

static bool
is_quitting(void *arg)
{
    struct tutti_client *client = arg;

    os_mutex_lock(&client->lock);
    bool quit = client->quit;
    os_mutex_unlock(&client->lock);
    return quit;
}

/* Connects once. Link thread, or before it exists. */
static enum tutti_status
try_connect(struct tutti_client *client)
{
    struct os_link *link;
    struct proto_welcome welcome;
    char text[PROTO_TEXT_BYTES] = "";
    struct connect_how how = {
        .program = client->program,
        .engine_path = client->engine_path,
        .do_not_start = client->do_not_start,
        .cancelled = is_quitting,
        .user = client,
    };

    os_mutex_lock(&client->lock);
    how.hung_generation = client->hung_generation;
    os_mutex_unlock(&client->lock);
    enum tutti_status status = connect_engine(&how, &link, &welcome, text);
    bool back = false;
    os_mutex_lock(&client->lock);
    client->attempts++;
    client->attempt_status = status;
    client->wanted = false;
    utf8_copy(client->attempt_text, sizeof client->attempt_text, text);
    if (status == TUTTI_OK) {
        client->link = link;
        client->epoch++;
        client->generation = welcome.generation;
        client->device = welcome.device;
        client->hung_generation = 0;
        client->retry_ns = 0;
        back = client->told_lost && !client->prepared;
        if (back)
            client->told_lost = false;
    } else {
        client->retry_ns = in_ms(client->backoff_ms);
        client->backoff_ms =
            client->backoff_ms * 2 < BACKOFF_LAST_MS ? client->backoff_ms * 2 : BACKOFF_LAST_MS;
    }
    os_cond_signal_all(&client->changed);
    os_mutex_unlock(&client->lock);
    if (back)
        events_put(&client->events, TUTTI_EVENT_ENGINE_BACK, 0, 0, "the engine is back");
    return status;
}

/* Shows the prepared segment to the engine met last. Link thread; `reattaching` is set. False: the
 * link is to be given up. */
static bool
reattach(struct tutti_client *client)
{
    struct proto_prepared prepared;
    struct attachment *attachment = NULL;
    os_handle handles[OS_LINK_MAX_HANDLES];
    const os_handle mine[2] = {client->callback.memory.handle, client->callback.doorbell.event};
    enum tutti_status status = TUTTI_OK;

    os_mutex_lock(&client->lock);
    uint32_t epoch = client->epoch;
    uint64_t generation = client->generation;
    uint32_t input = client->input_latency_frames, output = client->output_latency_frames;
    double rate_hz = client->rate_hz;
    client->prepare.wanted_input_latency_frames = input;
    client->prepare.wanted_output_latency_frames = output;
    os_mutex_unlock(&client->lock);

    if (rate_hz > 0) {
        /* Refused when others run at another rate already: then this program is told of that one.
         */
        struct proto_set_rate set;
        memset(&set, 0, sizeof set);
        proto_header_init(&set.header, PROTO_SET_RATE, 0);
        set.rate_hz = rate_hz;
        status = ask_on_link_thread(client, &set, sizeof set, NULL, 0, PROTO_OK, NULL, NULL);
        if (status == TUTTI_CLOSED)
            return false;
    }
    if (is_abandoned(client))
        return true;
    status = ask_on_link_thread(client, &client->prepare, sizeof client->prepare, mine, 2,
                                PROTO_PREPARED, &prepared, handles);
    if (status == TUTTI_OK)
        status = attachment_new(&attachment, &prepared, generation, handles);
    else
        close_handles(handles);
    if (status) {
        client->retry_ns = in_ms(PREPARE_AGAIN_MS);
        return status != TUTTI_CLOSED;
    }
    os_mutex_lock(&client->lock);
    attach(client, attachment, epoch);
    client->told_lost = false;
    os_mutex_unlock(&client->lock);
    log_info("attached to another engine");
    events_put(&client->events, TUTTI_EVENT_ENGINE_BACK, 0, prepared.device.rate_hz,
               "the engine is back");
    if (prepared.input_latency_frames != input || prepared.output_latency_frames != output)
        events_put(&client->events, TUTTI_EVENT_LATENCIES, 0, 0, "the latencies changed");
    if (rate_hz > 0 && prepared.device.rate_hz > 0 &&
        to_millihz(rate_hz) != to_millihz(prepared.device.rate_hz))
        events_put(&client->events, TUTTI_EVENT_RATE, 0, prepared.device.rate_hz,
                   "the device runs at another sample rate");
    return true;
}

/* Waits till there is something to do without a link. lock held; false: quit. */
static bool
wait_to_connect(struct tutti_client *client)
{
    while (!client->quit && !client->wanted) {
        if (client->prepared) {
            collect(client);
            if (os_now_ns() >= client->retry_ns)
                break;
            os_cond_wait_until(&client->changed, &client->lock, client->retry_ns);
        } else {
            os_cond_wait_until(&client->changed, &client->lock, UINT64_MAX);
        }
    }
    return !client->quit;
}

static void
log_unready(struct tutti_client *client)
{
    if (client->unready_logged || atomic_load(&client->callback.unready_blocks) == 0)
        return;
    client->unready_logged = true;
    log_warning("the program said once that a block was ready and then no more; its blocks are "
                "taken two buffers after the callback");
}

/* One round with a link; false: it is to be given up. */
static bool
serve_link(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    bool hung = collect(client) && client->attached_epoch == client->epoch;
    bool prepared = client->prepared;
    /* The former attachment must have been let go of first: see retire_current(). */
    bool due = prepared && client->attached_epoch != client->epoch && !client->attachment &&
               os_now_ns() >= client->retry_ns;
    client->reattaching = due;
    bool waiting = prepared && client->attached_epoch != client->epoch;
    os_mutex_unlock(&client->lock);
    if (hung) {
        log_warning("the engine stopped calling");
        return false;
    }
    log_unready(client);
    if (due) {
        bool alive = reattach(client);
        os_mutex_lock(&client->lock);
        client->reattaching = false;
        os_cond_signal_all(&client->changed);
        os_mutex_unlock(&client->lock);
        return alive;
    }
    enum tutti_status status = receive(client, in_ms(waiting    ? 2
                                                     : prepared ? TICK_MS
                                                                : IDLE_TICK_MS));
    return status == TUTTI_OK || status == TUTTI_TIMEOUT;
}

static void
link_main(void *arg)
{
    struct tutti_client *client = arg;

    os_mutex_lock(&client->lock);
    while (!client->quit) {
        if (!client->link) {
            if (!wait_to_connect(client))
                break;
            os_mutex_unlock(&client->lock);
            try_connect(client);
        } else {
            os_mutex_unlock(&client->lock);
            if (!serve_link(client))
                lose_link(client);
        }
        os_mutex_lock(&client->lock);
    }
    os_mutex_unlock(&client->lock);
}

enum tutti_status
link_open(struct tutti_client *client)
{
    client->backoff_ms = BACKOFF_FIRST_MS;
    enum tutti_status status = try_connect(client);
    if (status)
        return status;
    status =
        os_thread_start(&client->link_thread, "tutti-link", OS_PRIORITY_NORMAL, link_main, client);
    if (status) {
        os_link_close(client->link);
        client->link = NULL;
    }
    return status;
}

void
link_close(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    client->quit = true;
    if (client->link)
        os_link_shutdown(client->link);
    os_cond_signal_all(&client->changed);
    os_mutex_unlock(&client->lock);
    os_thread_join(client->link_thread);
    client->link_thread = NULL;
    if (client->link)
        os_link_close(client->link);
    client->link = NULL;
}

enum tutti_status
link_require(struct tutti_client *client, char text[PROTO_TEXT_BYTES])
{
    enum tutti_status status = TUTTI_OK;

    os_mutex_lock(&client->lock);
    uint32_t attempts = client->attempts;
    while (!client->link && !client->quit && attempts == client->attempts) {
        client->wanted = true;
        os_cond_signal_all(&client->changed);
        os_cond_wait_until(&client->changed, &client->lock, UINT64_MAX);
    }
    if (!client->link) {
        status = client->quit ? TUTTI_CLOSED : client->attempt_status;
        utf8_copy(text, PROTO_TEXT_BYTES, client->attempt_text);
    }
    os_mutex_unlock(&client->lock);
    return status;
}

static void
send_dispose(struct tutti_client *client)
{
    struct proto_empty message;
    char ignored[PROTO_TEXT_BYTES];

    memset(&message, 0, sizeof message);
    proto_header_init(&message.header, PROTO_DISPOSE, 0);
    link_ask(client, &message, sizeof message, NULL, 0, PROTO_OK, NULL, NULL, SEND_MS, ignored);
}

enum tutti_status
link_prepare(struct tutti_client *client, char text[PROTO_TEXT_BYTES])
{
    const os_handle mine[2] = {client->callback.memory.handle, client->callback.doorbell.event};
    struct proto_prepared prepared;
    struct attachment *attachment;
    os_handle handles[OS_LINK_MAX_HANDLES];
    uint32_t epoch = 0;
    uint64_t generation = 0;
    enum tutti_status status = TUTTI_ENGINE_LOST;

    client->prepare.wanted_input_latency_frames = 0;
    client->prepare.wanted_output_latency_frames = 0;
    /* twice: the engine may just have been leaving */
    for (unsigned i = 0; i < 2 && status == TUTTI_ENGINE_LOST; i++) {
        status = link_require(client, text);
        if (status)
            return TUTTI_ENGINE_LOST;
        status = ask(client, &client->prepare, sizeof client->prepare, mine, 2, PROTO_PREPARED,
                     &prepared, handles, PREPARE_MS, text, &epoch);
    }
    if (status == TUTTI_OK) {
        os_mutex_lock(&client->lock);
        generation = client->generation;
        os_mutex_unlock(&client->lock);
        status = attachment_new(&attachment, &prepared, generation, handles);
        if (status) {
            send_dispose(client);
            utf8_copy(text, PROTO_TEXT_BYTES, tutti_status_text(status));
        }
    } else if (status == TUTTI_TIMEOUT) {
        /* Nobody knows what it will do with the segment: this engine is none. */
        os_mutex_lock(&client->lock);
        if (client->link && client->epoch == epoch)
            os_link_shutdown(client->link);
        os_mutex_unlock(&client->lock);
        status = TUTTI_ENGINE_LOST;
    }
    if (status)
        return status;
    os_mutex_lock(&client->lock);
    client->prepared = true;
    client->unready_logged = false;
    attach(client, attachment, epoch);
    os_cond_signal_all(&client->changed);
    os_mutex_unlock(&client->lock);
    return TUTTI_OK;
}

void
link_dispose(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    client->prepared = false;
    while (client->reattaching)
        os_cond_wait_until(&client->changed, &client->lock, UINT64_MAX);
    os_mutex_unlock(&client->lock);

    send_dispose(client);

    os_mutex_lock(&client->lock);
    struct attachment *attachment = callback_withdraw(&client->callback);
    if (attachment)
        bury(client, attachment);
    client->attachment = NULL;
    client->attached_epoch = 0;
    for (collect(client); client->graveyard; collect(client)) {
        os_mutex_unlock(&client->lock);
        os_sleep_until_ns(in_ms(1));
        os_mutex_lock(&client->lock);
    }
    os_mutex_unlock(&client->lock);
}
