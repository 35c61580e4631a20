/* SPDX-License-Identifier: MIT */
/* Running another program. See run.h. */
#include "cli/linux/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SAID_BYTES = 65536, CANNOT_START_CODE = 127, LOOK_EVERY_MS = 20 };

static long long
now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

_Noreturn static void
become(const char *const *argv, const struct run_change *changes, int output)
{
    int null = open("/dev/null", O_RDWR);

    setpgid(0, 0);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0) {
        _exit(CANNOT_START_CODE);
    }
    for (; changes && changes->name; changes++) {
        if (changes->value) {
            setenv(changes->name, changes->value, 1);
        } else {
            unsetenv(changes->name);
        }
    }
    execvp(argv[0], (char *const *)argv);
    _exit(CANNOT_START_CODE);
}

/* Takes what is there to read; false at the end. */
static bool
hear(int from, struct text *said)
{
    char block[4096];
    ssize_t got = read(from, block, sizeof(block));

    if (got > 0 && said->length + (size_t)got <= MOST_SAID_BYTES) {
        text_add_bytes(said, block, (size_t)got);
    }
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Its end is waited for, not that of its output: a server that it leaves behind may hold that for
 * long. */
static int
attend(pid_t child, int from, long long deadline_ms, struct text *said)
{
    bool open = true;
    int status = 0;

    for (;;) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) {
            break;
        }
        if (now_ms() >= deadline_ms) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL);
            while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
                continue;
            }
            return RUN_TOO_LONG;
        }
        struct pollfd entry = {.fd = open ? from : -1, .events = POLLIN};
        if (poll(&entry, 1, LOOK_EVERY_MS) > 0) {
            open = hear(from, said);
        }
    }
    for (struct pollfd entry = {.fd = from, .events = POLLIN}; open && poll(&entry, 1, 0) > 0;) {
        open = hear(from, said);
    }
    if (!WIFEXITED(status)) {
        return RUN_KILLED;
    }
    return WEXITSTATUS(status) == CANNOT_START_CODE ? RUN_CANNOT_START : WEXITSTATUS(status);
}

int
run_program(const char *const *argv, const struct run_change *changes, unsigned seconds,
            struct text *said)
{
    int ends[2];

    text_clear(said);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return RUN_CANNOT_START;
    }
    pid_t child = fork();
    if (child == 0) {
        become(argv, changes, ends[1]);
    }
    close(ends[1]);
    int code = RUN_CANNOT_START;
    if (child > 0) {
        code = attend(child, ends[0], now_ms() + (long long)seconds * 1000, said);
    }
    close(ends[0]);
    return code;
}
