/* SPDX-License-Identifier: MIT */
/*
 * A feed between real threads that run as fast as they can, each outrunning the other at times:
 * what the interleaving test cannot show, a thread sanitizer and a machine with other orders can.
 * Nothing is expected of who is faster.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mixer/feed.h"
#include "os/os.h"

enum {
    CHANNELS = 2,
    BLOCK = 64,
    CAPACITY = 256,
    WRITES = 30000,
    FEED_WRITES = 10000,
    MOST_LEAD = 20
};

/* Exact in float32, other in each channel. */
static float
value_of(uint64_t frame, unsigned channel)
{
    return (float)((frame + channel * 1000) & 0xFFFFF);
}

static struct feed_ring ring;
static _Atomic uint32_t samples[CHANNELS * CAPACITY];
static _Atomic bool ended;

static void
write_ring(void *arg)
{
    float block[CHANNELS][BLOCK];
    const float *from[CHANNELS] = {block[0], block[1]};
    struct feed_news news = {0};
    for (unsigned n = 0; n < WRITES; n++) {
        for (unsigned c = 0; c < CHANNELS; c++) {
            for (unsigned i = 0; i < BLOCK; i++) {
                block[c][i] = value_of(news.end + i, c);
            }
        }
        news.end += BLOCK;
        news.hole_begin = news.hole_last = news.hole_end = news.anchor.frame = news.end;
        news.anchor.lost = ~news.end;
        feed_ring_write(&ring, from, BLOCK, &news);
    }
    atomic_store(&ended, true);
}

static bool
read_ring(unsigned *wrong)
{
    float block[CHANNELS][2 * BLOCK];
    float *to[CHANNELS] = {block[0], block[1]};
    struct feed_news news;
    if (!feed_ring_news(&ring, &news)) {
        return false;
    }
    *wrong += news.hole_begin != news.end || news.anchor.frame != news.end ||
              news.hole_end != news.end || news.anchor.lost != ~news.end;
    uint32_t frames = news.end < 2 * BLOCK ? BLOCK : 2 * BLOCK;
    if (!feed_ring_read(&ring, to, news.end - frames, frames)) {
        return false;
    }
    for (unsigned c = 0; c < CHANNELS; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            *wrong += block[c][i] != value_of(news.end - frames + i, c);
        }
    }
    return true;
}

static void
what_a_reader_was_given_is_whole(void **state)
{
    struct os_thread *thread;
    unsigned wrong = 0, whole = 0;
    feed_ring_init(&ring, samples, CHANNELS, CAPACITY);
    assert_int_equal(os_thread_start(&thread, "writer", OS_PRIORITY_NORMAL, write_ring, NULL),
                     TUTTI_OK);
    while (!atomic_load(&ended)) {
        whole += read_ring(&wrong);
    }
    os_thread_join(thread);
    assert_true(read_ring(&wrong));
    print_message("%u reads were whole\n", whole);
    assert_int_equal(wrong, 0);
}

/* ---- a whole feed ---- */

static struct feed feed;
static _Atomic uint64_t written, seen; /* blocks, by the reader's clock */

static void
write_feed(void *arg)
{
    float block[CHANNELS][BLOCK];
    const float *from[CHANNELS] = {block[0], block[1]};
    for (uint64_t n = 1; n <= FEED_WRITES; n++) {
        for (unsigned i = 0; i < BLOCK; i++) {
            block[0][i] = block[1][i] = 0.5f;
        }
        struct feed_stamp stamp = {.time_ns = n * BLOCK * 1000000000 / 48000,
                                   .lost_frames = n % 1500 == 0 ? 100 : 0,
                                   .epoch = (uint32_t)(n / 4000)};
        feed_write(&feed, from, BLOCK, &stamp);
        atomic_store(&written, n);
        while (n > atomic_load(&seen) + MOST_LEAD) {
            /* clocks do not run away from each other */
        }
    }
    atomic_store(&ended, true);
}

static void
a_reader_hears_the_level_or_less_whoever_is_faster(void **state)
{
    static const struct feed_setup setup = {.channels = CHANNELS,
                                            .writer_hz = 48000,
                                            .reader_hz = 48000,
                                            .writer_frames = BLOCK,
                                            .reader_frames = BLOCK};
    void *memory = malloc(feed_bytes(&setup));
    struct os_thread *thread;
    float block[CHANNELS][BLOCK];
    float *to[CHANNELS] = {block[0], block[1]};
    unsigned running = 0;
    assert_non_null(memory);
    feed_init(&feed, memory, &setup);
    atomic_store(&ended, false);
    assert_int_equal(os_thread_start(&thread, "writer", OS_PRIORITY_NORMAL, write_feed, NULL),
                     TUTTI_OK);
    /* the reader's clock is how far the writer came; what it was too slow for it has lost */
    for (uint64_t last = 0; !atomic_load(&ended);) {
        uint64_t now = atomic_load(&written);
        if (now == last) {
            continue;
        }
        struct feed_stamp stamp = {.time_ns = now * BLOCK * 1000000000 / 48000,
                                   .lost_frames = (uint32_t)(now - last - 1) * BLOCK};
        last = now;
        atomic_store(&seen, now);
        feed_read(&feed, to, BLOCK, &stamp);
        for (unsigned i = 0; i < BLOCK; i++) {
            assert_true(fabsf(block[0][i]) < 0.51f && block[0][i] == block[1][i]);
        }
        running += atomic_load(&feed.state) == FEED_RUNNING;
    }
    os_thread_join(thread);
    free(memory);
    print_message("%u blocks while it ran, %u starved\n", running,
                  (unsigned)atomic_load(&feed.starved));
    assert_true(running > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_reader_was_given_is_whole),
        cmocka_unit_test(a_reader_hears_the_level_or_less_whoever_is_faster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
