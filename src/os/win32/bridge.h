/* SPDX-License-Identifier: MIT */
/*
 * Under Wine, with Tutti's native parts installed: the way to the native engine (bridge_records.h
 * tells it). Whether a program goes that way is decided once, when it first connects; after that
 * the files of this folder ask bridge_is_on() where the ways part.
 */
#ifndef TUTTI_OS_WIN32_BRIDGE_H
#define TUTTI_OS_WIN32_BRIDGE_H

#include "os/bridge_records.h"
#include "win32.h"

/* ---- bridge.c: the bridge and what it is asked ---- */

/** Decides at the first call: true when this is Wine and a bridge answers. */
bool bridge_choose(void);
/** What bridge_choose() decided; false before. Real time. */
bool bridge_is_on(void);

/** Has a bridge run, a new one if the last one ended, till bridge_release(). Errors: NO_ENGINE. */
enum tutti_status bridge_hold(void);
/** Two seconds after the last one it ends, unless somebody holds it again. */
void bridge_release(void);

/** Asks the bridge; reply: NULL: only the status matters. Errors: CLOSED (the bridge has gone or
 * hangs), else what it answered. */
enum tutti_status bridge_ask(struct bridge_record *request, const void *payload,
                             size_t payload_bytes, struct bridge_record *reply,
                             uint64_t timeout_ms);

/** As bridge_ask(), for what is done whenever the bridge comes to it: waits for no answer. */
void bridge_tell(struct bridge_record *request);

/** Opens what a bridge holds: \\?\unix\proc\PID\fd\N. NULL, with GetLastError(), when it cannot be
 * opened. */
HANDLE bridge_open(uint32_t pid, int fd, DWORD access);

/** Which of the bridges this is, 0: none runs; its process. */
uint32_t bridge_epoch(void);
uint32_t bridge_pid(void);

/** Gives the calling thread a real-time priority of Linux; its id there, 0: not found. */
uint32_t bridge_raise_thread(enum os_priority priority);

/* ---- bridge_link.c ---- */

struct bridge_link;

enum tutti_status bridge_link_connect(struct os_link **out, uint64_t deadline_ns);
enum tutti_status bridge_link_send(struct bridge_link *link, const void *message,
                                   size_t message_bytes, const os_handle *handles,
                                   unsigned handle_count, uint64_t deadline_ns);
enum tutti_status bridge_link_recv(struct bridge_link *link, void *message, size_t message_room,
                                   size_t *message_bytes, os_handle *handles, uint64_t deadline_ns);
void bridge_link_shutdown(struct bridge_link *link);
void bridge_link_close(struct bridge_link *link);
uint32_t bridge_link_peer_pid(const struct bridge_link *link);
/** A MESSAGE or CLOSED of the bridge, on its reader thread. */
void bridge_link_take(const struct bridge_record *record, const void *payload,
                      size_t payload_bytes);
/** The bridge has gone, and every link with it. */
void bridge_link_lose_all(void);

/* ---- bridge_object.c: pipes and memory files, as os_handles that no Windows handle is ---- */

static inline bool
bridge_owns(os_handle handle)
{
    return handle != OS_NO_HANDLE && (handle & 3) == 1;
}

/** What the bridge described; OS_NO_HANDLE for none, or when there is no room. */
os_handle bridge_object_take(const struct bridge_object *object);
/** Its number in the bridge that runs now; 0: it cannot be had. */
uint32_t bridge_object_id(os_handle handle);
void bridge_object_close(os_handle handle);

/** A new memory file. Errors: NO_MEMORY. */
enum tutti_status bridge_memory_create(size_t size_bytes, os_handle *out);
/** The section over it, borrowed; NULL: it is not that large. */
HANDLE bridge_memory_section(os_handle handle, size_t size_bytes);

/** A new pipe. Errors: NO_MEMORY. */
enum tutti_status bridge_pipe_create(os_handle *out);
/** Makes it ready for the two below. */
bool bridge_pipe_open(os_handle handle);
/** Real time. */
void bridge_pipe_post(os_handle handle);
/** As os_wake_wait(). */
bool bridge_pipe_wait(os_handle handle, const _Atomic uint32_t *word, uint32_t seen,
                      uint64_t deadline_ns);

#endif
