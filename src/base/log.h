/* SPDX-License-Identifier: MIT */
/*
 * The log: one line per event to a file or the standard error, never from a real-time thread. Lines
 * carry UTC time, level and the program's name. Writing fails silently: a full disk does not stop
 * the music.
 */
#ifndef TUTTI_LOG_H
#define TUTTI_LOG_H

#include <stdbool.h>

#if defined(__MINGW_PRINTF_FORMAT)
#define LOG_PRINTF __attribute__((format(__MINGW_PRINTF_FORMAT, 2, 3)))
#else
#define LOG_PRINTF __attribute__((format(printf, 2, 3)))
#endif

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/** Opens the log of this process. path NULL or "": standard error. Appends; a file over 1 MiB is
 * first renamed to path.old. Call once, early; until then lines go nowhere. */
void log_open(const char *program, const char *path);
void log_set_level(enum log_level level);
/** "error", "warning", "info", "debug"; false for another word. */
bool log_level_parse(const char *text, enum log_level *level);
void log_close(void);

/** One line, printf-style, without a newline at its end. Any thread but a real-time one. */
void log_write(enum log_level level, const char *format, ...) LOG_PRINTF;

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
