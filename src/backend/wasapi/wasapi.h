/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: a client of one endpoint, and the names and GUIDs of the
 * interfaces that not every mingw has. Only included within this folder.
 */
#ifndef TUTTI_BACKEND_WASAPI_H
#define TUTTI_BACKEND_WASAPI_H

#include <initguid.h>
#include <windows.h>
#include <mmreg.h>
#include <mmdeviceapi.h>
#include <audioclient.h>

#include "backend/backend.h"

extern const struct backend backend_wasapi;

/* One endpoint, shared mode, woken by an event. */
struct wasapi_client {
    IMMDevice *device;
    IAudioClient *client;
    HANDLE event;
    enum dsp_format format;
    uint32_t channels;
    double rate_hz;
    uint32_t period_frames;  /* between events */
    uint32_t buffer_frames;  /* the endpoint's buffer */
    uint32_t latency_frames; /* beyond the buffer, as the system tells */
    char name[BACKEND_NAME_BYTES];
};

/** Finds an endpoint by name ("" for the default) and opens its client in the mix format. error: a
 * sentence. Errors: NO_DEVICE (none, or not of that name), REFUSED (microphone denied),
 * DEVICE_BUSY, UNSUPPORTED_FORMAT, DEVICE_FAILED. */
enum tutti_status wasapi_client_open(struct wasapi_client *client, EDataFlow flow, const char *name,
                                     char error[256]);
void wasapi_client_close(struct wasapi_client *client);

/** Keeps COM's multi-threaded apartment alive, for calls on any thread; left with wasapi_leave().
 */
CO_MTA_USAGE_COOKIE wasapi_enter(void);
void wasapi_leave(CO_MTA_USAGE_COOKIE cookie);

/** The enumerator; NULL with a log line. Released by the caller. */
IMMDeviceEnumerator *wasapi_enumerator(void);

/** Friendly name of an endpoint, utf-8. */
void wasapi_name(IMMDevice *device, char *name, size_t room);

/** Status of an HRESULT, for people and programs. */
enum tutti_status wasapi_status(HRESULT result);

/** Format of a wave format; false when it is none of ours. */
bool wasapi_format(const WAVEFORMATEX *wave, enum dsp_format *format);

#endif
