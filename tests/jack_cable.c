/* SPDX-License-Identifier: MIT */
/*
 * A sound card whose outputs come back at its inputs, on the JACK server that runs, until the
 * standard input ends. tools/conform.py judges the latency of drivers beside JACK by it.
 *
 * usage: jack_cable CAPTURE_LATENCY PLAYBACK_LATENCY (frames that the card tells, and that it
 * takes)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "jack_card.h"

int
main(int argc, char **argv)
{
    static struct jack_card card;

    if (argc != 3) {
        fprintf(stderr, "usage: %s CAPTURE_LATENCY PLAYBACK_LATENCY\n", argv[0]);
        return 2;
    }
    jack_card_open(&card, (uint32_t)strtoul(argv[1], NULL, 10),
                   (uint32_t)strtoul(argv[2], NULL, 10));
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {
        continue;
    }
    jack_card_close(&card);
    return 0;
}
