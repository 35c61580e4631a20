/* SPDX-License-Identifier: MIT */
#include "locales.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef _WIN32

bool
locales_set_comma(void)
{
    return setlocale(LC_ALL, "German_Germany.1252") != NULL;
}

bool
locales_set_turkish(void)
{
    return setlocale(LC_ALL, "Turkish_Turkey.1254") != NULL;
}

#else

#include <unistd.h>

/* Compiled by localedef(1) from the sources that the package `locales` has, once per build. */
static bool
compile(const char *language, const char *name)
{
    char draft[] = LOCALES_DIR "/locale-XXXXXX", folder[512], command[1200];
    snprintf(folder, sizeof(folder), LOCALES_DIR "/%s", name);
    if (access(folder, F_OK) == 0) {
        return true;
    }
    if (!mkdtemp(draft)) {
        return false;
    }
    snprintf(command, sizeof(command),
             "localedef -i %s -f UTF-8 '%s/%s' >/dev/null 2>&1; mv -T '%s/%s' '%s'; rm -rf '%s'",
             language, draft, name, draft, name, folder, draft);
    return system(command) == 0 && access(folder, F_OK) == 0;
}

static bool
set(const char *language)
{
    char name[32];
    snprintf(name, sizeof(name), "%s.UTF-8", language);
    if (setlocale(LC_ALL, name)) {
        return true;
    }
    const bool made = compile(language, name);
    setenv("LOCPATH", LOCALES_DIR, 1);
    const bool set = made && setlocale(LC_ALL, name) != NULL;
    unsetenv("LOCPATH");
    return set;
}

bool
locales_set_comma(void)
{
    return set("de_DE");
}

bool
locales_set_turkish(void)
{
    return set("tr_TR");
}

#endif
