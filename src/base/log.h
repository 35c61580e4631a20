/* SPDX-License-Identifier: MIT */
/*
 * The log: one line per event to a file or the standard error, never from a real-time thread. Lines
 * carry UTC time, level and who wrote them. The file is opened for each line, so that it may be
 * renamed, deleted and read by anybody at any time, and many processes may write one; it is put
 * aside when it is long. Writing fails silently: a full disk does not stop the music.
 */
#ifndef TUTTI_LOG_H
#define TUTTI_LOG_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__MINGW_PRINTF_FORMAT)
#define LOG_PRINTF __attribute__((format(__MINGW_PRINTF_FORMAT, 2, 3)))
#else
#define LOG_PRINTF __attribute__((format(printf, 2, 3)))
#endif

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

enum { LOG_SIZE_BYTES = 1 << 20, LOG_KEEP = 3 };

/** Opens the log of this process. who: its name, and what tells it from others of that name. path
 * (utf-8) NULL or "": standard error. Call early; until then lines go nowhere. Again: another path.
 */
void log_open(const char *who, const char *path);
void log_set_level(enum log_level level);
/** "error", "warning", "info", "debug"; false for another word. */
bool log_level_parse(const char *text, enum log_level *level);
/** A file above size_bytes becomes path.1, that path.2, and so on up to path.`keep`; 0: it is begun
 * again. LOG_SIZE_BYTES and LOG_KEEP until then. */
void log_set_limits(uint64_t size_bytes, unsigned keep);
void log_close(void);

/** One line, printf-style, without a newline at its end. Any thread but a real-time one. */
void log_write(enum log_level level, const char *format, ...) LOG_PRINTF;

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
