/* SPDX-License-Identifier: MIT */
/*
 * Which endpoints there are. Nothing is initialised for it: an initialised capture client would
 * light the microphone's indicator and switch a Bluetooth headset to telephone quality.
 *
 * An output is listed with the input that it would be opened with: the one of the same name, else
 * the default one. An input that is no output's own is a device, too.
 */
#include "backend/wasapi/wasapi.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { ENDPOINTS = 64 };

struct endpoint {
    char name[BACKEND_NAME_BYTES];
    struct wasapi_mix mix;
    bool is_default;
    bool is_taken; /* an input that belongs to an output of its name */
};

struct endpoints {
    struct endpoint endpoint[ENDPOINTS];
    unsigned count;
};

static struct endpoint *
find(struct endpoints *all, const char *name)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (strcmp(all->endpoint[i].name, name) == 0) {
            return &all->endpoint[i];
        }
    }
    return NULL;
}

static struct endpoint *
find_default(struct endpoints *all)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (all->endpoint[i].is_default) {
            return &all->endpoint[i];
        }
    }
    return NULL;
}

static bool
is_same_device(IMMDevice *device, IMMDevice *other)
{
    WCHAR *id = NULL, *other_id = NULL;
    bool same = other && SUCCEEDED(IMMDevice_GetId(device, &id)) &&
                SUCCEEDED(IMMDevice_GetId(other, &other_id)) && wcscmp(id, other_id) == 0;
    CoTaskMemFree(id);
    CoTaskMemFree(other_id);
    return same;
}

/* Of two endpoints with one name the first is opened: the second is not listed. */
static void
add(struct endpoints *all, IMMDevice *device, IMMDevice *preferred)
{
    struct endpoint *endpoint = &all->endpoint[all->count];
    IAudioClient *client = NULL;
    WAVEFORMATEX *wave = NULL;
    memset(endpoint, 0, sizeof(*endpoint));
    wasapi_name(device, endpoint->name, sizeof(endpoint->name));
    if (find(all, endpoint->name) ||
        wasapi_activate(device, &client, &wave, &endpoint->mix) != TUTTI_OK) {
        return;
    }
    endpoint->is_default = is_same_device(device, preferred);
    IAudioClient_Release(client);
    CoTaskMemFree(wave);
    all->count++;
}

static void
collect(IMMDeviceEnumerator *enumerator, EDataFlow flow, struct endpoints *all)
{
    IMMDeviceCollection *devices = NULL;
    IMMDevice *preferred = NULL;
    UINT count = 0;
    all->count = 0;
    if (FAILED(IMMDeviceEnumerator_EnumAudioEndpoints(enumerator, flow, DEVICE_STATE_ACTIVE,
                                                      &devices))) {
        return;
    }
    IMMDeviceEnumerator_GetDefaultAudioEndpoint(enumerator, flow, eConsole, &preferred);
    IMMDeviceCollection_GetCount(devices, &count);
    for (UINT i = 0; i < count && all->count < ENDPOINTS; i++) {
        IMMDevice *device = NULL;
        if (SUCCEEDED(IMMDeviceCollection_Item(devices, i, &device))) {
            add(all, device, preferred);
            IMMDevice_Release(device);
        }
    }
    if (preferred) {
        IMMDevice_Release(preferred);
    }
    IMMDeviceCollection_Release(devices);
}

static void
describe(struct backend_device *device, const struct endpoint *endpoint, uint32_t inputs,
         uint32_t outputs)
{
    memset(device, 0, sizeof(*device));
    utf8_copy(device->name, sizeof(device->name), endpoint->name);
    device->inputs = inputs;
    device->outputs = outputs;
    device->is_default = endpoint->is_default;
    device->rates_hz[0] = endpoint->mix.rate_hz;
    device->period_min_frames = device->period_max_frames = endpoint->mix.period_frames;
    device->period_step_frames = 1;
}

/* Channels of the input that an output would be opened with; see wasapi_open(). */
static uint32_t
inputs_beside(struct endpoints *inputs, const struct endpoint *output)
{
    struct endpoint *own = find(inputs, output->name);
    const struct endpoint *input = own ? own : find_default(inputs);
    if (own) {
        own->is_taken = true;
    }
    return input && input->mix.rate_hz == output->mix.rate_hz ? input->mix.channels : 0;
}

/* The default device first. */
static unsigned
list_all(struct endpoints *outputs, struct endpoints *inputs, struct backend_device *devices,
         unsigned room)
{
    unsigned count = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < outputs->count; i++) {
            const struct endpoint *output = &outputs->endpoint[i];
            if (output->is_default == (pass == 0) && count < room) {
                describe(&devices[count++], output, inputs_beside(inputs, output),
                         output->mix.channels);
            }
        }
    }
    for (unsigned i = 0; i < inputs->count && count < room; i++) {
        struct endpoint *input = &inputs->endpoint[i];
        if (!input->is_taken) {
            input->is_default = input->is_default && !outputs->count;
            describe(&devices[count++], input, input->mix.channels, 0);
        }
    }
    return count;
}

enum tutti_status
wasapi_list(const struct config *config, struct backend_device *devices, unsigned *count)
{
    (void)config;
    unsigned room = *count;
    struct endpoints *both = calloc(2, sizeof(*both));
    *count = 0;
    if (!both) {
        return TUTTI_NO_MEMORY;
    }
    CO_MTA_USAGE_COOKIE com = wasapi_enter();
    IMMDeviceEnumerator *enumerator = wasapi_enumerator();
    if (enumerator) {
        collect(enumerator, eRender, &both[0]);
        collect(enumerator, eCapture, &both[1]);
        IMMDeviceEnumerator_Release(enumerator);
        *count = list_all(&both[0], &both[1], devices, room);
    }
    wasapi_leave(com);
    free(both);
    return TUTTI_OK;
}
