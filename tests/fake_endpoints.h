/* SPDX-License-Identifier: MIT */
/*
 * Windows' sound endpoints in place of the system's: CoCreateInstance() of this program gives an
 * enumerator of what the test has added. An endpoint has no clock: each fake_pass() is one pass of
 * Windows' audio engine, which takes or brings a period and signals the event.
 */
#ifndef TUTTI_TEST_FAKE_ENDPOINTS_H
#define TUTTI_TEST_FAKE_ENDPOINTS_H

#include <initguid.h>
#include <windows.h>
#include <mmreg.h>
#include <mmdeviceapi.h>
#include <audioclient.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    FAKE_ENDPOINTS = 8,
    FAKE_PERIOD = 480,
    FAKE_BUFFER = 1056,
    FAKE_CAPTURE_PERIODS = 8,
    FAKE_RATE_HZ = 48000
};

struct fake_endpoint {
    /* COM objects, each with its table first */
    struct {
        const void *table;
        struct fake_endpoint *endpoint;
    } device, store, client, render, capture;

    EDataFlow flow;
    const WCHAR *name, *id;
    WORD channels;
    /* What the methods answer; S_OK at first. */
    HRESULT initialize_result, start_result, padding_result;
    unsigned start_ms; /* Start() takes so long */

    unsigned initialized, started; /* calls that succeeded; Stop() takes one back from the latter */
    HANDLE event;
    UINT32 queued;          /* render: frames that were written and not taken; capture: that wait */
    UINT32 starved;         /* passes that found less than a period */
    float air[FAKE_BUFFER]; /* render: the first channel of what is queued */
    float capture_value;    /* capture: what all samples of the next pass are */
    float values[FAKE_CAPTURE_PERIODS];    /* capture: those of the passes that wait */
    float packet[FAKE_PERIOD * 8 + 8 * 8]; /* for GetBuffer() */
    UINT32 asked;                          /* of GetBuffer() */
    float last_taken;                      /* the first sample of the last period that was taken */
};

/** No endpoints. */
void fake_reset(void);
/** Another one; the first of its direction is the default. */
struct fake_endpoint *fake_add(EDataFlow flow, const WCHAR *name, WORD channels);
/** One pass of Windows' engine over a started endpoint. */
void fake_pass(struct fake_endpoint *endpoint);
/** Frames in its queue now. */
UINT32 fake_queued(struct fake_endpoint *endpoint);

#endif
