/* SPDX-License-Identifier: MIT */
/*
 * A master is one clock that calls clients: the cycle, the device whose thread runs it, and the
 * engine's own clock that runs it while the device is away. It opens the device for the first
 * client, changes its period or its rate, replaces it by another one, loses it and gets it back.
 *
 * Threads: control, with the engine's lock, which is let go while a backend is called. One thread
 * at a time works on masters (the engine's claim); master_guard() alone is called by others too.
 */
#ifndef TUTTI_DEVICE_MASTER_H
#define TUTTI_DEVICE_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "device/handover.h"
#include "device/null_device.h"
#include "device/slot.h"
#include "mixer/cycle.h"

/* What the engine gives to all its masters; constant. */
struct master_services {
    struct os_mutex *lock;
    struct cycle_clock clock;
    bool stepped; /* the clock is injected: no threads of the engine's own */
    uint64_t generation;
    /** master_tend() is wanted soon; on a backend's ordinary thread. NULL: it comes anyway. */
    void (*attention)(void *user);
    void *user;
};

/* What a master asks and tells the clients that are prepared on it. Called with the lock. */
struct master_clients {
    void *user;
    unsigned (*count)(const void *user);
    /** Whether all could keep their latencies at this period. */
    bool (*suits)(const void *user, uint32_t period_frames);
    /** Queues an event for all of them. */
    void (*notify)(void *user, enum proto_event_kind kind, const char *text);
    /** The device will be as info says, or is: reports engine timeouts that become longer, at once
     * and without the lock meanwhile; or those that became shorter. */
    void (*timeouts)(void *user, const struct backend_info *info, bool longer);
    /** The device was reopened after so many frames of silence. No cycle runs. */
    void (*reopened)(void *user, uint64_t silent_frames);
};

/* A device as a profile wants it. */
struct master_setup {
    struct config config;
    struct proto_device known; /* last known, while no master has this setup */
    double rate_hz;            /* to ask for, likewise */
};

/* Written by master.c alone, but for the parts that are structs of other files. */
struct master {
    const struct master_services *services;
    struct master_clients clients;
    struct master_setup *setup; /* whose device is open, or would be opened */
    struct config config;       /* of the setup */
    struct slot slot;
    struct handover handover;
    struct null_device null_device;
    struct cycle cycle;
    struct os_shm rendezvous;
    bool busy; /* a thread is at work on it: master_guard() keeps away */
    uint64_t idle_since_ns, retry_ns;
};

static inline uint64_t
master_now_ns(const struct master *master)
{
    return master->services->clock.now_ns(master->services->clock.user);
}

/** Makes a master with a setup; opens nothing. clients: copied. Errors: NO_MEMORY, those of shared
 * memory. */
enum tutti_status master_init(struct master *master, const struct master_services *services,
                              const struct master_clients *clients, struct master_setup *setup);
/** With the device closed and all clients' commands applied. */
void master_fini(struct master *master);

/** Puts a setup in force. The device is closed. */
void master_force(struct master *master, struct master_setup *setup);
/** What the configuration says of the cycle, whatever the setup. */
void master_configure(struct master *master, const struct config *config);
/** The last client was taken off. */
void master_note_idle(struct master *master);
/** The rate to ask for, and to report, when the device is opened. The device is closed. */
void master_expect_rate(struct master *master, double rate_hz);

/** Opens and starts the device, or changes its period, so that it serves a period. Errors: the
 * backend's; error: a sentence. */
enum tutti_status master_ensure(struct master *master, uint32_t period_frames,
                                char error[PROTO_TEXT_BYTES]);
void master_close(struct master *master);
/** Lost, back, idle. Called every few ms. */
void master_tend(struct master *master, uint64_t now_ns);
/** While another thread may be at work on other devices, for seconds: a device whose cycles have
 * ended is replaced by the own clock. The rest is master_tend()'s, afterwards. */
void master_guard(struct master *master);
/** Reopens the device at another rate, under the client that asked for it. On failure it is lost
 * and tried again at the former rate. Errors: the backend's, UNSUPPORTED_RATE (it took another);
 * error: a sentence. */
enum tutti_status master_change_rate(struct master *master, double rate_hz,
                                     char error[PROTO_TEXT_BYTES]);
/** Opens what another setup says, under the clients that play; they are notified. On failure the
 * former one is opened again. Errors: the backend's; error: a sentence. */
enum tutti_status master_change(struct master *master, struct master_setup *setup,
                                char error[PROTO_TEXT_BYTES]);
/** Leaves a null device that "auto" took because there was no other, if there is another by now:
 * clients go over to it and are notified, or, when none plays, it is closed. */
void master_leave_null_device(struct master *master);

#endif
