/* SPDX-License-Identifier: MIT */
/* Life of an object: creation, init, its error text, who owns it for a call, and its end. */
#include "asio/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "asio/ansi.h"
#include "base/log.h"

struct asio_driver *
driver_new(const struct dll_name *name)
{
    struct driver *driver = calloc(1, sizeof(*driver));

    if (!driver) {
        return NULL;
    }
    driver->com.methods = &gate_methods;
    driver->entry = *name;
    driver->name = &driver->entry;
    InitializeSRWLock(&driver->settings.in_use);
    atomic_store(&driver->references, 1);
    InitializeSRWLock(&driver->mutex);
    InitializeConditionVariable(&driver->changed);
    InitializeSRWLock(&driver->text_mutex);
    monitor_init(&driver->monitor);
    snprintf(driver->error, sizeof(driver->error), "no error");
    dll_hold();
    return &driver->com;
}

void
driver_free(struct driver *driver)
{
    /* Calls that other threads of the host began before the last Release are on their way out. */
    while (atomic_load(&driver->inside)) {
        Sleep(1);
    }
    if (driver->message_event) {
        CloseHandle(driver->message_event);
    }
    buffers_close(&driver->buffers);
    settings_close(driver);
    free(driver);
    dll_let_go();
}

/* ---- state ---- */

enum state
driver_state(const struct driver *driver)
{
    return (enum state)atomic_load(&driver->state);
}

void
driver_enter_state(struct driver *driver, enum state to)
{
    AcquireSRWLockExclusive(&driver->mutex);
    if (rules_may_enter(driver_state(driver), to)) {
        atomic_store(&driver->state, (int)to);
    }
    WakeAllConditionVariable(&driver->changed);
    ReleaseSRWLockExclusive(&driver->mutex);
}

/* ---- error text ---- */

int32_t
driver_fail(struct driver *driver, int32_t result, const char *format, ...)
{
    char text[2 * ASIO_ERROR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    AcquireSRWLockExclusive(&driver->text_mutex);
    ansi_copy(GetACP(), driver->error, sizeof(driver->error), text);
    ReleaseSRWLockExclusive(&driver->text_mutex);
    if (!driver_in_callback(driver)) { /* that thread writes no log */
        log_debug("asio: '%s': %s", driver->name->name, text);
    }
    return result;
}

int32_t
driver_fail_status(struct driver *driver, enum tutti_status status)
{
    const char *text = driver->client ? tutti_last_error(driver->client) : "";

    return driver_fail(driver, tutti_status_asio_error(status), "%s",
                       text && text[0] ? text : tutti_status_text(status));
}

void
driver_get_error_text(struct driver *driver, char *text)
{
    AcquireSRWLockShared(&driver->text_mutex);
    memcpy(text, driver->error, sizeof(driver->error));
    ReleaseSRWLockShared(&driver->text_mutex);
}

/* ---- owning ---- */

bool
driver_in_callback(const struct driver *driver)
{
    return atomic_load(&driver->callback_tid) == GetCurrentThreadId();
}

/* What the callback thread asked for and could not do itself. Whoever owns the object next does it:
 * waiting for the message thread could be waiting for oneself, when the host waits within a message
 * for this thread. */
static void
finish_dispose(struct driver *driver)
{
    stream_free(driver);
    AcquireSRWLockExclusive(&driver->mutex);
    driver->dispose_deferred = false;
    ReleaseSRWLockExclusive(&driver->mutex);
}

bool
driver_own(struct driver *driver, enum call call, bool awaits, int32_t *result)
{
    DWORD me = GetCurrentThreadId();
    bool in_callback = driver_in_callback(driver);
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
        *result = driver_fail(driver, ASIO_INVALID_MODE,
                              "%s cannot be called from within another call of the driver",
                              rules[call].name);
    }
    return false;
}

void
driver_disown(struct driver *driver)
{
    AcquireSRWLockExclusive(&driver->mutex);
    driver->owner = 0;
    driver->awaits_callback = false;
    WakeAllConditionVariable(&driver->changed);
    ReleaseSRWLockExclusive(&driver->mutex);
}

/* ---- init and end ---- */

int32_t
driver_init(struct driver *driver)
{
    char why[TUTTI_TEXT_BYTES] = "";
    struct tutti_open_params params = {
        .profile = driver->name->profile, .event = messages_event, .user = driver, .error = why};

    /* Some hosts reset a driver in this way, and give up on 0. */
    if (driver_state(driver) != STATE_LOADED) {
        return ASIO_OK;
    }
    settings_open(driver);
    enum tutti_status status = tutti_open(&driver->client, &params);
    if (status) {
        driver->client = NULL;
        return driver_fail(driver, tutti_status_asio_error(status), "%s",
                           why[0] ? why : tutti_status_text(status));
    }
    int32_t result = messages_open(driver);
    if (result) {
        tutti_close(driver->client);
        driver->client = NULL;
        return result;
    }
    device_recall_rate(driver);
    driver_enter_state(driver, STATE_INITIALIZED);
    return ASIO_OK;
}

void
driver_end(struct driver *driver)
{
    int32_t ignored;

    if (dll_process_ends()) {
        return; /* its threads are gone: waiting for them would never end */
    }
    if (atomic_load(&driver->message_tid) == 0) {
        driver_free(driver);
        return;
    }
    /* Within a callback, or within another call of this thread, nothing can be waited for: the
     * message thread does all of it. Elsewhere nothing of the host is called any more once this
     * returns. */
    if (!driver_in_callback(driver) && driver_own(driver, CALL_DISPOSE_BUFFERS, true, &ignored)) {
        stream_tear_down(driver);
        driver_disown(driver);
        messages_settle(driver);
    }
    messages_post(driver, MESSAGE_END);
}
