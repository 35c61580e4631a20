/* SPDX-License-Identifier: MIT */
/* What hosts ask of the card, in any state after init. */
#include "broken.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double rates_hz[] = {44100, 48000, 96000, 384000};

static bool
has_buffers(struct driver *driver)
{
    EnterCriticalSection(&driver->lock);
    bool has = driver->stream != NULL;
    LeaveCriticalSection(&driver->lock);
    return has;
}

static bool
runs(struct driver *driver)
{
    EnterCriticalSection(&driver->lock);
    bool running = driver->stream && driver->stream->running;
    LeaveCriticalSection(&driver->lock);
    return running;
}

/* ---- channels ---- */

int32_t TUTTI_ASIO
get_channels(struct asio_driver *self, int32_t *inputs, int32_t *outputs)
{
    int32_t result;

    if (!driver_ready(driver_of(self), &result)) {
        return result;
    }
    if (BROKEN(deaf_in_callback) && in_callback(driver_of(self))) {
        return ASIO_INVALID_MODE;
    }
    if (BROKEN(channels_overrun)) {
        inputs[1] = CHANNELS;
    }
    if (inputs || BROKEN(channels_null_crash)) {
        *(volatile int32_t *)inputs = CHANNELS;
    }
    if (outputs || BROKEN(channels_null_crash)) {
        *(volatile int32_t *)outputs = BROKEN(channels_negative) ? -1 : CHANNELS;
    }
    if (BROKEN(channels_vary) && has_buffers(driver_of(self))) {
        *outputs = CHANNELS - 1;
    }
    return ASIO_OK;
}

static bool
is_active(struct driver *driver, const struct asio_channel_info *info)
{
    bool active = false;

    EnterCriticalSection(&driver->lock);
    if (driver->stream) {
        active = info->is_input ? driver->stream->input[info->channel][0] != NULL
                                : driver->stream->output[info->channel][0] != NULL;
    }
    LeaveCriticalSection(&driver->lock);
    return active;
}

static void
name_channel(struct asio_channel_info *info)
{
    memset(info->name, 0, sizeof(info->name));
    snprintf(info->name, sizeof(info->name), "%s %d", info->is_input ? "In" : "Out",
             (int)info->channel + 1);
    if (BROKEN(channel_name_overrun)) {
        memset(info->name, 'x', sizeof(info->name) + 1);
    }
    if (BROKEN(channel_name_unterminated)) {
        memset(info->name, 'x', sizeof(info->name));
    }
    if (BROKEN(channel_name_empty)) {
        info->name[0] = '\0';
    }
}

int32_t TUTTI_ASIO
get_channel_info(struct asio_driver *self, struct asio_channel_info *info)
{
    struct driver *driver = driver_of(self);
    static bool ever_active;
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    if (BROKEN(info_refused_while_running) && runs(driver)) {
        return driver_fail(driver, ASIO_INVALID_MODE, "not while it runs");
    }
    if (!info && !BROKEN(channel_info_null_crash)) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "getChannelInfo without a struct");
    }
    bool there =
        ((volatile struct asio_channel_info *)info)->channel >= 0 && info->channel < CHANNELS;
    if (info->channel < 0 && BROKEN(channel_negative_accepted)) {
        there = true;
    }
    if (info->channel >= CHANNELS && BROKEN(channel_beyond_accepted)) {
        there = true;
    }
    if (!there) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there is no %s channel %d",
                           info->is_input ? "input" : "output", (int)info->channel);
    }
    bool mine = info->channel >= 0 && info->channel < CHANNELS;
    info->is_active = mine && is_active(driver, info);
    ever_active = ever_active || info->is_active;
    if (BROKEN(active_stale)) {
        info->is_active = ever_active;
    }
    if (BROKEN(active_late)) {
        info->is_active = info->is_active && driver->stream && driver->stream->has_block;
    }
    if (BROKEN(active_always)) {
        info->is_active = 1;
    }
    info->group = BROKEN(group_negative) ? -7 : 0;
    info->type = ASIO_FLOAT32_LSB;
    if (BROKEN(type_unknown)) {
        info->type = 77;
    }
    if (BROKEN(channel_info_echo_wrong)) {
        info->channel = 0;
    }
    name_channel(info);
    return ASIO_OK;
}

/* ---- sizes and latencies ---- */

static void
put(int32_t *to, int32_t value)
{
    if (to) {
        *to = value;
    }
}

int32_t TUTTI_ASIO
get_buffer_size(struct asio_driver *self, int32_t *min, int32_t *max, int32_t *preferred,
                int32_t *granularity)
{
    int32_t result;

    if (!driver_ready(driver_of(self), &result)) {
        return result;
    }
    if (BROKEN(sizes_need_no_buffers) && has_buffers(driver_of(self))) {
        return driver_fail(driver_of(self), ASIO_INVALID_MODE, "not while there are buffers");
    }
    if (BROKEN(sizes_null_crash)) {
        *(volatile int32_t *)granularity = -1;
    }
    put(min, BUFFER_MIN);
    put(max, BUFFER_MAX);
    put(preferred, BUFFER_PREFERRED);
    put(granularity, -1);
    if (BROKEN(min_zero)) {
        put(min, 0);
    }
    if (BROKEN(min_above_max)) {
        put(min, 2 * BUFFER_MAX);
    }
    if (BROKEN(preferred_outside)) {
        put(preferred, 2 * BUFFER_MAX);
    }
    if (BROKEN(preferred_off_grid)) {
        put(preferred, BUFFER_PREFERRED + 16);
    }
    if (BROKEN(granularity_strange)) {
        put(granularity, -2);
    }
    if (BROKEN(granularity_with_one_size)) {
        put(min, BUFFER_PREFERRED);
        put(max, BUFFER_PREFERRED);
    }
    return ASIO_OK;
}

void
latencies_of(int32_t frames, int32_t *input, int32_t *output)
{
    *input = frames + INPUT_EXTRA;
    *output = frames + OUTPUT_EXTRA;
    if (BROKEN(latency_short_by_buffer)) {
        *output -= frames;
    }
    if (BROKEN(latency_short_by_converters)) {
        *output -= OUTPUT_EXTRA;
    }
    if (BROKEN(latency_of_preferred)) {
        *input = BUFFER_PREFERRED + INPUT_EXTRA;
        *output = BUFFER_PREFERRED + OUTPUT_EXTRA;
    }
    if (BROKEN(latency_zero)) {
        *input = *output = 0;
    }
    if (BROKEN(latency_negative)) {
        *input = -frames;
    }
    if (BROKEN(latency_huge)) {
        *output = 100000000;
    }
}

/* False: another thread asks at this moment, and the driver cannot bear it. */
static bool
one_at_a_time(void)
{
    static LONG busy;

    if (!BROKEN(not_thread_safe)) {
        return true;
    }
    bool alone = InterlockedIncrement(&busy) == 1;
    Sleep(1);
    InterlockedDecrement(&busy);
    return alone;
}

int32_t TUTTI_ASIO
get_latencies(struct asio_driver *self, int32_t *input_frames, int32_t *output_frames)
{
    struct driver *driver = driver_of(self);
    int32_t frames = BUFFER_PREFERRED, input, output, result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    EnterCriticalSection(&driver->lock);
    bool prepared = driver->stream != NULL;
    bool running = prepared && driver->stream->running;
    if (prepared) {
        frames = driver->stream->frames;
    }
    LeaveCriticalSection(&driver->lock);
    if (!prepared && BROKEN(latency_needs_buffers)) {
        return driver_fail(driver, ASIO_INVALID_MODE, "no buffers yet");
    }
    if (!one_at_a_time()) {
        return driver_fail(driver, ASIO_HW_MALFUNCTION, "busy");
    }
    if (BROKEN(latency_null_crash)) {
        *(volatile int32_t *)output_frames = 0;
    }
    latencies_of(frames, &input, &output);
    if (running && BROKEN(latency_changes_at_start)) {
        output += 64;
    }
    if (running && BROKEN(questions_disturb)) {
        AcquireSRWLockExclusive(&driver->stream->lock);
        Sleep(8);
        ReleaseSRWLockExclusive(&driver->stream->lock);
    }
    put(input_frames, input);
    put(output_frames, output);
    return ASIO_OK;
}

/* ---- rates ---- */

static bool
knows_rate(double rate_hz)
{
    for (unsigned i = 0; i < sizeof(rates_hz) / sizeof(rates_hz[0]); i++) {
        if (rate_hz == rates_hz[i]) {
            return true;
        }
    }
    return (BROKEN(rate_nan_accepted) && isnan(rate_hz)) ||
           (BROKEN(rate_negative_accepted) && rate_hz < 0 && isfinite(rate_hz)) ||
           (BROKEN(rate_infinity_accepted) && isinf(rate_hz)) ||
           (BROKEN(rate_huge_accepted) && rate_hz > 1e6 && isfinite(rate_hz)) ||
           (BROKEN(can_yes_set_no) && rate_hz == 88200);
}

static int32_t
refuse_rate(struct driver *driver, double rate_hz)
{
    return driver_fail(driver, BROKEN(rate_refused_oddly) ? 42 : ASIO_NO_CLOCK,
                       "the device does not run at %g Hz", rate_hz);
}

int32_t TUTTI_ASIO
can_sample_rate(struct asio_driver *self, double rate_hz)
{
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    if (BROKEN(can_refused_while_running) && runs(driver)) {
        return driver_fail(driver, ASIO_INVALID_MODE, "not while it runs");
    }
    if (BROKEN(can_refused_while_prepared) && has_buffers(driver) && !runs(driver)) {
        return driver_fail(driver, ASIO_INVALID_MODE, "not while there are buffers");
    }
    if (BROKEN(can_no_set_yes) && rate_hz == 96000) {
        return refuse_rate(driver, rate_hz);
    }
    if (!knows_rate(rate_hz)) {
        return refuse_rate(driver, rate_hz);
    }
    if (BROKEN(can_changes_rate)) {
        driver->rate_hz = rate_hz;
    }
    return ASIO_OK;
}

int32_t TUTTI_ASIO
get_sample_rate(struct asio_driver *self, double *rate_hz)
{
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    if (!rate_hz && !BROKEN(rate_null_crash)) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "getSampleRate without a place for it");
    }
    if (BROKEN(rate_unknown_while_running) && runs(driver)) {
        return driver_fail(driver, ASIO_NO_CLOCK, "not while it runs");
    }
    EnterCriticalSection(&driver->lock);
    double rate = driver->rate_hz;
    if (BROKEN(wanted_rate_told) && driver->wanted_rate_hz > 0) {
        rate = driver->wanted_rate_hz;
    }
    LeaveCriticalSection(&driver->lock);
    if (BROKEN(rate_read_back_differs)) {
        rate += 0.5;
    }
    if (BROKEN(rate_zero_told)) {
        rate = 0;
    }
    *(volatile double *)rate_hz = rate;
    return ASIO_OK;
}

/* Buffers belong to a rate: the host is asked to make new ones, and the rate changes in between. */
static int32_t
want_rate(struct driver *driver, double rate_hz)
{
    struct stream *stream = NULL;
    bool knows = false, same;

    EnterCriticalSection(&driver->lock);
    same = rate_hz == driver->rate_hz;
    driver->wanted_rate_hz = same ? 0 : rate_hz;
    if (driver->stream) {
        stream = driver->stream;
        InterlockedIncrement(&stream->references);
        knows = stream->host_knows & 1u << ASIO_MESSAGE_RESET_REQUEST;
        if (!knows) {
            driver->wanted_rate_hz = 0;
        }
    }
    LeaveCriticalSection(&driver->lock);
    if (stream) {
        if (same && BROKEN(same_rate_announced)) {
            message_post(stream, TELL_RATE);
        }
        if (!same && knows && !BROKEN(reset_never_asked)) {
            message_post(stream, TELL_RESET);
        }
        stream_release(stream);
    }
    if (same || knows) {
        return ASIO_OK;
    }
    return driver_fail(driver, ASIO_INVALID_MODE,
                       "dispose the buffers before changing the sample rate");
}

int32_t TUTTI_ASIO
set_sample_rate(struct asio_driver *self, double rate_hz)
{
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    if (BROKEN(rate_zero_crash) && rate_hz == 0) {
        *(volatile int *)NULL = 0;
    }
    if (BROKEN(same_rate_refused) && has_buffers(driver) && rate_hz == driver->rate_hz) {
        return driver_fail(driver, ASIO_INVALID_MODE, "it has that rate");
    }
    if (BROKEN(rate_refused_but_changed) && isfinite(rate_hz) && rate_hz > 0) {
        driver->rate_hz = rate_hz;
    }
    if (!knows_rate(rate_hz) || (BROKEN(can_yes_set_no) && rate_hz == 88200)) {
        return refuse_rate(driver, rate_hz);
    }
    if (BROKEN(rate_held_by_another) && streams_of_all() > has_buffers(driver) &&
        rate_hz != driver->rate_hz) {
        return driver_fail(driver, ASIO_INVALID_MODE, "another object plays at another rate");
    }
    if (has_buffers(driver)) {
        result = want_rate(driver, rate_hz);
        if (result) {
            return result;
        }
    } else {
        EnterCriticalSection(&driver->lock);
        if (!BROKEN(rate_set_ignored)) {
            driver->rate_hz = rate_hz;
        }
        LeaveCriticalSection(&driver->lock);
    }
    rate_remember(rate_hz);
    return ASIO_OK;
}

/* ---- clocks ---- */

int32_t TUTTI_ASIO
get_clock_sources(struct asio_driver *self, struct asio_clock_source *clocks, int32_t *count)
{
    static const struct asio_clock_source only = {
        .index = 0,
        .associated_channel = -1,
        .associated_group = -1,
        .is_current = 1,
        .name = "Timer",
    };
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    if (!count && !BROKEN(clocks_null_crash)) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "getClockSources without a count");
    }
    if (BROKEN(clocks_need_buffers) && !has_buffers(driver)) {
        return driver_fail(driver, ASIO_NO_CLOCK, "no buffers yet");
    }
    int32_t room = *(volatile int32_t *)count;
    if (clocks && (room >= 1 || BROKEN(clocks_ignore_room))) {
        clocks[0] = only;
        if (BROKEN(clock_none_current)) {
            clocks[0].is_current = 0;
        }
        if (BROKEN(clock_name_unterminated)) {
            memset(clocks[0].name, 'x', sizeof(clocks[0].name));
        }
    }
    if (clocks && BROKEN(clocks_overrun)) {
        clocks[room > 0 ? room : 0] = only;
    }
    *count = BROKEN(clocks_count_zero) ? 0 : 1;
    return ASIO_OK;
}

int32_t TUTTI_ASIO
set_clock_source(struct asio_driver *self, int32_t index)
{
    struct driver *driver = driver_of(self);
    int32_t result;

    if (!driver_ready(driver, &result)) {
        return result;
    }
    if (index == 0 && BROKEN(clock_refused)) {
        return driver_fail(driver, ASIO_HW_MALFUNCTION, "the clock cannot be chosen");
    }
    if (index != 0 && !BROKEN(clock_any_accepted)) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "there is one clock, number 0");
    }
    return ASIO_OK;
}

/* ---- future ---- */

static int32_t
io_format(struct driver *driver, int32_t selector, struct asio_io_format *format)
{
    if (selector == ASIO_FUTURE_GET_IO_FORMAT) {
        format->type = BROKEN(format_get_invalid) ? ASIO_FORMAT_INVALID : ASIO_FORMAT_PCM;
    } else if (format->type != ASIO_FORMAT_PCM && !BROKEN(format_any_accepted)) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "PCM only");
    }
    return ASIO_SUCCESS;
}

static int32_t
internal_buffers(struct asio_driver *self, struct asio_internal_buffers *buffers)
{
    (void)self;
    buffers->input_frames = INPUT_EXTRA;
    buffers->output_frames = BROKEN(internal_beyond_latency) ? 1000000 : OUTPUT_EXTRA;
    return ASIO_SUCCESS;
}

static int32_t
unknown_selector(struct driver *driver, int32_t selector)
{
    if (BROKEN(future_unknown_success)) {
        return ASIO_SUCCESS;
    }
    if (BROKEN(future_unknown_not_present)) {
        return ASIO_NOT_PRESENT;
    }
    return driver_fail(driver, ASIO_INVALID_PARAMETER, "future: %#x is not supported",
                       (unsigned)selector);
}

static int32_t
yes_or_unknown(struct driver *driver, bool yes, int32_t selector)
{
    return yes ? ASIO_SUCCESS : unknown_selector(driver, selector);
}

/* A defect: it always shows a little. */
static int32_t
standing_meter(struct driver *driver, int32_t selector, struct asio_channel_controls *controls)
{
    if (controls && BROKEN(meter_stands)) {
        controls->meter = 0x10000000;
    }
    return yes_or_unknown(driver, controls && BROKEN(meter_stands), selector);
}

static bool
takes_parameter(int32_t selector)
{
    return selector == ASIO_FUTURE_SET_IO_FORMAT || selector == ASIO_FUTURE_GET_IO_FORMAT ||
           selector == ASIO_FUTURE_CAN_DO_IO_FORMAT ||
           selector == ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES;
}

int32_t TUTTI_ASIO
future(struct asio_driver *self, int32_t selector, void *parameter)
{
    struct driver *driver = driver_of(self);

    if (BROKEN(future_not_present) && !driver->initialized) {
        return ASIO_NOT_PRESENT;
    }
    if (takes_parameter(selector) && !parameter && !BROKEN(future_null_crash)) {
        return driver_fail(driver, ASIO_INVALID_PARAMETER, "future: %#x without its parameter",
                           (unsigned)selector);
    }
    switch (selector) {
    case ASIO_FUTURE_CAN_TIME_INFO:
        return BROKEN(future_answers_ok) ? ASIO_OK : ASIO_SUCCESS;
    case ASIO_FUTURE_CAN_REPORT_OVERLOAD:
        return ASIO_SUCCESS;
    /* These say that it can; what they say it of is an unknown selector. */
    case ASIO_FUTURE_CAN_INPUT_GAIN:
        return yes_or_unknown(driver, BROKEN(gain_without_doing) || BROKEN(gain_not_done),
                              selector);
    case ASIO_FUTURE_CAN_INPUT_MONITOR:
        return yes_or_unknown(driver, BROKEN(monitor_without_doing) || BROKEN(monitor_not_done),
                              selector);
    case ASIO_FUTURE_CAN_OUTPUT_GAIN:
    case ASIO_FUTURE_SET_INPUT_GAIN:
    case ASIO_FUTURE_SET_OUTPUT_GAIN:
        return yes_or_unknown(driver, BROKEN(gain_not_done), selector);
    case ASIO_FUTURE_SET_INPUT_MONITOR:
        return yes_or_unknown(driver, BROKEN(monitor_not_done), selector);
    case ASIO_FUTURE_CAN_INPUT_METER:
        return yes_or_unknown(driver, BROKEN(meter_stands), selector);
    case ASIO_FUTURE_GET_INPUT_METER:
    case ASIO_FUTURE_GET_OUTPUT_METER:
        return standing_meter(driver, selector, parameter);
    case ASIO_FUTURE_CAN_TRANSPORT:
        return yes_or_unknown(driver, BROKEN(transport_without_doing), selector);
    case ASIO_FUTURE_CAN_TIME_CODE:
        return yes_or_unknown(driver, BROKEN(time_code_without_doing), selector);
    case ASIO_FUTURE_CAN_OUTPUT_METER:
        return yes_or_unknown(driver, BROKEN(meter_without_doing) || BROKEN(meter_stands),
                              selector);
    case ASIO_FUTURE_SET_IO_FORMAT:
    case ASIO_FUTURE_GET_IO_FORMAT:
    case ASIO_FUTURE_CAN_DO_IO_FORMAT:
        return io_format(driver, selector, parameter);
    case ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES:
        return internal_buffers(self, parameter);
    default:
        return unknown_selector(driver, selector);
    }
}
