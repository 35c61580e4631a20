/* SPDX-License-Identifier: MIT */
/* One meeting with the engine. See session.h. */
#include "cli/session.h"

#include "console/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/platform.h"

/* Of the one standard error: a line without its end stands on the terminal. */
static bool line_is_open;

/* Event thread. A full queue drops the newest: the main thread looks every few ms. */
static void
on_event(void *user, const struct tutti_event *event)
{
    struct session *session = user;
    struct session_event copy = {
        .kind = event->kind,
        .value = event->value,
        .rate_hz = event->rate_hz,
    };

    snprintf(copy.text, sizeof(copy.text), "%s", event->text ? event->text : "");
    (void)ring_put(&session->events, &copy);
}

bool
session_next_event(struct session *session, struct session_event *event)
{
    return ring_get(&session->events, event);
}

static enum tutti_status
open_client(struct session *session, const char *program, const char *profile, bool start)
{
    char why[TUTTI_TEXT_BYTES] = "";
    struct tutti_open_params params = {.program = program,
                                       .profile = profile,
                                       .do_not_start = !start,
                                       .event = on_event,
                                       .user = session,
                                       .error = why};

    session->client = NULL;
    ring_init(&session->events, session->event, sizeof(session->event[0]), SESSION_EVENTS);
    enum tutti_status status = tutti_open(&session->client, &params);
    if (status == TUTTI_NO_ENGINE && start) {
        session_say("the engine did not start; run 'tuttid --foreground' to see why");
    } else if (status != TUTTI_OK && status != TUTTI_NO_ENGINE) {
        session_say("%s", why[0] ? why : tutti_status_text(status));
    }
    return status;
}

enum tutti_status
session_open(struct session *session, const char *program, bool start)
{
    return open_client(session, program, NULL, start);
}

enum tutti_status
session_open_profile(struct session *session, const char *program, const char *profile)
{
    return open_client(session, program, profile, true);
}

void
session_close(struct session *session)
{
    tutti_close(session->client);
    session->client = NULL;
}

int
session_fail(const struct session *session, const char *what, enum tutti_status status)
{
    const char *why = session->client ? tutti_last_error(session->client) : NULL;

    session_say("%s: %s", what, why && why[0] ? why : tutti_status_text(status));
    return 1;
}

void
session_say_problem(const struct session *session)
{
    struct tutti_engine_status status;

    if (tutti_get_status(session->client, &status, NULL) == TUTTI_OK && status.problem[0]) {
        session_say("%s", status.problem);
    }
}

void
session_say(const char *format, ...)
{
    va_list list;

    session_progress_end();
    va_start(list, format);
    say_list("\n", format, list);
    va_end(list);
}

bool
session_ask(const char *format, ...)
{
    char answer[16];
    va_list list;

    if (!platform_can_ask()) {
        return false;
    }
    session_progress_end();
    va_start(list, format);
    say_list(" [y/N] ", format, list);
    va_end(list);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

void
session_progress(const struct style *style, const char *line)
{
    if (style->terminal) {
        fprintf(stderr, "\r%s%s", line, style->cursor ? "\033[K" : "");
        line_is_open = true;
    } else {
        fprintf(stderr, "%s\n", line);
    }
    fflush(stderr);
}

void
session_progress_end(void)
{
    if (line_is_open) {
        fputs("\n", stderr);
    }
    line_is_open = false;
}
