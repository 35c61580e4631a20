/* SPDX-License-Identifier: MIT */
/* Windows' sound devices for the contract suite: under Wine, with a PulseAudio server that belongs
 * to wine_wasapi.py. What is to become of the server is written to the standard output, a line that
 * begins with "@"; the answer comes in a line of the standard input. */
#include "backend_means.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t periods[] = {480, 0};
static const double rates_hz[] = {48000, 0};

static void
ask(const char *what)
{
    char answer[16];
    printf("\n@%s\n", what);
    fflush(stdout);
    if (!fgets(answer, sizeof(answer), stdin) || strncmp(answer, "done", 4) != 0) {
        fprintf(stderr, "wasapi: nobody did '%s'\n", what);
        abort();
    }
}

static bool
available(char reason[256])
{
    bool here = getenv("TUTTI_TEST_PULSE") != NULL;
    if (!here) {
        snprintf(reason, 256, "there is no sound server; tests/wine_wasapi.py brings one");
    }
    return here;
}

static void
configure(struct config *config)
{
    (void)config;
}

static void
bring(double rate_hz, uint32_t period_frames)
{
    (void)rate_hz;
    (void)period_frames;
    ask("bring");
}

static void
kill_server(void)
{
    ask("kill");
}

static void
end(void)
{
    ask("go on");
}

/* Wine asks the server for a start and a stop, and waits: none while it stands. */
static void
stand(bool stands)
{
    ask(stands ? "stand" : "go on");
}

extern const struct backend_means backend_means_wasapi;
const struct backend_means backend_means_wasapi = {
    .backend = "wasapi",
    .loose = true,
    .lists_dead = true,
    .periods = periods,
    .rates_hz = rates_hz,
    .other_device = "Another device",
    .available = available,
    .configure = configure,
    .bring = bring,
    .kill = kill_server,
    .end = end,
    .stand = stand,
};
