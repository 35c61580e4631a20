/* SPDX-License-Identifier: MIT */
/* Files and folders. See files.h. */
#include "cli/linux/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

bool
files_set(char path[FILES_PATH_BYTES], const char *from)
{
    size_t bytes = strlen(from) + 1;

    if (bytes > FILES_PATH_BYTES) {
        errno = ENAMETOOLONG;
        return false;
    }
    memmove(path, from, bytes);
    return true;
}

bool
files_join(char path[FILES_PATH_BYTES], const char *folder, const char *name)
{
    size_t folder_bytes = strlen(folder), name_bytes = strlen(name) + 1;

    while (folder_bytes && folder[folder_bytes - 1] == '/') {
        folder_bytes--;
    }
    while (*name == '/') {
        name++;
        name_bytes--;
    }
    if (folder_bytes + 1 + name_bytes > FILES_PATH_BYTES) {
        errno = ENAMETOOLONG;
        return false;
    }
    memmove(path, folder, folder_bytes);
    path[folder_bytes] = '/';
    memcpy(path + folder_bytes + 1, name, name_bytes);
    return true;
}

bool
files_is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool
files_is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool
files_read(struct text *out, const char *path)
{
    char block[BLOCK_BYTES];
    ssize_t got = 0;
    int error = 0;

    text_clear(out);
    /* without waiting: a name that should be a file may be a pipe */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    while (!error && (got = read(fd, block, sizeof(block))) != 0) {
        if (got < 0 && errno != EINTR) {
            error = errno;
        }
        if (got > 0) {
            text_add_bytes(out, block, (size_t)got);
        }
        if (out->length > FILES_MOST_BYTES) {
            error = EFBIG;
        }
        if (out->failed) {
            error = ENOMEM;
        }
    }
    close(fd);
    errno = error;
    return error == 0;
}

void
files_read_line(const char *path, char *line, size_t line_bytes)
{
    struct text text;

    line[0] = '\0';
    text_init(&text);
    if (files_read(&text, path)) {
        snprintf(line, line_bytes, "%s", text_get(&text));
        line[strcspn(line, "\r\n")] = '\0';
    }
    text_fini(&text);
}

static bool
write_whole(int fd, const char *bytes, size_t count)
{
    while (count) {
        ssize_t done = write(fd, bytes, count);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            bytes += done;
            count -= (size_t)done;
        }
    }
    return true;
}

static bool
write_bytes(const char *path, const char *bytes, size_t count)
{
    char beside[FILES_PATH_BYTES + 16];

    snprintf(beside, sizeof(beside), "%s.tutti-new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return false;
    }
    bool written = write_whole(fd, bytes, count);
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && rename(beside, path) == 0) {
        return true;
    }
    if (written) {
        error = errno;
    }
    unlink(beside);
    errno = error;
    return false;
}

bool
files_write(const char *path, const char *text)
{
    return write_bytes(path, text, strlen(text));
}

bool
files_copy(const char *from, const char *to)
{
    struct text text;

    text_init(&text);
    bool copied = files_read(&text, from) && write_bytes(to, text_get(&text), text.length);
    int error = errno;
    text_fini(&text);
    errno = error;
    return copied;
}

bool
files_same(const char *one, const char *other)
{
    struct text a, b;

    text_init(&a);
    text_init(&b);
    bool same = files_read(&a, one) && files_read(&b, other) && a.length == b.length &&
                memcmp(text_get(&a), text_get(&b), a.length) == 0;
    text_fini(&a);
    text_fini(&b);
    return same;
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
files_list(struct files_names *names, const char *folder)
{
    *names = (struct files_names){0};
    DIR *dir = opendir(folder);
    if (!dir) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        char **grown = realloc(names->name, (names->count + 1) * sizeof(*grown));
        if (!grown) {
            break;
        }
        names->name = grown;
        names->name[names->count] = strdup(entry->d_name);
        if (!names->name[names->count]) {
            break;
        }
        names->count++;
    }
    closedir(dir);
    if (names->count) {
        qsort(names->name, names->count, sizeof(*names->name), by_bytes);
    }
}

void
files_names_fini(struct files_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->name[i]);
    }
    free(names->name);
    *names = (struct files_names){0};
}
