/* SPDX-License-Identifier: MIT */
/* Group interface, the calls themselves: stack, registers, floating point; and future(). */
#include "conform/convention.h"
#include "conform/inside.h"

#include <string.h>

/* ---- calling convention ---- */

/* Words of arguments of 32-bit code, without `this`; a double has two. */
static const unsigned char words[METHOD_COUNT] = {
    [METHOD_query_interface] = 2,     [METHOD_init] = 1,
    [METHOD_get_driver_name] = 1,     [METHOD_get_error_message] = 1,
    [METHOD_get_channels] = 2,        [METHOD_get_latencies] = 2,
    [METHOD_get_buffer_size] = 4,     [METHOD_can_sample_rate] = 2,
    [METHOD_get_sample_rate] = 1,     [METHOD_set_sample_rate] = 2,
    [METHOD_get_clock_sources] = 2,   [METHOD_set_clock_source] = 1,
    [METHOD_get_sample_position] = 2, [METHOD_get_channel_info] = 1,
    [METHOD_create_buffers] = 4,      [METHOD_future] = 2,
};

/* What a call gets; roomy, because a driver writes there. */
struct arguments {
    char text[128];
    int32_t numbers[4];
    struct asio_int64 times[2];
    double rate_hz;
    struct asio_clock_source clocks[4];
    struct asio_channel_info info;
    struct asio_buffer_info buffer;
    void *object;
};

static void
set_rate(uintptr_t args[CONVENTION_ARGS], double rate_hz)
{
    memcpy(args, &rate_hz, sizeof(rate_hz));
}

static void
fill_arguments(struct subject *s, enum conform_method method, struct arguments *a,
               uintptr_t args[CONVENTION_ARGS])
{
    memset(a, 0, sizeof(*a));
    memset(args, 0, CONVENTION_ARGS * sizeof(*args));
    for (unsigned i = 0; i < 4; i++) {
        args[i] = (uintptr_t)&a->numbers[i];
    }
    a->numbers[1] = method == METHOD_get_clock_sources ? 4 : 0;
    a->info.is_input = a->buffer.is_input = s->outputs < 1;
    switch ((unsigned)method) {
    case METHOD_query_interface:
        args[0] = (uintptr_t)conform_clsid(s->t);
        args[1] = (uintptr_t)&a->object;
        break;
    case METHOD_init:
        args[0] = 0;
        break;
    case METHOD_get_driver_name:
    case METHOD_get_error_message:
        args[0] = (uintptr_t)a->text;
        break;
    case METHOD_can_sample_rate:
    case METHOD_set_sample_rate:
        set_rate(args, s->rate_hz);
        break;
    case METHOD_get_sample_rate:
        args[0] = (uintptr_t)&a->rate_hz;
        break;
    case METHOD_get_clock_sources:
        args[0] = (uintptr_t)a->clocks;
        break;
    case METHOD_set_clock_source:
        args[0] = 0;
        break;
    case METHOD_get_sample_position:
        args[0] = (uintptr_t)&a->times[0];
        args[1] = (uintptr_t)&a->times[1];
        break;
    case METHOD_get_channel_info:
        args[0] = (uintptr_t)&a->info;
        break;
    case METHOD_create_buffers:
        args[0] = (uintptr_t)&a->buffer;
        args[1] = 1;
        args[2] = (uintptr_t)s->preferred;
        args[3] = (uintptr_t)&s->host.callbacks;
        break;
    case METHOD_future:
        args[0] = 0x7ffffff0;
        args[1] = 0;
        break;
    default:
        break;
    }
}

/* In this order a driver is led through its states by them. */
static const enum conform_method order[] = {
    METHOD_add_ref,
    METHOD_release,
    METHOD_query_interface,
    METHOD_release,
    METHOD_get_driver_name,
    METHOD_get_driver_version,
    METHOD_init,
    METHOD_get_error_message,
    METHOD_get_channels,
    METHOD_get_latencies,
    METHOD_get_buffer_size,
    METHOD_can_sample_rate,
    METHOD_get_sample_rate,
    METHOD_set_sample_rate,
    METHOD_get_clock_sources,
    METHOD_set_clock_source,
    METHOD_get_channel_info,
    METHOD_future,
    METHOD_output_ready,
    METHOD_create_buffers,
    METHOD_start,
    METHOD_get_sample_position,
    METHOD_output_ready,
    METHOD_stop,
    METHOD_dispose_buffers,
};

static void
call_by_hand(struct subject *s, enum conform_method method, struct convention_seen *seen)
{
    static struct arguments arguments; /* buffers may be written for as long as the driver runs */
    uintptr_t args[CONVENTION_ARGS], pushed[CONVENTION_ARGS];
    void *function;
    unsigned count = words[method];
    bool unknown = method <= METHOD_release;

    memcpy(&function, (const char *)s->asio->methods + (size_t)method * sizeof(function),
           sizeof(function));
    fill_arguments(s, method, &arguments, args);
    memcpy(pushed, args, sizeof(pushed));
    if (unknown && sizeof(void *) == 4) {
        /* stdcall: `this` is the first of the arguments */
        pushed[0] = (uintptr_t)s->asio;
        memcpy(pushed + 1, args, sizeof(args) - sizeof(*args));
        count++;
    }
    convention_call(function, s->asio, pushed, count, seen);
}

static void
methods_keep_the_stack_and_the_registers(struct conform *t)
{
    struct subject *s = subject_open(t);

    /* what the subject knows is needed; a driver in Loaded is better, so a new one */
    if (!s) {
        return;
    }
    struct subject *fresh = subject_create(t);
    if (fresh) {
        fresh->inputs = s->inputs;
        fresh->outputs = s->outputs;
        fresh->preferred = s->preferred;
        fresh->rate_hz = s->rate_hz;
    }
    subject_close(s);
    for (unsigned i = 0; fresh && i < sizeof(order) / sizeof(*order); i++) {
        struct convention_seen seen = {0, 0};
        unsigned right = convention_pops(words[order[i]], order[i] <= METHOD_release);
        call_by_hand(fresh, order[i], &seen);
        conform_expect(t, seen.popped == right, "%s took %d bytes off the stack, not %u",
                       conform_method_name(order[i]), (int)(intptr_t)seen.popped, right);
        conform_expect(t, seen.kept == 0, "%s changed registers that belong to the caller",
                       conform_method_name(order[i]));
    }
    subject_close(fresh);
}

static void
methods_keep_the_floating_point_state(struct conform *t)
{
    struct subject *s = subject_create(t);
    int32_t a, b;
    uint64_t position, time_ns;
    double rate;

    if (!s) {
        return;
    }
    uint64_t before = convention_float_state();
    bool good = subject_init(s);
    conform_expect(t, convention_float_state() == before, "init changed it");
    if (good) {
        call_get_channels(s, &a, &b);
        call_can_sample_rate(s, 44100);
        call_set_sample_rate(s, s->rate_hz);
        call_get_sample_rate(s, &rate);
        conform_expect(t, convention_float_state() == before, "a question about rates changed it");
        good = subject_prepare(s, 2, 2, 0);
        conform_expect(t, convention_float_state() == before, "createBuffers changed it");
        good = good && subject_stream(s, 2);
        conform_expect(t, convention_float_state() == before, "start changed it");
        call_get_sample_position(s, &position, &time_ns);
        call_get_latencies(s, &a, &b);
        subject_dispose(s);
        conform_expect(t, convention_float_state() == before,
                       "getSamplePosition, stop or disposeBuffers changed it");
    }
    subject_close(s);
}

/* ---- future ---- */

static void
unknown_selectors_are_refused(struct conform *t)
{
    static const int32_t unknown[] = {0, 17, 99, -1, 0x7ffffff0, 0x23111962, 0x25042013};

    for (unsigned state = LOADED; state < SUBJECT_STATES; state++) {
        struct subject *s = subject_in(t, (enum subject_state)state);
        if (!s) {
            return;
        }
        for (unsigned i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
            int32_t answer = call_future(s, unknown[i], NULL, 0);
            conform_expect(t, answer == ASIO_INVALID_PARAMETER,
                           "future(%#x) in %s answered %s, not InvalidParameter",
                           (unsigned)unknown[i], subject_state_names[state],
                           conform_error_text(answer));
        }
        subject_close(s);
    }
}

static const struct {
    int32_t can;
    const char *name;
} questions[] = {
    {ASIO_FUTURE_CAN_INPUT_MONITOR, "CanInputMonitor"},
    {ASIO_FUTURE_CAN_TIME_INFO, "CanTimeInfo"},
    {ASIO_FUTURE_CAN_TIME_CODE, "CanTimeCode"},
    {ASIO_FUTURE_CAN_TRANSPORT, "CanTransport"},
    {ASIO_FUTURE_CAN_INPUT_GAIN, "CanInputGain"},
    {ASIO_FUTURE_CAN_INPUT_METER, "CanInputMeter"},
    {ASIO_FUTURE_CAN_OUTPUT_GAIN, "CanOutputGain"},
    {ASIO_FUTURE_CAN_OUTPUT_METER, "CanOutputMeter"},
    {ASIO_FUTURE_CAN_REPORT_OVERLOAD, "CanReportOverload"},
};
enum { QUESTIONS = sizeof(questions) / sizeof(*questions) };

static void
questions_are_answered_with_success_or_an_error(struct conform *t)
{
    for (unsigned state = LOADED; state <= INITIALIZED; state++) {
        struct subject *s = state == LOADED ? subject_create(t) : subject_open(t);
        unsigned yes = 0;
        if (!s) {
            return;
        }
        for (unsigned i = 0; i < QUESTIONS; i++) {
            int32_t answer = call_future(s, questions[i].can, NULL, 0);
            yes += answer == ASIO_SUCCESS;
            conform_expect(t,
                           answer == ASIO_SUCCESS || answer == ASIO_INVALID_PARAMETER ||
                               (state != LOADED && answer < 0),
                           "%s in %s was answered %s", questions[i].name,
                           subject_state_names[state], conform_error_text(answer));
        }
        conform_figure(t, yes, "of 9 supported");
        subject_close(s);
    }
}

struct pair {
    int32_t can, does;
    const char *name;
    unsigned bytes;
};

/* Whoever says that it can, does; whoever says no, refuses. */
static void
judge_pair(struct conform *t, const struct pair *pair, void *parameter)
{
    struct subject *s = subject_in(t, RUNNING);

    if (!s) {
        return;
    }
    int32_t can = call_future(s, pair->can, NULL, 0);
    int32_t does = call_future(s, pair->does, pair->bytes ? parameter : NULL, pair->bytes);
    if (can == ASIO_SUCCESS) {
        conform_expect(t, does == ASIO_SUCCESS, "it says that it can, but %s answered %s",
                       pair->name, conform_error_text(does));
    } else {
        conform_expect(t, does != ASIO_SUCCESS && does != ASIO_OK,
                       "it says that it cannot, but %s answered %s", pair->name,
                       conform_error_text(does));
    }
    conform_expect(t, !(s->overrun & 1u << METHOD_future), "%s wrote beyond its parameter",
                   pair->name);
    subject_close(s);
}

static void
input_monitor_is_as_told(struct conform *t)
{
    struct asio_input_monitor monitor = {.gain = 0x20000000, .state = 0, .pan = 0x3fffffff};

    judge_pair(t,
               &(struct pair){ASIO_FUTURE_CAN_INPUT_MONITOR, ASIO_FUTURE_SET_INPUT_MONITOR,
                              "SetInputMonitor", sizeof(monitor)},
               &monitor);
}

static void
transport_is_as_told(struct conform *t)
{
    struct asio_transport transport = {.command = 2 /* stop */};

    judge_pair(t,
               &(struct pair){ASIO_FUTURE_CAN_TRANSPORT, ASIO_FUTURE_TRANSPORT, "Transport",
                              sizeof(transport)},
               &transport);
}

static void
time_code_is_as_told(struct conform *t)
{
    judge_pair(t,
               &(struct pair){ASIO_FUTURE_CAN_TIME_CODE, ASIO_FUTURE_ENABLE_TIME_CODE_READ,
                              "EnableTimeCodeRead", 0},
               NULL);
}

static void
gains_are_as_told(struct conform *t)
{
    struct asio_channel_controls input = {.is_input = 1, .gain = 0x20000000};
    struct asio_channel_controls output = {.gain = 0x20000000};

    if (conform_facts(t)->inputs > 0 || !conform_facts(t)->looked) {
        judge_pair(t,
                   &(struct pair){ASIO_FUTURE_CAN_INPUT_GAIN, ASIO_FUTURE_SET_INPUT_GAIN,
                                  "SetInputGain", sizeof(input)},
                   &input);
    }
    if (conform_facts(t)->outputs > 0 || !conform_facts(t)->looked) {
        judge_pair(t,
                   &(struct pair){ASIO_FUTURE_CAN_OUTPUT_GAIN, ASIO_FUTURE_SET_OUTPUT_GAIN,
                                  "SetOutputGain", sizeof(output)},
                   &output);
    }
}

static void
meters_are_as_told(struct conform *t)
{
    struct asio_channel_controls input = {.is_input = 1, .meter = -1}, output = {.meter = -1};

    if (conform_facts(t)->inputs > 0 || !conform_facts(t)->looked) {
        judge_pair(t,
                   &(struct pair){ASIO_FUTURE_CAN_INPUT_METER, ASIO_FUTURE_GET_INPUT_METER,
                                  "GetInputMeter", sizeof(input)},
                   &input);
    }
    if (conform_facts(t)->outputs > 0 || !conform_facts(t)->looked) {
        judge_pair(t,
                   &(struct pair){ASIO_FUTURE_CAN_OUTPUT_METER, ASIO_FUTURE_GET_OUTPUT_METER,
                                  "GetOutputMeter", sizeof(output)},
                   &output);
    }
}

static void
io_formats_are_consistent(struct conform *t)
{
    struct asio_io_format format = {.type = ASIO_FORMAT_INVALID};
    struct subject *s = subject_open(t);

    if (!s) {
        return;
    }
    if (call_future(s, ASIO_FUTURE_GET_IO_FORMAT, &format, sizeof(format)) == ASIO_SUCCESS) {
        int32_t now = format.type;
        conform_expect(t, now == ASIO_FORMAT_PCM || now == ASIO_FORMAT_DSD,
                       "GetIoFormat says format %d", (int)now);
        int32_t can = call_future(s, ASIO_FUTURE_CAN_DO_IO_FORMAT, &format, sizeof(format));
        conform_expect(t, can == ASIO_SUCCESS, "CanDoIoFormat of the present format answered %s",
                       conform_error_text(can));
        int32_t set = call_future(s, ASIO_FUTURE_SET_IO_FORMAT, &format, sizeof(format));
        conform_expect(t, set == ASIO_SUCCESS, "SetIoFormat of the present format answered %s",
                       conform_error_text(set));
    }
    format.type = ASIO_FORMAT_INVALID;
    int32_t wrong = call_future(s, ASIO_FUTURE_SET_IO_FORMAT, &format, sizeof(format));
    conform_expect(t, wrong != ASIO_SUCCESS, "SetIoFormat of format -1 answered SUCCESS");
    subject_close(s);
}

static void
internal_buffers_lie_within_the_latencies(struct conform *t)
{
    struct subject *s = subject_in(t, PREPARED);
    struct asio_internal_buffers internal = {-1, -1};

    if (!s) {
        return;
    }
    int32_t answer =
        call_future(s, ASIO_FUTURE_GET_INTERNAL_BUFFER_SAMPLES, &internal, sizeof(internal));
    if (answer == ASIO_SUCCESS) {
        conform_expect(t,
                       internal.input_frames >= 0 && internal.output_frames >= 0 &&
                           internal.input_frames <= s->input_latency &&
                           internal.output_frames <= s->output_latency,
                       "%d and %d internal frames, but latencies of %d and %d",
                       (int)internal.input_frames, (int)internal.output_frames,
                       (int)s->input_latency, (int)s->output_latency);
    } else {
        conform_expect(t, answer < 0, "GetInternalBufferSamples answered %s",
                       conform_error_text(answer));
    }
    subject_close(s);
}

static const struct conform_case cases[] = {
    {"methods_keep_the_stack_and_the_registers",
     "On 32 bits methods take `this` in ECX and pop their arguments, those of IUnknown are "
     "stdcall; "
     "everywhere the caller's registers are kept",
     "tutti/asio.h: calling conventions; PortAudio, iasiothiscallresolver.cpp; NAudio, "
     "AsioDriver.cs: ThisCall",
     methods_keep_the_stack_and_the_registers, NEED_STREAM, 0},
    {"methods_keep_the_floating_point_state",
     "Rounding, precision, exceptions and denormals of the host's threads stay as they are",
     "Microsoft, x64 calling convention: MXCSR and the x87 control word are nonvolatile",
     methods_keep_the_floating_point_state, NEED_STREAM, 0},
    {"unknown_selectors_are_refused",
     "future answers InvalidParameter to selectors it does not know, in any state, also before "
     "init",
     "tutti/asio.h; dechamps/ASIO401, issue 20 (HpW Works calls methods before init); our own "
     "rule: because a driver that is not initialised knows as well what it can",
     unknown_selectors_are_refused, NEED_STREAM, 0},
    {"questions_are_answered_with_success_or_an_error",
     "future answers what a driver can with SUCCESS (0x3f4847a0) or an error, never with OK",
     "tutti/asio.h: ASIO_SUCCESS; JUCE, juce_ASIO_windows.cpp: open asks CanReportOverload and "
     "looks at the value",
     questions_are_answered_with_success_or_an_error, NEED_INIT, 0},
    {"input_monitor_is_as_told",
     "SetInputMonitor works where CanInputMonitor says so, else refuses", "tutti/asio.h",
     input_monitor_is_as_told, NEED_STREAM | NEED_INPUT, 0},
    {"transport_is_as_told", "Transport works where CanTransport says so, else refuses",
     "tutti/asio.h", transport_is_as_told, NEED_STREAM, 0},
    {"time_code_is_as_told", "EnableTimeCodeRead works where CanTimeCode says so, else refuses",
     "tutti/asio.h", time_code_is_as_told, NEED_STREAM, 0},
    {"gains_are_as_told", "Gains can be set where the driver says so, else it refuses",
     "tutti/asio.h", gains_are_as_told, NEED_STREAM, 0},
    {"meters_are_as_told", "Meters can be read where the driver says so, else it refuses",
     "tutti/asio.h", meters_are_as_told, NEED_STREAM, 0},
    {"io_formats_are_consistent", "The present format can be done and set, no invalid one can",
     "tutti/asio.h", io_formats_are_consistent, NEED_INIT, 0},
    {"internal_buffers_lie_within_the_latencies",
     "GetInternalBufferSamples tells a part of the latencies, or refuses", "tutti/asio.h",
     internal_buffers_lie_within_the_latencies, NEED_STREAM, 0},
};

const struct conform_group conform_group_interface_calls = {"interface", NULL, cases,
                                                            sizeof(cases) / sizeof(*cases)};
