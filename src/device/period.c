/* SPDX-License-Identifier: MIT */
#include "device/period.h"

#include "device/master.h"

enum { PERIOD_MIN_FRAMES = 16 };

void
period_refuse(struct period_refusals *refusals, uint32_t wanted, uint32_t given)
{
    if (wanted && wanted < given && wanted > refusals->to) {
        refusals->to = wanted;
    }
    if (wanted > given && (!refusals->from || wanted < refusals->from)) {
        refusals->from = wanted;
    }
}

void
period_forget_refusals(struct period_refusals *refusals)
{
    *refusals = (struct period_refusals){0};
}

static bool
is_refused(const struct master *master, uint32_t period)
{
    const struct period_refusals *refusals = &master->slot.refusals;
    return period <= refusals->to || (refusals->from && period >= refusals->from);
}

uint32_t
period_snap(const struct proto_device *known, uint32_t wanted)
{
    uint32_t min = known->period_min_frames ? known->period_min_frames : PERIOD_MIN_FRAMES;
    uint32_t max = known->period_max_frames ? known->period_max_frames : BACKEND_MAX_PERIOD_FRAMES;
    uint32_t step = known->period_step_frames;
    max = max < BACKEND_MAX_PERIOD_FRAMES ? max : BACKEND_MAX_PERIOD_FRAMES;
    if (wanted >= max) {
        return max;
    }
    if (wanted <= min) {
        return min;
    }
    if (step) {
        uint32_t snapped = wanted / step * step;
        return snapped < min ? min : snapped;
    }
    uint32_t power = min;
    while (power * 2 <= wanted) {
        power *= 2;
    }
    return power;
}

uint32_t
period_choose(const struct master *master, uint32_t buffer_frames)
{
    const struct master_clients *clients = &master->clients;
    const struct proto_device *known = &master->slot.known;
    uint32_t present = known->period_frames;
    if (master->config.device_period) {
        uint32_t pinned = period_snap(known, (uint32_t)master->config.device_period);
        return is_refused(master, pinned) ? present : pinned;
    }
    uint32_t wanted = period_snap(known, buffer_frames);
    if (!clients->count(clients->user)) {
        return is_refused(master, wanted) ? present : wanted;
    }
    /* Others play: the period may shrink as long as their latency can stay, and does not grow. */
    while (wanted < present) {
        if (!is_refused(master, wanted) && clients->suits(clients->user, wanted)) {
            return wanted;
        }
        uint32_t next = period_snap(known, wanted - 1);
        if (next >= wanted) {
            break;
        }
        wanted = next;
    }
    return present;
}
