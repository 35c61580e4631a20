/* SPDX-License-Identifier: MIT */
/* Who is on the engine: a client is a program as control sees it. */
#ifndef TUTTI_ENGINE_CLIENT_LIST_H
#define TUTTI_ENGINE_CLIENT_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "mixer/cycle.h"
#include "os/os.h"

struct engine;
struct mix;

struct engine_client {
    uint32_t id, bits;
    uint32_t pid; /* as the link's system tells it; the host's, once that was seen to be true */
    uint32_t host_pid; /* what HELLO says: the process that a bridge speaks for; 0: none */
    char name[PROTO_NAME_BYTES];
    char profile[PROTO_PROFILE_BYTES];
    /* clients.c: of a prepared client */
    struct mix *mix;            /* that it plays in; NULL: connected only */
    struct cycle_client *cycle; /* likewise */
    struct os_shm segment;
    struct proto_channel input[PROTO_MAX_CHANNELS], output[PROTO_MAX_CHANNELS];
    bool exact; /* PROTO_PREPARE_EXACT */
    uint64_t lates_reported, losses_reported;
    bool condemned; /* it does harm; its removal was reported to it */
    /* monitor_control.c */
    struct proto_monitor *wish;    /* of the direct monitor; NULL: it never asked */
    struct cycle_monitor *monitor; /* made of it, what the last command put in force; or NULL */
    /* latency.c */
    uint32_t input_latency, output_latency; /* as reported */
    uint32_t timeout_ms;                    /* likewise */
    /* The least that was reported since it joined: what a latency that had to rise returns to. */
    uint32_t least_input_latency, least_output_latency;
    char heard_device[PROTO_NAME_BYTES]; /* that the reported latencies are of */
    uint32_t heard_period;               /* likewise */
    /* hogs.c */
    bool demoted;
    uint64_t good_since_ns, late_seen; /* no late block since; late ones until then */
    uint64_t suspect_since_ns, suspect_cpu_ns;
    uint32_t met_thread; /* the last one that it named, whether it has it or not */
};

/** NULL: there is none. */
struct engine_client *client_list_find(struct engine *engine, uint32_t program_id);
/** True when a client is prepared and plays in this mix. */
bool client_list_plays(const struct engine_client *client, const struct mix *mix);
/** Number of clients that are prepared in this mix. */
unsigned client_list_prepared(const struct mix *mix);
/** The client that has the device alone; NULL: there is none. */
const struct engine_client *client_list_exact(const struct mix *mix);

#endif
