/* SPDX-License-Identifier: MIT */
/*
 * What the driver's sample types cost a block: the work between the shared segment and the host's
 * buffers, for int32 (converted both ways, with the look for samples above full scale) and for
 * float32 (nothing: the host works on the segment). The two take turns. us per block; median, and
 * between which values nine of ten lie.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asio/convert.h"
#include "os/os.h"

enum { MOST_FRAMES = 1024, MOST_CHANNELS = 32, ROUNDS = 256, REPEATS = 401 };

static float segment[2][MOST_CHANNELS][MOST_FRAMES];
static int32_t host[2][MOST_CHANNELS][MOST_FRAMES];

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* As buffers_begin() and buffers_end() of src/asio/buffers.c. */
static uint32_t
one_block(int32_t type, unsigned channels, unsigned frames)
{
    static struct dop_channel dop;
    uint32_t clipped = 0;

    if (type == ASIO_FLOAT32_LSB) {
        return 0;
    }
    for (unsigned c = 0; c < channels; c++) {
        convert_input(host[0][c], type, segment[0][c], frames, &dop);
        clipped += convert_clips(type, segment[0][c], frames);
    }
    for (unsigned c = 0; c < channels; c++) {
        convert_output(segment[1][c], type, host[1][c], frames, 0);
    }
    return clipped;
}

static double
us_of(int32_t type, unsigned channels, unsigned frames)
{
    volatile uint32_t clipped = 0;
    uint64_t begin = os_now_ns();

    for (unsigned n = 0; n < ROUNDS; n++) {
        clipped += one_block(type, channels, frames);
        __asm__ volatile("" : : "r"(segment), "r"(host) : "memory");
    }
    return (double)(os_now_ns() - begin) / ROUNDS / 1000;
}

static void
measure(unsigned channels, unsigned frames)
{
    static double before[REPEATS], after[REPEATS], rise[REPEATS];

    for (unsigned r = 0; r < REPEATS; r++) {
        before[r] = us_of(ASIO_FLOAT32_LSB, channels, frames);
        after[r] = us_of(ASIO_INT32_LSB, channels, frames);
        rise[r] = after[r] - before[r];
    }
    qsort(before, REPEATS, sizeof(*before), compare);
    qsort(after, REPEATS, sizeof(*after), compare);
    qsort(rise, REPEATS, sizeof(*rise), compare);
    printf("%2u x %-2u, %4u frames %11.3f %11.3f %11.3f %9.3f–%.3f\n", channels, channels, frames,
           before[REPEATS / 2], after[REPEATS / 2], rise[REPEATS / 2], rise[REPEATS / 20],
           rise[REPEATS - 1 - REPEATS / 20]);
}

int
main(void)
{
    static const unsigned frames[] = {64, 256, 1024};

    for (unsigned c = 0; c < MOST_CHANNELS; c++) {
        for (unsigned i = 0; i < MOST_FRAMES; i++) {
            segment[0][c][i] = (float)((i * 7919 + c * 31) % 2001) / 1000.0f - 1.0f;
            host[1][c][i] = (int32_t)(i * 2654435761U);
        }
    }
    printf("%-20s %11s %11s %11s %15s   (us a block)\n", "channels", "float32", "int32", "rise",
           "nine of ten");
    for (unsigned f = 0; f < sizeof(frames) / sizeof(*frames); f++) {
        measure(2, frames[f]);
        measure(32, frames[f]);
    }
    return 0;
}
