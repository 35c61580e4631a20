/* SPDX-License-Identifier: MIT */
/* A PulseAudio server of the test's own. */
#include "pulse.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

enum { ANSWER_MS = 60000, END_MS = 20000 };

static pid_t server;
static char folder[48], socket_path[64], config_path[64];

static void
fail(const char *what)
{
    fprintf(stderr, "pulse: %s\n", what);
    abort();
}

bool
pulse_available(char reason[256])
{
    glob_t found = {0};
    bool plugin = glob("/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so", 0, NULL, &found) == 0;
    globfree(&found);
    if (!plugin) {
        snprintf(reason, 256, "the plugin is not installed (package libasound2-plugins)");
    } else if (access("/usr/bin/pulseaudio", X_OK) != 0) {
        snprintf(reason, 256, "pulseaudio is not installed");
    }
    return plugin && access("/usr/bin/pulseaudio", X_OK) == 0;
}

static void
make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-pulse-XXXXXX");
    if (!mkdtemp(folder)) {
        fail("no folder");
    }
    snprintf(socket_path, sizeof(socket_path), "%s/native", folder);
    snprintf(config_path, sizeof(config_path), "%s/asound.conf", folder);
    FILE *file = fopen(config_path, "w");
    if (!file || fprintf(file, "pcm.pulse { type pulse server \"unix:%s\" }\n", socket_path) < 0 ||
        fclose(file) != 0) {
        fail("no configuration");
    }
    char cookie[64];
    snprintf(cookie, sizeof(cookie), "%s/cookie", folder);
    setenv("ALSA_CONFIG_PATH", config_path, 1);
    setenv("PULSE_RUNTIME_PATH", folder, 1);
    setenv("PULSE_STATE_PATH", folder, 1);
    setenv("PULSE_COOKIE", cookie, 1);
}

static pid_t
run(void)
{
    char protocol[160];
    snprintf(protocol, sizeof(protocol), "module-native-protocol-unix auth-anonymous=1 socket=%s",
             socket_path);
    const char *argv[] = {"/usr/bin/pulseaudio",
                          "-n",
                          "--daemonize=no",
                          "--exit-idle-time=-1",
                          "--use-pid-file=no",
                          "-L",
                          protocol,
                          "-L",
                          "module-null-sink sink_name=tutti norewinds=1 format=float32le "
                          "rate=48000 channels=2",
                          NULL};
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return child;
}

static bool
answers(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return connected;
}

void
pulse_start(void)
{
    if (server) {
        return;
    }
    if (!folder[0]) {
        make_folder();
    }
    server = run();
    uint64_t deadline_ns = os_now_ns() + (uint64_t)ANSWER_MS * OS_NS_PER_MS;
    while (!answers()) {
        if (os_now_ns() > deadline_ns || waitpid(server, NULL, WNOHANG) == server) {
            fail("the server does not start");
        }
        os_sleep_until_ns(os_now_ns() + 5 * OS_NS_PER_MS);
    }
}

static void
sweep(void)
{
    char pattern[64];
    glob_t found = {0};
    snprintf(pattern, sizeof(pattern), "%s/*", folder);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        unlink(found.gl_pathv[i]);
    }
    globfree(&found);
    rmdir(folder);
    folder[0] = '\0';
}

void
pulse_end(bool kill_it)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)END_MS * OS_NS_PER_MS;
    if (server) {
        kill(server, SIGCONT);
        kill(server, kill_it ? SIGKILL : SIGTERM);
        while (waitpid(server, NULL, WNOHANG) == 0) {
            if (os_now_ns() > deadline_ns) {
                kill(server, SIGKILL);
            }
            os_sleep_until_ns(os_now_ns() + 5 * OS_NS_PER_MS);
        }
        server = 0;
    }
    if (kill_it) {
        unlink(socket_path);
    } else if (folder[0]) {
        sweep();
    }
}

void
pulse_hang(bool hangs)
{
    kill(server, hangs ? SIGSTOP : SIGCONT);
}
