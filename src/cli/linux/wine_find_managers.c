/* SPDX-License-Identifier: MIT */
/*
 * Prefixes of Bottles and Lutris. See wine.h. Of their YAML files the few "key: value" lines are
 * read that are needed; they write no others of these names.
 *
 * Bottles (bottles/backend/globals.py, utils/manager.py): bottles and runners below
 * $XDG_DATA_HOME/bottles, as a Flatpak below ~/.var/app/com.usebottles.bottles/data/bottles; each
 * bottle's bottle.yml names its "Runner", a folder of runners/ with bin/wine64 or bin/wine, or
 * "sys-wine-…" for the system's.
 *
 * Lutris (lutris/settings.py, util/wine/wine.py, runners/wine.py): games as
 * $XDG_CONFIG_HOME/lutris/games/NAME.yml, newer ones in $XDG_DATA_HOME/lutris/games, with "prefix:"
 * below "game:" and "version:" below "wine:", a folder of $XDG_DATA_HOME/lutris/runners/wine with
 * bin/wine, or "system". Its installers put prefixes in ~/Games. As a Flatpak (its manifest,
 * flathub/net.lutris.Lutris; lutris/settings.py) it has both below ~/.var/app/net.lutris.Lutris, as
 * data/lutris and config/lutris.
 */
#include "cli/linux/wine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* $variable, else the home's folder. */
static bool
xdg(char path[FILES_PATH_BYTES], const char *variable, const char *home, const char *below)
{
    const char *value = getenv(variable);

    return value && value[0] == '/' ? files_set(path, value) : files_join(path, home, below);
}

/* The value of "key:" in the section "section:" (NULL: at the left edge), unquoted. */
static bool
yaml_get(const char *text, const char *section, const char *key, char *value, size_t value_bytes)
{
    bool inside = section == NULL;

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t indent = strspn(line, " ");
        const char *word = line + indent;
        size_t length = strcspn(word, ":\n");
        if (indent == 0 && section && word[length] == ':') {
            inside = length == strlen(section) && strncmp(word, section, length) == 0;
        }
        if (!inside || (indent == 0) != (section == NULL) || word[length] != ':' ||
            length != strlen(key) || strncmp(word, key, length) != 0) {
            continue;
        }
        word += length + 1;
        word += strspn(word, " ");
        size_t bytes = strcspn(word, "\r\n");
        while (bytes && word[bytes - 1] == ' ') {
            bytes--;
        }
        if (bytes >= 2 && (*word == '\'' || *word == '"') && word[bytes - 1] == *word) {
            word++;
            bytes -= 2;
        }
        if (bytes == 0 || bytes >= value_bytes) {
            return false;
        }
        memcpy(value, word, bytes);
        value[bytes] = '\0';
        return true;
    }
    return false;
}

/* A name that is a folder of its parent and nothing else. */
static bool
is_plain_name(const char *name)
{
    return name[0] && name[0] != '.' && !strchr(name, '/');
}

static void
find_runner(struct wine_prefix *prefix, const char *runners)
{
    static const char *const loaders[] = {"bin/wine64", "bin/wine", "files/bin/wine64",
                                          "files/bin/wine"};
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES];

    if (!is_plain_name(prefix->runner) || !files_join(folder, runners, prefix->runner)) {
        return;
    }
    for (unsigned i = 0; i < sizeof(loaders) / sizeof(*loaders); i++) {
        if (files_join(path, folder, loaders[i]) && files_is_file(path)) {
            files_set(prefix->loader, path);
            return;
        }
    }
    /* named, and not there: some other Wine would change the prefix */
    files_join(prefix->loader, folder, loaders[0]);
}

/* ---- Bottles ---- */

static void
find_bottles_below(struct wine_prefixes *list, const char *data, bool sandboxed)
{
    char bottles[FILES_PATH_BYTES], runners[FILES_PATH_BYTES], path[FILES_PATH_BYTES];
    struct files_names names;
    struct text text;

    if (!files_join(bottles, data, "bottles") || !files_join(runners, data, "runners")) {
        return;
    }
    files_list(&names, bottles);
    text_init(&text);
    for (size_t i = 0; i < names.count; i++) {
        struct wine_prefix prefix = {.layout = WINE_BOTTLES, .sandboxed = sandboxed};
        if (!files_join(prefix.path, bottles, names.name[i]) || !files_is_folder(prefix.path)) {
            continue;
        }
        snprintf(prefix.name, sizeof(prefix.name), "%s", names.name[i]);
        if (files_join(path, prefix.path, "bottle.yml") && files_read(&text, path)) {
            yaml_get(text_get(&text), NULL, "Name", prefix.name, sizeof(prefix.name));
            yaml_get(text_get(&text), NULL, "Runner", prefix.runner, sizeof(prefix.runner));
        }
        if (strncmp(prefix.runner, "sys-", 4) != 0) {
            find_runner(&prefix, runners);
        }
        wine_prefixes_add(list, &prefix);
    }
    text_fini(&text);
    files_names_fini(&names);
}

void
wine_find_bottles(struct wine_prefixes *list, const char *home)
{
    char data[FILES_PATH_BYTES];

    if (xdg(data, "XDG_DATA_HOME", home, ".local/share") && files_join(data, data, "bottles")) {
        find_bottles_below(list, data, false);
    }
    if (files_join(data, home, ".var/app/com.usebottles.bottles/data/bottles")) {
        find_bottles_below(list, data, true);
    }
}

/* ---- Lutris ---- */

/* One Lutris: where its files lie. */
struct lutris {
    const char *home;
    char data[FILES_PATH_BYTES], config[FILES_PATH_BYTES], runners[FILES_PATH_BYTES];
    bool sandboxed;
};

static void
add_game(struct wine_prefixes *list, const struct lutris *lutris, const char *file,
         const char *name)
{
    struct wine_prefix prefix = {.layout = WINE_LUTRIS, .sandboxed = lutris->sandboxed};
    struct text text;
    char path[FILES_PATH_BYTES];

    text_init(&text);
    bool found =
        files_read(&text, file) && yaml_get(text_get(&text), "game", "prefix", path, sizeof(path));
    if (found && path[0] == '~') {
        found = files_join(prefix.path, lutris->home, path + 1);
    } else if (found) {
        found = files_set(prefix.path, path);
    }
    if (found && files_is_folder(prefix.path)) {
        snprintf(prefix.name, sizeof(prefix.name), "%.*s", (int)(strlen(name) - strlen(".yml")),
                 name);
        yaml_get(text_get(&text), "wine", "version", prefix.runner, sizeof(prefix.runner));
        if (strcmp(prefix.runner, "system") != 0 && strcmp(prefix.runner, "winehq-devel") != 0) {
            find_runner(&prefix, lutris->runners);
        }
        wine_prefixes_add(list, &prefix);
    }
    text_fini(&text);
}

static void
find_games(struct wine_prefixes *list, const struct lutris *lutris, const char *below)
{
    char folder[FILES_PATH_BYTES], path[FILES_PATH_BYTES];
    struct files_names names;

    if (!files_join(folder, below, "games")) {
        return;
    }
    files_list(&names, folder);
    for (size_t i = 0; i < names.count; i++) {
        const char *end = strrchr(names.name[i], '.');
        if (end && strcmp(end, ".yml") == 0 && files_join(path, folder, names.name[i])) {
            add_game(list, lutris, path, names.name[i]);
        }
    }
    files_names_fini(&names);
}

/* data and config: the folders that hold one "lutris" each. */
static void
find_lutris_below(struct wine_prefixes *list, struct lutris *lutris)
{
    if (!files_join(lutris->data, lutris->data, "lutris") ||
        !files_join(lutris->config, lutris->config, "lutris") ||
        !files_join(lutris->runners, lutris->data, "runners/wine")) {
        return;
    }
    find_games(list, lutris, lutris->config);
    find_games(list, lutris, lutris->data);
}

/* Prefixes in ~/Games of which no file tells: by which Wine they run is not known. */
static void
find_in_games(struct wine_prefixes *list, const char *home)
{
    char games[FILES_PATH_BYTES], inside[FILES_PATH_BYTES];
    struct files_names names;

    if (!files_join(games, home, "Games")) {
        return;
    }
    files_list(&names, games);
    for (size_t i = 0; i < names.count; i++) {
        struct wine_prefix prefix = {.layout = WINE_LUTRIS};
        if (!files_join(prefix.path, games, names.name[i]) ||
            !files_join(inside, prefix.path, "system.reg") || !files_is_file(inside)) {
            continue;
        }
        snprintf(prefix.name, sizeof(prefix.name), "%s", names.name[i]);
        wine_prefixes_add(list, &prefix);
    }
    files_names_fini(&names);
}

void
wine_find_lutris(struct wine_prefixes *list, const char *home)
{
    struct lutris own = {.home = home}, flatpak = {.home = home, .sandboxed = true};

    if (xdg(own.data, "XDG_DATA_HOME", home, ".local/share") &&
        xdg(own.config, "XDG_CONFIG_HOME", home, ".config")) {
        find_lutris_below(list, &own);
    }
    if (files_join(flatpak.data, home, ".var/app/net.lutris.Lutris/data") &&
        files_join(flatpak.config, home, ".var/app/net.lutris.Lutris/config")) {
        find_lutris_below(list, &flatpak);
    }
    find_in_games(list, home);
}
