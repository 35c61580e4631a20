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

#include <dbus/dbus.h>
#include <errno.h>
#include <stddef.h>
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
    REPLY_MS = 2000,
    PRIORITY = 20,      /* its own default for MaxRealtimePriority */
    RTTIME_US = 200000, /* and for RTTimeUSecMax */
};

/* X(name without dbus_): what of libdbus is used, each as the header declares it. */
#define DBUS_FUNCTIONS(X)                                                                          \
    X(bus_get_private)                                                                             \
    X(connection_set_exit_on_disconnect)                                                           \
    X(connection_close)                                                                            \
    X(connection_unref)                                                                            \
    X(connection_send_with_reply_and_block)                                                        \
    X(message_new_method_call)                                                                     \
    X(message_append_args)                                                                         \
    X(message_unref)                                                                               \
    X(message_iter_init)                                                                           \
    X(message_iter_get_arg_type)                                                                   \
    X(message_iter_recurse)                                                                        \
    X(message_iter_get_basic)                                                                      \
    X(error_init)                                                                                  \
    X(error_free)

struct dbus {
    DBusConnection *connection;
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name */
#define DBUS_MEMBER(name) __typeof__(dbus_##name) *name;
    DBUS_FUNCTIONS(DBUS_MEMBER)
#undef DBUS_MEMBER
};

static const struct os_library_function functions[] = {
#define DBUS_ENTRY(name) {"dbus_" #name, offsetof(struct dbus, name)},
    DBUS_FUNCTIONS(DBUS_ENTRY)
#undef DBUS_ENTRY
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
}

static bool
connect_bus(struct dbus *dbus, char why[RTKIT_WHY_BYTES])
{
    char reason[256];
    memset(dbus, 0, sizeof(*dbus));
    /* the library stays: it registers what ends with the process */
    enum tutti_status status =
        os_library_load(LIBRARY, functions, sizeof(functions) / sizeof(functions[0]), dbus, reason);
    if (status != TUTTI_OK) {
        dbus->connection = NULL;
        snprintf(why, RTKIT_WHY_BYTES, LIBRARY " is %s",
                 status == TUTTI_UNSUPPORTED ? "not installed" : "of another kind");
        return false;
    }
    DBusError error;
    dbus->error_init(&error);
    dbus->connection = dbus->bus_get_private(DBUS_BUS_SYSTEM, &error);
    if (dbus->connection == NULL) {
        snprintf(why, RTKIT_WHY_BYTES, "%s", error.message != NULL ? error.message : "no bus");
    } else {
        dbus->connection_set_exit_on_disconnect(dbus->connection, 0);
    }
    dbus->error_free(&error);
    return dbus->connection != NULL;
}

/* The answer to a message, which it frees; NULL with the reason. */
static DBusMessage *
ask(struct dbus *dbus, DBusMessage *message, char why[RTKIT_WHY_BYTES])
{
    DBusError error;
    dbus->error_init(&error);
    DBusMessage *reply =
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
    DBusMessage *message = dbus->message_new_method_call(SERVICE, OBJECT, PROPERTIES, "Get");
    if (message == NULL) {
        return otherwise;
    }
    dbus->message_append_args(message, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name,
                              DBUS_TYPE_INVALID);
    DBusMessage *reply = ask(dbus, message, why);
    if (reply == NULL) {
        return otherwise;
    }
    DBusMessageIter outer, inner;
    int64_t value = otherwise;
    if (dbus->message_iter_init(reply, &outer) &&
        dbus->message_iter_get_arg_type(&outer) == DBUS_TYPE_VARIANT) {
        dbus->message_iter_recurse(&outer, &inner);
        int32_t narrow = 0;
        const int type = dbus->message_iter_get_arg_type(&inner);
        if (type == DBUS_TYPE_INT64) {
            dbus->message_iter_get_basic(&inner, &value);
        } else if (type == DBUS_TYPE_INT32) {
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
make_realtime(struct dbus *dbus, uint32_t tid, char why[RTKIT_WHY_BYTES])
{
    const int64_t most = property(dbus, "MaxRealtimePriority", PRIORITY);
    const uint64_t thread = tid;
    const uint32_t priority = most >= 1 && most < PRIORITY ? (uint32_t)most : PRIORITY;
    if (!limit_time(property(dbus, "RTTimeUSecMax", RTTIME_US))) {
        snprintf(why, RTKIT_WHY_BYTES, "RLIMIT_RTTIME: %s", strerror(errno));
        return false;
    }
    DBusMessage *message =
        dbus->message_new_method_call(SERVICE, OBJECT, SERVICE, "MakeThreadRealtime");
    if (message == NULL) {
        snprintf(why, RTKIT_WHY_BYTES, "not enough memory");
        return false;
    }
    dbus->message_append_args(message, DBUS_TYPE_UINT64, &thread, DBUS_TYPE_UINT32, &priority,
                              DBUS_TYPE_INVALID);
    DBusMessage *reply = ask(dbus, message, why);
    if (reply == NULL) {
        return false;
    }
    dbus->message_unref(reply);
    log_info("RealtimeKit gave a thread real-time priority %u", (unsigned)priority);
    return true;
}

bool
rtkit_ask(uint32_t tid, char why[RTKIT_WHY_BYTES])
{
    struct dbus dbus;
    snprintf(why, RTKIT_WHY_BYTES, "not asked");
    if (!atomic_load(&wanted)) {
        return false;
    }
    const bool done = connect_bus(&dbus, why) && make_realtime(&dbus, tid, why);
    disconnect(&dbus);
    /* who refused once is not asked by every thread again */
    if (!done) {
        atomic_store(&wanted, false);
    }
    return done;
}
