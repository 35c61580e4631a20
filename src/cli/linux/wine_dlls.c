/* SPDX-License-Identifier: MIT */
/* Where the driver's files lie. See wine.h. */
#include "cli/linux/wine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const wine_files[WINE_FILES] = {"tutti.dll", "tuttid.exe", "tutti.exe",
                                            "tutti-bridge.txt"};
const char *const wine_half_folders[WINE_HALVES] = {"x86_64-windows", "i386-windows"};

/* from the folder of this program */
static const char installed[] = "../lib/tutti";

static bool
has_driver(const char *folder)
{
    char path[FILES_PATH_BYTES];

    return files_join(path, folder, wine_files[0]) && files_is_file(path);
}

static bool
take_folder(struct wine_dlls *dlls, const char *folder)
{
    char real[PATH_MAX];

    if (!realpath(folder, real) || !files_set(dlls->folder, real)) {
        return false;
    }
    for (unsigned half = 0; half < WINE_HALVES; half++) {
        if (!files_join(dlls->half[half], real, wine_half_folders[half]) ||
            !has_driver(dlls->half[half])) {
            dlls->half[half][0] = '\0';
        }
    }
    return dlls->half[WINE_64][0] || dlls->half[WINE_32][0];
}

bool
wine_dlls_find(struct wine_dlls *dlls, const char *given, char why[WINE_WHY_BYTES])
{
    const char *variable = getenv("TUTTI_WINE_DLLS");
    char here[PATH_MAX], path[FILES_PATH_BYTES];

    *dlls = (struct wine_dlls){0};
    if (!given && variable && variable[0]) {
        given = variable;
    }
    if (given) {
        if (take_folder(dlls, given)) {
            return true;
        }
        snprintf(
            why, WINE_WHY_BYTES,
            "there is no driver in '%.400s': it must hold %s/%s or %s/%s, as an installation's "
            "lib/tutti does",
            given, wine_half_folders[WINE_64], wine_files[0], wine_half_folders[WINE_32],
            wine_files[0]);
        return false;
    }
    ssize_t length = readlink("/proc/self/exe", here, sizeof(here) - 1);
    here[length > 0 ? length : 0] = '\0';
    char *end = strrchr(here, '/');
    if (end) {
        *end = '\0';
    }
    if (files_join(path, here, installed) && take_folder(dlls, path)) {
        return true;
    }
    snprintf(why, WINE_WHY_BYTES,
             "the Windows driver is not installed: it should lie in '%.400s'; name its folder with "
             "--dlls or TUTTI_WINE_DLLS",
             path);
    return false;
}
