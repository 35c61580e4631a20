/* SPDX-License-Identifier: MIT */
/*
 * What joins the prepared segment to engines, one after the other: showing it to one, making the
 * attachment of its answer, offering that to the callback thread, and freeing it when that has
 * released it.
 */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

enum {
    PREPARE_AGAIN_MS = 500,
};

/* handles: those of a PREPARED message; owned from here on. */
static enum tutti_status
attachment_new(struct attachment **out, uint64_t generation, os_handle *handles)
{
    struct attachment *attachment = calloc(1, sizeof(*attachment));

    if (!attachment) {
        client_close_handles(handles);
        return TUTTI_NO_MEMORY;
    }
    enum tutti_status status =
        os_shm_adopt(&attachment->page, handles[0], sizeof(struct proto_rendezvous));
    handles[0] = OS_NO_HANDLE;
    if (status == TUTTI_OK) {
        attachment->rendezvous = attachment->page.base;
        status = os_wake_adopt(&attachment->engine, &attachment->rendezvous->wake, handles[1]);
        handles[1] = OS_NO_HANDLE;
        if (status) {
            os_shm_close(&attachment->page);
        }
    }
    client_close_handles(handles);
    if (status) {
        free(attachment);
        return status;
    }
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
    if (attachment == client->attachment) {
        client->attachment = NULL;
    }
    attachment->next = client->graveyard;
    client->graveyard = attachment;
}

/* Collects what the callback thread released; true when one of it was retired because its engine
 * hangs. lock held. */
bool
attach_collect(struct tutti_client *client)
{
    struct attachment *attachment, *next;
    bool hung = false;

    for (attachment = callback_take_retired(&client->callback); attachment; attachment = next) {
        next = attachment->next;
        if (attachment->hung && !attachment->dead) {
            client->hung_generation = attachment->generation;
            client->hung_ms = atomic_load(&attachment->patience_ns) / OS_NS_PER_MS;
            client->hung_pid = client->engine_pid;
            hung = true;
        }
        bury(client, attachment);
    }
    if (client->attachment && client->attachment->dead) {
        attachment = callback_withdraw(&client->callback);
        if (attachment) {
            bury(client, attachment);
        }
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
offer(struct tutti_client *client, struct attachment *attachment, uint32_t epoch)
{
    client->attachment = attachment;
    client->attached_epoch = epoch;
    /* As PREPARED said, or an event since. */
    atomic_store(&attachment->patience_ns, (uint64_t)client->timeout_ms * OS_NS_PER_MS);
    if (!client->link || client->epoch != epoch) {
        atomic_store(&attachment->dead, true); /* lost in between */
    }
    callback_offer(&client->callback, attachment);
}

/* ---- showing the segment ---- */

static void
send_dispose(struct tutti_client *client)
{
    struct proto_empty message;
    struct link_question question = {.message = &message.header};
    char ignored[PROTO_TEXT_BYTES];

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_DISPOSE, 0);
    link_ask(client, &question, ignored);
}

/* The same on the link thread. Errors: as link_ask_own(). */
static enum tutti_status
dispose_own(struct tutti_client *client)
{
    struct proto_empty message;
    struct link_question question = {.message = &message.header};

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_DISPOSE, 0);
    return link_ask_own(client, &question);
}

/* An engine that started since tutti_set_rate() does not know of it. Refused: then it runs at its
 * own. */
static void
ask_for_rate(struct tutti_client *client)
{
    struct proto_set_rate message;
    struct link_question question = {.message = &message.header};
    char ignored[PROTO_TEXT_BYTES];

    memset(&message, 0, sizeof(message));
    proto_header_init(&message.header, PROTO_SET_RATE, 0);
    os_mutex_lock(&client->lock);
    message.rate_hz = client->rate_hz;
    bool differs = client->rate_hz > 0 && client->device.rate_hz != client->rate_hz;
    os_mutex_unlock(&client->lock);
    if (differs) {
        link_ask(client, &question, ignored);
    }
}

/* PREPARE as it stands in client->prepare, with the segment and the doorbell. */
static struct link_question
question_prepare(struct tutti_client *client, os_handle mine[2], struct proto_prepared *prepared,
                 os_handle handles[OS_LINK_MAX_HANDLES])
{
    mine[0] = client->callback.memory.handle;
    mine[1] = client->callback.doorbell.event;
    return (struct link_question){
        .message = &client->prepare.header,
        .handles = mine,
        .handle_count = 2,
        .expected = PROTO_PREPARED,
        .answer = prepared,
        .answer_handles = handles,
        .timeout_ms = CLIENT_OPEN_MS,
    };
}

enum tutti_status
attach_prepare(struct tutti_client *client, char text[PROTO_TEXT_BYTES])
{
    os_handle mine[2], handles[OS_LINK_MAX_HANDLES];
    struct proto_prepared prepared;
    struct link_question question = question_prepare(client, mine, &prepared, handles);
    struct attachment *attachment;
    uint32_t monitor = 0;
    uint64_t generation = 0;
    enum tutti_status status = TUTTI_ENGINE_LOST;

    client->prepare.wanted_input_latency_frames = 0;
    client->prepare.wanted_output_latency_frames = 0;
    /* twice: the engine may just have been leaving */
    for (unsigned i = 0; i < 2 && status == TUTTI_ENGINE_LOST; i++) {
        status = link_require(client, text);
        if (status) {
            return TUTTI_ENGINE_LOST;
        }
        ask_for_rate(client);
        monitor_ask(client, &monitor);
        status = link_ask(client, &question, text);
    }
    if (status == TUTTI_OK) {
        os_mutex_lock(&client->lock);
        generation = client->generation;
        os_mutex_unlock(&client->lock);
        status = attachment_new(&attachment, generation, handles);
        if (status) {
            send_dispose(client);
            utf8_copy(text, PROTO_TEXT_BYTES, tutti_status_text(status));
        }
    } else if (status == TUTTI_TIMEOUT) {
        /* Nobody knows what it will do with the segment: this engine is none. */
        os_mutex_lock(&client->lock);
        if (client->link && client->epoch == question.epoch) {
            os_link_shutdown(client->link);
        }
        os_mutex_unlock(&client->lock);
        status = TUTTI_ENGINE_LOST;
    }
    if (status) {
        return status;
    }
    os_mutex_lock(&client->lock);
    client->prepared = true;
    offer(client, attachment, question.epoch);
    os_cond_signal_all(&client->changed);
    os_mutex_unlock(&client->lock);
    /* Who asked for something else until now was not prepared and has sent nothing. */
    if (monitor_changed(client, monitor)) {
        monitor_ask(client, &monitor);
    }
    return TUTTI_OK;
}

/* Shows the prepared segment to the engine met last. Link thread; `reattaching` is set. False: the
 * link is to be given up. */
bool
attach_again(struct tutti_client *client)
{
    os_handle mine[2], handles[OS_LINK_MAX_HANDLES];
    struct proto_prepared prepared;
    struct link_question question = question_prepare(client, mine, &prepared, handles);
    struct attachment *attachment = NULL;
    enum tutti_status status = TUTTI_OK;
    uint32_t monitor = 0;

    os_mutex_lock(&client->lock);
    uint32_t epoch = client->epoch;
    uint64_t generation = client->generation;
    uint32_t input = client->input_latency_frames, output = client->output_latency_frames;
    double rate_hz = client->rate_hz;
    client->prepare.wanted_input_latency_frames = input;
    client->prepare.wanted_output_latency_frames = output;
    os_mutex_unlock(&client->lock);

    if (rate_hz > 0) {
        /* Refused when others run at another rate already: then this program is notified of that
         * one.
         */
        struct proto_set_rate set;
        struct link_question rate = {.message = &set.header};
        memset(&set, 0, sizeof(set));
        proto_header_init(&set.header, PROTO_SET_RATE, 0);
        set.rate_hz = rate_hz;
        status = link_ask_own(client, &rate);
        if (status == TUTTI_CLOSED) {
            return false;
        }
    }
    if (monitor_ask_own(client, &monitor) == TUTTI_CLOSED) {
        return false;
    }
    if (link_is_abandoned(client)) {
        return true;
    }
    /* The former engine could write there; this one compares it with what PREPARE says. */
    proto_segment_init(client->callback.segment, &client->callback.layout);
    status = link_ask_own(client, &question);
    if (status == TUTTI_OK) {
        status = attachment_new(&attachment, generation, handles);
        if (status) {
            /* The engine has the segment; it would refuse to be shown it again. */
            log_warning("not attached to the engine: %s; tried again", tutti_status_text(status));
            if (dispose_own(client) == TUTTI_CLOSED) {
                return false;
            }
        }
    } else {
        client_close_handles(handles);
    }
    if (status) {
        client->retry_ns = client_in_ms(PREPARE_AGAIN_MS);
        return status != TUTTI_CLOSED;
    }
    os_mutex_lock(&client->lock);
    offer(client, attachment, epoch);
    client->told_lost = false;
    os_mutex_unlock(&client->lock);
    /* Another thread may have sent something newer before the older was sent here. */
    while (status == TUTTI_OK && monitor_changed(client, monitor)) {
        status = monitor_ask_own(client, &monitor);
    }
    log_info("attached to another engine");
    events_put(&client->events, TUTTI_EVENT_ENGINE_BACK, 0, prepared.device.rate_hz,
               "the engine is back");
    if (prepared.input_latency_frames != input || prepared.output_latency_frames != output) {
        events_put(&client->events, TUTTI_EVENT_LATENCIES, 0, 0, "the latencies changed");
    }
    if (rate_hz > 0 && prepared.device.rate_hz > 0 &&
        client_to_millihz(rate_hz) != client_to_millihz(prepared.device.rate_hz)) {
        events_put(&client->events, TUTTI_EVENT_RATE, 0, prepared.device.rate_hz,
                   "the device runs at another sample rate");
    }
    return true;
}

void
attach_dispose(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    client->prepared = false;
    while (client->reattaching) {
        os_cond_wait_until(&client->changed, &client->lock, UINT64_MAX);
    }
    os_mutex_unlock(&client->lock);

    send_dispose(client);

    os_mutex_lock(&client->lock);
    struct attachment *attachment = callback_withdraw(&client->callback);
    if (attachment) {
        bury(client, attachment);
    }
    client->attachment = NULL;
    client->attached_epoch = 0;
    client->rate_hz = 0;
    for (attach_collect(client); client->graveyard; attach_collect(client)) {
        os_mutex_unlock(&client->lock);
        os_sleep_until_ns(client_in_ms(1));
        os_mutex_lock(&client->lock);
    }
    os_mutex_unlock(&client->lock);
}
