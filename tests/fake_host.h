/* SPDX-License-Identifier: MIT */
/*
 * A host in the test's own process, on the driver's code linked into the test and on fake_tutti:
 * callbacks that note what comes and do what a test wants.
 */
#ifndef TUTTI_TESTS_FAKE_HOST_H
#define TUTTI_TESTS_FAKE_HOST_H

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>

#include <objbase.h>

#include "asio/rules.h"
#include "fake_tutti.h"
#include "tutti/asio_tutti.h"

STDAPI DllGetClassObject(REFCLSID clsid, REFIID iid, LPVOID *object);
STDAPI DllCanUnloadNow(void);

enum { PATIENCE_MS = 30000 };

/* A host's callbacks have no user pointer, so there is one. */
struct fake_host {
    struct asio_driver *driver;
    /* set by a test */
    uint32_t knows;                       /* bit per selector answered 1 */
    bool time_info;                       /* answer to SUPPORTS_TIME_INFO itself */
    void (*in_callback)(void);            /* what the host does in bufferSwitch */
    void (*in_message)(int32_t selector); /* 0: sampleRateDidChange */
    bool declines;                        /* answers 0 to what it is told */
    /* seen */
    volatile LONG switches, time_switches, told[16], rates;
    int32_t last_half, last_direct, answer;
    double last_rate;
    int32_t last_size; /* of BUFFER_SIZE_CHANGE */
    struct asio_time last_time;
    struct tutti_asio_block block;
    HANDLE event; /* set by each message but questions, and by each changed rate */
};
extern struct fake_host host;

#define M host.driver->methods

/* All four; and what they fill: input 2, output 5, output 0, input 0. */
extern const struct asio_callbacks callbacks;
extern struct asio_buffer_info infos[4];

/** cmocka's setup and teardown: one new object; nothing may be left. */
int fake_host_begin(void **state);
int fake_host_end(void **state);

/** Another object, Loaded. */
struct asio_driver *fake_host_create(void);
/** One of a profile's entry. */
struct asio_driver *fake_host_create_of(const char *profile);
/** Steps that must work. */
void fake_host_init(void);
void fake_host_prepare(void);
void fake_host_run(void);
/** A new object in this state, in place of the present one; RUNNING: with one block behind it. */
void fake_host_go_to(enum state state);
/** The error text contains this. */
void fake_host_assert_says(const char *part);

#endif
