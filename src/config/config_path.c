/* SPDX-License-Identifier: MIT */
/*
 * Where the configuration lies. Nothing is looked at on disk. Windows programs under Wine read the
 * file that the native engine reads: there is one per user, not one per prefix. And a native engine
 * that such a program started has its variables, which are no reason to look where Windows does.
 */
#include "config/config.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

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
config_path_on(bool windows, bool (*getenv_utf8)(const char *name, char *value, size_t bytes),
               char *path, size_t path_bytes)
{
    static const struct {
        const char *variable, *format;
    } places[2][3] = {
        {{"TUTTI_CONFIG", "%s"},
         {"XDG_CONFIG_HOME", "%s/tutti/tutti.ini"},
         {"HOME", "%s/.config/tutti/tutti.ini"}},
        {{"TUTTI_CONFIG", "%s"}, {"APPDATA", "%s\\Tutti\\tutti.ini"}, {NULL, NULL}},
    };
    char value[VALUE_BYTES];
    bool good = false;

    for (unsigned i = 0; i < 3 && places[windows][i].variable; i++) {
        if (windows && i == 1 && path_under_wine(getenv_utf8, path, path_bytes, &good)) {
            return good;
        }
        if (!getenv_utf8(places[windows][i].variable, value, sizeof(value)) || !value[0]) {
            continue;
        }
        return fits(snprintf(path, path_bytes, places[windows][i].format, value), path_bytes);
    }
    return false;
}

bool
config_default_path(bool (*getenv_utf8)(const char *name, char *value, size_t bytes), char *path,
                    size_t path_bytes)
{
    return config_path_on(file_is_windows(), getenv_utf8, path, path_bytes);
}
