/* SPDX-License-Identifier: MIT */
/*
 * The callbacks. They play by position, so that what was lost stays lost and everything after it is
 * where it belongs; they leave what they saw in a ring, and write no file, take no lock and
 * allocate nothing.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

struct audio audio;

uint64_t
audio_now_ns(void)
{
    LARGE_INTEGER count;

    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart, hz = audio.qpc_hz;
    return ticks / hz * 1000000000u + ticks % hz * 1000000000u / hz;
}

/* ---- what goes out ---- */

static void
play(uint64_t position, int32_t half)
{
    const struct wave *wave = &audio.wave;

    for (unsigned o = 0; o < audio.outputs; o++) {
        struct channel *channel = &audio.output[o];
        memset(audio.scratch, 0, audio.frames * sizeof(float));
        for (unsigned p = 0; p < audio.plays; p++) {
            if (audio.play_output[p] != (int)o) {
                continue;
            }
            uint64_t at = position % wave->frames;
            for (uint32_t i = 0; i < audio.frames; i++) {
                audio.scratch[i] = wave->samples[at * wave->channels + p % wave->channels];
                at = at + 1 == wave->frames ? 0 : at + 1;
            }
        }
        if ((int)o == audio.ping_output) {
            for (uint32_t i = 0; i < audio.frames; i++) {
                audio.scratch[i] = ping_sample(&audio.ping, position + i);
            }
        }
        samples_put(channel->buffers[half], channel->type, audio.scratch, audio.frames);
    }
}

/* ---- what came in ---- */

static void
keep(const struct block_record *block, int32_t half)
{
    float *samples = (float *)(void *)(audio.record + sizeof(*block));

    memcpy(audio.record, block, sizeof(*block));
    for (unsigned r = 0; r < audio.records; r++) {
        const struct channel *channel = &audio.input[audio.record_input[r]];
        samples_get(audio.scratch, channel->buffers[half], channel->type, audio.frames);
        for (uint32_t i = 0; i < audio.frames; i++) {
            samples[(size_t)i * audio.records + r] = audio.scratch[i];
        }
    }
    if (audio.ping_input >= 0) {
        const struct channel *channel = &audio.input[audio.ping_input];
        samples_get(samples + (size_t)audio.records * audio.frames, channel->buffers[half],
                    channel->type, audio.frames);
    }
    if (!ring_put(&audio.ring, audio.record)) {
        atomic_fetch_add(&audio.lost_records, 1);
    }
}

/* ---- one block ---- */

static void
look_at_clock(uint64_t now)
{
    if (audio.last_begin_ns) {
        uint64_t interval = now - audio.last_begin_ns;
        uint64_t slot = interval / 1000;
        audio.intervals[slot < HOST_INTERVALS ? slot : HOST_INTERVALS - 1]++;
        if (interval > audio.interval_max_ns) {
            audio.interval_max_ns = interval;
        }
    }
    audio.last_begin_ns = now;
}

static void
look_at_order(struct block_record *block, int32_t half)
{
    int32_t expected = audio.last_half < 0 ? 0 : !audio.last_half;

    if (half != expected) {
        atomic_fetch_add(&audio.bad_index, 1);
    }
    audio.last_half = half;
    if (block->position < audio.expected_position) {
        atomic_fetch_add(&audio.backwards, 1);
    } else if (block->position > audio.expected_position) {
        atomic_fetch_add(&audio.jumps, 1);
    }
    audio.expected_position = block->position + audio.frames;
    if (block->flags & TUTTI_ASIO_BLOCK_SILENT) {
        atomic_fetch_add(&audio.silent, 1);
    }
}

/* As exactly as the driver tells it. */
static void
ask_where(struct block_record *block, const struct asio_time *time)
{
    struct tutti_asio_block told = {.size = sizeof(told)};
    struct asio_int64 position, stamp;
    struct asio_driver *driver = audio.driver;

    if (audio.has_blocks &&
        driver->methods->future(driver, TUTTI_ASIO_GET_BLOCK, &told) == ASIO_SUCCESS) {
        block->position = told.position;
        block->device_frames = told.device_frames;
        block->generation = told.generation;
        block->time_ns = told.time_ns;
        block->flags = told.flags;
    } else if (time && time->info.flags & ASIO_TIME_SAMPLE_POSITION_VALID) {
        block->position = asio_int64_value(time->info.sample_position);
    } else if (driver->methods->get_sample_position(driver, &position, &stamp) == ASIO_OK) {
        block->position = asio_int64_value(position);
    } else {
        block->position = audio.expected_position;
    }
}

static void
run_block(const struct asio_time *time, int32_t half)
{
    uint64_t begin = audio_now_ns();
    const struct options *options = audio.options;
    struct block_record block = {
        .index = atomic_load(&audio.callbacks),
        .callback_begin_ns = begin,
        .frames = audio.frames,
    };

    if (half < 0 || half > 1) {
        atomic_fetch_add(&audio.bad_index, 1);
        return;
    }
    look_at_clock(begin);
    ask_where(&block, time);
    look_at_order(&block, half);
    /* Input first: with --play on a driver that works in place nothing of it would be left. */
    if (!options->frames || atomic_load(&audio.done_frames) < options->frames) {
        keep(&block, half);
    }
    play(block.position, half);
    if (audio.load_ns) {
        while (audio_now_ns() - begin < audio.load_ns) {
        }
    }
    if (options->output_ready) {
        audio.driver->methods->output_ready(audio.driver);
    }
    atomic_store(&audio.position, block.position);
    atomic_fetch_add(&audio.done_frames, audio.frames);
    atomic_store(&audio.begun_ns, begin);
    atomic_fetch_add(&audio.callbacks, 1);
}

static void TUTTI_ASIO_HOST
buffer_switch(int32_t half, int32_t direct)
{
    (void)direct;
    run_block(NULL, half);
}

static struct asio_time *TUTTI_ASIO_HOST
buffer_switch_time_info(struct asio_time *time, int32_t half, int32_t direct)
{
    (void)direct;
    run_block(time, half);
    return time;
}

/* ---- messages ---- */

static void TUTTI_ASIO_HOST
sample_rate_did_change(double rate_hz)
{
    (void)rate_hz;
    atomic_fetch_add(&audio.rate_changes, 1);
}

static int32_t
knows(int32_t selector)
{
    switch (selector) {
    case ASIO_MESSAGE_SELECTOR_SUPPORTED:
    case ASIO_MESSAGE_ENGINE_VERSION:
    case ASIO_MESSAGE_RESET_REQUEST:
    case ASIO_MESSAGE_RESYNC_REQUEST:
    case ASIO_MESSAGE_LATENCIES_CHANGED:
    case ASIO_MESSAGE_SUPPORTS_TIME_INFO:
    case ASIO_MESSAGE_OVERLOAD:
        return 1;
    default:
        return 0;
    }
}

static int32_t TUTTI_ASIO_HOST
asio_message(int32_t selector, int32_t value, void *message, double *option)
{
    (void)message;
    (void)option;
    switch (selector) {
    case ASIO_MESSAGE_SELECTOR_SUPPORTED:
        return knows(value);
    case ASIO_MESSAGE_ENGINE_VERSION:
        return 2;
    case ASIO_MESSAGE_SUPPORTS_TIME_INFO:
        return 1;
    case ASIO_MESSAGE_RESET_REQUEST:
        atomic_fetch_add(&audio.resets, 1);
        atomic_store(&audio.reset_wanted, true);
        return 1;
    case ASIO_MESSAGE_RESYNC_REQUEST:
        atomic_fetch_add(&audio.resyncs, 1);
        return 1;
    case ASIO_MESSAGE_LATENCIES_CHANGED:
        atomic_fetch_add(&audio.latency_changes, 1);
        return 1;
    case ASIO_MESSAGE_OVERLOAD:
        atomic_fetch_add(&audio.overloads, 1);
        return 1;
    default:
        return 0;
    }
}

const struct asio_callbacks audio_callbacks = {buffer_switch, sample_rate_did_change, asio_message,
                                               buffer_switch_time_info};

/* ---- before they come ---- */

bool
audio_prepare(uint32_t frames, double rate_hz)
{
    audio.frames = frames;
    audio.rate_hz = rate_hz;
    audio.load_ns =
        (uint64_t)(audio.options->load_percent / 100.0 * 1e9 * (double)frames / audio.rate_hz);
    free(audio.scratch);
    audio.scratch = calloc(frames, sizeof(float));
    if (!audio.scratch) {
        fail("not enough memory");
    }
    return audio.scratch != NULL;
}

void
audio_rewind(void)
{
    audio.last_half = -1;
    audio.expected_position = 0;
    audio.last_begin_ns = 0;
}
