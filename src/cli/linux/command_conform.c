/* SPDX-License-Identifier: MIT */
/* tutti conform, on Linux: runs tutti-conform.exe with the user's Wine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/linux/wine.h"
#include "cli/session.h"

enum { CANNOT = 2, WORDS = 2 + ARGS_MAX_OPTIONS + 2, WORD_BYTES = 1024 };

/* What the user called it with, as words for the program; each lives as long as the process. False:
 * one is too long. */
static bool
add_arguments(const struct args *args, const char *words[WORDS], unsigned count)
{
    static char room[ARGS_MAX_OPTIONS][WORD_BYTES];

    if (args->operand) {
        words[count++] = args->operand;
    }
    for (unsigned i = 0; i < ARGS_MAX_OPTIONS && args->command->options[i].name; i++) {
        const struct args_option *option = &args->command->options[i];
        const char *value = option->value ? args_value(args, option->name) : NULL;
        if (!value && (option->value || !args_flag(args, option->name))) {
            continue;
        }
        int length = snprintf(room[i], WORD_BYTES, "--%s%s%s", option->name, value ? "=" : "",
                              value ? value : "");
        if (length >= WORD_BYTES) {
            return false;
        }
        words[count++] = room[i];
    }
    words[count] = NULL;
    return true;
}

int
command_conform_run(const struct args *args, const struct cli *cli)
{
    const char *words[WORDS] = {NULL};
    char loader[FILES_PATH_BYTES], program[FILES_PATH_BYTES], why[WINE_WHY_BYTES] = "";
    struct wine_dlls dlls;

    if (!wine_system_loader(loader)) {
        session_say("there is no Wine; install it, or name its loader in WINELOADER");
        return CANNOT;
    }
    if (!wine_dlls_find(&dlls, NULL, why)) {
        session_say("%s", why);
        return CANNOT;
    }
    const char *folder = dlls.half[WINE_64][0] ? dlls.half[WINE_64] : dlls.half[WINE_32];
    if (!files_join(program, folder, "tutti-conform.exe") || !files_is_file(program)) {
        session_say("there is no tutti-conform.exe in '%s'; install Tutti again", folder);
        return CANNOT;
    }
    words[0] = loader;
    words[1] = program;
    if (!add_arguments(args, words, 2)) {
        session_say("an argument is longer than %d bytes", WORD_BYTES);
        return CANNOT;
    }
    execv(loader, (char *const *)words);
    session_say("'%s' does not start: %s", loader, strerror(errno));
    return CANNOT;
}
