/* SPDX-License-Identifier: MIT */
/* Cycles in silence while a device stands still. */
#include "backend/silence.h"

#include "base/pace.h"

enum { LOST_SECONDS = 2 };

const struct backend_area backend_silence_areas[BACKEND_MAX_CHANNELS];

void
backend_silence_start(struct backend_silence *silence, struct backend_clock *clock,
                      const struct backend_callbacks *callbacks, double rate_hz, uint64_t now_ns)
{
    *silence = (struct backend_silence){
        .clock = clock,
        .callbacks = callbacks,
        .rate_hz = rate_hz,
        .patience_ns = pace_patience_ns(rate_hz, clock->period_frames),
        .cycle_ns = now_ns,
    };
}

uint64_t
backend_silence_due_ns(const struct backend_silence *silence)
{
    return silence->frames ? backend_clock_due_ns(silence->clock)
                           : silence->cycle_ns + silence->patience_ns;
}

bool
backend_silence_run(struct backend_silence *silence, uint64_t now_ns)
{
    uint32_t frames = silence->clock->period_frames;
    struct backend_moment moment;
    struct backend_cycle cycle = {
        .in = backend_silence_areas,
        .out = backend_silence_areas,
        .frames = frames,
        .start_ns = now_ns,
    };
    if (!backend_clock_pace(silence->clock, now_ns, &moment)) {
        return false;
    }
    backend_clock_call(silence->callbacks, &moment, &cycle);
    silence->frames += frames;
    return true;
}

void
backend_silence_end(struct backend_silence *silence, uint64_t now_ns)
{
    silence->cycle_ns = now_ns;
    silence->frames = 0;
}

bool
backend_silence_is_over(const struct backend_silence *silence, uint32_t spare_frames)
{
    return (double)silence->frames > LOST_SECONDS * silence->rate_hz + spare_frames;
}
