/* SPDX-License-Identifier: MIT */
/*
 * Whether a registered driver reaches the native engine: the bridge that it would start, looked for
 * as os/win32/bridge.c does, but for TUTTI_BRIDGE, which is the program's own. See wine.h.
 */
#include "cli/linux/wine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/linux/run.h"

enum { RUN_SECONDS = 10, UP = 3 };

/* path loses its last part; false when it has none. */
static bool
cut(char *path)
{
    char *end = strrchr(path, '/');

    if (end) {
        *end = '\0';
    }
    return end != NULL;
}

/* The one that tutti-bridge.txt beside the driver names, else the one of the installation that the
 * driver lies in. False: neither is there; bridge is where it was to lie, if that is known. */
static bool
find_bridge(const char *driver, char bridge[FILES_PATH_BYTES])
{
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES], real[PATH_MAX];

    bridge[0] = '\0';
    files_set(folder, driver);
    if (!cut(folder)) {
        return false;
    }
    if (files_join(path, folder, wine_files[WINE_FILES - 1])) {
        files_read_line(path, bridge, FILES_PATH_BYTES);
    }
    if (bridge[0] != '/') {
        bridge[0] = '\0';
    } else if (files_is_file(bridge)) {
        return true;
    }
    for (unsigned up = 1; up < UP; up++) {
        if (!cut(folder)) {
            return false;
        }
    }
    return files_join(path, folder, "../bin/tutti-bridge") && files_is_file(path) &&
           realpath(path, real) && files_set(bridge, real);
}

static bool
runs(const char *bridge)
{
    const char *argv[] = {bridge, "--version", NULL};
    struct text said;

    text_init(&said);
    bool answers = run_program(argv, NULL, RUN_SECONDS, &said) == 0 &&
                   strncmp(text_get(&said), "tutti-bridge ", strlen("tutti-bridge ")) == 0;
    text_fini(&said);
    return answers;
}

void
wine_look_native(struct wine_driver *driver)
{
    char engine[FILES_PATH_BYTES];

    driver->native[0] = '\0';
    bool found = find_bridge(driver->path, driver->bridge);
    if (!found && !driver->bridge[0]) {
        snprintf(driver->native, sizeof(driver->native), "the driver finds no tutti-bridge");
    } else if (!found) {
        snprintf(driver->native, sizeof(driver->native), "%.300s is not there", driver->bridge);
    } else if (!runs(driver->bridge)) {
        snprintf(driver->native, sizeof(driver->native), "%.300s does not run", driver->bridge);
    } else if (files_set(engine, driver->bridge) && cut(engine) &&
               files_join(engine, engine, "tuttid") && access(engine, X_OK) != 0) {
        snprintf(driver->native, sizeof(driver->native), "there is no tuttid beside %.300s",
                 driver->bridge);
    }
}
