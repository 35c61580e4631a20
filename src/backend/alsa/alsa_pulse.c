/* SPDX-License-Identifier: MIT */
/*
 * Whether a PulseAudio server runs, so that its PCM is worth a try: libpulse, which libasound's
 * plugin uses, would start one by itself, and a user who has none shall not get one by us. The
 * server's socket is where libpulse looks for it; a client's configuration files are not read.
 */
#include "backend/alsa/alsa_stream.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATH_BYTES = 512, LEAST_PERIOD_FRAMES = 512, LEAST_PERIODS = 4 };

/* $PULSE_SERVER: the socket's path behind "{machine}" and "unix:". False: it is no path, but a
 * computer's name or several servers. */
static bool
path_of_server(const char *server, char path[PATH_BYTES])
{
    const char *brace = server[0] == '{' ? strchr(server, '}') : NULL;
    server = brace ? brace + 1 : server;
    server += strncmp(server, "unix:", 5) == 0 ? 5 : 0;
    if (server[0] != '/' || strchr(server, ' ')) {
        return false;
    }
    return snprintf(path, PATH_BYTES, "%s", server) < PATH_BYTES;
}

static bool
answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool connected =
        file >= 0 && connect(file, (const struct sockaddr *)&address, sizeof(address)) == 0;
    if (file >= 0) {
        close(file);
    }
    return connected;
}

bool
alsa_pulse_runs(void)
{
    char value[PATH_BYTES - 32], path[PATH_BYTES];
    if (os_getenv("PULSE_SERVER", value, sizeof(value)) && value[0]) {
        /* one that is far away is tried: opening has a limit */
        return !path_of_server(value, path) || answers(path);
    }
    if (os_getenv("PULSE_RUNTIME_PATH", value, sizeof(value)) && value[0]) {
        snprintf(path, sizeof(path), "%s/native", value);
        return answers(path);
    }
    if (os_getenv("XDG_RUNTIME_DIR", value, sizeof(value)) && value[0]) {
        snprintf(path, sizeof(path), "%s/pulse/native", value);
    } else {
        snprintf(path, sizeof(path), "/run/user/%u/pulse/native", (unsigned)getuid());
    }
    return answers(path) || answers("/run/pulse/native"); /* that of the whole system */
}

/* Below, the server answers too late again and again: it hands its sound on in larger pieces. Who
 * names the PCM gets what the configuration says. */
void
alsa_pulse_limit(const char *name, struct alsa_wish *wish)
{
    const struct config *config = wish->config;
    bool named = strcmp(config->device_name, name) == 0 || strstr(config->alsa_devices, name);
    if (strcmp(name, ALSA_PULSE_NAME) == 0 && !named) {
        wish->least_frames = LEAST_PERIOD_FRAMES;
        wish->periods = wish->periods > LEAST_PERIODS ? wish->periods : LEAST_PERIODS;
    }
}
