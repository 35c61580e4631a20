/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: client.c opens one endpoint, list.c lists them, run.c is the
 * stream's thread, wasapi.c is the contract. Only included within this folder.
 */
#ifndef TUTTI_BACKEND_WASAPI_H
#define TUTTI_BACKEND_WASAPI_H

#include <initguid.h>
#include <windows.h>
#include <mmreg.h>
#include <mmdeviceapi.h>
#include <audioclient.h>

#include <stdatomic.h>

#include "backend/backend.h"
#include "backend/clock.h"
#include "base/ring.h"

extern const struct backend backend_wasapi;

/* What an endpoint mixes in. */
struct wasapi_mix {
    enum dsp_format format;
    uint32_t channels;
    double rate_hz;
    uint32_t period_frames; /* between events */
};

/* One endpoint, shared mode, woken by an event. */
struct wasapi_client {
    IMMDevice *device;
    IAudioClient *client; /* NULL: this direction is not there */
    HANDLE event;
    struct wasapi_mix mix;
    uint32_t buffer_frames;  /* the endpoint's buffer */
    uint32_t latency_frames; /* beyond the buffer, as the system reports it */
    char name[BACKEND_NAME_BYTES];
};

/* Captured frames that wait for their cycle, interleaved in the capture's format. */
struct wasapi_queue {
    struct ring ring; /* a frame is a record; the thread is its writer and its reader */
    void *storage;
    uint32_t size_frames; /* that wait at most */
    uint32_t frame_bytes, period_frames;
    uint32_t wait_periods; /* that lie here before a cycle takes one, at most, all being well */
    uint32_t want_periods; /* what it takes: packets may come several at once */
    bool filling;          /* until wait_periods are there */
    bool reading;          /* the first frames came since start */
    /* of the last cycles: how many, and the least and the most periods that waited */
    uint32_t seen, least_periods, most_periods;
    uint32_t full; /* times in a row that it was seen to take more */
    uint64_t inserted, dropped;
};

struct backend_stream {
    struct backend_info info;
    struct backend_callbacks callbacks;
    struct wasapi_client render, capture;
    IAudioRenderClient *renderer;
    IAudioCaptureClient *capturer;
    CO_MTA_USAGE_COOKIE com; /* from open to close */
    HANDLE timer;            /* for cycles in silence */

    struct wasapi_queue queue;
    unsigned char *period_in, *period_out; /* one period for the cycle */
    struct backend_area in[BACKEND_MAX_CHANNELS], out[BACKEND_MAX_CHANNELS];
    uint32_t fill_periods; /* of output: so many are queued after each cycle, at most */

    /* since start; the thread's own while it runs */
    struct backend_clock clock;
    unsigned starved; /* times that the output had nothing */
    uint64_t paced;   /* cycles in silence */
    bool asked;       /* PERIOD_CHANGED was sent, for more periods */

    struct os_thread *thread;
    _Atomic bool stop;
    _Atomic bool going; /* the clients are started */
    _Atomic bool lost;  /* LOST was sent */
};

/* ---- client.c ---- */

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

/** Activates the endpoint's client, which the caller releases, and reads what it mixes in; opens
 * nothing. wave: the mix format, freed with CoTaskMemFree(). Errors: UNSUPPORTED_FORMAT and
 * wasapi_status()'s; the client and the wave are NULL then. */
enum tutti_status wasapi_activate(IMMDevice *device, IAudioClient **client, WAVEFORMATEX **wave,
                                  struct wasapi_mix *mix);

/** Status of an HRESULT, for people and programs. */
enum tutti_status wasapi_status(HRESULT result);

/* ---- list.c ---- */

enum tutti_status wasapi_list(const struct config *config, struct backend_device *devices,
                              unsigned *count);

/* ---- run.c ---- */

/** Memory, one period of it, as areas of the first `channels` of `stride_channels`. */
void wasapi_lay_out(struct backend_area *areas, unsigned char *memory, uint32_t channels,
                    uint32_t stride_channels, uint32_t sample_bytes);
/** Of a stopped stream: the output or the input that ran dry twice gets a longer queue. */
void wasapi_lengthen(struct backend_stream *stream);
/** The stream's thread. */
void wasapi_run(void *arg);

#endif
