/* SPDX-License-Identifier: MIT */
/*
 * What Tutti asks of an operating system, and nothing else: time, threads, shared memory, wake-ups,
 * the control link, processes. posix/ and win32/ each implement all of it; the build picks one.
 * Nothing here knows about audio.
 *
 * Threads: unless a function says otherwise it may be called on any thread. Functions marked
 * "real time" neither allocate nor take a lock nor write a log.
 */
#ifndef TUTTI_OS_H
#define TUTTI_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/os_realtime.h"
#include "tutti/status.h"

/* ---- time ---------------------------------------------------------------------------------- */

/** Sleeps until os_now_ns() >= deadline_ns, as finely as the system can (clock_nanosleep; a
 *  high-resolution waitable timer kept per thread). Real time but for the first call on a thread.
 */
void os_sleep_until_ns(uint64_t deadline_ns);

/* ---- threads ------------------------------------------------------------------------------- */

enum os_priority {
    OS_PRIORITY_NORMAL,
    OS_PRIORITY_PROGRAM, /* SCHED_FIFO 60; MMCSS "Pro Audio", high */
    OS_PRIORITY_ENGINE,  /* SCHED_FIFO 70, above every program; MMCSS "Pro Audio", critical */
    OS_PRIORITY_BELLS,   /* SCHED_FIFO 69; below the engine's, above every program */
};

struct os_thread;

/** Starts a thread that runs run(arg). name: at most 15 bytes, shown in debuggers. When a real-time
 *  priority is refused the thread runs at normal priority and one log line says how to allow it.
 *  *out: owned by the caller, ended with os_thread_join(). Errors: NO_MEMORY. */
enum tutti_status os_thread_start(struct os_thread **out, const char *name,
                                  enum os_priority priority, void (*run)(void *arg), void *arg);

/** Waits for the thread's end and frees it. NULL is fine. Never called by the thread itself. */
void os_thread_join(struct os_thread *thread);

/** Waits at most until deadline_ns for the thread's end; true when it ended (and was freed). */
bool os_thread_join_until(struct os_thread *thread, uint64_t deadline_ns);

/** Sets the calling thread's priority; false when the system refused it. */
bool os_thread_set_priority(enum os_priority priority);

/** Raises the calling thread to priority unless it has that or more already (a thread that a
 * library made); false when the system refused it. Real time but for the system call. */
bool os_thread_raise_priority(enum os_priority priority);

/** Sets the priority of another thread of this user's by its system-wide id; false when the system
 * refused it, and on Windows. */
bool os_thread_promote(uint32_t tid, enum os_priority priority);

/** True when tid is a thread of process pid now (both of this user, else false). Not real time. */
bool os_process_has_thread(uint32_t pid, uint32_t tid);

/** Keeps a real-time thread of another process on one processor. False when it is not a thread of
 * that process, or not at real-time priority, or may not run there; on Windows always: threads are
 * left to the system. Not real time. */
bool os_thread_gather(uint32_t pid, uint32_t tid, uint32_t cpu);

/** For os_thread_time_ns(); ended by os_handle_close(). OS_NO_HANDLE: it is not a thread of that
 * process, or the system tells no times. Not real time. */
os_handle os_thread_time_open(uint32_t pid, uint32_t tid);

/** Processor time that a process's threads at real-time priority have had, ns (Windows: all of its
 * threads); 0 when it is gone. Not real time. */
uint64_t os_process_realtime_cpu_ns(uint32_t pid);

/** Takes every real-time thread of a process down to normal scheduling. Not real time. */
void os_process_demote(uint32_t pid);

/** Schedules a thread as it was before os_thread_demote(). False when the system refused. */
bool os_thread_restore(uint32_t pid, uint32_t tid, const struct os_thread_level *former);

struct os_mutex { /* process-private, not recursive; zero-initialised is not enough: init it */
    _Alignas(8) unsigned char storage[64];
};
struct os_cond {
    _Alignas(8) unsigned char storage[64];
};
void os_mutex_init(struct os_mutex *mutex);
void os_mutex_fini(struct os_mutex *mutex);
void os_mutex_lock(struct os_mutex *mutex);
void os_mutex_unlock(struct os_mutex *mutex);
void os_cond_init(struct os_cond *cond);
void os_cond_fini(struct os_cond *cond);
void os_cond_signal_all(struct os_cond *cond);
/** Waits until signalled or until deadline_ns (UINT64_MAX: for ever); false on the deadline. */
bool os_cond_wait_until(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns);

/* ---- handles, shared memory ---------------------------------------------------------------- */

/** Closes a handle. OS_NO_HANDLE is fine. */
void os_handle_close(os_handle handle);

/** Another handle to the same object, owned by the caller; OS_NO_HANDLE for OS_NO_HANDLE or on
 * failure. */
os_handle os_handle_duplicate(os_handle handle);

struct os_shm {
    void *base;        /* page-aligned, NULL when closed */
    size_t size_bytes; /* as asked */
    os_handle handle;  /* kept while mapped: os_shm_is_whole() asks by it */
};

/** Creates zeroed shared memory, prefaulted and locked into memory where allowed. Linux: a memfd
 * with the seals SHRINK, GROW, SEAL; Windows: an unnamed section. Errors: NO_MEMORY. */
enum tutti_status os_shm_create(struct os_shm *shm, size_t size_bytes);

/** Maps memory that a peer sent, read-write, and owns the handle from then on (closed on failure
 *  too). Refused with PROTOCOL unless it is what os_shm_create() makes, with at least
 *  size_bytes and, on Linux, exactly that size and all three seals; mapping failure: NO_MEMORY. */
enum tutti_status os_shm_adopt(struct os_shm *shm, os_handle handle, size_t size_bytes);

/** False when somebody has taken pages out of it (Linux: a hole punched through the seals), which
 * are empty then until somebody touches them. Touches none. */
bool os_shm_is_whole(const struct os_shm *shm);

/** Unmaps and closes. A zeroed or closed struct is fine. */
void os_shm_close(struct os_shm *shm);

/* ---- wake-ups ------------------------------------------------------------------------------ */

/** Makes a wake-up over a word of shared memory. Errors: NO_MEMORY. */
enum tutti_status os_wake_init(struct os_wake *wake, _Atomic uint32_t *word);

/** The other side's half: word in the mapped memory, event as received (owned from then on; closed
 * on failure; OS_NO_HANDLE on Linux). Errors: PROTOCOL when the handle is not what belongs there.
 */
enum tutti_status os_wake_adopt(struct os_wake *wake, _Atomic uint32_t *word, os_handle event);

void os_wake_fini(struct os_wake *wake);

/** Waits until the word differs from seen, or deadline_ns; may return early. Real time.
 *  True: the word differs. */
bool os_wake_wait(struct os_wake *wake, uint32_t seen, uint64_t deadline_ns);

/*
 * Doorbells by pipe. Who reads a pipe can keep its writer waiting, and reader and closer, too: so
 * none of that is done by the cycle. It marks bells and wakes a thread that writes them all; where
 * that stands still for longer than a period, another one takes over and leaves that bell alone.
 * The same thread hears what programs answer. On Windows there are none: NULL and OS_NO_BELL.
 */

/** Makes what rings; no thread yet. heard: posted when a program answers; borrowed. Errors:
 * NO_MEMORY. */
enum tutti_status os_bells_new(struct os_bells **out, struct os_wake *heard);
/** After all bells were removed. When a program keeps a thread even now, what belongs to it stays.
 * NULL is fine. */
void os_bells_free(struct os_bells *bells);

/** Takes a doorbell that a program sent. A pipe is owned from then on, *doorbell becomes
 * OS_NO_HANDLE and *bell its number; where none is needed *bell is OS_NO_BELL. Waits for nobody.
 * Errors: PROTOCOL (neither pipe nor nothing; closed), FULL (too many, or too many threads stand
 * in one), NO_MEMORY. */
enum tutti_status os_bells_add(struct os_bells *bells, os_handle *doorbell, uint32_t *bell);
/** What the program of this bell is to write to when it wakes the engine: borrowed, till it is
 * removed. OS_NO_HANDLE for OS_NO_BELL. */
os_handle os_bells_answer(const struct os_bells *bells, uint32_t bell);
/** Gives a bell back; its pipes are closed by the thread, when nobody stands in them. The cycle
 * does not ring it any more. OS_NO_BELL is fine. */
void os_bells_remove(struct os_bells *bells, uint32_t bell);
/** Every few ms: sees that there is a thread to take over. A bell that a thread stands still in
 * through its program's doing; OS_NO_BELL: none. */
uint32_t os_bells_tend(struct os_bells *bells);

/* ---- runtime folder, locks, processes ------------------------------------------------------- */

/** Folder of this user's engine, created 0700 and checked (owner, mode; not a link):
 *  $TUTTI_RUNTIME_DIR, else $XDG_RUNTIME_DIR/tutti, else /run/user/UID/tutti where that is this
 * user's, else /tmp/tutti-UID; Windows: %TUTTI_RUNTIME_DIR%, else %LOCALAPPDATA%\Tutti. utf-8, no
 * trailing separator. Errors: REFUSED, IO. */
enum tutti_status os_runtime_dir(char *path, size_t path_bytes);

/** Whether an engine can live in that folder. why: a sentence that says why not and what to do;
 * untouched with OK. Creates the folder, too. Not real time. Errors: as os_runtime_dir(), and IO
 * when nothing can be written there. */
enum tutti_status os_runtime_check(char *why, size_t why_bytes);

/** A machine-local lock named within the runtime folder, released by the system when its holder
 * dies (flock; named mutex with the user's SID, session and a hash of the folder). */
struct os_lock;
/** Errors: TIMEOUT when another process (or thread) holds it past deadline_ns, REFUSED, NO_MEMORY.
 */
enum tutti_status os_lock_take(struct os_lock **out, const char *name, uint64_t deadline_ns);
void os_lock_release(struct os_lock *lock);

/** True when the process exists and is this user's. Not real time. */
bool os_process_is_ours(uint32_t pid);

/** True when a process of this user's, and not the calling one, has mapped this memory: so it is
 * the one that the memory came from, by whatever way. Not real time. False on Windows. */
bool os_process_maps(uint32_t pid, const struct os_shm *shm);

/** For a process of our own that somebody's program started: nothing of that program's state is
 * kept but what the system insists on (affinity, nice value, limits, signals, umask, oom score),
 * and the standard streams are there. Windows: nothing, os_process_spawn() does it. Called first.
 */
void os_process_begin(void);

/** For a process that lives long: freed memory goes back to the system instead of staying with the
 * threads that had it. Called once, before other threads. */
void os_process_settle_heap(void);

/** For a process that serves many: as many handles as the system allows. Called once. */
void os_process_raise_limits(void);

/** For a process of our own: threads that os_thread_start() cannot give real-time priority ask the
 * system's broker for it (Linux: RealtimeKit), which ends processes whose thread computes too long
 * without a pause (0.2 s). Windows: the process refuses power throttling. Called once, before other
 * threads. */
void os_process_use_broker(void);

/** Starts a program that outlives the caller: no inherited handles, own session or job, runtime
 * folder as its working folder, standard streams on the null device, and as a session would start
 * it: on all processors, not niced, without the caller's limits, signals, umask and LD_PRELOAD.
 * The caller gets no SIGCHLD. argv ends with NULL. *pid: its
 * process as os_process_alive() takes it, 0: unknown. Errors: NO_ENGINE (not found, refused: logged
 * with the reason). */
enum tutti_status os_process_spawn(const char *path, const char *const *argv, uint32_t *pid);

/** True while the process exists (a zombie does not, unless only its first thread ended). */
bool os_process_alive(uint32_t pid);

/** Ends a process at once (SIGKILL, TerminateProcess) if its image's file name without extension is
 *  image_name, and waits up to 1 s for its end. True when it is gone. */
bool os_process_kill(uint32_t pid, const char *image_name);

/** Full path of the running executable, utf-8. */
enum tutti_status os_program_path(char *path, size_t path_bytes);

/** Full path of the module that this code is in: the executable or, in a DLL, that DLL. utf-8. */
enum tutti_status os_module_path(char *path, size_t path_bytes);

/** Reads an environment variable as utf-8; false when it is not set or too long. */
bool os_getenv(const char *name, char *value, size_t value_bytes);

/* ---- libraries ----------------------------------------------------------------------------- */

/* A shared library that is loaded when it is there (dlopen; LoadLibrary). */
struct os_library;

/** Loads a library by file name, searched as the system does, or by path. reason: why not, for a
 * log. Errors: UNSUPPORTED. */
enum tutti_status os_library_open(struct os_library **out, const char *name, char reason[256]);

/** Copies a function's address into *function, the address of a function pointer of any type;
 * false, and nothing copied, when the library has no such name. */
bool os_library_symbol(struct os_library *library, const char *name, void *function);

/** Gives the library back; nothing of it may be in use any more. NULL is fine. */
void os_library_close(struct os_library *library);

/* A function of a library, and where in a table of function pointers its address goes. */
struct os_library_function {
    const char *name;
    size_t offset; /* bytes */
};

/** Loads a library for good and fills the table with its functions. Errors: UNSUPPORTED (reason:
 * why it cannot be loaded), VERSION_MISMATCH (reason: the function that it lacks; the table is not
 * to be used). */
enum tutti_status os_library_load(const char *name, const struct os_library_function *functions,
                                  unsigned count, void *table, char reason[256]);

/* ---- control link -------------------------------------------------------------------------- */

/*
 * A reliable two-way stream of whole messages with handles attached. Linux: SOCK_SEQPACKET in the
 * runtime folder, peer's uid must equal ours. Windows: a message pipe whose name carries user SID,
 * session and a hash of the runtime folder; DACL of this user alone, medium label, remote clients
 * refused, first instance asserted (and a named mutex, see os_lock). Handles travel as SCM_RIGHTS;
 * on Windows they are duplicated with explicit rights by whichever side may open the other's
 * process.
 */
enum { OS_LINK_MAX_MESSAGE_BYTES = 32768, OS_LINK_MAX_HANDLES = 4 };

struct os_listener;
struct os_link;

/** Opens the engine's listening end, replacing a dead engine's leftovers. The caller holds the
 * engine lock. Errors: REFUSED, IO. */
enum tutti_status os_listener_open(struct os_listener **out);
/** Waits for a client until deadline_ns. FULL: this process has no descriptors left; *out is a link
 * all the same, to say so on and to close at once. Errors: TIMEOUT; CLOSED after
 * os_listener_wake(); REFUSED for a foreign user (the peer is dropped; go on accepting); IO. */
enum tutti_status os_listener_accept(struct os_listener *listener, struct os_link **out,
                                     uint64_t deadline_ns);
/** Makes a waiting accept return CLOSED. */
void os_listener_wake(struct os_listener *listener);
void os_listener_close(struct os_listener *listener);

/** Connects to this user's engine. Errors: NO_ENGINE when none listens, TIMEOUT, REFUSED when what
 *  listens is not this user's. */
enum tutti_status os_link_connect(struct os_link **out, uint64_t deadline_ns);

/** Sends one message. handles: handle_count values or OS_NO_HANDLE, borrowed (duplicates travel).
 * Several threads may send. Errors: CLOSED, TIMEOUT (peer does not read), INVALID_ARGUMENT, REFUSED
 * (handles cannot be handed over). */
enum tutti_status os_link_send(struct os_link *link, const void *message, size_t message_bytes,
                               const os_handle *handles, unsigned handle_count,
                               uint64_t deadline_ns);

/** Receives one message. handles (OS_LINK_MAX_HANDLES long): filled with what came, owned by the
 * caller, the rest OS_NO_HANDLE. One thread receives. Errors: CLOSED (peer gone or
 * os_link_shutdown(); of an accepted link also when the peer's process ended and its children still
 * hold the link), TIMEOUT, FULL (this process has no descriptors left for the handles: the message
 * came without them), PROTOCOL (longer than message_room; the link is dead afterwards).
 */
enum tutti_status os_link_recv(struct os_link *link, void *message, size_t message_room,
                               size_t *message_bytes, os_handle *handles, uint64_t deadline_ns);

/** Ends both directions; a waiting os_link_recv() returns CLOSED. The link stays valid till closed.
 */
void os_link_shutdown(struct os_link *link);
void os_link_close(struct os_link *link);

/** Process id of the other side as the system tells it. */
uint32_t os_link_peer_pid(const struct os_link *link);

/*
 * Under Wine the links of a Windows program may lead to the native engine, through a bridge
 * (bridge_records.h): os_link_connect() decides it once for the process. What follows is about the
 * other side as this program sees it, and plain everywhere else.
 */

/** This process as the engine's system numbers it; 0: as os_process_id(). */
uint32_t os_link_host_pid(void);
/** What the engine's os_now_ns() is ahead of this side's. Changes slowly. Real time. */
int64_t os_link_clock_offset_ns(void);
/** The runtime folder of the engine, as this side can open it. Errors: as os_runtime_dir(). */
enum tutti_status os_link_runtime_dir(char *path, size_t path_bytes);

#endif
