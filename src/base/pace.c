/* SPDX-License-Identifier: MIT */
/* When silence is due: computed from the origin each time, so that no rounding adds up. */
#include "base/pace.h"

static const double patience_least_ns = 30e6, patience_periods = 1.75;

void
pace_init(struct pace *pace, uint64_t first_ns, double rate_hz, uint32_t block_frames)
{
    *pace = (struct pace){first_ns, 0, rate_hz, block_frames};
}

uint64_t
pace_due_ns(const struct pace *pace)
{
    double frames = (double)pace->blocks * pace->block_frames;
    return pace->origin_ns + (uint64_t)(frames * 1e9 / pace->rate_hz + 0.5);
}

uint64_t
pace_next(struct pace *pace, uint64_t now_ns)
{
    uint64_t due_ns = pace_due_ns(pace);
    double block_ns = (double)pace->block_frames * 1e9 / pace->rate_hz;
    uint64_t skipped = now_ns > due_ns ? (uint64_t)((double)(now_ns - due_ns) / block_ns) : 0;
    pace->blocks += skipped + 1;
    return skipped;
}

uint64_t
pace_patience_ns(double rate_hz, uint32_t block_frames)
{
    double block_ns = (double)block_frames * 1e9 / rate_hz;
    double patience_ns = patience_periods * block_ns;
    return (uint64_t)(patience_ns > patience_least_ns ? patience_ns : patience_least_ns);
}
