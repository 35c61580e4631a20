/* SPDX-License-Identifier: MIT */
/*
 * The note that an installation leaves in a prefix. See wine.h. Lines of a word, a half (64 or 32)
 * and the rest. Programs of the prefix may write it, so nothing in it names a file to remove: it
 * says which of the files that we know were put there.
 */
#include "cli/linux/wine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOTE ".tutti-wine"
#define HEAD "tutti wine install "

static const char *const half_names[] = {"64", "32", "both"};

const char wine_copies[] = "drive_c/Program Files/Tutti";

static bool
note_path(const char *prefix, char path[FILES_PATH_BYTES])
{
    return files_join(path, prefix, NOTE);
}

static unsigned
find_name(const char *const *names, unsigned count, const char *name)
{
    unsigned i = 0;

    while (i < count && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

static void
read_line(struct wine_note *note, const char *line)
{
    char word[16], half_name[16];
    int at = 0;

    if (sscanf(line, "%15s %15s %n", word, half_name, &at) != 2 || at == 0) {
        return;
    }
    const char *rest = line + at;
    unsigned half = find_name(half_names, WINE_HALVES + 1, half_name);
    if (half > WINE_HALVES) {
        return;
    }
    if (strcmp(word, "folder") == 0) {
        note->made[half] = true;
    }
    if (half == WINE_HALVES) {
        return;
    }
    if (strcmp(word, "driver") == 0) {
        files_set(note->path[half], rest);
    } else if (strcmp(word, "before") == 0) {
        files_set(note->before[half], rest);
    }
    unsigned file = find_name(wine_files, WINE_FILES, rest);
    if (strcmp(word, "copy") == 0 && file < WINE_FILES) {
        note->copied[half][file] = true;
    }
}

bool
wine_note_read(const char *prefix, struct wine_note *note)
{
    char path[FILES_PATH_BYTES], line[FILES_PATH_BYTES + 64];
    struct text text;

    *note = (struct wine_note){0};
    text_init(&text);
    bool read = note_path(prefix, path) && files_read(&text, path) &&
                strncmp(text_get(&text), HEAD, strlen(HEAD)) == 0;
    for (const char *at = read ? text_get(&text) : ""; *at;) {
        size_t length = strcspn(at, "\n");
        if (length < sizeof(line)) {
            memcpy(line, at, length);
            line[length] = '\0';
            if (strncmp(line, HEAD, strlen(HEAD)) == 0) {
                snprintf(note->version, sizeof(note->version), "%.100s", line + strlen(HEAD));
            } else {
                read_line(note, line);
            }
        }
        at += length;
        at += *at == '\n';
    }
    text_fini(&text);
    return read;
}

bool
wine_note_write(const char *prefix, const struct wine_note *note)
{
    char path[FILES_PATH_BYTES];
    struct text text;

    text_init(&text);
    text_addf(&text, HEAD "%s\n", note->version);
    for (unsigned half = 0; half <= WINE_HALVES; half++) {
        if (note->made[half]) {
            text_addf(&text, "folder %s -\n", half_names[half]);
        }
    }
    for (unsigned half = 0; half < WINE_HALVES; half++) {
        if (note->path[half][0]) {
            text_addf(&text, "driver %s %s\n", half_names[half], note->path[half]);
        }
        if (note->before[half][0]) {
            text_addf(&text, "before %s %s\n", half_names[half], note->before[half]);
        }
        for (unsigned file = 0; file < WINE_FILES; file++) {
            if (note->copied[half][file]) {
                text_addf(&text, "copy %s %s\n", half_names[half], wine_files[file]);
            }
        }
    }
    errno = ENOMEM;
    bool written = !text.failed && note_path(prefix, path) && files_write(path, text_get(&text));
    text_fini(&text);
    return written;
}

bool
wine_note_remove(const char *prefix)
{
    char path[FILES_PATH_BYTES];

    return note_path(prefix, path) && (unlink(path) == 0 || errno == ENOENT);
}
