/* SPDX-License-Identifier: MIT */
/*
 * The link thread: it keeps a client joined to an engine, whichever that is. With a link it
 * receives; without one it connects again, at once, then ever more seldom, for as long as something
 * is prepared or somebody asks.
 */
#include "client/client.h"

#include "base/log.h"
#include "base/utf8.h"

enum {
    IDLE_TICK_MS = 500,
    LEAVING_TICK_MS =
        2, /* while the callback thread holds on to an engine that is lost or seems so */
    BACKOFF_FIRST_MS = 20,
    BACKOFF_LAST_MS = 2000,
};

/* Link thread. */
static void
lose_link(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    struct os_link *link = client->link;
    os_link_shutdown(link);
    client->link = NULL;
    if (client->request && !client->request->done) {
        client->request->done = true; /* its status is ENGINE_LOST */
    }
    if (client->attachment) {
        atomic_store(&client->attachment->dead, true);
        callback_wake(&client->callback);
    }
    os_cond_signal_all(&client->changed);
    while (client->link_users) {
        os_cond_wait_until(&client->changed, &client->lock, UINT64_MAX);
    }
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
    FLOAT_ENV_OURS;
    struct os_link *link;
    struct proto_welcome welcome;
    char text[PROTO_TEXT_BYTES] = "";
    struct connect_how how = {
        .program = client->program,
        .profile = client->profile,
        .engine_path = client->engine_path,
        .do_not_start = client->do_not_start,
        .cancelled = is_quitting,
        .user = client,
    };

    os_mutex_lock(&client->lock);
    how.hung_generation = client->hung_generation;
    how.hung_ms = client->hung_ms;
    how.hung_pid = client->hung_pid;
    os_mutex_unlock(&client->lock);
    enum tutti_status status = connect_engine(&how, &link, &welcome, text);
    bool back = false;
    os_mutex_lock(&client->lock);
    client->attempts++;
    client->attempt_status = status;
    client->wanted = false;
    utf8_copy(client->attempt_text, sizeof(client->attempt_text), text);
    if (status == TUTTI_OK) {
        client->link = link;
        client->epoch++;
        client->generation = welcome.generation;
        client->engine_pid = os_link_peer_pid(link);
        client->device = welcome.device;
        client->hung_generation = 0;
        client->hung_pid = 0;
        client->retry_ns = 0;
        back = client->told_lost && !client->prepared;
        if (back) {
            client->told_lost = false;
        }
    } else {
        client->retry_ns = client_in_ms(client->backoff_ms);
        client->backoff_ms =
            client->backoff_ms * 2 < BACKOFF_LAST_MS ? client->backoff_ms * 2 : BACKOFF_LAST_MS;
    }
    os_cond_signal_all(&client->changed);
    os_mutex_unlock(&client->lock);
    if (back) {
        events_put(&client->events, TUTTI_EVENT_ENGINE_BACK, 0, 0, "the engine is back");
    }
    return status;
}

/* Waits till there is something to do without a link. lock held; false: quit. */
static bool
wait_to_connect(struct tutti_client *client)
{
    while (!client->quit && !client->wanted) {
        if (client->prepared) {
            attach_collect(client);
            if (os_now_ns() >= client->retry_ns) {
                break;
            }
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
    if (client->unready_logged || atomic_load(&client->callback.unready_blocks) == 0) {
        return;
    }
    client->unready_logged = true;
    log_warning("the program said once that a block was ready and then no more; its blocks are "
                "taken two buffers after the callback");
}

/* One round with a link; false: it is to be given up. */
static bool
serve_link(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    bool hung = attach_collect(client) && client->attached_epoch == client->epoch;
    bool prepared = client->prepared;
    /* The former attachment must have been released first: see retire_current(). */
    bool due = prepared && client->attached_epoch != client->epoch && !client->attachment &&
               os_now_ns() >= client->retry_ns;
    client->reattaching = due;
    bool waiting = prepared && client->attached_epoch != client->epoch;
    uint64_t timeout_ms = client->timeout_ms;
    os_mutex_unlock(&client->lock);
    if (hung) {
        log_warning("the engine stopped calling");
        return false;
    }
    log_unready(client);
    if (due) {
        bool alive = attach_again(client);
        os_mutex_lock(&client->lock);
        client->reattaching = false;
        os_cond_signal_all(&client->changed);
        os_mutex_unlock(&client->lock);
        return alive;
    }
    uint64_t patience_end_ns = callback_patience_end_ns(&client->callback);
    bool suspect = os_now_ns() >= patience_end_ns;
    if (suspect) {
        callback_wake(&client->callback);
    }
    /* The timeout may have become shorter just now: the callback thread has not looked yet. */
    uint64_t until_ns = client_in_ms(timeout_ms);
    if (patience_end_ns < until_ns) {
        until_ns = patience_end_ns;
    }
    if (waiting || suspect) {
        until_ns = client_in_ms(LEAVING_TICK_MS);
    } else if (patience_end_ns == UINT64_MAX) { /* within a callback, perhaps */
        until_ns = client_in_ms(prepared ? CLIENT_TICK_MS : IDLE_TICK_MS);
    }
    enum tutti_status status = link_receive(client, until_ns);
    return status == TUTTI_OK || status == TUTTI_TIMEOUT;
}

static void
link_main(void *arg)
{
    struct tutti_client *client = arg;

    FLOAT_ENV_OURS;
    os_mutex_lock(&client->lock);
    while (!client->quit) {
        if (!client->link) {
            if (!wait_to_connect(client)) {
                break;
            }
            os_mutex_unlock(&client->lock);
            try_connect(client);
        } else {
            os_mutex_unlock(&client->lock);
            if (!serve_link(client)) {
                lose_link(client);
            }
        }
        os_mutex_lock(&client->lock);
    }
    os_mutex_unlock(&client->lock);
}

enum tutti_status
reconnect_open(struct tutti_client *client)
{
    client->backoff_ms = BACKOFF_FIRST_MS;
    enum tutti_status status = try_connect(client);
    if (status) {
        return status;
    }
    status =
        os_thread_start(&client->link_thread, "tutti-link", OS_PRIORITY_NORMAL, link_main, client);
    if (status) {
        os_link_close(client->link);
        client->link = NULL;
    }
    return status;
}

void
reconnect_close(struct tutti_client *client)
{
    os_mutex_lock(&client->lock);
    client->quit = true;
    if (client->link) {
        os_link_shutdown(client->link);
    }
    os_cond_signal_all(&client->changed);
    os_mutex_unlock(&client->lock);
    os_thread_join(client->link_thread);
    client->link_thread = NULL;
    if (client->link) {
        os_link_close(client->link);
    }
    client->link = NULL;
}
