/* SPDX-License-Identifier: MIT */
/*
 * An engine that means harm: campaign_hostile_engine SEED serves one program in the runtime folder,
 * scribbles over the words and stamps of its segment and over its own page while it calls it, tells
 * nonsense, and vanishes. Whether the program lives on is corrupt.py's to judge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fake_engine.h"

static uint64_t state;

static uint64_t
random_word(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void
scribble(void *memory, unsigned words)
{
    _Atomic uint32_t *word = memory;
    uint32_t value =
        random_word() % 3 ? (uint32_t)(random_word() % 4) - 1 : (uint32_t)random_word();
    atomic_store(&word[random_word() % words], value);
}

int
main(int argc, char **argv)
{
    static struct fake_engine fake;
    if (argc != 2) {
        fprintf(stderr, "usage: %s SEED\n", argv[0]);
        return 2;
    }
    state = strtoull(argv[1], NULL, 10) * UINT64_C(2862933555777941757) + 3037000493;
    fake_engine_init(&fake, random_word() | 1);
    fake.input_latency = (uint32_t)random_word() % 100000;
    fake.output_latency = (uint32_t)random_word() % 100000;
    fake.patience_ms = (uint32_t)(random_word() % 300);
    fake.rate_hz = 48000;
    fake_engine_start(&fake);
    puts("serves");
    fflush(stdout);
    if (!fake_engine_await_prepares(&fake, 1)) {
        return 1;
    }
    uint64_t until = os_now_ns() + (100 + random_word() % 200) * OS_NS_PER_MS;
    while (os_now_ns() < until) {
        os_mutex_lock(&fake.lock);
        bool prepared = fake.prepared;
        if (prepared) {
            struct proto_segment *segment = fake.memory.base;
            /* half of the time, calls that could be right, so that the program goes on */
            if (random_word() % 2) {
                uint32_t seq = atomic_load(&segment->start_seq) + (uint32_t)(random_word() % 64);
                segment->stamp[seq & 1].position_frames = random_word() >> (random_word() % 64);
                segment->stamp[seq & 1].time_ns = random_word() >> (random_word() % 64);
                segment->stamp[seq & 1].flags = (uint32_t)random_word();
                handoff_issue(segment, seq);
            } else {
                scribble(segment, PROTO_SEGMENT_HEADER_BYTES / 4);
            }
            scribble(fake.page.base, 32);
            os_wake_post(&fake.doorbell);
        }
        os_mutex_unlock(&fake.lock);
        if (prepared && random_word() % 64 == 0) {
            fake_engine_tell(&fake, (enum proto_event_kind)(random_word() % PROTO_EVENT_KIND_COUNT),
                             random_word(), (uint32_t)random_word() % 1000,
                             (uint32_t)random_word() % 1000);
        }
        os_sleep_until_ns(os_now_ns() + random_word() % 200000);
    }
    if (random_word() % 2) {
        fake_engine_babble(&fake);
    }
    fake_engine_kill(&fake);
    return 0;
}
