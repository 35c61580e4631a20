/* SPDX-License-Identifier: MIT */
/*
 * tutti latency: measures the round trip. Noise goes out at known positions, what comes in is kept
 * by position; how far the noise moved is the round trip, to be compared with what the engine
 * reports.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "cli/args_profile.h"
#include "cli/commands.h"
#include "cli/platform.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/stream.h"

enum { ORDER = 15, SLEEP_MS = 10, PATIENCE_S = 20 };

/* Everything the callback touches; the arrays are written before the start or by the callback alone
 * until all_heard. */
struct meter {
    struct session session;
    float *sent;  /* sent_frames long */
    float *heard; /* heard_frames long, by position */
    uint32_t sent_frames;
    uint64_t sent_position; /* of the noise's first frame: between blocks, so that no block boundary
                               helps */
    uint64_t heard_frames;
    uint64_t expected_position;     /* the callback's */
    _Atomic uint64_t done_frames;   /* heard so far; the callback's, acquired by main */
    _Atomic uint64_t lost_frames;   /* the callback's */
    _Atomic uint64_t silent_frames; /* the callback's: no device was behind them */
};

static void
process(void *user, const struct tutti_block *block)
{
    struct meter *meter = user;
    const float *in = tutti_input(meter->session.client, 0, block->half);
    float *out = tutti_output(meter->session.client, 0, block->half);
    uint64_t position = block->position_frames;

    for (uint32_t i = 0; i < block->frames; i++) {
        uint64_t at = position + i;
        uint64_t into = at - meter->sent_position;
        out[i] = at >= meter->sent_position && into < meter->sent_frames ? meter->sent[into] : 0;
        if (at < meter->heard_frames) {
            meter->heard[at] = in[i];
        }
    }
    if (position > meter->expected_position) {
        atomic_fetch_add_explicit(&meter->lost_frames, position - meter->expected_position,
                                  memory_order_relaxed);
    }
    if (block->silent) {
        atomic_fetch_add_explicit(&meter->silent_frames, block->frames, memory_order_relaxed);
    }
    meter->expected_position = position + block->frames;
    atomic_store_explicit(&meter->done_frames, position + block->frames, memory_order_release);
}

static bool
get_memory(struct meter *meter, double level_db, double rate_hz, uint32_t reported_frames,
           uint32_t buffer_frames)
{
    double level = level_db == -12 ? 0.25 : pow(10, level_db / 20);

    meter->sent_frames = probe_frames(ORDER);
    meter->sent_position = (uint64_t)(rate_hz / 20) + 2 * (uint64_t)buffer_frames + 17;
    meter->heard_frames = meter->sent_position + meter->sent_frames +
                          2 * (uint64_t)reported_frames + (uint64_t)(rate_hz / 2);
    meter->sent = calloc(meter->sent_frames, sizeof(*meter->sent));
    meter->heard = calloc(meter->heard_frames, sizeof(*meter->heard));
    if (!meter->sent || !meter->heard) {
        session_say("%s", tutti_status_text(TUTTI_NO_MEMORY));
        return false;
    }
    probe_make(ORDER, (float)level, meter->sent);
    return true;
}

static void
tell_progress(const struct style *style, uint64_t done, uint64_t all, double rate_hz)
{
    struct show_progress progress = {.seconds = (double)(done < all ? done : all) / rate_hz,
                                     .total_seconds = (double)all / rate_hz};
    struct text line;

    text_init(&line);
    show_progress(&line, style, &progress);
    session_progress(style, text_get(&line));
    text_fini(&line);
}

/* Plays and listens till all was heard. False: said. */
static bool
listen(struct meter *meter, const struct style *style, bool progress, double rate_hz)
{
    uint64_t deadline_ns = tutti_now_ns() + (uint64_t)PATIENCE_S * 1000000000U +
                           (uint64_t)((double)meter->heard_frames / rate_hz * 1e9);
    bool going = true;
    uint64_t done = 0;

    platform_catch_interrupts();
    enum tutti_status status = tutti_start(meter->session.client);
    if (status != TUTTI_OK) {
        session_fail(&meter->session, "cannot start measuring", status);
        return false;
    }
    for (unsigned round = 0; going && done < meter->heard_frames && !platform_interrupted() &&
                             tutti_now_ns() < deadline_ns;
         round++) {
        platform_sleep_ms(SLEEP_MS);
        done = atomic_load_explicit(&meter->done_frames, memory_order_acquire);
        going = stream_tell_events(&meter->session);
        if (progress && round % 10 == 0) {
            tell_progress(style, done, meter->heard_frames, rate_hz);
        }
    }
    if (progress) {
        tell_progress(style, done, meter->heard_frames, rate_hz);
    }
    tutti_stop(meter->session.client);
    session_progress_end();
    if (done >= meter->heard_frames && atomic_load(&meter->silent_frames) == 0) {
        return true;
    }
    if (platform_interrupted()) {
        session_say("interrupted");
    } else if (going) {
        session_say("the device did not run through the measurement; see 'tutti status'");
    }
    return false;
}

static bool
evaluate(struct meter *meter, struct show_latency *latency)
{
    const float *heard = meter->heard + meter->sent_position;
    uint64_t count = meter->heard_frames - meter->sent_position;

    for (uint64_t i = 0; i < meter->heard_frames; i++) {
        latency->heard_peak = fmax(latency->heard_peak, fabs((double)meter->heard[i]));
    }
    latency->lost_frames = atomic_load(&meter->lost_frames);
    if (!probe_find(meter->sent, meter->sent_frames, heard, count, &latency->match)) {
        session_say("%s", tutti_status_text(TUTTI_NO_MEMORY));
        return false;
    }
    latency->measured_frames = latency->match.offset;
    return true;
}

/* Joins, measures. False: said. */
static bool
measure(struct meter *meter, const struct cli *cli, struct show_latency *latency, double level_db,
        bool progress)
{
    struct tutti_stream_params params = {
        .buffer_frames = latency->buffer_frames, .process = process, .user = meter};
    struct stream_channels inputs, outputs;
    struct tutti_device device;

    const uint32_t input = latency->input - 1, output = latency->output - 1;

    const struct tutti_channel source = {.kind = TUTTI_CHANNEL_DEVICE};
    stream_choose(&inputs, source, &input, 1, true);
    stream_choose(&outputs, source, &output, 1, true);
    if (stream_prepare(&meter->session, &params, &inputs, &outputs) != TUTTI_OK) {
        return false;
    }
    session_say_problem(&meter->session);
    tutti_get_device(meter->session.client, &device);
    tutti_get_latencies(meter->session.client, &latency->input_latency_frames,
                        &latency->output_latency_frames);
    latency->rate_hz = device.rate_hz;
    return get_memory(meter, level_db, device.rate_hz,
                      latency->input_latency_frames + latency->output_latency_frames,
                      latency->buffer_frames) &&
           listen(meter, &cli->err, progress, device.rate_hz) && evaluate(meter, latency);
}

int
command_latency_run(const struct args *args, const struct cli *cli)
{
    static struct meter meter;
    struct show_latency latency = {.output = 1, .input = 1, .buffer_frames = 256};
    char error[ARGS_ERROR_BYTES];
    const char *profile;
    double level_db = -12;
    struct text text;

    if (!args_whole(args, "output", 1, TUTTI_MAX_CHANNELS, &latency.output, error) ||
        !args_whole(args, "input", 1, TUTTI_MAX_CHANNELS, &latency.input, error) ||
        !args_whole(args, "buffer", 1, CONFIG_BUFFER_FRAMES, &latency.buffer_frames, error) ||
        !args_number(args, "level", -60, 0, &level_db, error)) {
        return say_usage(args, error);
    }
    if (!args_profile(args, &profile) ||
        session_open_profile(&meter.session, "tutti latency", profile) != TUTTI_OK) {
        return 1;
    }
    bool measured =
        measure(&meter, cli, &latency, level_db, cli->err.terminal || args_flag(args, "progress"));
    session_close(&meter.session);
    free(meter.heard);
    free(meter.sent);
    if (!measured) {
        return 1;
    }
    text_init(&text);
    if (args_flag(args, "json")) {
        show_latency_json(&text, &latency);
    } else {
        show_latency(&text, &cli->out, &latency);
    }
    bool printed = say_text(&text);
    text_fini(&text);
    return printed && latency.match.found ? 0 : 1;
}
