/* SPDX-License-Identifier: MIT */
/* Which versions of the protocol this code speaks, and nothing else: see message.h. */
#include "proto/message.h"

const struct proto_versions proto_versions = {.spoken = 1, .oldest = 1};
