/* SPDX-License-Identifier: MIT */
/*
 * The control links. Threads: the caller of server_run() accepts and buries; one tends the engine
 * and sends its events; one per connection receives, checks, asks the engine and answers. A program
 * that sends nonsense or does not read loses its connection and disturbs nobody.
 */
#include "engine/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "engine/live.h"
#include "os/os.h"

enum {
    HELLO_MS = 2000,
    ANSWER_MS = 2000,
    EVENT_MS = 20,   /* a program whose link is full for so long does not read */
    LOCK_MS = 2000,  /* the former engine may be ending just now */
    ACCEPT_MS = 100, /* how late server_stop() is noticed */
    TEND_MS = 20,
    TEND_IDLE_MS = 100,
    SERVER_PATH_BYTES = 1024,
    CONNECTIONS_MAX = 512, /* the engine takes fewer programs; the rest hears FULL */
};

struct server;

struct connection {
    struct connection *next;
    struct server *server;
    struct os_link *link;
    struct os_thread *thread;
    uint32_t pid;
    uint16_t version;    /* that this program speaks; set by its HELLO */
    uint32_t program_id; /* 0: not greeted yet; guarded by the server's lock */
    unsigned senders;    /* the tend thread is sending an event; guarded by the server's lock */
    _Atomic bool ended;  /* the thread is about to return; read by the accepting thread */
    _Alignas(8) unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    union { /* what is sent back: the biggest ones */
        struct proto_status_reply status;
        struct proto_devices_reply devices;
        struct proto_forecast_reply forecast;
    } reply;
};

struct server {
    struct engine *engine;
    struct live *live; /* NULL: the configuration stays as it is */
    _Atomic uint64_t grace_ms;
    uint64_t generation;
    struct os_listener *listener;
    struct os_thread *tend_thread;
    struct os_mutex lock;
    struct os_cond changed;         /* senders, quit */
    struct connection *connections; /* guarded by lock */
    unsigned connection_count;
    bool quit;          /* guarded by lock: for the tend thread */
    _Atomic bool leave; /* a program asked */
};

/* What a program hears of it; the link logs it. */
static const char no_descriptors[] = "the Tutti engine has no file descriptors left; close a "
                                     "program, or raise the limit (ulimit -n)";

/* Set by server_stop(), which may be a signal handler's. */
static atomic_bool stop_asked;

void
server_stop(void)
{
    atomic_store(&stop_asked, true);
}

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

/* ---- answers ---- */

static bool
send_answer(struct connection *connection, void *message, uint32_t serial, const os_handle *handles,
            unsigned handle_count)
{
    struct proto_header *header = message;

    header->serial = serial;
    header->version = connection->version;
    enum tutti_status status = os_link_send(connection->link, message, header->size_bytes, handles,
                                            handle_count, in_ms(ANSWER_MS));
    if (status) {
        log_warning("server: program %u (process %u): sending %s failed: %s",
                    (unsigned)connection->program_id, (unsigned)connection->pid,
                    proto_type_name(header->type), tutti_status_name(status));
    }
    return status == TUTTI_OK;
}

static bool
send_ok(struct connection *connection, uint32_t serial)
{
    struct proto_empty ok;

    memset(&ok, 0, sizeof(ok));
    proto_header_init(&ok.header, PROTO_OK, serial);
    return send_answer(connection, &ok, serial, NULL, 0);
}

static bool
send_error(struct connection *connection, uint32_t serial, enum tutti_status status,
           const char *text)
{
    struct proto_error error;

    memset(&error, 0, sizeof(error));
    proto_header_init(&error.header, PROTO_ERROR, serial);
    error.status = (uint32_t)status;
    utf8_copy(error.text, sizeof(error.text), text && text[0] ? text : tutti_status_text(status));
    return send_answer(connection, &error, serial, NULL, 0);
}

static bool
send_status(struct connection *connection, uint32_t serial, enum tutti_status status,
            const char *text)
{
    return status ? send_error(connection, serial, status, text) : send_ok(connection, serial);
}

/* ---- requests ---- */

/* handles: taken over. */
static bool
do_prepare(struct connection *connection, const struct proto_prepare *message, os_handle *handles)
{
    struct engine *engine = connection->server->engine;
    struct proto_prepared answer;
    char text[PROTO_TEXT_BYTES] = "";
    os_handle mine[2];

    memset(&answer, 0, sizeof(answer));
    enum tutti_status status = engine_prepare(engine, connection->program_id, message, handles[0],
                                              handles[1], &answer, text);
    handles[0] = handles[1] = OS_NO_HANDLE;
    if (status) {
        return send_error(connection, message->header.serial, status, text);
    }
    proto_header_init(&answer.header, PROTO_PREPARED, message->header.serial);
    engine_get_rendezvous(engine, connection->program_id, &mine[0], &mine[1]);
    return send_answer(connection, &answer, message->header.serial, mine, 2);
}

/* A program in: it is greeted, or hears why not. */
static bool
do_hello(struct connection *connection, const struct proto_hello *message)
{
    struct server *server = connection->server;
    struct proto_welcome welcome;
    uint32_t id;

    connection->version = message->header.version;
    enum tutti_status status = engine_connect(server->engine, message, connection->pid, &id);
    if (status) {
        send_error(connection, message->header.serial, status, NULL);
        return false;
    }
    memset(&welcome, 0, sizeof(welcome));
    proto_header_init(&welcome.header, PROTO_WELCOME, message->header.serial);
    welcome.engine_pid = os_process_id();
    welcome.program_id = id;
    welcome.generation = server->generation;
    utf8_copy(welcome.engine_version, sizeof(welcome.engine_version), TUTTI_VERSION);
    engine_get_device(server->engine, message->profile, &welcome.device);
    bool sent = send_answer(connection, &welcome, message->header.serial, NULL, 0);
    /* Events are for those who were welcomed: the number is shown to the tend thread only now. */
    os_mutex_lock(&server->lock);
    connection->program_id = id;
    os_mutex_unlock(&server->lock);
    log_info("server: program %u '%s' (process %u, profile '%s') is here", (unsigned)id,
             message->program, (unsigned)connection->pid, message->profile);
    return sent;
}

/* One checked request of a greeted program; false: the connection ends. handles: taken over where
 * used. */
static bool
dispatch(struct connection *connection, const struct proto_header *header, os_handle *handles)
{
    struct server *server = connection->server;
    struct engine *engine = server->engine;
    uint32_t serial = header->serial;
    char text[PROTO_TEXT_BYTES] = "";
    enum tutti_status status;

    switch ((enum proto_type)header->type) {
    case PROTO_PREPARE:
        return do_prepare(connection, (const struct proto_prepare *)header, handles);
    case PROTO_DISPOSE:
        return send_status(connection, serial, engine_dispose(engine, connection->program_id),
                           NULL);
    case PROTO_SET_RATE:
        status = engine_set_rate(engine, connection->program_id,
                                 ((const struct proto_set_rate *)header)->rate_hz, text);
        return send_status(connection, serial, status, text);
    case PROTO_CAN_RATE:
        status = engine_can_rate(engine, connection->program_id,
                                 ((const struct proto_set_rate *)header)->rate_hz, text);
        return send_status(connection, serial, status, text);
    case PROTO_STATUS:
        engine_get_status(engine, ((const struct proto_status *)header)->first_program,
                          &connection->reply.status);
        engine_get_own_device(engine, connection->program_id, &connection->reply.status.own_device);
        if (server->live && live_problem(server->live, text)) {
            utf8_copy(connection->reply.status.problem, PROTO_TEXT_BYTES, text);
        }
        return send_answer(connection, &connection->reply.status, serial, NULL, 0);
    case PROTO_DEVICES:
        engine_get_devices(engine, &connection->reply.devices);
        return send_answer(connection, &connection->reply.devices, serial, NULL, 0);
    case PROTO_FORECAST:
        engine_forecast(engine, connection->program_id, (const struct proto_forecast *)header,
                        &connection->reply.forecast);
        return send_answer(connection, &connection->reply.forecast, serial, NULL, 0);
    case PROTO_MONITOR:
        status = engine_set_monitor(engine, connection->program_id,
                                    (const struct proto_monitor *)header);
        return send_status(connection, serial, status, NULL);
    case PROTO_LEAVE:
        log_info("server: program %u (process %u) asks the engine to leave",
                 (unsigned)connection->program_id, (unsigned)connection->pid);
        send_ok(connection, serial);
        atomic_store(&server->leave, true);
        os_listener_wake(server->listener); /* for good: it accepts nobody any more */
        return true;
    case PROTO_NONE:
    case PROTO_HELLO:
    case PROTO_WELCOME:
    case PROTO_PREPARED:
    case PROTO_STATUS_REPLY:
    case PROTO_DEVICES_REPLY:
    case PROTO_FORECAST_REPLY:
    case PROTO_OK:
    case PROTO_ERROR:
    case PROTO_EVENT:
    case PROTO_TYPE_COUNT:
        break;
    }
    send_error(connection, serial, TUTTI_PROTOCOL, "this message is not expected here");
    return false;
}

/* Receives and checks one message into connection->message; false: the connection ends (a malformed
 * message was answered and logged). */
static bool
receive(struct connection *connection, os_handle *handles, uint64_t deadline_ns)
{
    const struct proto_header *header = (const struct proto_header *)connection->message;
    size_t bytes = 0;
    const char *why = "";

    enum tutti_status status =
        os_link_recv(connection->link, connection->message, sizeof(connection->message), &bytes,
                     handles, deadline_ns);
    while (status == TUTTI_FULL) {
        if (proto_check(connection->message, bytes, true, &why) ||
            !send_error(connection, header->serial, TUTTI_FULL, no_descriptors)) {
            return false;
        }
        status = os_link_recv(connection->link, connection->message, sizeof(connection->message),
                              &bytes, handles, deadline_ns);
    }
    if (status) {
        return false;
    }
    status = proto_check(connection->message, bytes, true, &why);
    if (status == TUTTI_OK) {
        return true;
    }
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        os_handle_close(handles[i]);
    }
    uint32_t serial = bytes >= sizeof(*header) ? header->serial : 0;
    log_warning("server: process %u sent something malformed: %s", (unsigned)connection->pid,
                status == TUTTI_PROTOCOL ? why : tutti_status_text(status));
    send_error(connection, serial, status, status == TUTTI_PROTOCOL ? why : NULL);
    if (status != TUTTI_VERSION_MISMATCH) {
        return false;
    }
    /* A newer program has heard which version this engine speaks and may ask it to leave, in that
     * version. */
    if (os_link_recv(connection->link, connection->message, sizeof(connection->message), &bytes,
                     handles, in_ms(HELLO_MS))) {
        return false;
    }
    if (proto_check(connection->message, bytes, true, &why) == TUTTI_OK &&
        header->type == PROTO_LEAVE) {
        return true;
    }
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        os_handle_close(handles[i]);
    }
    return false;
}

static void
converse(struct connection *connection)
{
    const struct proto_header *header = (const struct proto_header *)connection->message;
    os_handle handles[OS_LINK_MAX_HANDLES];
    uint64_t deadline = in_ms(HELLO_MS);
    bool greeted = false, going = true;

    while (going && receive(connection, handles, deadline)) {
        if (greeted && header->version != connection->version && header->type != PROTO_LEAVE) {
            send_error(connection, header->serial, TUTTI_PROTOCOL, "the version changed");
            going = false;
        } else if (header->type == PROTO_HELLO && !greeted) {
            going = do_hello(connection, (const struct proto_hello *)header);
            greeted = true;
            deadline = UINT64_MAX;
        } else if (greeted || header->type == PROTO_LEAVE) {
            going = dispatch(connection, header, handles);
        } else {
            send_error(connection, header->serial, TUTTI_PROTOCOL, "the first message is HELLO");
            going = false;
        }
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            os_handle_close(handles[i]);
        }
    }
}

static void
connection_main(void *arg)
{
    struct connection *connection = arg;
    struct server *server = connection->server;

    converse(connection);
    os_link_shutdown(connection->link);
    os_mutex_lock(&server->lock);
    uint32_t id = connection->program_id;
    connection->program_id = 0;
    while (connection->senders) {
        os_cond_wait_until(&server->changed, &server->lock, UINT64_MAX);
    }
    os_mutex_unlock(&server->lock);
    if (id) {
        engine_disconnect(server->engine, id);
    }
    atomic_store(&connection->ended, true);
}

/* ---- events ---- */

/* engine_event_fn. On the tend thread; the link is used without the lock, so that one who does not
 * read delays events alone. */
static void
send_event(void *user, uint32_t program_id, const struct proto_event *event)
{
    struct server *server = user;
    struct connection *connection;

    os_mutex_lock(&server->lock);
    for (connection = server->connections; connection; connection = connection->next) {
        if (connection->program_id == program_id) {
            break;
        }
    }
    if (connection) {
        connection->senders++;
    }
    os_mutex_unlock(&server->lock);
    if (!connection) {
        return;
    }
    struct proto_event message = *event;
    message.header.version = connection->version;
    enum tutti_status status =
        os_link_send(connection->link, &message, sizeof(message), NULL, 0, in_ms(EVENT_MS));
    if (status) {
        log_warning("server: program %u (process %u) does not take its events: disconnected",
                    (unsigned)program_id, (unsigned)connection->pid);
        os_link_shutdown(connection->link);
    }
    os_mutex_lock(&server->lock);
    connection->senders--;
    os_cond_signal_all(&server->changed);
    os_mutex_unlock(&server->lock);
}

/* On the tend thread. */
static void
end_link(void *user, uint32_t program_id)
{
    struct server *server = user;

    os_mutex_lock(&server->lock);
    for (struct connection *at = server->connections; at; at = at->next) {
        if (at->program_id == program_id) {
            os_link_shutdown(at->link);
        }
    }
    os_mutex_unlock(&server->lock);
}

/* On a thread of the device's: it is lost, or another. */
static void
wake_tending(void *user)
{
    struct server *server = user;

    os_mutex_lock(&server->lock);
    os_cond_signal_all(&server->changed);
    os_mutex_unlock(&server->lock);
}

static void
tend_main(void *arg)
{
    struct server *server = arg;

    os_mutex_lock(&server->lock);
    while (!server->quit) {
        bool idle = server->connections == NULL;
        os_mutex_unlock(&server->lock);
        engine_tend(server->engine);
        if (server->live) {
            live_look(server->live, server->engine, os_now_ns());
            atomic_store(&server->grace_ms, (uint64_t)server->live->config.engine_grace_ms);
        }
        os_mutex_lock(&server->lock);
        if (!server->quit) {
            os_cond_wait_until(&server->changed, &server->lock,
                               in_ms(idle ? TEND_IDLE_MS : TEND_MS));
        }
    }
    os_mutex_unlock(&server->lock);
}

/* ---- connections ---- */

static void
connection_free(struct connection *connection)
{
    os_thread_join(connection->thread);
    os_link_close(connection->link);
    free(connection);
}

/* The link takes the last descriptor, and is closed at once. */
static void
turn_away(struct os_link *link)
{
    static unsigned char message[OS_LINK_MAX_MESSAGE_BYTES]; /* on the accepting thread alone */
    os_handle none[OS_LINK_MAX_HANDLES];
    struct proto_error error;
    size_t bytes;

    memset(&error, 0, sizeof(error));
    proto_header_init(&error.header, PROTO_ERROR, 1);
    error.status = TUTTI_FULL;
    utf8_copy(error.text, sizeof(error.text), no_descriptors);
    /* its greeting first, or the end of the link would be all that it hears */
    if (os_link_recv(link, message, sizeof(message), &bytes, none, in_ms(ACCEPT_MS)) == TUTTI_OK) {
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            os_handle_close(none[i]);
        }
        os_link_send(link, &error, sizeof(error), NULL, 0, in_ms(ACCEPT_MS));
    }
    os_link_close(link);
}

static void
welcome_in(struct server *server, struct os_link *link)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection || server->connection_count == CONNECTIONS_MAX) {
        log_error("server: no room for another connection");
        free(connection);
        os_link_close(link);
        return;
    }
    connection->server = server;
    connection->link = link;
    connection->pid = os_link_peer_pid(link);
    connection->version = proto_versions.spoken;
    os_mutex_lock(&server->lock);
    connection->next = server->connections;
    server->connections = connection;
    server->connection_count++;
    os_cond_signal_all(&server->changed);
    os_mutex_unlock(&server->lock);
    if (os_thread_start(&connection->thread, "tutti-program", OS_PRIORITY_NORMAL, connection_main,
                        connection)) {
        atomic_store(&connection->ended, true); /* buried like any other */
    }
}

/* Frees connections whose thread ended, or all of them. */
static void
bury(struct server *server, bool all)
{
    struct connection **at = &server->connections, *dead = NULL;

    os_mutex_lock(&server->lock);
    while (*at) {
        struct connection *connection = *at;
        if (!all && !atomic_load(&connection->ended)) {
            at = &connection->next;
            continue;
        }
        os_link_shutdown(connection->link);
        *at = connection->next;
        server->connection_count--;
        connection->next = dead;
        dead = connection;
    }
    os_mutex_unlock(&server->lock);
    while (dead) {
        struct connection *next = dead->next;
        connection_free(dead);
        dead = next;
    }
}

/* ---- life ---- */

static void
pid_path(char *path, size_t room)
{
    char folder[SERVER_PATH_BYTES];

    path[0] = '\0';
    if (os_runtime_dir(folder, sizeof(folder)) == TUTTI_OK) {
        snprintf(path, room, "%s/engine.pid", folder);
    }
}

/* For programs that meet an engine which does not even accept: they check that the process is one.
 */
static void
write_pid(const char *path)
{
    FILE *file = path[0] ? file_open(path, "w") : NULL;

    if (!file) {
        log_warning("server: cannot write '%s'", path);
        return;
    }
    fprintf(file, "%u\n", (unsigned)os_process_id());
    fclose(file);
}

/* Unique among engines of this machine, for practical purposes: two engines would have to be born
 * in the same nanosecond. */
static uint64_t
new_generation(void)
{
    uint64_t x = os_now_ns() ^ (uint64_t)time(NULL) << 32 ^ (uint64_t)os_process_id() << 48;

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x ? x : 1;
}

/* A thread stays within the backend for good: there is no orderly end. Programs go on in silence
 * and start another engine, as after a kill. */
static void
end_if_hung(struct server *server)
{
    if (engine_watch(server->engine)) {
        log_error("server: the device has not opened or closed for %u s: this engine ends, and "
                  "programs start another",
                  (unsigned)ENGINE_OPENING_MS / 1000);
        _Exit(EXIT_FAILURE);
    }
}

static void
accept_until_over(struct server *server)
{
    uint64_t alone_since = os_now_ns();

    while (!atomic_load(&stop_asked) && !atomic_load(&server->leave)) {
        struct os_link *link;
        enum tutti_status status = os_listener_accept(server->listener, &link, in_ms(ACCEPT_MS));
        if (status == TUTTI_OK) {
            welcome_in(server, link);
        } else if (status == TUTTI_FULL) {
            turn_away(link);
        } else if (status == TUTTI_IO) {
            os_sleep_until_ns(in_ms(ACCEPT_MS)); /* out of descriptors, say: not in a hot loop */
        }
        bury(server, false);
        end_if_hung(server);
        uint64_t now = os_now_ns(), grace_ns = atomic_load(&server->grace_ms) * OS_NS_PER_MS;
        if (server->connections) {
            alone_since = now;
        } else if (now - alone_since >= grace_ns) {
            log_info("server: no program for %u ms: leaving", (unsigned)(grace_ns / OS_NS_PER_MS));
            return;
        }
    }
}

static enum tutti_status
serve(struct server *server, const struct config *config)
{
    struct engine_params params = {
        .config = config,
        .event = send_event,
        .attention = wake_tending,
        .remove = end_link,
        .user = server,
        .generation = server->generation,
    };
    char text[PROTO_TEXT_BYTES] = "", path[SERVER_PATH_BYTES + 16];

    enum tutti_status status = engine_new(&server->engine, &params, text);
    if (status) {
        log_error("server: no engine: %s", text[0] ? text : tutti_status_text(status));
        return status;
    }
    if (server->live) {
        live_apply(server->live, server->engine);
    }
    atomic_store(&server->grace_ms, (uint64_t)config->engine_grace_ms);
    status =
        os_thread_start(&server->tend_thread, "tutti-tend", OS_PRIORITY_NORMAL, tend_main, server);
    if (status) {
        goto no_tend;
    }
    pid_path(path, sizeof(path));
    write_pid(path); /* before anybody can connect and find it hanging */
    status = os_listener_open(&server->listener);
    if (status) {
        goto no_listener;
    }
    log_info("server: engine %016llx of version %s serves, process %u",
             (unsigned long long)server->generation, TUTTI_VERSION, (unsigned)os_process_id());
    accept_until_over(server);
    bury(server, true);
    os_listener_close(server->listener);
no_listener:
    file_remove(path);
    os_mutex_lock(&server->lock);
    server->quit = true;
    os_cond_signal_all(&server->changed);
    os_mutex_unlock(&server->lock);
    os_thread_join(server->tend_thread);
no_tend:
    engine_free(server->engine);
    log_info("server: engine %016llx ends", (unsigned long long)server->generation);
    return status;
}

enum tutti_status
server_run(const struct config *config, struct live *live)
{
    struct os_lock *lock;
    struct server *server = calloc(1, sizeof(*server));

    if (!server) {
        return TUTTI_NO_MEMORY;
    }
    enum tutti_status status = os_lock_take(&lock, "engine", in_ms(LOCK_MS));
    if (status) {
        free(server);
        if (status != TUTTI_TIMEOUT) {
            return status;
        }
        log_info("server: another engine serves already");
        return TUTTI_FULL;
    }
    server->live = live;
    server->generation = new_generation();
    os_mutex_init(&server->lock);
    os_cond_init(&server->changed);
    status = serve(server, config);
    os_cond_fini(&server->changed);
    os_mutex_fini(&server->lock);
    free(server);
    atomic_store(&stop_asked, false);
    os_lock_release(lock);
    return status;
}
