/* SPDX-License-Identifier: MIT */
/*
 * Which Wine, and where its parts lie. See wine.h.
 *
 * A Wine's data folder is share/wine beside its bin (Wine, dlls/ntdll/unix/loader.c, set_dll_path()
 * and init_paths()). Debian has the loaders in /usr/lib/wine and a script that chooses as
 * /usr/bin/wine.
 */
#include "cli/linux/wine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/linux/run.h"

enum { VERSION_SECONDS = 20 };

/* The first of several names below a folder that can be run (or read). */
static bool
first_below(const char *folder, const char *const *names, unsigned count, int mode,
            char path[FILES_PATH_BYTES])
{
    char tried[FILES_PATH_BYTES];

    for (unsigned i = 0; i < count; i++) {
        if (files_join(tried, folder, names[i]) && files_is_file(tried) &&
            access(tried, mode) == 0) {
            return files_set(path, tried);
        }
    }
    return false;
}

#define FIRST_BELOW(folder, names, mode, path)                                                     \
    first_below(folder, names, sizeof(names) / sizeof(*(names)), mode, path)

static bool
find_in_path(const char *const *names, unsigned count, char path[FILES_PATH_BYTES])
{
    const char *variable = getenv("PATH");
    char folder[FILES_PATH_BYTES];

    for (const char *at = variable ? variable : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        if (length && length < sizeof(folder)) {
            memcpy(folder, at, length);
            folder[length] = '\0';
            if (first_below(folder, names, count, X_OK, path)) {
                return true;
            }
        }
        at += length;
        at += *at == ':';
    }
    return false;
}

bool
wine_system_loader(char path[FILES_PATH_BYTES])
{
    static const char *const names[] = {"wine", "wine64"};
    const char *variable = getenv("WINELOADER");

    if (variable && variable[0] == '/' && access(variable, X_OK) == 0) {
        return files_set(path, variable);
    }
    if (FIRST_BELOW("/usr/lib/wine", names, X_OK, path)) {
        return true;
    }
    return find_in_path(names, sizeof(names) / sizeof(*names), path);
}

/* The folder that a loader really lies in. */
static bool
folder_of(const char *loader, char folder[FILES_PATH_BYTES])
{
    char real[PATH_MAX];

    if (!realpath(loader, real)) {
        return false;
    }
    *strrchr(real, '/') = '\0';
    return files_set(folder, real[0] ? real : "/");
}

bool
wine_inf(const char *loader, char path[FILES_PATH_BYTES])
{
    static const char *const names[] = {"../share/wine/wine.inf", "../../share/wine/wine.inf",
                                        "../share/wine/wine/wine.inf",
                                        "../../share/wine/wine/wine.inf"};
    char folder[FILES_PATH_BYTES];

    return folder_of(loader, folder) && FIRST_BELOW(folder, names, R_OK, path);
}

bool
wine_server(const char *loader, char path[FILES_PATH_BYTES])
{
    static const char *const names[] = {"wineserver", "wineserver64"};
    char folder[FILES_PATH_BYTES];

    if (folder_of(loader, folder) && FIRST_BELOW(folder, names, X_OK, path)) {
        return true;
    }
    return find_in_path(names, sizeof(names) / sizeof(*names), path);
}

bool
wine_runs_32(const char *loader)
{
    static const char *const names[] = {
        "../lib/wine/i386-unix/ntdll.so", "../lib32/wine/i386-unix/ntdll.so",
        "../i386-linux-gnu/wine/i386-unix/ntdll.so",
        "../lib/i386-linux-gnu/wine/i386-unix/ntdll.so", "../lib/wine/ntdll.dll.so"};
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES];

    return folder_of(loader, folder) && FIRST_BELOW(folder, names, R_OK, path);
}

void
wine_version(const char *loader, char version[WINE_NAME_BYTES])
{
    const char *argv[] = {loader, "--version", NULL};
    struct run_change changes[] = {{"WINEDEBUG", "-all"}, {"WINESERVER", NULL}, {NULL, NULL}};
    struct text said;

    version[0] = '\0';
    text_init(&said);
    if (run_program(argv, changes, VERSION_SECONDS, &said) == 0) {
        snprintf(version, WINE_NAME_BYTES, "%s", text_get(&said));
        version[strcspn(version, "\r\n")] = '\0';
    }
    text_fini(&said);
}
