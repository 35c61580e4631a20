/* SPDX-License-Identifier: MIT */
#include "cli/args_profile.h"

#include <stdlib.h>

#include "cli/platform.h"
#include "cli/session.h"
#include "config/config_file.h"

unsigned
args_profile_names(char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES])
{
    char path[1024], problem[CONFIG_TEXT_BYTES], *text = NULL;
    size_t bytes = 0;

    if (!config_default_path(platform_getenv, path, sizeof(path))) {
        return 0;
    }
    if (config_file_read(path, &text, &bytes, problem) != TUTTI_OK) {
        session_say("%s", problem);
        return 0;
    }
    unsigned count = config_profiles(text, bytes, names);
    free(text);
    return count;
}

bool
args_profile(const struct args *args, const char **name)
{
    static char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES];

    *name = args_value(args, "profile");
    if (!*name) {
        return true;
    }
    unsigned count = args_profile_names(names);
    for (unsigned i = 0; i < count; i++) {
        if (config_profile_same(names[i], *name)) {
            return true;
        }
    }
    session_say("the configuration has no profile '%.40s'; 'tutti profile list' shows them", *name);
    return false;
}
