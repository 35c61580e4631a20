/* SPDX-License-Identifier: MIT */
/* Windows' sound endpoints, as far as the backend uses them. Objects are static: references are not
 * counted. */
#include "fake_endpoints.h"

#include <string.h>

static struct fake_endpoint all[FAKE_ENDPOINTS];
static unsigned count;
static SRWLOCK lock = SRWLOCK_INIT;

static struct fake_endpoint *
endpoint_of(void *object)
{
    struct {
        const void *table;
        struct fake_endpoint *endpoint;
    } *its = object;
    return its->endpoint;
}

/* The first three of each table. */
#define REFERENCES(type)                                                                           \
    static HRESULT STDMETHODCALLTYPE type##_query(type *object, REFIID iid, void **out)            \
    {                                                                                              \
        (void)object;                                                                              \
        (void)iid;                                                                                 \
        *out = NULL;                                                                               \
        return E_NOINTERFACE;                                                                      \
    }                                                                                              \
    static ULONG STDMETHODCALLTYPE type##_count(type *object)                                      \
    {                                                                                              \
        (void)object;                                                                              \
        return 1;                                                                                  \
    }
#define UNKNOWN(type)                                                                              \
    .QueryInterface = type##_query, .AddRef = type##_count, .Release = type##_count

REFERENCES(IAudioRenderClient)
REFERENCES(IAudioCaptureClient)
REFERENCES(IPropertyStore)
REFERENCES(IMMDevice)
REFERENCES(IMMDeviceCollection)
REFERENCES(IMMDeviceEnumerator)

/* ---- rendering ---- */

static HRESULT STDMETHODCALLTYPE
render_get(IAudioRenderClient *object, UINT32 frames, BYTE **data)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    AcquireSRWLockExclusive(&lock);
    bool fits = endpoint->queued + frames <= FAKE_BUFFER;
    ReleaseSRWLockExclusive(&lock);
    endpoint->asked = frames;
    *data = (BYTE *)endpoint->packet;
    return fits ? S_OK : AUDCLNT_E_BUFFER_TOO_LARGE;
}

static HRESULT STDMETHODCALLTYPE
render_release(IAudioRenderClient *object, UINT32 frames, DWORD flags)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    AcquireSRWLockExclusive(&lock);
    for (UINT32 i = 0; i < frames; i++) {
        bool silent = flags & AUDCLNT_BUFFERFLAGS_SILENT;
        endpoint->air[endpoint->queued + i] =
            silent ? 0 : endpoint->packet[(size_t)i * endpoint->channels];
    }
    endpoint->queued += frames;
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

static const IAudioRenderClientVtbl render_table = {
    UNKNOWN(IAudioRenderClient), .GetBuffer = render_get, .ReleaseBuffer = render_release};

/* ---- capturing ---- */

static HRESULT STDMETHODCALLTYPE
capture_size(IAudioCaptureClient *object, UINT32 *frames)
{
    UINT32 queued = fake_queued(endpoint_of(object));
    *frames = queued < FAKE_PERIOD ? queued : FAKE_PERIOD;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
capture_get(IAudioCaptureClient *object, BYTE **data, UINT32 *frames, DWORD *flags,
            UINT64 *position, UINT64 *qpc)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    (void)position;
    (void)qpc;
    capture_size(object, frames);
    for (UINT32 i = 0; i < *frames * endpoint->channels; i++) {
        endpoint->packet[i] = endpoint->values[0];
    }
    *data = (BYTE *)endpoint->packet;
    *flags = 0;
    return *frames ? S_OK : AUDCLNT_S_BUFFER_EMPTY;
}

static HRESULT STDMETHODCALLTYPE
capture_release(IAudioCaptureClient *object, UINT32 frames)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    AcquireSRWLockExclusive(&lock);
    endpoint->queued -= frames;
    memmove(endpoint->values, endpoint->values + 1, sizeof(endpoint->values) - sizeof(float));
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

static const IAudioCaptureClientVtbl capture_table = {
    UNKNOWN(IAudioCaptureClient), .GetBuffer = capture_get, .ReleaseBuffer = capture_release,
    .GetNextPacketSize = capture_size};

/* ---- the client ---- */

static HRESULT STDMETHODCALLTYPE
client_initialize(IAudioClient *object, AUDCLNT_SHAREMODE mode, DWORD flags,
                  REFERENCE_TIME duration, REFERENCE_TIME period, const WAVEFORMATEX *wave,
                  LPCGUID session)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    (void)mode;
    (void)flags;
    (void)duration;
    (void)period;
    (void)wave;
    (void)session;
    endpoint->initialized += SUCCEEDED(endpoint->initialize_result);
    return endpoint->initialize_result;
}

static HRESULT STDMETHODCALLTYPE
client_buffer(IAudioClient *object, UINT32 *frames)
{
    (void)object;
    *frames = FAKE_BUFFER;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_latency(IAudioClient *object, REFERENCE_TIME *latency)
{
    (void)object;
    *latency = 0; /* as on Windows 10 and 11 */
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_padding(IAudioClient *object, UINT32 *frames)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    *frames = fake_queued(endpoint);
    return endpoint->padding_result;
}

static HRESULT STDMETHODCALLTYPE
client_mix(IAudioClient *object, WAVEFORMATEX **wave)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    *wave = CoTaskMemAlloc(sizeof(WAVEFORMATEX));
    **wave = (WAVEFORMATEX){.wFormatTag = 3,
                            .nChannels = endpoint->channels,
                            .nSamplesPerSec = FAKE_RATE_HZ,
                            .nBlockAlign = (WORD)(4 * endpoint->channels),
                            .nAvgBytesPerSec = 4U * endpoint->channels * FAKE_RATE_HZ,
                            .wBitsPerSample = 32};
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_period(IAudioClient *object, REFERENCE_TIME *usual, REFERENCE_TIME *least)
{
    (void)object;
    *usual = (REFERENCE_TIME)FAKE_PERIOD * 10000000 / FAKE_RATE_HZ;
    if (least) {
        *least = 30000;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_start(IAudioClient *object)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    Sleep(endpoint->start_ms);
    AcquireSRWLockExclusive(&lock);
    endpoint->started += SUCCEEDED(endpoint->start_result);
    ReleaseSRWLockExclusive(&lock);
    return endpoint->start_result;
}

static HRESULT STDMETHODCALLTYPE
client_stop(IAudioClient *object)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    AcquireSRWLockExclusive(&lock);
    endpoint->started -= endpoint->started > 0;
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_reset(IAudioClient *object)
{
    AcquireSRWLockExclusive(&lock);
    endpoint_of(object)->queued = 0;
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_event(IAudioClient *object, HANDLE event)
{
    AcquireSRWLockExclusive(&lock);
    endpoint_of(object)->event = event;
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_service(IAudioClient *object, REFIID iid, void **out)
{
    struct fake_endpoint *endpoint = endpoint_of(object);
    (void)iid;
    *out = endpoint->flow == eRender ? (void *)&endpoint->render : (void *)&endpoint->capture;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
client_query(IAudioClient *object, REFIID iid, void **out)
{
    (void)object;
    (void)iid;
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE
client_count(IAudioClient *object)
{
    (void)object;
    return 1;
}

/* Released: its event is closed. */
static ULONG STDMETHODCALLTYPE
client_release(IAudioClient *object)
{
    client_event(object, NULL);
    return 0;
}

static const IAudioClientVtbl client_table = {.QueryInterface = client_query,
                                              .AddRef = client_count,
                                              .Release = client_release,
                                              .Initialize = client_initialize,
                                              .GetBufferSize = client_buffer,
                                              .GetStreamLatency = client_latency,
                                              .GetCurrentPadding = client_padding,
                                              .GetMixFormat = client_mix,
                                              .GetDevicePeriod = client_period,
                                              .Start = client_start,
                                              .Stop = client_stop,
                                              .Reset = client_reset,
                                              .SetEventHandle = client_event,
                                              .GetService = client_service};

/* ---- the device ---- */

static WCHAR *
copy(const WCHAR *text)
{
    size_t bytes = (wcslen(text) + 1) * sizeof(*text);
    return memcpy(CoTaskMemAlloc(bytes), text, bytes);
}

static HRESULT STDMETHODCALLTYPE
store_get(IPropertyStore *object, REFPROPERTYKEY key, PROPVARIANT *value)
{
    (void)key;
    value->vt = VT_LPWSTR;
    value->pwszVal = copy(endpoint_of(object)->name);
    return S_OK;
}

static const IPropertyStoreVtbl store_table = {UNKNOWN(IPropertyStore), .GetValue = store_get};

static HRESULT STDMETHODCALLTYPE
device_activate(IMMDevice *object, REFIID iid, DWORD context, PROPVARIANT *params, void **out)
{
    (void)iid;
    (void)context;
    (void)params;
    *out = &endpoint_of(object)->client;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
device_store(IMMDevice *object, DWORD access, IPropertyStore **store)
{
    (void)access;
    *store = (IPropertyStore *)&endpoint_of(object)->store;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
device_id(IMMDevice *object, WCHAR **id)
{
    *id = copy(endpoint_of(object)->id);
    return S_OK;
}

static const IMMDeviceVtbl device_table = {UNKNOWN(IMMDevice), .Activate = device_activate,
                                           .OpenPropertyStore = device_store, .GetId = device_id};

/* ---- all of them ---- */

static struct fake_endpoint *
find(EDataFlow flow, UINT index)
{
    for (unsigned i = 0; i < count; i++) {
        if (all[i].flow == flow && index-- == 0) {
            return &all[i];
        }
    }
    return NULL;
}

struct collection {
    const IMMDeviceCollectionVtbl *table;
    EDataFlow flow;
};

static HRESULT STDMETHODCALLTYPE
collection_count(IMMDeviceCollection *object, UINT *number)
{
    *number = 0;
    while (find(((struct collection *)object)->flow, *number)) {
        (*number)++;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
collection_item(IMMDeviceCollection *object, UINT index, IMMDevice **device)
{
    struct fake_endpoint *endpoint = find(((struct collection *)object)->flow, index);
    *device = endpoint ? (IMMDevice *)&endpoint->device : NULL;
    return endpoint ? S_OK : E_INVALIDARG;
}

static const IMMDeviceCollectionVtbl collection_table = {
    UNKNOWN(IMMDeviceCollection), .GetCount = collection_count, .Item = collection_item};

static HRESULT STDMETHODCALLTYPE
enumerator_all(IMMDeviceEnumerator *object, EDataFlow flow, DWORD states,
               IMMDeviceCollection **devices)
{
    static struct collection collections[2] = {{&collection_table, eRender},
                                               {&collection_table, eCapture}};
    (void)object;
    (void)states;
    *devices = (IMMDeviceCollection *)&collections[flow == eCapture];
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
enumerator_default(IMMDeviceEnumerator *object, EDataFlow flow, ERole role, IMMDevice **device)
{
    struct fake_endpoint *endpoint = find(flow, 0);
    (void)object;
    (void)role;
    *device = endpoint ? (IMMDevice *)&endpoint->device : NULL;
    return endpoint ? S_OK : HRESULT_FROM_WIN32(ERROR_NOT_FOUND);
}

static const IMMDeviceEnumeratorVtbl enumerator_table = {
    UNKNOWN(IMMDeviceEnumerator), .EnumAudioEndpoints = enumerator_all,
    .GetDefaultAudioEndpoint = enumerator_default};

static HRESULT WINAPI
create_instance(REFCLSID class_id, IUnknown *outer, DWORD context, REFIID iid, void **out)
{
    static const IMMDeviceEnumeratorVtbl *enumerator = &enumerator_table;
    (void)class_id;
    (void)outer;
    (void)context;
    (void)iid;
    *out = &enumerator;
    return S_OK;
}

typedef HRESULT(WINAPI *create_fn)(REFCLSID class_id, IUnknown *outer, DWORD context, REFIID iid,
                                   void **out);

/* What the linker finds before ole32's. */
extern const create_fn fake_import __asm__("__imp_CoCreateInstance");
const create_fn fake_import = create_instance;

/* ---- the test's ---- */

void
fake_reset(void)
{
    count = 0;
}

struct fake_endpoint *
fake_add(EDataFlow flow, const WCHAR *name, WORD channels)
{
    static const WCHAR *const ids[FAKE_ENDPOINTS] = {L"{0}", L"{1}", L"{2}", L"{3}",
                                                     L"{4}", L"{5}", L"{6}", L"{7}"};
    struct fake_endpoint *endpoint = &all[count];
    memset(endpoint, 0, sizeof(*endpoint));
    endpoint->flow = flow;
    endpoint->name = name;
    endpoint->id = ids[count++];
    endpoint->channels = channels;
    endpoint->device.table = &device_table;
    endpoint->store.table = &store_table;
    endpoint->client.table = &client_table;
    endpoint->render.table = &render_table;
    endpoint->capture.table = &capture_table;
    endpoint->device.endpoint = endpoint->store.endpoint = endpoint->client.endpoint =
        endpoint->render.endpoint = endpoint->capture.endpoint = endpoint;
    return endpoint;
}

void
fake_pass(struct fake_endpoint *endpoint)
{
    AcquireSRWLockExclusive(&lock);
    if (endpoint->flow == eCapture) {
        if (endpoint->queued < FAKE_CAPTURE_PERIODS * FAKE_PERIOD) {
            endpoint->values[endpoint->queued / FAKE_PERIOD] = endpoint->capture_value;
            endpoint->queued += FAKE_PERIOD;
        }
    } else {
        UINT32 taken = endpoint->queued < FAKE_PERIOD ? endpoint->queued : FAKE_PERIOD;
        endpoint->starved += taken < FAKE_PERIOD;
        endpoint->last_taken = taken ? endpoint->air[0] : 0;
        endpoint->queued -= taken;
        memmove(endpoint->air, endpoint->air + taken, endpoint->queued * sizeof(float));
    }
    if (endpoint->event) {
        SetEvent(endpoint->event);
    }
    ReleaseSRWLockExclusive(&lock);
}

UINT32
fake_queued(struct fake_endpoint *endpoint)
{
    AcquireSRWLockShared(&lock);
    UINT32 queued = endpoint->queued;
    ReleaseSRWLockShared(&lock);
    return queued;
}
