/* SPDX-License-Identifier: MIT */
/*
 * The configuration's file, looked at and read with a limit: a folder on a network may not answer
 * for ever, and nobody shall wait for it. One thread per module (program or DLL) touches the file,
 * for all who ask. While it hangs, no second one is started, and who asks is refused at once.
 */
#ifndef TUTTI_OS_CONFIG_FILE_H
#define TUTTI_OS_CONFIG_FILE_H

#include "config/config.h"
#include "base/file.h"

/* How long somebody waits who cannot go on without the file. */
enum { CONFIG_FILE_LIMIT_MS = 1000 };

/* What a file holds. */
struct config_text {
    enum tutti_status status; /* OK, or BAD_CONFIG: it cannot be read, or does not answer */
    char *text;               /* the taker's to free(); NULL: none */
    size_t bytes;
    struct file_stamp stamp;         /* the file as it was just before */
    char problem[CONFIG_TEXT_BYTES]; /* why it cannot be read, or how it is misnamed; "": all is
                                        well */
};

/** Asks for the thread until config_file_end(), for each of its users. It is started by the first
 * question. The last end stops it; one that waits for a folder then ends by itself, later. Both:
 * any thread, balanced. */
void config_file_begin(void);
void config_file_end(void);

/** What a file is now, or what it holds. Any thread between begin and end. path: borrowed for the
 * call. False: there was no answer within limit_ms, or there is still none to an earlier question
 * that had to be given up, or there is no thread. config_file_load() then says so in *text. */
bool config_file_look(const char *path, unsigned limit_ms, struct file_stamp *stamp);
bool config_file_load(const char *path, unsigned limit_ms, struct config_text *text);

/** For who reads once: begin, load within CONFIG_FILE_LIMIT_MS, end. *text: the caller's to
 * free(). Errors: BAD_CONFIG, with the reason in problem. */
enum tutti_status config_file_read(const char *path, char **text, size_t *bytes,
                                   char problem[CONFIG_TEXT_BYTES]);

#endif
