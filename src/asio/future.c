/* SPDX-License-Identifier: MIT */
/*
 * future(): the questions that came after the interface was fixed. Asked in any state, before init
 * too, and there are hosts that reject a driver over the wrong kind of no: unknown and unsupported
 * is INVALID_PARAMETER, never NOT_PRESENT.
 */
#include "asio/driver.h"

static int32_t
unknown(struct driver *driver, int32_t selector)
{
    return object_fail(driver, ASIO_INVALID_PARAMETER, "future: %#x is not supported",
                       (unsigned)selector);
}

/* What lies within the latencies beyond the host's own buffer. */
static int32_t
internal_buffers(struct driver *driver, struct asio_internal_buffers *buffers)
{
    int32_t input = 0, output = 0, size = 0;

    if (!buffers) {
        return unknown(driver, ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES);
    }
    if (object_state(driver) != STATE_LOADED) {
        device_get_latencies(driver, &input, &output);
        if (object_state(driver) >= STATE_PREPARED) {
            size = (int32_t)driver->stream.buffer_frames;
        } else {
            device_get_buffer_size(driver, NULL, NULL, &size, NULL);
        }
    }
    buffers->input_frames = input > size ? input - size : 0;
    buffers->output_frames = output > size ? output - size : 0;
    return ASIO_SUCCESS;
}

static int32_t
last_block(struct driver *driver, struct tutti_asio_block *to)
{
    struct tutti_asio_block block;

    if (!to || to->size < sizeof(block)) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "future: a block's size is %u",
                           (unsigned)sizeof(block));
    }
    if (!block_get(&driver->block, &block)) {
        return ASIO_SP_NOT_ADVANCING;
    }
    block.size = to->size;
    block.position *= dsd_unit(driver);
    block.device_frames *= dsd_unit(driver);
    *to = block;
    return ASIO_SUCCESS;
}

static int32_t
no_level(struct driver *driver)
{
    return object_fail(driver, ASIO_INVALID_PARAMETER,
                       "with DSD there is no gain and no monitor: the bits pass as they are");
}

int32_t
future_ask(struct driver *driver, int32_t selector, void *parameter)
{
    switch (selector) {
    case ASIO_FUTURE_CAN_TIME_INFO:
    case ASIO_FUTURE_CAN_REPORT_OVERLOAD:
    case ASIO_FUTURE_CAN_INPUT_MONITOR:
    case ASIO_FUTURE_CAN_INPUT_GAIN:
    case ASIO_FUTURE_CAN_INPUT_METER:
    case ASIO_FUTURE_CAN_OUTPUT_GAIN:
    case ASIO_FUTURE_CAN_OUTPUT_METER:
        return ASIO_SUCCESS;
    case ASIO_FUTURE_SET_INPUT_MONITOR:
        if (atomic_load(&driver->dsd)) {
            return no_level(driver);
        }
        return monitor_set_input(driver, parameter);
    case ASIO_FUTURE_SET_INPUT_GAIN:
    case ASIO_FUTURE_SET_OUTPUT_GAIN:
        if (atomic_load(&driver->dsd)) {
            return no_level(driver);
        }
        return monitor_set_gain(driver, selector == ASIO_FUTURE_SET_INPUT_GAIN, parameter);
    case ASIO_FUTURE_GET_INPUT_METER:
    case ASIO_FUTURE_GET_OUTPUT_METER:
        return monitor_get_meter(driver, selector == ASIO_FUTURE_GET_INPUT_METER, parameter);
    case ASIO_FUTURE_ENABLE_TIME_CODE_READ:
    case ASIO_FUTURE_DISABLE_TIME_CODE_READ:
    case ASIO_FUTURE_CAN_TIME_CODE:
        return object_fail(driver, ASIO_INVALID_PARAMETER,
                           "future: there is no time code: no device of Tutti's brings any");
    case ASIO_FUTURE_TRANSPORT:
    case ASIO_FUTURE_CAN_TRANSPORT:
        return object_fail(driver, ASIO_INVALID_PARAMETER,
                           "future: there is no transport: no tape machine to control");
    case ASIO_FUTURE_SET_IO_FORMAT:
    case ASIO_FUTURE_GET_IO_FORMAT:
    case ASIO_FUTURE_CAN_DO_IO_FORMAT:
        return dsd_io_format(driver, selector, parameter);
    case ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES:
        return internal_buffers(driver, parameter);
    case TUTTI_ASIO_GET_BLOCK:
        return last_block(driver, parameter);
    default:
        return unknown(driver, selector);
    }
}
