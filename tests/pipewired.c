/* SPDX-License-Identifier: MIT */
/* A PipeWire server of the test's own. */
#include "pipewired.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

enum { ANSWER_MS = 60000, END_MS = 20000, PATH_BYTES = 128 };

static pid_t server;
static char folder[64];

static void
fail(const char *what)
{
    fprintf(stderr, "pipewired: %s\n", what);
    abort();
}

/* A program with its output thrown away; dies with the test. */
static pid_t
run(const char *const *argv)
{
    pid_t child = fork();
    if (child < 0) {
        fail("cannot fork");
    }
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        if (!getenv("TUTTI_TEST_LOG")) {
            dup2(null, 2);
        }
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return child;
}

int
pipewired_tool(const char *const *argv)
{
    int status = -1;
    waitpid(run(argv), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
is_installed(const char *program)
{
    char path[256];
    static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/bin"};
    for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folders[i], program);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

bool
pipewired_available(char reason[256])
{
    static const char *const needed[] = {"pipewire", "pw-cli", "pw-link", "pw-metadata"};
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (!is_installed(needed[i])) {
            snprintf(reason, 256, "%s is not installed (packages pipewire, pipewire-bin)",
                     needed[i]);
            return false;
        }
    }
    return true;
}

void
pipewired_choose_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/tutti-test-pipewire-%ld", (long)getpid());
    mkdir(folder, 0700);
    setenv("PIPEWIRE_RUNTIME_DIR", folder, 1);
    unsetenv("PIPEWIRE_REMOTE");
    unsetenv("PIPEWIRE_CONFIG_FILE");
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

static const char *
path_of(const char *file)
{
    static char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    return path;
}

void
pipewired_leave_folder(void)
{
    static const char *const files[] = {"pipewire-0", "pipewire-0.lock", "test.conf"};
    for (unsigned i = 0; folder[0] && i < sizeof(files) / sizeof(files[0]); i++) {
        unlink(path_of(files[i]));
    }
    rmdir(folder);
}

static void
write_configuration(uint32_t rate_hz, uint32_t quantum, unsigned sinks)
{
    FILE *file = fopen(path_of("test.conf"), "w");
    if (!file) {
        fail("cannot write the configuration");
    }
    fprintf(file,
            "context.properties = {\n"
            "  core.daemon = true\n"
            "  core.name = pipewire-0\n"
            "  default.clock.rate = %u\n"
            "  default.clock.quantum = %u\n"
            "  default.clock.min-quantum = 16\n"
            "  default.clock.max-quantum = 8192\n"
            "  settings.check-quantum = false\n"
            "}\n",
            rate_hz, quantum);
    fputs(
        "context.spa-libs = {\n"
        "  audio.convert.* = audioconvert/libspa-audioconvert\n"
        "  support.* = support/libspa-support\n"
        "}\n"
        "context.modules = [\n"
        "  { name = libpipewire-module-rt args = { nice.level = -11 } flags = [ ifexists nofail "
        "] }\n"
        "  { name = libpipewire-module-protocol-native }\n"
        "  { name = libpipewire-module-profiler }\n"
        "  { name = libpipewire-module-metadata }\n"
        "  { name = libpipewire-module-spa-node-factory }\n"
        "  { name = libpipewire-module-client-node }\n"
        "  { name = libpipewire-module-access }\n"
        "  { name = libpipewire-module-adapter }\n"
        "  { name = libpipewire-module-link-factory }\n"
        "]\n"
        "context.objects = [\n"
        "  { factory = metadata args = { metadata.name = default } }\n"
        "  { factory = spa-node-factory args = { factory.name = support.node.driver\n"
        "      node.name = Dummy-Driver node.group = pipewire.dummy priority.driver = 20000 } }\n",
        file);
    for (unsigned i = 1; i <= sinks; i++) {
        fprintf(file,
                "  { factory = adapter args = { factory.name = support.null-audio-sink\n"
                "      node.name = test-sink-%u media.class = Audio/Sink object.linger = true\n"
                "      audio.position = [ FL FR ]\n"
                "      adapter.auto-port-config = { mode = dsp monitor = true\n"
                "        position = preserve } } }\n",
                i);
    }
    fputs("]\n", file);
    fclose(file);
}

static void
stop(int signal)
{
    if (!server) {
        return;
    }
    uint64_t deadline_ns = os_now_ns() + (uint64_t)END_MS * OS_NS_PER_MS;
    kill(server, SIGCONT);
    kill(server, signal);
    while (waitpid(server, NULL, WNOHANG) == 0) {
        if (os_now_ns() > deadline_ns) {
            kill(server, SIGKILL);
        }
        os_sleep_until_ns(os_now_ns() + 5 * OS_NS_PER_MS);
    }
    server = 0;
}

void
pipewired_start(uint32_t rate_hz, uint32_t quantum, unsigned sinks)
{
    char path[PATH_BYTES];
    stop(SIGTERM);
    write_configuration(rate_hz, quantum, sinks);
    snprintf(path, sizeof(path), "%s", path_of("test.conf"));
    const char *argv[] = {"pipewire", "-c", path, NULL};
    const char *question[] = {"pw-cli", "info", "0", NULL};
    server = run(argv);
    uint64_t deadline_ns = os_now_ns() + (uint64_t)ANSWER_MS * OS_NS_PER_MS;
    while (pipewired_tool(question) != 0) {
        if (os_now_ns() > deadline_ns) {
            fail("the server does not answer");
        }
        if (waitpid(server, NULL, WNOHANG) == server) {
            fail("the server does not start");
        }
        os_sleep_until_ns(os_now_ns() + 20 * OS_NS_PER_MS);
    }
}

void
pipewired_end(bool kill_it)
{
    stop(kill_it ? SIGKILL : SIGTERM);
}

void
pipewired_hang(bool hangs)
{
    kill(server, hangs ? SIGSTOP : SIGCONT);
}

int
pipewired_link(const char *output, const char *input)
{
    const char *argv[] = {"pw-link", output, input, NULL};
    return pipewired_tool(argv);
}

void
pipewired_set(const char *setting, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", value);
    const char *argv[] = {"pw-metadata", "-n", "settings", "0", setting, text, NULL};
    pipewired_tool(argv);
}

void
pipewired_set_default_sink(const char *name)
{
    char text[128];
    snprintf(text, sizeof(text), "{ \"name\": \"%s\" }", name);
    const char *argv[] = {"pw-metadata", "0", "default.audio.sink", text, "Spa:String:JSON", NULL};
    pipewired_tool(argv);
}
