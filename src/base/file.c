/* SPDX-License-Identifier: MIT */
/* What of base/file.h is the same on every system. */
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1100 };

enum tutti_status
file_read(const char *path, size_t most_bytes, char **text, size_t *bytes)
{
    FILE *file = file_open_regular(path);
    if (!file && errno != ENOENT && errno != ENOTDIR) {
        return TUTTI_IO;
    }
    char *read = malloc(most_bytes + 2);
    if (!read) {
        if (file) {
            fclose(file);
        }
        return TUTTI_NO_MEMORY;
    }
    size_t length = file ? fread(read, 1, most_bytes + 1, file) : 0;
    bool failed = file && ferror(file);
    if (file) {
        fclose(file);
    }
    if (failed || length > most_bytes) {
        errno = failed ? EIO : EFBIG;
        free(read);
        return TUTTI_IO;
    }
    read[length] = '\0';
    char *fitting = realloc(read, length + 1);
    *text = fitting ? fitting : read;
    *bytes = length;
    return TUTTI_OK;
}

enum tutti_status
file_write(const char *path, const char *text, size_t bytes)
{
    char target[PATH_BYTES], fresh[PATH_BYTES];
    if (!file_follow(path, target, sizeof(target))) {
        return TUTTI_IO;
    }
    int length = snprintf(fresh, sizeof(fresh), "%s.new", target);
    if (length < 0 || (size_t)length >= sizeof(fresh)) {
        errno = ENAMETOOLONG;
        return TUTTI_IO;
    }
    FILE *file = file_open(fresh, "wb");
    if (!file) {
        return TUTTI_IO;
    }
    bool written = fwrite(text, 1, bytes, file) == bytes;
    written = fclose(file) == 0 && written;
    return written && file_replace_read(fresh, target) ? TUTTI_OK : TUTTI_IO;
}

bool
file_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->there == b->there && a->size_bytes == b->size_bytes && a->changed == b->changed &&
           a->identity == b->identity && a->volume == b->volume &&
           a->entry_changed == b->entry_changed;
}
