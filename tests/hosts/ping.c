/* SPDX-License-Identifier: MIT */
/*
 * The round trip: a burst of noise goes out at every position that PING_EVERY divides, and is
 * looked for in the input of the same positions until the next one. Where it begins there, minus
 * where it began, is the round trip in frames, exactly: noise is like itself at one place only. All
 * the looking is done by the writer's thread.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

void
ping_init(struct ping *ping, int32_t channel)
{
    memset(ping, 0, sizeof(*ping));
    ping->heard = calloc(PING_EVERY, sizeof(*ping->heard));
    burst_make(ping->burst, (uint32_t)channel);
}

float
ping_sample(const struct ping *ping, uint64_t position)
{
    uint32_t at = (uint32_t)(position % PING_EVERY);

    return at < BURST_FRAMES ? ping->burst[at] : 0.0f;
}

/* Looks through the first n frames of the period. */
static void
search(struct ping *ping, uint32_t n)
{
    int32_t found = burst_find(ping->burst, ping->heard, n);
    uint32_t place = (uint32_t)found;

    if (found < 0) {
        ping->missed += n == PING_EVERY; /* a period cut short by the end proves nothing */
        return;
    }
    if (!ping->found || place < ping->min_frames) {
        ping->min_frames = place;
    }
    if (!ping->found || place > ping->max_frames) {
        ping->max_frames = place;
    }
    if (ping->found < PING_KEPT) {
        ping->kept[ping->found].generation = ping->begin_generation;
        ping->kept[ping->found].device_frames = ping->begin_device;
        ping->kept[ping->found].frames = place;
    }
    ping->found++;
}

void
ping_hear(struct ping *ping, const struct block_record *block, const float *samples, bool sound)
{
    if (!sound || !ping->begun || block->position != ping->next) {
        ping->interrupted += ping->begun && ping->whole;
        ping->whole = false;
        ping->begun = true;
    }
    for (uint32_t i = 0; i < block->frames; i++) {
        uint32_t at = (uint32_t)((block->position + i) % PING_EVERY);
        if (at == 0) {
            ping->whole = sound;
            ping->begin_device = block->device_frames + i;
            ping->begin_generation = block->generation;
        }
        ping->heard[at] = samples[i];
        if (at == PING_EVERY - 1 && ping->whole) {
            search(ping, PING_EVERY);
        }
    }
    ping->next = block->position + block->frames;
}

void
ping_end(struct ping *ping)
{
    if (ping->begun && ping->whole) {
        search(ping, (uint32_t)(ping->next % PING_EVERY));
    }
    free(ping->heard);
    ping->heard = NULL;
}
