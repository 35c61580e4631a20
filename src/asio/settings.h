/* SPDX-License-Identifier: MIT */
/*
 * The configuration as one driver object has it: that of its profile, from the file and the
 * variables that the engine reads. It is looked at again and again by the message thread, and taken
 * over when the host has no buffers and no call under way. The log of this process is opened and
 * set by it.
 */
#ifndef TUTTI_ASIO_SETTINGS_H
#define TUTTI_ASIO_SETTINGS_H

#include <windows.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "config/config_watch.h"

struct driver;

enum { SETTINGS_PATH_BYTES = 1024, SETTINGS_LOOK_MS = 250 };

struct settings {
    struct config_watch watch;
    struct config *_Atomic waiting; /* to be taken over; NULL: nothing */
    SRWLOCK in_use; /* shared: by calls of the host; else by who takes over. Nobody waits for it
                       exclusively: calls nest. */
};

/** Reads the configuration into the object; a mistake becomes its error text. A file that does not
 * answer within CONFIG_FILE_LIMIT_MS is one: then the defaults count until it does. Within init. */
void settings_open(struct driver *driver);
void settings_close(struct driver *driver);

/** Looks whether the file has changed and stood still, and reads it then. True: what was offered to
 * the host is not true any more, and it has buffers. Message thread. */
bool settings_look(struct driver *driver);

/** A call of the host begins and ends: what has been read since is taken over in between. */
void settings_begin_call(struct driver *driver);
void settings_end_call(struct driver *driver);

#endif
