/* SPDX-License-Identifier: MIT */
/* Programs and engines of the next protocol version: linked before version.c. */
#include "proto/message.h"

const struct proto_versions proto_versions = {.spoken = 2, .oldest = 1};
