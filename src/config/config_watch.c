/* SPDX-License-Identifier: MIT */
#include "config/config_watch.h"

#include <stdlib.h>

#include "base/log.h"

enum { KIB = 1024 };

/* Equal to no file's. */
static const struct file_stamp never = {.size_bytes = UINT64_MAX};

static bool
load(struct config_watch *watch, unsigned limit_ms, struct config_text *text)
{
    *text = (struct config_text){.status = TUTTI_OK};
    watch->hangs = watch->path[0] && !config_file_load(watch->path, limit_ms, text);
    return !watch->hangs;
}

void
config_watch_open(struct config_watch *watch,
                  bool (*getenv_utf8)(const char *name, char *value, size_t bytes),
                  struct config_text *text)
{
    if (!watch->opened) {
        config_file_begin();
    }
    watch->opened = true;
    if (!config_default_path(getenv_utf8, watch->path, sizeof(watch->path))) {
        watch->path[0] = '\0';
    }
    load(watch, CONFIG_FILE_LIMIT_MS, text);
    watch->read = watch->seen = text->stamp;
}

void
config_watch_close(struct config_watch *watch)
{
    if (watch->opened) {
        config_file_end();
    }
    watch->opened = false;
}

enum config_watch_news
config_watch_look(struct config_watch *watch, unsigned limit_ms, struct config_text *text)
{
    struct file_stamp stamp;

    *text = (struct config_text){.status = TUTTI_OK};
    if (!watch->path[0]) {
        return CONFIG_WATCH_SAME;
    }
    if (!config_file_look(watch->path, limit_ms, &stamp)) {
        if (!watch->hangs && !load(watch, limit_ms, text)) {
            return CONFIG_WATCH_HANGS;
        }
        free(text->text); /* it was slow this once */
        *text = (struct config_text){.status = TUTTI_OK};
        return CONFIG_WATCH_SAME;
    }
    if (watch->hangs) {
        watch->read = never;
        log_info("configuration: '%s' answers again", watch->path);
    }
    watch->hangs = false;
    bool still = file_same(&stamp, &watch->seen);
    watch->seen = stamp;
    if (!still || file_same(&stamp, &watch->read)) {
        return CONFIG_WATCH_SAME;
    }
    watch->read = stamp;
    return load(watch, limit_ms, text) ? CONFIG_WATCH_CHANGED : CONFIG_WATCH_HANGS;
}

void
config_watch_set_log(const struct config *config)
{
    enum log_level level;

    if (log_level_parse(config->log_level, &level)) {
        log_set_level(level);
    }
    log_set_limits((uint64_t)config->log_size_kib * KIB, (unsigned)config->log_keep);
}
