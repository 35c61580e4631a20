/* SPDX-License-Identifier: MIT */
/* What the parts of a client share: its state, its error text, the engine's timeout. */
#include "client/client.h"

#include <assert.h>

#include "base/utf8.h"

enum { TIMEOUT_LEAST_MS = 10 };

/* From, to. The host's thread is the one writer of the state: see client_enter(). */
static const bool may_enter[CLIENT_STATE_COUNT][CLIENT_STATE_COUNT] = {
    [CLIENT_OPEN] = {[CLIENT_PREPARED] = true},
    [CLIENT_PREPARED] = {[CLIENT_OPEN] = true, [CLIENT_RUNNING] = true},
    [CLIENT_RUNNING] = {[CLIENT_PREPARED] = true, [CLIENT_STOPPING] = true},
    [CLIENT_STOPPING] = {[CLIENT_PREPARED] = true},
};

bool
client_may_enter(enum client_state from, enum client_state to)
{
    return from < CLIENT_STATE_COUNT && to < CLIENT_STATE_COUNT && may_enter[from][to];
}

enum client_state
client_state(const struct tutti_client *client)
{
    return (enum client_state)atomic_load(&client->state);
}

void
client_enter(struct tutti_client *client, enum client_state to)
{
    assert(client_may_enter(client_state(client), to));
    atomic_store(&client->state, (int)to);
}

enum tutti_status
client_fail(struct tutti_client *client, enum tutti_status status, const char *text)
{
    if (status) {
        utf8_copy(client->error, sizeof(client->error),
                  text && text[0] ? text : tutti_status_text(status));
    }
    return status;
}

void
client_set_timeout(struct tutti_client *client, uint32_t timeout_ms)
{
    client->timeout_ms = timeout_ms > TIMEOUT_LEAST_MS ? timeout_ms : TIMEOUT_LEAST_MS;
    if (client->attachment) {
        atomic_store(&client->attachment->patience_ns, (uint64_t)client->timeout_ms * OS_NS_PER_MS);
        callback_wake(&client->callback);
    }
}
