/* SPDX-License-Identifier: MIT */
/* Group latency, more of it: each rate with the smallest and the largest buffer, and hosts that
 * write their outputs when the callback has returned. */
#include "conform/inside.h"
#include "conform/loop.h"
#include "conform/measure.h"
#include "conform/rates.h"

#include <math.h>
#include <stdlib.h>

enum { GRID_S = 120, WRITER_S = 60, WRITER_MS = 20 };

/* A smaller buffer asks for more callbacks than a host wants. */
static const double least_ms = 0.5;

/* ---- sizes and rates ---- */

/* The size after this one; 0: there is none. */
static int32_t
next_size(const struct subject *s, int32_t size)
{
    int64_t next = s->granularity > 0 ? (int64_t)size + s->granularity : 2 * (int64_t)size;

    return s->granularity != 0 && size > 0 && next <= s->max ? (int32_t)next : 0;
}

/* The smallest size that lasts so long at the present rate; the largest if none does. */
static int32_t
size_lasting(const struct subject *s, double ms)
{
    int32_t size = s->min, next;

    while (size * 1000.0 / s->rate_hz < ms && (next = next_size(s, size)) != 0) {
        size = next;
    }
    return size;
}

static bool
measure_at(struct subject *s, int32_t size, double *worst)
{
    const struct conform_facts *facts = conform_facts(s->t);
    int32_t found = loop_measure(s, facts->loop_output, facts->loop_input, size);
    int32_t told = s->input_latency + s->output_latency, off = found - told;

    if (found == -1) {
        conform_fail(s->t, "with buffers of %d at %g Hz the burst did not come back", (int)size,
                     s->rate_hz);
    }
    if (found < 0) {
        return false;
    }
    if (abs(off) > fabs(*worst)) {
        *worst = off;
    }
    conform_expect(s->t, abs(off) <= measure_tolerance(s),
                   "with buffers of %d at %g Hz the round trip is %d frames, %d are reported",
                   (int)size, s->rate_hz, (int)found, (int)told);
    return true;
}

static void
latency_is_as_reported_at_each_size_and_rate(struct conform *t)
{
    struct subject *s = subject_open(t);
    double before = s ? s->rate_hz : 0, worst = 0;
    bool good = true;

    for (unsigned i = RATES_STREAMED; s && good && i < RATES; i++) {
        if (measure_set_rate(s, rates_hz[i])) {
            good =
                measure_at(s, size_lasting(s, least_ms), &worst) && measure_at(s, s->max, &worst);
        }
    }
    conform_figure(t, worst, "frames off, worst");
    if (s) {
        call_set_sample_rate(s, before);
    }
    subject_close(s);
}

/* ---- hosts that write later ---- */

static void
write_as(struct subject *s, enum loop_writing how)
{
    const struct conform_facts *facts = conform_facts(s->t);
    int32_t size = size_lasting(s, WRITER_MS);
    int32_t found = loop_measure_as(s, facts->loop_output, facts->loop_input, size, how);
    int32_t told = s->input_latency + s->output_latency;

    if (found == -1) {
        conform_fail(s->t, "with buffers of %d the burst did not come back", (int)size);
    }
    if (found < 0) {
        return;
    }
    conform_figure(s->t, (double)found - told, "frames off");
    conform_expect(s->t, abs(found - told) <= measure_tolerance(s),
                   "what was written into a half of %d frames came back after %d frames, %d are "
                   "reported: the half had been taken before",
                   (int)size, (int)found, (int)told);
}

static void
what_is_written_before_output_ready_is_heard(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (s && call_output_ready(s) != ASIO_OK) {
        conform_skip(t, "the driver has no outputReady");
    } else if (s) {
        write_as(s, WRITES_LATER_AND_TELLS);
    }
    subject_close(s);
}

static void
what_is_written_before_the_next_callback_is_heard(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (s) {
        write_as(s, WRITES_LATER);
    }
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"latency_is_as_reported_at_each_size_and_rate",
     "At each rate up to 768 kHz, with the largest buffer and the smallest that lasts half a "
     "millisecond, the round trip is as reported, to 1 ms and half a buffer",
     "dechamps/FlexASIO, issues 10 and 153 (Live shifts recordings by what is reported)",
     latency_is_as_reported_at_each_size_and_rate, NEED_LOOPBACK | NEED_STREAM, GRID_S},
    {"what_is_written_before_output_ready_is_heard",
     "What a host writes after its callback, before it calls outputReady, is heard in that block",
     "tutti/asio.h: outputReady", what_is_written_before_output_ready_is_heard,
     NEED_LOOPBACK | NEED_STREAM, WRITER_S},
    {"what_is_written_before_the_next_callback_is_heard",
     "What a host that never calls outputReady writes after its callback, before the next one, is "
     "heard in that block",
     "tutti/asio.h: a half is the host's until the call for the other one returns",
     what_is_written_before_the_next_callback_is_heard, NEED_LOOPBACK | NEED_STREAM, WRITER_S},
};

const struct conform_group conform_group_latency_grid = {"latency", NULL, cases,
                                                         sizeof(cases) / sizeof(*cases)};
