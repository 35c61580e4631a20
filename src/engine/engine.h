/* SPDX-License-Identifier: MIT */
/*
 * The engine: any number of programs on up to eight devices, each with a cycle. A library, so that
 * a test runs it in its own process with a clock of its own. tuttid gives it a listener (server.h)
 * and a real clock.
 *
 * Threads: the control functions may be called on any ordinary thread and serialise themselves. The
 * cycle runs on the backend's thread (or the replacement clock's) and meets control only through
 * rings and atomics.
 */
#ifndef TUTTI_ENGINE_H
#define TUTTI_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "config/config.h"
#include "mixer/clock.h"
#include "os/os.h"
#include "proto/message.h"
#include "proto/segment.h"

struct engine;

enum { ENGINE_OPENING_MS = 10000 }; /* a device takes no longer to open */

/* Tells a program of an event; called on an engine's ordinary thread without its lock. */
typedef void (*engine_event_fn)(void *user, uint32_t program_id, const struct proto_event *event);

/* What the configuration says for programs that open a profile. */
struct engine_profile {
    char name[PROTO_PROFILE_BYTES];
    struct config config;
};

/* What a backend finds. */
struct engine_finding {
    const char *backend;
    bool silent;              /* nobody hears it */
    enum tutti_status status; /* UNSUPPORTED: what it needs is not installed; TIMEOUT: it hangs */
    uint32_t devices;         /* found */
    char name[PROTO_NAME_BYTES]; /* of the device that would be opened; "": none */
};

struct engine_params {
    const struct config *config;     /* copied; of programs without a profile */
    const struct cycle_clock *clock; /* NULL: the system's */
    engine_event_fn event;           /* NULL: nobody */
    /** engine_tend() is wanted soon; called on a backend's ordinary thread. NULL: it is called
     * often enough. */
    void (*attention)(void *user);
    /** Ends the link of a program, which got the reason by an event; called as event is. NULL: it
     * stays. */
    void (*remove)(void *user, uint32_t program_id);
    void *user;
    uint64_t generation; /* never 0 */
};

/** Makes an engine; opens nothing. Errors: NO_DEVICE (no such backend; error says which),
 * NO_MEMORY. */
enum tutti_status engine_new(struct engine **out, const struct engine_params *params,
                             char error[PROTO_TEXT_BYTES]);
/** All programs are disconnected, the device is closed. NULL is fine. */
void engine_free(struct engine *engine);

/** A program enters. hello is checked already. *program_id: never 0. Errors: FULL. */
enum tutti_status engine_connect(struct engine *engine, const struct proto_hello *hello,
                                 uint32_t pid, uint32_t *program_id);
/** It leaves, in whatever state. */
void engine_disconnect(struct engine *engine, uint32_t program_id);

/** Another configuration, or the first one's profiles (a program whose profile is none of them has
 * `config`). Copied. What it says of the device in use is done at once: the device is reopened,
 * and programs are notified; when that fails the former one goes on. Errors: the backend's,
 * NO_MEMORY; error: a sentence. */
enum tutti_status engine_configure(struct engine *engine, const struct config *config,
                                   const struct engine_profile *profiles, unsigned count,
                                   char error[PROTO_TEXT_BYTES]);

/** Joins the device, opening it if needed. message is checked already; segment and doorbell (event)
 * are owned by the engine from here on, also on failure. Errors: as tutti_prepare(); error: a
 * sentence. */
enum tutti_status engine_prepare(struct engine *engine, uint32_t program_id,
                                 const struct proto_prepare *message, os_handle segment,
                                 os_handle doorbell, struct proto_prepared *answer,
                                 char error[PROTO_TEXT_BYTES]);
/** Leaves the device. Errors: INVALID_STATE when not prepared. */
enum tutti_status engine_dispose(struct engine *engine, uint32_t program_id);

/** Asks for a rate of the device that this program's profile names. A device that this program
 * alone has opened is reopened. Errors: UNSUPPORTED_RATE, RATE_IN_USE (by other programs),
 * DEVICE_BUSY (as many devices play as can), and those of opening, after which the device is lost
 * and comes back at its former rate; error: a sentence. */
enum tutti_status engine_set_rate(struct engine *engine, uint32_t program_id, double rate_hz,
                                  char error[PROTO_TEXT_BYTES]);
/** What engine_set_rate() would answer now, opening aside. Changes nothing and waits for nobody. */
enum tutti_status engine_can_rate(struct engine *engine, uint32_t program_id, double rate_hz,
                                  char error[PROTO_TEXT_BYTES]);
/** The latencies that engine_prepare() would answer now to this program with such buffers; opens
 * nothing. A device that was never opened has not told its own: they are guessed. message is
 * checked already. */
void engine_forecast(struct engine *engine, uint32_t program_id,
                     const struct proto_forecast *message, struct proto_forecast_reply *reply);
/** What a program wants of the direct monitor, in place of what it wanted before. message is
 * checked already. It acts while the program is prepared and ends with it. Errors: NO_MEMORY. */
enum tutti_status engine_set_monitor(struct engine *engine, uint32_t program_id,
                                     const struct proto_monitor *message);
/** The device as a program of this profile will find it ("": of none). */
void engine_get_device(struct engine *engine, const char *profile, struct proto_device *device);
/** The device that a program plays through, or would. */
void engine_get_own_device(struct engine *engine, uint32_t program_id, struct proto_device *device);
void engine_get_status(struct engine *engine, uint32_t first_program,
                       struct proto_status_reply *reply);
void engine_get_devices(struct engine *engine, struct proto_devices_reply *reply);

/** The page and the wake-up that a program gets with PREPARED: handles borrowed until it leaves. */
void engine_get_rendezvous(struct engine *engine, uint32_t program_id, os_handle *page,
                           os_handle *event);

/** Asks the backends that a configuration allows, in the order in which they are tried, and opens
 * none. The number of findings, at most room. Without an engine. */
uint32_t engine_survey(const struct config *config, struct engine_finding *findings, uint32_t room);

/** What [device] backend may be here: "auto, alsa, sim". */
void engine_get_backends(char words[CONFIG_TEXT_BYTES]);

/** Ordinary housekeeping: devices lost and back, events to programs, demotions. Called by the
 * server every few ms and by tests between steps. */
void engine_tend(struct engine *engine);

/** Called several times a second by another thread than engine_tend()'s, which may be at work on
 * the device for long: programs are called meanwhile. True when a step of opening, changing or
 * closing the device has not returned for ENGINE_OPENING_MS: nothing ends that step, and this
 * process is to end at once. */
bool engine_watch(struct engine *engine);

/** Programs connected now. */
unsigned engine_program_count(struct engine *engine);

#endif
