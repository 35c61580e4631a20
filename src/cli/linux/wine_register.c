/* SPDX-License-Identifier: MIT */
/*
 * Running the prefix's own regsvr32. See wine.h. It begins the prefix as any program does, without
 * the parts of Windows that registering needs not (services, the desktop, the offer to install
 * .NET), and without a display.
 */
#include "cli/linux/wine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "cli/linux/run.h"
#include "config/config_file.h"

#define OVERRIDES                                                                                  \
    "mscoree,mshtml,winemenubuilder.exe,services.exe,explorer.exe,plugplay.exe,winedevice.exe="

enum { REGISTER_SECONDS = 120, SLEEP_SECONDS = 60 };

/* lib64 and lib beside a loader's bin, for Wines that bring libraries of their own. */
static bool
own_libraries(const char *loader, char paths[2 * FILES_PATH_BYTES])
{
    char folder[FILES_PATH_BYTES];

    files_set(folder, loader);
    for (unsigned up = 0; up < 2; up++) {
        char *end = strrchr(folder, '/');
        if (!end) {
            return false;
        }
        *end = '\0';
    }
    snprintf(paths, 2 * FILES_PATH_BYTES, "%.4000s/lib64:%.4000s/lib", folder, folder);
    return true;
}

static bool
getenv_utf8(const char *name, char *value, size_t bytes)
{
    const char *found = getenv(name);

    if (!found || strlen(found) >= bytes) {
        return false;
    }
    memcpy(value, found, strlen(found) + 1);
    return true;
}

void
wine_profiles(char profiles[WINE_PROFILES_BYTES])
{
    char path[FILES_PATH_BYTES], names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES];
    char problem[CONFIG_TEXT_BYTES], *text = NULL;
    size_t bytes = 0, length = 0;

    profiles[0] = '\0';
    if (!config_default_path(getenv_utf8, path, sizeof(path)) ||
        config_file_read(path, &text, &bytes, problem) != TUTTI_OK) {
        return;
    }
    unsigned count = config_profiles(text, bytes, names);
    free(text);
    for (unsigned i = 0; i < count && length + CONFIG_PROFILE_BYTES < WINE_PROFILES_BYTES; i++) {
        length += (size_t)snprintf(profiles + length, WINE_PROFILES_BYTES - length, "%s%s",
                                   i ? "," : "", names[i]);
    }
}

bool
wine_register(const struct wine_prefix *prefix, const struct wine_state *state, enum wine_half half,
              const char *windows_path, bool undo, const char *profiles, char why[WINE_WHY_BYTES])
{
    char words[WINE_PROFILES_BYTES + 32];
    char libraries[2 * FILES_PATH_BYTES], server[FILES_PATH_BYTES];
    /* the 32-bit one lies apart in a 64-bit prefix, and writes what 32-bit hosts read */
    const char *tool =
        half == WINE_32 && state->bits == 64 ? "C:\\windows\\syswow64\\regsvr32.exe" : "regsvr32";
    const char *argv[] = {state->loader, tool, "/s", words, windows_path, NULL};
    const char *wait[] = {server, "-w", NULL};
    struct run_change changes[] = {{"WINEPREFIX", prefix->path},
                                   {"WINEDEBUG", "-all"},
                                   {"WINEDLLOVERRIDES", OVERRIDES},
                                   {"WINEARCH", NULL},
                                   {"WINESERVER", NULL},
                                   {"WINELOADER", NULL},
                                   {"DISPLAY", NULL},
                                   {"WAYLAND_DISPLAY", NULL},
                                   {NULL, NULL},
                                   {NULL, NULL}};
    struct text said;

    if (undo) {
        argv[3] = "/u";
    } else {
        snprintf(words, sizeof(words), "/i:profiles:%s", profiles);
    }
    if (prefix->loader[0] && own_libraries(state->loader, libraries)) {
        changes[sizeof(changes) / sizeof(*changes) - 2] =
            (struct run_change){"LD_LIBRARY_PATH", libraries};
    }
    text_init(&said);
    int code = run_program(argv, changes, REGISTER_SECONDS, &said);
    if (code == RUN_TOO_LONG) {
        snprintf(why, WINE_WHY_BYTES, "regsvr32 did not end within %d s", REGISTER_SECONDS);
    } else if (code == RUN_CANNOT_START) {
        snprintf(why, WINE_WHY_BYTES, "%.400s cannot be started", state->loader);
    }
    /* its end may be a crash in Wine's own unloading: the registry says what was done, and is
     * written when the server ends */
    bool ran = code != RUN_TOO_LONG && code != RUN_CANNOT_START;
    if (!wine_server(state->loader, server)) {
        snprintf(why, WINE_WHY_BYTES, "there is no wineserver beside %.400s", state->loader);
        ran = false;
    } else if (run_program(wait, changes, SLEEP_SECONDS, &said) == RUN_TOO_LONG && ran) {
        snprintf(why, WINE_WHY_BYTES,
                 "a program was started in it meanwhile; close it and try again");
        ran = false;
    }
    text_fini(&said);
    return ran;
}
