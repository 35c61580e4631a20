/* SPDX-License-Identifier: MIT */
/* A configuration from a file's text, a profile in it and the environment. What is wrong leaves a
 * good value in place, and every mistake is reported. */
#include "config/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "config/config_keys.h"
#include "config/config_lines.h"
#include "base/file.h"
#include "base/utf8.h"

/* Values of which the first must not be above the second: offsets in struct config. */
static const size_t pairs[][2] = {
    {offsetof(struct config, program_buffer_min), offsetof(struct config, program_buffer_max)},
    {offsetof(struct config, sim_period_min), offsetof(struct config, sim_period_max)},
};
enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]), SENTENCE_PATH = 100 };

/* Where a text is wrong: a file's line, or without one a variable. */
struct place {
    const char *name;
    int line;
};

struct reading {
    const struct config_source *source;
    struct config *config;
    bool of_profile;       /* its turn: the sections of all are read */
    bool quiet;            /* mistakes are counted only */
    int line[CONFIG_KEYS]; /* that set the value in this turn; 0: none */
    struct config good;    /* whose values stay */
    char *problem;         /* the first mistake */
    unsigned mistakes;
};

/* ---- mistakes ---- */

/* The end of a long path says more than its beginning. */
static void
write_sentence(char sentence[CONFIG_TEXT_BYTES], const struct place *place, const char *reason)
{
    size_t length = strlen(place->name);
    bool cut = length > SENTENCE_PATH;
    const char *name = cut ? place->name + length - SENTENCE_PATH : place->name;
    while (cut && (*name & 0xC0) == 0x80) {
        name++; /* no half of a character */
    }
    char text[2 * CONFIG_TEXT_BYTES];
    if (place->line) {
        snprintf(text, sizeof(text), "%s%s:%d: %s", cut ? "..." : "", name, place->line, reason);
    } else {
        snprintf(text, sizeof(text), "%s%s: %s", cut ? "..." : "", name, reason);
    }
    utf8_copy(sentence, CONFIG_TEXT_BYTES, text);
}

static void
note(struct reading *reading, const struct place *place, const char *reason)
{
    char sentence[CONFIG_TEXT_BYTES];
    if (reading->quiet) {
        return;
    }
    write_sentence(sentence, place, reason);
    if (!reading->mistakes++) {
        utf8_copy(reading->problem, CONFIG_TEXT_BYTES, sentence);
    }
    if (reading->source->mistake) {
        reading->source->mistake(reading->source->user, sentence);
    }
}

/* ---- values ---- */

/* Only a reading of the engine knows which backends it has. */
static const char *
words_of(const struct reading *reading, const struct config_key *key)
{
    return key->offset == offsetof(struct config, device_backend) ? reading->source->backends
                                                                  : NULL;
}

/* Sets a value, or puts the last good one in its place. NULL: it is too long. */
static void
take(struct reading *reading, const struct place *place, const struct config_key *key,
     const char *value)
{
    char reason[CONFIG_TEXT_BYTES] = "";
    struct config *config = reading->config;
    if (!value) {
        snprintf(reason, sizeof(reason), "%s is longer than %d bytes", key->name,
                 CONFIG_TEXT_BYTES - 1);
    } else if (config_set_key(config, key, value, words_of(reading, key), reason) == TUTTI_OK) {
        reading->line[key - config_keys] = place->line;
        return;
    }
    if (reading->source->last) {
        config_copy_key(config, reading->source->last, key);
    }
    config_say_what_stays(config, key, reason);
    note(reading, place, reason);
}

static const struct config_key *
key_at(size_t offset)
{
    const struct config_key *key = config_keys;
    while (key->offset != offset) {
        key++;
    }
    return key;
}

static int32_t
integer_at(const struct config *config, const struct config_key *key)
{
    int32_t value;
    memcpy(&value, (const char *)config + key->offset, sizeof(value));
    return value;
}

/* Values that are good only together, at the end of a turn. Both of a bad pair stay as they were.
 */
static void
check_pairs(struct reading *reading, const char *name)
{
    for (size_t i = 0; i < PAIRS; i++) {
        const struct config_key *low = key_at(pairs[i][0]), *high = key_at(pairs[i][1]);
        int32_t least = integer_at(reading->config, low);
        int32_t most = integer_at(reading->config, high);
        if (least <= most) {
            continue;
        }
        config_copy_key(reading->config, &reading->good, low);
        config_copy_key(reading->config, &reading->good, high);
        int first = reading->line[low - config_keys], second = reading->line[high - config_keys];
        char reason[CONFIG_TEXT_BYTES];
        snprintf(reason, sizeof(reason), "%s %d is above %s %d; %d and %d stay", low->name,
                 (int)least, high->name, (int)most, (int)integer_at(reading->config, low),
                 (int)integer_at(reading->config, high));
        note(reading, &(struct place){name, first > second ? first : second}, reason);
    }
}

static void
begin_turn(struct reading *reading)
{
    memset(reading->line, 0, sizeof(reading->line));
    reading->good = reading->source->last ? *reading->source->last : *reading->config;
}

/* ---- a text ---- */

/* A line of the profile: section.key = value. */
static void
take_of_profile(struct reading *reading, const struct place *place, const struct config_line *line)
{
    char section[CONFIG_TEXT_BYTES], reason[CONFIG_TEXT_BYTES] = "";
    const char *dot = strchr(line->name, '.');
    if (!dot) {
        snprintf(reason, sizeof(reason),
                 "a profile's keys are written with their section: program.%.40s, say", line->name);
        note(reading, place, reason);
        return;
    }
    memcpy(section, line->name, (size_t)(dot - line->name));
    section[dot - line->name] = '\0';
    if (strcmp(section, "engine") == 0 || strcmp(section, "log") == 0) {
        snprintf(reason, sizeof(reason),
                 "'%.60s' has no effect in a profile: write it under [%.8s], for everybody",
                 line->name, section);
        note(reading, place, reason);
        return;
    }
    const struct config_key *key = config_find_key(section, dot + 1, reason);
    if (key) {
        take(reading, place, key, line->too_long ? NULL : line->value);
    } else {
        note(reading, place, reason);
    }
}

/* Which lines of a text count in this turn. */
enum part {
    PART_NOTHING, /* another profile, or a section that is not known */
    PART_TOP,     /* before the first title */
    PART_SECTION,
    PART_PROFILE, /* whose turn it is */
};

static enum part
enter(struct reading *reading, const struct place *place, const char *title)
{
    char profile[CONFIG_PROFILE_BYTES], reason[CONFIG_TEXT_BYTES] = "";
    if (config_profile_title(title, profile, reason)) {
        if (reason[0] && !reading->of_profile) {
            note(reading, place, reason);
        }
        return !reason[0] && reading->of_profile &&
                       config_profile_same(profile, reading->source->profile)
                   ? PART_PROFILE
                   : PART_NOTHING;
    }
    if (config_has_section(title)) {
        return reading->of_profile ? PART_NOTHING : PART_SECTION;
    }
    if (!reading->of_profile) {
        snprintf(reason, sizeof(reason), "there is no section [%.40s]", title);
        note(reading, place, reason);
    }
    return PART_NOTHING;
}

static void
take_value(struct reading *reading, enum part part, const char *section,
           const struct config_line *line)
{
    struct place place = {reading->source->name, line->number};
    char reason[CONFIG_TEXT_BYTES] = "";
    if (part == PART_PROFILE) {
        take_of_profile(reading, &place, line);
    } else if (part == PART_SECTION) {
        const struct config_key *key = config_find_key(section, line->name, reason);
        if (key) {
            take(reading, &place, key, line->too_long ? NULL : line->value);
        } else {
            note(reading, &place, reason);
        }
    } else if (part == PART_TOP && !reading->of_profile) {
        snprintf(reason, sizeof(reason), "'%.40s' stands before any [section]", line->name);
        note(reading, &place, reason);
    }
}

static void
read_lines(struct reading *reading)
{
    struct config_lines lines;
    struct config_line line;
    char section[CONFIG_TEXT_BYTES] = "";
    enum part part = PART_TOP;
    config_lines_begin(&lines, reading->source->text, reading->source->bytes);
    begin_turn(reading);
    while (config_lines_next(&lines, &line)) {
        struct place place = {reading->source->name, line.number};
        if (line.kind == CONFIG_LINE_SECTION) {
            utf8_copy(section, sizeof(section), line.name);
            part = enter(reading, &place, line.name);
        } else if (line.kind == CONFIG_LINE_VALUE) {
            take_value(reading, part, section, &line);
        } else if (!reading->of_profile) {
            note(reading, &place, "neither [section], key = value, nor a comment");
        }
    }
    check_pairs(reading, reading->source->name);
}

static void
read_text(struct reading *reading)
{
    bool has_profile = reading->source->profile && reading->source->profile[0];
    reading->quiet = reading->source->profile_alone && has_profile;
    read_lines(reading);
    reading->quiet = false;
    if (has_profile) {
        reading->of_profile = true;
        read_lines(reading);
    }
}

static void
begin_reading(struct reading *reading, const struct config_source *source, struct config *config,
              char problem[CONFIG_TEXT_BYTES])
{
    memset(reading, 0, sizeof(*reading));
    reading->source = source;
    reading->config = config;
    reading->problem = problem;
    problem[0] = '\0';
}

enum tutti_status
config_read_text(struct config *config, const char *name, const char *text, size_t bytes,
                 char problem[CONFIG_TEXT_BYTES])
{
    struct config_source source = {.name = name, .text = text, .bytes = bytes};
    struct reading reading;
    begin_reading(&reading, &source, config, problem);
    read_text(&reading);
    return reading.mistakes ? TUTTI_BAD_CONFIG : TUTTI_OK;
}

/* ---- the environment ---- */

static void
write_variable(char *name, size_t room, const struct config_key *key)
{
    snprintf(name, room, "TUTTI_%s_%s", key->section, key->name);
    for (char *at = name; *at; at++) {
        *at = ascii_upper(*at);
    }
}

static void
read_environment(struct reading *reading)
{
    begin_turn(reading);
    for (size_t i = 0; i < CONFIG_KEYS; i++) {
        char name[80], value[CONFIG_TEXT_BYTES], reason[CONFIG_TEXT_BYTES] = "";
        const struct config_key *key = &config_keys[i];
        write_variable(name, sizeof(name), key);
        if (reading->source->getenv_utf8(name, value, sizeof(value)) &&
            config_set_key(reading->config, key, value, words_of(reading, key), reason) !=
                TUTTI_OK) {
            config_say_what_stays(reading->config, key, reason);
            note(reading, &(struct place){name, 0}, reason);
        }
    }
    check_pairs(reading, "TUTTI_... variables");
}

enum tutti_status
config_read(struct config *config, const struct config_source *source,
            char problem[CONFIG_TEXT_BYTES])
{
    struct reading reading;
    begin_reading(&reading, source, config, problem);
    config_init(config);
    if (source->text) {
        read_text(&reading);
    }
    if (source->getenv_utf8) {
        reading.quiet = source->profile_alone && source->profile && source->profile[0];
        read_environment(&reading);
    }
    return reading.mistakes ? TUTTI_BAD_CONFIG : TUTTI_OK;
}

/* ---- a file ---- */

static const char *
why_not(enum tutti_status status)
{
    if (status != TUTTI_IO) {
        return tutti_status_text(status);
    }
    switch (errno) {
    case ENODEV:
        return "this is no regular file but a folder, a pipe or a device; put a text file there";
    case EFBIG:
        return "this is longer than 1 MiB, so it is no configuration";
    default:
        return strerror(errno);
    }
}

/* Windows' editors write this on request. */
static bool
is_utf16(const char *text, size_t bytes)
{
    return bytes >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
}

enum tutti_status
config_load(const char *path, char **text, size_t *bytes, char problem[CONFIG_TEXT_BYTES])
{
    struct place place = {path, 0};
    char *read = NULL;
    size_t length = 0;
    problem[0] = '\0';
    enum tutti_status status = file_read(path, CONFIG_FILE_BYTES, &read, &length);
    if (status != TUTTI_OK) {
        write_sentence(problem, &place, why_not(status));
        return TUTTI_BAD_CONFIG;
    }
    if (is_utf16(read, length)) {
        free(read);
        write_sentence(problem, &place, "this is UTF-16 text; save it as UTF-8");
        return TUTTI_BAD_CONFIG;
    }
    *text = read;
    *bytes = length;
    return TUTTI_OK;
}

void
config_write_problem(char problem[CONFIG_TEXT_BYTES], const char *path, const char *reason)
{
    write_sentence(problem, &(struct place){path, 0}, reason);
}

bool
config_is_misnamed(const char *path, char problem[CONFIG_TEXT_BYTES])
{
    char other[1100];
    struct file_stamp stamp;
    struct place place = {path, 0};
    int length = snprintf(other, sizeof(other), "%s.txt", path);
    problem[0] = '\0';
    file_look(path, &stamp);
    if (stamp.there || !path[0] || length < 0 || (size_t)length >= sizeof(other)) {
        return false;
    }
    file_look(other, &stamp);
    if (stamp.there) {
        write_sentence(problem, &place,
                       "there is no such file, only one with .txt behind its name, which is not "
                       "read; rename it");
    }
    return stamp.there;
}
