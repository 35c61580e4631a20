/* SPDX-License-Identifier: MIT */
/* What meets where: which clients' outputs are added up on which device channel, and on which buses
 * other clients read. */
#ifndef TUTTI_ENGINE_ROUTING_H
#define TUTTI_ENGINE_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mixer/cycle.h"

struct mix;

/* A ring that carries a mixed signal or a client's output to clients that read it. */
struct engine_bus {
    struct proto_channel source;
    unsigned users;
    float *ring;
};

/* Written by routing.c alone. */
struct routing {
    struct engine_bus *bus;
    uint32_t bus_count;
};

/** The plan for the present clients and device. NULL: no memory. */
struct cycle_plan *routing_new_plan(const struct mix *mix);
void routing_free_plan(struct cycle_plan *plan);
/** Zeroed memory whose pages are there: the cycle is the first to touch it. NULL: no memory. */
float *routing_new_ring(size_t samples);
/** The bus for a source; NULL: there is none. */
const struct engine_bus *routing_find_bus(const struct mix *mix,
                                          const struct proto_channel *source);
/** The bus for a source, made when it is the first user. NULL: no memory. */
struct engine_bus *routing_get_bus(struct mix *mix, const struct proto_channel *source);
/** One user less; a bus without users is taken off and its ring returned for retirement. */
float *routing_put_bus(struct mix *mix, const struct proto_channel *source);

#endif
