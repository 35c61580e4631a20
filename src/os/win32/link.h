/* SPDX-License-Identifier: MIT */
/* What link.c and handles.c share: the packet on the pipe, and the link itself. */
#ifndef TUTTI_OS_WIN32_LINK_H
#define TUTTI_OS_WIN32_LINK_H

#include <assert.h>

#include "win32.h"

enum win32_way {
    WIN32_WAY_NONE,  /* no handle at this position */
    WIN32_WAY_GIVEN, /* value is a handle in the receiver's process */
    WIN32_WAY_PULL,  /* value is a duplicate in the sender's process, for the receiver to move over
                      */
};

/* How one handle travels. Handles have 32 significant bits in 64-bit processes too. */
struct win32_wire_handle {
    uint32_t way; /* enum win32_way */
    uint32_t value;
};

struct win32_packet {
    struct {
        uint32_t message_bytes;
        uint32_t reserved;
        struct win32_wire_handle handle[OS_LINK_MAX_HANDLES];
    } leader;
    unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
};
static_assert(offsetof(struct win32_packet, message) == 8 + 8 * OS_LINK_MAX_HANDLES,
              "the same from 32- and 64-bit programs");

struct bridge_link;

struct os_link {
    struct bridge_link *bridge; /* to the native engine; then the rest is unused */
    HANDLE pipe;
    HANDLE peer; /* its process with the right to duplicate handles; NULL: we may not */
    uint32_t peer_pid;
    SRWLOCK lock;      /* covers shut, and keeps the pipe open while it is held */
    bool shut;         /* the pipe is closed */
    HANDLE stop;       /* manual reset, set with shut */
    HANDLE read_done;  /* manual reset, of the receiver's read */
    HANDLE write_done; /* manual reset, of the sender's write */
    HANDLE turn;       /* auto reset: set while nobody sends */
    struct win32_packet in;
    struct win32_packet out; /* of the thread whose turn it is */
};

/** Puts handles on their way: into the peer's process where we may, else as duplicates that the
 * peer pulls. False, with nothing left behind, when one is neither section nor event or cannot be
 * duplicated. */
bool win32_handles_give(HANDLE peer, struct win32_wire_handle wire[OS_LINK_MAX_HANDLES],
                        const os_handle *handles, unsigned count);
/** Undoes it: the message did not leave. */
void win32_handles_take_back(HANDLE peer, const struct win32_wire_handle wire[OS_LINK_MAX_HANDLES]);
/** The other side: fills all of handles[]. False, with nothing kept, when one cannot be had. */
bool win32_handles_receive(HANDLE peer, const struct win32_wire_handle wire[OS_LINK_MAX_HANDLES],
                           os_handle handles[OS_LINK_MAX_HANDLES]);

#endif
