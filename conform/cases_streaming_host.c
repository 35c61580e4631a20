/* SPDX-License-Identifier: MIT */
/* Group streaming, the host's side: what it accepts, declines, asks and changes meanwhile. */
#include "conform/inside.h"
#include "conform/measure.h"
#include "conform/rates.h"

#include <math.h>
#include <string.h>

enum { SOME_BLOCKS = 8 };

/* ---- time info ---- */

/* Streams with a host of that kind. Counts callbacks with time info. False: failed and said. */
static bool
stream_as(struct conform *t, bool knows, bool null_pointer, uint32_t *with, uint32_t *all)
{
    struct subject *s = subject_open(t);
    bool good;

    if (!s) {
        return false;
    }
    if (!knows) {
        s->host.knows &= ~(1u << ASIO_MESSAGE_SUPPORTS_TIME_INFO);
    }
    s->host.null_time_info = null_pointer;
    good = subject_prepare(s, 2, 2, 0) && subject_stream(s, SOME_BLOCKS);
    if (good) {
        subject_stop(s);
    }
    *all = measure_count(s);
    *with = 0;
    for (uint32_t i = 0; i < *all; i++) {
        *with += s->host.blocks[i].info;
    }
    subject_close(s);
    return good;
}

static void
time_info_comes_where_it_is_wanted(struct conform *t)
{
    struct subject *s = subject_open(t);
    uint32_t with, all;

    if (!s) {
        return;
    }
    int32_t can = call_future(s, ASIO_FUTURE_CAN_TIME_INFO, NULL, 0);
    subject_close(s);
    if (!stream_as(t, true, false, &with, &all)) {
        return;
    }
    if (can == ASIO_SUCCESS) {
        conform_expect(t, with == all,
                       "it says that it can give time info and the host wants it, but %u of %u "
                       "callbacks had none",
                       all - with, all);
    } else {
        conform_expect(t, with == 0 || with == all, "%u of %u callbacks had time info", with, all);
    }
}

static void
a_host_that_declines_time_info_gets_none(struct conform *t)
{
    uint32_t with, all;

    if (stream_as(t, false, false, &with, &all)) {
        conform_expect(t, with == 0, "%u of %u callbacks had time info that the host declined",
                       with, all);
    }
}

static void
a_host_without_the_fourth_callback_is_called_plainly(struct conform *t)
{
    uint32_t with, all;

    /* it knows the selector, but the pointer is NULL: a call of it would have crashed */
    if (stream_as(t, true, true, &with, &all)) {
        conform_expect(t, with == 0 && all > 0, "%u of %u callbacks had time info", with, all);
    }
}

static void
time_info_is_whole(struct conform *t)
{
    struct subject *s = measure_stream(t, 0.3, false);
    const uint32_t both = ASIO_TIME_SYSTEM_TIME_VALID | ASIO_TIME_SAMPLE_POSITION_VALID;

    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < measure_count(s) && !conform_failed(t); i++) {
        const struct host_block *block = &s->host.blocks[i];
        if (!block->info) {
            continue;
        }
        conform_expect(t, !block->null_time, "bufferSwitchTimeInfo came with NULL");
        conform_expect(t, (block->flags & both) == both,
                       "flags %#x: position and time are not both valid", block->flags);
        if (block->flags & ASIO_TIME_SAMPLE_RATE_VALID) {
            conform_expect(t, block->rate_hz == s->rate_hz, "rate %g, getSampleRate says %g",
                           block->rate_hz, s->rate_hz);
        }
        if (i > 1) {
            conform_expect(t, !(block->flags & ASIO_TIME_SAMPLE_RATE_CHANGED),
                           "block %u says that the rate changed", i);
        }
    }
    subject_close(s);
}

/* ---- messages ---- */

static void
a_host_that_knows_no_messages_gets_none(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    s->host.knows = 0;
    if (subject_prepare(s, 2, 2, 0) && subject_stream(s, SOME_BLOCKS)) {
        subject_stop(s);
    }
    for (uint32_t i = 0; i < atomic_load(&s->host.message_count) && i < HOST_MESSAGES; i++) {
        int32_t selector = s->host.messages[i].selector;
        bool asks = selector == ASIO_MESSAGE_SELECTOR_SUPPORTED ||
                    selector == ASIO_MESSAGE_ENGINE_VERSION ||
                    selector == ASIO_MESSAGE_SUPPORTS_TIME_INFO ||
                    selector == ASIO_MESSAGE_SUPPORTS_TIME_CODE || selector > 8;
        conform_expect(t, asks && selector != ASIO_MESSAGE_OVERLOAD,
                       "message %d came to a host that knows none", (int)selector);
    }
    subject_close(s);
}

static void
no_reset_is_asked_for_without_a_cause(struct conform *t)
{
    struct subject *s = measure_stream(t, 1, false);

    if (!s) {
        return;
    }
    unsigned resets = host_count_messages(&s->host, ASIO_MESSAGE_RESET_REQUEST);
    conform_expect(t, resets == 0, "%u reset requests came in an undisturbed second", resets);
    subject_close(s);
}

static void
an_unchanged_rate_is_not_announced(struct conform *t)
{
    struct subject *s = subject_in(t, RUNNING);

    if (!s) {
        return;
    }
    int32_t answer = call_set_sample_rate(s, s->rate_hz);
    host_wait(&s->host, atomic_load(&s->host.block_count) + SOME_BLOCKS, 1000);
    uint32_t told = atomic_load(&s->host.rate_count);
    conform_expect(t, answer == ASIO_OK, "setSampleRate of the present rate answered %s",
                   conform_error_text(answer));
    conform_expect(t, told == 0, "sampleRateDidChange came %u times for the rate that it had",
                   told);
    subject_close(s);
}

/* ---- rates while it plays ---- */

static void
a_rate_set_while_it_runs_is_taken_or_refused(struct conform *t)
{
    struct subject *s = subject_in(t, RUNNING);

    if (!s) {
        return;
    }
    double before = s->rate_hz, other = rates_other(s), now = 0;
    if (other == 0) {
        conform_skip(t, "the device has one rate only");
    } else {
        int32_t answer = call_set_sample_rate(s, other);
        uint32_t seen = atomic_load(&s->host.block_count);
        conform_expect(t, host_wait(&s->host, seen + SOME_BLOCKS, 5000),
                       "callbacks ceased when the rate was set to %g", other);
        subject_dispose(s);
        call_get_sample_rate(s, &now);
        if (answer == ASIO_OK) {
            conform_expect(t, now == other, "setSampleRate(%g) was OK, but the rate is %g", other,
                           now);
        } else {
            conform_expect(t, now == before, "setSampleRate(%g) was refused, but the rate is %g",
                           other, now);
        }
        call_set_sample_rate(s, before);
    }
    subject_close(s);
}

static void
a_rate_set_while_it_runs_is_told_alike(struct conform *t)
{
    struct subject *s = subject_in(t, RUNNING);

    if (!s) {
        return;
    }
    double before = s->rate_hz, other = rates_other(s), now = 0;
    if (other == 0) {
        conform_skip(t, "the device has one rate only");
    } else {
        call_set_sample_rate(s, other);
        uint32_t seen = atomic_load(&s->host.block_count) + SOME_BLOCKS;
        host_wait(&s->host, seen, 5000);
        call_get_sample_rate(s, &now);
        host_wait(&s->host, atomic_load(&s->host.block_count) + 1, 5000);
        uint32_t count = atomic_load(&s->host.block_count);
        const struct host_block *last = &s->host.blocks[count - 1];
        if (count == 0 || count > HOST_BLOCKS || !last->info) {
            conform_skip(t, "no block with time info came");
        } else {
            conform_expect(t, last->rate_hz == now,
                           "%g Hz were set; getSampleRate says %g, the time info %g", other, now,
                           last->rate_hz);
        }
        subject_dispose(s);
        call_set_sample_rate(s, before);
    }
    subject_close(s);
}

static void
each_rate_is_delivered(struct conform *t)
{
    struct subject *s = subject_open(t);
    double before = s ? s->rate_hz : 0;
    unsigned delivered = 0;

    for (unsigned i = RATES_STREAMED; s && i < RATES; i++) {
        double wanted = rates_hz[i];
        if (!measure_set_rate(s, wanted)) {
            continue;
        }
        s->host.ask_position = true;
        if (!subject_prepare(s, 2, 2, 0)) {
            break;
        }
        s->rate_hz = wanted;
        if (!subject_stream(s, measure_blocks(s, 1))) {
            break;
        }
        subject_stop(s);
        double rate = measure_rate(s);
        conform_expect(t, fabs(rate / wanted - 1) < 0.02, "%g Hz were set, %.1f came", wanted,
                       rate);
        subject_dispose(s);
        delivered++;
    }
    conform_figure(t, delivered, "rates");
    if (s) {
        subject_dispose(s);
        call_set_sample_rate(s, before);
    }
    subject_close(s);
}

static void
each_buffer_size_is_delivered(struct conform *t)
{
    struct subject *s = subject_open(t);
    unsigned delivered = 0;

    for (int32_t size = s ? s->min : 1; s && size <= s->max && size > 0; size *= 2) {
        if (s->granularity > 0 && (size - s->min) % s->granularity) {
            continue;
        }
        s->host.ask_position = true;
        if (!subject_prepare(s, 2, 2, size) || !subject_stream(s, measure_blocks(s, 0.5))) {
            break;
        }
        subject_stop(s);
        double rate = measure_rate(s);
        conform_expect(t, fabs(rate / s->rate_hz - 1) < 0.1,
                       "with buffers of %d frames %.0f frames passed in a second, not %.0f",
                       (int)size, rate, s->rate_hz);
        subject_dispose(s);
        delivered++;
        if (s->granularity == 0) {
            break;
        }
    }
    conform_figure(t, delivered, "sizes");
    subject_close(s);
}

/* ---- channels ---- */

static void
stream_channels(struct conform *t, int32_t inputs, int32_t outputs)
{
    struct subject *s = subject_open(t);

    if (s && subject_prepare(s, inputs, outputs, 0)) {
        subject_stream(s, SOME_BLOCKS);
    }
    subject_close(s);
}

static void
inputs_alone_are_enough(struct conform *t)
{
    stream_channels(t, 2, 0);
}

static void
outputs_alone_are_enough(struct conform *t)
{
    stream_channels(t, 0, 2);
}

static void
one_channel_is_enough(struct conform *t)
{
    if (conform_facts(t)->outputs > 0) {
        stream_channels(t, 0, 1);
    } else {
        stream_channels(t, 1, 0);
    }
}

static void
any_channels_in_any_order(struct conform *t)
{
    struct subject *s = subject_open(t);
    struct asio_buffer_info infos[4];
    int32_t count = 0;

    if (!s) {
        return;
    }
    if (s->outputs > 0) {
        infos[count++] = (struct asio_buffer_info){.channel = s->outputs - 1};
    }
    if (s->inputs > 0) {
        infos[count++] = (struct asio_buffer_info){.is_input = 1, .channel = s->inputs - 1};
    }
    if (s->outputs > 1) {
        infos[count++] = (struct asio_buffer_info){.channel = 0};
    }
    if (s->inputs > 1) {
        infos[count++] = (struct asio_buffer_info){.is_input = 1, .channel = 0};
    }
    int32_t answer = call_create_buffers(s, infos, count, s->preferred, &s->host.callbacks);
    if (answer == ASIO_OK) {
        s->prepared = true;
        s->buffer_frames = s->preferred;
        for (int32_t i = 0; i < count; i++) {
            conform_expect(t, infos[i].buffers[0] && infos[i].buffers[1],
                           "entry %d of a mixed list has no buffers", (int)i);
        }
        subject_stream(s, SOME_BLOCKS);
    } else {
        subject_fail(s, METHOD_create_buffers, answer);
    }
    subject_close(s);
}

/* ---- outputReady and lateness ---- */

static void
output_ready_is_answered_the_same_each_time(struct conform *t)
{
    struct subject *s = subject_open(t);
    int32_t first, latency_in = 0, latency_out = 0;

    if (!s) {
        return;
    }
    first = call_output_ready(s);
    if (subject_prepare(s, 2, 2, 0)) {
        int32_t prepared = call_output_ready(s);
        s->host.output_ready = true;
        subject_stream(s, SOME_BLOCKS);
        int32_t running = call_output_ready(s);
        conform_expect(t,
                       (first == ASIO_OK) == (prepared == ASIO_OK) &&
                           (prepared == ASIO_OK) == (running == ASIO_OK),
                       "outputReady answered %s after init, %s with buffers, %s while it ran",
                       conform_error_text(first), conform_error_text(prepared),
                       conform_error_text(running));
        call_get_latencies(s, &latency_in, &latency_out);
        conform_expect(t, latency_in == s->input_latency && latency_out == s->output_latency,
                       "latencies were %d and %d after createBuffers, are %d and %d while it runs",
                       (int)s->input_latency, (int)s->output_latency, (int)latency_in,
                       (int)latency_out);
    }
    subject_close(s);
}

static void
be_late_once(struct host *host, const struct host_block *block)
{
    if (atomic_load(&host->block_count) == SOME_BLOCKS) {
        conform_sleep_ms((unsigned)(3 * measure_block_ns(host->subject) / 1e6) + 20);
    }
}

static void
a_late_callback_does_not_end_the_stream(struct conform *t)
{
    struct subject *s = subject_open(t);

    if (s && subject_prepare(s, 2, 2, 0)) {
        s->host.on_block = be_late_once;
        s->host.ask_position = true;
        if (subject_stream(s, 5 * SOME_BLOCKS)) {
            subject_stop(s);
            const struct host_block *last = &s->host.blocks[measure_count(s) - 1];
            const struct host_block *late = &s->host.blocks[SOME_BLOCKS];
            conform_expect(t, last->position > late->position && last->time_ns > late->time_ns,
                           "after a late callback position and time do not go on");
            for (uint32_t i = 1; i < measure_count(s); i++) {
                conform_expect(t, s->host.blocks[i].half != s->host.blocks[i - 1].half,
                               "after a late callback half %d came twice",
                               (int)s->host.blocks[i].half);
            }
        }
    }
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"time_info_comes_where_it_is_wanted",
     "A driver that can gives time info to a host that answers 1 to SelectorSupported(7) and to 7",
     "tutti/asio.h; PortAudio, pa_asio.cpp: asioMessages answers 1 to both",
     time_info_comes_where_it_is_wanted, NEED_STREAM, 0},
    {"a_host_that_declines_time_info_gets_none",
     "bufferSwitch is called where the host answers 0 to 7, although the pointer is set",
     "JUCE, juce_ASIO_windows.cpp: asioMessagesCallback answers 0, setCallbacks sets the pointer",
     a_host_that_declines_time_info_gets_none, NEED_STREAM, 0},
    {"a_host_without_the_fourth_callback_is_called_plainly",
     "bufferSwitch is called where bufferSwitchTimeInfo is NULL",
     "thestk/rtaudio, issue 485 (the fourth is NULL)",
     a_host_without_the_fourth_callback_is_called_plainly, NEED_STREAM, 0},
    {"time_info_is_whole",
     "Time info has a valid position, time and the present rate, and no change of it",
     "tutti/asio.h", time_info_is_whole, NEED_STREAM, 0},
    {"a_host_that_knows_no_messages_gets_none",
     "What a host does not know by SelectorSupported is not sent to it", "tutti/asio.h",
     a_host_that_knows_no_messages_gets_none, NEED_STREAM, 0},
    {"no_reset_is_asked_for_without_a_cause", "An undisturbed stream is not asked to reset",
     "JUCE, juce_ASIO_windows.cpp: resetRequest closes the device and opens it again",
     no_reset_is_asked_for_without_a_cause, NEED_STREAM, 0},
    {"an_unchanged_rate_is_not_announced",
     "sampleRateDidChange does not come when the present rate is set",
     "thestk/rtaudio, issue 235 (the stream stops when its own rate is reported)",
     an_unchanged_rate_is_not_announced, NEED_STREAM, 0},
    {"a_rate_set_while_it_runs_is_taken_or_refused",
     "setSampleRate while it runs is done, at the latest with new buffers, or refused; callbacks "
     "go "
     "on",
     "dechamps/FlexASIO, issue 72 (Cubase sets it while it runs)",
     a_rate_set_while_it_runs_is_taken_or_refused, NEED_STREAM, 0},
    {"a_rate_set_while_it_runs_is_told_alike",
     "After setSampleRate while it runs getSampleRate and the time info tell the same rate",
     "tutti/asio.h: getSampleRate", a_rate_set_while_it_runs_is_told_alike, NEED_STREAM, 0},
    {"each_rate_is_delivered",
     "At each rate up to 768 kHz that it accepts the driver delivers it, to 2 %",
     "tutti/asio.h: canSampleRate", each_rate_is_delivered, NEED_STREAM, 20},
    {"each_buffer_size_is_delivered",
     "With each buffer size that is offered, by doubling, the rate is delivered, to 10 %",
     "tutti/asio.h: getBufferSize", each_buffer_size_is_delivered, NEED_STREAM, 30},
    {"inputs_alone_are_enough", "Input channels stream without outputs",
     "PortAudio, pa_asio.cpp: OpenStream without outputParameters", inputs_alone_are_enough,
     NEED_STREAM | NEED_INPUT, 0},
    {"outputs_alone_are_enough", "Output channels stream without inputs",
     "PortAudio, pa_asio.cpp: OpenStream without inputParameters; dechamps/FlexASIO, issue 28 "
     "(there is no input at all)",
     outputs_alone_are_enough, NEED_STREAM | NEED_OUTPUT, 0},
    {"one_channel_is_enough", "A single channel streams",
     "PortAudio, examples/paex_mono_asio_channel_select.c", one_channel_is_enough, NEED_STREAM, 0},
    {"any_channels_in_any_order", "Inputs and outputs may be listed in any order",
     "tutti/asio.h: createBuffers", any_channels_in_any_order, NEED_STREAM, 0},
    {"output_ready_is_answered_the_same_each_time",
     "outputReady answers the same in each state after init, and latencies hold while it runs",
     "PortAudio, pa_asio.cpp: LoadAsioDriver asks once and keeps the answer; JUCE, "
     "juce_ASIO_windows.cpp: openDevice likewise",
     output_ready_is_answered_the_same_each_time, NEED_STREAM, 0},
    {"a_late_callback_does_not_end_the_stream",
     "After a callback that took three blocks' time halves alternate and positions go on",
     "our own rule: because loading a plug-in holds a callback up, and the music goes on after it",
     a_late_callback_does_not_end_the_stream, NEED_STREAM, 0},
};

const struct conform_group conform_group_streaming_host = {"streaming", NULL, cases,
                                                           sizeof(cases) / sizeof(*cases)};
