/* SPDX-License-Identifier: MIT */
/*
 * What the contract suite needs to know of each backend: how its server or card is brought up,
 * taken away and troubled. A new backend adds its own entry to the table in backend_means.c, and
 * the suite runs over it.
 */
#ifndef TUTTI_TEST_BACKEND_MEANS_H
#define TUTTI_TEST_BACKEND_MEANS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

struct backend_means {
    const char *name; /* of these means; NULL: the backend's */
    const char *backend;
    bool loose;               /* a server behind the device has buffers that it does not tell of */
    bool lists_dead;          /* the system goes on listing what is gone */
    const uint32_t *periods;  /* that open() gives when they are asked for; one: it has no other */
    const double *rates_hz;   /* that the means can bring about; 0-terminated */
    const char *other_device; /* a name that no device has */

    /** False: it cannot be tried here; reason says why. */
    bool (*available)(char reason[256]);
    /** The backend's own section for the tests: periods may be asked for, nothing is connected. */
    void (*configure)(struct config *config);
    /** Brings the device up, at this rate if the server decides it; waits until it answers. */
    void (*bring)(double rate_hz, uint32_t period_frames);
    /** It dies at once (kill -9, pulled out). */
    void (*kill)(void);
    /** Orderly end, whatever its state. */
    void (*end)(void);
    /** The first output is heard by the first input from now on, with nothing between. Called with
     * the stream running. NULL: by configure. */
    void (*loop)(void);
    /** Somebody else changes the period. NULL: nobody can. */
    void (*change_period)(uint32_t period_frames);
    /** It hangs; it goes on. NULL: it cannot, or nothing could be asked of it then. */
    void (*hang)(bool hangs);
    /** The device stands still; it goes on. */
    void (*stand)(bool stands);
    bool starts_standing; /* start() returns while it stands, if it was started before */
};

/** NULL: no such means. */
const struct backend_means *backend_means_find(const char *name);

#endif
