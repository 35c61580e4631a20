/* SPDX-License-Identifier: MIT */
/*
 * The listening socket that a service manager opened for us, as sd_listen_fds(3) tells it:
 * LISTEN_PID is our process, LISTEN_FDS how many descriptors there are, the first one 3. Our own,
 * as it is three variables: the engine needs no library of systemd and none of its programs.
 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_INHERITED_FD = 3 };

/* A whole number that is not negative, else -1. */
static long
number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end = NULL;
    const long number = text != NULL ? strtol(text, &end, 10) : -1;
    return end != NULL && end != text && *end == '\0' ? number : -1;
}

static bool
has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t bytes = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &bytes) == 0 && value == wanted;
}

enum tutti_status
link_inherited_listener(int *out, const char *path)
{
    const bool ours = number_of("LISTEN_PID") == (long)getpid();
    const long count = number_of("LISTEN_FDS");
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t bytes = sizeof(address);

    *out = -1;
    if (!ours || count < 1) {
        return TUTTI_OK;
    }
    /* they are for this process alone, and for this one time */
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");

    const int fd = FIRST_INHERITED_FD;
    if (!has_option(fd, SO_DOMAIN, AF_UNIX) || !has_option(fd, SO_TYPE, SOCK_SEQPACKET) ||
        !has_option(fd, SO_ACCEPTCONN, 1)) {
        log_error("the service manager gave no listening socket of the kind that programs look "
                  "for: its unit must say ListenSequentialPacket=%s",
                  path);
        return TUTTI_REFUSED;
    }
    if (getsockname(fd, (struct sockaddr *)&address, &bytes) != 0 ||
        strncmp(address.sun_path, path, sizeof(address.sun_path)) != 0) {
        log_error("the service manager listens at %.107s, but programs look for the engine at %s",
                  address.sun_path, path);
        return TUTTI_REFUSED;
    }
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        log_error("the service manager's socket cannot be used: %s", strerror(errno));
        return TUTTI_IO;
    }
    *out = fd;
    return TUTTI_OK;
}
