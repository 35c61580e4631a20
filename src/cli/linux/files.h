/* SPDX-License-Identifier: MIT */
/* Files and folders as the Linux commands use them: whole files, sorted lists, copies. Each that
 * can fail leaves the reason in errno. */
#ifndef TUTTI_CLI_LINUX_FILES_H
#define TUTTI_CLI_LINUX_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "console/text.h"

enum { FILES_PATH_BYTES = 4096, FILES_MOST_BYTES = 64 << 20 };

/** folder/name, without a doubled separator; false (ENAMETOOLONG) when it does not fit. folder may
 * be path itself. */
bool files_join(char path[FILES_PATH_BYTES], const char *folder, const char *name);

/** Copies a path; false (ENAMETOOLONG) when it does not fit. */
bool files_set(char path[FILES_PATH_BYTES], const char *from);

bool files_is_file(const char *path);
bool files_is_folder(const char *path);

/** A whole file of at most FILES_MOST_BYTES; out is emptied first. */
bool files_read(struct text *out, const char *path);
/** The first line of a small file, without its end; "" when there is none. */
void files_read_line(const char *path, char *line, size_t line_bytes);
/** Writes a file that is there as a whole or not at all: beside it, then renamed. */
bool files_write(const char *path, const char *text);
/** Copies a file's bytes; `to` is there as a whole or not at all. */
bool files_copy(const char *from, const char *to);
/** True when both can be read and hold the same bytes. */
bool files_same(const char *one, const char *other);

/* Names in a folder, in the order of their bytes; "." and ".." are left out. */
struct files_names {
    char **name;
    size_t count;
};

/** What is in a folder; empty when it cannot be read. */
void files_list(struct files_names *names, const char *folder);
void files_names_fini(struct files_names *names);

#endif
