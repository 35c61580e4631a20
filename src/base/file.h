/* SPDX-License-Identifier: MIT */
/*
 * Files by utf-8 path, whatever the system calls them: the one place in which a path becomes a
 * file. posix/ and win32/ implement it. Any ordinary thread.
 */
#ifndef TUTTI_FILE_H
#define TUTTI_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tutti/status.h"

/* What tells one state of a file from another without reading it. Compared by file_same(). */
struct file_stamp {
    bool there;
    uint64_t size_bytes, changed; /* the latter: a time in the system's own unit */
    /* which file it is, whatever names lead to it, and when its entry changed: files in a store all
     * have one time and often one size */
    uint64_t identity, volume, entry_changed;
};

/** True where paths are Windows', under Wine too. */
bool file_is_windows(void);

/** fopen(). NULL, with errno, when it cannot be opened. */
FILE *file_open(const char *path, const char *mode);

/** Opens a regular file for reading, without waiting for anybody. NULL, with errno, when it cannot
 * be opened; ENODEV: it is a folder, a pipe, a socket or a device. */
FILE *file_open_regular(const char *path);

/** Reads a whole regular file. *text: zero-terminated, the caller's to free(); *bytes: without the
 * zero. A file that is not there is empty. Errors: IO (errno says why; ENODEV: no regular file;
 * EFBIG: above most_bytes), NO_MEMORY. */
enum tutti_status file_read(const char *path, size_t most_bytes, char **text, size_t *bytes);

/** The file that a link leads to, through further links too, whether it is there or not; the path
 * itself when it is no link. False, with errno: too many links, or too long. Wine does not show the
 * links of Linux. */
bool file_follow(const char *path, char *target, size_t bytes);

/** Writes a whole file by a name with .new behind it and renames it, so that readers meet the old
 * or the new one. A link stays: the file behind it is written. Errors: IO. */
enum tutti_status file_write(const char *path, const char *text, size_t bytes);

/** Keeps a descriptor aside, so that file_append() works in a process that has no other left.
 * Called once, before other threads; nothing on Windows. */
void file_keep_spare(void);

/** Adds to the end in one piece that does not mix with others', creating the file for this user
 * alone. *size_bytes: its size afterwards. False when that failed. */
bool file_append(const char *path, const void *data, size_t bytes, uint64_t *size_bytes);

/** Renames, replacing what is there. */
bool file_replace(const char *from, const char *to);
/** The same for a file that others read: Windows refuses while it is open, so it is tried for 0.2 s
 * there. Not for a thread that must not wait. */
bool file_replace_read(const char *from, const char *to);
/** The right to rename files beside `path` that processes know of, for one thread of one of them at
 * a time. 0: another one has it now. Ends with file_unclaim(), or with the process. */
intptr_t file_claim(const char *path);
void file_unclaim(intptr_t claim);
/** Deletes; false when it is still there. */
bool file_remove(const char *path);

void file_look(const char *path, struct file_stamp *stamp);
bool file_same(const struct file_stamp *a, const struct file_stamp *b);

#endif
