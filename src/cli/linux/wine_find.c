/* SPDX-License-Identifier: MIT */
/*
 * Wine's own prefixes, and the list that all layouts add to. See wine.h.
 *
 * Wine (its wine(1) page, ENVIRONMENT): WINEPREFIX, else ~/.wine. Winetricks (its file
 * src/winetricks, W_PREFIXES_ROOT): named ones in $XDG_DATA_HOME/wineprefixes.
 */
#include "cli/linux/wine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
wine_layout_name(enum wine_layout layout)
{
    static const char *const names[WINE_LAYOUTS] = {
        [WINE_GIVEN] = "given",     [WINE_PLAIN] = "wine",    [WINE_PROTON] = "proton",
        [WINE_BOTTLES] = "bottles", [WINE_LUTRIS] = "lutris",
    };

    return names[layout];
}

void
wine_prefixes_add(struct wine_prefixes *list, const struct wine_prefix *prefix)
{
    char real[PATH_MAX];

    if (!realpath(prefix->path, real)) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->prefix[i].path, real) == 0) {
            return;
        }
    }
    struct wine_prefix *grown = realloc(list->prefix, (list->count + 1) * sizeof(*grown));
    if (!grown) {
        return;
    }
    list->prefix = grown;
    list->prefix[list->count] = *prefix;
    files_set(list->prefix[list->count].path, real);
    list->count++;
}

void
wine_prefixes_fini(struct wine_prefixes *list)
{
    free(list->prefix);
    *list = (struct wine_prefixes){0};
}

/* A folder that was a prefix once: a broken one is to be reported, not passed over. */
static bool
looks_like_a_prefix(const char *path)
{
    char inside[FILES_PATH_BYTES];

    return (files_join(inside, path, "system.reg") && files_is_file(inside)) ||
           (files_join(inside, path, "drive_c") && files_is_folder(inside));
}

static void
add_plain(struct wine_prefixes *list, const char *path, const char *name)
{
    struct wine_prefix prefix = {.layout = WINE_PLAIN};

    if (!looks_like_a_prefix(path) || !files_set(prefix.path, path)) {
        return;
    }
    snprintf(prefix.name, sizeof(prefix.name), "%s", name);
    wine_prefixes_add(list, &prefix);
}

static void
find_plain(struct wine_prefixes *list, const char *home)
{
    const char *variable = getenv("WINEPREFIX"), *data = getenv("XDG_DATA_HOME");
    char path[FILES_PATH_BYTES], inside[FILES_PATH_BYTES];
    struct files_names names;

    if (variable && variable[0]) {
        add_plain(list, variable, "WINEPREFIX");
    }
    if (files_join(path, home, ".wine")) {
        add_plain(list, path, ".wine");
    }
    if (data && data[0] == '/' ? !files_join(path, data, "wineprefixes")
                               : !files_join(path, home, ".local/share/wineprefixes")) {
        return;
    }
    files_list(&names, path);
    for (size_t i = 0; i < names.count; i++) {
        if (files_join(inside, path, names.name[i])) {
            add_plain(list, inside, names.name[i]);
        }
    }
    files_names_fini(&names);
}

void
wine_find(struct wine_prefixes *list)
{
    const char *home = getenv("HOME");

    *list = (struct wine_prefixes){0};
    if (!home || home[0] != '/') {
        home = "/";
    }
    /* who knows more of a prefix comes first: Lutris may run one that lies where Wine has them */
    wine_find_proton(list, home);
    wine_find_bottles(list, home);
    wine_find_lutris(list, home);
    find_plain(list, home);
}

bool
wine_find_given(struct wine_prefixes *list, const char *path, char why[WINE_WHY_BYTES])
{
    struct wine_prefixes all;
    struct wine_prefix given = {.layout = WINE_GIVEN};
    char real[PATH_MAX], pfx[FILES_PATH_BYTES];

    *list = (struct wine_prefixes){0};
    if (!realpath(path, real) || !files_is_folder(real)) {
        snprintf(why, WINE_WHY_BYTES, "there is no folder '%s'", path);
        return false;
    }
    /* Steam's folder of a game holds its prefix */
    if (!looks_like_a_prefix(real) && files_join(pfx, real, "pfx") && looks_like_a_prefix(pfx) &&
        !realpath(pfx, real)) {
        return false;
    }
    if (!looks_like_a_prefix(real)) {
        snprintf(why, WINE_WHY_BYTES,
                 "'%s' is no Wine prefix: it has neither system.reg nor drive_c", path);
        return false;
    }
    wine_find(&all);
    files_set(given.path, real);
    for (size_t i = 0; i < all.count; i++) {
        if (strcmp(all.prefix[i].path, real) == 0) {
            given = all.prefix[i];
        }
    }
    wine_prefixes_fini(&all);
    wine_prefixes_add(list, &given);
    if (list->count == 0) {
        snprintf(why, WINE_WHY_BYTES, "there is not enough memory");
    }
    return list->count == 1;
}
