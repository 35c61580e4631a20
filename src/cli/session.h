/* SPDX-License-Identifier: MIT */
/*
 * One meeting with the engine, as every command has it: opening with one clear sentence when that
 * fails, and the engine's events brought from their thread to the main one.
 */
#ifndef TUTTI_CLI_SESSION_H
#define TUTTI_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "console/style.h"
#include "tutti/tutti.h"

enum { SESSION_EVENTS = 16 };

struct session_event {
    enum tutti_event_kind kind;
    uint64_t value;
    double rate_hz;
    char text[TUTTI_TEXT_BYTES];
};

struct session {
    struct tutti_client *client; /* NULL: not open */
    struct session_event event[SESSION_EVENTS];
    struct ring events;  /* of them, from the event thread to the main thread */
    uint64_t gap_frames; /* lost while the device reopened, as reported so far; main thread */
    double rate_hz;      /* of the device when the stream was prepared; likewise */
};

/** Opens, with the engine started when start is set. Without, NO_ENGINE is said by the caller;
 * every other failure here. */
enum tutti_status session_open(struct session *session, const char *program, bool start);
/** The same for a profile of the configuration; NULL: none. Starts an engine. */
enum tutti_status session_open_profile(struct session *session, const char *program,
                                       const char *profile);
void session_close(struct session *session);

/** Says what failed and why on the standard error. Returns 1, the exit code. */
int session_fail(const struct session *session, const char *what, enum tutti_status status);

/** Says what the engine's status tells as a problem, if it does: that the null device is used, a
 * mistake in the configuration. */
void session_say_problem(const struct session *session);

/** The next event; false when there is none. Main thread. */
bool session_next_event(struct session *session, struct session_event *event);

/** Writes "tutti: " and one sentence on the standard error, over a progress line if there is one.
 */
void session_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Asks a question that "yes" answers, likewise, and waits for it; false where nobody can answer.
 */
bool session_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** A progress line on the standard error: rewritten in place on a terminal, a new line each
 * elsewhere. */
void session_progress(const struct style *style, const char *line);
/** Ends the progress line. */
void session_progress_end(void);

#endif
