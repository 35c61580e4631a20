/* SPDX-License-Identifier: MIT */
/* tutti wine: the driver in Wine's prefixes. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/linux/wine.h"
#include "cli/session.h"

enum { SETUP_S = 60 }; /* that wineboot and its server may take */

/* What the arguments ask for. */
struct task {
    const struct args *args;
    const struct cli *cli;
    struct wine_dlls dlls;
    struct wine_prefixes list;
};

static int
show_all(struct task *task)
{
    static struct wine_state state;
    bool as_json = args_flag(task->args, "json");
    struct text out;
    struct json json;

    text_init(&out);
    json_init(&json, &out);
    if (as_json) {
        json_object_begin(&json);
        json_key(&json, "version");
        json_string(&json, TUTTI_VERSION);
        json_key(&json, "prefixes");
        json_array_begin(&json);
    } else if (task->list.count == 0) {
        text_add(&out,
                 "There is no Wine prefix. A Windows program that runs under Wine makes one.\n");
    }
    for (size_t i = 0; i < task->list.count; i++) {
        const struct wine_prefix *prefix = &task->list.prefix[i];
        wine_look(prefix, &task->dlls, &state);
        if (as_json) {
            wine_show_json(&json, prefix, &state);
        } else {
            wine_show(&out, &task->cli->out, prefix, &state);
        }
        if (!as_json && i + 1 < task->list.count) {
            text_add(&out, "\n");
        }
    }
    if (as_json) {
        json_array_end(&json);
        json_object_end(&json);
        text_add(&out, "\n");
    }
    bool printed = say_text(&out);
    text_fini(&out);
    return printed ? 0 : 1;
}

/* A prefix that its Wine has just begun is not damaged. */
static void
await_setup(const struct task *task, const struct wine_prefix *prefix)
{
    static struct wine_state state;

    wine_look(prefix, &task->dlls, &state);
    if (!state.being_made) {
        return;
    }
    session_say("%s: its Wine is still setting it up; waiting", prefix->path);
    wine_await_setup(prefix, &task->dlls, SETUP_S);
}

/* One line per prefix; the failed ones on the standard error. */
static int
change_all(struct task *task, bool install)
{
    char why[WINE_WHY_BYTES];
    unsigned failed = 0;

    if (task->list.count == 0) {
        session_say("there is no Wine prefix; a Windows program that runs under Wine makes one");
        return install ? 1 : 0;
    }
    for (size_t i = 0; i < task->list.count; i++) {
        const struct wine_prefix *prefix = &task->list.prefix[i];
        await_setup(task, prefix);
        bool done = install ? wine_install(prefix, &task->dlls, args_flag(task->args, "copy"), why)
                            : wine_uninstall(prefix, &task->dlls, why);
        if (!done) {
            session_say("%s: %s", prefix->path, why);
            failed++;
        } else if (install) {
            printf("%s: registered%s%s\n", prefix->path, why[0] ? "; " : "", why);
        } else {
            printf("%s: %s\n", prefix->path, why[0] ? why : "taken out");
        }
        fflush(stdout);
    }
    if (install && failed < task->list.count) {
        puts("Choose \"Tutti\" as the ASIO driver in your programs.");
    }
    return failed ? 1 : 0;
}

/* The prefixes that are meant, with a Wine named by hand put in. */
static bool
find_prefixes(struct task *task, char why[WINE_WHY_BYTES])
{
    const char *prefix = args_value(task->args, "prefix"), *wine = args_value(task->args, "wine");

    if (!prefix) {
        wine_find(&task->list);
    } else if (!wine_find_given(&task->list, prefix, why)) {
        return false;
    }
    if (wine && prefix && !files_set(task->list.prefix[0].loader, wine)) {
        snprintf(why, WINE_WHY_BYTES, "the path of --wine is too long");
        return false;
    }
    return true;
}

int
command_wine_run(const struct args *args, const struct cli *cli)
{
    static const char *const actions[] = {"install", "uninstall", "status"};
    struct task task = {.args = args, .cli = cli};
    char why[WINE_WHY_BYTES] = "";
    unsigned action = 0;
    int code = 1;

    while (action < 3 && strcmp(actions[action], args->operand) != 0) {
        action++;
    }
    if (action == 3) {
        return say_usage(args, "the action is install, uninstall or status");
    }
    if (args_value(args, "wine") && !args_value(args, "prefix")) {
        return say_usage(args, "--wine is for one prefix: name it with --prefix");
    }
    bool driver = wine_dlls_find(&task.dlls, args_value(args, "dlls"), why);
    if (!driver && (action == 0 || args_value(args, "dlls"))) {
        session_say("%s", why);
        return 1;
    }
    if (!find_prefixes(&task, why)) {
        session_say("%s", why);
    } else {
        code = action == 2 ? show_all(&task) : change_all(&task, action == 0);
    }
    wine_prefixes_fini(&task.list);
    return code;
}
