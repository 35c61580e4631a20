/* SPDX-License-Identifier: MIT */
/*
 * How handles travel on Windows: whichever side may open the other's process duplicates them, with
 * the rights that the use of a section or an event asks for and no more.
 *
 * A program of higher integrity may open a lower one and not the other way round. So the sender
 * tries to give, and else leaves a duplicate in its own process, which the receiver moves over.
 */
#include "link.h"

static DWORD
rights(enum win32_object type)
{
    switch (type) {
    case WIN32_OBJECT_SECTION:
        return SECTION_MAP_READ | SECTION_MAP_WRITE | SECTION_QUERY;
    case WIN32_OBJECT_EVENT:
        return EVENT_MODIFY_STATE | SYNCHRONIZE;
    case WIN32_OBJECT_OTHER:
        break;
    }
    return 0;
}

static HANDLE
handle_of(uint32_t value)
{
    return (HANDLE)(uintptr_t)value;
}

static bool
give(HANDLE peer, struct win32_wire_handle *wire, HANDLE handle)
{
    const DWORD access = rights(win32_object_type(handle));
    HANDLE copy;
    if (access == 0) {
        SetLastError(ERROR_INVALID_HANDLE);
        return false;
    }
    if (peer != NULL &&
        DuplicateHandle(GetCurrentProcess(), handle, peer, &copy, access, FALSE, 0)) {
        wire->way = WIN32_WAY_GIVEN;
    } else if (DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, access,
                               FALSE, 0)) {
        wire->way = WIN32_WAY_PULL;
    } else {
        return false;
    }
    wire->value = (uint32_t)(uintptr_t)copy;
    return true;
}

void
win32_handles_take_back(HANDLE peer, const struct win32_wire_handle wire[OS_LINK_MAX_HANDLES])
{
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        if (wire[i].way == WIN32_WAY_GIVEN) {
            DuplicateHandle(peer, handle_of(wire[i].value), NULL, NULL, 0, FALSE,
                            DUPLICATE_CLOSE_SOURCE);
        } else if (wire[i].way == WIN32_WAY_PULL) {
            CloseHandle(handle_of(wire[i].value));
        }
    }
}

bool
win32_handles_give(HANDLE peer, struct win32_wire_handle wire[OS_LINK_MAX_HANDLES],
                   const os_handle *handles, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (handles[i] == OS_NO_HANDLE || give(peer, &wire[i], (HANDLE)handles[i])) {
            continue;
        }
        win32_log_failure("hand over a handle", GetLastError());
        win32_handles_take_back(peer, wire);
        return false;
    }
    return true;
}

/* OS_NO_HANDLE when it cannot be had or is of another kind than these two. */
static os_handle
receive(HANDLE peer, const struct win32_wire_handle *wire)
{
    HANDLE handle = handle_of(wire->value);
    if (wire->way == WIN32_WAY_PULL) {
        if (peer == NULL || !DuplicateHandle(peer, handle, GetCurrentProcess(), &handle, 0, FALSE,
                                             DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)) {
            return OS_NO_HANDLE;
        }
    } else if (wire->way != WIN32_WAY_GIVEN) {
        return OS_NO_HANDLE;
    }
    if (win32_object_type(handle) != WIN32_OBJECT_OTHER) {
        return (os_handle)handle;
    }
    /* a given value may be a lie, and something of our own that must stay open */
    if (wire->way == WIN32_WAY_PULL) {
        CloseHandle(handle);
    }
    return OS_NO_HANDLE;
}

bool
win32_handles_receive(HANDLE peer, const struct win32_wire_handle wire[OS_LINK_MAX_HANDLES],
                      os_handle handles[OS_LINK_MAX_HANDLES])
{
    bool complete = true;
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        handles[i] = wire[i].way == WIN32_WAY_NONE ? OS_NO_HANDLE : receive(peer, &wire[i]);
        complete = complete && (wire[i].way == WIN32_WAY_NONE || handles[i] != OS_NO_HANDLE);
    }
    for (unsigned i = 0; !complete && i < OS_LINK_MAX_HANDLES; i++) {
        os_handle_close(handles[i]);
        handles[i] = OS_NO_HANDLE;
    }
    return complete;
}
