/* SPDX-License-Identifier: MIT */
/* A jackd of the test's own. */
#include "jackd.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

enum { ANSWER_MS = 60000, END_MS = 20000 };

static pid_t server;
static char name[64];
static bool killed; /* one of this name, and none has run since */

static void
fail(const char *what)
{
    fprintf(stderr, "jackd: %s\n", what);
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
        dup2(null, 2);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return child;
}

static int
finish(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
jackd_tool(const char *tool, const char *first, const char *second)
{
    const char *argv[] = {tool, first, second, NULL};
    return finish(run(argv));
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
jackd_available(char reason[256])
{
    static const char *const needed[] = {"jackd", "jack_connect", "jack_bufsize", "jack_lsp"};
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (!is_installed(needed[i])) {
            snprintf(reason, 256, "%s is not installed (package jackd2)", needed[i]);
            return false;
        }
    }
    return true;
}

void
jackd_choose_name(void)
{
    snprintf(name, sizeof(name), "tutti-test-%ld", (long)getpid());
    setenv("JACK_DEFAULT_SERVER", name, 1);
    setenv("JACK_NO_START_SERVER", "1", 1);
    setenv("JACK_NO_AUDIO_RESERVATION", "1", 1);
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
    killed = signal == SIGKILL;
    while (waitpid(server, NULL, WNOHANG) == 0) {
        if (os_now_ns() > deadline_ns) {
            killed = true;
            kill(server, SIGKILL);
        }
        os_sleep_until_ns(os_now_ns() + 5 * OS_NS_PER_MS);
    }
    server = 0;
}

void
jackd_start(uint32_t rate_hz, uint32_t period_frames, unsigned ports)
{
    char rate[16], period[16], count[16];
    snprintf(rate, sizeof(rate), "%u", rate_hz);
    snprintf(period, sizeof(period), "%u", period_frames);
    snprintf(count, sizeof(count), "%u", ports);
    const char *argv[] = {"jackd", "-R",   "-P", "80",  "-d", "dummy", "-r", rate,
                          "-p",    period, "-C", count, "-P", count,   NULL};
    stop(SIGTERM);
    server = run(argv);
    killed = false;
    uint64_t deadline_ns = os_now_ns() + (uint64_t)ANSWER_MS * OS_NS_PER_MS;
    while (jackd_tool("jack_lsp", NULL, NULL) != 0) {
        if (os_now_ns() > deadline_ns) {
            fail("the server does not answer");
        }
        if (waitpid(server, NULL, WNOHANG) == server) {
            fail("the server does not start");
        }
        os_sleep_until_ns(os_now_ns() + 20 * OS_NS_PER_MS);
    }
}

/* What is left of a server that has ended, and of clients that it did not end itself. */
static void
sweep(void)
{
    char pattern[128];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "/dev/shm/jack*%s_*", name);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

void
jackd_end(bool kill_it)
{
    stop(kill_it ? SIGKILL : SIGTERM);
    if (kill_it || !name[0]) {
        return;
    }
    if (killed) {
        jackd_start(48000, 1024, 0); /* takes the place of the dead one, and gives it back */
        stop(SIGTERM);
    }
    sweep();
}

void
jackd_hang(bool hangs)
{
    kill(server, hangs ? SIGSTOP : SIGCONT);
}
