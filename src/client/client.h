/* SPDX-License-Identifier: MIT */
/*
 * The inside of libtutti: one client. Its parts, from the ground up: client.c has its state,
 * events.c notifies the host, callback.c calls it, link.c carries messages, connect.c finds or
 * starts an engine, monitor.c and status.c ask it, attach.c joins the segment to engines,
 * reconnect.c is the thread that keeps one, public.c the public functions, which check states. No
 * part uses one above it.
 *
 * Threads: the host's, serialised by the host but for the functions marked "any thread"; the link
 * thread, which receives, and when the link is lost connects and prepares again; the event thread;
 * the callback thread. `lock` guards what is marked so; it is never held while waiting for anything
 * but `changed`.
 */
#ifndef TUTTI_CLIENT_CLIENT_H
#define TUTTI_CLIENT_CLIENT_H

#include "client/callback.h"
#include "client/connect.h"
#include "client/events.h"
#include "os/os.h"
#include "proto/message.h"
#include "tutti/tutti.h"

enum {
    CLIENT_ANSWER_MS = 2000,   /* an engine answers a question within this */
    CLIENT_TICK_MS = 50,       /* how often the link thread looks after the callback thread */
    CLIENT_DEVICES_MS = 10000, /* asking every backend takes longer */
    CLIENT_OPEN_MS = 15000,    /* a device may take its time to open */
};

enum client_state {
    CLIENT_OPEN,     /* nothing prepared */
    CLIENT_PREPARED, /* buffers, no callbacks */
    CLIENT_RUNNING,  /* callbacks */
    CLIENT_STOPPING, /* stopped from within process(): the thread is still to be joined */
    CLIENT_STATE_COUNT
};

/* A question to the engine, and where its answer goes. */
struct link_question {
    struct proto_header *message; /* filled but for the serial */
    const os_handle *handles;     /* sent with it */
    unsigned handle_count;
    enum proto_type expected;  /* type of the good answer; PROTO_NONE: PROTO_OK */
    void *answer;              /* proto_size(expected) bytes; NULL: not wanted */
    os_handle *answer_handles; /* that came with it, OS_LINK_MAX_HANDLES; NULL: they are closed */
    uint64_t timeout_ms;       /* 0: CLIENT_ANSWER_MS */
    uint32_t epoch;            /* out: of the link that was asked */
};

/* One request under way. On the requester's stack, guarded by the client's lock. */
struct link_request {
    uint32_t serial;
    const struct link_question *question;
    os_handle handles[OS_LINK_MAX_HANDLES]; /* that came with it: the requester's */
    enum tutti_status status;               /* of an ERROR */
    bool done;
    char text[PROTO_TEXT_BYTES];
};

struct tutti_client {
    /* constant after open */
    char program[TUTTI_NAME_BYTES];
    char profile[PROTO_PROFILE_BYTES];
    char engine_path[CONNECT_PATH_BYTES];
    bool do_not_start;

    _Atomic int state;            /* enum client_state; written by client_enter() alone */
    char error[TUTTI_TEXT_BYTES]; /* of the last failed serialised call; the host's thread */

    struct os_mutex lock;
    struct os_cond changed; /* link, attempts, reattaching, link_users, a request's done, quit */
    struct os_mutex asking; /* held for a whole request: one at a time */

    /* guarded by lock */
    struct os_link *link;         /* NULL while lost; replaced by the link thread */
    uint32_t epoch;               /* counts links: which one a thing belongs to */
    unsigned link_users;          /* threads sending on link */
    struct link_request *request; /* of a thread within link_ask() */
    struct link_request *own;     /* of the link thread itself */
    uint32_t serial;              /* of the last request */
    uint64_t generation;          /* of the engine; of the last one while lost */
    uint32_t engine_pid;          /* likewise */
    struct proto_device device;   /* last known */
    uint32_t input_latency_frames, output_latency_frames;
    bool prepared;     /* `prepare` is to be kept up with every engine */
    bool reattaching;  /* the link thread uses callback.memory and `prepare` */
    bool wanted;       /* somebody waits for a link */
    uint32_t attempts; /* to connect, finished */
    enum tutti_status attempt_status;
    char attempt_text[PROTO_TEXT_BYTES];
    struct attachment *attachment; /* the last one offered, till it is retired */
    struct attachment *graveyard;  /* retired, freed when the callback side is quiet */
    uint32_t attached_epoch;       /* of the link that `attachment` came through; 0: none */
    uint64_t hung_generation;      /* of an engine that stopped calling; 0: none */
    uint64_t hung_ms;              /* its timeout */
    uint32_t hung_pid;             /* its process */
    uint32_t timeout_ms;           /* of the engine that is prepared with, as reported last */
    double rate_hz; /* asked for or found at prepare: asked of the next engine too; 0: none */
    bool told_lost; /* ENGINE_LOST was reported, ENGINE_BACK not yet */
    bool quit;
    struct proto_prepare prepare; /* as sent last */
    struct proto_monitor monitor; /* asked for last */
    uint32_t monitor_serial;      /* changes with it; 0: never asked */

    struct os_thread *link_thread;
    struct callback callback;
    struct events events;

    /* link thread */
    uint64_t retry_ns;   /* when to try again: to connect, or to prepare */
    uint64_t backoff_ms; /* between attempts to connect */
    bool unready_logged;
    _Alignas(8) unsigned char received[OS_LINK_MAX_MESSAGE_BYTES];
};

/* ---- client.c ---- */

/** True when the table allows the change. */
bool client_may_enter(enum client_state from, enum client_state to);

enum client_state client_state(const struct tutti_client *client);
/** By the host's thread alone; the table allows it. */
void client_enter(struct tutti_client *client, enum client_state to);

/** Copies a sentence for tutti_last_error(); returns status. NULL: the status' own. */
enum tutti_status client_fail(struct tutti_client *client, enum tutti_status status,
                              const char *text);

/** The engine's timeout is another: for the present attachment and the next. lock held. */
void client_set_timeout(struct tutti_client *client, uint32_t timeout_ms);

/* ---- reconnect.c: the link thread ---- */

/** Connects on the calling thread and starts the link thread. Errors: as connect_engine(). */
enum tutti_status reconnect_open(struct tutti_client *client);
/** Ends the link thread and the link. */
void reconnect_close(struct tutti_client *client);

/* ---- link.c: messages ---- */

/** Waits until there is a link, asking for one. text: why not. Errors: as connect_engine(). Not
 * from the link thread. */
enum tutti_status link_require(struct tutti_client *client, char text[PROTO_TEXT_BYTES]);

/** Sends a request and waits for its answer. text: the engine's sentence, or the status' own.
 * Errors: ENGINE_LOST, TIMEOUT, what the engine answered. Any thread but the link thread. */
enum tutti_status link_ask(struct tutti_client *client, struct link_question *question,
                           char text[PROTO_TEXT_BYTES]);

/** Receives one message, if one comes in time, and gives it to whom it belongs. Link thread.
 * Errors: TIMEOUT; else the link is to be given up. */
enum tutti_status link_receive(struct tutti_client *client, uint64_t deadline_ns);

/** The link thread's own request, for the prepared segment: receives what comes until its answer
 * does. Errors: CLOSED (the link is to be given up), INVALID_STATE (link_is_abandoned()
 * meanwhile), what the engine answered (logged). */
enum tutti_status link_ask_own(struct tutti_client *client, struct link_question *question);

/** True when the link thread should drop what it does for the prepared segment. */
bool link_is_abandoned(struct tutti_client *client);

/* ---- attach.c: the prepared segment and engines ---- */

/** Joins the prepared segment to the engine (connecting if needed), and has the link thread keep it
 * joined from now on. client->prepare is filled but for the wanted latencies. Errors: as
 * tutti_prepare(). */
enum tutti_status attach_prepare(struct tutti_client *client, char text[PROTO_TEXT_BYTES]);
/** The reverse; the callback thread has ended. Frees every attachment. */
void attach_dispose(struct tutti_client *client);

/** Shows the prepared segment to the engine met last. Link thread; `reattaching` is set. False: the
 * link is to be given up. */
bool attach_again(struct tutti_client *client);

/** Collects the attachments that the callback thread released; true when one was, because its
 * engine hangs. lock held. */
bool attach_collect(struct tutti_client *client);

/* ---- monitor.c: the direct monitor ---- */

/** Tells the engine what is asked of the direct monitor, if anything ever was; *serial: of what was
 * sent. Not from the link thread. Errors: as link_ask(). */
enum tutti_status monitor_ask(struct tutti_client *client, uint32_t *serial);
/** The same on the link thread. Errors: as link_ask_own(). */
enum tutti_status monitor_ask_own(struct tutti_client *client, uint32_t *serial);
/** True when something else is asked for since. */
bool monitor_changed(struct tutti_client *client, uint32_t serial);

/* ---- status.c: what engines report, in the public structs ---- */

void status_copy_device(struct tutti_device *to, const struct proto_device *from);
/** The program at index i of a checked reply. */
void status_copy_program(struct tutti_program_status *to, const struct proto_status_reply *reply,
                         uint32_t i);

/* ---- small things ---- */

static inline uint64_t
client_in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

static inline uint32_t
client_to_millihz(double rate_hz)
{
    return rate_hz > 0 && rate_hz < 4e6 ? (uint32_t)(rate_hz * 1000 + 0.5) : 0;
}

/* OS_LINK_MAX_HANDLES of them. */
static inline void
client_close_handles(const os_handle *handles)
{
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        os_handle_close(handles[i]);
    }
}

#endif
