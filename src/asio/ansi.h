/* SPDX-License-Identifier: MIT */
/* Texts for hosts, which read them in the ANSI code page of their process. Any thread. */
#ifndef TUTTI_ASIO_ANSI_H
#define TUTTI_ASIO_ANSI_H

#include <stdbool.h>
#include <stddef.h>

/** Copies utf-8 into to[room] in a code page (GetACP() is the process's), cut at a character's
 * boundary, always terminated; what the code page does not have, and control characters, become
 * '?'. False when there was such a character. */
bool ansi_copy(unsigned page, char *to, size_t room, const char *utf8);

#endif
