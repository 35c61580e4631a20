/* SPDX-License-Identifier: MIT */
/*
 * One end of the control link: a message pipe with overlapped reads and writes. Each message begins
 * with a leader of our own that carries the handles (handles.c says how they travel).
 *
 * Each call waits for its own read or write and leaves nothing pending, so the pipe needs its lock
 * only to be closed by os_link_shutdown() while other threads use it.
 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bridge.h"

enum { CONNECT_PAUSE_MS = 20 };

wchar_t *
win32_link_name(void)
{
    return win32_object_name("\\\\.\\pipe\\", "engine");
}

/* ---- making one ---- */

/* The server is the process that was first to create the pipe, so a client looks whose it is. The
 * other way round the pipe's access list has let in this user only, whose elevated programs may not
 * be looked at. */
static bool
is_peer_ours(const struct os_link *link, HANDLE process, bool we_are_server)
{
    DWORD session = 0, own_session = 0;
    if (!ProcessIdToSessionId(GetCurrentProcessId(), &own_session) ||
        (ProcessIdToSessionId(link->peer_pid, &session) && session != own_session)) {
        return false;
    }
    enum win32_user user = win32_user_of_process(process);
    if (user == WIN32_USER_UNKNOWN) {
        user = we_are_server ? WIN32_USER_SAME : win32_owner_of(link->pipe);
    }
    return user == WIN32_USER_SAME;
}

/* Finds out who the peer is and opens its process as far as we may. */
static bool
meet_peer(struct os_link *link, bool we_are_server)
{
    ULONG pid = 0;
    if (!(we_are_server ? GetNamedPipeClientProcessId(link->pipe, &pid)
                        : GetNamedPipeServerProcessId(link->pipe, &pid))) {
        return false;
    }
    link->peer_pid = pid;
    link->peer = OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    HANDLE process = link->peer;
    if (process == NULL) {
        process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    }
    const bool ours = is_peer_ours(link, process, we_are_server);
    if (process != NULL && process != link->peer) {
        CloseHandle(process);
    }
    return ours;
}

enum tutti_status
win32_link_adopt(struct os_link **out, HANDLE pipe, bool we_are_server)
{
    struct os_link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        CloseHandle(pipe);
        return TUTTI_NO_MEMORY;
    }
    link->pipe = pipe;
    InitializeSRWLock(&link->lock);
    enum tutti_status status = TUTTI_NO_MEMORY;
    link->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    link->read_done = CreateEventW(NULL, TRUE, FALSE, NULL);
    link->write_done = CreateEventW(NULL, TRUE, FALSE, NULL);
    link->turn = CreateEventW(NULL, FALSE, TRUE, NULL);
    if (link->stop == NULL || link->read_done == NULL || link->write_done == NULL ||
        link->turn == NULL) {
        goto failed;
    }
    status = TUTTI_REFUSED;
    if (!meet_peer(link, we_are_server)) {
        log_warning("process %u at the other side of the link is not this user's: refused",
                    link->peer_pid);
        goto failed;
    }
    *out = link;
    return TUTTI_OK;

failed:
    os_link_close(link);
    return status;
}

static enum tutti_status
open_pipe(const wchar_t *name, uint64_t deadline_ns, HANDLE *out)
{
    for (;;) {
        *out = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                           FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                           NULL);
        if (*out != INVALID_HANDLE_VALUE) {
            return TUTTI_OK;
        }
        const DWORD error = GetLastError();
        if (error == ERROR_FILE_NOT_FOUND) {
            return TUTTI_NO_ENGINE; /* the ordinary case: nobody has started it yet */
        }
        if (error != ERROR_PIPE_BUSY) {
            win32_log_failure("connect to the engine's pipe", error);
            return TUTTI_REFUSED;
        }
        /* others connect too: wait for an instance, not long, for the engine may end meanwhile */
        if (os_now_ns() >= deadline_ns) {
            return TUTTI_TIMEOUT;
        }
        if (!WaitNamedPipeW(name, CONNECT_PAUSE_MS) && GetLastError() != ERROR_SEM_TIMEOUT) {
            Sleep(1);
        }
    }
}

enum tutti_status
os_link_connect(struct os_link **out, uint64_t deadline_ns)
{
    HANDLE pipe;
    if (bridge_choose()) {
        return bridge_link_connect(out, deadline_ns);
    }
    wchar_t *name = win32_link_name();
    if (name == NULL) {
        return TUTTI_REFUSED;
    }
    const enum tutti_status status = open_pipe(name, deadline_ns, &pipe);
    free(name);
    if (status != TUTTI_OK) {
        return status;
    }
    DWORD mode = PIPE_READMODE_MESSAGE | PIPE_WAIT;
    if (!SetNamedPipeHandleState(pipe, &mode, NULL, NULL)) {
        /* it closed already */
        CloseHandle(pipe);
        return TUTTI_NO_ENGINE;
    }
    return win32_link_adopt(out, pipe, false);
}

/* ---- one read or write ---- */

/* Starts it under the lock; ERROR_SUCCESS when it runs or is done already. */
static DWORD
start_io(struct os_link *link, bool write, void *data, DWORD bytes, OVERLAPPED *io)
{
    DWORD error = ERROR_BROKEN_PIPE;
    AcquireSRWLockShared(&link->lock);
    if (!link->shut) {
        const BOOL done = write ? WriteFile(link->pipe, data, bytes, NULL, io)
                                : ReadFile(link->pipe, data, bytes, NULL, io);
        error = done ? ERROR_SUCCESS : GetLastError();
    }
    ReleaseSRWLockShared(&link->lock);
    return error == ERROR_IO_PENDING ? ERROR_SUCCESS : error;
}

/* Reads or writes one message. ERROR_SUCCESS, WAIT_TIMEOUT, ERROR_MORE_DATA, or why the pipe is
 * dead. */
static DWORD
run_io(struct os_link *link, bool write, void *data, DWORD bytes, DWORD *moved,
       uint64_t deadline_ns)
{
    const HANDLE done = write ? link->write_done : link->read_done;
    OVERLAPPED io = {.hEvent = done};
    const HANDLE pipe = link->pipe;
    ResetEvent(done);
    const DWORD error = start_io(link, write, data, bytes, &io);
    if (error != ERROR_SUCCESS) {
        return error;
    }

    const HANDLE both[2] = {done, link->stop};
    const DWORD what = WaitForMultipleObjects(2, both, FALSE, win32_timeout_ms(deadline_ns));
    if (what != WAIT_OBJECT_0) {
        AcquireSRWLockShared(&link->lock);
        if (!link->shut) {
            CancelIoEx(link->pipe, &io);
        }
        ReleaseSRWLockShared(&link->lock);
        /* the system writes to io and data until then; os_link_shutdown() has cancelled it
         * otherwise */
        WaitForSingleObject(done, INFINITE);
    }
    /* it is finished, so this reads io and does not touch the pipe, which may be closed by now.
     * What was finished while it was being cancelled counts as done. */
    if (GetOverlappedResult(pipe, &io, moved, FALSE)) {
        return ERROR_SUCCESS;
    }
    const DWORD result = GetLastError();
    return result == ERROR_OPERATION_ABORTED && what == WAIT_TIMEOUT ? WAIT_TIMEOUT : result;
}

/* ---- sending ---- */

static enum tutti_status
send_in_turn(struct os_link *link, const void *message, size_t message_bytes,
             const os_handle *handles, unsigned handle_count, uint64_t deadline_ns)
{
    struct win32_packet *packet = &link->out;
    DWORD moved;
    memset(&packet->leader, 0, sizeof(packet->leader));
    packet->leader.message_bytes = (uint32_t)message_bytes;
    if (!win32_handles_give(link->peer, packet->leader.handle, handles, handle_count)) {
        return TUTTI_REFUSED;
    }
    memcpy(packet->message, message, message_bytes);
    const DWORD error =
        run_io(link, true, packet, (DWORD)(offsetof(struct win32_packet, message) + message_bytes),
               &moved, deadline_ns);
    if (error == ERROR_SUCCESS) {
        return TUTTI_OK;
    }
    win32_handles_take_back(link->peer, packet->leader.handle);
    return error == WAIT_TIMEOUT ? TUTTI_TIMEOUT : TUTTI_CLOSED;
}

enum tutti_status
os_link_send(struct os_link *link, const void *message, size_t message_bytes,
             const os_handle *handles, unsigned handle_count, uint64_t deadline_ns)
{
    if (link->bridge != NULL) {
        return bridge_link_send(link->bridge, message, message_bytes, handles, handle_count,
                                deadline_ns);
    }
    if (message_bytes == 0 || message_bytes > OS_LINK_MAX_MESSAGE_BYTES ||
        handle_count > OS_LINK_MAX_HANDLES) {
        return TUTTI_INVALID_ARGUMENT;
    }
    /* an event instead of a lock, because waiting for it can end */
    const HANDLE both[2] = {link->stop, link->turn};
    switch (WaitForMultipleObjects(2, both, FALSE, win32_timeout_ms(deadline_ns))) {
    case WAIT_OBJECT_0 + 1:
        break;
    case WAIT_TIMEOUT:
        return TUTTI_TIMEOUT;
    default:
        return TUTTI_CLOSED;
    }
    const enum tutti_status status =
        send_in_turn(link, message, message_bytes, handles, handle_count, deadline_ns);
    SetEvent(link->turn);
    return status;
}

/* ---- receiving ---- */

enum tutti_status
os_link_recv(struct os_link *link, void *message, size_t message_room, size_t *message_bytes,
             os_handle *handles, uint64_t deadline_ns)
{
    struct win32_packet *packet = &link->in;
    const char *why = NULL;
    DWORD moved = 0;
    if (link->bridge != NULL) {
        return bridge_link_recv(link->bridge, message, message_room, message_bytes, handles,
                                deadline_ns);
    }
    const DWORD error = run_io(link, false, packet, (DWORD)sizeof(*packet), &moved, deadline_ns);
    if (error == WAIT_TIMEOUT) {
        return TUTTI_TIMEOUT;
    }
    if (error != ERROR_SUCCESS && error != ERROR_MORE_DATA) {
        return TUTTI_CLOSED;
    }

    const size_t leader_bytes = offsetof(struct win32_packet, message);
    const size_t bytes = packet->leader.message_bytes;
    if (error == ERROR_MORE_DATA || moved <= leader_bytes || bytes != moved - leader_bytes) {
        why = "of another length than it says";
    } else if (!win32_handles_receive(link->peer, packet->leader.handle, handles)) {
        why = "with handles that cannot be had";
    } else if (bytes > message_room) {
        why = "longer than there is room";
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            os_handle_close(handles[i]);
        }
    }
    if (why != NULL) {
        log_warning("process %u sent a message %s", link->peer_pid, why);
        os_link_shutdown(link);
        return TUTTI_PROTOCOL;
    }
    memcpy(message, packet->message, bytes);
    *message_bytes = bytes;
    return TUTTI_OK;
}

/* ---- ending ---- */

void
os_link_shutdown(struct os_link *link)
{
    if (link->bridge != NULL) {
        bridge_link_shutdown(link->bridge);
        return;
    }
    AcquireSRWLockExclusive(&link->lock);
    if (!link->shut) {
        link->shut = true;
        SetEvent(link->stop);
        CancelIoEx(link->pipe, NULL);
        /* closing, unlike disconnecting, leaves the peer what it has not read yet */
        CloseHandle(link->pipe);
    }
    ReleaseSRWLockExclusive(&link->lock);
}

void
os_link_close(struct os_link *link)
{
    if (link == NULL) {
        return;
    }
    if (link->bridge != NULL) {
        bridge_link_close(link->bridge);
        free(link);
        return;
    }
    if (!link->shut) {
        CloseHandle(link->pipe);
    }
    HANDLE rest[] = {link->stop, link->read_done, link->write_done, link->turn, link->peer};
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        if (rest[i] != NULL) {
            CloseHandle(rest[i]);
        }
    }
    free(link);
}

uint32_t
os_link_peer_pid(const struct os_link *link)
{
    return link->bridge != NULL ? bridge_link_peer_pid(link->bridge) : link->peer_pid;
}
