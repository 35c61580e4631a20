/* SPDX-License-Identifier: MIT */
/* The keys and their values: one row per key, generated from CONFIG_TABLE. Texts are read by
 * config_read.c. */
#include "config/config.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "config/config_keys.h"
#include "base/number.h"
#include "base/utf8.h"

const struct config_key config_keys[CONFIG_KEYS] = {
#define S(section, key, def, what)                                                                 \
    {#section, #key, CONFIG_TEXT, offsetof(struct config, section##_##key), 0, 0},
#define I(section, key, def, min, max, what)                                                       \
    {#section, #key, CONFIG_INTEGER, offsetof(struct config, section##_##key), min, max},
#define B(section, key, def, what)                                                                 \
    {#section, #key, CONFIG_BOOLEAN, offsetof(struct config, section##_##key), 0, 0},
#define D(section, key, def, min, max, what)                                                       \
    {#section, #key, CONFIG_NUMBER, offsetof(struct config, section##_##key), min, max},
    CONFIG_TABLE(S, I, B, D)
#undef S
#undef I
#undef B
#undef D
};

void
config_init(struct config *config)
{
    memset(config, 0, sizeof(*config));
#define S(section, key, def, what)                                                                 \
    utf8_copy(config->section##_##key, sizeof(config->section##_##key), def);
#define I(section, key, def, min, max, what) config->section##_##key = (def);
#define B(section, key, def, what) config->section##_##key = (def);
#define D(section, key, def, min, max, what) config->section##_##key = (def);
    CONFIG_TABLE(S, I, B, D)
#undef S
#undef I
#undef B
#undef D
}

/* Texts of which not every one makes sense. */
static const struct choice {
    size_t offset;
    const char *words;
} choices[] = {
    {offsetof(struct config, device_backend), "auto, pipewire, jack, alsa, sim, wasapi"},
    {offsetof(struct config, engine_placement), "auto, free, gathered"},
    {offsetof(struct config, program_sample_type), "int32, float32, int24, int16, float64"},
    {offsetof(struct config, program_dsd), "no, msb, lsb"},
    {offsetof(struct config, alsa_access), "auto, mmap, rw"},
    {offsetof(struct config, sim_format), "float32, int16, int24, int24in32, int32"},
    {offsetof(struct config, log_level), "error, warning, info, debug"},
};

/* The words that a key may have; NULL: any text. */
static const char *
words_of(const struct config_key *key)
{
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        if (choices[i].offset == key->offset) {
            return choices[i].words;
        }
    }
    return NULL;
}

static bool
is_one_of(const char *words, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = words; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (length && strncmp(at, value, length) == 0 && (at[length] == ',' || !at[length])) {
            return true;
        }
    }
    return false;
}

/* False: it is no list of channels, or one that is wrong. */
static bool
check_channels(const struct config_key *key, const char *value)
{
    uint16_t channels[CONFIG_CHANNELS];
    unsigned count;
    bool inputs = key->offset == offsetof(struct config, program_input_channels);
    bool outputs = key->offset == offsetof(struct config, program_output_channels);
    return !(inputs || outputs) || config_channels(value, inputs, channels, &count);
}

static bool
parse_boolean(const char *text, bool *value)
{
    static const char *const words[2][4] = {{"no", "false", "off", "0"},
                                            {"yes", "true", "on", "1"}};
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < 4; i++) {
            if (strcmp(text, words[side][i]) == 0) {
                *value = side;
                return true;
            }
        }
    }
    return false;
}

static bool
parse_number(const char *text, bool whole, double *value)
{
    char *end;
    errno = 0;
    if (whole) {
        *value = (double)strtoll(text, &end, 10);
    } else {
        const char *rest = text;
        return number_read(text, &rest, value) && !*rest;
    }
    return text[0] && !*end && !errno && !ascii_is_space(text[0]);
}

static enum tutti_status
set_text(char *field, const struct config_key *key, const char *value, const char *words,
         char *problem)
{
    words = words ? words : words_of(key);
    if (strlen(value) >= CONFIG_TEXT_BYTES || !utf8_check(value, CONFIG_TEXT_BYTES)) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is too long or not utf-8", key->name);
        return TUTTI_BAD_CONFIG;
    }
    if (words && !is_one_of(words, value)) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is one of %s, not '%.40s'", key->name, words,
                 value);
        return TUTTI_BAD_CONFIG;
    }
    if (!check_channels(key, value)) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is a list such as 1-2, 5, not '%.40s'", key->name,
                 value);
        return TUTTI_BAD_CONFIG;
    }
    utf8_copy(field, CONFIG_TEXT_BYTES, value);
    return TUTTI_OK;
}

enum tutti_status
config_set_key(struct config *config, const struct config_key *key, const char *value,
               const char *words, char problem[CONFIG_TEXT_BYTES])
{
    char *field = (char *)config + key->offset;
    bool boolean;
    double number;
    switch (key->kind) {
    case CONFIG_TEXT:
        return set_text(field, key, value, words, problem);
    case CONFIG_BOOLEAN:
        if (!parse_boolean(value, &boolean)) {
            snprintf(problem, CONFIG_TEXT_BYTES, "%s is 'yes' or 'no', not '%.40s'", key->name,
                     value);
            return TUTTI_BAD_CONFIG;
        }
        memcpy(field, &boolean, sizeof(boolean));
        return TUTTI_OK;
    case CONFIG_INTEGER:
    case CONFIG_NUMBER:
        break;
    }
    bool whole = key->kind == CONFIG_INTEGER;
    if (!parse_number(value, whole, &number) || number < key->min || number > key->max) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is a %snumber from %s to %s, not '%.40s'",
                 key->name, whole ? "whole " : "", number_text(key->min).text,
                 number_text(key->max).text, value);
        return TUTTI_BAD_CONFIG;
    }
    if (whole) {
        int32_t integer = (int32_t)number;
        memcpy(field, &integer, sizeof(integer));
    } else {
        memcpy(field, &number, sizeof(number));
    }
    return TUTTI_OK;
}

const struct config_key *
config_find_key(const char *section, const char *name, char problem[CONFIG_TEXT_BYTES])
{
    bool section_known = false;
    for (size_t i = 0; i < CONFIG_KEYS; i++) {
        if (strcmp(config_keys[i].section, section) != 0) {
            continue;
        }
        section_known = true;
        if (strcmp(config_keys[i].name, name) == 0) {
            return &config_keys[i];
        }
    }
    if (section_known) {
        snprintf(problem, CONFIG_TEXT_BYTES, "[%.40s] has no key '%.40s'", section, name);
    } else {
        snprintf(problem, CONFIG_TEXT_BYTES, "there is no section [%.40s]", section);
    }
    return NULL;
}

enum tutti_status
config_set(struct config *config, const char *section, const char *key, const char *value,
           char problem[CONFIG_TEXT_BYTES])
{
    const struct config_key *found = config_find_key(section, key, problem);
    return found ? config_set_key(config, found, value, NULL, problem) : TUTTI_BAD_CONFIG;
}

bool
config_has_section(const char *section)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++) {
        if (strcmp(config_keys[i].section, section) == 0) {
            return true;
        }
    }
    return false;
}

static size_t
field_bytes(const struct config_key *key)
{
    switch (key->kind) {
    case CONFIG_INTEGER:
        return sizeof(int32_t);
    case CONFIG_BOOLEAN:
        return sizeof(bool);
    case CONFIG_NUMBER:
        return sizeof(double);
    case CONFIG_TEXT:
        break;
    }
    return CONFIG_TEXT_BYTES;
}

bool
config_same(const struct config *a, const struct config *b, const char *section)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++) {
        const char *one = (const char *)a + config_keys[i].offset;
        const char *other = (const char *)b + config_keys[i].offset;
        if (strcmp(config_keys[i].section, section) != 0) {
            continue;
        }
        if (config_keys[i].kind == CONFIG_TEXT
                ? strcmp(one, other) != 0
                : memcmp(one, other, field_bytes(&config_keys[i])) != 0) {
            return false;
        }
    }
    return true;
}

void
config_copy_key(struct config *to, const struct config *from, const struct config_key *key)
{
    memcpy((char *)to + key->offset, (const char *)from + key->offset, field_bytes(key));
}

void
config_say_what_stays(const struct config *config, const struct config_key *key,
                      char reason[CONFIG_TEXT_BYTES])
{
    const char *field = (const char *)config + key->offset;
    size_t length = strlen(reason);
    char *to = reason + length;
    size_t room = CONFIG_TEXT_BYTES - length;
    int32_t integer;
    double number;
    bool boolean;
    switch (key->kind) {
    case CONFIG_TEXT:
        snprintf(to, room, "; %.40s stays", field[0] ? field : "an empty one");
        break;
    case CONFIG_BOOLEAN:
        memcpy(&boolean, field, sizeof(boolean));
        snprintf(to, room, "; %s stays", boolean ? "yes" : "no");
        break;
    case CONFIG_INTEGER:
        memcpy(&integer, field, sizeof(integer));
        snprintf(to, room, "; %d stays", (int)integer);
        break;
    case CONFIG_NUMBER:
        memcpy(&number, field, sizeof(number));
        snprintf(to, room, "; %s stays", number_text(number).text);
        break;
    }
}
