/* SPDX-License-Identifier: MIT */
/* The profiles of the configuration, and the option that names one. */
#ifndef TUTTI_ARGS_PROFILE_H
#define TUTTI_ARGS_PROFILE_H

#include <stdbool.h>

#include "config/config.h"
#include "console/args.h"

/** The profiles that the configuration has; how many. What is wrong with the file is said. */
unsigned args_profile_names(char names[CONFIG_PROFILES][CONFIG_PROFILE_BYTES]);
/** The value of --profile in *name; NULL: it was not given. False, with a sentence on the standard
 * error: the configuration has no such profile. */
bool args_profile(const struct args *args, const char **name);

#endif
