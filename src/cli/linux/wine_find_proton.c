/* SPDX-License-Identifier: MIT */
/*
 * Proton's prefixes. See wine.h.
 *
 * Where Steam lies: ~/.steam/root and ~/.steam/steam are links to it (Valve's steam-runtime-tools,
 * docs/steam-compat-tool-interface.md, names the first); by default ~/.local/share/Steam; Flathub's
 * package has its home in ~/.var/app/com.valvesoftware.Steam. Its libraries:
 * steamapps/libraryfolders.vdf, lines "path" "/...". A game's prefix is
 * steamapps/compatdata/NUMBER/pfx (Proton's script `proton`, class CompatData).
 *
 * Which Proton: CompatData.setup_prefix() of that script writes compatdata/NUMBER/config_info,
 * whose second line is its folder share/fonts and whose third its lib; its programs lie in bin
 * beside them (files/ since 5.13, dist/ before). compatdata/NUMBER/version is what it calls the
 * prefix's version.
 */
#include "cli/linux/wine.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *below_home;
    bool sandboxed;
} roots[] = {
    {".steam/root", false},
    {".steam/steam", false},
    {".local/share/Steam", false},
    {".var/app/com.valvesoftware.Steam/.local/share/Steam", true},
    {".var/app/com.valvesoftware.Steam/data/Steam", true},
};

/* A line of config_info counted from 0; false when there is none. */
static bool
line_of(const char *text, unsigned number, char line[FILES_PATH_BYTES])
{
    for (; number; number--) {
        text = strchr(text, '\n');
        if (!text) {
            return false;
        }
        text++;
    }
    size_t length = strcspn(text, "\r\n");
    if (length == 0 || length >= FILES_PATH_BYTES) {
        return false;
    }
    memcpy(line, text, length);
    line[length] = '\0';
    return true;
}

/* bin/wine of the Proton that config_info names. */
static void
find_loader(struct wine_prefix *prefix, const char *compatdata)
{
    static const char *const loaders[] = {"bin/wine64", "bin/wine"};
    char path[FILES_PATH_BYTES], line[FILES_PATH_BYTES];
    struct text info;

    text_init(&info);
    if (files_join(path, compatdata, "config_info") && files_read(&info, path) &&
        line_of(text_get(&info), 1, line)) {
        char *share = strstr(line, "/share/fonts");
        if (share) {
            *share = '\0';
        }
        for (unsigned i = 0; share && i < sizeof(loaders) / sizeof(*loaders); i++) {
            if (!prefix->loader[0] && files_join(path, line, loaders[i]) && files_is_file(path)) {
                files_set(prefix->loader, path);
            }
        }
    }
    text_fini(&info);
    if (files_join(path, compatdata, "version")) {
        files_read_line(path, line, sizeof(line));
    } else {
        line[0] = '\0';
    }
    snprintf(prefix->runner, sizeof(prefix->runner), "Proton%s%.100s", line[0] ? " " : "", line);
}

static void
find_in_library(struct wine_prefixes *list, const char *library, bool sandboxed)
{
    char folder[FILES_PATH_BYTES], compatdata[FILES_PATH_BYTES];
    struct files_names names;

    if (!files_join(folder, library, "steamapps/compatdata")) {
        return;
    }
    files_list(&names, folder);
    for (size_t i = 0; i < names.count; i++) {
        struct wine_prefix prefix = {.layout = WINE_PROTON, .sandboxed = sandboxed};
        if (!files_join(compatdata, folder, names.name[i]) ||
            !files_join(prefix.path, compatdata, "pfx") || !files_is_folder(prefix.path)) {
            continue;
        }
        snprintf(prefix.name, sizeof(prefix.name), "%s", names.name[i]);
        find_loader(&prefix, compatdata);
        wine_prefixes_add(list, &prefix);
    }
    files_names_fini(&names);
}

/* A quoted text of a .vdf file with its \\ undone; returns what lies behind it, NULL: there is
 * none in this line. */
static const char *
quoted(const char *from, char *out, size_t room)
{
    size_t length = 0;

    from += strspn(from, " \t");
    if (*from++ != '"') {
        return NULL;
    }
    for (; *from && *from != '\n' && *from != '"' && length + 1 < room; from++) {
        if (*from == '\\' && from[1] && from[1] != '\n') {
            from++;
        }
        out[length++] = *from;
    }
    out[length] = '\0';
    return *from == '"' ? from + 1 : NULL;
}

static void
find_libraries(struct wine_prefixes *list, const char *steam, bool sandboxed)
{
    char path[FILES_PATH_BYTES], key[64];
    struct text text;

    find_in_library(list, steam, sandboxed);
    text_init(&text);
    if (files_join(path, steam, "steamapps/libraryfolders.vdf") && files_read(&text, path)) {
        for (const char *line = text_get(&text); line; line = strchr(line, '\n')) {
            line += *line == '\n';
            const char *value = quoted(line, key, sizeof(key));
            /* before 2021 the folders' numbers were the keys */
            if (value && (strcmp(key, "path") == 0 || strspn(key, "0123456789") == strlen(key)) &&
                quoted(value, path, sizeof(path)) && path[0] == '/') {
                find_in_library(list, path, sandboxed);
            }
        }
    }
    text_fini(&text);
}

void
wine_find_proton(struct wine_prefixes *list, const char *home)
{
    char path[FILES_PATH_BYTES];

    for (unsigned i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
        if (files_join(path, home, roots[i].below_home) && files_is_folder(path)) {
            find_libraries(list, path, roots[i].sandboxed);
        }
    }
}
