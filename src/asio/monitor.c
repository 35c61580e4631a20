/* SPDX-License-Identifier: MIT */
/*
 * The host's input monitor, gains and meters: what it asked for, by its channels, becomes paths and
 * gains of libtutti's direct monitor. A host may ask in any thread, its callback included, and
 * drags faders: here it is only written down; the message thread tells the engine.
 */
#include "asio/driver.h"

#include "base/log.h"

/* Hosts take 0x20000000 for 0 dB (foobar2000's ASIO output and others set it); the greatest is then
 * 12 dB. */
#define UNITY 0x20000000
#define PAN_RIGHT 0x7fffffff
#define PAN_CENTRE 0x3fffffff /* and the next: there is none in the middle */

void
monitor_init(struct driver_monitor *monitor)
{
    InitializeSRWLock(&monitor->mutex);
    InitializeSRWLock(&monitor->telling);
    for (unsigned c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        monitor->input_gain[c] = monitor->output_gain[c] = 1.0f;
    }
}

static float
gain_of(int32_t gain)
{
    return (float)((double)gain / UNITY);
}

/* ---- the input monitor ---- */

/* An even output is the left one of a pair, within which the pan goes: all of the signal on both in
 * the middle. An odd one, and one without a partner, is meant alone. */
static void
set_input(struct driver_monitored *to, const struct asio_input_monitor *wanted, int32_t outputs,
          bool pans)
{
    to->on = wanted->state && wanted->output < outputs;
    if (!to->on) {
        return;
    }
    to->output = (uint32_t)wanted->output;
    to->pair = pans && wanted->output % 2 == 0 && wanted->output + 1 < outputs;
    to->left = to->right = gain_of(wanted->gain);
    if (to->pair && wanted->pan > PAN_CENTRE + 1) {
        to->left *= (float)((double)(PAN_RIGHT - wanted->pan) / PAN_CENTRE);
    }
    if (to->pair && wanted->pan < PAN_CENTRE) {
        to->right *= (float)((double)wanted->pan / PAN_CENTRE);
    }
}

int32_t
monitor_set_input(struct driver *driver, const struct asio_input_monitor *wanted)
{
    struct driver_monitor *monitor = &driver->monitor;
    int32_t inputs = 0, outputs = 0;

    if (!wanted || object_state(driver) == STATE_LOADED) {
        return object_fail(driver, ASIO_INVALID_PARAMETER,
                           "SetInputMonitor needs a struct and a driver that is initialised");
    }
    device_known_channels(driver, &inputs, &outputs);
    if (wanted->input < -1 || wanted->input >= inputs) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "there is no input channel %d of %d",
                           (int)wanted->input, (int)inputs);
    }
    if (wanted->state && (wanted->output < 0 || wanted->output >= outputs)) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "there is no output channel %d of %d",
                           (int)wanted->output, (int)outputs);
    }
    if (wanted->state && (wanted->gain < 0 || wanted->pan < 0)) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "gain and pan are not negative");
    }
    AcquireSRWLockExclusive(&monitor->mutex);
    if (wanted->input >= 0) {
        set_input(&monitor->input[wanted->input], wanted, outputs, true);
    } else {
        /* All: side by side, as they come in. Off is off for those that are gone, too. */
        for (int32_t i = 0; i < TUTTI_MAX_CHANNELS; i++) {
            if (i < inputs || !wanted->state) {
                struct asio_input_monitor one = *wanted;
                one.output = wanted->state ? wanted->output + i : 0;
                set_input(&monitor->input[i], &one, outputs, false);
            }
        }
    }
    ReleaseSRWLockExclusive(&monitor->mutex);
    object_post(driver, MESSAGE_MONITOR);
    return ASIO_SUCCESS;
}

/* ---- gains and meters ---- */

static bool
check_channel(struct driver *driver, bool is_input, const struct asio_channel_controls *controls)
{
    int32_t inputs = 0, outputs = 0;

    if (!controls || object_state(driver) == STATE_LOADED) {
        object_fail(driver, ASIO_INVALID_PARAMETER,
                    "gains and meters need a struct and a driver that is initialised");
        return false;
    }
    device_known_channels(driver, &inputs, &outputs);
    int32_t count = is_input ? inputs : outputs;
    if (controls->channel >= 0 && controls->channel < count) {
        return true;
    }
    object_fail(driver, ASIO_INVALID_PARAMETER, "there is no %s channel %d of %d",
                is_input ? "input" : "output", (int)controls->channel, (int)count);
    return false;
}

int32_t
monitor_set_gain(struct driver *driver, bool is_input, const struct asio_channel_controls *controls)
{
    struct driver_monitor *monitor = &driver->monitor;

    if (!check_channel(driver, is_input, controls)) {
        return ASIO_INVALID_PARAMETER;
    }
    if (controls->gain < 0) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "a gain is not negative");
    }
    AcquireSRWLockExclusive(&monitor->mutex);
    float *gains = is_input ? monitor->input_gain : monitor->output_gain;
    gains[controls->channel] = gain_of(controls->gain);
    ReleaseSRWLockExclusive(&monitor->mutex);
    object_post(driver, MESSAGE_MONITOR);
    return ASIO_SUCCESS;
}

int32_t
monitor_get_meter(struct driver *driver, bool is_input, struct asio_channel_controls *controls)
{
    if (!check_channel(driver, is_input, controls)) {
        return ASIO_INVALID_PARAMETER;
    }
    const _Atomic uint16_t *channels = is_input ? driver->input_channel : driver->output_channel;
    uint32_t channel = atomic_load(&channels[controls->channel]);
    float peak = tutti_take_peak(driver->client, is_input, channel);
    controls->meter = peak < 1.0f ? (int32_t)((double)peak * INT32_MAX) : INT32_MAX;
    return ASIO_SUCCESS;
}

/* ---- telling the engine ---- */

struct told {
    struct tutti_path path[TUTTI_MAX_PATHS];
    float input_gain[TUTTI_MAX_CHANNELS], output_gain[TUTTI_MAX_CHANNELS];
    struct tutti_monitor monitor;
};

static void
add_path(struct told *told, const struct driver *driver, uint32_t input, uint32_t output,
         float gain)
{
    if (gain > 0) {
        told->path[told->monitor.paths++] = (struct tutti_path){
            .input = atomic_load(&driver->input_channel[input]),
            .output = atomic_load(&driver->output_channel[output]),
            .gain = gain,
        };
    }
}

static void
collect(struct driver *driver, struct told *told)
{
    struct driver_monitor *monitor = &driver->monitor;
    int32_t inputs, outputs;

    device_known_channels(driver, &inputs, &outputs);
    told->monitor = (struct tutti_monitor){
        .path = told->path, .input_gain = told->input_gain, .output_gain = told->output_gain};
    for (uint32_t c = 0; c < TUTTI_MAX_CHANNELS; c++) {
        told->input_gain[c] = told->output_gain[c] = 1.0f;
    }
    AcquireSRWLockShared(&monitor->mutex);
    for (int32_t c = 0; c < inputs; c++) {
        const struct driver_monitored *input = &monitor->input[c];
        told->input_gain[atomic_load(&driver->input_channel[c])] = monitor->input_gain[c];
        if (input->on && input->output < (uint32_t)outputs) {
            add_path(told, driver, (uint32_t)c, input->output, input->left);
        }
        if (input->on && input->pair && input->output + 1 < (uint32_t)outputs) {
            add_path(told, driver, (uint32_t)c, input->output + 1, input->right);
        }
    }
    for (int32_t c = 0; c < outputs; c++) {
        told->output_gain[atomic_load(&driver->output_channel[c])] = monitor->output_gain[c];
    }
    ReleaseSRWLockShared(&monitor->mutex);
}

void
monitor_tell(struct driver *driver)
{
    struct told told;

    /* The thread that collects last sends last. */
    AcquireSRWLockExclusive(&driver->monitor.telling);
    collect(driver, &told);
    enum tutti_status status = tutti_set_monitor(driver->client, &told.monitor);
    ReleaseSRWLockExclusive(&driver->monitor.telling);
    if (status) {
        log_warning("asio: the direct monitor: %s", tutti_status_text(status));
    }
}
