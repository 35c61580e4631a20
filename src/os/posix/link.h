/* SPDX-License-Identifier: MIT */
/* What the two ends of the POSIX link share: the socket's address and the check of who is there. */
#ifndef TUTTI_OS_POSIX_LINK_H
#define TUTTI_OS_POSIX_LINK_H

#include <sys/socket.h>
#include <sys/un.h>

#include "posix.h"

struct link_address {
    struct sockaddr_un sockaddr;
    int dir_fd;                  /* held while sockaddr is used, or -1 */
    char path[POSIX_PATH_BYTES]; /* the socket's full path */
};

/** The engine's socket in the runtime folder. Errors: REFUSED, IO. */
enum tutti_status link_address_init(struct link_address *address);
void link_address_fini(struct link_address *address);

/** Makes a link of an accepted socket, owned from here on (closed on failure). It ends with the
 * other side's process. Errors: REFUSED when the other side is another user, NO_MEMORY. */
enum tutti_status link_adopt(struct os_link **out, int fd);

/** The engine's socket at path when a service manager opened it for this process; *out: its
 * descriptor, -1 when there is none. Asks once: the variables that tell of it are taken away.
 * Errors: REFUSED, IO when one was given that cannot serve (logged). */
enum tutti_status link_inherited_listener(int *out, const char *path);

#endif
