/* SPDX-License-Identifier: MIT */
/* The arithmetic of buffer B on quantum Q; schedule.h says what the numbers mean. */
#include "mixer/schedule.h"

uint32_t
schedule_gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint32_t
schedule_answer_frames(uint32_t buffer, uint32_t quantum, bool tight)
{
    return buffer <= quantum || tight ? quantum : buffer / quantum * quantum;
}

uint32_t
schedule_offset(uint32_t buffer, uint32_t quantum, bool tight, bool late_take)
{
    uint32_t answer = schedule_answer_frames(buffer, quantum, tight);
    return buffer + answer - schedule_gcd(buffer, quantum) + (late_take ? buffer : 0);
}

bool
schedule_feasible(uint32_t buffer, uint32_t quantum, uint32_t phase, uint32_t offset,
                  bool late_take)
{
    return offset + schedule_gcd(phase, schedule_gcd(buffer, quantum)) >=
           buffer + quantum + (late_take ? buffer : 0);
}

uint32_t
schedule_input_latency(uint32_t buffer, uint32_t quantum, uint32_t device_in, uint32_t input_delay)
{
    return buffer + device_in - quantum + input_delay;
}

uint32_t
schedule_output_latency(uint32_t buffer, uint32_t offset, uint32_t device_out)
{
    return offset - buffer + device_out;
}

bool
schedule_in_place(uint32_t buffer, uint32_t quantum, uint32_t phase, uint32_t offset)
{
    /* Block j is read up to frame a + offset + B; its half is called again, at the earliest, in the
     * cycle at a + 3 B. */
    return buffer % quantum == 0 && phase % quantum == 0 && offset % quantum == 0 &&
           offset <= 2 * buffer;
}
