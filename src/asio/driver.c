/* SPDX-License-Identifier: MIT */
/* Life of an object: creation, init and end. */
#include "asio/driver.h"

#include <stdio.h>
#include <stdlib.h>

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
    driver->free_stream = stream_free;
    monitor_init(&driver->monitor);
    snprintf(driver->error, sizeof(driver->error), "no error");
    module_hold();
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
    module_release();
}

/* ---- init and end ---- */

int32_t
driver_init(struct driver *driver)
{
    char why[TUTTI_TEXT_BYTES] = "";
    struct tutti_open_params params = {
        .profile = driver->name->profile, .event = messages_event, .user = driver, .error = why};

    /* Some hosts reset a driver in this way, and give up on 0. */
    if (object_state(driver) != STATE_LOADED) {
        return ASIO_OK;
    }
    settings_open(driver);
    enum tutti_status status = tutti_open(&driver->client, &params);
    if (status) {
        driver->client = NULL;
        return object_fail(driver, tutti_status_asio_error(status), "%s",
                           why[0] ? why : tutti_status_text(status));
    }
    int32_t result = messages_open(driver);
    if (result) {
        tutti_close(driver->client);
        driver->client = NULL;
        return result;
    }
    device_recall_rate(driver);
    object_enter_state(driver, STATE_INITIALIZED);
    return ASIO_OK;
}

void
driver_end(struct driver *driver)
{
    int32_t ignored;

    if (module_process_ends()) {
        return; /* its threads are gone: waiting for them would never end */
    }
    if (atomic_load(&driver->message_tid) == 0) {
        driver_free(driver);
        return;
    }
    /* Within a callback, or within another call of this thread, nothing can be waited for: the
     * message thread does all of it. Elsewhere nothing of the host is called any more once this
     * returns. */
    if (!object_in_callback(driver) && object_own(driver, CALL_DISPOSE_BUFFERS, true, &ignored)) {
        stream_tear_down(driver);
        object_disown(driver);
        messages_settle(driver);
    }
    object_post(driver, MESSAGE_END);
}
