/* SPDX-License-Identifier: MIT */
/* Reads the script of faults. */
#include "backend/sim/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    bool takes_argument;
} table[SIM_FAULT_COUNT] = {
#define ROW(name, word, arg) {word, arg},
    SIM_FAULT_TABLE(ROW)
#undef ROW
};

static bool
parse_one(struct sim_fault *fault, const char *text)
{
    char word[16];
    unsigned long long cycle, argument = 0;
    int fields = sscanf(text, " at %llu %15s %llu", &cycle, word, &argument);
    if (fields < 2) {
        return false;
    }
    for (unsigned kind = 0; kind < SIM_FAULT_COUNT; kind++) {
        if (strcmp(word, table[kind].word) == 0) {
            *fault = (struct sim_fault){cycle, (enum sim_fault_kind)kind, argument};
            return table[kind].takes_argument == (fields == 3);
        }
    }
    return false;
}

bool
sim_faults_parse(struct sim_faults *faults, const char *script, char error[256])
{
    faults->count = 0;
    while (*script) {
        char entry[64];
        size_t length = strcspn(script, ";");
        snprintf(entry, sizeof(entry), "%.*s", (int)(length < 63 ? length : 63), script);
        bool blank = entry[strspn(entry, " ")] == '\0';
        if (!blank) {
            if (faults->count == SIM_MAX_FAULTS ||
                !parse_one(&faults->fault[faults->count], entry)) {
                snprintf(error, 256,
                         "[sim] faults: '%s' is not 'at CYCLE ACTION [NUMBER]' (or there are more "
                         "than %d)",
                         entry, SIM_MAX_FAULTS);
                return false;
            }
            faults->count++;
        }
        script += length + (script[length] == ';');
    }
    return true;
}
