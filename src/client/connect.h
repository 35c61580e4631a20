/* SPDX-License-Identifier: MIT */
/*
 * Meeting the engine: connecting, and, when none answers, starting one. However many programs do
 * this at once, one engine results: a process that starts or kills one holds the lock "spawn" and
 * has looked again under it.
 */
#ifndef TUTTI_CLIENT_CONNECT_H
#define TUTTI_CLIENT_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "proto/message.h"
#include "tutti/status.h"

enum {
    CONNECT_GREETING_MS = 2000, /* an engine that takes longer to answer HELLO hangs */
    CONNECT_HUNG_MS = 300,      /* likewise, when it stopped calling before */
    CONNECT_SPAWN_MS = 5000,    /* a started engine answers within this, */
    CONNECT_LAST_MS = 15000,    /* on a busy machine, where its process lives, within this */
    CONNECT_OPENING_MS = 10000, /* an engine whose device takes longer to open hangs */
    CONNECT_PATH_BYTES = 1024,
};

struct connect_how {
    const char *program;     /* shown to people */
    const char *profile;     /* of the configuration; NULL or "": none */
    const char *engine_path; /* of tuttid; NULL or "": looked for */
    bool do_not_start;       /* neither start nor kill one */
    /* Of an engine that stopped calling, 0: none. One that answers with this generation hangs when
     * its count of cycles stands still for hung_ms; this process is given less time to answer. */
    uint64_t hung_generation, hung_ms;
    uint32_t hung_pid;
    /** Asked every few ms; true gives up with CLOSED. NULL: never. */
    bool (*cancelled)(void *user);
    void *user;
};

/** Connects and greets. *link and *welcome are filled on OK; text is a sentence otherwise. Any
 * ordinary thread. Errors: NO_ENGINE, VERSION_MISMATCH (the engine is newer), REFUSED, FULL, CLOSED
 * (cancelled), NO_MEMORY. */
enum tutti_status connect_engine(const struct connect_how *how, struct os_link **link,
                                 struct proto_welcome *welcome, char text[PROTO_TEXT_BYTES]);

/** The index-th place to look for tuttid, given the full path of this module; false when there are
 * no more. Pure. */
bool connect_candidate(unsigned index, const char *module_path, char *path, size_t path_bytes);

#endif
