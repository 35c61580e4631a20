/* SPDX-License-Identifier: MIT */
/*
 * What hosts ask of the device, in any state after init. Everything here is read from libtutti's
 * picture of the device or from the configuration: nothing opens it.
 */
#include "asio/driver.h"

#include <math.h>

#include "asio/channels.h"
#include "asio/names.h"
#include "base/log.h"
#include "base/number.h"

/* The picture; the last known one while no engine answers. */
static void
get_device(struct driver *driver, struct tutti_device *device)
{
    memset(device, 0, sizeof(*device));
    tutti_get_device(driver->client, device);
    if (!(device->rate_hz > 0)) {
        device->rate_hz = driver->config.device_rate;
    }
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

static uint32_t
count_side(struct driver *driver, bool is_input)
{
    uint16_t list[CONFIG_CHANNELS];
    _Atomic uint16_t *channels = is_input ? driver->input_channel : driver->output_channel;
    unsigned count = device_map_channels(driver, is_input, list);

    for (unsigned c = 0; c < count; c++) {
        atomic_store(&channels[c], list[c]);
    }
    return count;
}

static void
count_channels(struct driver *driver, uint32_t *inputs, uint32_t *outputs)
{
    *inputs = count_side(driver, true);
    *outputs = count_side(driver, false);
    atomic_store(&driver->channels, (uint64_t)*inputs << 32 | *outputs);
}

void
device_known_channels(struct driver *driver, int32_t *inputs, int32_t *outputs)
{
    uint32_t in, out;

    if (!atomic_load(&driver->channels)) {
        count_channels(driver, &in, &out);
    }
    uint64_t both = atomic_load(&driver->channels);
    *inputs = (int32_t)(both >> 32);
    *outputs = (int32_t)(uint32_t)both;
}

int32_t
device_get_channels(struct driver *driver, int32_t *inputs, int32_t *outputs)
{
    uint32_t in, out;

    count_channels(driver, &in, &out);
    if (inputs) {
        *inputs = (int32_t)in;
    }
    if (outputs) {
        *outputs = (int32_t)out;
    }
    if (in + out) {
        return ASIO_OK;
    }
    if (driver->config.device_name[0]) {
        return object_fail(
            driver, ASIO_NOT_PRESENT,
            "the device '%.40s' is not there; connect it or name another in tutti.ini",
            driver->config.device_name);
    }
    return object_fail(driver, ASIO_NOT_PRESENT,
                       "no sound device; connect one or choose another in the settings");
}

int32_t
device_get_channel_info(struct driver *driver, struct asio_channel_info *info)
{
    uint16_t list[CONFIG_CHANNELS];

    if (!info) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "getChannelInfo without a struct");
    }
    uint32_t count = device_map_channels(driver, info->is_input != 0, list);
    if (info->channel < 0 || (uint32_t)info->channel >= count) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "there is no %s channel %d of %u",
                           info->is_input ? "input" : "output", (int)info->channel,
                           (unsigned)count);
    }
    const _Atomic bool *active = info->is_input ? driver->active_input : driver->active_output;
    info->is_active = atomic_load(&active[info->channel]);
    info->group = 0;
    info->type =
        object_state(driver) >= STATE_PREPARED ? driver->buffers.type : dsd_sample_type(driver);
    names_get(&driver->config, info->is_input != 0, (unsigned)info->channel, list[info->channel],
              GetACP(), info->name);
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
 * Whatever period the device has, the engine serves any size on it (docs/adr/0009); where only the
 * device's own is wanted, [program] buffer_fixed says so. */
static void
get_sizes(struct driver *driver, struct sizes *sizes)
{
    const struct config *config = &driver->config;
    int32_t step = config->program_buffer_step;

    if (config->program_buffer_fixed) {
        struct tutti_device device;
        get_device(driver, &device);
        if (device.period_min_frames && device.period_min_frames == device.period_max_frames) {
            sizes->min = sizes->max = sizes->preferred = (int32_t)device.period_min_frames;
            sizes->granularity = 0;
            return;
        }
    }
    sizes->min = config->program_buffer_min;
    sizes->max = config->program_buffer_max > sizes->min ? config->program_buffer_max : sizes->min;
    sizes->preferred = config->program_buffer;
    if (sizes->preferred < sizes->min) {
        sizes->preferred = sizes->min;
    }
    if (sizes->preferred > sizes->max) {
        sizes->preferred = sizes->max;
    }
    if (step) {
        sizes->max -= (sizes->max - sizes->min) % step;
        sizes->preferred -= (sizes->preferred - sizes->min) % step;
        sizes->granularity = step;
    } else if (is_power_of_two((uint32_t)sizes->min) && is_power_of_two((uint32_t)sizes->max) &&
               is_power_of_two((uint32_t)sizes->preferred)) {
        sizes->granularity = -1;
    } else {
        sizes->granularity = 1;
    }
    if (sizes->min == sizes->max) {
        sizes->granularity = 0;
    }
}

static bool
is_offered(const struct sizes *sizes, int32_t frames)
{
    if (frames < sizes->min || frames > sizes->max) {
        return false;
    }
    if (sizes->granularity < 0) {
        return is_power_of_two((uint32_t)frames);
    }
    return sizes->granularity == 0 || (frames - sizes->min) % sizes->granularity == 0;
}

bool
device_offers(struct driver *driver, int32_t buffer_frames)
{
    struct sizes sizes;
    int32_t unit = (int32_t)dsd_unit(driver);

    get_sizes(driver, &sizes);
    return buffer_frames % unit == 0 && is_offered(&sizes, buffer_frames / unit);
}

int32_t
device_check_buffer_size(struct driver *driver, int32_t buffer_frames)
{
    struct sizes sizes;
    char steps[32] = "";
    int32_t unit = (int32_t)dsd_unit(driver);

    if (device_offers(driver, buffer_frames)) {
        return ASIO_OK;
    }
    get_sizes(driver, &sizes);
    if (sizes.granularity == 0) {
        return object_fail(driver, ASIO_INVALID_MODE,
                           "buffers have %d frames, not %d; see [program] in tutti.ini",
                           (int)(sizes.min * unit), (int)buffer_frames);
    }
    if (sizes.granularity < 0) {
        snprintf(steps, sizeof(steps), ", powers of two");
    } else if (sizes.granularity * unit > 1) {
        snprintf(steps, sizeof(steps), " in steps of %d", (int)(sizes.granularity * unit));
    }
    return object_fail(driver, ASIO_INVALID_MODE,
                       "buffers have %d to %d frames%s, not %d; see [program] in tutti.ini",
                       (int)(sizes.min * unit), (int)(sizes.max * unit), steps, (int)buffer_frames);
}

int32_t
device_get_buffer_size(struct driver *driver, int32_t *min, int32_t *max, int32_t *preferred,
                       int32_t *granularity)
{
    struct sizes sizes;
    int32_t unit = (int32_t)dsd_unit(driver);

    get_sizes(driver, &sizes);
    if (min) {
        *min = sizes.min * unit;
    }
    if (max) {
        *max = sizes.max * unit;
    }
    if (preferred) {
        *preferred = sizes.preferred * unit;
    }
    if (granularity) {
        *granularity = sizes.granularity > 0 ? sizes.granularity * unit : sizes.granularity;
    }
    return ASIO_OK;
}

/* ---- latencies ---- */

/* The device's own share, whichever period it was reported for. */
static uint32_t
beyond_period(uint32_t latency_frames, uint32_t period_frames)
{
    return latency_frames > period_frames ? latency_frames - period_frames : 0;
}

/* Before createBuffers: what the engine would give to the preferred size. While no engine answers:
 * as on a device that takes this size for its period. */
static void
estimate_latencies(struct driver *driver, uint32_t *input, uint32_t *output)
{
    struct tutti_device device;
    struct sizes sizes;

    get_sizes(driver, &sizes);
    uint32_t buffer = (uint32_t)sizes.preferred;
    const struct tutti_stream_params params = {
        .buffer_frames = buffer,
        .late_take = driver->config.program_late_take,
        .tight = driver->config.program_tight,
        .exact = atomic_load(&driver->dsd),
    };
    if (tutti_forecast_latencies(driver->client, &params, input, output) == TUTTI_OK) {
        return;
    }
    get_device(driver, &device);
    *input = buffer + beyond_period(device.input_latency_frames, device.period_frames);
    *output = buffer + beyond_period(device.output_latency_frames, device.period_frames) +
              (params.late_take ? buffer : 0);
}

static void
latencies(struct driver *driver, uint32_t *input, uint32_t *output)
{
    if (object_state(driver) >= STATE_PREPARED) {
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
    uint32_t input, output, unit = dsd_unit(driver);

    latencies(driver, &input, &output);
    if (input_frames) {
        *input_frames = (int32_t)(input * unit);
    }
    if (output_frames) {
        *output_frames = (int32_t)(output * unit);
    }
    return ASIO_OK;
}

/* ---- rates ---- */

static bool
accepts_rate(const struct tutti_device *device, double rate_hz)
{
    if (!isfinite(rate_hz) || rate_hz <= 0) {
        return false;
    }
    if (rate_hz == device->rate_hz) {
        return true;
    }
    for (unsigned i = 0; i < TUTTI_MAX_RATES && device->rates_hz[i] > 0; i++) {
        if (device->rates_hz[i] == rate_hz) {
            return true;
        }
    }
    return false;
}

static int32_t
refuse_rate(struct driver *driver, double rate_hz)
{
    return object_fail(driver, ASIO_NO_CLOCK, "the device does not run at %s Hz",
                       number_text(rate_hz).text);
}

/* What setSampleRate would answer, but for the number of the error: in_use. */
static int32_t
check_rate(struct driver *driver, double rate_hz, int32_t in_use)
{
    char text[TUTTI_TEXT_BYTES] = "";
    double device_hz = dsd_device_rate(driver, rate_hz);
    enum tutti_status status = tutti_can_rate(driver->client, device_hz, text);

    if (status == TUTTI_ENGINE_LOST || status == TUTTI_TIMEOUT) {
        struct tutti_device device;
        get_device(driver, &device);
        status = accepts_rate(&device, device_hz) ? TUTTI_OK : TUTTI_UNSUPPORTED_RATE;
    }
    if (status == TUTTI_UNSUPPORTED_RATE) {
        return refuse_rate(driver, rate_hz);
    }
    return status ? object_fail(driver, in_use, "%s", text) : ASIO_OK;
}

int32_t
device_can_rate(struct driver *driver, double rate_hz)
{
    /* PortAudio takes any other error for a yes. */
    return check_rate(driver, rate_hz, ASIO_NO_CLOCK);
}

int32_t
device_get_rate(struct driver *driver, double *rate_hz)
{
    double device_hz = double_of_bits(atomic_load(&driver->rate));

    if (!rate_hz) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "getSampleRate without a place for it");
    }
    /* With buffers: what the time info says. */
    if (object_state(driver) < STATE_PREPARED) {
        struct tutti_device device;
        get_device(driver, &device);
        device_hz = device.rate_hz;
    }
    atomic_store(&driver->seen_rate, bits_of_double(device_hz));
    *rate_hz = device_hz * dsd_unit(driver);
    return ASIO_OK;
}

/* Hosts set a rate in one instance, destroy it, and expect the next one to have it: for as long as
 * the engine lives it remembers by itself, and beyond that this process does, for each entry: each
 * may have a device of its own. A row is an entry's from its first use on. */
static struct {
    SRWLOCK mutex;
    struct {
        char profile[CONFIG_PROFILE_BYTES];
        double rate_hz; /* that a host here set last; 0: the row is free */
    } row[CONFIG_PROFILES + 1];
} remembered = {.mutex = SRWLOCK_INIT};

/* The rate of the driver's entry, 0 when no host set one; after it is changed to rate_hz, if that
 * is one and `first` or the entry had one. */
static double
remember(const struct driver *driver, double rate_hz, bool first)
{
    double answer = 0;

    AcquireSRWLockExclusive(&remembered.mutex);
    for (unsigned i = 0; i <= CONFIG_PROFILES; i++) {
        bool is_free = !(remembered.row[i].rate_hz > 0);
        if (is_free ? !first : strcmp(remembered.row[i].profile, driver->name->profile) != 0) {
            continue;
        }
        if (rate_hz > 0) {
            memcpy(remembered.row[i].profile, driver->name->profile, CONFIG_PROFILE_BYTES);
            remembered.row[i].rate_hz = rate_hz;
        }
        answer = remembered.row[i].rate_hz;
        break;
    }
    ReleaseSRWLockExclusive(&remembered.mutex);
    return answer;
}

static int32_t
ask_for_rate(struct driver *driver, double device_hz)
{
    enum tutti_status status = tutti_set_rate(driver->client, device_hz);

    if (status == TUTTI_UNSUPPORTED_RATE) {
        return refuse_rate(driver, device_hz * dsd_unit(driver));
    }
    if (status) {
        return object_fail_status(driver, status);
    }
    if (!atomic_load(&driver->dsd)) { /* a rate that carries DSD is asked for by its host alone */
        remember(driver, device_hz, true);
    }
    atomic_store(&driver->seen_rate, bits_of_double(device_hz));
    return ASIO_OK;
}

/* The engine reopens the device under the buffers, and callbacks go on. The RATE event that follows
 * is no news then. */
static int32_t
change_rate(struct driver *driver, double device_hz)
{
    atomic_store(&driver->own_rate, bits_of_double(device_hz));
    int32_t result = ask_for_rate(driver, device_hz);
    if (result) {
        atomic_store(&driver->own_rate, 0);
        return result;
    }
    atomic_store(&driver->rate, bits_of_double(device_hz));
    object_post_rate(driver, device_hz);
    return ASIO_OK;
}

int32_t
device_set_rate(struct driver *driver, double rate_hz)
{
    int32_t result = check_rate(driver, rate_hz, ASIO_INVALID_MODE);
    double device_hz = dsd_device_rate(driver, rate_hz);

    if (result) {
        return result;
    }
    if (object_state(driver) < STATE_PREPARED) {
        return ask_for_rate(driver, device_hz);
    }
    if (device_hz == double_of_bits(atomic_load(&driver->rate))) {
        atomic_store(&driver->seen_rate, bits_of_double(device_hz));
        return ASIO_OK;
    }
    if (object_in_callback(driver)) { /* which waits for no device to open */
        atomic_store(&driver->wanted_rate, bits_of_double(device_hz));
        object_post(driver, MESSAGE_SET_RATE);
        return ASIO_OK;
    }
    return change_rate(driver, device_hz);
}

void
device_apply_wanted_rate(struct driver *driver)
{
    double device_hz = double_of_bits(atomic_exchange(&driver->wanted_rate, 0));
    int32_t ignored;

    if (!(device_hz > 0) || !object_own(driver, CALL_SET_SAMPLE_RATE, false, &ignored)) {
        return;
    }
    int32_t result = object_state(driver) < STATE_PREPARED ? ask_for_rate(driver, device_hz)
                                                           : change_rate(driver, device_hz);
    if (result) {
        log_warning("asio: '%s': the rate of %s Hz that the host set within a callback was "
                    "refused: %s",
                    driver->name->name, number_text(device_hz).text,
                    tutti_last_error(driver->client));
    }
    object_disown(driver);
}

void
device_recall_rate(struct driver *driver)
{
    struct tutti_device device;
    double rate_hz = remember(driver, 0, false);

    if (!(rate_hz > 0)) {
        return;
    }
    get_device(driver, &device);
    /* Others may hold the device at another rate: then it stays as it is. */
    if (rate_hz == device.rate_hz || !accepts_rate(&device, rate_hz)) {
        return;
    }
    enum tutti_status status = tutti_set_rate(driver->client, rate_hz);
    log_info("asio: '%s': a host of this process set %s Hz before: %s", driver->name->name,
             number_text(rate_hz).text, status ? tutti_status_text(status) : "so it is again");
}

void
device_remember_rate(struct driver *driver, double rate_hz)
{
    remember(driver, rate_hz, false);
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

    if (!count) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "getClockSources without a count");
    }
    /* Some hosts offer no room at all: they only count. */
    if (clocks && *count >= 1) {
        clocks[0] = only;
    }
    *count = 1;
    return ASIO_OK;
}

int32_t
device_set_clock(struct driver *driver, int32_t index)
{
    if (index != 0) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "there is one clock, number 0");
    }
    return ASIO_OK;
}
