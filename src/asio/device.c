/* SPDX-License-Identifier: MIT */
/*
 * What hosts ask of the device, in any state after init. Everything here is read from libtutti's
 * picture of the device or from the configuration: nothing opens it.
 */
#include "asio/driver.h"

#include <math.h>

#include "asio/channels.h"

/* The picture; the last known one while no engine answers. */
static void
get_device(struct driver *driver, struct tutti_device *device)
{
    memset(device, 0, sizeof *device);
    tutti_get_device(driver->client, device);
    if (!(device->rate_hz > 0))
        device->rate_hz = driver->config.device_rate;
}

/* ---- channels ---- */

unsigned
device_map_channels(struct driver *driver, bool is_input, uint16_t list[CONFIG_CHANNELS])
{
    struct tutti_device device;

    get_device(driver, &device);
    return channels_offered(&driver->config, is_input, is_input ? device.inputs : device.outputs,
                            list);
}

static void
count_channels(struct driver *driver, uint32_t *inputs, uint32_t *outputs)
{
    uint16_t list[CONFIG_CHANNELS];

    *inputs = device_map_channels(driver, true, list);
    *outputs = device_map_channels(driver, false, list);
}

int32_t
device_get_channels(struct driver *driver, int32_t *inputs, int32_t *outputs)
{
    uint32_t in, out;

    count_channels(driver, &in, &out);
    if (inputs)
        *inputs = (int32_t)in;
    if (outputs)
        *outputs = (int32_t)out;
    if (in + out)
        return ASIO_OK;
    if (driver->config.device_name[0])
        return driver_fail(
            driver, ASIO_NOT_PRESENT,
            "the device '%.40s' is not there; connect it or name another in tutti.ini",
            driver->config.device_name);
    return driver_fail(driver, ASIO_NOT_PRESENT,
                       "no sound device; connect one or choose another in the settings");
}

int32_t
device_get_channel_info(struct driver *driver, struct asio_channel_info *info)
{
    uint16_t list[CONFIG_CHANNELS];

    if (!info)
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "getChannelInfo without a struct");
    uint32_t count = device_map_channels(driver, info->is_input != 0, list);
    if (info->channel < 0 || (uint32_t)info->channel >= count)
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there is no %s channel %d of %u",
                           info->is_input ? "input" : "output", (int)info->channel,
                           (unsigned)count);
    const _Atomic bool *active = info->is_input ? driver->active_input : driver->active_output;
    info->is_active = atomic_load(&active[info->channel]);
    info->group = 0;
    info->type = ASIO_FLOAT32_LSB;
    channels_get_name(&driver->config, info->is_input != 0, (unsigned)info->channel,
                      list[info->channel], info->name);
    return ASIO_OK;
}

/* ---- buffer sizes ---- */

static bool
is_power_of_two(uint32_t n)
{
    return n && (n & (n - 1)) == 0;
}

struct sizes {
    int32_t min, max, preferred, granularity;
};

/* Powers of two where the configuration says nothing else: hosts are known to crash on other sizes.
 */
static void
get_sizes(const struct driver *driver, struct sizes *sizes)
{
    const struct config *config = &driver->config;

    sizes->min = config->program_buffer_min;
    sizes->max = config->program_buffer_max > sizes->min ? config->program_buffer_max : sizes->min;
    sizes->preferred = config->program_buffer;
    if (sizes->preferred < sizes->min)
        sizes->preferred = sizes->min;
    if (sizes->preferred > sizes->max)
        sizes->preferred = sizes->max;
    if (sizes->min == sizes->max)
        sizes->granularity = 0;
    else if (is_power_of_two((uint32_t)sizes->min) && is_power_of_two((uint32_t)sizes->max) &&
             is_power_of_two((uint32_t)sizes->preferred))
        sizes->granularity = -1;
    else
        sizes->granularity = 1;
}

int32_t
device_get_buffer_size(struct driver *driver, int32_t *min, int32_t *max, int32_t *preferred,
                       int32_t *granularity)
{
    struct sizes sizes;

    get_sizes(driver, &sizes);
    if (min)
        *min = sizes.min;
    if (max)
        *max = sizes.max;
    if (preferred)
        *preferred = sizes.preferred;
    if (granularity)
        *granularity = sizes.granularity;
    return ASIO_OK;
}

/* ---- latencies ---- */

static uint32_t
greatest_common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The device's own share, whichever period it was told for. */
static uint32_t
beyond_period(uint32_t latency_frames, uint32_t period_frames)
{
    return latency_frames > period_frames ? latency_frames - period_frames : 0;
}

static uint32_t
period_to_expect(const struct tutti_device *device, uint32_t buffer)
{
    if (device->state && strcmp(device->state, "running") == 0 && device->period_frames)
        return device->period_frames;
    if (device->period_max_frames && buffer > device->period_max_frames)
        return device->period_max_frames;
    return buffer < device->period_min_frames ? device->period_min_frames : buffer;
}

/* Before createBuffers: what the preferred size would give, by the engine's own rule (a program
 * with buffer B on period Q is answered within D, and waits B - gcd(B, Q) + D - Q longer than one
 * with B = Q). */
static void
estimate_latencies(struct driver *driver, uint32_t *input, uint32_t *output)
{
    struct tutti_device device;
    struct sizes sizes;

    get_device(driver, &device);
    get_sizes(driver, &sizes);
    uint32_t buffer = (uint32_t)sizes.preferred;
    uint32_t period = period_to_expect(&device, buffer);
    uint32_t answer =
        buffer <= period || driver->config.program_tight ? period : buffer / period * period;
    uint32_t added = buffer - greatest_common_divisor(buffer, period) + answer - period;
    uint32_t device_in = beyond_period(device.input_latency_frames, device.period_frames);
    uint32_t device_out = beyond_period(device.output_latency_frames, device.period_frames);

    if (driver->config.program_late_take)
        added += buffer;
    uint32_t round_trip = device_in + device_out + 2 * period + added;
    *input = buffer + device_in;
    *output = round_trip > *input ? round_trip - *input : 0;
}

static void
latencies(struct driver *driver, uint32_t *input, uint32_t *output)
{
    if (driver_state(driver) >= STATE_PREPARED) {
        uint64_t both = atomic_load(&driver->latencies);
        *input = (uint32_t)(both >> 32);
        *output = (uint32_t)both;
    } else {
        estimate_latencies(driver, input, output);
    }
}

int32_t
device_get_latencies(struct driver *driver, int32_t *input_frames, int32_t *output_frames)
{
    uint32_t input, output;

    latencies(driver, &input, &output);
    if (input_frames)
        *input_frames = (int32_t)input;
    if (output_frames)
        *output_frames = (int32_t)output;
    return ASIO_OK;
}

/* ---- rates ---- */

static bool
accepts_rate(const struct tutti_device *device, double rate_hz)
{
    if (!isfinite(rate_hz) || rate_hz <= 0)
        return false;
    if (rate_hz == device->rate_hz)
        return true;
    for (unsigned i = 0; i < TUTTI_MAX_RATES && device->rates_hz[i] > 0; i++) {
        if (device->rates_hz[i] == rate_hz)
            return true;
    }
    return false;
}

static int32_t
refuse_rate(struct driver *driver, double rate_hz)
{
    return driver_fail(driver, ASIO_NO_CLOCK, "the device does not run at %g Hz", rate_hz);
}

int32_t
device_can_rate(struct driver *driver, double rate_hz)
{
    struct tutti_device device;

    get_device(driver, &device);
    return accepts_rate(&device, rate_hz) ? ASIO_OK : refuse_rate(driver, rate_hz);
}

int32_t
device_get_rate(struct driver *driver, double *rate_hz)
{
    struct tutti_device device;
    double wanted = double_of_bits(atomic_load(&driver->wanted_rate));

    if (!rate_hz)
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "getSampleRate without a place for it");
    get_device(driver, &device);
    *rate_hz = wanted > 0 ? wanted : device.rate_hz;
    return ASIO_OK;
}

int32_t
device_set_rate(struct driver *driver, double rate_hz)
{
    struct tutti_device device;

    get_device(driver, &device);
    if (!accepts_rate(&device, rate_hz))
        return refuse_rate(driver, rate_hz);
    if (driver_state(driver) < STATE_PREPARED) {
        enum tutti_status status = tutti_set_rate(driver->client, rate_hz);
        return status ? driver_fail_status(driver, status) : ASIO_OK;
    }
    if (rate_hz == device.rate_hz) {
        atomic_store(&driver->wanted_rate, 0);
        return ASIO_OK;
    }
    /* Buffers belong to a rate. The host is asked to make new ones; the rate changes in between. */
    if (!(driver->stream.host_knows & 1u << ASIO_MESSAGE_RESET_REQUEST))
        return driver_fail(driver, ASIO_INVALID_MODE,
                           "dispose the buffers before changing the sample rate");
    atomic_store(&driver->wanted_rate, bits_of_double(rate_hz));
    messages_post(driver, MESSAGE_RESET);
    return ASIO_OK;
}

void
device_apply_wanted_rate(struct driver *driver)
{
    double wanted = double_of_bits(atomic_exchange(&driver->wanted_rate, 0));

    if (!(wanted > 0))
        return;
    enum tutti_status status = tutti_set_rate(driver->client, wanted);
    if (status)
        driver_fail_status(driver, status);
}

/* ---- clocks ---- */

int32_t
device_get_clocks(struct driver *driver, struct asio_clock_source *clocks, int32_t *count)
{
    static const struct asio_clock_source only = {
        .index = 0,
        .associated_channel = -1,
        .associated_group = -1,
        .is_current = 1,
        .name = "Internal",
    };

    if (!count)
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "getClockSources without a count");
    /* Some hosts offer no room at all: they only count. */
    if (clocks && *count >= 1)
        clocks[0] = only;
    *count = 1;
    return ASIO_OK;
}

int32_t
device_set_clock(struct driver *driver, int32_t index)
{
    if (index != 0)
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there is one clock, number 0");
    return ASIO_OK;
}
