/* SPDX-License-Identifier: MIT */
/* The driver as a workstation meets it: found in the registry, created, asked, given buffers. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* ---- finding ---- */

void
device_list(void)
{
    struct find_entry entry;

    for (unsigned i = 0; find_entry(i, &entry); i++) {
        printf("%s\t%s\n", entry.name, entry.clsid);
    }
}

static struct asio_driver *
create(const char *driver_name)
{
    struct asio_guid clsid;
    char error[FIND_ERROR_BYTES];
    struct asio_driver *driver = NULL;

    if (find_clsid(driver_name, &clsid, error)) {
        driver = find_create(&clsid, error);
    }
    if (!driver) {
        fail("%s", error);
    }
    return driver;
}

/* ---- asking ---- */

static void
fail_with_text(struct asio_driver *driver, const char *what, int32_t result)
{
    char text[ASIO_ERROR_BYTES + 1] = "";

    driver->methods->get_error_message(driver, text);
    fail("%s: %d: %s", what, (int)result, text);
}

static bool
ask_driver(struct device *device, const struct options *options)
{
    struct asio_driver *driver = device->driver;
    const struct asio_driver_methods *m = driver->methods;
    int32_t min, max, preferred, granularity, result;

    if (!m->init(driver, NULL)) {
        fail_with_text(driver, "init", 0);
        return false;
    }
    m->get_driver_name(driver, device->driver_name);
    result = m->get_channels(driver, &device->inputs, &device->outputs);
    if (!result) {
        result = m->get_buffer_size(driver, &min, &max, &preferred, &granularity);
    }
    if (!result && options->rate_hz > 0) {
        result = m->can_sample_rate(driver, options->rate_hz);
        if (!result) {
            result = m->set_sample_rate(driver, options->rate_hz);
        }
    }
    if (!result) {
        result = m->get_sample_rate(driver, &device->rate_hz);
    }
    if (result) {
        fail_with_text(driver, "asking the driver", result);
        return false;
    }
    if (options->rate_hz > 0 && options->rate_hz != device->rate_hz) {
        fail("asked for %g Hz, got %g", options->rate_hz, device->rate_hz);
        return false;
    }
    device->buffer = options->buffer ? options->buffer : preferred;
    return true;
}

/* ---- channels ---- */

/* The index of a channel in a list, put there if it is not. -1: the device has no such channel. */
static int
use_channel(struct channel *list, unsigned *count, int32_t number, int32_t room)
{
    if (number < 0 || number >= room) {
        return -1;
    }
    for (unsigned i = 0; i < *count; i++) {
        if (list[i].number == number) {
            return (int)i;
        }
    }
    if (*count == HOST_CHANNELS) {
        return -1;
    }
    list[*count].number = number;
    return (int)(*count)++;
}

static bool
choose_outputs(const struct device *device, const struct options *options)
{
    unsigned wanted = options->play_channel_count;

    if (options->play && !wanted) {
        wanted = audio.wave.channels < (uint32_t)device->outputs ? audio.wave.channels
                                                                 : (uint32_t)device->outputs;
    }
    if (wanted > HOST_CHANNELS) {
        wanted = HOST_CHANNELS;
    }
    for (unsigned i = 0; i < wanted; i++) {
        int32_t number = options->play_channel_count ? options->play_channels[i] : (int32_t)i;
        int index = use_channel(audio.output, &audio.outputs, number, device->outputs);
        if (index < 0) {
            fail("there is no output channel %d of %d", (int)number, (int)device->outputs);
            return false;
        }
        audio.play_output[i] = index;
    }
    audio.plays = options->play ? wanted : 0;
    return true;
}

static bool
choose_inputs(const struct device *device, const struct options *options)
{
    unsigned wanted = options->record_channel_count;

    if (options->record && !wanted) {
        wanted = device->inputs < HOST_CHANNELS ? (unsigned)device->inputs : HOST_CHANNELS;
    }
    for (unsigned i = 0; i < wanted; i++) {
        int32_t number = options->record_channel_count ? options->record_channels[i] : (int32_t)i;
        int index = use_channel(audio.input, &audio.inputs, number, device->inputs);
        if (index < 0) {
            fail("there is no input channel %d of %d", (int)number, (int)device->inputs);
            return false;
        }
        audio.record_input[i] = index;
    }
    audio.records = options->record ? wanted : 0;
    return true;
}

static bool
choose_channels(const struct device *device, const struct options *options)
{
    if (!choose_outputs(device, options) || !choose_inputs(device, options)) {
        return false;
    }
    if (options->ping >= 0) {
        audio.ping_output =
            use_channel(audio.output, &audio.outputs, options->ping, device->outputs);
        audio.ping_input = use_channel(audio.input, &audio.inputs, options->ping, device->inputs);
        if (audio.ping_output < 0 || audio.ping_input < 0) {
            fail("there is no channel %d to ping", (int)options->ping);
            return false;
        }
    }
    /* Nothing asked for: the first two of each, as a new project has them. */
    if (audio.inputs + audio.outputs == 0) {
        for (int32_t i = 0; i < 2; i++) {
            use_channel(audio.output, &audio.outputs, i, device->outputs);
            use_channel(audio.input, &audio.inputs, i, device->inputs);
        }
    }
    return true;
}

static bool
read_types(struct asio_driver *driver, struct channel *list, unsigned count, bool is_input)
{
    for (unsigned i = 0; i < count; i++) {
        struct asio_channel_info info = {.channel = list[i].number, .is_input = is_input};
        int32_t result = driver->methods->get_channel_info(driver, &info);
        if (result) {
            fail_with_text(driver, "getChannelInfo", result);
            return false;
        }
        if (!samples_bytes(info.type)) {
            fail("channel %d has samples of type %d", (int)info.channel, (int)info.type);
            return false;
        }
        list[i].type = info.type;
    }
    return true;
}

/* ---- buffers ---- */

void
device_read_latencies(struct device *device)
{
    int32_t result = device->driver->methods->get_latencies(device->driver, &device->input_latency,
                                                            &device->output_latency);
    if (result) {
        fail_with_text(device->driver, "getLatencies", result);
    }
}

static bool
create_buffers(struct device *device)
{
    struct asio_buffer_info infos[2 * HOST_CHANNELS] = {0};
    struct asio_driver *driver = device->driver;
    unsigned count = 0;

    for (unsigned i = 0; i < audio.inputs; i++, count++) {
        infos[count].is_input = 1;
        infos[count].channel = audio.input[i].number;
    }
    for (unsigned i = 0; i < audio.outputs; i++, count++) {
        infos[count].channel = audio.output[i].number;
    }
    int32_t result = driver->methods->create_buffers(driver, infos, (int32_t)count, device->buffer,
                                                     &audio_callbacks);
    if (result) {
        fail_with_text(driver, "createBuffers", result);
        return false;
    }
    count = 0;
    for (unsigned i = 0; i < audio.inputs; i++, count++) {
        memcpy(audio.input[i].buffers, infos[count].buffers, sizeof(infos[count].buffers));
    }
    for (unsigned i = 0; i < audio.outputs; i++, count++) {
        memcpy(audio.output[i].buffers, infos[count].buffers, sizeof(infos[count].buffers));
    }
    device_read_latencies(device);
    /* The device may have come up at another rate than it was expected to. */
    driver->methods->get_sample_rate(driver, &device->rate_hz);
    return audio_prepare((uint32_t)device->buffer, device->rate_hz);
}

bool
device_open(struct device *device, const struct options *options)
{
    struct tutti_asio_block block = {.size = sizeof(block)};

    device->driver = create(options->driver);
    audio.driver = device->driver;
    if (!device->driver || !ask_driver(device, options) || !choose_channels(device, options) ||
        !read_types(device->driver, audio.input, audio.inputs, true) ||
        !read_types(device->driver, audio.output, audio.outputs, false) ||
        !create_buffers(device)) {
        return false;
    }
    audio.has_blocks = device->driver->methods->future(device->driver, TUTTI_ASIO_GET_BLOCK,
                                                       &block) != ASIO_INVALID_PARAMETER;
    return true;
}

bool
device_start(struct device *device)
{
    audio_rewind();
    int32_t result = device->driver->methods->start(device->driver);
    if (result) {
        fail_with_text(device->driver, "start", result);
    }
    return result == ASIO_OK;
}

bool
device_restart(struct device *device, const struct options *options)
{
    (void)options;
    device->driver->methods->stop(device->driver);
    device->driver->methods->dispose_buffers(device->driver);
    return create_buffers(device) && device_start(device);
}

void
device_close(struct device *device)
{
    struct asio_driver *driver = device->driver;

    if (!driver) {
        return;
    }
    driver->methods->stop(driver);
    driver->methods->dispose_buffers(driver);
    driver->methods->release(driver);
    device->driver = NULL;
}
