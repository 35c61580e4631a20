/* SPDX-License-Identifier: MIT */
/* Of the version after the next, which serves the first no more. */
#include "proto/message.h"

const struct proto_versions proto_versions = {.spoken = 3, .oldest = 2};
