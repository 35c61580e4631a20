/* SPDX-License-Identifier: MIT */
/* The object: references, init, texts, and the table of methods. */
#include "broken.h"

#include <math.h>
#include <objbase.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmmintrin.h>

/* Objects that were released. */
static LONG ended;
/* And those among them that had had buffers. */
static LONG lives;

/* ---- texts ---- */

int32_t
driver_fail(struct driver *driver, int32_t result, const char *format, ...)
{
    char text[sizeof(driver->error)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    EnterCriticalSection(&driver->lock);
    memcpy(driver->error, text, sizeof(text));
    LeaveCriticalSection(&driver->lock);
    return result;
}

bool
driver_ready(struct driver *driver, int32_t *result)
{
    if (driver->initialized && BROKEN(objects_share_state) && driver->born != ended) {
        *result = driver_fail(driver, ASIO_NOT_PRESENT, "the device is gone");
        return false;
    }
    if (driver->initialized || BROKEN(works_before_init)) {
        return true;
    }
    *result = driver_fail(driver, ASIO_NOT_PRESENT, "call init first");
    return false;
}

/* ---- the rate of this process ---- */

/* A variable of the environment lives as long as the process, also when the module is unloaded. */
#define RATE_VARIABLE "BROKEN_BY_DESIGN_RATE"

double
rate_recall(void)
{
    char text[32];
    DWORD length = GetEnvironmentVariableA(RATE_VARIABLE, text, sizeof(text));

    if (length == 0 || length >= sizeof(text) || BROKEN(rate_forgotten)) {
        return 48000;
    }
    return atof(text);
}

void
rate_remember(double rate_hz)
{
    char text[32];

    snprintf(text, sizeof(text), "%.0f", rate_hz);
    SetEnvironmentVariableA(RATE_VARIABLE, text);
}

/* ---- IUnknown ---- */

static const struct asio_guid class_id = {
    0x0b0c7a5e, 0x51d3, 0x4be8, {0x9d, 0x0f, 0x7e, 0x42, 0xb0, 0x1d, 0x6c, 0xa3}};

static int32_t TUTTI_ASIO_UNKNOWN
query_interface(struct asio_driver *self, const struct asio_guid *iid, void **object)
{
    static const struct asio_guid unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    struct driver *driver = driver_of(self);
    bool known = memcmp(iid, &class_id, sizeof(*iid)) == 0;

    if (!BROKEN(unknown_denied)) {
        known = known || memcmp(iid, &unknown, sizeof(*iid)) == 0;
    }
    if (BROKEN(any_interface)) {
        known = true;
    }
    if (!object) {
        return (int32_t)E_POINTER;
    }
    if (!known) {
        if (!BROKEN(query_leaves_pointer)) {
            *object = NULL;
        }
        return (int32_t)E_NOINTERFACE;
    }
    *object = self;
    InterlockedIncrement(&driver->references);
    return S_OK;
}

static uint32_t TUTTI_ASIO_UNKNOWN
add_ref(struct asio_driver *self)
{
    uint32_t references = (uint32_t)InterlockedIncrement(&driver_of(self)->references);

    return BROKEN(references_wrong) ? references + 1 : references;
}

bool
in_callback(const struct driver *driver)
{
    const struct stream *stream = driver->stream;

    return stream && stream->in_callback && GetCurrentThreadId() == stream->tid;
}

static void
free_driver(struct driver *driver)
{
    if (BROKEN(mark_of_creation)) {
        mark_clear("creation");
    }
    if (BROKEN(mark_of_init) && driver->initialized) {
        mark_clear("init");
    }
    InterlockedIncrement(&ended);
    lives += driver->prepared_before;
    DeleteCriticalSection(&driver->lock);
    free(driver);
    dll_let_go();
}

static uint32_t TUTTI_ASIO_UNKNOWN
release(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    LONG references = InterlockedDecrement(&driver->references);

    if (references > 0) {
        return BROKEN(references_wrong) ? (uint32_t)references + 1 : (uint32_t)references;
    }
    if (BROKEN(release_in_callback_deadlocks) && in_callback(driver)) {
        WaitForSingleObject(driver->stream->thread, INFINITE);
    }
    if (!BROKEN(release_leaves_running)) {
        dispose_buffers(self);
    }
    free_driver(driver);
    return BROKEN(release_never_zero) ? 1 : 0;
}

/* ---- init ---- */

static APTTYPE
apartment(void)
{
    APTTYPE type = APTTYPE_NA;
    APTTYPEQUALIFIER qualifier;

    CoGetApartmentType(&type, &qualifier);
    return type;
}

/* A device that one object of this process may have only. */
static bool
take_device(void)
{
    char name[64];

    snprintf(name, sizeof(name), "broken-by-design-%lu", GetCurrentProcessId());
    HANDLE device = CreateMutexA(NULL, FALSE, name);
    return device && GetLastError() != ERROR_ALREADY_EXISTS;
}

/* False: init fails. */
static bool
init_defects(struct driver *driver, void *window)
{
    static LONG inits;
    APTTYPE type = apartment();

    if (BROKEN(needs_sta) && type != APTTYPE_STA && type != APTTYPE_MAINSTA) {
        return false;
    }
    if (BROKEN(needs_main_sta) && type == APTTYPE_STA) {
        return false;
    }
    if (BROKEN(init_slow)) {
        Sleep(5500);
    }
    if (BROKEN(init_minds_window) && window && !IsWindow(window)) {
        return false;
    }
    if (BROKEN(init_exclusive) && !take_device()) {
        return false;
    }
    if (BROKEN(inits_limited) && InterlockedIncrement(&inits) > 12) {
        return false;
    }
    if (BROKEN(second_life_fails) && lives > 0) {
        return false;
    }
    if (BROKEN(lives_limited) && lives > 12) {
        return false;
    }
    if (BROKEN(mark_of_init) && !mark_set("init")) {
        return false;
    }
    if (BROKEN(float_state_lost)) {
        _mm_setcsr(_mm_getcsr() | 0x8040); /* flushes denormals */
    }
    if (BROKEN(init_twice_hangs) && driver->initialized) {
        Sleep(INFINITE);
    }
    if (BROKEN(init_twice_crash) && driver->initialized) {
        *(volatile int *)NULL = 0;
    }
    return true;
}

static int32_t TUTTI_ASIO
init(struct asio_driver *self, void *system_reference)
{
    struct driver *driver = driver_of(self);

    if (BROKEN(init_twice_disposes)) {
        dispose_buffers(self);
    }
    if (driver->initialized && BROKEN(init_twice_refused)) {
        driver_fail(driver, ASIO_INVALID_MODE, "init was called before");
        return 0;
    }
    if (driver->initialized && !BROKEN(init_twice_crash) && !BROKEN(init_twice_hangs)) {
        return 1;
    }
    if (!init_defects(driver, system_reference)) {
        driver_fail(driver, ASIO_NOT_PRESENT, "the device is in use; close the other program");
        return 0;
    }
    if (BROKEN(init_silent)) {
        driver->error[0] = '\0';
        return 0;
    }
    driver->rate_hz = rate_recall();
    driver->tid = GetCurrentThreadId();
    driver->born = ended;
    driver->initialized = true;
    return BROKEN(init_answers_minus_one) ? -1 : 1;
}

static void TUTTI_ASIO
get_driver_name(struct asio_driver *self, char *name)
{
    (void)self;
    memset(name, 0, ASIO_NAME_BYTES);
    strcpy(name, BROKEN(name_differs) ? "Broken by Design (4 in, 4 out)" : BROKEN_NAME);
    if (BROKEN(registered_name_long) || BROKEN(registered_name_not_ascii)) {
        snprintf(name, ASIO_NAME_BYTES, "%s", dll_entry_name());
    }
    if (BROKEN(name_overrun)) {
        name[ASIO_NAME_BYTES] = 0;
    }
    if (BROKEN(name_unterminated)) {
        memset(name, 'x', ASIO_NAME_BYTES);
    }
    if (BROKEN(name_not_ascii)) {
        name[3] = (char)0xe9;
    }
}

static int32_t TUTTI_ASIO
get_driver_version(struct asio_driver *self)
{
    (void)self;
    /* ebx belongs to the caller, and the compiler is not told */
    if (BROKEN(register_lost)) {
        __asm__ volatile("xorl %ebx, %ebx");
    }
    return BROKEN(version_zero) ? 0 : 1;
}

static void TUTTI_ASIO
get_error_message(struct asio_driver *self, char *text)
{
    struct driver *driver = driver_of(self);

    EnterCriticalSection(&driver->lock);
    driver->error[ASIO_ERROR_BYTES - 1] = '\0';
    strcpy(text, driver->error);
    LeaveCriticalSection(&driver->lock);
    if (BROKEN(error_too_long)) {
        memset(text, 'x', ASIO_ERROR_BYTES + 16);
    }
    if (BROKEN(error_unterminated)) {
        memset(text, 'x', ASIO_ERROR_BYTES);
    }
    if (BROKEN(error_empty)) {
        text[0] = '\0';
    }
}

static int32_t TUTTI_ASIO
control_panel(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    static LONG panels;

    if (BROKEN(panel_blocks)) {
        Sleep(INFINITE);
    }
    if (BROKEN(second_panel_crash) && InterlockedIncrement(&panels) > 1) {
        *(volatile int *)NULL = 0;
    }
    if (BROKEN(panel_strange_answer)) {
        return 17;
    }
    return driver_fail(driver, ASIO_NOT_PRESENT, "there is no control panel");
}

/* ---- the table ---- */

/* Pops four bytes more than it was given, on 32-bit x86; harmless elsewhere. */
static int32_t TUTTI_ASIO
pops_too_much(struct asio_driver *self, int32_t *inputs, int32_t *outputs, int32_t surplus)
{
    (void)surplus;
    return get_channels(self, inputs, outputs);
}

typedef int32_t(TUTTI_ASIO *get_channels_fn)(struct asio_driver *, int32_t *, int32_t *);

static const struct asio_driver_methods methods = {
    .query_interface = query_interface,
    .add_ref = add_ref,
    .release = release,
    .init = init,
    .get_driver_name = get_driver_name,
    .get_driver_version = get_driver_version,
    .get_error_message = get_error_message,
    .start = start,
    .stop = stop,
    .get_channels = get_channels,
    .get_latencies = get_latencies,
    .get_buffer_size = get_buffer_size,
    .can_sample_rate = can_sample_rate,
    .get_sample_rate = get_sample_rate,
    .set_sample_rate = set_sample_rate,
    .get_clock_sources = get_clock_sources,
    .set_clock_source = set_clock_source,
    .get_sample_position = get_sample_position,
    .get_channel_info = get_channel_info,
    .create_buffers = create_buffers,
    .dispose_buffers = dispose_buffers,
    .control_panel = control_panel,
    .future = future,
    .output_ready = output_ready,
};

struct asio_driver *
driver_new(void)
{
    static struct asio_driver_methods wrong;
    struct driver *driver = calloc(1, sizeof(*driver));

    if (!driver) {
        return NULL;
    }
    driver->com.methods = &methods;
    if (BROKEN(pops_wrong)) {
        void (*any)(void) = (void (*)(void))pops_too_much;
        wrong = methods;
        memcpy(&wrong.get_channels, &any, sizeof(any));
        driver->com.methods = &wrong;
    }
    if (BROKEN(slot_missing)) {
        wrong = methods;
        wrong.set_clock_source = NULL;
        driver->com.methods = &wrong;
    }
    if (BROKEN(mark_of_creation) && !mark_set("creation")) {
        free(driver);
        return NULL;
    }
    driver->references = 1;
    InitializeCriticalSection(&driver->lock);
    strcpy(driver->error, "no error");
    dll_hold();
    return &driver->com;
}
