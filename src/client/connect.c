/* SPDX-License-Identifier: MIT */
/*
 * Meeting the engine. One loop: look; when that shows that something is to be done, take the lock
 * and look again; then do it, and look until it worked or the time is over. Looking goes on while
 * another program holds the lock: the engine it starts serves everybody.
 */
#include "client/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"

#ifndef TUTTI_ENGINE_FILE
#define TUTTI_ENGINE_FILE "tuttid"
#endif
#define ENGINE_IMAGE "tuttid"

enum { START_AGAIN_MS = 300 }; /* after one that died */

/* What one attempt to meet an engine has done so far. */
struct attempt {
    struct os_lock *lock; /* "spawn"; NULL: not ours yet */
    bool spawned;
    uint32_t pid;            /* of what was started last; 0: unknown */
    uint64_t spawn_again_ns; /* not before, and only if no engine lives */
    uint64_t deadline_ns;
    uint64_t last_deadline_ns; /* while what was started lives, or another program starts one */
    uint64_t give_up_ns;       /* each engine that hangs is ended and gets a successor until then */
};

/* What a look at the engine showed. */
enum sight {
    SIGHT_SERVES,
    SIGHT_ABSENT,  /* nobody listens */
    SIGHT_LEAVES,  /* it closed the connection: about to end */
    SIGHT_HANGS,   /* connected or not, it does not answer */
    SIGHT_OLDER,   /* it speaks an older protocol; the link stays open for LEAVE */
    SIGHT_REFUSES, /* for good: look.status says why */
};

struct look {
    struct os_link *link;
    struct proto_welcome welcome;
    uint32_t pid;     /* of the engine; 0: unknown */
    uint16_t version; /* of an older engine */
    enum tutti_status status;
    char text[PROTO_TEXT_BYTES];
};

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

static bool
is_cancelled(const struct connect_how *how)
{
    return how->cancelled && how->cancelled(how->user);
}

/* The engine of a listener that cannot even be connected to. The file may be old: os_process_kill()
 * checks the image. */
static uint32_t
read_pid_file(void)
{
    char folder[CONNECT_PATH_BYTES], path[CONNECT_PATH_BYTES + 16];
    unsigned long pid = 0;

    if (os_link_runtime_dir(folder, sizeof(folder))) {
        return 0;
    }
    snprintf(path, sizeof(path), "%s/engine.pid", folder);
    FILE *file = file_open(path, "r");
    if (!file) {
        return 0;
    }
    char line[32];
    if (fgets(line, sizeof(line), file)) {
        pid = strtoul(line, NULL, 10);
    }
    fclose(file);
    return (uint32_t)pid;
}

/* A service manager listens for an engine that does not run: connecting would start it. It says so
 * by a file in the runtime folder (packaging/systemd/tuttid.socket). */
static bool
would_start_a_service(void)
{
    char folder[CONNECT_PATH_BYTES], path[CONNECT_PATH_BYTES + 16];

    if (os_link_runtime_dir(folder, sizeof(folder))) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/engine.service", folder);
    FILE *file = file_open(path, "r");
    if (!file) {
        return false;
    }
    fclose(file);
    uint32_t pid = read_pid_file();
    return !pid || !os_process_alive(pid);
}

/* Memory for one message. */
struct received {
    void *message;
    size_t room, bytes;
};

/* Receives one message in slices, so that a program that closes does not wait for an engine that
 * hangs. */
static enum tutti_status
receive(const struct connect_how *how, struct os_link *link, struct received *received,
        uint64_t deadline_ns)
{
    os_handle handles[OS_LINK_MAX_HANDLES];

    for (;;) {
        uint64_t slice = in_ms(50);
        bool last = slice >= deadline_ns;
        enum tutti_status status =
            os_link_recv(link, received->message, received->room, &received->bytes, handles,
                         last ? deadline_ns : slice);
        if (status == TUTTI_OK) {
            for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
                os_handle_close(handles[i]);
            }
        }
        if (status != TUTTI_TIMEOUT || last || is_cancelled(how)) {
            return status;
        }
    }
}

/* What an answer to HELLO means. message: as received, unchecked. */
static enum sight
judge_answer(struct look *look, const void *message, size_t bytes)
{
    struct proto_header header;
    const char *why = "";

    if (bytes < sizeof(header)) {
        look->status = TUTTI_PROTOCOL;
        return SIGHT_REFUSES;
    }
    memcpy(&header, message, sizeof(header));
    enum tutti_status status = proto_check(message, bytes, false, &why);
    /* Of another version's messages the header alone can be read; it is the same in all of them. */
    if (header.version < proto_versions.spoken &&
        (status == TUTTI_VERSION_MISMATCH || header.type == PROTO_ERROR)) {
        look->version = header.version;
        return SIGHT_OLDER;
    }
    if (status) {
        look->status = status;
        snprintf(look->text, sizeof(look->text), "%s",
                 status == TUTTI_PROTOCOL ? why : tutti_status_text(status));
        return SIGHT_REFUSES;
    }
    if (header.type == PROTO_ERROR) {
        struct proto_error error;
        memcpy(&error, message, sizeof(error));
        look->status = error.status ? (enum tutti_status)error.status : TUTTI_PROTOCOL;
        utf8_copy(look->text, sizeof(look->text), error.text);
        return SIGHT_REFUSES;
    }
    if (header.type != PROTO_WELCOME) {
        look->status = TUTTI_PROTOCOL;
        return SIGHT_REFUSES;
    }
    memcpy(&look->welcome, message, sizeof(look->welcome));
    return SIGHT_SERVES;
}

static enum sight
greet(const struct connect_how *how, struct look *look)
{
    struct proto_hello hello;
    union {
        struct proto_header header;
        struct proto_welcome welcome;
        struct proto_error error;
    } answer;
    struct received received = {.message = &answer, .room = sizeof(answer)};
    bool suspect = how->hung_pid && look->pid == how->hung_pid;
    uint64_t deadline = in_ms(suspect ? CONNECT_HUNG_MS : CONNECT_GREETING_MS);

    memset(&hello, 0, sizeof(hello));
    proto_header_init(&hello.header, PROTO_HELLO, 1);
    hello.oldest_version = proto_versions.oldest;
    hello.bits = sizeof(void *) * 8;
    utf8_copy(hello.program, sizeof(hello.program), how->program);
    utf8_copy(hello.profile, sizeof(hello.profile), how->profile ? how->profile : "");
    hello.host_pid = os_link_host_pid();
    enum tutti_status status = os_link_send(look->link, &hello, sizeof(hello), NULL, 0, deadline);
    if (status == TUTTI_OK) {
        status = receive(how, look->link, &received, deadline);
    }
    if (status == TUTTI_TIMEOUT) {
        return SIGHT_HANGS;
    }
    if (status) {
        return SIGHT_LEAVES;
    }
    return judge_answer(look, &answer, received.bytes);
}

/* Receives until the answer to STATUS comes: events may come before it. */
static enum tutti_status
ask_status(const struct connect_how *how, struct os_link *link, struct proto_status_reply *reply)
{
    struct proto_status question;
    struct received received = {.message = reply, .room = sizeof(*reply)};
    const char *why = "";
    uint64_t deadline = in_ms(CONNECT_HUNG_MS);

    memset(&question, 0, sizeof(question));
    proto_header_init(&question.header, PROTO_STATUS, 2);
    question.first_program = UINT16_MAX; /* no program's meters */
    enum tutti_status status = os_link_send(link, &question, sizeof(question), NULL, 0, deadline);
    do {
        if (status == TUTTI_OK) {
            status = receive(how, link, &received, deadline);
        }
        if (status == TUTTI_OK) {
            status = proto_check(reply, received.bytes, false, &why);
        }
    } while (status == TUTTI_OK && reply->header.type == PROTO_EVENT);
    return status == TUTTI_OK && reply->header.type != PROTO_STATUS_REPLY ? TUTTI_PROTOCOL : status;
}

/* An engine that called this program no more and answers all the same. It is healthy when its count
 * of cycles moves, or when its device is closed or takes its time to open. */
static enum sight
watch_cycles(const struct connect_how *how, const struct look *look)
{
    struct proto_status_reply *reply = malloc(sizeof(*reply));
    uint64_t deadline = in_ms(how->hung_ms), first = 0;
    enum sight sight = SIGHT_LEAVES;

    for (unsigned i = 0; reply && !is_cancelled(how); i++) {
        enum tutti_status status = ask_status(how, look->link, reply);
        if (status) {
            sight = status == TUTTI_TIMEOUT || status == TUTTI_PROTOCOL ? SIGHT_HANGS : sight;
            break;
        }
        if (i == 0) {
            first = reply->cycles;
        }
        bool opening = reply->opening_ms > 0 && reply->opening_ms <= CONNECT_OPENING_MS;
        if (reply->cycles != first || opening || reply->device.state == PROTO_STREAM_CLOSED) {
            sight = SIGHT_SERVES;
            break;
        }
        if (reply->opening_ms > CONNECT_OPENING_MS || os_now_ns() >= deadline) {
            sight = SIGHT_HANGS;
            break;
        }
        os_sleep_until_ns(in_ms(5));
    }
    free(reply);
    return sight;
}

static enum sight
look_for_engine(const struct connect_how *how, struct look *look)
{
    memset(look, 0, sizeof(*look));
    if (how->do_not_start && would_start_a_service()) {
        return SIGHT_ABSENT;
    }
    look->status = os_link_connect(&look->link, in_ms(CONNECT_GREETING_MS / 2));
    switch ((int)look->status) {
    case TUTTI_OK:
        break;
    case TUTTI_NO_ENGINE:
        return SIGHT_ABSENT;
    case TUTTI_TIMEOUT:
        look->pid = read_pid_file();
        return SIGHT_HANGS;
    case TUTTI_CLOSED:
    case TUTTI_IO:
        return SIGHT_LEAVES;
    default:
        return SIGHT_REFUSES;
    }
    look->pid = os_link_peer_pid(look->link);
    enum sight sight = greet(how, look);
    if (sight == SIGHT_SERVES && how->hung_generation &&
        look->welcome.generation == how->hung_generation) {
        sight = watch_cycles(how, look);
    }
    if (sight != SIGHT_SERVES && sight != SIGHT_OLDER) {
        os_link_close(look->link);
        look->link = NULL;
    }
    return sight;
}

/* An older engine ends when a newer program asks; its programs meet ours afterwards. */
static void
ask_to_leave(const struct connect_how *how, struct look *look)
{
    struct proto_empty leave;
    char answer[sizeof(struct proto_error)];
    struct received received = {.message = answer, .room = sizeof(answer)};
    uint64_t deadline = in_ms(CONNECT_GREETING_MS);

    log_info("the engine %u speaks protocol %u, this program %u: asking it to leave",
             (unsigned)look->pid, (unsigned)look->version, (unsigned)proto_versions.spoken);
    memset(&leave, 0, sizeof(leave));
    proto_header_init(&leave.header, PROTO_LEAVE, 2);
    leave.header.version = look->version;
    if (os_link_send(look->link, &leave, sizeof(leave), NULL, 0, deadline) == TUTTI_OK) {
        while (receive(how, look->link, &received, deadline) == TUTTI_OK) {
        }
    }
    os_link_close(look->link);
    look->link = NULL;
    while (look->pid && os_process_alive(look->pid) && os_now_ns() < deadline) {
        os_sleep_until_ns(in_ms(5));
    }
}

/* ---- starting one ---- */

#ifdef TUTTI_ENGINE_DIR
/* The absolute folders of PATH: a program anywhere finds an engine that was installed. */
static bool
path_candidate(unsigned index, char *path, size_t path_bytes)
{
    char list[CONNECT_PATH_BYTES];

    if (!os_getenv("PATH", list, sizeof(list))) {
        return false;
    }
    for (const char *at = list; at; at = strchr(at, ':')) {
        at += *at == ':';
        const size_t length = strcspn(at, ":");
        if (*at != '/' || index--) {
            continue;
        }
        int n = snprintf(path, path_bytes, "%.*s/%s", (int)length, at, TUTTI_ENGINE_FILE);
        return n > 0 && (size_t)n < path_bytes;
    }
    return false;
}
#endif

bool
connect_candidate(unsigned index, const char *module_path, char *path, size_t path_bytes)
{
    /* beside this module; as installed, from lib/ or lib/SYSTEM/ */
    static const char *const below[] = {"", "../bin/", "../libexec/tutti/", "../../bin/"};
    const unsigned count = sizeof(below) / sizeof(below[0]);

#ifdef TUTTI_ENGINE_DIR
    if (index == count) {
        int n = snprintf(path, path_bytes, "%s/%s", TUTTI_ENGINE_DIR, TUTTI_ENGINE_FILE);
        return n > 0 && (size_t)n < path_bytes;
    }
    if (index > count) {
        return path_candidate(index - count - 1, path, path_bytes);
    }
#endif
    if (index >= count) {
        return false;
    }
    size_t folder = strlen(module_path);
    while (folder && module_path[folder - 1] != '/' && module_path[folder - 1] != '\\') {
        folder--;
    }
    int n = snprintf(path, path_bytes, "%.*s%s%s", (int)folder, module_path, below[index],
                     TUTTI_ENGINE_FILE);
    return n > 0 && (size_t)n < path_bytes;
}

static enum tutti_status
spawn(const struct connect_how *how, uint32_t *pid)
{
    char path[CONNECT_PATH_BYTES + 32], module[CONNECT_PATH_BYTES];
    const char *argv[] = {path, NULL};

    if (how->engine_path && how->engine_path[0]) {
        snprintf(path, sizeof(path), "%s", how->engine_path);
        return os_process_spawn(path, argv, pid);
    }
    if (os_getenv("TUTTI_ENGINE", path, sizeof(path)) && path[0]) {
        return os_process_spawn(path, argv, pid);
    }
    if (os_module_path(module, sizeof(module))) {
        return TUTTI_NO_ENGINE;
    }
    for (unsigned i = 0; connect_candidate(i, module, path, sizeof(path)); i++) {
        if (os_process_spawn(path, argv, pid) == TUTTI_OK) {
            return TUTTI_OK;
        }
    }
    return TUTTI_NO_ENGINE;
}

/* An engine takes this lock before it listens, and has it as long as it lives. */
static bool
is_engine_alive(void)
{
    struct os_lock *lock = NULL;
    if (os_lock_take(&lock, "engine", 0) != TUTTI_OK) {
        return true;
    }
    os_lock_release(lock);
    return false;
}

/* The one that was started may have died before it listened; on a busy machine it may live for long
 * before it does. */
static enum tutti_status
start(const struct connect_how *how, struct attempt *attempt)
{
    if (attempt->spawned && (os_now_ns() < attempt->spawn_again_ns ||
                             os_process_alive(attempt->pid) || is_engine_alive())) {
        return TUTTI_OK;
    }
    if (!attempt->spawned) {
        attempt->deadline_ns = in_ms(CONNECT_SPAWN_MS);
        attempt->last_deadline_ns = in_ms(CONNECT_LAST_MS);
    }
    attempt->spawned = true;
    attempt->spawn_again_ns = in_ms(START_AGAIN_MS);
    attempt->pid = 0;
    return spawn(how, &attempt->pid);
}

/* A program that a service manager's socket let in before its engine ran was shown the manager's
 * process, which is none of ours to end. */
static bool
end_engine(uint32_t pid)
{
    return pid && os_process_kill(pid, ENGINE_IMAGE);
}

/* Does, under the lock, what a sight asks for. OK: look again. */
static enum tutti_status
act(const struct connect_how *how, enum sight sight, struct look *look, struct attempt *attempt)
{
    switch (sight) {
    case SIGHT_ABSENT:
        return start(how, attempt);
    case SIGHT_HANGS:
        log_warning("the engine %u hangs: ending it", (unsigned)look->pid);
        if (!end_engine(look->pid) && !end_engine(read_pid_file())) {
            log_error("the engine %u could not be ended", (unsigned)look->pid);
            return TUTTI_NO_ENGINE;
        }
        attempt->spawned = false;
        attempt->deadline_ns = in_ms(CONNECT_SPAWN_MS);
        return TUTTI_OK;
    case SIGHT_OLDER:
        ask_to_leave(how, look);
        attempt->spawned = false;
        return TUTTI_OK;
    case SIGHT_LEAVES:
    case SIGHT_SERVES:
    case SIGHT_REFUSES:
        break;
    }
    return TUTTI_OK;
}

static bool
is_time_over(const struct attempt *attempt)
{
    const uint64_t now = os_now_ns();
    return now >= attempt->give_up_ns ||
           (now >= attempt->deadline_ns &&
            (now >= attempt->last_deadline_ns || !os_process_alive(attempt->pid)));
}

/* True when this sight is the end of it. */
static bool
is_final(const struct connect_how *how, enum sight sight, struct look *look)
{
    if (sight == SIGHT_SERVES || sight == SIGHT_REFUSES) {
        return true;
    }
    look->status = TUTTI_NO_ENGINE;
    if (is_cancelled(how)) {
        look->status = TUTTI_CLOSED;
        return true;
    }
    if (how->do_not_start && sight != SIGHT_LEAVES) {
        if (sight == SIGHT_OLDER) {
            look->status = TUTTI_VERSION_MISMATCH;
        }
        return true;
    }
    return false;
}

enum tutti_status
connect_engine(const struct connect_how *how, struct os_link **link, struct proto_welcome *welcome,
               char text[PROTO_TEXT_BYTES])
{
    struct attempt attempt = {.deadline_ns = in_ms(CONNECT_SPAWN_MS),
                              .last_deadline_ns = in_ms(CONNECT_LAST_MS),
                              .give_up_ns = in_ms(2 * CONNECT_LAST_MS)};
    struct look look;
    enum sight sight;
    uint64_t nap_ms = 1;

    for (;;) {
        sight = look_for_engine(how, &look);
        if (is_final(how, sight, &look)) {
            break;
        }
        if (attempt.lock) {
            look.status = act(how, sight, &look, &attempt);
            if (look.status) {
                break;
            }
        } else if (!how->do_not_start) {
            enum tutti_status status = os_lock_take(&attempt.lock, "spawn", in_ms(50));
            if (status != TUTTI_OK && status != TUTTI_TIMEOUT) {
                look.status = status;
                break;
            }
            if (status == TUTTI_OK) {
                os_link_close(look.link);
                continue; /* what was seen without the lock may be history */
            }
            /* Somebody is ending or starting an engine: that may take longer than one start. */
            attempt.deadline_ns = attempt.last_deadline_ns;
        }
        os_link_close(look.link);
        look.link = NULL;
        if (is_time_over(&attempt)) {
            look.status = TUTTI_NO_ENGINE;
            break;
        }
        os_sleep_until_ns(in_ms(nap_ms));
        nap_ms = nap_ms < 16 ? nap_ms * 2 : 20;
    }
    os_lock_release(attempt.lock);
    if (sight == SIGHT_SERVES) {
        *link = look.link;
        *welcome = look.welcome;
        return TUTTI_OK;
    }
    os_link_close(look.link);
    /* what keeps programs from an engine is mostly the folder */
    if (look.status == TUTTI_REFUSED && !look.text[0]) {
        (void)os_runtime_check(look.text, sizeof(look.text));
    }
    utf8_copy(text, PROTO_TEXT_BYTES, look.text[0] ? look.text : tutti_status_text(look.status));
    return look.status;
}
