/* SPDX-License-Identifier: MIT */
/* The keys of CONFIG_TABLE as rows; private to the configuration's readers. */
#ifndef TUTTI_CONFIG_KEYS_H
#define TUTTI_CONFIG_KEYS_H

#include "config/config.h"

enum config_kind { CONFIG_TEXT, CONFIG_INTEGER, CONFIG_BOOLEAN, CONFIG_NUMBER };

struct config_key {
    const char *section, *name;
    enum config_kind kind;
    size_t offset;
    double min, max;
};

#define CONFIG_COUNT_KEY(...) +1
enum {
    CONFIG_KEYS =
        0 CONFIG_TABLE(CONFIG_COUNT_KEY, CONFIG_COUNT_KEY, CONFIG_COUNT_KEY, CONFIG_COUNT_KEY)
};

extern const struct config_key config_keys[CONFIG_KEYS];

/** NULL: no such key; problem says so. */
const struct config_key *config_find_key(const char *section, const char *name,
                                         char problem[CONFIG_TEXT_BYTES]);
bool config_has_section(const char *section);

/** Sets a value from text. words: that it may have, over the table's; NULL: the table's. Errors:
 * BAD_CONFIG with the reason in problem. */
enum tutti_status config_set_key(struct config *config, const struct config_key *key,
                                 const char *value, const char *words,
                                 char problem[CONFIG_TEXT_BYTES]);
/** Takes a value over from another configuration. */
void config_copy_key(struct config *to, const struct config *from, const struct config_key *key);
/** Adds the present value of a key, which stays, to the reason why another is not taken. */
void config_say_what_stays(const struct config *config, const struct config_key *key,
                           char reason[CONFIG_TEXT_BYTES]);

#endif
