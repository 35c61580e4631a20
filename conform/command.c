/* SPDX-License-Identifier: MIT */
/* Judges an ASIO driver. Exit status 0: all passed, 1: some failed, 2: could not. */
#include <stdio.h>
#include <string.h>

#include "conform/command.h"
#include "conform/inside.h"
#include "conform/results.h"
#include "console/say.h"

enum { CANNOT = 2 };

static const double default_seconds = 10;

/* ---- while it runs ---- */

struct progress {
    const struct style *style;
    const char *group;
    bool quiet;
};

static void
show_progress(void *user, const struct result *result)
{
    struct progress *progress = user;
    struct text text;

    text_init(&text);
    if (!progress->group || strcmp(progress->group, result->group->name) != 0) {
        progress->group = result->group->name;
        text_add(&text, "\n");
        style_add(&text, progress->style, STYLE_STRONG, progress->group, 0);
        text_add(&text, "\n");
    }
    show_result(&text, progress->style, result);
    if (!progress->quiet) {
        say_text(&text);
    }
    text_fini(&text);
}

/* ---- files ---- */

static bool
write_file(const char *path, void (*show)(struct text *, const struct results *),
           const struct results *results)
{
    wchar_t wide[MAX_PATH];
    struct text text;
    bool written = false;

    text_init(&text);
    show(&text, results);
    FILE *file = MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, ARRAYSIZE(wide))
                     ? _wfopen(wide, L"wb")
                     : NULL;
    if (file) {
        written = !text.failed && fwrite(text_get(&text), 1, text.length, file) == text.length;
        written = fclose(file) == 0 && written;
    }
    if (!written) {
        say("cannot write %s", path);
    }
    text_fini(&text);
    return written;
}

static bool
write_reports(const struct args *args, const struct results *results)
{
    const char *json = args_value(args, "json"), *html = args_value(args, "html");
    bool good = !json || write_file(json, show_json, results);

    return (!html || write_file(html, show_html, results)) && good;
}

/* ---- the command ---- */

static int
say_drivers(const struct conform_shown *shown)
{
    struct find_entry entry;
    unsigned i = 0;

    for (; find_entry(i, &entry); i++) {
        say("a registered driver: \"%s\"", entry.name);
    }
    if (i) {
        say("name one of them: %s \"DRIVER\"", shown->called);
    } else {
        say("no ASIO driver is registered for programs of this kind");
    }
    return CANNOT;
}

static int
list(const struct args *args, const struct style *out)
{
    struct text text;

    text_init(&text);
    show_list(&text, out, args_value(args, "only"));
    bool printed = say_text(&text);
    text_fini(&text);
    return printed ? 0 : CANNOT;
}

static bool
any_chosen(const char *only)
{
    const struct conform_group *group;
    const struct conform_case *one;

    for (unsigned i = 0; (one = conform_case_at(i, &group)) != NULL; i++) {
        if (conform_chosen(only, group, one)) {
            return true;
        }
    }
    return false;
}

static int
judge(const struct args *args, const struct conform_shown *shown, double seconds, double patience_s)
{
    struct results results;
    struct progress progress = {.style = &shown->out};
    struct parent_options options = {
        .called = shown->called,
        .driver = args->operand,
        .only = args_value(args, "only"),
        .except = args_value(args, "except"),
        .seconds = seconds,
        .patience_s = patience_s,
        .progress = show_progress,
        .user = &progress,
    };
    char error[CONFORM_TEXT_BYTES] = "";
    struct text text;

    if (!any_chosen(options.only) || (options.except && !any_chosen(options.except))) {
        say("no case is called so; see '%s --list'", shown->called);
        return CANNOT;
    }
    results_init(&results, args->operand);
    bool ran = parent_run(&results, &options, error);
    text_init(&text);
    if (ran) {
        text_add(&text, "\n");
        show_driver(&text, &shown->out, &results);
        show_sum(&text, &shown->out, &results);
        say_text(&text);
        ran = write_reports(args, &results);
    } else {
        say("%s", error);
    }
    text_fini(&text);
    int code = !ran ? CANNOT : results.verdicts[VERDICT_FAILED] ? 1 : 0;
    results_fini(&results);
    return code;
}

int
conform_command(const struct args *args, const struct conform_shown *shown)
{
    char error[ARGS_ERROR_BYTES];
    double seconds = default_seconds, patience_s = CONFORM_CALL_S;

    if (!args_number(args, "seconds", 1, 86400, &seconds, error) ||
        !args_number(args, "patience", 1, 600, &patience_s, error)) {
        return say_usage(args, error);
    }
    if (args_flag(args, "list")) {
        return list(args, &shown->out);
    }
    if (!args->operand) {
        return say_drivers(shown);
    }
    if (args_value(args, "child")) {
        return child_run(args->operand, args_value(args, "child"), args_value(args, "only"),
                         seconds);
    }
    return judge(args, shown, seconds, patience_s);
}
