/* SPDX-License-Identifier: MIT */
/*
 * The engine's listening end: one instance of the pipe always waits for a client. Once it has one,
 * the next instance is made before the first is handed out, so that a client that connects
 * meanwhile finds the pipe busy, never missing.
 */
#include "win32.h"

#include <stdlib.h>

#include "base/log.h"

enum { PIPE_BUFFER_BYTES = 4 * OS_LINK_MAX_MESSAGE_BYTES };

struct os_listener {
    wchar_t *name;
    struct win32_security security;
    HANDLE pipe;      /* the instance that waits; INVALID_HANDLE_VALUE: to be made */
    HANDLE connected; /* manual reset, of the pending connect */
    HANDLE wake;      /* manual reset, set for good once woken */
};

static HANDLE
create_instance(struct os_listener *listener, DWORD flags)
{
    return CreateNamedPipeW(listener->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
                            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT |
                                PIPE_REJECT_REMOTE_CLIENTS,
                            PIPE_UNLIMITED_INSTANCES, PIPE_BUFFER_BYTES, PIPE_BUFFER_BYTES, 0,
                            &listener->security.attributes);
}

/* The engine lock is the caller's, so a pipe of this name is either a dead engine's, kept by a
 * client that has not released it, or somebody else's. The owner tells: it is that of the first
 * instance. */
static enum tutti_status
create_first_instance(struct os_listener *listener)
{
    listener->pipe = create_instance(listener, FILE_FLAG_FIRST_PIPE_INSTANCE);
    if (listener->pipe != INVALID_HANDLE_VALUE) {
        return TUTTI_OK;
    }
    if (GetLastError() == ERROR_ACCESS_DENIED) {
        listener->pipe = create_instance(listener, 0);
        if (listener->pipe != INVALID_HANDLE_VALUE &&
            win32_owner_of(listener->pipe) == WIN32_USER_SAME) {
            return TUTTI_OK;
        }
        log_error("the engine's pipe exists already and is not this user's");
        return TUTTI_REFUSED;
    }
    win32_log_failure("create the engine's pipe", GetLastError());
    return TUTTI_IO;
}

void
os_listener_close(struct os_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->pipe != INVALID_HANDLE_VALUE) {
        CloseHandle(listener->pipe);
    }
    if (listener->connected != NULL) {
        CloseHandle(listener->connected);
    }
    if (listener->wake != NULL) {
        CloseHandle(listener->wake);
    }
    if (listener->security.descriptor != NULL) {
        win32_security_fini(&listener->security);
    }
    free(listener->name);
    free(listener);
}

enum tutti_status
os_listener_open(struct os_listener **out)
{
    struct os_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        return TUTTI_IO;
    }
    listener->pipe = INVALID_HANDLE_VALUE;
    enum tutti_status status = TUTTI_REFUSED;
    listener->name = win32_link_name();
    if (listener->name == NULL || !win32_security_init_private(&listener->security)) {
        goto failed;
    }
    status = TUTTI_IO;
    listener->connected = CreateEventW(NULL, TRUE, FALSE, NULL);
    listener->wake = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (listener->connected == NULL || listener->wake == NULL) {
        goto failed;
    }
    status = create_first_instance(listener);
    if (status != TUTTI_OK) {
        goto failed;
    }
    *out = listener;
    return TUTTI_OK;

failed:
    os_listener_close(listener);
    return status;
}

/* Waits for a client of the present instance: OK, TIMEOUT, CLOSED when woken, IO when the instance
 * is no use any more. Nothing is pending afterwards. */
static enum tutti_status
wait_for_client(struct os_listener *listener, uint64_t deadline_ns)
{
    OVERLAPPED connect = {.hEvent = listener->connected};
    DWORD bytes;
    ResetEvent(listener->connected);
    if (WaitForSingleObject(listener->wake, 0) == WAIT_OBJECT_0) {
        return TUTTI_CLOSED;
    }
    if (ConnectNamedPipe(listener->pipe, &connect)) {
        return TUTTI_OK;
    }
    switch (GetLastError()) {
    case ERROR_PIPE_CONNECTED:
        return TUTTI_OK;
    case ERROR_IO_PENDING:
        break;
    default: /* ERROR_NO_DATA: it came and went */
        return TUTTI_IO;
    }
    const HANDLE both[2] = {listener->wake, listener->connected};
    const DWORD what = WaitForMultipleObjects(2, both, FALSE, win32_timeout_ms(deadline_ns));
    if (what != WAIT_OBJECT_0 + 1) {
        CancelIoEx(listener->pipe, &connect);
        WaitForSingleObject(listener->connected, INFINITE);
    }
    /* a client may have come while the connect was being cancelled */
    const bool connected = GetOverlappedResult(listener->pipe, &connect, &bytes, FALSE) != 0;
    if (what == WAIT_OBJECT_0) {
        return TUTTI_CLOSED;
    }
    if (connected) {
        return TUTTI_OK;
    }
    return what == WAIT_TIMEOUT ? TUTTI_TIMEOUT : TUTTI_IO;
}

enum tutti_status
os_listener_accept(struct os_listener *listener, struct os_link **out, uint64_t deadline_ns)
{
    for (;;) {
        if (listener->pipe == INVALID_HANDLE_VALUE) {
            listener->pipe = create_instance(listener, 0);
        }
        if (listener->pipe == INVALID_HANDLE_VALUE) {
            win32_log_failure("create another instance of the engine's pipe", GetLastError());
            return TUTTI_IO;
        }
        const enum tutti_status status = wait_for_client(listener, deadline_ns);
        if (status == TUTTI_TIMEOUT || status == TUTTI_CLOSED) {
            return status;
        }
        /* also after a client that came and went: a new instance costs less than being certain of
         * the old */
        const HANDLE pipe = listener->pipe;
        listener->pipe = create_instance(listener, 0);
        if (status == TUTTI_OK) {
            return win32_link_adopt(out, pipe, true);
        }
        CloseHandle(pipe);
    }
}

void
os_listener_wake(struct os_listener *listener)
{
    SetEvent(listener->wake);
}
