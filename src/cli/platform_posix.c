/* SPDX-License-Identifier: MIT */
/* What the command needs of a POSIX system. See platform.h. */
#include "cli/platform.h"
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

const command_run command_runs[] = {
#define RUN(name, system) RUN_##system(name),
#define RUN_ANYWHERE(name) command_##name##_run
#define RUN_LINUX(name) command_##name##_run
    COMMAND_TABLE(RUN)};

bool
platform_can_ask(void)
{
    return isatty(STDIN_FILENO) == 1;
}

static void
on_signal(int number)
{
    interrupted = 1;
}

void
platform_catch_interrupts(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}

bool
platform_interrupted(void)
{
    return interrupted;
}

void
platform_sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&time, NULL);
}

bool
platform_getenv(const char *name, char *value, size_t value_bytes)
{
    const char *found = getenv(name);

    if (!found || strlen(found) >= value_bytes) {
        return false;
    }
    memcpy(value, found, strlen(found) + 1);
    return true;
}

void
platform_make_folder_of(const char *path)
{
    char folder[1024];

    for (size_t i = 1; path[i] && i < sizeof(folder); i++) {
        if (path[i] != '/') {
            continue;
        }
        memcpy(folder, path, i);
        folder[i] = '\0';
        mkdir(folder, 0700);
    }
}

uint32_t
platform_pid(void)
{
    return (uint32_t)getpid();
}

bool
platform_process_runs(uint32_t pid)
{
    char path[64], text[512];

    if (kill((pid_t)pid, 0) != 0) {
        return false;
    }
    snprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)pid);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    text[length] = '\0';
    /* the state stands behind the name, which may hold anything */
    const char *state = strrchr(text, ')');
    return !state || state[1] == '\0' || (state[2] != 'Z' && state[2] != 'X');
}

static const char *volatile watched;

static void
on_alarm(int number)
{
    (void)number;
    const char *sentence = watched;
    if (sentence && write(STDERR_FILENO, sentence, strlen(sentence)) >= 0) {
        _exit(1);
    }
    _exit(1);
}

void
platform_watch(unsigned seconds, const char *sentence)
{
    watched = sentence;
    signal(SIGALRM, on_alarm);
    alarm(seconds);
}

SNDFILE *
platform_open_sound(const char *path, int mode, SF_INFO *info)
{
    return sf_open(path, mode, info);
}
