/* SPDX-License-Identifier: MIT */
/* The connection: a thread of libpipewire's that reads and writes the socket, and waiting with a
 * limit. Nothing here blocks on the server: its socket does not, and answers are polled for. */
#include "backend/pipewire/pipewire_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "os/os.h"

void
pipewire_server_lock(struct pipewire_server *server)
{
    server->api->thread_loop_lock(server->loop);
}

void
pipewire_server_unlock(struct pipewire_server *server)
{
    server->api->thread_loop_unlock(server->loop);
}

static void
on_done(void *data, uint32_t id, int seq)
{
    struct pipewire_server *server = data;
    if (id == PW_ID_CORE) {
        atomic_store_explicit(&server->done, seq, memory_order_release);
    }
}

static void
on_error(void *data, uint32_t id, int seq, int res, const char *message)
{
    struct pipewire_server *server = data;
    (void)seq;
    if (id == PW_ID_CORE && res == -EPIPE) {
        bool was_gone = atomic_exchange(&server->gone, true);
        if (!was_gone && server->broke) {
            server->broke(server->user, "the server ended");
        }
    } else {
        log_debug("pipewire: object %u: %s (%s)", id, message, strerror(-res));
    }
}

static const struct pw_core_events core_events = {
    .version = PW_VERSION_CORE_EVENTS,
    .done = on_done,
    .error = on_error,
};

bool
pipewire_server_sync(struct pipewire_server *server, uint64_t deadline_ns)
{
    pipewire_server_lock(server);
    int wanted = pw_core_sync(server->core, PW_ID_CORE, 0);
    pipewire_server_unlock(server);
    for (;;) {
        if (atomic_load_explicit(&server->done, memory_order_acquire) >= wanted) {
            return true;
        }
        if (atomic_load(&server->gone) || os_now_ns() > deadline_ns) {
            return false;
        }
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS / 2);
    }
}

static bool
join_server(struct pipewire_server *server, const char *remote)
{
    const struct pipewire_api *api = server->api;
    struct spa_dict_item items[1] = {SPA_DICT_ITEM_INIT(PW_KEY_REMOTE_NAME, remote)};
    struct spa_dict dict = SPA_DICT_INIT(items, remote[0] ? 1 : 0);
    pipewire_server_lock(server);
    server->core = api->context_connect(server->context, api->properties_new_dict(&dict), 0);
    if (server->core) {
        pw_core_add_listener(server->core, &server->core_hook, &core_events, server);
        pipewire_registry_open(server);
    }
    pipewire_server_unlock(server);
    return server->core != NULL;
}

enum tutti_status
pipewire_server_open(struct pipewire_server *server, const char *remote, uint64_t deadline_ns,
                     bool *hangs)
{
    const struct pipewire_api *api = server->api;
    struct spa_dict_item items[1] = {
        SPA_DICT_ITEM_INIT(PW_KEY_CONFIG_NAME, "client-rt.conf"),
    };
    struct spa_dict dict = SPA_DICT_INIT(items, 1);
    *hangs = false;
    server->loop = api->thread_loop_new("tutti-pipewire", NULL);
    if (!server->loop) {
        return TUTTI_NO_MEMORY;
    }
    server->context = api->context_new(api->thread_loop_get_loop(server->loop),
                                       api->properties_new_dict(&dict), 0);
    if (!server->context || api->thread_loop_start(server->loop) < 0) {
        log_debug("pipewire: no context: %s", strerror(errno));
        return TUTTI_NO_DEVICE;
    }
    if (!join_server(server, remote)) {
        return TUTTI_NO_DEVICE;
    }
    /* what there is; then what was asked of it when it was seen */
    for (unsigned question = 0; question < 2; question++) {
        if (!pipewire_server_sync(server, deadline_ns)) {
            *hangs = !atomic_load(&server->gone);
            return TUTTI_NO_DEVICE;
        }
    }
    return TUTTI_OK;
}

void
pipewire_server_close(struct pipewire_server *server)
{
    const struct pipewire_api *api = server->api;
    if (server->loop) {
        api->thread_loop_stop(server->loop);
    }
    pipewire_registry_close(server);
    if (server->core) {
        api->core_disconnect(server->core);
        server->core = NULL;
    }
    if (server->context) {
        api->context_destroy(server->context);
        server->context = NULL;
    }
    if (server->loop) {
        api->thread_loop_destroy(server->loop);
        server->loop = NULL;
    }
}
