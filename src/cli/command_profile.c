/* SPDX-License-Identifier: MIT */
/* tutti profile: the profiles of the configuration, and the driver entries made of them. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "cli/args_profile.h"
#include "cli/entries.h"
#include "cli/platform.h"
#include "cli/session.h"
#include "config/config_file.h"

static bool
is_configured(char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES], unsigned count, const char *entry)
{
    for (unsigned i = 0; i < count; i++) {
        if (config_profile_same(names[i], entry + strlen("Tutti "))) {
            return true;
        }
    }
    return false;
}

static bool
is_entry(const struct entry *entries, unsigned count, const char *profile)
{
    for (unsigned i = 0; i < count; i++) {
        if (strlen(entries[i].name) > strlen("Tutti ") &&
            config_profile_same(entries[i].name + strlen("Tutti "), profile)) {
            return true;
        }
    }
    return false;
}

static void
add_bits(struct text *out, const char *whom, const bool there[2])
{
    if (there[0] || there[1]) {
        text_addf(out, ", %s (%s%s%s)", whom, there[0] ? "64-bit" : "",
                  there[0] && there[1] ? " and " : "", there[1] ? "32-bit" : "");
    }
}

static int
list(void)
{
    static char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES];
    static struct entry entries[ENTRIES_MOST];
    unsigned profiles = args_profile_names(names), count = entries_list(entries);
    struct text out;

    text_init(&out);
    for (unsigned i = 0; i < count; i++) {
        bool profile = strcmp(entries[i].name, "Tutti") != 0;
        text_addf(&out, "%s: an entry", entries[i].name);
        add_bits(&out, "for everybody", entries[i].machine);
        add_bits(&out, "for this user alone, which hosts do not list", entries[i].user);
        if (profile && !is_configured(names, profiles, entries[i].name)) {
            text_add(&out, "; no such profile in your configuration: it is like Tutti");
        }
        text_add(&out, "\n");
    }
    for (unsigned i = 0; i < profiles; i++) {
        if (is_entry(entries, count, names[i])) {
            continue;
        }
        text_addf(&out, "Tutti %s: in your configuration", names[i]);
        if (!entries_elsewhere) {
            text_addf(&out, "; 'tutti profile add \"%s\"' makes its entry", names[i]);
        }
        text_add(&out, "\n");
    }
    if (count + profiles == 0) {
        text_add(&out,
                 "There is no profile. A section [profile NAME] of the configuration is one.\n");
    }
    if (profiles && entries_elsewhere) {
        text_addf(&out, "%s\n", entries_elsewhere);
    }
    bool printed = say_text(&out);
    text_fini(&out);
    return printed ? 0 : 1;
}

static int
change(const char *written, bool add, bool user)
{
    char name[CONFIG_PROFILE_BYTES], why[ENTRIES_WHY_BYTES], reason[CONFIG_TEXT_BYTES];

    if (!config_profile_name(written, name, reason)) {
        session_say("%s", reason);
        return 2;
    }
    if (!entries_change(name, add, user, why)) {
        session_say("%s", why);
        return 1;
    }
    printf("Tutti %s: %s\n", name, add ? "added" : "removed");
    if (add && user) {
        puts("It is for this user alone. Hosts list what is registered for everybody, and do not "
             "show "
             "it; programs that create it by its CLSID find it.");
    }
    return 0;
}

int
command_profile_run(const struct args *args, const struct cli *cli)
{
    bool add = strcmp(args->operand, "add") == 0, removes = strcmp(args->operand, "remove") == 0;

    (void)cli;
    if (strcmp(args->operand, "list") == 0) {
        return args->more ? say_usage(args, "list takes no name") : list();
    }
    if (!add && !removes) {
        return say_usage(args, "the action is list, add or remove");
    }
    if (!args->more) {
        return say_usage(args, "the profile's NAME is missing");
    }
    return change(args->more, add, args_flag(args, "user"));
}
