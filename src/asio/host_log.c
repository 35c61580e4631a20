/* SPDX-License-Identifier: MIT */
/*
 * What the log says of a host, at its usual level: who it is, what it set up, what was reported to
 * it and what it answered; docs/troubleshooting.md shows how to read it. Nothing here is called on
 * the callback thread. Refusals are the gate's to write.
 */
#include "asio/driver.h"

#include <inttypes.h>
#include <stdio.h>

#include "asio/convert.h"
#include "asio/selectors.h"
#include "base/log.h"
#include "base/number.h"

/* Blocks may come late all the time: so often a line is enough. */
enum { OVERLOAD_LINE_MS = 10000, MESSAGES_BYTES = 200 };

static const char *
message_text(int32_t selector)
{
    static const char *const texts[] = {
#define MESSAGE(name, text, when) [ASIO_MESSAGE_##name] = text,
        MESSAGE_TABLE(MESSAGE)
#undef MESSAGE
    };
    bool known = selector > 0 && selector < (int32_t)(sizeof(texts) / sizeof(texts[0]));

    return known && texts[selector] ? texts[selector] : "a message";
}

/* ---- what the host did ---- */

/* The program's file, with its folder: that often tells its version. */
static void
get_program(char *path, size_t bytes)
{
    wchar_t wide[SETTINGS_PATH_BYTES];
    DWORD length = GetModuleFileNameW(NULL, wide, SETTINGS_PATH_BYTES);

    if (length == 0 || length >= SETTINGS_PATH_BYTES ||
        !WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, (int)bytes, NULL, NULL)) {
        snprintf(path, bytes, "unknown");
    }
}

static void
note_device(struct driver *driver)
{
    struct tutti_device device = {0};

    tutti_get_device(driver->client, &device);
    log_info("asio: '%s': the device is '%s' (%s), %s: %u inputs, %u outputs, %s Hz, periods of %u "
             "to %u frames",
             driver->name->name, device.name, device.backend[0] ? device.backend : "not known yet",
             device.state ? device.state : "not known yet", (unsigned)device.inputs,
             (unsigned)device.outputs, number_text(device.rate_hz).text,
             (unsigned)device.period_min_frames, (unsigned)device.period_max_frames);
}

static void
note_init(struct driver *driver)
{
    char program[SETTINGS_PATH_BYTES];
    uint32_t version = TUTTI_VERSION_NUMBER;

    get_program(program, sizeof(program));
    log_info("asio: '%s': init by %s: Tutti %u.%u.%u, %u bits, profile '%s', settings from %s",
             driver->name->name, program, (unsigned)(version >> 16 & 0xff),
             (unsigned)(version >> 8 & 0xff), (unsigned)(version & 0xff),
             (unsigned)(8 * sizeof(void *)), driver->name->profile,
             driver->settings.watch.path[0] ? driver->settings.watch.path : "no file");
    note_device(driver);
}

static void
list_known(uint32_t host_knows, char *text, size_t bytes)
{
    size_t used = 0;

    snprintf(text, bytes, "none");
    for (int32_t selector = 1; selector < 32 && used < bytes; selector++) {
        if (host_knows & 1u << selector) {
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used ? ", " : "",
                                     message_text(selector));
        }
    }
}

static void
note_buffers(struct driver *driver)
{
    const struct driver_stream *stream = &driver->stream;
    struct tutti_device device = {0};
    char known[MESSAGES_BYTES];
    int32_t input, output;

    tutti_get_device(driver->client, &device);
    device_get_latencies(driver, &input, &output);
    list_known(stream->host_knows, known, sizeof(known));
    log_info("asio: '%s': createBuffers: %u frames, %u inputs, %u outputs, %s, %s Hz, on a period "
             "of %u frames; latencies %d in, %d out; called by %s%s; the host knows: %s",
             driver->name->name, (unsigned)stream->buffer_frames, (unsigned)driver->buffers.inputs,
             (unsigned)driver->buffers.outputs, convert_type_text(driver->buffers.type),
             number_text(double_of_bits(atomic_load(&driver->rate)) * dsd_unit(driver)).text,
             (unsigned)device.period_frames, (int)input, (int)output,
             stream->time_info ? "bufferSwitchTimeInfo" : "bufferSwitch",
             driver->buffers.late_take ? ", late_take" : "", known);
}

static void
note_rate(struct driver *driver)
{
    double rate_hz = double_of_bits(atomic_load(&driver->seen_rate)) * dsd_unit(driver);

    log_info("asio: '%s': setSampleRate: %s Hz", driver->name->name, number_text(rate_hz).text);
}

static void
note_stop(struct driver *driver)
{
    struct tutti_asio_block block = {.size = sizeof(block)};

    if (!block_get(&driver->block, &block)) {
        block.position = 0;
    }
    log_info("asio: '%s': stop; the last block was at %" PRIu64, driver->name->name,
             block.position * dsd_unit(driver));
}

void
host_log_call(struct driver *driver, enum call call)
{
    if (call == CALL_INIT) {
        note_init(driver);
    } else if (call == CALL_CREATE_BUFFERS) {
        note_buffers(driver);
    } else if (call == CALL_SET_SAMPLE_RATE) {
        note_rate(driver);
    } else if (call == CALL_STOP) {
        note_stop(driver);
    } else {
        log_info("asio: '%s': %s", driver->name->name, rules[call].name);
    }
}

/* ---- what happened to it ---- */

void
host_log_event(struct driver *driver, const struct tutti_event *event)
{
    const char *name = driver->name->name, *text = event->text ? event->text : "";

    switch (event->kind) {
    case TUTTI_EVENT_DEVICE_LOST:
    case TUTTI_EVENT_ENGINE_LOST:
        log_warning("asio: '%s': %s lost: %s; callbacks go on in silence", name,
                    event->kind == TUTTI_EVENT_DEVICE_LOST ? "device" : "engine", text);
        break;
    case TUTTI_EVENT_RATE:
        log_info("asio: '%s': the rate is %s Hz: %s", name, number_text(event->rate_hz).text, text);
        break;
    case TUTTI_EVENT_GAP:
        log_info("asio: '%s': %" PRIu64 " frames were lost: %s", name, event->value, text);
        break;
    case TUTTI_EVENT_DEVICE_BACK:
    case TUTTI_EVENT_ENGINE_BACK:
        log_info("asio: '%s': %s back: %s", name,
                 event->kind == TUTTI_EVENT_DEVICE_BACK ? "device" : "engine", text);
        break;
    case TUTTI_EVENT_OVERLOAD:
        atomic_fetch_add(&driver->late_blocks, event->value);
        break;
    case TUTTI_EVENT_LATENCIES:
        break; /* said when they have been read */
    }
}

void
host_log_latencies(struct driver *driver)
{
    int32_t input, output;

    device_get_latencies(driver, &input, &output);
    log_info("asio: '%s': latencies are %d in, %d out now", driver->name->name, (int)input,
             (int)output);
}

/* ---- what was reported to it ---- */

/* True when it is time to tell of late blocks again: how many there were. */
static bool
take_late_blocks(struct driver *driver, uint64_t *blocks)
{
    ULONGLONG now_ms = GetTickCount64();

    if (driver->overload_line_ms && now_ms - driver->overload_line_ms < OVERLOAD_LINE_MS) {
        return false;
    }
    driver->overload_line_ms = now_ms;
    *blocks = atomic_exchange(&driver->late_blocks, 0);
    return true;
}

void
host_log_answer(struct driver *driver, int32_t selector, int32_t value, bool known, int32_t answer)
{
    const char *name = driver->name->name, *text = message_text(selector);
    char about[64] = "";
    uint64_t blocks;

    if (selector == ASIO_MESSAGE_OVERLOAD) {
        if (!take_late_blocks(driver, &blocks)) {
            return;
        }
        snprintf(about, sizeof(about), " (%" PRIu64 " blocks came late or were lost)", blocks);
    } else if (selector == ASIO_MESSAGE_BUFFER_SIZE_CHANGE) {
        snprintf(about, sizeof(about), " (%d)", (int)value);
    }
    if (known) {
        log_info("asio: '%s': notified the host of %s%s: it answered %d", name, text, about,
                 (int)answer);
    } else {
        log_info("asio: '%s': the host does not know %s%s: it was not notified", name, text, about);
    }
}

void
host_log_rate(struct driver *driver, double rate_hz, bool known)
{
    log_info("asio: '%s': %s (%s)", driver->name->name,
             known ? "notified the host of sampleRateDidChange"
                   : "the host has no sampleRateDidChange: it was not notified",
             number_text(rate_hz).text);
}
