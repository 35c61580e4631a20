/* SPDX-License-Identifier: MIT */
/*
 * bench_drift SEED SECONDS [TRACE]: virtual clocks that the seed chooses, and what is heard of them
 * (tests/clock_world.h), as JSON. Odd seeds have two clocks, even ones four in a ring. Each clock
 * is up to 200 ppm off, steps by 20 ppm every ten minutes, and loses frames now and then. TRACE: a
 * file for the delay's error, a line for each link and quarter of a second.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock_world.h"

static uint64_t state;

/* From 0 up to 1. */
static double
random_share(void)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void
choose_clock(struct world_clock *clock, double seconds)
{
    static const uint32_t frames[] = {64, 128, 192, 256, 480, 512};
    *clock = (struct world_clock){.rate_hz = 48000, .start_s = 2 * random_share()};
    clock->frames = frames[(size_t)(random_share() * 6)];
    clock->ppm = 400 * random_share() - 200;
    for (double at_s = 600 * random_share(); at_s < seconds && clock->step_count < WORLD_CHANGES;
         at_s += 600) {
        if (at_s > clock->start_s) {
            clock->step[clock->step_count].at_s = at_s;
            clock->step[clock->step_count].ppm = clock->step_count % 2 ? -20 : 20;
            clock->step_count++;
        }
    }
    for (double at_s = 1200 * random_share(); at_s < seconds && clock->loss_count < WORLD_CHANGES;
         at_s += 1200) {
        if (at_s > clock->start_s) {
            clock->loss[clock->loss_count].at_s = at_s;
            clock->loss[clock->loss_count++].frames = 32 + (uint32_t)(2000 * random_share());
        }
    }
}

static void
trace(void *file, unsigned link, double time_s, double error_frames)
{
    fprintf(file, "%u %.2f %.4f\n", link, time_s, error_frames);
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_drift SEED SECONDS [TRACE]\n");
        return 2;
    }
    static struct world_setup setup;
    setup.seed = strtoull(argv[1], NULL, 10);
    setup.seconds = (double)strtoull(argv[2], NULL, 10);
    setup.clock_count = setup.seed % 2 ? 2 : 4;
    setup.link_count = setup.clock_count;
    state = setup.seed * UINT64_C(0x9E3779B97F4A7C15);
    random_share();
    for (unsigned i = 0; i < setup.clock_count; i++) {
        choose_clock(&setup.clock[i], setup.seconds);
        setup.link[i].from = i;
        setup.link[i].to = (i + 1) % setup.clock_count;
    }
    FILE *file = argc > 3 ? fopen(argv[3], "w") : NULL;
    if (argc > 3 && !file) {
        fprintf(stderr, "bench_drift: cannot write %s\n", argv[3]);
        return 2;
    }
    struct world_verdict verdict = world_run_watched(&setup, file ? trace : NULL, file);
    if (file) {
        fclose(file);
    }
    printf("{\"seed\": %u, \"clocks\": %u, \"hours\": %.4f, \"discontinuities\": %u, "
           "\"settle_s\": %.2f, \"wobble_cents\": %.5f, \"residual_db\": %.2f, "
           "\"delay_spread_frames\": %.3f}\n",
           (unsigned)setup.seed, setup.clock_count, setup.seconds / 3600, verdict.discontinuities,
           verdict.settle_s, verdict.wobble_cents, verdict.residual_db,
           verdict.delay_spread_frames);
    return 0;
}
