/* SPDX-License-Identifier: MIT */
/*
 * Where the configuration lies. The environment tells which system this is; nothing is looked at on
 * disk. Windows programs under Wine read the file that the native engine reads: there is one per
 * user, not one per prefix.
 */
#include "base/config.h"

#include <stdio.h>
#include <string.h>

/* WINEHOMEDIR, which only Wine sets, is a name as Windows' kernel has it: \??\Z:\home\NAME, or
 * \??\unix\home\NAME where no drive shows all files. Programs write \\?\ before the rest. */
#define KERNEL_NAME "\\??\\"
#define PROGRAM_NAME "\\\\?\\"

enum { VALUE_BYTES = 1024 };

static bool
fits(int length, size_t room)
{
    return length > 0 && (size_t)length < room;
}

/* False: not under Wine. */
static bool
path_under_wine(bool (*getenv_utf8)(const char *name, char *value, size_t bytes), char *path,
                size_t path_bytes, bool *good)
{
    char home[VALUE_BYTES], folder[VALUE_BYTES];
    if (!getenv_utf8("WINEHOMEDIR", home, sizeof(home)) ||
        strncmp(home, KERNEL_NAME, strlen(KERNEL_NAME)) != 0) {
        return false;
    }
    if (getenv_utf8("XDG_CONFIG_HOME", folder, sizeof(folder)) && folder[0] == '/') {
        *good = fits(snprintf(path, path_bytes, PROGRAM_NAME "unix%s/tutti/tutti.ini", folder),
                     path_bytes);
    } else {
        *good = fits(snprintf(path, path_bytes, PROGRAM_NAME "%s/.config/tutti/tutti.ini",
                              home + strlen(KERNEL_NAME)),
                     path_bytes);
    }
    for (char *at = path; *good && *at; at++) {
        *at = *at == '/' ? '\\' : *at;
    }
    return true;
}

bool
config_default_path(bool (*getenv_utf8)(const char *name, char *value, size_t bytes), char *path,
                    size_t path_bytes)
{
    static const struct {
        const char *variable, *format;
    } places[] = {
        {"TUTTI_CONFIG", "%s"},
        {"APPDATA", "%s\\Tutti\\tutti.ini"},
        {"XDG_CONFIG_HOME", "%s/tutti/tutti.ini"},
        {"HOME", "%s/.config/tutti/tutti.ini"},
    };
    char value[VALUE_BYTES];
    bool good = false;

    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (i == 1 && path_under_wine(getenv_utf8, path, path_bytes, &good))
            return good;
        if (!getenv_utf8(places[i].variable, value, sizeof value) || !value[0])
            continue;
        return fits(snprintf(path, path_bytes, places[i].format, value), path_bytes);
    }
    return false;
}
