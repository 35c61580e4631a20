/* SPDX-License-Identifier: MIT */
/*
 * tutti-bridge: the native half of one Windows program under Wine (os/bridge_records.h). The driver
 * starts it, and it ends with the program: when the pipe that it is asked through has no writer.
 *
 * Threads: the main one answers requests, one after the other; one per link passes on what the
 * engine sends; one keeps the clock; one watches Wine's server. It copies messages and looks into
 * none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bridge/host.h"
#include "bridge/objects.h"
#include "bridge/threads.h"
#include "os/os.h"

enum { LINKS_MAX = 64, LOCKS_MAX = 8, PATH_BYTES = 4096, CLOCK_MS = 20, CLOCK_TRIES = 8 };

#ifndef ENGINE_FILE
#define ENGINE_FILE "tuttid"
#endif

struct message {
    struct bridge_record record;
    unsigned char payload[OS_LINK_MAX_MESSAGE_BYTES];
};

struct link {
    struct os_link *link; /* NULL: free */
    struct os_thread *thread;
    uint32_t number;
};

struct held {
    struct os_lock *lock; /* NULL: free */
    uint64_t value;       /* as the program calls it */
};

static struct {
    int requests, answers; /* the program's ends are in start_fds[] till it greeted */
    int start_fds[2];
    struct os_mutex writing; /* answers */
    struct link links[LINKS_MAX];
    struct held locks[LOCKS_MAX];
    struct os_shm clock;
    _Atomic int clock_id; /* clockid_t that the program's time is */
    _Atomic bool ends;
} bridge;

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

/* ---- the pipes ---- */

static bool
read_all(int fd, void *data, size_t bytes)
{
    unsigned char *at = data;
    while (bytes > 0) {
        const ssize_t got = read(fd, at, bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* A program that has gone is noticed by its requests. */
static void
answer(struct bridge_record *record, const void *payload, size_t payload_bytes)
{
    const unsigned char *parts[2] = {(const unsigned char *)record, payload};
    size_t left[2] = {sizeof(*record), payload_bytes};
    record->size_bytes = (uint32_t)(sizeof(*record) + payload_bytes);
    os_mutex_lock(&bridge.writing);
    for (unsigned i = 0; i < 2; i++) {
        while (left[i] > 0) {
            const ssize_t put = write(bridge.answers, parts[i], left[i]);
            if (put < 0 && errno == EINTR) {
                continue;
            }
            if (put <= 0) {
                break;
            }
            parts[i] += put;
            left[i] -= (size_t)put;
        }
    }
    os_mutex_unlock(&bridge.writing);
}

/* ---- the clock ---- */

static uint64_t
time_of(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (uint64_t)time.tv_sec * OS_NS_PER_S + (uint64_t)time.tv_nsec;
}

/* The closest of some readings: a thread may be away between two clocks. */
static int64_t
offset_of(clockid_t id)
{
    int64_t offset = 0;
    uint64_t closest = UINT64_MAX;
    for (unsigned i = 0; i < CLOCK_TRIES; i++) {
        const uint64_t before = os_now_ns();
        const uint64_t theirs = time_of(id);
        const uint64_t after = os_now_ns();
        if (after - before < closest) {
            closest = after - before;
            offset = (int64_t)(before + closest / 2 - theirs);
        }
    }
    return offset;
}

/* Wine's performance counter is CLOCK_MONOTONIC_RAW in the versions that were looked at; which it
 * is here, its present reading says. */
static void
choose_clock(uint64_t theirs_ns)
{
    static const clockid_t known[] = {CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const uint64_t now = time_of(known[i]);
        const uint64_t away = now > theirs_ns ? now - theirs_ns : theirs_ns - now;
        if (away < least) {
            least = away;
            atomic_store(&bridge.clock_id, (int)known[i]);
        }
    }
}

static void
keep_clock(void *arg)
{
    struct bridge_clock *clock = bridge.clock.base;
    (void)arg;
    while (!atomic_load(&bridge.ends)) {
        atomic_store(&clock->offset_ns, offset_of((clockid_t)atomic_load(&bridge.clock_id)));
        os_sleep_until_ns(in_ms(CLOCK_MS));
    }
}

/* ---- links ---- */

/* Memory is mapped once to see that it is sealed: a program under Wine cannot see that itself. */
static bool
take_handle(os_handle handle, struct bridge_object *object)
{
    struct stat status;
    if (fstat((int)handle, &status) != 0) {
        return false;
    }
    if (S_ISREG(status.st_mode)) {
        struct os_shm shm;
        const os_handle copy = os_handle_duplicate(handle);
        if (os_shm_adopt(&shm, copy, (size_t)status.st_size) != TUTTI_OK) {
            os_handle_close(handle);
            return false;
        }
        os_shm_close(&shm);
    }
    return objects_put((int)handle, object);
}

static void
pass_on(void *arg)
{
    struct link *link = arg;
    os_handle handles[OS_LINK_MAX_HANDLES];
    unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    size_t bytes;
    struct bridge_record record;
    while (os_link_recv(link->link, message, sizeof(message), &bytes, handles, UINT64_MAX) ==
           TUTTI_OK) {
        record = (struct bridge_record){.kind = BRIDGE_MESSAGE, .link = link->number};
        for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
            if (handles[i] != OS_NO_HANDLE) {
                take_handle(handles[i], &record.object[i]);
            }
        }
        answer(&record, message, bytes);
    }
    record = (struct bridge_record){.kind = BRIDGE_CLOSED, .link = link->number};
    answer(&record, NULL, 0);
}

static struct link *
link_of(uint32_t number)
{
    struct link *link = &bridge.links[number % LINKS_MAX];
    return number != 0 && link->link != NULL && link->number == number ? link : NULL;
}

/* Numbers are not used twice: an answer that was on its way belongs to nobody then. */
static struct link *
free_link(void)
{
    static uint32_t last;
    for (unsigned i = 0; i < LINKS_MAX; i++) {
        struct link *link = &bridge.links[++last % LINKS_MAX];
        if (last != 0 && link->link == NULL) {
            link->number = last;
            return link;
        }
    }
    return NULL;
}

static void
do_connect(const struct bridge_record *request, struct bridge_record *reply)
{
    struct link *link = free_link();
    reply->status = TUTTI_FULL;
    if (link == NULL) {
        return;
    }
    reply->status = os_link_connect(&link->link, in_ms(request->number));
    if (reply->status != TUTTI_OK) {
        link->link = NULL;
        return;
    }
    reply->status =
        os_thread_start(&link->thread, "bridge-link", OS_PRIORITY_NORMAL, pass_on, link);
    if (reply->status != TUTTI_OK) {
        os_link_close(link->link);
        link->link = NULL;
        return;
    }
    reply->link = link->number;
    reply->number = os_link_peer_pid(link->link);
}

static void
do_send(const struct message *request, struct bridge_record *reply)
{
    os_handle handles[OS_LINK_MAX_HANDLES];
    const struct link *link = link_of(request->record.link);
    unsigned count = 0;
    reply->status = TUTTI_CLOSED;
    if (link == NULL) {
        return;
    }
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        const uint32_t id = request->record.object[i].id;
        handles[i] = id ? objects_get(id) : OS_NO_HANDLE;
        if (id) {
            count = i + 1;
        }
        if (id && handles[i] < 0) {
            reply->status = TUTTI_REFUSED;
            return;
        }
    }
    reply->status = os_link_send(link->link, request->payload,
                                 request->record.size_bytes - sizeof(request->record), handles,
                                 count, in_ms(request->record.number));
}

static void
drop(struct link *link)
{
    os_link_shutdown(link->link);
    os_thread_join(link->thread);
    os_link_close(link->link);
    link->link = NULL;
}

/* ---- the rest ---- */

static void
do_lock(const struct bridge_record *request, struct bridge_record *reply)
{
    reply->status = TUTTI_FULL;
    for (unsigned i = 0; i < LOCKS_MAX; i++) {
        struct held *held = &bridge.locks[i];
        if (held->lock != NULL) {
            continue;
        }
        reply->status = os_lock_take(&held->lock, request->text, in_ms(request->number));
        if (reply->status != TUTTI_OK) {
            held->lock = NULL;
        }
        held->value = request->value;
        return;
    }
}

static void
do_unlock(uint64_t which)
{
    for (unsigned i = 0; i < LOCKS_MAX; i++) {
        struct held *held = &bridge.locks[i];
        if (held->lock == NULL || held->value != which) {
            continue;
        }
        os_lock_release(held->lock);
        held->lock = NULL;
    }
}

static enum tutti_status
start_engine(const char *given, uint32_t *pid)
{
    char path[PATH_BYTES], own[PATH_BYTES - 16];
    const char *const argv[] = {path, NULL};
    snprintf(path, sizeof(path), "%s", given);
    if (path[0] == '\0') {
        if (os_program_path(own, sizeof(own)) != TUTTI_OK) {
            return TUTTI_NO_ENGINE;
        }
        *(strrchr(own, '/') + 1) = '\0';
        snprintf(path, sizeof(path), "%s%s", own, ENGINE_FILE);
    }
    return os_process_spawn(path, argv, pid);
}

/* The program has opened its ends: from now on its end is ours. */
static void
do_greet(const struct bridge_record *request, struct bridge_record *reply)
{
    static bool watched;
    uint32_t tid;
    for (unsigned i = 0; i < 2; i++) {
        if (bridge.start_fds[i] >= 0) {
            close(bridge.start_fds[i]);
        }
        bridge.start_fds[i] = -1;
    }
    choose_clock(request->value);
    struct bridge_clock *clock = bridge.clock.base;
    atomic_store(&clock->offset_ns, offset_of((clockid_t)atomic_load(&bridge.clock_id)));
    if (!threads_find(request->text, &reply->number, &tid)) {
        reply->number = 0;
    }
    if (reply->number != 0 && !watched) {
        host_watch(reply->number, bridge.requests);
    }
    watched = true;
    reply->status = os_runtime_dir(reply->text, sizeof(reply->text));
}

static void
do_thread(const struct bridge_record *request, struct bridge_record *reply)
{
    uint32_t pid;
    reply->status = TUTTI_UNSUPPORTED;
    if (!threads_find(request->text, &pid, &reply->number)) {
        return;
    }
    reply->status = TUTTI_OK;
    if (!os_thread_promote(reply->number, (enum os_priority)request->number)) {
        log_warning("a thread of process %u runs without real-time priority (%s): allow it "
                    "with 'rtprio 95' for this user in /etc/security/limits.d, then log in again",
                    (unsigned)pid, strerror(errno));
        reply->status = TUTTI_REFUSED;
    }
}

static void
serve(const struct message *request)
{
    const struct bridge_record *record = &request->record;
    struct bridge_record reply = {.kind = BRIDGE_ANSWER, .serial = record->serial};
    struct link *link = link_of(record->link);
    bool done = true;
    switch ((enum bridge_kind)record->kind) {
    case BRIDGE_GREET:
        do_greet(record, &reply);
        break;
    case BRIDGE_CONNECT:
        do_connect(record, &reply);
        break;
    case BRIDGE_SEND:
        do_send(request, &reply);
        break;
    case BRIDGE_SHUT:
        if (link != NULL) {
            os_link_shutdown(link->link);
        }
        break;
    case BRIDGE_DROP:
        if (link != NULL) {
            drop(link);
        }
        break;
    case BRIDGE_MEMORY:
        done = objects_make_memory(record->value, &reply.object[0]);
        break;
    case BRIDGE_PIPE:
        done = objects_make_pipe(&reply.object[0]);
        break;
    case BRIDGE_FIND:
        done = objects_find(&record->object[0], &reply.object[0]);
        break;
    case BRIDGE_CLOSE:
        objects_close(record->object[0].id);
        break;
    case BRIDGE_THREAD:
        do_thread(record, &reply);
        break;
    case BRIDGE_LOCK:
        do_lock(record, &reply);
        break;
    case BRIDGE_UNLOCK:
        do_unlock(record->value);
        break;
    case BRIDGE_START:
        reply.status = start_engine(record->text, &reply.number);
        break;
    case BRIDGE_ALIVE:
        done = os_process_alive(record->number);
        break;
    case BRIDGE_KILL:
        done = os_process_kill(record->number, record->text);
        break;
    case BRIDGE_NONE:
    case BRIDGE_ANSWER:
    case BRIDGE_MESSAGE:
    case BRIDGE_CLOSED:
        reply.status = TUTTI_PROTOCOL;
        break;
    }
    if (!done) {
        reply.status = TUTTI_NO_MEMORY;
    }
    answer(&reply, NULL, 0);
}

/* False: the program has gone, or speaks another language. */
static bool
receive(struct message *request)
{
    struct bridge_record *record = &request->record;
    if (!read_all(bridge.requests, record, sizeof(*record)) ||
        record->size_bytes < sizeof(*record) || record->size_bytes > sizeof(*request)) {
        return false;
    }
    record->text[sizeof(record->text) - 1] = '\0';
    return read_all(bridge.requests, request->payload, record->size_bytes - sizeof(*record));
}

/* ---- beginning ---- */

/* Tells the program where its ends are: a file that it waits for, complete when it is there.
 * version 0: that there is nothing to wait for. */
static bool
announce(const char *path, int version, const int program_ends[2])
{
    char draft[PATH_BYTES];
    snprintf(draft, sizeof(draft), "%s.new", path);
    const int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    const int wrote = dprintf(fd, "%d %d %d %d %d\n", version, (int)getpid(), program_ends[0],
                              program_ends[1], (int)bridge.clock.handle);
    close(fd);
    if (wrote <= 0 || rename(draft, path) != 0) {
        unlink(draft);
        return false;
    }
    return true;
}

static bool
begin(const char *path)
{
    int to_program[2], from_program[2];
    struct os_thread *thread;
    if (pipe2(to_program, O_CLOEXEC) != 0 || pipe2(from_program, O_CLOEXEC) != 0 ||
        os_shm_create(&bridge.clock, 65536) != TUTTI_OK) {
        return false;
    }
    bridge.requests = from_program[0];
    bridge.answers = to_program[1];
    bridge.start_fds[0] = to_program[0];
    bridge.start_fds[1] = from_program[1];
    os_mutex_init(&bridge.writing);
    objects_init();
    atomic_store(&bridge.clock_id, CLOCK_MONOTONIC_RAW);
    return os_thread_start(&thread, "bridge-clock", OS_PRIORITY_NORMAL, keep_clock, NULL) ==
               TUTTI_OK &&
           announce(path, BRIDGE_VERSION, bridge.start_fds);
}

int
main(int argc, char **argv)
{
    static struct message request;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("tutti-bridge " TUTTI_VERSION);
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "tutti-bridge: the driver starts this for a program under Wine\n");
        return 2;
    }
    os_process_begin();
    /* the program may be ended by its terminal, and writes to pipes may find nobody */
    setsid();
    signal(SIGPIPE, SIG_IGN);
    char folder[PATH_BYTES];
    if (os_runtime_dir(folder, sizeof(folder)) != TUTTI_OK || chdir(folder) != 0) {
        announce(argv[1], 0, bridge.start_fds);
        return 1;
    }
    log_open("bridge", "bridge.log");
    if (!begin(argv[1])) {
        log_error("cannot begin: %s", strerror(errno));
        announce(argv[1], 0, bridge.start_fds);
        return 1;
    }
    struct pollfd first = {.fd = bridge.requests, .events = POLLIN};
    if (poll(&first, 1, BRIDGE_FIRST_WORD_MS) == 1) {
        while (receive(&request)) {
            serve(&request);
        }
    }
    /* engine, locks and memory see the end of this process */
    return 0;
}
