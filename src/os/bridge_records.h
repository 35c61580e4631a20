/* SPDX-License-Identifier: MIT */
/*
 * What a Windows program under Wine and its bridge say to each other. The bridge (src/bridge/) is a
 * native process, one for each such program: it has what code for Windows cannot have under Wine, a
 * Unix socket to the engine, memory files, locks of the native runtime folder, priorities of Linux
 * threads. The program's side is os/win32/bridge.c.
 *
 * Two pipes carry records: requests one way, answers and what the engine sends the other way. The
 * program opens pipes and memory files as \\?\unix\proc\PID\fd\N. Once open they need neither the
 * bridge nor Wine's server: samples and wake-ups go between program and engine alone.
 */
#ifndef TUTTI_OS_BRIDGE_RECORDS_H
#define TUTTI_OS_BRIDGE_RECORDS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#include "os/os.h"

enum {
    BRIDGE_VERSION = 2,
    BRIDGE_TEXT_BYTES = 256,
    BRIDGE_FIRST_WORD_MS = 30000, /* a bridge that nobody spoke to for so long ends */
};

enum bridge_kind {
    BRIDGE_NONE,
    /* requests; what the answer's fields hold */
    BRIDGE_GREET,   /* value: os_now_ns(), text: name of a thread of ours. number: this process,
                       text: the engine's runtime folder */
    BRIDGE_CONNECT, /* number: for how many ms. link, number: the engine's process */
    BRIDGE_SEND,    /* link, number: for how many ms, object[].id, payload */
    BRIDGE_SHUT,    /* link: as os_link_shutdown() */
    BRIDGE_DROP,    /* link: as os_link_close() */
    BRIDGE_MEMORY,  /* value: size. object[0] */
    BRIDGE_PIPE,    /* object[0]: for reading and writing */
    BRIDGE_FIND,    /* object[0]: of a bridge that ended. object[0]: it, here */
    BRIDGE_CLOSE,   /* object[0].id */
    BRIDGE_THREAD,  /* text: name of a thread, number: enum os_priority. number: its Linux id */
    BRIDGE_LOCK,    /* text: its name, number: for how many ms, value: as the program calls it */
    BRIDGE_UNLOCK,  /* value: likewise, taken late or not at all, too */
    BRIDGE_START,   /* text: the engine to start, "": the one beside the bridge. number: its id */
    BRIDGE_ALIVE,   /* number: a process. status OK: it lives */
    BRIDGE_KILL,    /* number: a process, text: its image. status OK: it is gone */
    /* from the bridge */
    BRIDGE_ANSWER,
    BRIDGE_MESSAGE, /* link, object[], payload: what the engine sent */
    BRIDGE_CLOSED,  /* link: nothing comes any more */
};

/* A pipe or a memory file. */
struct bridge_object {
    uint32_t id; /* 0: none */
    int32_t fd;  /* in the bridge */
    uint64_t device, inode;
};

struct bridge_record {
    uint32_t size_bytes; /* with the payload */
    uint32_t kind;       /* enum bridge_kind */
    uint32_t serial;     /* an answer's: its request's */
    uint32_t status;     /* enum tutti_status */
    uint32_t link;
    uint32_t number;
    uint64_t value;
    struct bridge_object object[OS_LINK_MAX_HANDLES];
    char text[BRIDGE_TEXT_BYTES];
};
static_assert(sizeof(struct bridge_record) == 32 + 24 * OS_LINK_MAX_HANDLES + 256,
              "the same from 32- and 64-bit programs");

/* Shared memory of a bridge; its only writer. */
struct bridge_clock {
    _Atomic int64_t offset_ns; /* the engine's time less the program's */
};

#endif
