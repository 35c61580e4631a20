/* SPDX-License-Identifier: MIT */
/* Reading a command's arguments. See args.h. */
#include "console/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum { LONGEST_WORD = 32, NEAR_ENOUGH = 2 };

static unsigned
option_count(const struct args_command *command)
{
    unsigned count = 0;

    while (count < ARGS_MAX_OPTIONS && command->options[count].name) {
        count++;
    }
    return count;
}

/* Edits (insert, delete, replace) between two words of at most LONGEST_WORD bytes. */
static unsigned
distance(const char *a, const char *b)
{
    unsigned row[LONGEST_WORD + 1];
    size_t length = strlen(b);

    for (unsigned j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

const char *
args_nearest(const char *word, const char *const *words, unsigned count)
{
    const char *nearest = NULL;
    unsigned least = NEAR_ENOUGH + 1;

    if (strlen(word) > LONGEST_WORD) {
        return NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        if (strlen(words[i]) > LONGEST_WORD) {
            continue;
        }
        unsigned d = distance(word, words[i]);
        if (d < least && d < strlen(word)) {
            least = d;
            nearest = words[i];
        }
    }
    return nearest;
}

static void
say_unknown(const struct args_command *command, const char *name, char error[ARGS_ERROR_BYTES])
{
    const char *names[ARGS_MAX_OPTIONS];
    unsigned count = option_count(command);

    for (unsigned i = 0; i < count; i++) {
        names[i] = command->options[i].name;
    }
    const char *nearest = args_nearest(name, names, count);
    if (nearest) {
        snprintf(error, ARGS_ERROR_BYTES, "there is no option --%s; did you mean --%s?", name,
                 nearest);
    } else {
        snprintf(error, ARGS_ERROR_BYTES, "there is no option --%s", name);
    }
}

/* Reads the option at argv[*at]; leaves *at on the last argument used. */
static bool
parse_option(struct args *args, int argc, const char *const *argv, int *at,
             char error[ARGS_ERROR_BYTES])
{
    const struct args_command *command = args->command;
    const char *given = argv[*at] + 2;
    const char *equals = strchr(given, '=');
    char name[LONGEST_WORD + 1];
    size_t length = equals ? (size_t)(equals - given) : strlen(given);
    unsigned count = option_count(command), i = 0;

    if (length > LONGEST_WORD) {
        length = LONGEST_WORD;
    }
    memcpy(name, given, length);
    name[length] = '\0';
    while (i < count && strcmp(command->options[i].name, name) != 0) {
        i++;
    }
    if (i == count) {
        say_unknown(command, name, error);
        return false;
    }
    if (args->value[i]) {
        snprintf(error, ARGS_ERROR_BYTES, "--%s is given twice", name);
        return false;
    }
    if (!command->options[i].value) {
        if (equals) {
            snprintf(error, ARGS_ERROR_BYTES, "--%s takes no value", name);
            return false;
        }
        args->value[i] = "";
    } else if (equals) {
        args->value[i] = equals + 1;
    } else if (*at + 1 < argc) {
        args->value[i] = argv[++*at];
    }
    if (!args->value[i] || (command->options[i].value && !args->value[i][0])) {
        snprintf(error, ARGS_ERROR_BYTES, "--%s needs a value: --%s %s", name, name,
                 command->options[i].value);
        return false;
    }
    return true;
}

bool
args_parse(struct args *args, const struct args_command *command, int argc, const char *const *argv,
           char error[ARGS_ERROR_BYTES])
{
    bool options = true;

    *args = (struct args){.command = command};
    for (int i = 0; i < argc; i++) {
        if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            args->help = true;
            return true;
        }
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strncmp(argv[i], "--", 2) == 0) {
            if (!parse_option(args, argc, argv, &i, error)) {
                return false;
            }
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            snprintf(error, ARGS_ERROR_BYTES, "there is no option %s", argv[i]);
            return false;
        } else if (command->more && args->operand && !args->more) {
            args->more = argv[i];
        } else if (!command->operand || args->operand) {
            snprintf(error, ARGS_ERROR_BYTES, "'%s' is one argument too many", argv[i]);
            return false;
        } else {
            args->operand = argv[i];
        }
    }
    if (command->operand && command->operand[0] != '[' && (!args->operand || !args->operand[0])) {
        snprintf(error, ARGS_ERROR_BYTES, "%s is missing", command->operand);
        return false;
    }
    return true;
}

const char *
args_value(const struct args *args, const char *name)
{
    for (unsigned i = 0; i < ARGS_MAX_OPTIONS && args->command->options[i].name; i++) {
        if (strcmp(args->command->options[i].name, name) == 0) {
            return args->value[i];
        }
    }
    return NULL;
}

bool
args_flag(const struct args *args, const char *name)
{
    return args_value(args, name) != NULL;
}

bool
args_read_whole(const char **at, uint32_t *value)
{
    uint64_t sum = 0;
    const char *digit = *at;

    for (; *digit >= '0' && *digit <= '9'; digit++) {
        sum = sum * 10 + (uint64_t)(*digit - '0');
        if (sum > UINT32_MAX) {
            return false;
        }
    }
    if (digit == *at) {
        return false;
    }
    *at = digit;
    *value = (uint32_t)sum;
    return true;
}

bool
args_whole(const struct args *args, const char *name, uint32_t min, uint32_t max, uint32_t *value,
           char error[ARGS_ERROR_BYTES])
{
    const char *text = args_value(args, name), *at = text;
    uint32_t read = 0;

    if (!text) {
        return true;
    }
    if (!args_read_whole(&at, &read) || *at || read < min || read > max) {
        snprintf(error, ARGS_ERROR_BYTES,
                 "--%s takes a whole number from %u to %u, but '%s' was given", name, min, max,
                 text);
        return false;
    }
    *value = read;
    return true;
}

bool
args_number(const struct args *args, const char *name, double min, double max, double *value,
            char error[ARGS_ERROR_BYTES])
{
    const char *text = args_value(args, name);
    const char *end = NULL;
    double read;

    if (!text) {
        return true;
    }
    if (!number_read(text, &end, &read) || *end || read < min || read > max) {
        snprintf(error, ARGS_ERROR_BYTES, "--%s takes a number from %s to %s, but '%s' was given",
                 name, number_text(min).text, number_text(max).text, text);
        return false;
    }
    *value = read;
    return true;
}

void
args_help(const char *called, const struct args_command *command, struct text *out)
{
    text_addf(out, "usage: %s%s%s%s%s%s [options]\n\n%s\n", called, command->operand ? " " : "",
              command->operand ? command->operand : "", command->more ? " [" : "",
              command->more ? command->more : "", command->more ? "]" : "", command->summary);
    if (command->details) {
        text_addf(out, "\n%s", command->details);
    }
    text_add(out, "\n");
    for (unsigned i = 0; i < option_count(command); i++) {
        const struct args_option *option = &command->options[i];
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        text_addf(out, "  %-20s  %s\n", left, option->help);
    }
    text_addf(out, "  %-20s  %s\n", "--help", "show this");
}
