/* SPDX-License-Identifier: MIT */
/*
 * Group interface, the states: each method in Loaded, Initialized, Prepared and Running, with the
 * answers that are allowed there. One table; one case per method.
 */
#include "conform/inside.h"

enum {
    GOOD = 1,    /* OK */
    REFUSED = 2, /* an error of the interface */
    EITHER = GOOD | REFUSED,
    STATES_S = 30, /* four drivers are led up */
};

/* X(member, Loaded, Initialized, Prepared, Running, error, rule); error: the one that the interface
 * names for a refusal, 0: none, so that any will do. Before init NotPresent is right, too. */
#define STATE_TABLE(X)                                                                             \
    X(init, GOOD, GOOD, GOOD, GOOD, 0,                                                             \
      "init succeeds; again, in any later state, it answers 1 and changes nothing")                \
    X(start, REFUSED, REFUSED, GOOD, EITHER, 0,                                                    \
      "start needs buffers and does no harm when it runs")                                         \
    X(stop, EITHER, EITHER, EITHER, GOOD, 0,                                                       \
      "stop ends the callbacks and does no harm when nothing runs")                                \
    X(get_channels, REFUSED, GOOD, GOOD, GOOD, 0, "getChannels answers in any state after init")   \
    X(get_latencies, REFUSED, GOOD, GOOD, GOOD, 0,                                                 \
      "getLatencies answers in any state after init, also before createBuffers")                   \
    X(get_buffer_size, REFUSED, GOOD, GOOD, GOOD, 0,                                               \
      "getBufferSize answers in any state after init")                                             \
    X(can_sample_rate, REFUSED, GOOD, GOOD, GOOD, 0,                                               \
      "canSampleRate accepts the present rate in any state after init, also while it runs")        \
    X(get_sample_rate, REFUSED, GOOD, GOOD, GOOD, 0,                                               \
      "getSampleRate answers in any state after init")                                             \
    X(set_sample_rate, REFUSED, GOOD, GOOD, GOOD, 0,                                               \
      "setSampleRate with the present rate succeeds in any state after init")                      \
    X(get_clock_sources, REFUSED, GOOD, GOOD, GOOD, 0,                                             \
      "getClockSources answers in any state after init")                                           \
    X(set_clock_source, REFUSED, GOOD, GOOD, GOOD, 0,                                              \
      "setClockSource takes the current clock in any state after init")                            \
    X(get_sample_position, REFUSED, REFUSED, REFUSED, GOOD, ASIO_SP_NOT_ADVANCING,                 \
      "getSamplePosition answers while it runs, else SPNotAdvancing; before init also NotPresent") \
    X(get_channel_info, REFUSED, GOOD, GOOD, GOOD, 0,                                              \
      "getChannelInfo answers in any state after init")                                            \
    X(create_buffers, REFUSED, GOOD, REFUSED, REFUSED, 0,                                          \
      "createBuffers needs init and no buffers yet")                                               \
    X(dispose_buffers, REFUSED, REFUSED, GOOD, GOOD, ASIO_INVALID_MODE,                            \
      "disposeBuffers stops what runs, and answers InvalidMode when there are no buffers")         \
    X(output_ready, EITHER, EITHER, EITHER, EITHER, ASIO_NOT_PRESENT,                              \
      "outputReady answers OK or NotPresent in any state; hosts probe it before they play")

static const struct allowed {
    enum conform_method method;
    unsigned answers[SUBJECT_STATES];
    int32_t error; /* of a refusal; 0: any */
} allowed[] = {
#define STATE_ROW(member, loaded, initialized, prepared, running, error, rule)                     \
    {METHOD_##member, {loaded, initialized, prepared, running}, error},
    STATE_TABLE(STATE_ROW)
#undef STATE_ROW
};

/* ---- asking ---- */

static int32_t
try_create(struct subject *s)
{
    /* on a stack that outlives the buffers, and not in the subject: those there may be in use */
    struct asio_buffer_info info = {.is_input = s->outputs > 0 ? 0 : 1};
    int32_t frames = s->preferred > 0 ? s->preferred : 256;
    int32_t answer = call_create_buffers(s, &info, 1, frames, &s->host.callbacks);

    if (answer == ASIO_OK && !s->prepared) {
        call_dispose_buffers(s);
    }
    return answer;
}

static int32_t
ask(struct subject *s, enum conform_method method)
{
    struct asio_channel_info info = {.is_input = s->outputs > 0 ? 0 : 1};
    struct asio_clock_source clock = {.index = 0};
    int32_t a = 0, b = 0, c = 0, d = 0, room = 1;
    uint64_t position, time_ns;
    double rate_hz = s->rate_hz > 0 ? s->rate_hz : 48000;

    switch ((unsigned)method) {
    case METHOD_init:
        return call_init(s, NULL) ? ASIO_OK : ASIO_INVALID_MODE;
    case METHOD_start:
        return call_start(s);
    case METHOD_stop:
        return call_stop(s);
    case METHOD_get_channels:
        return call_get_channels(s, &a, &b);
    case METHOD_get_latencies:
        return call_get_latencies(s, &a, &b);
    case METHOD_get_buffer_size:
        return call_get_buffer_size(s, &a, &b, &c, &d);
    case METHOD_can_sample_rate:
        return call_can_sample_rate(s, rate_hz);
    case METHOD_get_sample_rate:
        return call_get_sample_rate(s, &rate_hz);
    case METHOD_set_sample_rate:
        return call_set_sample_rate(s, rate_hz);
    case METHOD_get_clock_sources:
        return call_get_clock_sources(s, &clock, &room);
    case METHOD_set_clock_source:
        call_get_clock_sources(s, &clock, &room);
        return call_set_clock_source(s, clock.index);
    case METHOD_get_sample_position:
        return call_get_sample_position(s, &position, &time_ns);
    case METHOD_get_channel_info:
        return call_get_channel_info(s, &info);
    case METHOD_create_buffers:
        return try_create(s);
    case METHOD_dispose_buffers:
        return call_dispose_buffers(s);
    default:
        return call_output_ready(s);
    }
}

static bool
is_error(int32_t answer)
{
    return answer >= ASIO_NOT_PRESENT && answer <= ASIO_NO_MEMORY;
}

static bool
is_refusal(int32_t answer, int32_t named, enum subject_state state)
{
    if (named == 0) {
        return is_error(answer);
    }
    return answer == named || (state == LOADED && answer == ASIO_NOT_PRESENT);
}

static void
judge_answer(struct conform *t, const struct allowed *row, enum subject_state state, int32_t answer)
{
    unsigned answers = row->answers[state];
    const char *error = row->error ? conform_error_text(row->error) : "an error";
    bool right = (answers & GOOD && answer == ASIO_OK) ||
                 (answers & REFUSED && is_refusal(answer, row->error, state));

    conform_expect(t, right, "%s in %s answered %s, not %s%s", conform_method_name(row->method),
                   subject_state_names[state], conform_error_text(answer),
                   answers == GOOD      ? "OK"
                   : answers == REFUSED ? ""
                                        : "OK or ",
                   answers == GOOD ? "" : error);
}

/* ---- afterwards ---- */

/* The state is as it was, or as the call made it. */
static void
judge_state(struct subject *s, enum conform_method method, enum subject_state state)
{
    bool ends = method == METHOD_stop || method == METHOD_dispose_buffers;
    int32_t a, b;

    if (state == LOADED) {
        return;
    }
    int32_t answer = call_get_channels(s, &a, &b);
    conform_expect(s->t, answer == ASIO_OK, "after %s in %s getChannels answered %s",
                   conform_method_name(method), subject_state_names[state],
                   conform_error_text(answer));
    if (state < RUNNING) {
        return;
    }
    uint32_t seen = atomic_load(&s->host.block_count);
    bool came = host_wait(&s->host, seen + 2, ends ? 100 : 3000);
    conform_expect(s->t, came != ends,
                   ends ? "after %s in %s callbacks still came"
                        : "after %s in %s no callbacks came any more",
                   conform_method_name(method), subject_state_names[state]);
}

static void
walk(struct conform *t, enum conform_method method)
{
    const struct allowed *row = allowed;

    while (row->method != method) {
        row++;
    }
    for (unsigned i = LOADED; i < SUBJECT_STATES; i++) {
        enum subject_state state = (enum subject_state)i;
        struct subject *s = subject_in(t, state);
        if (!s) {
            return;
        }
        int32_t answer = ask(s, method);
        judge_answer(t, row, state, answer);
        if (answer == ASIO_OK && method == METHOD_dispose_buffers) {
            s->prepared = s->running = false;
        }
        if (answer == ASIO_OK && method == METHOD_stop) {
            s->running = false;
        }
        if (answer == ASIO_OK && method == METHOD_start && state >= PREPARED) {
            s->running = true;
        }
        judge_state(s, method, state);
        subject_close(s);
    }
}

#define STATE_CASE(member, loaded, initialized, prepared, running, error, rule)                    \
    static void walk_##member(struct conform *t)                                                   \
    {                                                                                              \
        walk(t, METHOD_##member);                                                                  \
    }
STATE_TABLE(STATE_CASE)
#undef STATE_CASE

/* ---- sequences of states ---- */

static void
buffers_are_disposed_once(struct conform *t)
{
    struct subject *s = subject_in(t, PREPARED);

    if (!s) {
        return;
    }
    subject_dispose(s);
    int32_t answer = call_dispose_buffers(s);
    conform_expect(t, answer == ASIO_INVALID_MODE,
                   "the second disposeBuffers answered %s, not InvalidMode",
                   conform_error_text(answer));
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
    subject_close(s);
}

static void
start_goes_on_after_stop(struct conform *t)
{
    struct subject *s = subject_in(t, PREPARED);

    for (unsigned i = 0; s && i < 3; i++) {
        if (!subject_stream(s, 3)) {
            break;
        }
        subject_stop(s);
    }
    subject_close(s);
}

static void
dispose_stops_what_runs(struct conform *t)
{
    struct subject *s = subject_in(t, RUNNING);

    if (!s) {
        return;
    }
    s->running = s->prepared = false;
    int32_t answer = call_dispose_buffers(s);
    uint32_t seen = atomic_load(&s->host.block_count);
    conform_expect(t, answer == ASIO_OK, "disposeBuffers while it runs answered %s",
                   conform_error_text(answer));
    conform_sleep_ms(100);
    uint32_t later = atomic_load(&s->host.block_count) - seen;
    conform_expect(t, later == 0, "%u callbacks came after disposeBuffers", later);
    if (subject_prepare(s, 2, 2, 0)) {
        subject_stream(s, 2);
    }
    subject_close(s);
}

#define STATE_LINE(member, loaded, initialized, prepared, running, error, rule)                    \
    {#member "_in_each_state",                                                                     \
     rule,                                                                                         \
     "tutti/asio.h: the usual sequence; dechamps/ASIO401, issue 20; dechamps/FlexASIO, issue 122", \
     walk_##member,                                                                                \
     NEED_STREAM,                                                                                  \
     STATES_S},

static const struct conform_case cases[] = {
    STATE_TABLE(STATE_LINE){
        "buffers_are_disposed_once",
        "disposeBuffers answers InvalidMode when there are none, and new ones can be made",
        "JUCE, juce_ASIO_windows.cpp: open disposes before it creates, and again when that fails",
        buffers_are_disposed_once, NEED_STREAM, 0},
    {"start_goes_on_after_stop", "start and stop may alternate without disposing",
     "PortAudio, pa_asio.cpp: StartStream and StopStream of an open stream",
     start_goes_on_after_stop, NEED_STREAM, 0},
    {"dispose_stops_what_runs",
     "disposeBuffers while it runs implies stop, and new buffers can be made",
     "tutti/asio.h: disposeBuffers; our own rule: because a host that gives up goes straight to it",
     dispose_stops_what_runs, NEED_STREAM, 0},
};
#undef STATE_LINE

const struct conform_group conform_group_interface_states = {"interface", NULL, cases,
                                                             sizeof(cases) / sizeof(*cases)};
