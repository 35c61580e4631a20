/* SPDX-License-Identifier: MIT */
/* Endpoints: finding them, and opening a shared client in the endpoint's own mix format. */
#include "backend/wasapi/wasapi.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

/* Written out: not every import library has them. */
static const GUID class_enumerator = {
    0xBCDE0395, 0xE52F, 0x467C, {0x8E, 0x3D, 0xC4, 0x57, 0x92, 0x91, 0x69, 0x2E}};
static const GUID iid_enumerator = {
    0xA95664D2, 0x9614, 0x4F35, {0xA7, 0x46, 0xDE, 0x8D, 0xB6, 0x36, 0x17, 0xE6}};
static const GUID iid_audio_client = {
    0x1CB9AD4C, 0xDBFA, 0x4C32, {0xB1, 0x78, 0xC2, 0xF5, 0x68, 0xA7, 0x03, 0xB2}};
static const PROPERTYKEY key_friendly_name = {
    {0xA45C254E, 0xDF1C, 0x4EFD, {0x80, 0x20, 0x67, 0xD1, 0x46, 0xA8, 0x50, 0xE0}}, 14};

enum { WAVE_TAG_PCM = 1, WAVE_TAG_FLOAT = 3, WAVE_TAG_EXTENSIBLE = 0xFFFE };

typedef HRESULT(WINAPI *increment_usage_fn)(CO_MTA_USAGE_COOKIE *cookie);
typedef HRESULT(WINAPI *decrement_usage_fn)(CO_MTA_USAGE_COOKIE cookie);
typedef void (*any_fn)(void);

/* Looked up by name: the 32-bit import library lacks the two. */
static any_fn
ole_function(const char *name)
{
    return (any_fn)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ole32.dll"), name);
}

CO_MTA_USAGE_COOKIE
wasapi_enter(void)
{
    increment_usage_fn increment = (increment_usage_fn)ole_function("CoIncrementMTAUsage");
    CO_MTA_USAGE_COOKIE cookie = NULL;
    return increment && SUCCEEDED(increment(&cookie)) ? cookie : NULL;
}

void
wasapi_leave(CO_MTA_USAGE_COOKIE cookie)
{
    decrement_usage_fn decrement = (decrement_usage_fn)ole_function("CoDecrementMTAUsage");
    if (cookie && decrement) {
        decrement(cookie);
    }
}

enum tutti_status
wasapi_status(HRESULT result)
{
    switch ((uint32_t)result) {
    case 0:
        return TUTTI_OK;
    case 0x8889000A: /* AUDCLNT_E_DEVICE_IN_USE */
    case 0x88890017: /* AUDCLNT_E_CPUUSAGE_EXCEEDED */
        return TUTTI_DEVICE_BUSY;
    case 0x88890004: /* AUDCLNT_E_DEVICE_INVALIDATED */
    case 0x88890010: /* AUDCLNT_E_SERVICE_NOT_RUNNING */
    case 0x88890026: /* AUDCLNT_E_RESOURCES_INVALIDATED */
        return TUTTI_DEVICE_LOST;
    case 0x88890008: /* AUDCLNT_E_UNSUPPORTED_FORMAT */
        return TUTTI_UNSUPPORTED_FORMAT;
    case 0x80070005: /* E_ACCESSDENIED */
        return TUTTI_REFUSED;
    case 0x80070490: /* E_NOTFOUND */
        return TUTTI_NO_DEVICE;
    default:
        return TUTTI_DEVICE_FAILED;
    }
}

static void
explain(const struct wasapi_client *client, enum tutti_status status, char error[256])
{
    const struct wasapi_mix *mix = &client->mix;
    if (status == TUTTI_REFUSED) {
        snprintf(error, 256,
                 "Windows refuses access to '%.63s'; let desktop apps use the microphone, in "
                 "Settings > Privacy",
                 client->name);
    } else if (status == TUTTI_UNSUPPORTED_FORMAT && mix->channels) {
        snprintf(error, 256,
                 "'%.63s' has %u channels and a period of %u frames; choose fewer channels or a "
                 "lower rate in Windows' sound settings",
                 client->name, mix->channels, mix->period_frames);
    } else {
        snprintf(error, 256, "'%.63s': %s", client->name, tutti_status_text(status));
    }
}

IMMDeviceEnumerator *
wasapi_enumerator(void)
{
    IMMDeviceEnumerator *enumerator = NULL;
    HRESULT result = CoCreateInstance(&class_enumerator, NULL, CLSCTX_ALL, &iid_enumerator,
                                      (void **)&enumerator);
    if (FAILED(result)) {
        log_error("wasapi: no list of sound devices: 0x%08lx", (unsigned long)result);
        return NULL;
    }
    return enumerator;
}

void
wasapi_name(IMMDevice *device, char *name, size_t room)
{
    IPropertyStore *store = NULL;
    PROPVARIANT value = {0};
    char text[256] = "sound device";
    if (SUCCEEDED(IMMDevice_OpenPropertyStore(device, STGM_READ, &store))) {
        if (SUCCEEDED(IPropertyStore_GetValue(store, &key_friendly_name, &value)) &&
            value.vt == VT_LPWSTR) {
            WideCharToMultiByte(CP_UTF8, 0, value.pwszVal, -1, text, sizeof(text), NULL, NULL);
            text[sizeof(text) - 1] = '\0';
        }
        PropVariantClear(&value);
        IPropertyStore_Release(store);
    }
    utf8_copy(name, room, text);
}

static bool
read_format(const WAVEFORMATEX *wave, enum dsp_format *format)
{
    WORD tag = wave->wFormatTag, bits = wave->wBitsPerSample, valid = bits;
    if (tag == WAVE_TAG_EXTENSIBLE && wave->cbSize >= 22) {
        const WAVEFORMATEXTENSIBLE *wide = (const WAVEFORMATEXTENSIBLE *)(const void *)wave;
        tag = (WORD)wide->SubFormat.Data1;
        valid = wide->Samples.wValidBitsPerSample;
    }
    if (tag == WAVE_TAG_FLOAT && bits == 32) {
        *format = DSP_F32;
    } else if (tag == WAVE_TAG_PCM && bits == 16) {
        *format = DSP_S16;
    } else if (tag == WAVE_TAG_PCM && bits == 24) {
        *format = DSP_S24;
    } else if (tag == WAVE_TAG_PCM && bits == 32) {
        *format = DSP_S32; /* valid bits are the upper ones, also when there are 24 of them */
    } else {
        return false;
    }
    return valid <= bits;
}

static IMMDevice *
find_by_name(IMMDeviceEnumerator *enumerator, EDataFlow flow, const char *name)
{
    IMMDeviceCollection *devices = NULL;
    IMMDevice *found = NULL;
    UINT count = 0;
    if (FAILED(IMMDeviceEnumerator_EnumAudioEndpoints(enumerator, flow, DEVICE_STATE_ACTIVE,
                                                      &devices))) {
        return NULL;
    }
    IMMDeviceCollection_GetCount(devices, &count);
    for (UINT i = 0; i < count && !found; i++) {
        char its_name[BACKEND_NAME_BYTES];
        if (FAILED(IMMDeviceCollection_Item(devices, i, &found))) {
            continue;
        }
        wasapi_name(found, its_name, sizeof(its_name));
        if (strcmp(its_name, name) != 0) {
            IMMDevice_Release(found);
            found = NULL;
        }
    }
    IMMDeviceCollection_Release(devices);
    return found;
}

static enum tutti_status
find(struct wasapi_client *client, EDataFlow flow, const char *name, char error[256])
{
    HRESULT result = S_OK;
    IMMDeviceEnumerator *enumerator = wasapi_enumerator();
    if (!enumerator) {
        snprintf(error, 256,
                 "Windows lists no sound devices; is the Windows Audio service running?");
        return TUTTI_NO_DEVICE;
    }
    if (name[0]) {
        client->device = find_by_name(enumerator, flow, name);
    } else {
        result = IMMDeviceEnumerator_GetDefaultAudioEndpoint(enumerator, flow, eConsole,
                                                             &client->device);
    }
    IMMDeviceEnumerator_Release(enumerator);
    if (client->device) {
        return TUTTI_OK;
    }
    if (FAILED(result) && wasapi_status(result) != TUTTI_NO_DEVICE) {
        snprintf(error, 256,
                 "Windows does not say which sound device is the default (0x%08lx); is the Windows "
                 "Audio service running?",
                 (unsigned long)result);
        return wasapi_status(result);
    }
    snprintf(error, 256,
             name[0] ? "no %s device is called '%.100s'; 'tutti devices' lists them"
                     : "there is no default %s device%.0s",
             flow == eRender ? "output" : "input", name);
    return TUTTI_NO_DEVICE;
}

static uint32_t
frames_of(REFERENCE_TIME time, double rate_hz)
{
    return (uint32_t)((double)time * rate_hz * 1e-7 + 0.5);
}

static bool
is_usable(const struct wasapi_mix *mix)
{
    return mix->channels > 0 && mix->channels <= BACKEND_MAX_CHANNELS && mix->period_frames > 0 &&
           mix->period_frames <= BACKEND_MAX_PERIOD_FRAMES;
}

enum tutti_status
wasapi_activate(IMMDevice *device, IAudioClient **client, WAVEFORMATEX **wave,
                struct wasapi_mix *mix)
{
    REFERENCE_TIME period = 0;
    *client = NULL;
    *wave = NULL;
    memset(mix, 0, sizeof(*mix));
    HRESULT result =
        IMMDevice_Activate(device, &iid_audio_client, CLSCTX_ALL, NULL, (void **)client);
    if (SUCCEEDED(result)) {
        result = IAudioClient_GetMixFormat(*client, wave);
    }
    if (SUCCEEDED(result)) {
        result = IAudioClient_GetDevicePeriod(*client, &period, NULL);
    }
    enum tutti_status status = wasapi_status(result);
    if (status == TUTTI_OK && read_format(*wave, &mix->format)) {
        mix->rate_hz = (*wave)->nSamplesPerSec;
        mix->channels = (*wave)->nChannels;
        mix->period_frames = frames_of(period, mix->rate_hz);
    }
    if (status == TUTTI_OK && !is_usable(mix)) {
        status = TUTTI_UNSUPPORTED_FORMAT;
    }
    if (status != TUTTI_OK) {
        log_debug("wasapi: an endpoint cannot be used: 0x%08lx", (unsigned long)result);
        if (*client) {
            IAudioClient_Release(*client);
        }
        CoTaskMemFree(*wave);
        *client = NULL;
        *wave = NULL;
    }
    return status;
}

static HRESULT
initialize(struct wasapi_client *client, WAVEFORMATEX *wave)
{
    REFERENCE_TIME latency = 0;
    HRESULT result = IAudioClient_Initialize(client->client, AUDCLNT_SHAREMODE_SHARED,
                                             AUDCLNT_STREAMFLAGS_EVENTCALLBACK, 0, 0, wave, NULL);
    if (SUCCEEDED(result)) {
        result = IAudioClient_SetEventHandle(client->client, client->event);
    }
    if (SUCCEEDED(result)) {
        UINT32 buffer = 0;
        result = IAudioClient_GetBufferSize(client->client, &buffer);
        client->buffer_frames = buffer;
    }
    if (SUCCEEDED(result)) {
        IAudioClient_GetStreamLatency(client->client, &latency);
        client->latency_frames = frames_of(latency, client->mix.rate_hz);
    }
    return result;
}

enum tutti_status
wasapi_client_open(struct wasapi_client *client, EDataFlow flow, const char *name, char error[256])
{
    memset(client, 0, sizeof(*client));
    enum tutti_status status = find(client, flow, name, error);
    if (status != TUTTI_OK) {
        return status;
    }
    WAVEFORMATEX *wave = NULL;
    wasapi_name(client->device, client->name, sizeof(client->name));
    client->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    status = client->event ? wasapi_activate(client->device, &client->client, &wave, &client->mix)
                           : TUTTI_NO_MEMORY;
    if (status == TUTTI_OK) {
        HRESULT result = initialize(client, wave);
        if (FAILED(result)) {
            log_error("wasapi: '%s' does not open: 0x%08lx", client->name, (unsigned long)result);
        }
        status = wasapi_status(result);
    }
    CoTaskMemFree(wave);
    if (status != TUTTI_OK) {
        explain(client, status, error);
        wasapi_client_close(client);
    }
    return status;
}

void
wasapi_client_close(struct wasapi_client *client)
{
    if (client->client) {
        IAudioClient_Release(client->client);
    }
    if (client->device) {
        IMMDevice_Release(client->device);
    }
    if (client->event) {
        CloseHandle(client->event);
    }
    memset(client, 0, sizeof(*client));
}
