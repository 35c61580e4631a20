/* SPDX-License-Identifier: MIT */
/*
 * Group controls: what gains, meters and the direct monitor do, heard through the loopback. Whether
 * they answer as the driver says they do is in cases_interface_calls.c; a driver that says it
 * cannot is skipped here.
 */
#include "conform/inside.h"
#include "conform/measure.h"
#include "conform/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONTROLS_S = 30,
    MOST_FRAMES = 65536, /* of a block that is worked on */
    HEAR_BLOCKS = 16,    /* of a level */
    HEAR_MS = 150,
    SETTLE_MS = 500, /* a gain is faded, the loop is long */
    DECAY_MS = 3000, /* a meter falls back */
    FULL_SCALE = 0x7fffffff,
    GAIN_0_DB = 0x20000000,
    GAIN_MINUS_6_DB = 0x10000000,
};

static const double played_peak = 0.25;

/* ---- what is played and heard ---- */

/* What the callback works on. */
struct desk {
    struct subject *s;
    int32_t output, input;  /* channels that are joined by the loopback */
    float *samples;         /* MOST_FRAMES */
    uint32_t noise;         /* the generator's state; the callback's */
    _Atomic bool plays;     /* noise, else silence */
    _Atomic uint32_t heard; /* highest peak since it was read, 2^30 is full scale */
};

static uint32_t
peak_of(const float *samples, uint32_t frames)
{
    double peak = 0;

    for (uint32_t i = 0; i < frames; i++) {
        peak = fabs((double)samples[i]) > peak ? fabs((double)samples[i]) : peak;
    }
    return peak < 3 ? (uint32_t)(peak * (1 << 30)) : 3u << 30;
}

static void
fill(struct desk *desk, uint32_t frames)
{
    uint32_t x = desk->noise;

    for (uint32_t i = 0; i < frames; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        desk->samples[i] = ((float)(x >> 8) / 8388608.0f - 1.0f) * (float)played_peak;
    }
    desk->noise = x;
}

static void
play_and_hear(struct host *host, const struct host_block *block)
{
    struct desk *desk = host->user;
    struct subject *s = host->subject;
    uint32_t frames = (uint32_t)s->buffer_frames;
    int32_t half = block->half & 1;
    bool plays = atomic_load(&desk->plays);

    for (int32_t i = 0; i < s->count; i++) {
        void *buffer = s->infos[i].buffers[half];
        if (s->infos[i].is_input && s->infos[i].channel == desk->input) {
            samples_get(desk->samples, buffer, s->types[i], frames);
            uint32_t peak = peak_of(desk->samples, frames);
            if (peak > atomic_load(&desk->heard)) {
                atomic_store(&desk->heard, peak);
            }
        } else if (!s->infos[i].is_input) {
            memset(desk->samples, 0, frames * sizeof(*desk->samples));
            if (plays && s->infos[i].channel == desk->output) {
                fill(desk, frames);
            }
            samples_put(buffer, s->types[i], desk->samples, frames);
        }
    }
}

static void
wait_ms(struct desk *desk, unsigned ms)
{
    struct subject *s = desk->s;
    uint32_t blocks = HEAR_BLOCKS + (uint32_t)(ms * 1e6 / measure_block_ns(s));

    host_wait(&s->host, atomic_load(&s->host.block_count) + blocks, 10 * ms + 1000);
}

static void
play(struct desk *desk, bool plays)
{
    atomic_store(&desk->plays, plays);
    wait_ms(desk, SETTLE_MS);
}

/* The highest peak from now on, for a while; 1 is full scale. */
static double
hear(struct desk *desk)
{
    atomic_store(&desk->heard, 0);
    wait_ms(desk, HEAR_MS);
    return atomic_load(&desk->heard) / (double)(1 << 30);
}

/* Runs with the loopback's channels, silent. NULL: failed, or skipped, and said. */
static struct desk *
open_desk(struct conform *t, int32_t can, const char *what)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    struct subject *s = subject_open(t);
    bool good = desk && s && (desk->samples = calloc(MOST_FRAMES, sizeof(float))) != NULL;

    if (good && (s->preferred > MOST_FRAMES || call_future(s, can, NULL, 0) != ASIO_SUCCESS)) {
        conform_skip(t, "the driver says that it has no %s", what);
        good = false;
    }
    if (good) {
        *desk = (struct desk){.s = s,
                              .output = conform_facts(t)->loop_output,
                              .input = conform_facts(t)->loop_input,
                              .samples = desk->samples,
                              .noise = 0x2545f491u};
        s->host.user = desk;
        s->host.on_block = play_and_hear;
        good = subject_prepare(s, desk->input + 1, desk->output + 1, 0) && subject_stream(s, 2);
    }
    if (good) {
        return desk;
    }
    subject_close(s);
    if (desk) {
        free(desk->samples);
    }
    free(desk);
    return NULL;
}

static void
close_desk(struct desk *desk)
{
    subject_close(desk->s);
    free(desk->samples);
    free(desk);
}

/* A busy machine may keep the sound away once. It cannot make a driver do what it does not, so it
 * is no excuse. */
static void
try_often(struct conform *t,
          bool (*once)(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES]),
          const void *arg)
{
    char why[CONFORM_TEXT_BYTES] = "";

    for (unsigned i = 0; i < MEASURE_TRIES; i++) {
        if (once(t, arg, why)) {
            return;
        }
    }
    conform_fail(t, "%s", why);
}

/* ---- gains ---- */

static void
set_gain(struct desk *desk, bool input, int32_t gain)
{
    struct asio_channel_controls controls = {
        .channel = input ? desk->input : desk->output, .is_input = input, .gain = gain};
    int32_t selector = input ? ASIO_FUTURE_SET_INPUT_GAIN : ASIO_FUTURE_SET_OUTPUT_GAIN;
    int32_t answer = call_future(desk->s, selector, &controls, sizeof(controls));

    conform_expect(desk->s->t, answer == ASIO_SUCCESS, "the gain %#x was answered %s",
                   (unsigned)gain, conform_error_text(answer));
    wait_ms(desk, SETTLE_MS);
}

/* Which of the two is in arg. */
static bool
try_gain(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    const bool input = *(const bool *)arg;
    const char *name = input ? "input" : "output";
    struct desk *desk =
        open_desk(t, input ? ASIO_FUTURE_CAN_INPUT_GAIN : ASIO_FUTURE_CAN_OUTPUT_GAIN,
                  input ? "input gain" : "output gain");

    if (!desk) {
        return true;
    }
    play(desk, true);
    double before = hear(desk);
    set_gain(desk, input, 0);
    double silent = hear(desk);
    set_gain(desk, input, GAIN_0_DB);
    double after = hear(desk);
    close_desk(desk);
    conform_figure(t, before > 0 ? after / before : 0, "of the level at 0 dB");
    snprintf(why, CONFORM_TEXT_BYTES,
             "the level heard was %.3f, %.3f with an %s gain of 0, %.3f with 0 dB", before, silent,
             name, after);
    return before > 0.01 && silent < before / 100 && fabs(after - before) < before / 10;
}

static void
an_input_gain_is_heard(struct conform *t)
{
    try_often(t, try_gain, &(bool){true});
}

static void
an_output_gain_is_heard(struct conform *t)
{
    try_often(t, try_gain, &(bool){false});
}

/* ---- meters ---- */

/* Full scale is 1. What was metered before is forgotten. */
static double
read_meter(struct desk *desk, bool input)
{
    struct asio_channel_controls controls = {.channel = input ? desk->input : desk->output,
                                             .is_input = input};
    int32_t selector = input ? ASIO_FUTURE_GET_INPUT_METER : ASIO_FUTURE_GET_OUTPUT_METER;

    call_future(desk->s, selector, &controls, sizeof(controls));
    wait_ms(desk, HEAR_MS);
    controls.meter = -1;
    int32_t answer = call_future(desk->s, selector, &controls, sizeof(controls));
    conform_expect(desk->s->t, answer == ASIO_SUCCESS, "the meter was answered %s",
                   conform_error_text(answer));
    return controls.meter / (double)FULL_SCALE;
}

/* A meter may fall slowly. */
static double
read_low_meter(struct desk *desk, bool input, double low)
{
    double meter = read_meter(desk, input);

    for (unsigned ms = 0; ms < DECAY_MS && meter > low; ms += HEAR_MS) {
        meter = read_meter(desk, input);
    }
    return meter;
}

static bool
try_meter(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    const bool input = *(const bool *)arg;
    struct desk *desk =
        open_desk(t, input ? ASIO_FUTURE_CAN_INPUT_METER : ASIO_FUTURE_CAN_OUTPUT_METER,
                  input ? "input meter" : "output meter");

    if (!desk) {
        return true;
    }
    read_meter(desk, input);
    play(desk, true);
    double heard = input ? hear(desk) : played_peak, loud = read_meter(desk, input);
    play(desk, false);
    double low = heard / 50, quiet = read_low_meter(desk, input, low);
    close_desk(desk);
    conform_figure(t, heard > 0 ? loud / heard : 0, "of the peak");
    snprintf(why, CONFORM_TEXT_BYTES,
             "the %s meter told %.3f of full scale for a noise of %.3f, and %.3f for silence",
             input ? "input" : "output", loud, heard, quiet);
    /* it may show an average, which is half a peak and less */
    return heard > 0.01 && loud > heard / 4 && loud < 1.25 * heard && quiet <= low;
}

static void
an_input_meter_follows_the_sound(struct conform *t)
{
    try_often(t, try_meter, &(bool){true});
}

static void
an_output_meter_follows_the_sound(struct conform *t)
{
    try_often(t, try_meter, &(bool){false});
}

/* ---- the monitor ---- */

static void
set_monitor(struct desk *desk, bool on)
{
    struct asio_input_monitor monitor = {.input = desk->input,
                                         .output = desk->output,
                                         .gain = GAIN_MINUS_6_DB,
                                         .state = on,
                                         .pan = FULL_SCALE / 2};
    int32_t answer = call_future(desk->s, ASIO_FUTURE_SET_INPUT_MONITOR, &monitor, sizeof(monitor));

    conform_expect(desk->s->t, answer == ASIO_SUCCESS, "the monitor was answered %s",
                   conform_error_text(answer));
    wait_ms(desk, SETTLE_MS);
}

/* Through the loopback the monitor hears itself, half as loud with each turn: what is heard of a
 * noise grows by half and more, and dies away when the host is silent. */
static bool
try_monitor(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    struct desk *desk = open_desk(t, ASIO_FUTURE_CAN_INPUT_MONITOR, "input monitor");

    (void)arg;
    if (!desk) {
        return true;
    }
    play(desk, true);
    double alone = hear(desk);
    set_monitor(desk, true);
    double with = hear(desk);
    play(desk, false);
    double quiet = hear(desk);
    set_monitor(desk, false);
    play(desk, true);
    double after = hear(desk);
    close_desk(desk);
    conform_figure(t, alone > 0 ? with / alone : 0, "of the level without");
    snprintf(why, CONFORM_TEXT_BYTES,
             "the level heard was %.3f, %.3f with the monitor at -6 dB, %.3f when the host was "
             "silent, %.3f without the monitor",
             alone, with, quiet, after);
    return alone > 0.01 && with > 1.2 * alone && quiet < alone / 10 &&
           fabs(after - alone) < alone / 10;
}

static void
the_monitor_is_heard(struct conform *t)
{
    try_often(t, try_monitor, NULL);
}

static const struct conform_case cases[] = {
    {"an_input_gain_is_heard", "An input gain of 0 silences the input, 0 dB leaves it as it was",
     "tutti/asio.h: SetInputGain", an_input_gain_is_heard, NEED_LOOPBACK | NEED_STREAM, CONTROLS_S},
    {"an_output_gain_is_heard", "An output gain of 0 silences the output, 0 dB leaves it as it was",
     "tutti/asio.h: SetOutputGain", an_output_gain_is_heard, NEED_LOOPBACK | NEED_STREAM,
     CONTROLS_S},
    {"an_input_meter_follows_the_sound",
     "An input meter tells the level of a noise that is heard, and falls when it ends",
     "tutti/asio.h: GetInputMeter", an_input_meter_follows_the_sound, NEED_LOOPBACK | NEED_STREAM,
     CONTROLS_S},
    {"an_output_meter_follows_the_sound",
     "An output meter tells the level of a noise that is played, and falls when it ends",
     "tutti/asio.h: GetOutputMeter", an_output_meter_follows_the_sound, NEED_LOOPBACK | NEED_STREAM,
     CONTROLS_S},
    {"the_monitor_is_heard",
     "The input monitor adds what an input hears to an output, as loud as asked, until it is "
     "switched off",
     "tutti/asio.h: SetInputMonitor", the_monitor_is_heard, NEED_LOOPBACK | NEED_STREAM,
     CONTROLS_S},
};

const struct conform_group conform_group_controls = {
    "controls", "gains, meters and the monitor, heard through a loopback", cases,
    sizeof(cases) / sizeof(*cases)};
