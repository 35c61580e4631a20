/* SPDX-License-Identifier: MIT */
/* Driver entries are in Wine's prefixes here. See entries.h. */
#include "cli/entries.h"

#include <stdio.h>

const char *const entries_elsewhere = "Each Wine prefix has its own driver entries: 'tutti wine "
                                      "install' makes one for each of these.";

unsigned
entries_list(struct entry list[ENTRIES_MOST])
{
    (void)list;
    return 0;
}

bool
entries_change(const char *profile, bool add, bool user, char why[ENTRIES_WHY_BYTES])
{
    (void)profile;
    (void)user;
    snprintf(why, ENTRIES_WHY_BYTES,
             add ? "write [profile NAME] into the configuration, and run 'tutti wine install': it "
                   "makes the entries"
                 : "take [profile NAME] out of the configuration, and run 'tutti wine install': it "
                   "takes out the entries of profiles that are gone");
    return false;
}
