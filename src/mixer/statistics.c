/* SPDX-License-Identifier: MIT */
/* Histogram with eight steps per octave: exact below 8, then the three bits after the leading one
 * choose the step. */
#include "mixer/statistics.h"

#include <string.h>

static uint32_t
bucket_of(uint64_t value)
{
    if (value < 8) {
        return (uint32_t)value;
    }
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(value);
    uint32_t bucket = (octave - 2) * 8 + (uint32_t)(value >> (octave - 3) & 7);
    return bucket < STATISTICS_BUCKETS ? bucket : STATISTICS_BUCKETS - 1;
}

static uint32_t
bucket_value(uint32_t bucket)
{
    if (bucket < 8) {
        return bucket;
    }
    uint32_t octave = bucket / 8 + 2;
    uint64_t value = (UINT64_C(8) + bucket % 8) << (octave - 3);
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

void
statistics_add(struct statistics *statistics, uint64_t value)
{
    uint32_t current = atomic_load_explicit(&statistics->current, memory_order_relaxed) & 1;
    atomic_fetch_add_explicit(&statistics->count[current][bucket_of(value)], 1,
                              memory_order_relaxed);
    if (value > atomic_load_explicit(&statistics->max, memory_order_relaxed)) {
        atomic_store_explicit(&statistics->max, value, memory_order_relaxed);
    }
}

void
statistics_turn(struct statistics *statistics)
{
    uint32_t next = ~atomic_load_explicit(&statistics->current, memory_order_relaxed) & 1;
    for (uint32_t i = 0; i < STATISTICS_BUCKETS; i++) {
        atomic_store_explicit(&statistics->count[next][i], 0, memory_order_relaxed);
    }
    atomic_store_explicit(&statistics->current, next, memory_order_relaxed);
}

uint32_t
statistics_quantile(const struct statistics *statistics, double share)
{
    uint64_t count[STATISTICS_BUCKETS], total = 0;
    for (uint32_t i = 0; i < STATISTICS_BUCKETS; i++) {
        count[i] = atomic_load_explicit(&statistics->count[0][i], memory_order_relaxed);
        count[i] += atomic_load_explicit(&statistics->count[1][i], memory_order_relaxed);
        total += count[i];
    }
    uint64_t rank = (uint64_t)(share * (double)total);
    for (uint32_t i = 0; i < STATISTICS_BUCKETS; i++) {
        if (count[i] > rank) {
            return bucket_value(i);
        }
        rank -= count[i];
    }
    return total ? statistics_max(statistics) : 0;
}

uint32_t
statistics_max(const struct statistics *statistics)
{
    uint64_t max = atomic_load_explicit(&statistics->max, memory_order_relaxed);
    return max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
}

/* Floats that are not negative compare like their bits. */
void
statistics_peak(_Atomic uint32_t *peak, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if (bits > atomic_load_explicit(peak, memory_order_relaxed)) {
        atomic_store_explicit(peak, bits, memory_order_relaxed);
    }
}

float
statistics_take_peak(_Atomic uint32_t *peak)
{
    uint32_t bits = atomic_exchange_explicit(peak, 0, memory_order_relaxed);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}
