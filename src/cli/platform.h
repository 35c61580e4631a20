/* SPDX-License-Identifier: MIT */
/*
 * The few things the command needs of the system: arguments in utf-8, what the terminal can do,
 * being interrupted, sleeping, opening files by utf-8 names. platform_posix.c or platform_win32.c,
 * chosen by the build.
 */
#ifndef TUTTI_CLI_PLATFORM_H
#define TUTTI_CLI_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sndfile.h>

#include "console/style.h"

/** From now on Ctrl-C, a request to end and a closed terminal set a flag instead of ending the
 * process. */
void platform_catch_interrupts(void);
/** True once one came. Any thread. */
bool platform_interrupted(void);
/** Sleeps; less when interrupted. */
void platform_sleep_ms(unsigned ms);

/** True when a person can answer: the standard input is a terminal. */
bool platform_can_ask(void);

/** Reads an environment variable as utf-8; false when it is not set or too long. */
bool platform_getenv(const char *name, char *value, size_t value_bytes);
/** Makes the folder that a file is to lie in, and those above it, where they are not there. */
void platform_make_folder_of(const char *path);

/** This process's id as the engine knows it. */
uint32_t platform_pid(void);
/** True while a process of this user runs (one that only waits to be buried does not). */
bool platform_process_runs(uint32_t pid);

/** Ends the process with status 1 and this sentence on the standard error, unless the next
 * platform_watch(0, NULL) comes within so many seconds: for what may never return. sentence: kept
 * by the caller till then, with its line feed. */
void platform_watch(unsigned seconds, const char *sentence);

/** sf_open() with a utf-8 path. */
SNDFILE *platform_open_sound(const char *path, int mode, SF_INFO *info);

#endif
