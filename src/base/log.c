/* SPDX-License-Identifier: MIT */
/*
 * The log. A line is formatted on the stack and written in one piece, so that lines of several
 * threads and processes do not mix. Where it goes is set once or twice in a process's life: what
 * was set before is not overwritten at once, since a thread may be writing there.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/file.h"
#include "base/utf8.h"

enum { LINE_BYTES = 1024, WHO_BYTES = 80, PATH_BYTES = 1024, TARGETS = 4 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};

struct target {
    char who[WHO_BYTES];
    char path[PATH_BYTES]; /* "": the standard error */
};

static struct target targets[TARGETS];
static atomic_uint opened;            /* targets used so far */
static struct target *_Atomic target; /* NULL: closed */
static atomic_int level_shown = LOG_INFO;
static _Atomic uint64_t size_limit = LOG_SIZE_BYTES;
static atomic_uint files_kept = LOG_KEEP;

void
log_open(const char *who, const char *path)
{
    struct target *next = &targets[atomic_fetch_add(&opened, 1) % TARGETS];
    utf8_copy(next->who, sizeof(next->who), who);
    utf8_copy(next->path, sizeof(next->path), path ? path : "");
    atomic_store(&target, next);
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
log_set_limits(uint64_t size_bytes, unsigned keep)
{
    atomic_store(&size_limit, size_bytes);
    atomic_store(&files_kept, keep);
}

void
log_close(void)
{
    atomic_store(&target, NULL);
}

/* What is above the limit moves on by one name; the last one goes. */
static void
rename_files(const char *path, unsigned keep)
{
    char from[PATH_BYTES + 16], to[PATH_BYTES + 16];
    if (keep == 0) {
        snprintf(to, sizeof(to), "%s.1", path);
        file_replace(path, to);
        file_remove(to);
        return;
    }
    for (unsigned n = keep; n; n--) {
        snprintf(from, sizeof(from), n > 1 ? "%s.%u" : "%s", path, n - 1);
        snprintf(to, sizeof(to), "%s.%u", path, n);
        file_replace(from, to);
    }
}

/* Several processes meet the limit at once: one of them does it, the others find a short file. */
static void
put_aside(const char *path)
{
    intptr_t claim = file_claim(path);
    struct file_stamp stamp;
    if (!claim) {
        return;
    }
    file_look(path, &stamp);
    if (stamp.size_bytes > atomic_load(&size_limit)) {
        rename_files(path, atomic_load(&files_kept));
    }
    file_unclaim(claim);
}

static void
write_line(const struct target *to, const char *line, size_t length)
{
    uint64_t size = 0;
    if (!to->path[0]) {
        fwrite(line, 1, length, stderr);
        fflush(stderr);
    } else if (file_append(to->path, line, length, &size) && size > atomic_load(&size_limit)) {
        put_aside(to->path);
    }
}

void
log_write(enum log_level level, const char *format, ...)
{
    const struct target *to = atomic_load(&target);
    if (!to || (int)level > atomic_load_explicit(&level_shown, memory_order_relaxed)) {
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
    int head = snprintf(line, sizeof(line) - 1, "%s %-7s %s: ", when, level_names[level], to->who);
    va_list arguments;
    va_start(arguments, format);
    int body = vsnprintf(line + head, sizeof(line) - 1 - (size_t)head, format, arguments);
    va_end(arguments);
    size_t length = (size_t)head + (body > 0 ? (size_t)body : 0);
    if (length > sizeof(line) - 2) {
        length = sizeof(line) - 2;
    }
    line[length++] = '\n';
    write_line(to, line, length);
}
