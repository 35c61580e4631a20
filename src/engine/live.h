/* SPDX-License-Identifier: MIT */
/*
 * The configuration as it is now: read at the start, looked at again and again by an ordinary
 * thread, and given to the engine again when the file changed. What the file gets wrong keeps its
 * last good value, and every mistake is logged.
 */
#ifndef TUTTI_ENGINE_LIVE_H
#define TUTTI_ENGINE_LIVE_H

#include "config/config.h"
#include "config/config_watch.h"
#include "engine/engine.h"
#include "os/os.h"

enum { LIVE_MISTAKES = 32 };

/* What is wrong in the configuration. */
struct live_mistakes {
    unsigned count; /* only the first LIVE_MISTAKES are kept */
    char sentence[LIVE_MISTAKES][CONFIG_TEXT_BYTES];
};

struct live {
    struct config_watch watch;
    bool (*getenv_utf8)(const char *name, char *value, size_t bytes);
    uint64_t look_ns; /* when to look again */
    struct config config;
    struct engine_profile *profile;
    unsigned profiles;

    struct os_mutex lock; /* of what follows, and of nothing else */
    struct live_mistakes mistakes;
    char refusal[PROTO_TEXT_BYTES]; /* what the engine could not do with it */
};

/** Reads the configuration for the first time; a mistake is logged. Sets the log's level and limits
 * by it. getenv_utf8: os_getenv(). */
void live_open(struct live *live, bool (*getenv_utf8)(const char *name, char *value, size_t bytes));
void live_close(struct live *live);

/** Gives the engine what was read. */
void live_apply(struct live *live, struct engine *engine);

/** Looks at the file if it is time to, and reads and applies it when it has changed and stood still
 * since the last look: editors replace it, and write it in pieces. One thread. */
void live_look(struct live *live, struct engine *engine, uint64_t now_ns);

/** The first mistake and how many there are, or what could not be done; false, and "": all is well.
 * Any thread. */
bool live_problem(struct live *live, char problem[PROTO_TEXT_BYTES]);

#endif
