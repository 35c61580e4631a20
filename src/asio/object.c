/* SPDX-License-Identifier: MIT */
/* One object, as all parts of the driver know it: state, error text, who owns it for a call, what
 * is posted to its message thread. */
#include "asio/object.h"

#include <stdarg.h>
#include <stdio.h>

#include "asio/ansi.h"
#include "base/log.h"

/* ---- state ---- */

enum state
object_state(const struct driver *driver)
{
    return (enum state)atomic_load(&driver->state);
}

void
object_enter_state(struct driver *driver, enum state to)
{
    AcquireSRWLockExclusive(&driver->mutex);
    if (rules_may_enter(object_state(driver), to)) {
        atomic_store(&driver->state, (int)to);
    }
    WakeAllConditionVariable(&driver->changed);
    ReleaseSRWLockExclusive(&driver->mutex);
}

/* ---- error text ---- */

int32_t
object_fail(struct driver *driver, int32_t result, const char *format, ...)
{
    char text[2 * ASIO_ERROR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    AcquireSRWLockExclusive(&driver->text_mutex);
    ansi_copy(GetACP(), driver->error, sizeof(driver->error), text);
    ReleaseSRWLockExclusive(&driver->text_mutex);
    if (!object_in_callback(driver)) { /* that thread writes no log */
        log_debug("asio: '%s': %s", driver->name->name, text);
    }
    return result;
}

int32_t
object_fail_status(struct driver *driver, enum tutti_status status)
{
    const char *text = driver->client ? tutti_last_error(driver->client) : "";

    return object_fail(driver, tutti_status_asio_error(status), "%s",
                       text && text[0] ? text : tutti_status_text(status));
}

void
object_get_error_text(struct driver *driver, char *text)
{
    AcquireSRWLockShared(&driver->text_mutex);
    memcpy(text, driver->error, sizeof(driver->error));
    ReleaseSRWLockShared(&driver->text_mutex);
}

/* ---- owning ---- */

bool
object_in_callback(const struct driver *driver)
{
    return atomic_load(&driver->callback_tid) == GetCurrentThreadId();
}

/* What the callback thread asked for and could not do itself. The next owner of the object does it:
 * waiting for the message thread could be waiting for oneself, when the host waits within a message
 * for this thread. */
static void
finish_dispose(struct driver *driver)
{
    driver->free_stream(driver);
    AcquireSRWLockExclusive(&driver->mutex);
    driver->dispose_deferred = false;
    ReleaseSRWLockExclusive(&driver->mutex);
}

bool
object_own(struct driver *driver, enum call call, bool awaits, int32_t *result)
{
    DWORD me = GetCurrentThreadId();
    bool in_callback = object_in_callback(driver);
    bool refused, deferred;

    AcquireSRWLockExclusive(&driver->mutex);
    for (;;) {
        refused = driver->owner == me || (driver->owner && in_callback && driver->awaits_callback);
        if (refused || !driver->owner) {
            break;
        }
        SleepConditionVariableSRW(&driver->changed, &driver->mutex, INFINITE, 0);
    }
    deferred = driver->dispose_deferred && !in_callback;
    if (!refused) {
        driver->owner = me;
        driver->awaits_callback = (awaits || deferred) && !in_callback;
        WakeAllConditionVariable(&driver->changed);
    }
    ReleaseSRWLockExclusive(&driver->mutex);
    if (!refused) {
        if (deferred) {
            finish_dispose(driver);
        }
        return true;
    }
    /* Another thread is stopping this very callback: what it asks for happens already. */
    if (in_callback && (call == CALL_STOP || call == CALL_DISPOSE_BUFFERS)) {
        *result = ASIO_OK;
    } else {
        *result = object_fail(driver, ASIO_INVALID_MODE,
                              "%s cannot be called from within another call of the driver",
                              rules[call].name);
    }
    return false;
}

void
object_disown(struct driver *driver)
{
    AcquireSRWLockExclusive(&driver->mutex);
    driver->owner = 0;
    driver->awaits_callback = false;
    WakeAllConditionVariable(&driver->changed);
    ReleaseSRWLockExclusive(&driver->mutex);
}

/* ---- messages ---- */

void
object_post(struct driver *driver, uint32_t messages)
{
    atomic_fetch_or(&driver->messages, messages);
    SetEvent(driver->message_event);
}

void
object_post_rate(struct driver *driver, double rate_hz)
{
    atomic_store(&driver->message_rate, bits_of_double(rate_hz));
    object_post(driver, MESSAGE_RATE);
}

void
object_drop_messages(struct driver *driver)
{
    AcquireSRWLockExclusive(&driver->mutex);
    atomic_fetch_and(&driver->messages, ~(uint32_t)MESSAGE_TO_HOST);
    driver->serial++;
    ReleaseSRWLockExclusive(&driver->mutex);
}
