/* SPDX-License-Identifier: MIT */
/* Group latency: what is heard through a loopback beside what getLatencies says. */
#include "conform/inside.h"
#include "conform/loop.h"
#include "conform/measure.h"
#include "conform/rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_SIZES = 12, MOST_S = 60, STARTS = 6 };

struct pair {
    int32_t output, input;
};

static struct pair
pair_of(const struct conform *t)
{
    return (struct pair){conform_facts(t)->loop_output, conform_facts(t)->loop_input};
}

/* Measures once; false: no round trip, and said. */
static bool
measure(struct subject *s, int32_t frames, int32_t *found, int32_t *told)
{
    struct pair pair = pair_of(s->t);

    *found = loop_measure(s, pair.output, pair.input, frames);
    *told = s->input_latency + s->output_latency;
    if (*found == -1) {
        conform_fail(s->t, "with buffers of %d at %g Hz the burst did not come back", (int)frames,
                     s->rate_hz);
    }
    return *found >= 0;
}

/* ---- by buffer size ---- */

static void
latency_is_as_reported_at_each_buffer_size(struct conform *t)
{
    struct subject *s = subject_open(t);
    double sizes[MOST_SIZES], found_frames[MOST_SIZES], told_frames[MOST_SIZES], worst = 0;
    unsigned count = 0;

    for (int32_t size = s ? s->min : 1; s && size > 0 && size <= s->max && count < MOST_SIZES;
         size *= 2) {
        int32_t found, told;
        if (s->granularity > 0 && (size - s->min) % s->granularity) {
            continue;
        }
        if (!measure(s, size, &found, &told)) {
            break;
        }
        sizes[count] = size;
        found_frames[count] = found;
        told_frames[count++] = told;
        if (fabs((double)found - told) > fabs(worst)) {
            worst = (double)found - told;
        }
        conform_expect(t, abs(found - told) <= measure_tolerance(s),
                       "with buffers of %d frames the round trip is %d, %d are reported", (int)size,
                       (int)found, (int)told);
        if (s->granularity == 0) {
            break;
        }
    }
    conform_series(t, "found", sizes, found_frames, count);
    conform_series(t, "reported", sizes, told_frames, count);
    conform_figure(t, worst, "frames off, worst");
    subject_close(s);
}

/* ---- by rate ---- */

static void
latency_is_as_reported_at_each_rate(struct conform *t)
{
    struct subject *s = subject_open(t);
    double before = s ? s->rate_hz : 0, worst = 0;

    for (unsigned i = RATES_STREAMED; s && i < RATES; i++) {
        int32_t found, told;
        if (!measure_set_rate(s, rates_hz[i])) {
            continue;
        }
        if (!measure(s, 0, &found, &told)) {
            break;
        }
        if (fabs((double)found - told) > fabs(worst)) {
            worst = (double)found - told;
        }
        conform_expect(t, abs(found - told) <= measure_tolerance(s),
                       "at %g Hz the round trip is %d frames, %d are reported", rates_hz[i],
                       (int)found, (int)told);
    }
    conform_figure(t, worst, "frames off, worst");
    if (s) {
        call_set_sample_rate(s, before);
    }
    subject_close(s);
}

/* ---- from start to start ---- */

static void
latency_is_the_same_after_each_start(struct conform *t)
{
    enum { STEADY_FRAMES = 8 };
    struct subject *s = subject_open(t);
    int32_t least = INT32_MAX, most = 0;

    for (unsigned i = 0; s && i < STARTS; i++) {
        int32_t found, told;
        if (!measure(s, 0, &found, &told)) {
            break;
        }
        least = found < least ? found : least;
        most = found > most ? found : most;
    }
    if (most >= least) {
        conform_figure(t, (double)most - least, "frames between");
        conform_expect(t, most - least <= STEADY_FRAMES,
                       "round trips from %d to %d frames were found in %d starts", (int)least,
                       (int)most, STARTS);
    }
    subject_close(s);
}

static void
output_ready_latency_is_as_reported(struct conform *t)
{
    struct subject *s = subject_open(t);
    int32_t found, told;

    if (!s) {
        return;
    }
    s->host.output_ready = true;
    call_output_ready(s);
    if (measure(s, 0, &found, &told)) {
        conform_figure(t, (double)found - told, "frames off");
        conform_expect(t, abs(found - told) <= measure_tolerance(s),
                       "with outputReady the round trip is %d frames, %d are reported", (int)found,
                       (int)told);
    }
    subject_close(s);
}

/* ---- what comes back ---- */

/* Sound that is lost untold fails at once; a stream that says of most of it that it was lost shows
 * nothing, and is tried again. */
static bool
compare_once(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    struct subject *s = subject_open(t);
    struct pair pair = pair_of(t);
    struct loop_heard heard;
    bool good = true;

    (void)arg;
    if (s && loop_compare(s, pair.output, pair.input, 2, &heard)) {
        uint32_t all = heard.compared + heard.told;
        conform_figure(t, all ? 100.0 * heard.told / all : 100, "% told to be lost");
        good = heard.compared > heard.told;
        if (all) {
            snprintf(why, CONFORM_TEXT_BYTES, "%u of %u frames were told to be lost", heard.told,
                     all);
        } else {
            snprintf(why, CONFORM_TEXT_BYTES, "the burst did not come back");
        }
        conform_expect(t, heard.different == 0,
                       "%u of %u frames that came back are not those played, from frame %u on, "
                       "and neither position nor Overload told that any were lost there",
                       heard.different, heard.compared, heard.first_different);
    }
    subject_close(s);
    return good || conform_failed(t);
}

static void
sound_comes_back_whole(struct conform *t)
{
    measure_try(t, compare_once, NULL);
}

/* ---- before the first block ---- */

/* The preferred size or a larger one that holds a burst; 0: none does. */
static int32_t
size_of_a_burst(const struct subject *s)
{
    int32_t size = s->preferred, step = s->granularity;

    while (size < loop_least_frames() && size < s->max && step != 0) {
        size += step > 0 ? step : size;
    }
    return size >= loop_least_frames() && size <= s->max ? size : 0;
}

static struct subject *
open_for_a_burst(struct conform *t)
{
    struct subject *s = subject_open(t);
    struct pair pair = pair_of(t);

    if (s && size_of_a_burst(s) == 0) {
        conform_skip(t, "its buffers are shorter than the burst");
    } else if (s && subject_prepare(s, pair.input + 1, pair.output + 1, size_of_a_burst(s))) {
        return s;
    }
    subject_close(s);
    return NULL;
}

static bool
hear_first_half(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES])
{
    struct subject *s = open_for_a_burst(t);
    struct pair pair = pair_of(t);
    bool good = true;

    (void)arg;
    if (s) {
        int32_t told = s->input_latency + s->output_latency - s->buffer_frames;
        int32_t found = loop_first_half(s, pair.output, pair.input, true, false);
        good = found != -1;
        snprintf(why, CONFORM_TEXT_BYTES, "what was filled into half 1 was not heard");
        if (found >= 0) {
            conform_figure(t, (double)found - told, "frames off");
            conform_expect(t, abs(found - told) <= measure_tolerance(s),
                           "what was filled into half 1 is heard from frame %d on, directly before "
                           "the first block is frame %d",
                           (int)found, (int)told);
        }
    }
    subject_close(s);
    return good || conform_failed(t);
}

static void
half_1_filled_before_start_is_heard_before_the_first_block(struct conform *t)
{
    measure_try(t, hear_first_half, NULL);
}

static void
what_a_stop_left_is_not_heard_at_the_next_start(struct conform *t)
{
    enum { AWAY_MS = 500 }; /* until the loopback is silent */
    struct subject *s = open_for_a_burst(t);
    struct pair pair = pair_of(t);

    if (s && loop_first_half(s, pair.output, pair.input, true, true) != -2) {
        conform_sleep_ms(AWAY_MS);
        int32_t found = loop_first_half(s, pair.output, pair.input, false, false);
        conform_expect(t, found < 0,
                       "what half 1 held at stop is heard from frame %d on after the next start",
                       (int)found);
    }
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"latency_is_as_reported_at_each_buffer_size",
     "The round trip found is input plus output latency as reported, to 1 ms and half a buffer, at "
     "each buffer size",
     "dechamps/FlexASIO, issues 10 and 153 (Live shifts recordings by what is reported)",
     latency_is_as_reported_at_each_buffer_size, NEED_LOOPBACK | NEED_STREAM, MOST_S},
    {"latency_is_as_reported_at_each_rate",
     "The round trip found is input plus output latency as reported, to 1 ms and half a buffer, at "
     "each sample rate up to 768 kHz",
     "dechamps/FlexASIO, issues 10 and 153 (Live shifts recordings by what is reported)",
     latency_is_as_reported_at_each_rate, NEED_LOOPBACK | NEED_STREAM, MOST_S},
    {"latency_is_the_same_after_each_start",
     "The round trip is the same after each start, to 8 frames",
     "dusk-audio/dusk-studio, pull request 110 (an offset is measured by a loopback once, and "
     "kept)",
     latency_is_the_same_after_each_start, NEED_LOOPBACK | NEED_STREAM, MOST_S},
    {"output_ready_latency_is_as_reported",
     "With outputReady in each callback the round trip is as reported, too",
     "tutti/asio.h: outputReady", output_ready_latency_is_as_reported, NEED_LOOPBACK | NEED_STREAM,
     0},
    {"sound_comes_back_whole",
     "What is played comes back through the loopback frame by frame, none missing, none twice, but "
     "where a jump of the position or an Overload tells it",
     "tutti/asio.h: halves", sound_comes_back_whole, NEED_LOOPBACK | NEED_STREAM, 0},
    {"half_1_filled_before_start_is_heard_before_the_first_block",
     "What a host fills into half 1 before start is heard, directly before the first block",
     "tutti/asio.h: start; dechamps/ASIOUtil, BUFFERS.md: priming",
     half_1_filled_before_start_is_heard_before_the_first_block, NEED_LOOPBACK | NEED_STREAM, 0},
    {"what_a_stop_left_is_not_heard_at_the_next_start",
     "What half 1 held when the host stopped is not heard after the next start",
     "our own rule: because a host that fills nothing means silence",
     what_a_stop_left_is_not_heard_at_the_next_start, NEED_LOOPBACK | NEED_STREAM, 0},
};

const struct conform_group conform_group_latency = {
    "latency", "the round trip heard through a loopback, beside the one reported", cases,
    sizeof(cases) / sizeof(*cases)};
