/* SPDX-License-Identifier: MIT */
/*
 * The configuration's file, looked at and read by a thread of its own with a limit: a folder on a
 * network may not answer for ever, and nobody shall wait for it. One thread calls these.
 */
#ifndef TUTTI_ENGINE_LIVE_FILE_H
#define TUTTI_ENGINE_LIVE_FILE_H

#include "base/config.h"
#include "base/file.h"

struct live_file;

/* What a file holds. */
struct live_text {
    enum tutti_status status; /* OK, or BAD_CONFIG: it cannot be read */
    char *text;               /* the taker's to free(); NULL: none */
    size_t bytes;
    char problem[CONFIG_TEXT_BYTES]; /* why it cannot be read, or how it is misnamed; "": all is
                                        well */
};

/** path: borrowed for the call. NULL: no memory, or no thread. */
struct live_file *live_file_open(const char *path);
/** NULL is fine. A thread that still waits for the folder is left to itself. */
void live_file_close(struct live_file *file);

/** False: there was no answer in limit_ms, or there is none yet to an earlier question. */
bool live_file_look(struct live_file *file, unsigned limit_ms, struct file_stamp *stamp);
bool live_file_load(struct live_file *file, unsigned limit_ms, struct live_text *text);

#endif
