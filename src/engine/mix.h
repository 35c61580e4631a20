/* SPDX-License-Identifier: MIT */
/*
 * A mix is all that plays on one clock: the master that calls its clients, the commands to its
 * cycle, what is added up where, and where its clients' threads run.
 */
#ifndef TUTTI_ENGINE_MIX_H
#define TUTTI_ENGINE_MIX_H

#include "device/master.h"
#include "engine/commands.h"
#include "engine/placement.h"
#include "engine/routing.h"
#include "engine/setup.h"

struct mix {
    struct engine *engine;
    struct master master;
    struct commands commands;
    struct routing routing;
    struct placement placement;
    char led_by[PROTO_PROFILE_BYTES]; /* the profile of the first client that plays */
    bool joining;                     /* engine_prepare() is choosing the period */
    uint64_t turned_ns;               /* when the statistics began their present span */
};

/** A mix without clients, and with its device closed. NULL: no memory; why is logged. */
struct mix *mix_new(struct engine *engine, struct engine_setup *setup);
/** Without clients; closes the device. Claimed. NULL is fine. */
void mix_free(struct mix *mix);
/** The setup that is in force. */
struct engine_setup *mix_setup(const struct mix *mix);

static inline const struct proto_device *
mix_device(const struct mix *mix)
{
    return &mix->master.slot.known;
}

#endif
