/* SPDX-License-Identifier: MIT */
/* The configuration as this process sees it: the same file and the same variables that the engine
 * reads. */
#include "asio/driver.h"

#include <stdlib.h>

#include "base/log.h"

enum { PATH_BYTES = 1024, NAME_CHARS = 128 };

static bool
getenv_utf8(const char *name, char *value, size_t bytes)
{
    wchar_t wide_name[NAME_CHARS], wide[PATH_BYTES];

    if (!MultiByteToWideChar(CP_UTF8, 0, name, -1, wide_name, NAME_CHARS))
        return false;
    DWORD length = GetEnvironmentVariableW(wide_name, wide, PATH_BYTES);
    if (length >= PATH_BYTES || (length == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND))
        return false;
    wide[length] = L'\0';
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, value, (int)bytes, NULL, NULL) > 0;
}

void
settings_read(struct config *config)
{
    char path[PATH_BYTES], problem[CONFIG_TEXT_BYTES] = "";

    config_init(config);
    if (!config_default_path(getenv_utf8, path, sizeof path))
        path[0] = '\0';
    /* A mistake leaves its default; the engine's log tells of it too, and playing goes on. */
    if (config_read(config, path, getenv_utf8, problem))
        log_warning("asio: %s", problem);
}
