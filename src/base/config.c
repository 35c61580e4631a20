/* SPDX-License-Identifier: MIT */
/* The configuration's reader: one row per key, generated from CONFIG_TABLE; inih takes the file
 * apart. */
#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    {offsetof(struct config, program_sample_type), "float32, int32, int24, int16, float64"},
    {offsetof(struct config, program_dsd), "no, msb, lsb"},
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
        *value = strtod(text, &end);
    }
    return text[0] && !*end && !errno && isfinite(*value) && !isspace((unsigned char)text[0]);
}

static enum tutti_status
set_text(char *field, const struct key *key, const char *value, char *problem)
{
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
        snprintf(problem, CONFIG_TEXT_BYTES, "%s is a %snumber from %g to %g, not '%.40s'",
                 key->name, whole ? "whole " : "", key->min, key->max, value);
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

enum tutti_status
config_set(struct config *config, const char *section, const char *key, const char *value,
           char problem[CONFIG_TEXT_BYTES])
{
    bool section_known = false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].section, section) != 0) {
            continue;
        }
        section_known = true;
        if (strcmp(keys[i].name, key) == 0) {
            return set(config, &keys[i], value, problem);
        }
    }
    if (section_known) {
        snprintf(problem, CONFIG_TEXT_BYTES, "[%.40s] has no key '%.40s'", section, key);
    } else {
        snprintf(problem, CONFIG_TEXT_BYTES, "there is no section [%.40s]", section);
    }
    return TUTTI_BAD_CONFIG;
}

/* ---- the file ---- */

struct reading {
    FILE *file;             /* NULL: text */
    const char *text, *end; /* the rest of it */
    int line;
    struct config *config;
    const char *path;
    char *problem; /* the first mistake */
};

static void
note(char *problem, const char *where, int line, const char *reason)
{
    if (problem[0]) {
        return;
    }
    if (line) {
        snprintf(problem, CONFIG_TEXT_BYTES, "%.120s:%d: %.120s", where, line, reason);
    } else {
        snprintf(problem, CONFIG_TEXT_BYTES, "%.120s: %.120s", where, reason);
    }
}

/* As fgets(). */
static char *
text_line(char *line, int room, struct reading *reading)
{
    int length = 0;
    while (length < room - 1 && reading->text < reading->end) {
        line[length++] = *reading->text++;
        if (line[length - 1] == '\n') {
            break;
        }
    }
    line[length] = '\0';
    return length ? line : NULL;
}

/* inih asks for line after line and calls back within each: the count is the line of the callback.
 */
static char *
next_line(char *line, int room, void *user)
{
    struct reading *reading = user;
    char *got = reading->file ? fgets(line, room, reading->file) : text_line(line, room, reading);
    if (got) {
        reading->line++;
    }
    return got;
}

static int
on_value(void *user, const char *section, const char *key, const char *value)
{
    struct reading *reading = user;
    char reason[CONFIG_TEXT_BYTES] = "";
    if (config_set(reading->config, section, key, value ? value : "", reason) != TUTTI_OK) {
        note(reading->problem, reading->path, reading->line, reason);
    }
    return 1;
}

static void
read_lines(struct reading *reading)
{
    int wrong = ini_parse_stream(next_line, reading, on_value, reading);
    if (wrong > 0) {
        note(reading->problem, reading->path, wrong,
             "neither [section], key = value, nor a comment");
    }
}

static void
read_file(struct config *config, const char *path, char *problem)
{
    struct reading reading = {
        .file = fopen(path, "r"), .config = config, .path = path, .problem = problem};
    if (!reading.file) {
        if (errno != ENOENT) {
            note(problem, path, 0, strerror(errno));
        }
        return;
    }
    read_lines(&reading);
    fclose(reading.file);
}

enum tutti_status
config_read_text(struct config *config, const char *name, const char *text, size_t bytes,
                 char problem[CONFIG_TEXT_BYTES])
{
    struct reading reading = {
        .text = text, .end = text + bytes, .config = config, .path = name, .problem = problem};
    problem[0] = '\0';
    read_lines(&reading);
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
            *at = (char)toupper((unsigned char)*at);
        }
        if (getenv_utf8(name, value, sizeof(value)) &&
            set(config, &keys[i], value, reason) != TUTTI_OK) {
            note(problem, name, 0, reason);
        }
    }
}

enum tutti_status
config_read(struct config *config, const char *path,
            bool (*getenv_utf8)(const char *name, char *value, size_t bytes),
            char problem[CONFIG_TEXT_BYTES])
{
    problem[0] = '\0';
    if (path && path[0]) {
        read_file(config, path, problem);
    }
    if (getenv_utf8) {
        read_environment(config, getenv_utf8, problem);
    }
    return problem[0] ? TUTTI_BAD_CONFIG : TUTTI_OK;
}
