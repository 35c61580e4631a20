/* SPDX-License-Identifier: MIT */
/* tutti status: looks at the engine once or, with --watch, again and again. It never starts one. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/platform.h"
#include "console/terminal.h"
#include "cli/session.h"
#include "cli/show.h"

enum { SLEEP_MS = 50 };

static const char watch_begin[] = "\033[?1049h\033[?25l"; /* other screen, no cursor */
static const char watch_end[] = "\033[?25h\033[?1049l";

/* This command is a program of the engine too; it is not what people look for. */
static void
leave_out_self(struct tutti_engine_status *status, struct tutti_program_status *programs)
{
    uint32_t kept = 0, self = platform_pid();

    for (uint32_t i = 0; i < status->program_count; i++) {
        if (programs[i].pid != self) {
            programs[kept++] = programs[i];
        }
    }
    status->program_count = kept;
}

/* Looks once. The session stays open between looks, so that peaks are "since the last look". */
static enum tutti_status
look(struct session *session, const struct style *style, bool json, struct text *text)
{
    struct tutti_engine_status engine;
    struct tutti_program_status *programs = NULL;
    enum tutti_status status = TUTTI_OK;

    if (!session->client) {
        status = session_open(session, "tutti status", false);
    }
    if (status == TUTTI_OK) {
        status = tutti_get_status(session->client, &engine, &programs);
    }
    if (status == TUTTI_OK) {
        leave_out_self(&engine, programs);
        if (json) {
            show_status_json(text, &engine, programs);
        } else {
            show_status(text, style, &engine, programs);
        }
        tutti_free(programs);
        return TUTTI_OK;
    }
    if (status == TUTTI_NO_ENGINE || status == TUTTI_ENGINE_LOST) {
        session_close(session);
        if (json) {
            show_status_json(text, NULL, NULL);
        } else {
            text_add(text, "No engine runs. It starts by itself with the first program.\n");
        }
        return TUTTI_NO_ENGINE;
    }
    return status;
}

static int
look_once(const struct cli *cli, bool json)
{
    static struct session session;
    struct text text;
    int code = 1;

    text_init(&text);
    enum tutti_status status = look(&session, &cli->out, json, &text);
    if (status == TUTTI_OK || status == TUTTI_NO_ENGINE) {
        code = say_text(&text) ? 0 : 1;
    } else if (session.client) {
        session_fail(&session, "cannot ask the engine", status);
    }
    text_fini(&text);
    session_close(&session);
    return code;
}

/* Cuts a screen that is longer than the terminal, so that it does not scroll. */
static void
add_screen(struct text *screen, const char *body, unsigned lines)
{
    text_add(screen, "\033[H");
    for (unsigned line = 0; *body && (lines == 0 || line + 1 < lines); line++) {
        const char *end = body;
        while (*end && *end != '\n') {
            end++;
        }
        text_add_bytes(screen, body, (size_t)(end - body));
        text_add(screen, "\033[K\n");
        body = *end ? end + 1 : end;
    }
    text_add(screen, "\033[J");
}

static void
sleep_seconds(double seconds)
{
    for (double left = seconds * 1000; left > 0 && !platform_interrupted(); left -= SLEEP_MS) {
        platform_sleep_ms(left < SLEEP_MS ? (unsigned)left : SLEEP_MS);
    }
}

static int
watch(const struct cli *cli, bool json, double interval)
{
    static struct session session;
    bool screen = cli->out.cursor && !json;
    struct text body, page;
    int code = 0;

    text_init(&body);
    text_init(&page);
    platform_catch_interrupts();
    if (screen) {
        text_add(&page, watch_begin);
    }
    while (!platform_interrupted()) {
        struct style style = cli->out;
        style.columns = terminal_columns(false);
        style.lines = screen ? terminal_lines() : 0;
        style.lines -= style.lines > 0; /* the last one holds the cursor */
        enum tutti_status status = look(&session, &style, json, &body);
        if (status != TUTTI_OK && status != TUTTI_NO_ENGINE) {
            if (json) {
                session_say("%s", tutti_status_text(status));
            } else {
                text_addf(&body, "%s\n", tutti_status_text(status));
            }
            session_close(&session);
        }
        if (screen) {
            add_screen(&page, text_get(&body), terminal_lines());
        } else {
            text_addf(&page, "%s%s", text_get(&body), json ? "" : "\n");
        }
        if (!say_text(&page)) {
            code = 1;
            break;
        }
        text_clear(&page);
        text_clear(&body);
        sleep_seconds(interval);
    }
    if (screen) {
        text_clear(&page);
        text_add(&page, watch_end);
        say_text(&page);
    }
    text_fini(&page);
    text_fini(&body);
    session_close(&session);
    return code;
}

int
command_status_run(const struct args *args, const struct cli *cli)
{
    char error[ARGS_ERROR_BYTES];
    double interval = 0.25;
    bool json = args_flag(args, "json");

    if (!args_number(args, "interval", 0.05, 3600, &interval, error)) {
        return say_usage(args, error);
    }
    if (args_flag(args, "watch")) {
        return watch(cli, json, interval);
    }
    return look_once(cli, json);
}
