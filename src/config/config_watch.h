/* SPDX-License-Identifier: MIT */
/*
 * The configuration's file as it changes: noticed by looking at it now and then, which works on
 * every file system, for files that are replaced by name, and under Wine. What the text means is
 * the user's matter; the engine and each driver object have a watch of their own.
 */
#ifndef TUTTI_CONFIG_WATCH_H
#define TUTTI_CONFIG_WATCH_H

#include "config/config.h"
#include "config/config_file.h"
#include "base/file.h"

enum { CONFIG_WATCH_PATH_BYTES = 1024 };

/* Zero before the first open. One thread at a time. */
struct config_watch {
    char path[CONFIG_WATCH_PATH_BYTES]; /* "": there is none */
    bool opened;
    bool hangs;             /* it did not answer at the last look */
    struct file_stamp read; /* of the file as it was read */
    struct file_stamp seen; /* as it was at the last look */
};

enum config_watch_news {
    CONFIG_WATCH_SAME,
    CONFIG_WATCH_CHANGED, /* it changed, and stood still for a look: editors write it in pieces */
    CONFIG_WATCH_HANGS,   /* since this look the file does not answer */
};

/** Finds the path and reads the file for the first time, within CONFIG_FILE_LIMIT_MS; may come
 * again. text->text: the caller's to free(). getenv_utf8: os_getenv(). */
void config_watch_open(struct config_watch *watch,
                       bool (*getenv_utf8)(const char *name, char *value, size_t bytes),
                       struct config_text *text);
void config_watch_close(struct config_watch *watch);

/** Looks at the file, and reads it when it changed. *text: what it holds, or why it cannot be read;
 * empty with SAME. text->text: the caller's to free(). A file that answers again counts as
 * changed. Takes at most limit_ms twice. */
enum config_watch_news config_watch_look(struct config_watch *watch, unsigned limit_ms,
                                         struct config_text *text);

/** Sets the log's level and limits by the configuration. */
void config_watch_set_log(const struct config *config);

#endif
