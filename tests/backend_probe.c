/* SPDX-License-Identifier: MIT */
/* What the contract suite hangs on a stream in place of the engine. */
#include "backend_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 15000, RAMP_FRAMES = 1 << 20 };

void
probe_init(struct probe *probe, const struct backend_means *means)
{
    memset(probe, 0, sizeof(*probe));
    probe->means = means;
    probe->backend = backend_find(means->backend);
    assert_non_null(probe->backend);
    config_init(&probe->config);
    means->configure(&probe->config);
}

/* ---- the cycle ---- */

/* The first input's samples that continue a ramp; the delay of the first of them. Frame i of `in`
 * is number pos - frames + i; the ramp's value is its own number plus one, for silence is 0. */
static int64_t
hear(const struct probe *probe, const struct backend_cycle *cycle)
{
    if (!probe->info->inputs || !cycle->in[0].first) {
        return PROBE_NONE;
    }
    float first = 0, sample;
    const unsigned char *from = cycle->in[0].first;
    for (uint32_t i = 0; i < cycle->frames; i++, from += cycle->in[0].stride_bytes) {
        dsp_from_device(&sample, from, cycle->in[0].stride_bytes, probe->info->input_format, 1);
        if (i == 0) {
            first = sample;
        } else if (sample != first + (float)i) {
            return PROBE_NONE;
        }
    }
    if (first < 1) {
        return PROBE_NONE;
    }
    int64_t number = (int64_t)(probe->pos % RAMP_FRAMES) - cycle->frames;
    return number - ((int64_t)first - 1);
}

static void
play(const struct probe *probe, const struct backend_cycle *cycle)
{
    for (uint32_t c = 0; c < probe->info->outputs; c++) {
        unsigned char *to = cycle->out[c].first;
        for (uint32_t i = 0; to && i < cycle->frames; i++, to += cycle->out[c].stride_bytes) {
            float sample = (float)((probe->pos + i) % RAMP_FRAMES + 1);
            dsp_to_device(to, cycle->out[c].stride_bytes, probe->info->output_format, &sample, 1);
        }
    }
}

/* Adds to the probe: areas that are no memory, or a direction that has nothing in this cycle. */
static void
look_at(struct probe *probe, const struct backend_area *areas, uint32_t count,
        enum dsp_format format)
{
    uint32_t bad = 0, nothing = 0;
    for (uint32_t c = 0; c < count; c++) {
        nothing += !areas[c].first;
        bad += !areas[c].first || areas[c].stride_bytes < dsp_format_bytes(format);
    }
    if (count && nothing == count) {
        probe->silent++;
    } else {
        probe->bad_areas += bad;
    }
}

static void
on_cycle(void *user, const struct backend_cycle *cycle)
{
    struct probe *probe = user;
    const struct backend_info *info = probe->info;
    uint32_t n = atomic_load_explicit(&probe->cycles, memory_order_relaxed);
    if (cycle->flags & BACKEND_CYCLE_XRUN) {
        probe->xrun_cycles++;
        probe->pos += cycle->lost_frames;
    }
    probe->wrong_frames += cycle->frames != info->period_frames;
    const uint64_t silent = probe->silent;
    look_at(probe, cycle->in, info->inputs, info->input_format);
    look_at(probe, cycle->out, info->outputs, info->output_format);
    if (probe->silent == silent) {
        atomic_fetch_add_explicit(&probe->sounding, 1, memory_order_release);
    }
    probe->starts_before_now += cycle->start_ns > os_now_ns();
    if (n < PROBE_KEEP) {
        probe->time_ns[n] = cycle->time_ns;
        probe->device_frames[n] = cycle->device_frames;
        probe->device_time_ns[n] = cycle->device_time_ns;
        probe->came_ns[n] = os_now_ns();
        probe->backward += n > 0 && cycle->time_ns <= probe->time_ns[n - 1];
        probe->delay[n] = hear(probe, cycle);
        probe->delays = n + 1;
    }
    play(probe, cycle);
    probe->pos += cycle->frames;
    /* Partner: the test's acquire load; after stop() no cycle runs. */
    atomic_store_explicit(&probe->cycles, n + 1, memory_order_release);
}

static void
on_event(void *user, enum backend_event_kind kind, enum tutti_status status, const char *text)
{
    struct probe *probe = user;
    (void)status;
    if (text && text[0] && (unsigned)kind < PROBE_EVENTS) {
        atomic_fetch_add(&probe->event[kind], 1);
    }
}

/* ---- the calls ---- */

enum tutti_status
probe_try_open(struct probe *probe, const char *device, double rate_hz, uint32_t period_frames,
               uint32_t inputs, uint32_t outputs)
{
    struct backend_request request = {
        .device = device,
        .rate_hz = rate_hz,
        .period_frames = period_frames,
        .max_inputs = inputs,
        .max_outputs = outputs,
        .config = &probe->config,
    };
    struct backend_callbacks callbacks[BACKEND_MAX_STREAMS];
    struct backend_stream *streams[BACKEND_MAX_STREAMS] = {0};
    unsigned count = 1;
    for (unsigned i = 0; i < BACKEND_MAX_STREAMS; i++) {
        callbacks[i] = (struct backend_callbacks){probe, on_cycle, on_event};
    }
    for (unsigned e = 0; e < PROBE_EVENTS; e++) {
        atomic_store(&probe->event[e], 0);
    }
    probe->error[0] = '\0';
    enum tutti_status status =
        probe->backend->open(&request, callbacks, streams, &count, probe->error);
    if (status == TUTTI_OK) {
        assert_true(count >= 1);
        assert_non_null(streams[0]);
        probe->stream = streams[0];
        probe->info = probe->backend->info(probe->stream);
    }
    return status;
}

void
probe_open(struct probe *probe, uint32_t period_frames)
{
    enum tutti_status status =
        probe_try_open(probe, "", 48000, period_frames, BACKEND_MAX_CHANNELS, BACKEND_MAX_CHANNELS);
    if (status != TUTTI_OK) {
        print_error("open: %s\n", probe->error);
    }
    assert_int_equal(status, TUTTI_OK);
}

void
probe_start(struct probe *probe)
{
    atomic_store(&probe->cycles, 0);
    probe->xrun_cycles = 0;
    probe->pos = probe->backward = probe->wrong_frames = probe->bad_areas = 0;
    atomic_store(&probe->sounding, 0);
    probe->starts_before_now = probe->silent = 0;
    probe->delays = 0;
    assert_int_equal(probe->backend->start(probe->stream), TUTTI_OK);
    probe->started_ns = os_now_ns();
}

void
probe_stop(struct probe *probe)
{
    probe->backend->stop(probe->stream);
}

void
probe_close(struct probe *probe)
{
    if (probe->stream) {
        probe->backend->close(probe->stream);
    }
    probe->stream = NULL;
    probe->info = NULL;
}

static void
await(const _Atomic uint32_t *counter, uint32_t count, const char *what)
{
    uint64_t deadline_ns = os_now_ns() + (uint64_t)WAIT_MS * OS_NS_PER_MS;
    while (atomic_load_explicit(counter, memory_order_acquire) < count) {
        if (os_now_ns() > deadline_ns) {
            fail_msg("no %s: %u of %u", what, (unsigned)atomic_load(counter), count);
        }
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

void
probe_await_cycles(struct probe *probe, uint32_t cycles)
{
    await(&probe->cycles, cycles, "cycles");
}

void
probe_await_sound(struct probe *probe, uint32_t cycles)
{
    await(&probe->sounding, cycles, "cycles with memory");
}

uint64_t
probe_longest_gap_ns(const struct probe *probe, uint32_t first)
{
    uint64_t now_ns = os_now_ns(), longest_ns = 0;
    uint32_t count = atomic_load_explicit(&probe->cycles, memory_order_acquire);
    assert_in_range(count, 0, PROBE_KEEP);
    uint64_t last_ns = first ? probe->came_ns[first - 1] : probe->started_ns;
    for (uint32_t n = first; n <= count; n++) {
        uint64_t next_ns = n < count ? probe->came_ns[n] : now_ns;
        if (next_ns > last_ns + longest_ns) {
            longest_ns = next_ns - last_ns;
        }
        last_ns = next_ns;
    }
    return longest_ns;
}

void
probe_await_event(struct probe *probe, enum backend_event_kind kind)
{
    await(&probe->event[kind], 1, "event");
}

enum tutti_status
probe_try_list(struct probe *probe, struct backend_device *first, unsigned *count)
{
    struct backend_device devices[16];
    *count = 16;
    enum tutti_status status = probe->backend->list(&probe->config, devices, count);
    assert_true(*count <= 16);
    if (*count) {
        *first = devices[0];
    }
    return status;
}

unsigned
probe_list(struct probe *probe, struct backend_device *first)
{
    unsigned count;
    assert_int_equal(probe_try_list(probe, first, &count), TUTTI_OK);
    return count;
}

int64_t
probe_delay(const struct probe *probe, double *share)
{
    unsigned heard = 0, best = 0;
    int64_t delay = PROBE_NONE;
    for (unsigned i = 0; i < probe->delays; i++) {
        unsigned same = 0;
        if (probe->delay[i] == PROBE_NONE) {
            continue;
        }
        heard++;
        for (unsigned k = 0; k < probe->delays; k++) {
            same += probe->delay[k] == probe->delay[i];
        }
        if (same > best) {
            best = same;
            delay = probe->delay[i];
        }
    }
    *share = heard ? (double)best / heard : 0;
    return delay;
}
