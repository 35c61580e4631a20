/* SPDX-License-Identifier: MIT */
/* The one list of groups, and which cases are chosen. */
#include "conform/inside.h"

#include <string.h>

/* X(table), each in a cases_*.c, in the order in which they run; tables of one group follow one
 * another, and the first one says what it is about */
#define GROUPS(X)                                                                                  \
    X(interface_object)                                                                            \
    X(interface_states)                                                                            \
    X(interface_texts)                                                                             \
    X(interface_buffers)                                                                           \
    X(interface_rates)                                                                             \
    X(interface_calls)                                                                             \
    X(streaming_blocks)                                                                            \
    X(streaming_host)                                                                              \
    X(streaming_cycles)                                                                            \
    X(latency)                                                                                     \
    X(latency_grid)                                                                                \
    X(controls)                                                                                    \
    X(hosts)                                                                                       \
    X(rude_callback)                                                                               \
    X(rude_message)                                                                                \
    X(rude_other)                                                                                  \
    X(stress)

#define GROUP_DECLARE(name) extern const struct conform_group conform_group_##name;
GROUPS(GROUP_DECLARE)
#undef GROUP_DECLARE

const struct conform_group *const conform_groups[] = {
#define GROUP_ROW(name) &conform_group_##name,
    GROUPS(GROUP_ROW)
#undef GROUP_ROW
        NULL};

unsigned
conform_case_count(void)
{
    unsigned count = 0;

    for (unsigned i = 0; conform_groups[i]; i++) {
        count += conform_groups[i]->count;
    }
    return count;
}

const struct conform_case *
conform_case_at(unsigned number, const struct conform_group **group)
{
    for (unsigned i = 0; conform_groups[i]; i++) {
        if (number < conform_groups[i]->count) {
            if (group) {
                *group = conform_groups[i];
            }
            return &conform_groups[i]->cases[number];
        }
        number -= conform_groups[i]->count;
    }
    return NULL;
}

/* '*' stands for anything, also nothing. pattern: `length` long. */
static bool
matches(const char *pattern, size_t length, const char *name)
{
    if (length == 0) {
        return *name == '\0';
    }
    if (*pattern == '*') {
        return matches(pattern + 1, length - 1, name) ||
               (*name && matches(pattern, length, name + 1));
    }
    return *name == *pattern && matches(pattern + 1, length - 1, name + 1);
}

bool
conform_chosen(const char *only, const struct conform_group *group, const struct conform_case *one)
{
    if (!only) {
        return true;
    }
    for (const char *at = only;; at++) {
        size_t length = strcspn(at, ",");
        if (matches(at, length, one->name) || matches(at, length, group->name)) {
            return true;
        }
        at += length;
        if (!*at) {
            return false;
        }
    }
}
