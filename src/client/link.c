/* SPDX-License-Identifier: MIT */
/* What goes over the control link of one client: events and answers come in here, requests go out.
 */
#include "client/client.h"

#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

enum { SEND_MS = 2000 };

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
        atomic_store(&client->callback.rate_millihz, client_to_millihz(event->rate_hz));
        break;
    case PROTO_EVENT_DEVICE_LOST:
        client->device.state = PROTO_STREAM_LOST;
        break;
    case PROTO_EVENT_DEVICE_BACK:
        client->device.state = PROTO_STREAM_RUNNING;
        break;
    case PROTO_EVENT_TIMEOUT:
        client_set_timeout(client, event->value < UINT32_MAX ? (uint32_t)event->value : UINT32_MAX);
        os_mutex_unlock(&client->lock);
        return; /* the host has no use for it */
    case PROTO_EVENT_GAP:
    case PROTO_EVENT_OVERLOAD:
    case PROTO_EVENT_KIND_COUNT:
        break;
    }
    os_mutex_unlock(&client->lock);
    const struct tutti_event copy = {
        .kind = kinds[event->kind],
        .value = event->value,
        .rate_hz = event->rate_hz,
        .text = event->text,
        .losses = event->losses,
    };
    events_put_all(&client->events, &copy);
}

/* Taken over here and not where the request was made: an event with newer numbers may be the next
 * message. lock held. */
static void
note_prepared(struct tutti_client *client, const struct proto_prepared *prepared)
{
    client->device = prepared->device;
    client_set_timeout(client, prepared->patience_ms);
    client->input_latency_frames = prepared->input_latency_frames;
    client->output_latency_frames = prepared->output_latency_frames;
    if (prepared->device.rate_hz > 0) {
        client->rate_hz = prepared->device.rate_hz;
    }
    atomic_store(&client->callback.rate_millihz, client_to_millihz(client->rate_hz));
}

/* Of two answers the first counts: the second one's handles have nobody to close them. lock held.
 */
static bool
is_awaited(const struct link_request *request, const struct proto_header *header)
{
    return request && !request->done && request->serial == header->serial;
}

static enum proto_type
expected_type(const struct link_question *question)
{
    return question->expected ? question->expected : PROTO_OK;
}

/* lock held; message is checked. */
static void
answer_request(struct tutti_client *client, struct link_request *request,
               const struct proto_header *header, os_handle *handles)
{
    if (header->type == expected_type(request->question)) {
        if (header->type == PROTO_PREPARED) {
            note_prepared(client, (const struct proto_prepared *)header);
        }
        if (request->question->answer) {
            memcpy(request->question->answer, header, header->size_bytes);
        }
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            request->handles[i] = handles[i];
            handles[i] = OS_NO_HANDLE;
        }
        request->status = TUTTI_OK;
    } else if (header->type == PROTO_ERROR) {
        const struct proto_error *error = (const struct proto_error *)header;
        request->status = error->status ? (enum tutti_status)error->status : TUTTI_PROTOCOL;
        utf8_copy(request->text, sizeof(request->text), error->text);
    } else {
        request->status = TUTTI_PROTOCOL;
    }
    request->done = true;
}

enum tutti_status
link_receive(struct tutti_client *client, uint64_t deadline_ns)
{
    const struct proto_header *header = (const struct proto_header *)client->received;
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;
    const char *why;

    enum tutti_status status = os_link_recv(client->link, client->received,
                                            sizeof(client->received), &bytes, handles, deadline_ns);
    if (status) {
        return status;
    }
    status = proto_check(client->received, bytes, false, &why);
    if (status) {
        log_error("the engine sent something malformed: %s",
                  status == TUTTI_PROTOCOL ? why : tutti_status_text(status));
        client_close_handles(handles);
        return TUTTI_PROTOCOL;
    }
    if (header->type == PROTO_EVENT) {
        handle_event(client, (const struct proto_event *)header);
    } else {
        os_mutex_lock(&client->lock);
        if (is_awaited(client->request, header)) {
            answer_request(client, client->request, header, handles);
        } else if (is_awaited(client->own, header)) {
            answer_request(client, client->own, header, handles);
        }
        os_cond_signal_all(&client->changed);
        os_mutex_unlock(&client->lock);
    }
    client_close_handles(handles);
    return TUTTI_OK;
}

/* ---- requests ---- */

static uint64_t
timeout_ms(const struct link_question *question)
{
    return question->timeout_ms ? question->timeout_ms : CLIENT_ANSWER_MS;
}

/* lock held. */
static void
request_init(struct link_request *request, struct tutti_client *client,
             struct link_question *question)
{
    memset(request, 0, sizeof(*request));
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        request->handles[i] = OS_NO_HANDLE;
    }
    if (++client->serial == 0) { /* an event's */
        client->serial = 1;
    }
    question->message->serial = client->serial;
    question->epoch = client->epoch;
    request->serial = client->serial;
    request->question = question;
    request->status = TUTTI_ENGINE_LOST;
}

static enum tutti_status
send_question(struct os_link *link, const struct link_question *question)
{
    return os_link_send(link, question->message, question->message->size_bytes, question->handles,
                        question->handle_count, client_in_ms(SEND_MS));
}

/* The handles that came with the answer go to the one who asked, or are closed. */
static void
hand_over_handles(const struct link_request *request)
{
    if (request->question->answer_handles) {
        memcpy(request->question->answer_handles, request->handles, sizeof(request->handles));
    } else {
        client_close_handles(request->handles);
    }
}

enum tutti_status
link_ask(struct tutti_client *client, struct link_question *question, char text[PROTO_TEXT_BYTES])
{
    struct link_request request;
    uint64_t deadline = client_in_ms(timeout_ms(question));
    enum tutti_status status;

    os_mutex_lock(&client->asking);
    os_mutex_lock(&client->lock);
    struct os_link *link = client->link;
    request_init(&request, client, question);
    if (!link) {
        os_mutex_unlock(&client->lock);
        os_mutex_unlock(&client->asking);
        utf8_copy(text, PROTO_TEXT_BYTES, tutti_status_text(TUTTI_ENGINE_LOST));
        return TUTTI_ENGINE_LOST;
    }
    client->request = &request;
    client->link_users++;
    os_mutex_unlock(&client->lock);
    status = send_question(link, question);
    os_mutex_lock(&client->lock);
    client->link_users--;
    os_cond_signal_all(&client->changed);
    if (status == TUTTI_OK) {
        bool in_time = true;
        while (!request.done && in_time) {
            in_time = os_cond_wait_until(&client->changed, &client->lock, deadline);
        }
        status = request.done ? request.status : TUTTI_TIMEOUT;
    } else if (status == TUTTI_CLOSED) {
        status = TUTTI_ENGINE_LOST;
    }
    client->request = NULL;
    os_mutex_unlock(&client->lock);
    os_mutex_unlock(&client->asking);
    hand_over_handles(&request);
    if (status) {
        utf8_copy(text, PROTO_TEXT_BYTES,
                  request.text[0] ? request.text : tutti_status_text(status));
    }
    return status;
}

bool
link_is_abandoned(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    bool abandoned = client->quit || !client->prepared;
    os_mutex_unlock(&client->lock);
    return abandoned;
}

enum tutti_status
link_ask_own(struct tutti_client *client, struct link_question *question)
{
    struct link_request request;
    uint64_t deadline = client_in_ms(timeout_ms(question));
    enum tutti_status status;

    os_mutex_lock(&client->lock);
    request_init(&request, client, question);
    client->own = &request;
    os_mutex_unlock(&client->lock);
    status = send_question(client->link, question);
    while (status == TUTTI_OK && !request.done) {
        status = link_receive(client, client_in_ms(CLIENT_TICK_MS));
        if (status == TUTTI_TIMEOUT && os_now_ns() < deadline && !link_is_abandoned(client)) {
            status = TUTTI_OK;
        }
    }
    os_mutex_lock(&client->lock);
    client->own = NULL;
    os_mutex_unlock(&client->lock);
    hand_over_handles(&request);
    if (request.done) {
        if (request.status) {
            log_warning("the engine answered: %s", request.text);
        }
        return request.status;
    }
    if (link_is_abandoned(client)) {
        return TUTTI_INVALID_STATE;
    }
    return TUTTI_CLOSED;
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
