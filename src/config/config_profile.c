/* SPDX-License-Identifier: MIT */
/* What the configuration's texts hold beyond single values: the names of profiles, lists of
 * channels and of names; and how one value of a text is changed. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "config/config_lines.h"
#include "base/utf8.h"

static const char driver_name[] = "Tutti ";
static const char title_word[] = "profile";

/* ---- profiles ---- */

bool
config_profile_name(const char *written, char name[CONFIG_PROFILE_BYTES],
                    char reason[CONFIG_TEXT_BYTES])
{
    size_t length = strlen(written);
    written = config_trim(written, &length);
    if (length >= 2 && written[0] == '"' && written[length - 1] == '"') {
        written++;
        length -= 2;
        written = config_trim(written, &length);
    }
    while (length > strlen(driver_name) && ascii_starts_with(written, driver_name)) {
        written += strlen(driver_name);
        length -= strlen(driver_name);
        written = config_trim(written, &length);
    }
    bool good = length > 0 && length < CONFIG_PROFILE_BYTES;
    for (size_t i = 0; good && i < length; i++) {
        good = written[i] >= ' ' && written[i] <= '~' && !strchr("\\/[]\",;#=", written[i]);
    }
    if (!good) {
        snprintf(reason, CONFIG_TEXT_BYTES,
                 "a profile's name has 1 to %d characters of ASCII without \\ / [ ] \" , ; # =",
                 CONFIG_PROFILE_BYTES - 1);
        return false;
    }
    memcpy(name, written, length);
    name[length] = '\0';
    return true;
}

bool
config_profile_same(const char *a, const char *b)
{
    return ascii_same(a, b);
}

bool
config_profile_title(const char *title, char name[CONFIG_PROFILE_BYTES],
                     char reason[CONFIG_TEXT_BYTES])
{
    size_t word = strlen(title_word);
    reason[0] = '\0';
    if (strncmp(title, title_word, word) != 0 || (title[word] && !strchr(" \t\"", title[word]))) {
        return false;
    }
    if (!config_profile_name(title + word, name, reason)) {
        name[0] = '\0';
    }
    return true;
}

/* The title of a line "[title]"; false when it is another line. */
static bool
title_of(const char *line, size_t length, char *title, size_t room)
{
    line = config_trim(line, &length);
    const char *end = length && line[0] == '[' ? memchr(line, ']', length) : NULL;
    if (!end || (size_t)(end - line) > room) {
        return false;
    }
    memcpy(title, line + 1, (size_t)(end - line) - 1);
    title[end - line - 1] = '\0';
    return true;
}

static size_t
line_length(const char *line, const char *end)
{
    const char *feed = memchr(line, '\n', (size_t)(end - line));
    return feed ? (size_t)(feed - line) + 1 : (size_t)(end - line);
}

static bool
is_listed(char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES], unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (config_profile_same(names[i], name)) {
            return true;
        }
    }
    return false;
}

unsigned
config_profiles(const char *text, size_t bytes, char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES])
{
    struct config_lines lines;
    struct config_line line;
    unsigned count = 0;
    config_lines_begin(&lines, text, bytes);
    while (count < CONFIG_PROFILES && config_lines_next(&lines, &line)) {
        char reason[CONFIG_TEXT_BYTES], name[CONFIG_PROFILE_BYTES];
        if (line.kind == CONFIG_LINE_SECTION && config_profile_title(line.name, name, reason) &&
            name[0] && !is_listed(names, count, name)) {
            memcpy(names[count++], name, sizeof(name));
        }
    }
    return count;
}

/* ---- lists ---- */

/* A number from 1 to CONFIG_CHANNELS at *at, which moves behind it. */
static bool
take_number(const char **at, unsigned *number)
{
    unsigned value = 0;
    while (**at == ' ' || **at == '\t') {
        (*at)++;
    }
    const char *start = *at;
    for (; **at >= '0' && **at <= '9' && value <= CONFIG_CHANNELS; (*at)++) {
        value = value * 10 + (unsigned)(**at - '0');
    }
    bool found = *at != start && value >= 1 && value <= CONFIG_CHANNELS;
    while (**at == ' ' || **at == '\t') {
        (*at)++;
    }
    *number = value;
    return found;
}

bool
config_channels(const char *text, bool repeats, uint16_t channels[CONFIG_CHANNELS], unsigned *count)
{
    bool used[CONFIG_CHANNELS] = {false};
    *count = 0;
    if (!text[0]) {
        return true;
    }
    for (const char *at = text;; at++) {
        unsigned first, last;
        if (!take_number(&at, &first)) {
            return false;
        }
        last = first;
        if (*at == '-') {
            at++;
            if (!take_number(&at, &last)) {
                return false;
            }
        }
        for (unsigned channel = first; channel <= last; channel++) {
            if ((used[channel - 1] && !repeats) || *count == CONFIG_CHANNELS) {
                return false;
            }
            used[channel - 1] = true;
            channels[(*count)++] = (uint16_t)(channel - 1);
        }
        if (last < first || (*at && *at != ',')) {
            return false;
        }
        if (!*at) {
            return true;
        }
    }
}

bool
config_list_item(const char *text, unsigned index, char *item, size_t item_bytes)
{
    for (; index; index--) {
        text = strchr(text, ',');
        if (!text) {
            return false;
        }
        text++;
    }
    size_t length = strcspn(text, ",");
    text = config_trim(text, &length);
    if (!length) {
        return false;
    }
    char whole[CONFIG_TEXT_BYTES];
    length = length < sizeof(whole) ? length : sizeof(whole) - 1;
    memcpy(whole, text, length);
    whole[length] = '\0';
    utf8_copy(item, item_bytes, whole);
    return true;
}

/* ---- changing ---- */

/* True when a line gives a value to a key. */
static bool
sets_key(const char *line, size_t length, const char *key)
{
    line = config_trim(line, &length);
    size_t name = strlen(key);
    if (length <= name || strncmp(line, key, name) != 0) {
        return false;
    }
    length -= name;
    line = config_trim(line + name, &length);
    return length && (*line == '=' || *line == ':');
}

/* Where the value belongs: the last line of the key, which counts, or the end of its section. */
struct place {
    const char *from, *to;
    bool section, key; /* there is one */
};

static struct place
find_place(const char *text, const char *section, const char *key)
{
    const char *end = text + strlen(text);
    struct place place = {.from = end, .to = end};
    bool inside = false;
    size_t length;
    for (const char *line = text; line < end; line += length) {
        char title[CONFIG_TEXT_BYTES];
        length = line_length(line, end);
        if (title_of(line, length, title, sizeof(title))) {
            inside = strcmp(title, section) == 0;
        }
        size_t shown = length;
        config_trim(line, &shown);
        if (inside && sets_key(line, length, key)) {
            place = (struct place){line, line + length, true, true};
        } else if (inside && shown && !place.key) {
            place = (struct place){line + length, line + length, true, false};
        }
    }
    return place;
}

char *
config_edit(const char *text, const char *section, const char *key, const char *value)
{
    struct place place = find_place(text, section, key);
    size_t head = (size_t)(place.from - text);
    size_t room = strlen(text) + strlen(section) + strlen(key) + strlen(value) + 16;
    bool feed = head && text[head - 1] != '\n';
    char *edited = malloc(room);
    if (!edited) {
        return NULL;
    }
    memcpy(edited, text, head);
    size_t length = head;
    if (place.section) {
        length += (size_t)snprintf(edited + length, room - length, "%s%s = %s\n", feed ? "\n" : "",
                                   key, value);
    } else {
        length += (size_t)snprintf(edited + length, room - length, "%s%s[%s]\n%s = %s\n",
                                   feed ? "\n" : "", head ? "\n" : "", section, key, value);
    }
    snprintf(edited + length, room - length, "%s", place.to);
    return edited;
}
