/* SPDX-License-Identifier: MIT */
/*
 * The log. A line is formatted on the stack and written with one call to an unbuffered stream, so
 * that lines of several threads and processes do not mix. The stream is set once; level and stream
 * are atomic.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/utf8.h"

enum { LINE_BYTES = 1024, PROGRAM_BYTES = 32, ROTATE_BYTES = 1 << 20, PATH_BYTES = 1024 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static FILE *_Atomic stream;
static atomic_int level_shown = LOG_INFO;
static char program_name[PROGRAM_BYTES];

static void
rotate(const char *path)
{
    char old[PATH_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file) {
        return;
    }
    bool large = fseek(file, 0, SEEK_END) == 0 && ftell(file) > ROTATE_BYTES;
    fclose(file);
    if (large && snprintf(old, sizeof(old), "%s.old", path) < (int)sizeof(old)) {
        remove(old); /* rename() does not replace everywhere */
        rename(path, old);
    }
}

void
log_open(const char *program, const char *path)
{
    FILE *file = stderr;
    if (path && path[0]) {
        rotate(path);
        file = fopen(path, "ab");
        if (!file) {
            return;
        }
        setvbuf(file, NULL, _IONBF, 0);
    }
    utf8_copy(program_name, sizeof(program_name), program);
    FILE *before = atomic_exchange(&stream, file);
    if (before && before != stderr) {
        fclose(before);
    }
}

void
log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_shown, (int)level, memory_order_relaxed);
}

bool
log_level_parse(const char *text, enum log_level *level)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void
log_close(void)
{
    FILE *before = atomic_exchange(&stream, NULL);
    if (before && before != stderr) {
        fclose(before);
    }
}

void
log_write(enum log_level level, const char *format, ...)
{
    FILE *file = atomic_load_explicit(&stream, memory_order_acquire);
    if (!file || (int)level > atomic_load_explicit(&level_shown, memory_order_relaxed)) {
        return;
    }
    char line[LINE_BYTES], when[96] = "";
    struct timeval now; /* not timespec_get(): Windows' older C library has none */
    if (gettimeofday(&now, NULL) == 0) {
        /* From seconds by hand: gmtime() shares a buffer between threads. */
        long long day = (long long)now.tv_sec / 86400, second = (long long)now.tv_sec % 86400;
        long long era_day = day + 719468, era = era_day / 146097, doe = era_day % 146097;
        long long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        long long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
        long long month = mp < 10 ? mp + 3 : mp - 9;
        snprintf(when, sizeof(when), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                 (int)(yoe + era * 400 + (month <= 2)), (int)month,
                 (int)(doy - (153 * mp + 2) / 5 + 1), (int)(second / 3600), (int)(second / 60 % 60),
                 (int)(second % 60), (int)(now.tv_usec / 1000));
    }
    int head =
        snprintf(line, sizeof(line) - 1, "%s %-7s %s: ", when, level_names[level], program_name);
    va_list arguments;
    va_start(arguments, format);
    int body = vsnprintf(line + head, sizeof(line) - 1 - (size_t)head, format, arguments);
    va_end(arguments);
    size_t length = (size_t)head + (body > 0 ? (size_t)body : 0);
    if (length > sizeof(line) - 2) {
        length = sizeof(line) - 2;
    }
    line[length++] = '\n';
    fwrite(line, 1, length, file);
}
