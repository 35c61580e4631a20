/* SPDX-License-Identifier: MIT */
/*
 * Real-time priority from RealtimeKit, for users whose limits allow none: a service on the system's
 * message bus that gives single threads a low real-time priority. libdbus is loaded when it is
 * needed; without it, or without the service, threads stay as they are.
 *
 * What it asks for (its README, and verify_process_rttime() in rtkit-daemon.c): the hard limit
 * RLIMIT_RTTIME at or below its property RTTimeUSecMax, so that a thread that computes so long
 * without a pause is ended with its process; a priority of at most MaxRealtimePriority. Hence only
 * processes of our own use it, never those of other people's programs.
 */
#include "posix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "rtkit.h"

#define LIBRARY "libdbus-1.so.3"
#define SERVICE "org.freedesktop.RealtimeKit1"
#define OBJECT "/org/freedesktop/RealtimeKit1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

enum {
    BUS_SYSTEM = 1, /* DBUS_BUS_SYSTEM */
    REPLY_MS = 2000,
    PRIORITY = 20,        /* its own default for MaxRealtimePriority */
    RTTIME_US = 200000,   /* and for RTTimeUSecMax */
    ITERATOR_BYTES = 256, /* more than DBusMessageIter has */
};

/* As libdbus has it: part of its binary interface since 1.0. */
struct bus_error {
    const char *name, *message;
    unsigned flags;
    void *padding;
};
struct bus_iterator {
    _Alignas(16) unsigned char room[ITERATOR_BYTES];
};

/* X(result, name, arguments): what of libdbus is used, without its prefix dbus_. */
#define DBUS_FUNCTIONS(X)                                                                          \
    X(void *, bus_get_private, (int type, struct bus_error *error))                                \
    X(void, connection_set_exit_on_disconnect, (void *connection, unsigned yes))                   \
    X(void, connection_close, (void *connection))                                                  \
    X(void, connection_unref, (void *connection))                                                  \
    X(void *, connection_send_with_reply_and_block,                                                \
      (void *connection, void *message, int ms, struct bus_error *error))                          \
    X(void *, message_new_method_call,                                                             \
      (const char *service, const char *object, const char *interface, const char *method))        \
    X(unsigned, message_append_args, (void *message, int type, ...))                               \
    X(void, message_unref, (void *message))                                                        \
    X(unsigned, message_iter_init, (void *message, struct bus_iterator *iterator))                 \
    X(int, message_iter_get_arg_type, (struct bus_iterator * iterator))                            \
    X(void, message_iter_recurse, (struct bus_iterator * iterator, struct bus_iterator * inner))   \
    X(void, message_iter_get_basic, (struct bus_iterator * iterator, void *value))                 \
    X(void, error_init, (struct bus_error * error))                                                \
    X(void, error_free, (struct bus_error * error))

struct dbus {
    struct os_library *library;
    void *connection;
#define DBUS_FIELD(result, name, arguments) result(*name) arguments;
    DBUS_FUNCTIONS(DBUS_FIELD)
#undef DBUS_FIELD
};

static atomic_bool wanted;

void
os_process_use_broker(void)
{
    atomic_store(&wanted, true);
}

static void
disconnect(struct dbus *dbus)
{
    if (dbus->connection != NULL) {
        dbus->connection_close(dbus->connection);
        dbus->connection_unref(dbus->connection);
    }
    /* the library stays: it has registered what ends with the process */
}

static bool
connect_bus(struct dbus *dbus, char why[RTKIT_WHY_BYTES])
{
    char reason[256];
    bool whole = true;
    memset(dbus, 0, sizeof(*dbus));
    if (os_library_open(&dbus->library, LIBRARY, reason) != TUTTI_OK) {
        snprintf(why, RTKIT_WHY_BYTES, LIBRARY " is not installed");
        return false;
    }
#define DBUS_LOAD(result, name, arguments)                                                         \
    whole = whole && os_library_symbol(dbus->library, "dbus_" #name, &dbus->name);
    DBUS_FUNCTIONS(DBUS_LOAD)
#undef DBUS_LOAD
    if (!whole) {
        snprintf(why, RTKIT_WHY_BYTES, LIBRARY " is of another kind");
        return false;
    }
    struct bus_error error;
    dbus->error_init(&error);
    dbus->connection = dbus->bus_get_private(BUS_SYSTEM, &error);
    if (dbus->connection == NULL) {
        snprintf(why, RTKIT_WHY_BYTES, "%s", error.message != NULL ? error.message : "no bus");
    } else {
        dbus->connection_set_exit_on_disconnect(dbus->connection, 0);
    }
    dbus->error_free(&error);
    return dbus->connection != NULL;
}

/* The answer to a message, which it frees; NULL with the reason. */
static void *
ask(struct dbus *dbus, void *message, char why[RTKIT_WHY_BYTES])
{
    struct bus_error error;
    dbus->error_init(&error);
    void *reply =
        dbus->connection_send_with_reply_and_block(dbus->connection, message, REPLY_MS, &error);
    if (reply == NULL) {
        snprintf(why, RTKIT_WHY_BYTES, "%s", error.message != NULL ? error.message : "no answer");
    }
    dbus->error_free(&error);
    dbus->message_unref(message);
    return reply;
}

/* One of the service's numbers, a variant of a 32- or 64-bit integer. */
static int64_t
property(struct dbus *dbus, const char *name, int64_t otherwise)
{
    const char *interface = SERVICE;
    char why[RTKIT_WHY_BYTES];
    void *message = dbus->message_new_method_call(SERVICE, OBJECT, PROPERTIES, "Get");
    if (message == NULL) {
        return otherwise;
    }
    dbus->message_append_args(message, 's', &interface, 's', &name, 0);
    void *reply = ask(dbus, message, why);
    if (reply == NULL) {
        return otherwise;
    }
    struct bus_iterator outer, inner;
    int64_t value = otherwise;
    if (dbus->message_iter_init(reply, &outer) && dbus->message_iter_get_arg_type(&outer) == 'v') {
        dbus->message_iter_recurse(&outer, &inner);
        int32_t narrow = 0;
        const int type = dbus->message_iter_get_arg_type(&inner);
        if (type == 'x') {
            dbus->message_iter_get_basic(&inner, &value);
        } else if (type == 'i') {
            dbus->message_iter_get_basic(&inner, &narrow);
            value = narrow;
        }
    }
    dbus->message_unref(reply);
    return value;
}

static bool
limit_time(int64_t most_us)
{
    struct rlimit limit;
    if (most_us <= 0 || getrlimit(RLIMIT_RTTIME, &limit) != 0) {
        return false;
    }
    if (limit.rlim_max <= (rlim_t)most_us) {
        return true;
    }
    limit.rlim_cur = limit.rlim_max = (rlim_t)most_us;
    return setrlimit(RLIMIT_RTTIME, &limit) == 0;
}

static bool
make_realtime(struct dbus *dbus, char why[RTKIT_WHY_BYTES])
{
    const int64_t most = property(dbus, "MaxRealtimePriority", PRIORITY);
    const uint64_t thread = os_thread_id();
    const uint32_t priority = most >= 1 && most < PRIORITY ? (uint32_t)most : PRIORITY;
    if (!limit_time(property(dbus, "RTTimeUSecMax", RTTIME_US))) {
        snprintf(why, RTKIT_WHY_BYTES, "RLIMIT_RTTIME: %s", strerror(errno));
        return false;
    }
    void *message = dbus->message_new_method_call(SERVICE, OBJECT, SERVICE, "MakeThreadRealtime");
    if (message == NULL) {
        snprintf(why, RTKIT_WHY_BYTES, "not enough memory");
        return false;
    }
    dbus->message_append_args(message, 't', &thread, 'u', &priority, 0);
    void *reply = ask(dbus, message, why);
    if (reply == NULL) {
        return false;
    }
    dbus->message_unref(reply);
    log_info("RealtimeKit gave a thread real-time priority %u", (unsigned)priority);
    return true;
}

bool
rtkit_ask(char why[RTKIT_WHY_BYTES])
{
    struct dbus dbus;
    snprintf(why, RTKIT_WHY_BYTES, "not asked");
    if (!atomic_load(&wanted)) {
        return false;
    }
    const bool done = connect_bus(&dbus, why) && make_realtime(&dbus, why);
    disconnect(&dbus);
    /* who refused once is not asked by every thread again */
    if (!done) {
        atomic_store(&wanted, false);
    }
    return done;
}
