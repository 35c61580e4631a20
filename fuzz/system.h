/* SPDX-License-Identifier: MIT */
/*
 * The parts of the system that the fuzzers of server and client replace alike: handles that are
 * numbers of this table, memory behind them, and nothing that leads out of the process. meson.build
 * wraps the functions at linking; each has the contract of the one that it replaces.
 */
#ifndef TUTTI_FUZZ_SYSTEM_H
#define TUTTI_FUZZ_SYSTEM_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include "os/os.h"

/** Ends the process, which the fuzzer notices, unless it holds. */
void require(bool holds);

/** Waits for a turn, whatever signals come. */
void await(sem_t *turn);

/** No handle is there. */
void system_reset(void);
/** A handle of the peer's to memory of so many bytes, or to none; a pipe: one that can be woken by.
 * first: the first bytes of the memory, first_bytes of them, taken over; NULL: zeros. OS_NO_HANDLE
 * when there are too many. */
os_handle system_new_handle(size_t bytes, bool pipe, unsigned char *first, size_t first_bytes);
/** Where the code under test has mapped it, and its size; NULL: nowhere, or no more. */
void *system_memory(os_handle handle, size_t *bytes);
/** True for one that is open, or none. */
bool system_is_good(os_handle handle);
/** True when nothing is left open. */
bool system_is_clean(void);

#endif
