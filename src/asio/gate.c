/* SPDX-License-Identifier: MIT */
/*
 * The one gate through which every method enters: it counts who is inside, refuses what the state
 * does not allow and says why, lets one thread at a time into the calls that change something, and
 * lets only known errors out. The methods behind it check nothing of this.
 */
#include "asio/driver.h"

#include <stdlib.h>

#include "base/log.h"

static struct driver *
driver_of(struct asio_driver *self)
{
    return (struct driver *)self;
}

/* Calls after which, or during which, the callback thread is waited for. */
static bool
awaits_callback(enum call call)
{
    return call == CALL_START || call == CALL_STOP || call == CALL_DISPOSE_BUFFERS;
}

/* Hosts ask freely in any state, and stop and dispose to be sure: no warning. */
static void
log_refusal(struct driver *driver, enum call call, enum state state)
{
    if (rules[call].alone && !object_in_callback(driver)) {
        log_info("asio: '%s': %s refused: %s", driver->name->name, rules[call].name,
                 rules_state_text(state));
    }
}

/* True: go on, and gate_leave() afterwards. Otherwise *answer is what the host gets. What the host
 * computes with is kept in *theirs meanwhile. */
static bool
gate_enter(struct driver *driver, enum call call, int32_t *answer, struct float_env *theirs)
{
    float_env_enter(theirs);
    *answer = ASIO_NOT_PRESENT;
    atomic_fetch_add(&driver->inside, 1);
    /* Released already, from within its own callback. */
    if (atomic_load(&driver->references) == 0) {
        goto out;
    }
    if (rules[call].alone) {
        /* Other threads are gone when the process ends: one of them may have been the owner. */
        if (module_process_ends() || !object_own(driver, call, awaits_callback(call), answer)) {
            goto out;
        }
    }
    enum state state = object_state(driver);
    *answer = atomic_load(&driver->references) ? rules_check(call, state) : ASIO_NOT_PRESENT;
    if (*answer == ASIO_OK) {
        settings_begin_call(driver);
        return true;
    }
    object_fail(driver, *answer, "%s is not allowed now: %s", rules[call].name,
                rules_state_text(state));
    log_refusal(driver, call, state);
    if (rules[call].alone) {
        object_disown(driver);
    }
out:
    atomic_fetch_sub(&driver->inside, 1);
    float_env_leave(theirs);
    return false;
}

/* What a host did that changes something, and what failed of it. The callback thread writes no log.
 */
static void
log_call(struct driver *driver, enum call call, int32_t result)
{
    char text[ASIO_ERROR_BYTES];

    if (!rules[call].alone || object_in_callback(driver)) {
        return;
    }
    if (result == ASIO_OK) {
        host_log_call(driver, call);
        return;
    }
    object_get_error_text(driver, text);
    log_warning("asio: '%s': %s failed (%d): %s", driver->name->name, rules[call].name, (int)result,
                text);
}

static int32_t
gate_leave(struct driver *driver, enum call call, int32_t result, const struct float_env *theirs)
{
    bool known = result == ASIO_OK || (result == ASIO_SUCCESS && call == CALL_FUTURE) ||
                 (result >= ASIO_NOT_PRESENT && result <= ASIO_NO_MEMORY);

    settings_end_call(driver);
    log_call(driver, call, result);
    if (rules[call].alone) {
        object_disown(driver);
    }
    if (call == CALL_DISPOSE_BUFFERS && result == ASIO_OK) {
        messages_settle(driver);
    }
    atomic_fetch_sub(&driver->inside, 1);
    float_env_leave(theirs);
    return known ? result : ASIO_HW_MALFUNCTION;
}

/* A method: enters, does WORK as `driver`, leaves. */
#define THROUGH_GATE(CALL, WORK)                                                                   \
    struct driver *driver = driver_of(self);                                                       \
    struct float_env theirs;                                                                       \
    int32_t answer;                                                                                \
    return gate_enter(driver, CALL, &answer, &theirs) ? gate_leave(driver, CALL, WORK, &theirs)    \
                                                      : answer

/* ---- IUnknown ---- */

static uint32_t TUTTI_ASIO_UNKNOWN
gate_add_ref(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    uint32_t references = atomic_load(&driver->references);

    /* An object that is ending does not come back. */
    while (references &&
           !atomic_compare_exchange_weak(&driver->references, &references, references + 1)) {
    }
    return references ? references + 1 : 0;
}

static uint32_t TUTTI_ASIO_UNKNOWN
gate_release(struct asio_driver *self)
{
    struct driver *driver = driver_of(self);
    uint32_t references = atomic_load(&driver->references);

    while (references &&
           !atomic_compare_exchange_weak(&driver->references, &references, references - 1)) {
    }
    if (references == 1) {
        FLOAT_ENV_OURS;
        driver_end(driver);
    }
    return references ? references - 1 : 0;
}

static int32_t TUTTI_ASIO_UNKNOWN
gate_query_interface(struct asio_driver *self, const struct asio_guid *iid, void **object)
{
    static const struct asio_guid unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};

    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    if (!iid || (memcmp(iid, &unknown, sizeof(unknown)) != 0 &&
                 memcmp(iid, &driver_of(self)->name->clsid, sizeof(*iid)) != 0)) {
        return E_NOINTERFACE;
    }
    if (gate_add_ref(self) == 0) {
        return E_FAIL;
    }
    *object = self;
    return S_OK;
}

/* ---- methods without a result ---- */

static void TUTTI_ASIO
gate_get_driver_name(struct asio_driver *self, char *name)
{
    struct driver *driver = driver_of(self);
    struct float_env theirs;
    int32_t answer;

    if (!name || !gate_enter(driver, CALL_GET_DRIVER_NAME, &answer, &theirs)) {
        return;
    }
    strncpy(name, driver->name->name, ASIO_NAME_BYTES - 1);
    name[ASIO_NAME_BYTES - 1] = '\0';
    gate_leave(driver, CALL_GET_DRIVER_NAME, ASIO_OK, &theirs);
}

static void TUTTI_ASIO
gate_get_error_message(struct asio_driver *self, char *text)
{
    struct driver *driver = driver_of(self);
    struct float_env theirs;
    int32_t answer;

    if (!text || !gate_enter(driver, CALL_GET_ERROR_MESSAGE, &answer, &theirs)) {
        return;
    }
    object_get_error_text(driver, text);
    gate_leave(driver, CALL_GET_ERROR_MESSAGE, ASIO_OK, &theirs);
}

/* ---- methods with a result that is no error ---- */

static int32_t TUTTI_ASIO
gate_init(struct asio_driver *self, void *system_reference)
{
    struct driver *driver = driver_of(self);
    struct float_env theirs;
    int32_t answer;

    (void)system_reference; /* a window, or not; nothing here opens one */
    if (!gate_enter(driver, CALL_INIT, &answer, &theirs)) {
        return 0;
    }
    return gate_leave(driver, CALL_INIT, driver_init(driver), &theirs) == ASIO_OK;
}

static int32_t TUTTI_ASIO
gate_get_driver_version(struct asio_driver *self)
{
    (void)self;
    return TUTTI_VERSION_NUMBER;
}

/* ---- the others ---- */

static int32_t TUTTI_ASIO
gate_start(struct asio_driver *self)
{
    THROUGH_GATE(CALL_START, stream_start(driver));
}

static int32_t TUTTI_ASIO
gate_stop(struct asio_driver *self)
{
    THROUGH_GATE(CALL_STOP, stream_stop(driver));
}

static int32_t TUTTI_ASIO
gate_get_channels(struct asio_driver *self, int32_t *inputs, int32_t *outputs)
{
    THROUGH_GATE(CALL_GET_CHANNELS, device_get_channels(driver, inputs, outputs));
}

static int32_t TUTTI_ASIO
gate_get_latencies(struct asio_driver *self, int32_t *input_frames, int32_t *output_frames)
{
    THROUGH_GATE(CALL_GET_LATENCIES, device_get_latencies(driver, input_frames, output_frames));
}

static int32_t TUTTI_ASIO
gate_get_buffer_size(struct asio_driver *self, int32_t *min, int32_t *max, int32_t *preferred,
                     int32_t *granularity)
{
    THROUGH_GATE(CALL_GET_BUFFER_SIZE,
                 device_get_buffer_size(driver, min, max, preferred, granularity));
}

static int32_t TUTTI_ASIO
gate_can_sample_rate(struct asio_driver *self, double rate_hz)
{
    THROUGH_GATE(CALL_CAN_SAMPLE_RATE, device_can_rate(driver, rate_hz));
}

static int32_t TUTTI_ASIO
gate_get_sample_rate(struct asio_driver *self, double *rate_hz)
{
    THROUGH_GATE(CALL_GET_SAMPLE_RATE, device_get_rate(driver, rate_hz));
}

static int32_t TUTTI_ASIO
gate_set_sample_rate(struct asio_driver *self, double rate_hz)
{
    THROUGH_GATE(CALL_SET_SAMPLE_RATE, device_set_rate(driver, rate_hz));
}

static int32_t TUTTI_ASIO
gate_get_clock_sources(struct asio_driver *self, struct asio_clock_source *clocks, int32_t *count)
{
    THROUGH_GATE(CALL_GET_CLOCK_SOURCES, device_get_clocks(driver, clocks, count));
}

static int32_t TUTTI_ASIO
gate_set_clock_source(struct asio_driver *self, int32_t index)
{
    THROUGH_GATE(CALL_SET_CLOCK_SOURCE, device_set_clock(driver, index));
}

static int32_t TUTTI_ASIO
gate_get_sample_position(struct asio_driver *self, struct asio_int64 *position,
                         struct asio_int64 *time_ns)
{
    THROUGH_GATE(CALL_GET_SAMPLE_POSITION, stream_get_position(driver, position, time_ns));
}

static int32_t TUTTI_ASIO
gate_get_channel_info(struct asio_driver *self, struct asio_channel_info *info)
{
    THROUGH_GATE(CALL_GET_CHANNEL_INFO, device_get_channel_info(driver, info));
}

static int32_t TUTTI_ASIO
gate_create_buffers(struct asio_driver *self, struct asio_buffer_info *infos, int32_t count,
                    int32_t buffer_frames, const struct asio_callbacks *callbacks)
{
    THROUGH_GATE(CALL_CREATE_BUFFERS,
                 stream_create(driver, infos, count, buffer_frames, callbacks, &theirs));
}

static int32_t TUTTI_ASIO
gate_dispose_buffers(struct asio_driver *self)
{
    THROUGH_GATE(CALL_DISPOSE_BUFFERS, stream_dispose(driver));
}

static int32_t TUTTI_ASIO
gate_control_panel(struct asio_driver *self)
{
    THROUGH_GATE(CALL_CONTROL_PANEL,
                 object_fail(driver, ASIO_NOT_PRESENT,
                             "there is no control panel; settings are in tutti.ini, devices are "
                             "listed by 'tutti devices'"));
}

static int32_t TUTTI_ASIO
gate_future(struct asio_driver *self, int32_t selector, void *parameter)
{
    THROUGH_GATE(CALL_FUTURE, future_ask(driver, selector, parameter));
}

static int32_t TUTTI_ASIO
gate_output_ready(struct asio_driver *self)
{
    THROUGH_GATE(CALL_OUTPUT_READY, stream_output_ready(driver));
}

const struct asio_driver_methods gate_methods = {
    .query_interface = gate_query_interface,
    .add_ref = gate_add_ref,
    .release = gate_release,
    .init = gate_init,
    .get_driver_name = gate_get_driver_name,
    .get_driver_version = gate_get_driver_version,
    .get_error_message = gate_get_error_message,
    .start = gate_start,
    .stop = gate_stop,
    .get_channels = gate_get_channels,
    .get_latencies = gate_get_latencies,
    .get_buffer_size = gate_get_buffer_size,
    .can_sample_rate = gate_can_sample_rate,
    .get_sample_rate = gate_get_sample_rate,
    .set_sample_rate = gate_set_sample_rate,
    .get_clock_sources = gate_get_clock_sources,
    .set_clock_source = gate_set_clock_source,
    .get_sample_position = gate_get_sample_position,
    .get_channel_info = gate_get_channel_info,
    .create_buffers = gate_create_buffers,
    .dispose_buffers = gate_dispose_buffers,
    .control_panel = gate_control_panel,
    .future = gate_future,
    .output_ready = gate_output_ready,
};
