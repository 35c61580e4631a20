/* SPDX-License-Identifier: MIT */
/* The configuration as it is now. By looking, not by being told: that works on every file system,
 * for files that are replaced by name, and under Wine. */
#include "engine/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

enum { LOOK_MS = 250, KIB = 1024 };

/* ---- reading ---- */

/* What a profile was, for values that stay. */
static const struct config *
last_of(const struct live *live, const char *name)
{
    for (unsigned i = 0; i < live->profiles; i++) {
        if (config_profile_same(live->profile[i].name, name)) {
            return &live->profile[i].config;
        }
    }
    return &live->config;
}

static void
first_problem(char *problem, const char *another)
{
    if (!problem[0]) {
        utf8_copy(problem, PROTO_TEXT_BYTES, another);
    }
}

/* The profiles of a text; *count of them. NULL: none, or no memory. */
static struct engine_profile *
read_profiles(const struct live *live, struct config_source source, unsigned *count, char *problem)
{
    char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES], mistake[CONFIG_TEXT_BYTES];
    *count = source.bytes ? config_profiles(source.text, source.bytes, names) : 0;
    struct engine_profile *profiles = *count ? calloc(*count, sizeof(*profiles)) : NULL;
    for (unsigned i = 0; profiles && i < *count; i++) {
        source.profile = names[i];
        source.last = last_of(live, names[i]);
        utf8_copy(profiles[i].name, sizeof(profiles[i].name), names[i]);
        config_read(&profiles[i].config, &source, mistake);
        first_problem(problem, mistake);
    }
    *count = profiles ? *count : 0;
    return profiles;
}

static void
tell(struct live *live, const char *problem)
{
    os_mutex_lock(&live->lock);
    bool another = strcmp(live->problem, problem) != 0;
    utf8_copy(live->problem, sizeof(live->problem), problem);
    os_mutex_unlock(&live->lock);
    if (another && problem[0]) {
        log_warning("configuration: %s", problem);
    } else if (another) {
        log_info("configuration: '%s' has no mistakes any more", live->path);
    }
}

static void
set_log(const struct config *config)
{
    enum log_level level;
    if (log_level_parse(config->log_level, &level)) {
        log_set_level(level);
    }
    log_set_limits((uint64_t)config->log_size_kib * KIB, (unsigned)config->log_keep);
}

/* False: the file cannot be read; everything stays. */
static bool
read_all(struct live *live, const struct config *last)
{
    static const char nothing[] = "";
    char problem[PROTO_TEXT_BYTES] = "", *text = NULL;
    struct config_source source = {
        .name = live->path,
        .text = nothing,
        .last = last,
        .getenv_utf8 = live->getenv_utf8,
    };
    if (live->path[0] && config_load(live->path, &text, &source.bytes, problem) != TUTTI_OK) {
        tell(live, problem);
        if (last) {
            return false;
        }
        source.bytes = 0;
    }
    source.text = text ? text : nothing;
    struct config config;
    char mistake[CONFIG_TEXT_BYTES];
    unsigned count;
    config_read(&config, &source, mistake);
    first_problem(problem, mistake);
    struct engine_profile *profiles = read_profiles(live, source, &count, problem);
    free(live->profile);
    free(text);
    live->profile = profiles;
    live->profiles = count;
    live->config = config;
    tell(live, problem);
    set_log(&config);
    return true;
}

void
live_open(struct live *live, bool (*getenv_utf8)(const char *name, char *value, size_t bytes))
{
    memset(live, 0, sizeof(*live));
    os_mutex_init(&live->lock);
    live->getenv_utf8 = getenv_utf8;
    if (!config_default_path(getenv_utf8, live->path, sizeof(live->path))) {
        live->path[0] = '\0';
    }
    file_look(live->path, &live->read);
    live->seen = live->read;
    read_all(live, NULL);
}

void
live_close(struct live *live)
{
    free(live->profile);
    os_mutex_fini(&live->lock);
}

/* ---- living ---- */

void
live_apply(struct live *live, struct engine *engine)
{
    char error[PROTO_TEXT_BYTES] = "";
    enum tutti_status status =
        engine_configure(engine, &live->config, live->profile, live->profiles, error);
    if (status != TUTTI_OK) {
        log_warning("configuration: its device could not be opened, the former one goes on: %s",
                    error[0] ? error : tutti_status_text(status));
    }
    os_mutex_lock(&live->lock);
    utf8_copy(live->refusal, sizeof(live->refusal), status != TUTTI_OK ? error : "");
    os_mutex_unlock(&live->lock);
}

void
live_look(struct live *live, struct engine *engine, uint64_t now_ns)
{
    struct file_stamp stamp;
    if (!live->path[0] || now_ns < live->look_ns) {
        return;
    }
    live->look_ns = now_ns + (uint64_t)LOOK_MS * OS_NS_PER_MS;
    file_look(live->path, &stamp);
    bool still = file_same(&stamp, &live->seen);
    live->seen = stamp;
    if (!still || file_same(&stamp, &live->read)) {
        return;
    }
    live->read = stamp;
    struct config last = live->config;
    if (read_all(live, &last)) {
        log_info("configuration: '%s' was changed, and is read anew", live->path);
        live_apply(live, engine);
    }
}

bool
live_problem(struct live *live, char problem[PROTO_TEXT_BYTES])
{
    os_mutex_lock(&live->lock);
    utf8_copy(problem, PROTO_TEXT_BYTES, live->problem[0] ? live->problem : live->refusal);
    os_mutex_unlock(&live->lock);
    return problem[0] != '\0';
}
