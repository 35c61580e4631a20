/* SPDX-License-Identifier: MIT */
/* The configuration's reader: one row per key, generated from CONFIG_TABLE; inih takes the file
 * apart. */
#include "base/config.h"

#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/file.h"
#include "base/number.h"
#include "base/utf8.h"

enum key_kind { KEY_TEXT, KEY_INTEGER, KEY_BOOLEAN, KEY_NUMBER };

struct key {
    const char *section, *name;
    enum key_kind kind;
    size_t offset;
    double min, max;
};

static const struct key keys[] = {
#define S(section, key, def, what)                                                                 \
    {#section, #key, KEY_TEXT, offsetof(struct config, section##_##key), 0, 0},
#define I(section, key, def, min, max, what)                                                       \
    {#section, #key, KEY_INTEGER, offsetof(struct config, section##_##key), min, max},
#define B(section, key, def, what)                                                                 \
    {#section, #key, KEY_BOOLEAN, offsetof(struct config, section##_##key), 0, 0},
#define D(section, key, def, min, max, what)                                                       \
    {#section, #key, KEY_NUMBER, offsetof(struct config, section##_##key), min, max},
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
    {offsetof(struct config, engine_placement), "auto, free, gathered"},
    {offsetof(struct config, program_sample_type), "float32, int32, int24, int16, float64"},
    {offsetof(struct config, program_dsd), "no, msb, lsb"},
    {offsetof(struct config, alsa_access), "auto, mmap, rw"},
    {offsetof(struct config, sim_format), "float32, int16, int24, int24in32, int32"},
    {offsetof(struct config, log_level), "error, warning, info, debug"},
};

/* The words that a key may have; NULL: any text. */
static const char *
words_of(const struct key *key)
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

static bool
lists_channels(const struct key *key)
{
    return key->offset == offsetof(struct config, program_input_channels) ||
           key->offset == offsetof(struct config, program_output_channels);
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
set_text(char *field, const struct key *key, const char *value, char *problem)
{
    uint16_t channels[CONFIG_CHANNELS];
    unsigned count;
    const char *words = words_of(key);
    if (strlen(value) >= CONFIG_TEXT_BYTES || !utf8_check(value, CONFIG_TEXT_BYTES)) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is too long or not utf-8", key->name);
        return TUTTI_BAD_CONFIG;
    }
    if (words && !is_one_of(words, value)) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is one of %s, not '%.40s'", key->name, words,
                 value);
        return TUTTI_BAD_CONFIG;
    }
    if (lists_channels(key) && !config_channels(value, channels, &count)) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is a list such as 1-2, 5, not '%.40s'", key->name,
                 value);
        return TUTTI_BAD_CONFIG;
    }
    utf8_copy(field, CONFIG_TEXT_BYTES, value);
    return TUTTI_OK;
}

static enum tutti_status
set(struct config *config, const struct key *key, const char *value, char *problem)
{
    char *field = (char *)config + key->offset;
    bool boolean;
    double number;
    switch (key->kind) {
    case KEY_TEXT:
        return set_text(field, key, value, problem);
    case KEY_BOOLEAN:
        if (!parse_boolean(value, &boolean)) {
            snprintf(problem, CONFIG_TEXT_BYTES, "%s is 'yes' or 'no', not '%.40s'", key->name,
                     value);
            return TUTTI_BAD_CONFIG;
        }
        memcpy(field, &boolean, sizeof(boolean));
        return TUTTI_OK;
    case KEY_INTEGER:
    case KEY_NUMBER:
        break;
    }
    bool whole = key->kind == KEY_INTEGER;
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

/* NULL: no such key; problem says so. */
static const struct key *
find_key(const char *section, const char *name, char *problem)
{
    bool section_known = false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].section, section) != 0) {
            continue;
        }
        section_known = true;
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
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
    const struct key *found = find_key(section, key, problem);
    return found ? set(config, found, value, problem) : TUTTI_BAD_CONFIG;
}

static size_t
field_bytes(const struct key *key)
{
    switch (key->kind) {
    case KEY_INTEGER:
        return sizeof(int32_t);
    case KEY_BOOLEAN:
        return sizeof(bool);
    case KEY_NUMBER:
        return sizeof(double);
    case KEY_TEXT:
        break;
    }
    return CONFIG_TEXT_BYTES;
}

bool
config_same(const struct config *a, const struct config *b, const char *section)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *one = (const char *)a + keys[i].offset;
        const char *other = (const char *)b + keys[i].offset;
        if (strcmp(keys[i].section, section) != 0) {
            continue;
        }
        if (keys[i].kind == KEY_TEXT ? strcmp(one, other) != 0
                                     : memcmp(one, other, field_bytes(&keys[i])) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- a text ---- */

struct reading {
    const char *text, *end; /* the rest of it */
    int line;
    struct config *config;
    const char *name;
    const char *profile;       /* "": nobody's */
    bool of_profile;           /* its turn: the sections of all are read */
    const struct config *last; /* NULL: what is there stays */
    char *problem;             /* the first mistake */
};

static void
note(char *problem, const char *where, int line, const char *reason)
{
    if (problem[0]) {
        return;
    }
    if (line) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%.100s:%d: %.140s", where, line, reason);
    } else {
        snprintf(problem, CONFIG_TEXT_BYTES, "%.100s: %.140s", where, reason);
    }
}

/* What stays, added to the reason. */
static void
say_what_stays(const struct config *config, const struct key *key, char *reason)
{
    const char *field = (const char *)config + key->offset;
    size_t length = strlen(reason);
    char *to = reason + length;
    size_t room = CONFIG_TEXT_BYTES - length;
    int32_t integer;
    double number;
    bool boolean;
    switch (key->kind) {
    case KEY_TEXT:
        snprintf(to, room, "; %.40s stays", field[0] ? field : "an empty one");
        break;
    case KEY_BOOLEAN:
        memcpy(&boolean, field, sizeof(boolean));
        snprintf(to, room, "; %s stays", boolean ? "yes" : "no");
        break;
    case KEY_INTEGER:
        memcpy(&integer, field, sizeof(integer));
        snprintf(to, room, "; %d stays", (int)integer);
        break;
    case KEY_NUMBER:
        memcpy(&number, field, sizeof(number));
        snprintf(to, room, "; %s stays", number_text(number).text);
        break;
    }
}

/* Sets a value, or puts the last good one in its place. */
static void
take(struct reading *reading, const char *section, const char *name, const char *value)
{
    char reason[CONFIG_TEXT_BYTES] = "";
    struct config *config = reading->config;
    const struct key *key = find_key(section, name, reason);
    if (key && set(config, key, value, reason) == TUTTI_OK) {
        return;
    }
    if (key && reading->last) {
        memcpy((char *)config + key->offset, (const char *)reading->last + key->offset,
               field_bytes(key));
    }
    if (key) {
        say_what_stays(config, key, reason);
    }
    note(reading->problem, reading->name, reading->line, reason);
}

/* A line of the profile: section.key = value. */
static void
take_of_profile(struct reading *reading, const char *name, const char *value)
{
    char section[CONFIG_TEXT_BYTES], reason[CONFIG_TEXT_BYTES] = "";
    const char *dot = strchr(name, '.');
    if (dot && dot - name < CONFIG_TEXT_BYTES) {
        utf8_copy(section, (size_t)(dot - name) + 1, name);
        if (strcmp(section, "engine") != 0 && strcmp(section, "log") != 0) {
            take(reading, section, dot + 1, value);
            return;
        }
        snprintf(reason, sizeof(reason),
                 "'%.60s' has no effect in a profile: write it under [%.8s], for everybody", name,
                 section);
        note(reading->problem, reading->name, reading->line, reason);
        return;
    }
    snprintf(reason, sizeof(reason),
             "a profile's keys are written with their section: program.%.40s, say", name);
    note(reading->problem, reading->name, reading->line, reason);
}

static int
on_value(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    char profile[CONFIG_PROFILE_BYTES], reason[CONFIG_TEXT_BYTES] = "";
    value = value ? value : "";
    bool in_profile = config_profile_title(section, profile, reason);
    if (in_profile && reason[0]) {
        note(reading->problem, reading->name, reading->line, reason);
    } else if (in_profile && reading->of_profile &&
               config_profile_same(profile, reading->profile)) {
        take_of_profile(reading, name, value);
    } else if (!in_profile && !reading->of_profile) {
        take(reading, section, name, value);
    }
    return 1;
}

/* As fgets(). inih asks for line after line and calls back within each: the count is the line of
 * the callback. */
static char *
next_line(char *line, int room, void *user)
{
    struct reading *reading = user;
    int length = 0;
    while (length < room - 1 && reading->text < reading->end) {
        line[length++] = *reading->text++;
        if (line[length - 1] == '\n') {
            break;
        }
    }
    line[length] = '\0';
    reading->line += length > 0;
    return length ? line : NULL;
}

static void
read_lines(struct reading *reading)
{
    int wrong = ini_parse_stream(next_line, reading, on_value, reading);
    if (wrong > 0) {
        note(reading->problem, reading->name, wrong,
             "neither [section], key = value, nor a comment");
    }
}

static void
read_source(struct config *config, const struct config_source *source, char *problem)
{
    struct reading reading = {
        .text = source->text,
        .end = source->text + source->bytes,
        .config = config,
        .name = source->name,
        .profile = source->profile ? source->profile : "",
        .last = source->last,
        .problem = problem,
    };
    read_lines(&reading);
    if (reading.profile[0]) {
        reading.text = source->text;
        reading.line = 0;
        reading.of_profile = true;
        read_lines(&reading);
    }
}

enum tutti_status
config_read_text(struct config *config, const char *name, const char *text, size_t bytes,
                 char problem[CONFIG_TEXT_BYTES])
{
    struct config_source source = {.name = name, .text = text, .bytes = bytes};
    problem[0] = '\0';
    read_source(config, &source, problem);
    return problem[0] ? TUTTI_BAD_CONFIG : TUTTI_OK;
}

static void
read_environment(struct config *config,
                 bool (*getenv_utf8)(const char *name, char *value, size_t bytes), char *problem)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char name[80], value[CONFIG_TEXT_BYTES], reason[CONFIG_TEXT_BYTES] = "";
        snprintf(name, sizeof(name), "TUTTI_%s_%s", keys[i].section, keys[i].name);
        for (char *at = name; *at; at++) {
            *at = ascii_upper(*at);
        }
        if (getenv_utf8(name, value, sizeof(value)) &&
            set(config, &keys[i], value, reason) != TUTTI_OK) {
            say_what_stays(config, &keys[i], reason);
            note(problem, name, 0, reason);
        }
    }
}

enum tutti_status
config_read(struct config *config, const struct config_source *source,
            char problem[CONFIG_TEXT_BYTES])
{
    problem[0] = '\0';
    config_init(config);
    if (source->text) {
        read_source(config, source, problem);
    }
    if (source->getenv_utf8) {
        read_environment(config, source->getenv_utf8, problem);
    }
    return problem[0] ? TUTTI_BAD_CONFIG : TUTTI_OK;
}

enum tutti_status
config_load(const char *path, char **text, size_t *bytes, char problem[CONFIG_TEXT_BYTES])
{
    problem[0] = '\0';
    enum tutti_status status = file_read(path, CONFIG_FILE_BYTES, text, bytes);
    if (status != TUTTI_OK) {
        note(problem, path, 0, status == TUTTI_IO ? strerror(errno) : tutti_status_text(status));
        return TUTTI_BAD_CONFIG;
    }
    return TUTTI_OK;
}
