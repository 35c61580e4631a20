/* SPDX-License-Identifier: MIT */
/* The pipes and memory files that a bridge holds for its program, by number. Any thread. */
#ifndef TUTTI_BRIDGE_OBJECTS_H
#define TUTTI_BRIDGE_OBJECTS_H

#include <stdbool.h>

#include "os/bridge_records.h"

void objects_init(void);

/** Takes over a descriptor; what is described to the program. False, and it is closed, when there
 * is no room. */
bool objects_put(int fd, struct bridge_object *object);

/** Its descriptor, borrowed; -1: there is none. */
int objects_get(uint32_t id);

/** Closes it. An unknown one is fine. */
void objects_close(uint32_t id);

/** Looks among the open files of this user's processes for one of an earlier bridge, which Wine's
 * server still holds, and takes it in. */
bool objects_find(const struct bridge_object *lost, struct bridge_object *found);

/** A new sealed memory file, zeroed; a new pipe. */
bool objects_make_memory(uint64_t size_bytes, struct bridge_object *object);
bool objects_make_pipe(struct bridge_object *object);

#endif
