/* SPDX-License-Identifier: MIT */
/*
 * The round trip: a burst of noise goes out at every position that PING_EVERY divides, and is
 * looked for in the input of the same positions until the next one. Where it begins there, minus
 * where it began, is the round trip in frames, exactly: noise is like itself at one place only. All
 * the looking is done by the writer's thread.
 */
#include "host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_FRAMES = 48 };

void
ping_init(struct ping *ping, int32_t channel)
{
    uint32_t x = 0x9e3779b9u * (uint32_t)(channel + 1);

    memset(ping, 0, sizeof *ping);
    ping->heard = calloc(PING_EVERY, sizeof *ping->heard);
    for (unsigned i = 0; i < PING_FRAMES; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        ping->burst[i] = ((float)(x >> 8) / 8388608.0f - 1.0f) * 0.5f;
    }
}

float
ping_sample(const struct ping *ping, uint64_t position)
{
    uint32_t at = (uint32_t)(position % PING_EVERY);

    return at < PING_FRAMES ? ping->burst[at] : 0.0f;
}

/* How like the burst's first n samples these are: 1 the same up to a factor, 0 not at all. */
static double
likeness(const struct ping *ping, const float *samples, unsigned n)
{
    double product = 0, own = 0, other = 0;

    for (unsigned i = 0; i < n; i++) {
        product += (double)samples[i] * ping->burst[i];
        own += (double)ping->burst[i] * ping->burst[i];
        other += (double)samples[i] * samples[i];
    }
    return other > 1e-9 ? product / sqrt(own * other) : 0;
}

/* Looks through the first n frames of the period. */
static void
search(struct ping *ping, uint32_t n)
{
    double best = 0.5;
    bool found = false;
    uint32_t place = 0;

    for (uint32_t at = 0; at + PING_FRAMES <= n; at++) {
        if (likeness(ping, ping->heard + at, PROBE_FRAMES) < 0.4)
            continue;
        double like = likeness(ping, ping->heard + at, PING_FRAMES);
        if (like > best) {
            best = like;
            place = at;
            found = true;
        }
    }
    if (!found) {
        ping->missed += n == PING_EVERY; /* a period cut short by the end proves nothing */
        return;
    }
    if (!ping->found || place < ping->min_frames)
        ping->min_frames = place;
    if (!ping->found || place > ping->max_frames)
        ping->max_frames = place;
    ping->found++;
}

void
ping_hear(struct ping *ping, uint64_t position, const float *samples, uint32_t frames, bool sound)
{
    if (!sound || !ping->begun || position != ping->next) {
        ping->interrupted += ping->begun && ping->whole;
        ping->whole = false;
        ping->begun = true;
    }
    for (uint32_t i = 0; i < frames; i++) {
        uint32_t at = (uint32_t)((position + i) % PING_EVERY);
        if (at == 0)
            ping->whole = sound;
        ping->heard[at] = samples[i];
        if (at == PING_EVERY - 1 && ping->whole)
            search(ping, PING_EVERY);
    }
    ping->next = position + frames;
}

void
ping_end(struct ping *ping)
{
    if (ping->begun && ping->whole)
        search(ping, (uint32_t)(ping->next % PING_EVERY));
    free(ping->heard);
    ping->heard = NULL;
}
