/* SPDX-License-Identifier: MIT */
/* The configuration as it is now. See live.h. */
#include "engine/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

/* ANSWER_LIMIT: of all looks but the first, for which programs wait. */
enum { LOOK_MS = 250, ANSWER_LIMIT_MS = 200 };

/* ---- mistakes ---- */

static void
take_mistake(void *user, const char *sentence)
{
    struct live_mistakes *mistakes = user;
    if (mistakes->count < LIVE_MISTAKES) {
        utf8_copy(mistakes->sentence[mistakes->count], CONFIG_TEXT_BYTES, sentence);
    }
    mistakes->count++;
}

static bool
are_same(const struct live_mistakes *a, const struct live_mistakes *b)
{
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count && i < LIVE_MISTAKES; i++) {
        same = strcmp(a->sentence[i], b->sentence[i]) == 0;
    }
    return same;
}

/* Logs what is new, and keeps it for whoever asks. */
static void
report(struct live *live, const struct live_mistakes *mistakes)
{
    if (are_same(&live->mistakes, mistakes)) {
        return;
    }
    os_mutex_lock(&live->lock);
    live->mistakes = *mistakes;
    os_mutex_unlock(&live->lock);
    for (unsigned i = 0; i < mistakes->count && i < LIVE_MISTAKES; i++) {
        log_warning("configuration: %s", mistakes->sentence[i]);
    }
    if (mistakes->count > LIVE_MISTAKES) {
        log_warning("configuration: and %u more mistakes", mistakes->count - LIVE_MISTAKES);
    } else if (!mistakes->count) {
        log_info("configuration: '%s' has no mistakes any more", live->watch.path);
    }
}

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

/* The profiles of a text; *count of them. NULL: none, or no memory. */
static struct engine_profile *
read_profiles(const struct live *live, struct config_source source, unsigned *count)
{
    char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES], problem[CONFIG_TEXT_BYTES];
    *count = source.bytes ? config_profiles(source.text, source.bytes, names) : 0;
    struct engine_profile *profiles = *count ? calloc(*count, sizeof(*profiles)) : NULL;
    source.profile_alone = true;
    for (unsigned i = 0; profiles && i < *count; i++) {
        source.profile = names[i];
        source.last = last_of(live, names[i]);
        utf8_copy(profiles[i].name, sizeof(profiles[i].name), names[i]);
        config_read(&profiles[i].config, &source, problem);
    }
    *count = profiles ? *count : 0;
    return profiles;
}

/* False: the file cannot be read; everything stays. */
static bool
read_all(struct live *live, const struct config *last, const struct config_text *text)
{
    static const char nothing[] = "";
    char problem[CONFIG_TEXT_BYTES] = "", words[CONFIG_TEXT_BYTES];
    struct live_mistakes mistakes = {.count = 0};
    struct config_source source = {
        .name = live->watch.path,
        .text = nothing,
        .last = last,
        .backends = words,
        .mistake = take_mistake,
        .user = &mistakes,
        .getenv_utf8 = live->getenv_utf8,
    };
    engine_get_backends(words);
    if (text->problem[0]) {
        take_mistake(&mistakes, text->problem);
    }
    if (text->status != TUTTI_OK && last) {
        report(live, &mistakes);
        return false;
    }
    source.text = text->text ? text->text : nothing;
    source.bytes = text->text ? text->bytes : 0;
    struct config config;
    unsigned count;
    config_read(&config, &source, problem);
    struct engine_profile *profiles = read_profiles(live, source, &count);
    free(live->profile);
    live->profile = profiles;
    live->profiles = count;
    live->config = config;
    report(live, &mistakes);
    config_watch_set_log(&config);
    return true;
}

void
live_open(struct live *live, bool (*getenv_utf8)(const char *name, char *value, size_t bytes))
{
    struct config_text text;

    memset(live, 0, sizeof(*live));
    os_mutex_init(&live->lock);
    live->getenv_utf8 = getenv_utf8;
    config_watch_open(&live->watch, getenv_utf8, &text);
    if (!live->watch.read.there && !live->watch.hangs) {
        log_info("configuration: there is no file '%s': every key has its default",
                 live->watch.path);
    }
    read_all(live, NULL, &text);
    free(text.text);
}

void
live_close(struct live *live)
{
    config_watch_close(&live->watch);
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
    struct config_text text;
    if (now_ns < live->look_ns) {
        return;
    }
    live->look_ns = now_ns + (uint64_t)LOOK_MS * OS_NS_PER_MS;
    enum config_watch_news news = config_watch_look(&live->watch, ANSWER_LIMIT_MS, &text);
    if (news == CONFIG_WATCH_SAME) {
        return;
    }
    struct config last = live->config;
    bool read = read_all(live, &last, &text);
    free(text.text);
    if (read) {
        log_info("configuration: '%s' has changed and was read again", live->watch.path);
        live_apply(live, engine);
    }
}

bool
live_problem(struct live *live, char problem[PROTO_TEXT_BYTES])
{
    os_mutex_lock(&live->lock);
    const struct live_mistakes *mistakes = &live->mistakes;
    const char *first = mistakes->count ? mistakes->sentence[0] : live->refusal;
    char more[48] = "";
    if (mistakes->count > 1) {
        snprintf(more, sizeof(more), " (and %u more: see the log)", mistakes->count - 1);
    }
    utf8_copy(problem, PROTO_TEXT_BYTES - strlen(more), first);
    os_mutex_unlock(&live->lock);
    strcat(problem, more);
    return problem[0] != '\0';
}
