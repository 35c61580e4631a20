/* SPDX-License-Identifier: MIT */
/* Where the configuration lies. The environment tells which system this is; nothing is looked at on
 * disk. */
#include "base/config.h"

#include <stdio.h>

bool
config_default_path(bool (*getenv_utf8)(const char *name, char *value, size_t bytes), char *path,
                    size_t path_bytes)
{
    static const struct {
        const char *variable, *format;
    } places[] = {
        {"TUTTI_CONFIG", "%s"},
        {"APPDATA", "%s\\Tutti\\tutti.ini"}, /* Windows, and programs under Wine */
        {"XDG_CONFIG_HOME", "%s/tutti/tutti.ini"},
        {"HOME", "%s/.config/tutti/tutti.ini"},
    };
    char value[1024];

    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!getenv_utf8(places[i].variable, value, sizeof value) || !value[0])
            continue;
        int n = snprintf(path, path_bytes, places[i].format, value);
        return n > 0 && (size_t)n < path_bytes;
    }
    return false;
}
