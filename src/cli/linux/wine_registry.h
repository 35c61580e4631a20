/* SPDX-License-Identifier: MIT */
/*
 * Reading what a Wine prefix keeps of its registry, without running Wine: the text of system.reg,
 * which its server writes when it ends (Wine, server/registry.c: a line "WINE REGISTRY Version 2",
 * "#arch=", then per key its path in brackets with doubled backslashes and lines "name"="value").
 */
#ifndef TUTTI_CLI_LINUX_WINE_REGISTRY_H
#define TUTTI_CLI_LINUX_WINE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

/** NULL when this is the whole of a system registry; else what is wrong with it, as the end of a
 * sentence about it. */
const char *wine_registry_fault(const char *text);

/** 64 or 32, as its prefix was made for; 0 when it does not say. */
unsigned wine_registry_bits(const char *text);

/** Copies a text value as utf-8. key: with single backslashes, in any case; name: NULL for the
 * key's own value. False, and value untouched, when there is none or it does not fit. */
bool wine_registry_get(const char *text, const char *key, const char *name, char *value,
                       size_t value_bytes);

/** The next key straight below `folder` (single backslashes, any case), by its own name. *at: the
 * registry's text at first. One whose name does not fit is passed over. False: no more. */
bool wine_registry_next(const char **at, const char *folder, char *name, size_t name_bytes);

/** True when there is such a key. */
bool wine_registry_has(const char *text, const char *key);

#endif
