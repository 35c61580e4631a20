/* SPDX-License-Identifier: MIT */
/*
 * Which thread runs the cycle: the device's, or the engine's own clock while the device is opened,
 * changed or lost. A gate lets the device's cycles in. While it is shut the device gets silence,
 * and the own clock calls the clients, however long the backend takes. The cycle count of an engine
 * with clients therefore moves all the time.
 */
#ifndef TUTTI_DEVICE_HANDOVER_H
#define TUTTI_DEVICE_HANDOVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/pace.h"
#include "os/os.h"

struct master;

/* Written by handover.c alone. */
struct handover {
    _Atomic unsigned gate;       /* of the device's cycles */
    uint32_t gate_outputs;       /* of the stream that starts: for silence while it is shut */
    enum dsp_format gate_format; /* likewise */
    uint64_t gate_opened_ns;
    bool replacing; /* the own clock runs the cycle */
    struct pace pace;
    struct os_thread *replacement;
    _Atomic bool replacement_stop;
    int64_t left_pos; /* engine frame at which the device's cycles ended */
    uint64_t reopenings, gap_frames;
};

/** A period of the device, on its thread: a cycle, or silence while the gate is shut. */
void handover_cycle(struct master *master, const struct backend_cycle *period);
/** The own clock runs the cycle from now on, in silence; the device's cycles are shut out. Nothing
 * to do when it does already. */
void handover_to_clock(struct master *master);
/** The own clock, which runs the cycle, goes on at another rate. */
void handover_set_rate(struct master *master, double rate_hz);
/** What a stream stores while the gate is shut; before it starts. */
void handover_prepare(struct master *master, const struct backend_info *info);
/** The device runs the cycle from now on. Clients that the clock called jump over what passed
 * since, are notified, and get their latency on the device as it is now. */
void handover_to_device(struct master *master);
/** No thread runs the cycle: no client is prepared, or the engine ends. */
void handover_to_nobody(struct master *master);
/** With an injected clock: the own clock's cycles that are due. */
void handover_step(struct master *master, uint64_t now_ns);
/** True while cycles may run on another thread. */
bool handover_is_cycling(const struct master *master);

#endif
